/// The event list: every step of the run, as a debugger lists it, narrowed by what people look for; and the breakpoints.
import { html, nothing, type TemplateResult } from "lit";
import { GROUPS, type Group, type Narrow } from "../events.js";
import { brief, phrase, pick, type Word } from "../i18n.js";
import type { EventView } from "../model.js";
import { hue } from "../piece.js";
import { Rows } from "../rows.js";

/** How many events are searched for words at once; more wait for the next turn of the browser. */
const SEARCH = 2048;
const HOOKS = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];
const FUNCS = ["defrag", "raw", "conntrack", "mangle", "nat", "filter", "security", "confirm"];
const OFFERED: Group[] = ["rule", "conntrack", "nat", "rewrite", "route", "verdict", "drop", "wire", "line"];

export class Events extends Rows {
  static override properties = { ...Rows.properties, filter: { state: true }, narrow: { state: true }, open: { state: true } };
  declare filter: string;
  declare narrow: Narrow;
  /** Which fold of the head is open. */
  declare open: "" | "filters" | "stops";
  protected override readonly row = 26;
  #cache: { key: string; rows: number[]; left: number[] } | undefined;

  constructor() {
    super();
    this.filter = "";
    this.narrow = {};
    this.open = "";
  }

  /** The numbers of the events that pass; all of them need no list. */
  private rows(): number[] | undefined {
    const { run, len, index } = this.player;
    const words = this.filter.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const narrowed = Object.values(this.narrow).some((v) => v !== undefined);
    if (!run || (words.length === 0 && !narrowed)) {
      this.#cache = undefined;
      return undefined;
    }
    const key = JSON.stringify([words, this.narrow, this.language, run.lab.text.length, len]);
    if (this.#cache?.key !== key) {
      const left = index.narrow(this.narrow);
      this.#cache = words.length === 0 ? { key, rows: left, left: [] } : { key, rows: [], left: left.reverse() };
      if (words.length > 0) this.search(this.#cache, words);
    }
    return this.#cache!.rows;
  }
  /** Looks through what is left for words; a long run is looked through piece by piece. */
  private search(cache: { rows: number[]; left: number[] }, words: string[]): void {
    for (let i = 0; i < SEARCH && cache.left.length > 0; i++) {
      const n = cache.left.pop()!;
      const e = this.player.event(n);
      if (e && words.every((w) => this.text(e).includes(w))) cache.rows.push(n);
    }
    if (cache.left.length === 0) return;
    setTimeout(() => {
      if (this.#cache !== cache) return;
      this.search(cache, words);
      this.requestUpdate();
    });
  }
  private text(e: EventView): string {
    const station = this.player.lab?.stations[e.station]?.name ?? "";
    return `#${e.packet} ${station} ${e.hook ?? ""} ${e.func ?? ""} ${e.kind} ${phrase(this.language, e.fact)}`.toLowerCase();
  }

  protected override current(): number {
    const rows = this.rows();
    return rows ? rows.findLastIndex((n) => n < this.player.at) : this.player.at - 1;
  }

  protected override render(): TemplateResult {
    const { player } = this;
    const rows = this.rows();
    const count = rows ? rows.length : player.len;
    const active = Object.values(this.narrow).filter((v) => v !== undefined).length;
    const fold = (name: "filters" | "stops", sign: string, label: Word, n: number): TemplateResult => html`<button class="fold"
      title=${this.w(label)} aria-label="${this.w(label)}${n ? ` (${n})` : ""}" aria-expanded=${this.open === name}
      @click=${() => (this.open = this.open === name ? "" : name)}><span aria-hidden="true">${sign}${n || ""}</span></button>`;
    return html`
      <header class="head">
        <h2>${this.w("events")}</h2>
        <input type="search" .value=${this.filter} placeholder=${this.w("filter")} aria-label=${this.w("filter_label")}
          @input=${(e: InputEvent) => (this.filter = (e.target as HTMLInputElement).value)} />
        ${fold("filters", "▽", "filters", active)} ${fold("stops", "●", "breakpoints", player.breaks.length)}
      </header>
      ${this.open === "filters" ? this.filters() : this.open === "stops" ? this.stops() : nothing}
      ${this.list(count, this.w("events"), (i) => {
        const e = player.event(rows ? rows[i]! : i);
        return e && { hue: hue(e.packet), row: this.item(e, rows ? player.event(rows[i - 1] ?? -1) : player.event(i - 1)) };
      })}
      ${count === 0 ? html`<p class="empty nothing">${this.#cache?.left.length ? this.w("searching") : this.w("nothing_found")}</p>` : nothing}`;
  }

  private filters(): TemplateResult {
    const { lab } = this.player;
    const choice = (label: Word, key: keyof Narrow, options: [string, string][]): TemplateResult => html`<label>${this.w(label)}
      <select @change=${(e: Event) => {
        const value = (e.target as HTMLSelectElement).value;
        const narrow = { ...this.narrow };
        delete narrow[key];
        if (value !== "") Object.assign(narrow, { [key]: key === "packet" || key === "station" ? Number(value) : value });
        this.narrow = narrow;
      }}><option value="">${this.w("all")}</option>
        ${options.map(([value, text]) => html`<option value=${value} ?selected=${String(this.narrow[key] ?? "") === value}>${text}</option>`)}
      </select></label>`;
    return html`<div class="folded filters">
      ${choice("packet", "packet", (lab?.packets ?? []).slice(0, 500).map((p) => [String(p.id), `${p.id} ${p.short}`]))}
      ${choice("host", "station", (lab?.stations ?? []).map((s, i) => [String(i), s.name]))}
      ${choice("hook", "hook", HOOKS.map((h) => [h, h]))}
      ${choice("function", "func", FUNCS.map((f) => [f, f]))}
      ${choice("kind", "group", OFFERED.map((g) => [g, this.w(`group_${g}` as Word)]))}
      <button class="link" @click=${() => {
        this.narrow = {};
        this.filter = "";
      }}>${this.w("clear")}</button>
    </div>`;
  }

  private stops(): TemplateResult {
    const { player } = this;
    const hosts = (player.lab?.stations ?? []).filter((s) => s.kind === "host");
    return html`<div class="folded stops">
      ${player.breaks.length === 0 ? html`<p class="empty">${this.w("no_breakpoints")}</p>` : nothing}
      <ul>${player.breaks.map((b) => html`<li class=${player.stopped === b ? "met" : ""}><code>${b}</code>
        <button class="fold" aria-label=${this.w("remove", { what: b })} title=${this.w("remove", { what: b })} @click=${() => player.toggleBreak(b)}>✕</button></li>`)}</ul>
      <label>${this.w("add_breakpoint")}
        <select @change=${(e: Event) => {
          const select = e.target as HTMLSelectElement;
          if (select.value && !player.breaks.includes(select.value)) player.toggleBreak(select.value);
          select.selectedIndex = 0;
        }}>
          <option value="">…</option>
          <optgroup label=${this.w("kind")}>${(Object.keys(GROUPS) as Group[]).filter((g) => OFFERED.includes(g)).map((g) => html`<option value="kind ${g}">${this.w(`group_${g}` as Word)}</option>`)}</optgroup>
          <optgroup label=${this.w("hook")}>${HOOKS.map((h) => html`<option value="hook ${h}">${h}</option>`)}</optgroup>
          <optgroup label=${this.w("host")}>${hosts.map((s) => html`<option value="host ${s.name}">${s.name}</option>`)}</optgroup>
        </select></label>
    </div>`;
  }

  private item(e: EventView, before: EventView | undefined): TemplateResult {
    const now = e.n === this.player.at - 1;
    const fresh = e.packet !== before?.packet;
    const name = e.kind === "Hook" || e.kind === "Function" || e.kind === "Receive" || e.kind === "Originate" ? e.kind.toLowerCase() : "detail";
    return html`<button class="event k-${name} ${e.tone} ${e.n >= this.player.at ? "ahead" : ""}" aria-current=${now ? "step" : "false"}
        @click=${() => {
          this.player.pause();
          this.player.seek(e.n + 1);
        }}>
        <span class="id ${fresh ? "" : "same"}">${e.packet || "·"}</span>
        <span class="sign" aria-hidden="true">${this.sign(e)}</span>
        <span class="label">${this.label(e)}</span>
      </button>`;
  }

  private label(e: EventView): string {
    const { key } = e.fact;
    if (key !== "line.say" && key !== "line.ask") return brief(this.language, e.fact);
    return pick(this.language, this.player.line(e.n + 1)?.text ?? []);
  }
  private sign(e: EventView): string {
    if (e.fact.key === "line.expect") return this.player.line(e.n + 1)?.failed ? "✕" : "✓";
    if (e.fact.key === "line.say") return "❝";
    if (e.fact.key === "line.ask") return "?";
    return sign(e);
  }
}

function sign(e: EventView): string {
  if (e.tone === "bad") return "✕";
  if (e.tone === "good") return "✓";
  if (e.tone === "skip") return "↷";
  if (e.tone === "change") return "◆";
  if (e.kind === "Hook") return "▸";
  return "";
}

customElements.define("hw-events", Events);
