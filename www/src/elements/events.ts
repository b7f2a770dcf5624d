/// The event list: every step of the run, as a debugger lists it. Only the rows in sight are drawn.
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { styleMap } from "../css.js";
import { brief, phrase, pick } from "../i18n.js";
import type { EventView } from "../model.js";
import { hue, Piece } from "../piece.js";

const ROW = 26;

export class Events extends Piece {
  static override properties = { ...Piece.properties, top: { state: true }, filter: { state: true } };
  declare top: number;
  declare filter: string;
  #shown = -1;
  #cache: { key: string; rows: number[] } | undefined;

  constructor() {
    super();
    this.top = 0;
    this.filter = "";
  }

  /** The numbers of the events that pass the filter; all of them need no list. */
  private rows(): number[] | undefined {
    const { run, len } = this.player;
    const want = this.filter.trim().toLowerCase();
    if (!run || want === "") return undefined;
    const key = `${want}/${this.language}/${run.lab.text.length}/${len}`;
    if (this.#cache?.key === key) return this.#cache.rows;
    const rows: number[] = [];
    const words = want.split(/\s+/);
    for (let n = 0; n < len; n++) {
      const e = this.player.event(n);
      if (e && words.every((w) => this.text(e).includes(w))) rows.push(n);
    }
    this.#cache = { key, rows };
    return rows;
  }
  private text(e: EventView): string {
    const station = this.player.lab?.stations[e.station]?.name ?? "";
    return `#${e.packet} ${station} ${e.hook ?? ""} ${e.func ?? ""} ${e.kind} ${phrase(this.language, e.fact)}`.toLowerCase();
  }

  protected override render(): TemplateResult {
    const { player } = this;
    const rows = this.rows();
    const count = rows ? rows.length : player.len;
    const box = this.querySelector(".scroll");
    const height = box?.clientHeight || 600;
    const first = Math.max(0, Math.floor(this.top / ROW) - 6);
    const last = Math.min(count, Math.ceil((this.top + height) / ROW) + 6);
    const shown: TemplateResult[] = [];
    for (let i = first; i < last; i++) {
      const e = player.event(rows ? rows[i]! : i);
      if (e) shown.push(this.row(e, i, rows ? player.event(rows[i - 1] ?? -1) : player.event(i - 1)));
    }
    return html`
      <header class="head">
        <h2>${this.w("events")}</h2>
        <input type="search" .value=${this.filter} placeholder=${this.w("filter")} aria-label=${this.w("filter_label")}
          @input=${(e: InputEvent) => (this.filter = (e.target as HTMLInputElement).value)} />
      </header>
      <div class="scroll" tabindex="0" role="group" aria-label=${this.w("events")} @scroll=${this.scrolled}>
        <ol style=${styleMap({ height: `${count * ROW}px` })}>${shown}</ol>
        ${count === 0 ? html`<p class="empty">${this.w("nothing_found")}</p>` : nothing}
      </div>`;
  }

  private row(e: EventView, i: number, before: EventView | undefined): TemplateResult {
    const now = e.n === this.player.at - 1;
    const fresh = e.packet !== before?.packet;
    const name = e.kind === "Hook" || e.kind === "Function" || e.kind === "Receive" || e.kind === "Originate" ? e.kind.toLowerCase() : "detail";
    return html`<li style=${styleMap({ transform: `translateY(${i * ROW}px)`, "--hue": String(hue(e.packet)) })}>
      <button class="event k-${name} ${e.tone} ${e.n >= this.player.at ? "ahead" : ""}" aria-current=${now ? "step" : "false"}
        @click=${() => {
          this.player.pause();
          this.player.seek(e.n + 1);
        }}>
        <span class="id ${fresh ? "" : "same"}">${e.packet || "·"}</span>
        <span class="sign" aria-hidden="true">${this.sign(e)}</span>
        <span class="label">${this.label(e)}</span>
      </button>
    </li>`;
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

  private scrolled(e: Event): void {
    this.top = (e.currentTarget as HTMLElement).scrollTop;
  }

  protected override updated(_: PropertyValues): void {
    // Keep the current event in sight, with some of what comes next.
    if (this.#shown === this.player.at) return;
    this.#shown = this.player.at;
    const box = this.querySelector(".scroll");
    if (!box || box.clientHeight === 0) return;
    const rows = this.rows();
    const i = rows ? rows.findLastIndex((n) => n < this.player.at) : this.player.at - 1;
    const y = i * ROW;
    if (y < box.scrollTop + ROW || y > box.scrollTop + box.clientHeight - 3 * ROW) {
      box.scrollTop = Math.max(0, y - box.clientHeight * 0.4);
    }
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
