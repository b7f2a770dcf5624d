/// One table from near: its chains with the packet's walk through the rules, jumps and returns. A rule that did not match
/// shows which condition failed, with the value that it met.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { ruleBreak } from "../breaks.js";
import { styleMap } from "../css.js";
import { brief, phrase } from "../i18n.js";
import type { ChainView, EventView, FlightView, RuleView, TableView } from "../model.js";
import { hue, Piece } from "../piece.js";
import { walk, type Tested, type Visit, type Walk } from "../walk.js";

/** Rules of a chain that are drawn without being asked for. */
const MANY = 40;

export class Zoom extends Piece {
  static override properties = { ...Piece.properties, hook: { attribute: false }, func: { attribute: false }, all: { state: true } };
  declare hook: string;
  declare func: string;
  /** Chains of which all rules are to be drawn. */
  declare all: string[];
  #seen = "";

  constructor() {
    super();
    this.all = [];
  }

  /** The events of the packet's last passage here, up to the position, and whether it is still in it. */
  private passage(): { events: EventView[]; live: boolean; packet: number } {
    const { player } = this;
    const { index, station, at } = player;
    const id = player.packet?.id ?? 0;
    const here = (n: number): boolean => index.packet(n) === id && index.station(n) === station && index.hook(n) === this.hook && index.func(n) === this.func;
    const first = player.packet?.first ?? 0;
    const last = index.find(at - 1, -1, (n) => n < first || here(n));
    if (last < first || id === 0) return { events: [], live: false, packet: id };
    const start = index.find(last, -1, (n) => n < first || (here(n) && index.kind(n) === "Function"));
    const events: EventView[] = [];
    for (let n = Math.max(start, first); n <= last; n++) {
      const e = here(n) ? player.event(n) : undefined;
      if (e) events.push(e);
    }
    return { events, live: last === at - 1, packet: id };
  }

  protected override render(): TemplateResult {
    const { player } = this;
    const { view, lab } = player;
    if (!view || !lab) return html``;
    const { events, live, packet } = this.passage();
    const way = walk(events);
    const flight = view.flights.find((f) => f.packet === packet);
    const family = flight?.src.addr.includes(":") ? "ip6" : "ip";
    const tables = player.tables.filter((t) => t.table === this.func);
    const table = tables.find((t) => t.family === family) ?? tables[0];
    const base = table?.chains.find((c) => c.name === this.hook);
    const priority = view.hooks.find((h) => h.hook === this.hook)?.funcs.find((f) => f.name === this.func)?.priority ?? 0;
    // Without a walk the chain stands as it is.
    const visits: Visit[] = way.visits.length > 0 ? way.visits : base ? [{ chain: base.name, tests: new Map() }] : [];
    return html`<section class="zoom ${this.func}" aria-label="${this.func} ${this.hook}">
      <header>
        <button class="tool" title="Esc" @click=${() => this.dispatchEvent(new CustomEvent("unzoom", { bubbles: true }))}>← ${this.w("all_hooks")}</button>
        <h2>${this.func} ${this.hook}</h2>
        <span class="where">${this.w("priority")} ${String(priority).replace("-", "−")}</span>
        ${this.note(way, live, packet, table !== undefined)}
      </header>
      <div class="chains" tabindex="0" role="group" aria-label=${this.w("walk")}>
        ${visits.map((v, i) => this.chain(v, table, way, i === way.current && live, live ? flight : undefined))}
      </div>
    </section>`;
  }

  /** What there is to say where nothing walks. */
  private note(way: Walk, live: boolean, packet: number, exists: boolean): TemplateResult {
    const skipped = way.end?.kind === "NatSkipped" ? way.end : undefined;
    if (skipped) return html`<p class="note skip">↷ ${phrase(this.language, skipped.fact)}</p>`;
    if (!exists) return html`<p class="note">${this.w("no_table")}</p>`;
    if (packet === 0) return html``;
    if (way.visits.length === 0) return html`<p class="note">${this.w("not_here_yet", { n: packet })}</p>`;
    return live ? html`` : html`<p class="note">${this.w("was_here", { n: packet })}</p>`;
  }

  private chain(v: Visit, table: TableView | undefined, way: Walk, here: boolean, flight: FlightView | undefined): TemplateResult {
    const chain = table?.chains.find((c) => c.name === v.chain);
    const rules = chain?.rules ?? [];
    const at = here ? way.rule : 0;
    const shown = this.shown(v, rules, at);
    const ended = way.end !== undefined && way.visits[way.current] === v ? way.end : undefined;
    const dropped = ended?.kind === "Drop";
    return html`<article class="chain ${here ? "here" : ""} ${v.back ? "left" : ""}">
      <h3>${v.from ? html`<span class="via">↳ ${this.w(v.from.goto ? "goto_from" : "jump_from", { chain: v.from.chain, n: v.from.rule })}</span>` : nothing}
        ${v.chain} <small>${policy(chain)}</small></h3>
      ${here && at === 0 && flight ? this.chip(flight) : nothing}
      <ol>
        ${shown.map((n, i) => html`${n - (shown[i - 1] ?? 0) > 1 ? this.gap(v.chain, n - (shown[i - 1] ?? 0) - 1) : nothing}
          ${this.rule(v, n, rules[n - 1], at === n, here && !dropped ? flight : undefined)}`)}
        ${rules.length > (shown.at(-1) ?? 0) ? this.gap(v.chain, rules.length - (shown.at(-1) ?? 0)) : nothing}
        ${rules.length === 0 ? html`<li class="empty">${this.w("chain_empty")}</li>` : nothing}
      </ol>
      ${v.back ? html`<p class="back">↩ ${this.w(v.back.explicit ? "returned" : "ran_out", { chain: v.back.to, n: v.back.rule })}</p>` : nothing}
      ${ended && ended.kind !== "NatSkipped"
        ? html`<p class="verdict ${dropped ? "bad" : ended.tone === "change" ? "change" : "good"}">${dropped ? "✕" : "✓"} ${brief(this.language, ended.fact)}</p>
            ${dropped && flight ? html`<div class="fallen">${this.chip(flight)}</div>` : nothing}`
        : nothing}
    </article>`;
  }

