/// Your box in three pastes: what a real machine printed becomes a lab, one line asks who connects to what, and a
/// capture is sent again.
import { html, nothing, type TemplateResult } from "lit";
import type { LabView, PasteNote } from "../model.js";
import type { Word } from "../i18n.js";
import { Piece } from "../piece.js";

type Field = "iptables" | "addr" | "route" | "rule" | "sockets" | "sysctl" | "conntrack" | "ip6tables" | "talks";
/** The command whose output belongs into each field; the first three are what matters. */
const FIELDS: [Field, string][] = [
  ["iptables", "iptables-save"],
  ["addr", "ip addr"],
  ["route", "ip route"],
  ["rule", "ip rule"],
  ["sockets", "ss -lntu"],
  ["sysctl", "sysctl -a"],
  ["conntrack", "conntrack -L"],
  ["ip6tables", "ip6tables-save"],
];

/** A byte more than is read of a capture: the simulator refuses that with words, and no huge file is held. */
const ENOUGH = 16 * 2 ** 20 + 1;

export class Box extends Piece {
  static override properties = { ...Piece.properties, notes: { state: true }, refusal: { state: true } };
  declare notes: PasteNote[];
  /** What is wrong with the capture, with its name. */
  declare refusal: string | undefined;

  constructor() {
    super();
    this.notes = [];
  }

  protected override render(): TemplateResult {
    const area = ([name, command]: [Field, string]): TemplateResult =>
      html`<label><code>${command}</code><textarea name=${name} rows="4" spellcheck="false" autocomplete="off" aria-invalid=${this.notes.some((n) => n.paste === name) ? "true" : "false"}
          @dragover=${(e: DragEvent) => e.preventDefault()} @drop=${this.dropped}></textarea></label>`;
    const note = (n: PasteNote): TemplateResult => html`<li><button type="button" class="link" @click=${() => this.show(n)}>${commandOf(n.paste)}, ${this.w("line_n", { n: n.line })}</button> ${n.message}</li>`;
    return html`<button class="tool" @click=${() => this.querySelector("dialog")?.showModal()}>${this.w("box")}</button>
      <dialog class="box" aria-label=${this.w("box")}>
        <form @submit=${(e: SubmitEvent) => void this.make(e)}>
          <h2>${this.w("box_title")}</h2>
          <p>${this.w("box_about")} <button type="button" class="link" @click=${() => this.example()}>${this.w("box_example")}</button></p>
          <div class="three">${FIELDS.slice(0, 3).map(area)}</div>
          <details><summary>${this.w("box_more")}</summary><div class="three">${FIELDS.slice(3).map(area)}</div></details>
          <label>${this.w("box_talk")}<input name="talks" placeholder="tcp 203.0.113.9 -> 203.0.113.1:80" autocomplete="off" spellcheck="false" /></label>
          <label @dragover=${(e: DragEvent) => e.preventDefault()} @drop=${this.caught}>${this.w("box_capture")}
            <input type="file" name="capture" accept=".pcap,.pcapng,.cap,.dmp" aria-invalid=${this.refusal === undefined ? "false" : "true"} @change=${() => (this.refusal = undefined)} />
            <small>${this.w("box_capture_drop")}</small></label>
          ${this.refusal === undefined ? nothing : html`<p class="notes" role="alert">${this.refusal}</p>`}
          ${this.notes.length > 0 ? html`<ul class="notes" role="alert">${this.notes.map(note)}</ul>` : nothing}
          <p class="row"><button class="tool main">${this.w("box_make")}</button>
            <button class="tool" type="button" @click=${() => this.querySelector("dialog")?.close()}>${this.w("close" as Word)}</button></p>
        </form>
      </dialog>`;
  }

  private async make(e: SubmitEvent): Promise<void> {
    e.preventDefault();
    const form = new FormData(e.target as HTMLFormElement);
    const field = (name: Field): string => String(form.get(name) ?? "");
    const file = form.get("capture");
    const capture = file instanceof File && file.name !== "" ? file : undefined;
    const { paste, replay } = await import("../simulator.js");
    const made = paste(addresses(field("addr")), field("route"), field("rule"), field("iptables"), field("ip6tables"), field("sockets"), field("sysctl"), field("conntrack"), field("talks"));
    this.notes = made.notes;
    this.refusal = undefined;
    if (made.lab === undefined) return;
    let lab = made.lab;
    if (capture) {
      try {
        lab += replay(new Uint8Array(await capture.slice(0, ENOUGH).arrayBuffer()), lab);
      } catch (why) {
        // The simulator's refusals are text; a file that is gone or locked is the browser's error.
        this.refusal = `${capture.name}: ${why instanceof Error ? why.message : String(why)}`;
        return;
      }
    }
    // What the lab itself finds wrong is said where labs are edited; the texts here stay as they are.
    this.dispatchEvent(new CustomEvent("lab", { detail: lab, bubbles: true }));
    this.notes = [...made.notes, ...refused(this.player.lab)];
    if (this.notes.length === 0) this.querySelector("dialog")?.close();
  }

