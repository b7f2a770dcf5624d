/// Small forms that write lines of a lab: a rule, a packet, a conversation, a station. The lines show as they will stand in
/// the text, so that the next ones can be written without a form.
import { html, nothing, type TemplateResult } from "lit";
import { changedLines } from "../compare.js";
import type { Word } from "../i18n.js";
import { insertDeclared, insertEnd, insertHere } from "../insert.js";
import type { StationView } from "../model.js";
import { Piece } from "../piece.js";
import { conversation, freeAddress, freeName, freeNet, nextPort, packetLine, ruleLine } from "../write.js";

type Form = "rule" | "packet" | "talk" | "station";
const FORMS: [Form, Word][] = [["rule", "form_rule"], ["packet", "form_packet"], ["talk", "form_talk"], ["station", "form_station"]];
const TABLES = ["filter", "nat", "mangle", "raw", "security"];

/** What a form makes: lines for a place of the reader's choice, or a whole text where lines are also changed. */
type Made = { lines: string } | { text: string; show: string } | undefined;

export class Forms extends Piece {
  static override properties = { ...Piece.properties, text: { attribute: false }, form: { state: true }, values: { state: true } };
  /** The text that is being edited. */
  declare text: string;
  declare form: Form;
  /** What stands in the fields, by name; what nobody has touched is worked out anew. */
  declare values: Record<string, string>;

  constructor() {
    super();
    this.text = "";
    this.form = "rule";
    this.values = {};
  }

  private get stations(): StationView[] {
    return this.player.lab?.stations ?? [];
  }
  private get hosts(): StationView[] {
    return this.stations.filter((s) => s.kind === "host");
  }
  private value(name: string, otherwise = ""): string {
    return this.values[name] ?? otherwise;
  }
  /** What can stand where a line ends. */
  private offers(line: string): { text: string; detail: string }[] {
    const text = `${this.player.lab?.text ?? ""}\n${line}`;
    return this.player.run?.complete?.(text, text.split("\n").length, [...line].length + 1).choices ?? [];
  }

  protected override render(): TemplateResult {
    const made = this.made();
    const show = made === undefined ? "" : "lines" in made ? made.lines : made.show;
    return html`<form class="forms" @submit=${this.write} @input=${this.touched} @change=${this.touched} @keydown=${(e: KeyboardEvent) => e.key === "Escape" && this.leave()}>
      <div class="kinds" role="group" aria-label=${this.w("add_line")}>
        ${FORMS.map(([form, label]) => html`<button type="button" class="tab" aria-pressed=${this.form === form} @click=${() => this.choose(form)}>${this.w(label)}</button>`)}
        <button type="button" class="tool close" aria-label=${this.w("close")} title=${this.w("close")} @click=${() => this.leave()}>×</button>
      </div>
      <div class="grid">${this.form === "rule" ? this.rule() : this.form === "packet" ? this.packet() : this.form === "talk" ? this.talk() : this.station()}</div>
      <div class="made">
        <span class="label" id="made-label">${this.w("will_be_written")}</span>
        <pre tabindex="0" aria-labelledby="made-label" aria-live="polite">${show || this.w("fill_in")}</pre>
        <div class="row">
          ${this.form === "station"
            ? nothing
            : html`<label>${this.w("where_to")}<select name="place">
                ${[["here", "place_here"], ["start", "place_start"], ["end", "place_end"]].map(([v, l]) => html`<option value=${v!} ?selected=${this.value("place", "here") === v}>${this.w(l as Word)}</option>`)}
              </select></label>`}
          <button class="tool main" ?disabled=${made === undefined}>${this.w("insert")}</button>
        </div>
      </div>
    </form>`;
  }

  private choose(form: Form): void {
    this.form = form;
    this.values = {};
  }
  private leave(): void {
    this.dispatchEvent(new Event("close"));
  }
  private touched = (e: Event): void => {
    const field = e.target as HTMLInputElement;
    if (field.name) this.values = { ...this.values, [field.name]: field.value };
  };

  /** A field to write into, with what can stand there. */
  private field(name: string, label: string, otherwise: string, offers: string[] = [], more: { hint?: string; wide?: boolean } = {}): TemplateResult {
    const list = offers.length > 0 ? `offers-${name}` : undefined;
    return html`<label class=${more.wide ? "wide" : ""}><span>${label}</span>
      <input name=${name} .value=${this.value(name, otherwise)} list=${list ?? nothing} placeholder=${more.hint ?? ""} autocomplete="off" autocapitalize="off" spellcheck="false" />
      ${list ? html`<datalist id=${list}>${offers.map((o) => html`<option value=${o}></option>`)}</datalist>` : nothing}</label>`;
  }
  private select(name: string, label: string, options: (string | [string, string])[], otherwise: string): TemplateResult {
    const now = this.value(name, otherwise);
    return html`<label><span>${label}</span><select name=${name}>
      ${options.map((o) => {
        const [value, shown] = typeof o === "string" ? [o, o] : o;
        return html`<option value=${value} ?selected=${value === now}>${shown}</option>`;
      })}</select></label>`;
  }