  /** The numbers of the rules to draw: all of a short chain, those that were tested and their neighbours of a long one. */
  private shown(v: Visit, rules: RuleView[], at: number): number[] {
    const numbers = rules.map((_, i) => i + 1);
    if (rules.length <= MANY || this.all.includes(v.chain)) return numbers;
    const tested = [...v.tests.keys()].slice(-MANY / 2);
    const near = (n: number): boolean => tested.some((t) => Math.abs(t - n) <= 1) || Math.abs(at - n) <= 2;
    return numbers.filter((n) => n <= 3 || near(n));
  }
  private gap(chain: string, n: number): TemplateResult {
    return html`<li class="gap"><button class="link" @click=${() => (this.all = [...this.all, chain])}>${this.w("more", { n })}</button></li>`;
  }

  private rule(v: Visit, n: number, rule: RuleView | undefined, here: boolean, flight: FlightView | undefined): TemplateResult {
    const tested = v.tests.get(n);
    const outcome = tested ? (tested.matched ? "matched" : "failed") : "";
    const { conds, target } = split(rule?.text ?? "");
    const host = this.player.lab?.stations[this.player.station]?.name ?? "";
    const stop = ruleBreak(host, this.func, v.chain, n);
    const stops = this.player.breaks.includes(stop);
    return html`<li class="tested ${outcome} ${here ? "here" : ""}" aria-current=${here ? "step" : "false"}>
      <button class="stop" aria-pressed=${stops} title=${this.w("breakpoint_at", { n })} aria-label=${this.w("breakpoint_at", { n })} @click=${() => this.player.toggleBreak(stop)}></button>
      <span class="n">${n}</span>
      <code>${conds ? html`<span class="conds">${tested && !tested.matched ? marked(conds, tested.cond) : conds}</span> ` : nothing}<b>${target}</b></code>
      <span class="sign" aria-label=${outcome ? this.w(outcome === "matched" ? "matched" : "not_matched") : ""}>${tested ? (tested.matched ? "✓" : "✗") : ""}</span>
      ${tested && !tested.matched ? html`<p class="met">${this.met(tested)}</p>` : nothing}
      ${here && flight ? this.chip(flight) : nothing}
    </li>`;
  }

  private met(t: Tested): string {
    return t.met ? this.w("met", { met: t.met }) : this.w("does_not_hold");
  }

  /** The packet, small. */
  private chip(f: FlightView): TemplateResult {
    return html`<span class="chip ${f.fate ?? ""}" style=${styleMap({ "--hue": String(hue(f.packet)) })}><span class="id">${f.packet}</span>${f.short || f.proto}</span>`;
  }

  protected override updated(_: PropertyValues): void {
    const now = `${this.player.at}/${this.hook}/${this.func}`;
    if (now === this.#seen) return;
    this.#seen = now;
    // The rule that the packet is at comes into sight, in the box of the chains alone.
    const box = this.querySelector<HTMLElement>(".chains");
    const card = box?.querySelector<HTMLElement>(".chain.here");
    const mark = card?.querySelector<HTMLElement>(".fallen, .verdict") ?? card?.querySelector<HTMLElement>(".tested.here");
    if (!box || !card) return;
    const inner = box.getBoundingClientRect();
    const outer = card.getBoundingClientRect();
    if (outer.right > inner.right || outer.left < inner.left) box.scrollLeft += outer.left - inner.left - 12;
    const row = (mark ?? card).getBoundingClientRect();
    if (row.bottom > inner.bottom - 8 || row.top < inner.top) box.scrollTop += row.top - inner.top - inner.height * 0.4;
  }
}

/** `(policy ACCEPT)`, `(2 references)`: what stands behind the chain's name, without the counters. */
const policy = (chain: ChainView | undefined): string => /\((policy \w+|\d+ references)/.exec(chain?.head ?? "")?.[1] ?? "";

/** A rule as `-S` prints it, in what it asks and what it does. */
export function split(text: string): { conds: string; target: string } {
  const rule = text.replace(/^-A \S+ ?/, "");
  const at = /(?:^| )-[jg] /.exec(rule);
  return at ? { conds: rule.slice(0, at.index), target: rule.slice(at.index).trim() } : { conds: rule, target: "" };
}

/** The condition that failed stands out in the rule. */
function marked(conds: string, cond: string): TemplateResult {
  const at = cond === "" ? -1 : conds.indexOf(cond);
  return at < 0 ? html`${conds}` : html`${conds.slice(0, at)}<mark>${cond}</mark>${conds.slice(at + cond.length)}`;
}

customElements.define("hw-zoom", Zoom);
