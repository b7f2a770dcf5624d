/// The rules of the host in focus as `iptables -nvL` prints them, with the rule that the packet is at.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { chainBreak, ruleBreak } from "../breaks.js";
import type { TableView } from "../model.js";
import { Piece } from "../piece.js";

const COLUMNS = ["pkts", "bytes", "target", "prot", "opt", "in", "out", "source", "destination"];

export class Rules extends Piece {
  static override properties = { ...Piece.properties, chosen: { state: true } };
  /** The table that the reader chose; else the one where the packet is. */
  declare chosen: string | undefined;
  #last = "";
  #at = "";
  #seen = "";

  /** Shows a table until the packet enters another one. */
  show(table: string): void {
    const found = this.player.tables.find((t) => t.table === table);
    if (found) this.chosen = name(found);
  }

  protected override render(): TemplateResult {
    const { player } = this;
    const tables = player.tables;
    const view = player.view;
    if (!view) return html``;
    // Where a packet is in a table, that one is shown; a choice holds until the position changes.
    const at = `${player.at}/${player.station}/${player.lab?.text}`;
    if (this.#at !== at) {
      this.#at = at;
      const here = tables.find((t) => t.chains.some((c) => c.rules.some((r) => r.outcome)));
      const func = view.event?.station === view.host ? tables.find((t) => t.table === view.event?.func) : undefined;
      const follow = here ?? func;
      if (follow && name(follow) !== this.#last) {
        this.#last = name(follow);
        this.chosen = undefined;
      }
    }
    const shown =
      tables.find((t) => name(t) === this.chosen) ?? tables.find((t) => name(t) === this.#last) ??
      tables.find((t) => t.table === "nat") ?? tables[0];
    const host = player.lab?.stations[view.host]?.name ?? "";
    return html`
      <header class="head">
        <h2>${this.w("rules")}</h2>
        <div class="tabs" role="tablist" aria-label=${this.w("tables_of", { host })}>
          ${tables.map((t) => html`<button role="tab" class="tab ${t.table}" aria-selected=${t === shown}
            @click=${() => (this.chosen = name(t))}>${name(t)}</button>`)}
        </div>
      </header>
      ${shown ? this.table(shown) : html`<p class="empty">${this.w("no_rules", { host })}</p>`}`;
  }

  protected override updated(_: PropertyValues): void {
    // The rule that the packet is at comes into sight; only the listing moves, never the page.
    const at = `${this.player.at}/${this.player.station}`;
    if (at === this.#seen) return;
    this.#seen = at;
    const box = this.querySelector<HTMLElement>(".listing");
    const row = box?.querySelector<HTMLElement>('.rule[aria-current="step"]');
    if (!box || !row || box.clientHeight === 0) return;
    const y = row.getBoundingClientRect().top - box.getBoundingClientRect().top;
    if (y < 40 || y > box.clientHeight - 40) box.scrollTop += y - box.clientHeight * 0.5;
  }

  /** A number that answers for itself. */
  private why(table: TableView, chain: string, rule?: number, shown?: string): TemplateResult {
    const host = this.player.lab?.stations[this.player.view?.host ?? 0]?.name ?? "";
    const question = `${host} ${name(table)} ${chain}${rule === undefined ? "" : ` ${rule}`}`;
    const label = rule === undefined ? this.w("why_chain", { chain }) : this.w("why_rule", { n: rule, chain, count: shown ?? "" });
    return html`<button class="ask" title=${label} aria-label=${label}
      @click=${() => this.dispatchEvent(new CustomEvent("why", { bubbles: true, detail: question }))}>${shown ?? this.w("why")}</button>`;
  }

  /** A breakpoint's place, set or not. */
  private stop(stop: string, label: string): TemplateResult {
    const set = this.player.breaks.includes(stop);
    return html`<button class="stop" aria-pressed=${set} title=${label} aria-label=${label} @click=${() => this.player.toggleBreak(stop)}></button>`;
  }

  private table(table: TableView): TemplateResult {
    const before = this.player.tablesBefore.find((t) => name(t) === name(table));
    const tool = table.family === "ip6" ? "ip6tables" : "iptables";
    const host = this.player.lab?.stations[this.player.view?.host ?? 0]?.name ?? "";
    return html`<div class="listing" tabindex="0" role="tabpanel" aria-label="${tool} -t ${table.table} -nvL">
      <p class="prompt">${host}# ${tool} -t ${table.table} -nvL</p>
      ${table.chains.map((chain) => {
        const was = before?.chains.find((c) => c.name === chain.name);
        return html`<table class="chain">
          <caption class=${was && was.head !== chain.head ? "ticked" : ""}>${this.stop(chainBreak(host, table.table, chain.name), this.w("breakpoint_chain", { chain: chain.name }))}${chain.head} ${this.why(table, chain.name)}</caption>
          ${chain.rules.length === 0 ? nothing : html`<thead><tr><td></td>${COLUMNS.map((c) => html`<th scope="col">${c}</th>`)}<td></td></tr></thead>`}
          <tbody>
            ${chain.rules.map((r, i) => {
              const old = was?.rules[i];
              const ticked = old && old.text === r.text && old.cells[0] !== r.cells[0];
              return html`<tr class="rule ${r.outcome ?? ""}" title=${r.text} aria-current=${r.outcome ? "step" : "false"}>
                <td class="gutter">${this.stop(ruleBreak(host, table.table, chain.name, i + 1), this.w("breakpoint_at", { n: i + 1 }))}</td>
                ${r.cells.map((c, k) => html`<td class=${k < 2 && ticked ? "ticked" : ""}>${k === 2 && r.outcome
                  ? html`<span class="hit" aria-label=${this.w(r.outcome === "matched" ? "matched" : "not_matched")}>${r.outcome === "matched" ? "✓" : "✗"}</span>`
                  : nothing}${k === 0 ? this.why(table, chain.name, i + 1, c) : c}</td>`)}
              </tr>`;
            })}
          </tbody>
        </table>`;
      })}
    </div>`;
  }
}

const name = (t: TableView): string => (t.family === "ip6" ? `ip6 ${t.table}` : t.table);

customElements.define("hw-rules", Rules);