  // --- a rule ---

  private get host(): string {
    return this.value("host", this.stations[this.player.view?.host ?? -1]?.name ?? this.hosts[0]?.name ?? "");
  }
  private get chains(): string[] {
    return this.offers(`${this.host}# ${this.value("tool", "iptables")} -t ${this.value("table", "filter")} -A `).map((c) => c.text);
  }
  private get chain(): string {
    const { chains } = this;
    const chosen = this.value("chain", "");
    return chains.includes(chosen) ? chosen : (chains[0] ?? "INPUT");
  }
  private rule(): TemplateResult {
    const words = (line: string): string[] => this.offers(`${this.host}# ${this.value("tool", "iptables")} -t ${this.value("table", "filter")} -A ${this.chain} ${line} `).map((c) => c.text);
    const target = this.value("target", "ACCEPT");
    const args = this.offers(`${this.host}# ${this.value("tool", "iptables")} -t ${this.value("table", "filter")} -A ${this.chain} -j ${target} --`).find((c) => c.detail);
    const ports = /^(tcp|udp|sctp|dccp|udplite)$/.test(this.value("proto", "tcp"));
    return html`
      ${this.select("host", this.w("on_host"), this.hosts.map((h) => h.name), this.host)}
      ${this.select("tool", this.w("family"), [["iptables", "IPv4"], ["ip6tables", "IPv6"]], "iptables")}
      ${this.select("table", this.w("in_table"), TABLES, "filter")}
      ${this.select("chain", this.w("in_chain"), this.chains, this.chain)}
      ${this.select("at", this.w("where_to"), [["-A", this.w("at_last")], ["-I", this.w("at_first")]], "-A")}
      ${this.select("proto", this.w("protocol"), [["", this.w("any")], "tcp", "udp", "icmp", "sctp"], "tcp")}
      ${this.field("src", this.w("from_addr"), "", words("-s"), { hint: "10.0.0.0/8" })}
      ${this.field("dst", this.w("to_addr"), "", words("-d"), { hint: "10.0.0.1" })}
      ${ports ? this.field("dport", this.w("to_port"), "80") : nothing}
      ${this.field("in", this.w("in_by"), "", words("-i"), { hint: "eth0" })}
      ${this.field("out", this.w("out_by"), "", words("-o"), { hint: "eth0" })}
      ${this.field("state", this.w("ct_state"), "", words("-m conntrack --ctstate"), { hint: "NEW,ESTABLISHED" })}
      ${this.field("target", this.w("target"), "ACCEPT", words("-j"))}
      ${this.field("args", this.w("target_options"), "", [], { hint: args ? `${args.text} ${args.detail}` : "" })}
      ${this.field("more", this.w("more_conditions"), "", [], { hint: "-m limit --limit 5/min", wide: true })}`;
  }

  // --- a packet ---

  private get sender(): StationView | undefined {
    const name = this.value("from");
    return this.stations.find((s) => s.name === name) ?? this.stations.find((s) => s.kind === "wire") ?? this.stations[0];
  }
  private addresses(stations: StationView[], family: "4" | "6"): string[] {
    return stations.flatMap((s) => s.ifaces.flatMap((i) => i.addrs)).map((a) => a.replace(/\/.*/, "")).filter((a) => a.includes(":") === (family === "6"));
  }
  /** The receiver that one thinks of: not the sender; a host before a wire. */
  private target(family: "4" | "6"): string {
    const others = this.stations.filter((s) => s !== this.sender).sort((a, b) => Number(a.kind === "wire") - Number(b.kind === "wire"));
    return this.addresses(others, family)[0] ?? "";
  }
  private ends(family: "4" | "6", kind: string): TemplateResult {
    const ports = /^(tcp|udp)$/.test(kind);
    return html`
      ${this.field("src", this.w("from_addr"), this.addresses(this.sender ? [this.sender] : [], family)[0] ?? "", this.addresses(this.sender ? [this.sender] : [], family))}
      ${ports ? this.field("sport", this.w("from_port"), String(nextPort(this.text))) : nothing}
      ${this.field("dst", this.w("to_addr"), this.target(family), this.addresses(this.stations, family))}
      ${ports ? this.field("dport", this.w("to_port"), "80") : nothing}`;
  }
  private packet(): TemplateResult {
    const kind = this.value("kind", "tcp");
    const family = kind.endsWith("6") || this.value("src").includes(":") ? "6" : "4";
    const messages = this.offers(`${this.sender?.name}> ${kind} ${family === "6" ? "::1 > ::1" : "1.1.1.1 > 1.1.1.1"} `).map((c) => c.text);
    return html`
      ${this.select("from", this.w("sent_by"), this.stations.map((s) => s.name), this.sender?.name ?? "")}
      ${this.select("kind", this.w("protocol"), ["tcp", "udp", "icmp", "icmp6", ["reply", this.w("an_answer")]], "tcp")}
      ${kind === "reply" ? nothing : this.ends(family, kind)}
      ${kind === "tcp" || kind === "reply"
        ? this.select("flags", this.w("tcp_flags"), [...(kind === "reply" ? [["", this.w("as_fits")] as [string, string]] : []), ["S", "SYN"], ["S.", "SYN ACK"], [".", "ACK"], ["P.", "PSH ACK"], ["F.", "FIN ACK"], ["R", "RST"], ["R.", "RST ACK"]], kind === "reply" ? "" : "S")
        : nothing}
      ${kind.startsWith("icmp") ? this.field("message", this.w("message"), "echo-request", messages) : nothing}
      ${this.field("len", this.w("payload"), "", [], { hint: "0" })}
      ${this.field("more", this.w("more_options"), kind.startsWith("icmp") ? "id=1 seq=1" : kind === "tcp" ? "seq=1000" : "", [], { hint: "ttl=64 df" })}`;
  }