  /** Goes to the line that a note is about. */
  private show(note: PasteNote): void {
    const field = this.querySelector<HTMLTextAreaElement | HTMLInputElement>(`[name="${note.paste}"]`);
    if (!field) return;
    const details = field.closest("details");
    if (details) details.open = true;
    const lines = field.value.split("\n");
    const start = lines.slice(0, note.line - 1).reduce((n, l) => n + l.length + 1, 0);
    field.focus();
    field.setSelectionRange(start, start + (lines[note.line - 1]?.length ?? 0));
    // What is selected is not scrolled to by itself.
    field.scrollTop = (field.scrollHeight / Math.max(1, lines.length)) * Math.max(0, note.line - 3);
  }
  /** A small box to try: a web server in a container, published on port 80. */
  private example(): void {
    for (const [name, text] of Object.entries(EXAMPLE)) {
      const field = this.querySelector<HTMLTextAreaElement | HTMLInputElement>(`[name="${name}"]`);
      if (field) field.value = text;
    }
    const capture = this.capture;
    if (capture) capture.value = "";
    this.notes = [];
    this.refusal = undefined;
  }
  private get capture(): HTMLInputElement | null {
    return this.querySelector<HTMLInputElement>('[name="capture"]');
  }
  /** A capture dropped beside its button is chosen. */
  private caught = (e: DragEvent): void => {
    e.preventDefault();
    if (!this.capture || !e.dataTransfer?.files.length) return;
    this.capture.files = e.dataTransfer.files;
    this.refusal = undefined;
  };
  /** A file dropped on a field is pasted there. */
  private dropped = (e: DragEvent): void => {
    const file = e.dataTransfer?.files[0];
    if (!file) return;
    e.preventDefault();
    const field = e.currentTarget as HTMLTextAreaElement;
    void file.text().then((text) => (field.value = text));
  };
}

const commandOf = (paste: string): string => FIELDS.find(([name]) => name === paste)?.[1] ?? paste;

/** What the real tool would say of the rules that were pasted, with the line that it names. */
function refused(lab: LabView | undefined): PasteNote[] {
  return (lab?.lines ?? []).flatMap((l) => {
    const tool = /# (ip6?tables)-restore\b/.exec(l.text[0]?.text ?? "")?.[1];
    const failed = tool && l.output && /\n\[exit [1-9]\d*\]$/.test(l.output) ? l.output.replace(/\n\[exit \d+\]$/, "") : undefined;
    if (tool === undefined || failed === undefined) return [];
    return [{ paste: tool, line: Number(/line:? (\d+)/.exec(failed)?.[1] ?? 1), message: failed }];
  });
}

const EXAMPLE: Partial<Record<Field, string>> = {
  iptables: `*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:8080
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 8080 -j ACCEPT
COMMIT
`,
  addr: `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500
    inet 203.0.113.1/24 brd 203.0.113.255 scope global eth0
3: docker0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500
    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0
`,
  route: `default via 203.0.113.254 dev eth0
`,
  sysctl: `net.ipv4.ip_forward = 1
`,
  talks: "tcp 198.51.100.9 -> 203.0.113.1:80",
};

interface Link {
  ifindex?: number;
  ifname?: string;
  addr_info?: { family?: string; local?: string; prefixlen?: number }[];
}

/** `ip -j addr` as `ip addr` prints it, as far as addresses go; other text as it is. */
export function addresses(text: string): string {
  if (!text.trimStart().startsWith("[")) return text;
  try {
    const links = JSON.parse(text) as Link[];
    return links
      .map((l) => [`${l.ifindex ?? 0}: ${l.ifname}: <UP>`, ...(l.addr_info ?? []).map((a) => `    ${a.family} ${a.local}/${a.prefixlen}`)].join("\n"))
      .join("\n");
  } catch {
    return text;
  }
}

customElements.define("hw-box", Box);
