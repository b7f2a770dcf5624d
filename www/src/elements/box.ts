/// Your box in three pastes: what a real machine printed becomes a lab, and one line asks who connects to what.
import { html, nothing, type TemplateResult } from "lit";
import type { PasteNote } from "../model.js";
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

export class Box extends Piece {
  static override properties = { ...Piece.properties, notes: { state: true } };
  declare notes: PasteNote[];

  constructor() {
    super();
    this.notes = [];
  }

  protected override render(): TemplateResult {
    const area = ([name, command]: [Field, string]): TemplateResult =>
      html`<label><code>${command}</code><textarea name=${name} rows="4" spellcheck="false" autocomplete="off"></textarea></label>`;
    const note = (n: PasteNote): TemplateResult => html`<li>${n.paste} ${n.line}: ${n.message}</li>`;
    return html`<button class="tool" @click=${() => this.querySelector("dialog")?.showModal()}>${this.w("box")}</button>
      <dialog class="box" aria-label=${this.w("box")}>
        <form @submit=${(e: SubmitEvent) => void this.make(e)}>
          <h2>${this.w("box_title")}</h2>
          <p>${this.w("box_about")}</p>
          <div class="three">${FIELDS.slice(0, 3).map(area)}</div>
          <details><summary>${this.w("box_more")}</summary><div class="three">${FIELDS.slice(3).map(area)}</div></details>
          <label>${this.w("box_talk")}<input name="talks" placeholder="tcp 203.0.113.9 -> 203.0.113.1:80" autocomplete="off" spellcheck="false" /></label>
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
    const { paste } = await import("../simulator.js");
    const made = paste(addresses(field("addr")), field("route"), field("rule"), field("iptables"), field("ip6tables"), field("sockets"), field("sysctl"), field("conntrack"), field("talks"));
    this.notes = made.notes;
    if (made.lab === undefined) return;
    // What the lab itself finds wrong is said where labs are edited; the texts here stay as they are.
    this.dispatchEvent(new CustomEvent("lab", { detail: made.lab, bubbles: true }));
    if (made.notes.length === 0) this.querySelector("dialog")?.close();
  }
}

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