  private talk(): TemplateResult {
    const kind = this.value("kind", "tcp");
    const family = this.value("src").includes(":") ? "6" : "4";
    return html`
      ${this.select("from", this.w("client"), this.stations.map((s) => s.name), this.sender?.name ?? "")}
      ${this.select("kind", this.w("protocol"), ["tcp", "udp"], "tcp")}
      ${this.ends(family, kind)}
      ${this.field("len", this.w("payload"), "100")}
      ${kind === "tcp" ? this.select("close", this.w("how_it_ends"), [["fin", "FIN"], ["rst", "RST"], ["open", this.w("stays_open")]], "fin") : nothing}`;
  }

  // --- a station ---

  private station(): TemplateResult {
    const kind = this.value("kind", "host");
    const { links, attach } = this.attachment;
    return html`
      ${this.select("kind", this.w("what_it_is"), [["host", this.w("kind_host")], ["wire", this.w("kind_wire")]], "host")}
      ${this.field("name", this.w("its_name"), freeName(kind === "wire" ? "client" : "host", this.stations.map((s) => s.name)))}
      ${this.select("attach", this.w("plugged_into"), [...links, ...this.hosts.map((h): [string, string] => [`host ${h.name}`, this.w("new_cable", { host: h.name })])], attach)}
      ${this.field("addr", this.w("address"), this.suggested.addr)}
      ${this.field("gw", this.w("gateway"), this.suggested.gw)}`;
  }
  private get attachment(): { links: [string, string][]; attach: string } {
    const lab = this.player.lab;
    const end = (e: { station: number; iface: string }): string => `${lab?.stations[e.station]?.name}:${e.iface}`;
    const links = (lab?.links ?? []).map((l): [string, string] => [`link ${end(l.ends[0]!)}`, l.ends.map(end).join(" – ")]);
    const first = links[0]?.[0] ?? (this.hosts[0] ? `host ${this.hosts[0].name}` : "");
    return { links, attach: this.value("attach", first) };
  }
  private get suggested(): { addr: string; gw: string; host: string } {
    const lab = this.player.lab;
    const { attach } = this.attachment;
    const used = this.stations.flatMap((s) => s.ifaces.flatMap((i) => i.addrs));
    if (attach.startsWith("host ")) {
      const net = freeNet(used);
      return { addr: `${net}.2/24`, gw: `${net}.1`, host: `${net}.1/24` };
    }
    const link = lab?.links.find((l) => attach === `link ${lab.stations[l.ends[0]!.station]?.name}:${l.ends[0]!.iface}`);
    const on = (link?.ends ?? []).flatMap((e) => {
      const station = lab?.stations[e.station];
      return (station?.ifaces.find((i) => i.name === e.iface)?.addrs ?? []).map((addr) => ({ addr, host: station?.kind === "host" }));
    });
    const addr = on.map((o) => o.addr).find((a) => !a.includes(":")) ?? "10.0.0.1/24";
    return { addr: freeAddress(addr, used), gw: on.find((o) => o.host && !o.addr.includes(":"))?.addr.replace(/\/.*/, "") ?? "", host: "" };
  }

  // --- what is made of it ---

  private made(): Made {
    const v = (name: string, otherwise = ""): string => this.value(name, otherwise).trim();
    switch (this.form) {
      case "rule": {
        if (!this.host || !v("target", "ACCEPT")) return undefined;
        return {
          lines: ruleLine({
            host: this.host, tool: v("tool", "iptables"), table: v("table", "filter"), at: v("at", "-A"), chain: this.chain, proto: v("proto", "tcp"), src: v("src"), dst: v("dst"),
            dport: v("dport", "80"), in: v("in"), out: v("out"), state: v("state"), target: v("target", "ACCEPT"), args: v("args"), more: v("more"),
          }),
        };
      }
      case "packet": {
        const kind = v("kind", "tcp");
        if (!this.sender) return undefined;
        const family = kind.endsWith("6") || v("src").includes(":") ? "6" : "4";
        const src = v("src", this.addresses([this.sender], family)[0]);
        const dst = v("dst", this.target(family));
        if (kind !== "reply" && (!src || !dst)) return undefined;
        return {
          lines: packetLine({
            from: this.sender.name, kind, src, dst, sport: v("sport", String(nextPort(this.text))), dport: v("dport", "80"), flags: v("flags", kind === "tcp" ? "S" : ""),
            message: v("message", "echo-request"), len: v("len"), more: v("more", kind.startsWith("icmp") ? "id=1 seq=1" : kind === "tcp" ? "seq=1000" : ""),
          }),
        };
      }
      case "talk": {
        const sender = this.sender;
        const family = v("src").includes(":") ? "6" : "4";
        const src = v("src", sender && this.addresses([sender], family)[0]);
        const dst = v("dst", this.target(family));
        if (!sender || !src || !dst) return undefined;
        const receiver = this.stations.find((s) => s.ifaces.some((i) => i.addrs.some((a) => a.startsWith(`${dst}/`))));
        return {
          lines: conversation({
            from: sender, to: receiver, kind: v("kind", "tcp"), src, dst, sport: v("sport", String(nextPort(this.text))), dport: v("dport", "80"), len: v("len", "100"), close: v("close", "fin"),
            listens: (port) => new RegExp(`^\\s*${receiver?.name}\\$\\s+listen\\s+${v("kind", "tcp")}/${port}\\b`, "m").test(this.text),
          }),
        };
      }
      case "station": {
        const { attach } = this.attachment;
        const kind = v("kind", "host");
        const name = v("name", freeName(kind === "wire" ? "client" : "host", this.stations.map((s) => s.name)));
        const addr = v("addr", this.suggested.addr);
        const gw = v("gw", this.suggested.gw);
        if (!name || !addr) return undefined;
        const own = `${kind} ${name} eth0=${addr}${gw ? ` gw=${gw}` : ""}`;
        if (attach === "") return { text: insertDeclared(this.text, own).text, show: own };
        const [how, to = ""] = attach.split(" ");
        const lines = this.text.split("\n");
        if (how === "link") {
          const at = lines.findIndex((l) => /^\s*link\s/.test(l) && l.split(/\s+/).includes(to));
          if (at < 0) return undefined;
          lines[at] = `${lines[at]!.trimEnd()} ${name}:eth0`;
          lines.splice(at, 0, own);
          return { text: lines.join("\n"), show: `${own}\n${lines[at + 1]}` };
        }
        const at = lines.findIndex((l) => new RegExp(`^\\s*host\\s+${to}(\\s|$)`).test(l));
        if (at < 0) return undefined;
        const iface = freeName("eth", this.stations.find((s) => s.name === to)?.ifaces.map((i) => i.name) ?? [], 0);
        lines[at] = `${lines[at]!.trimEnd()} ${iface}=${this.suggested.host}`;
        const link = `link ${name}:eth0 ${to}:${iface}`;
        return { text: insertDeclared(lines.join("\n"), `${own}\n${link}`).text, show: `${lines[at]}\n${own}\n${link}` };
      }
    }
  }

  private write = (e: SubmitEvent): void => {
    e.preventDefault();
    const made = this.made();
    const lab = this.player.lab;
    if (!made || !lab) return;
    let inserted;
    if ("text" in made) {
      const { from, is } = changedLines(this.text, made.text);
      inserted = { text: made.text, from, to: from + is - 1 };
    } else {
      const place = this.value("place", "here");
      // A text with mistakes has no place where the run stands.
      const good = this.text === lab.text;
      const first = lab.packets[0] ? lab.lines.find((l) => l.kind === "packet" || (l.kind === "command" && l.line === lab.packets[0]!.line))?.line : undefined;
      if (place === "end" || !good) inserted = insertEnd(this.text, made.lines);
      else if (place === "start" && first !== undefined) inserted = insertHere(lab, lab.lines.findLast((l) => l.line < first && l.kind !== "say" && l.kind !== "ask")?.line ?? 0, made.lines);
      else inserted = insertHere(lab, place === "start" ? 0 : (this.player.view?.line ?? 0), made.lines);
    }
    this.values = { ...this.values, sport: String(nextPort(inserted.text)) };
    this.dispatchEvent(new CustomEvent("write", { detail: inserted, bubbles: true }));
  };
}
customElements.define("hw-forms", Forms);
