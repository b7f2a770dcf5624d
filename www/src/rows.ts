/// Long lists of which only the rows in sight are drawn: events, packets, the stream of conntrack.
import { html, type PropertyValues, type TemplateResult } from "lit";
import { styleMap } from "./css.js";
import { Piece } from "./piece.js";

export abstract class Rows extends Piece {
  static override properties = { ...Piece.properties, top: { state: true } };
  declare top: number;
  /** The height of a row in pixels. */
  protected abstract readonly row: number;
  #shown = "";

  constructor() {
    super();
    this.top = 0;
  }

  /** The list: `draw` gives the inside of a row's item. */
  protected list(count: number, label: string, draw: (i: number) => { hue?: number; row: TemplateResult } | undefined): TemplateResult {
    const height = this.querySelector(".scroll")?.clientHeight || 600;
    const first = Math.max(0, Math.floor(this.top / this.row) - 6);
    const last = Math.min(count, Math.ceil((this.top + height) / this.row) + 6);
    const rows: TemplateResult[] = [];
    for (let i = first; i < last; i++) {
      const drawn = draw(i);
      if (!drawn) continue;
      rows.push(html`<li style=${styleMap({ transform: `translateY(${i * this.row}px)`, "--hue": String(drawn.hue ?? 0) })}>${drawn.row}</li>`);
    }
    return html`<div class="scroll" tabindex="0" role="group" aria-label=${label} @scroll=${(e: Event) => (this.top = (e.currentTarget as HTMLElement).scrollTop)}>
      <ol style=${styleMap({ height: `${count * this.row}px` })}>${rows}</ol>
    </div>`;
  }

  /** The row that belongs to the position, to be kept in sight; −1 if there is none. */
  protected abstract current(): number;

  protected override updated(_: PropertyValues): void {
    const now = `${this.player.at}/${this.player.station}/${this.player.lab?.text.length}`;
    if (this.#shown === now) return;
    const box = this.querySelector(".scroll");
    if (!box || box.clientHeight === 0) return;
    this.#shown = now;
    const i = this.current();
    if (i < 0) return;
    const y = i * this.row;
    // Some of what comes next stays in sight, too.
    if (y < box.scrollTop + this.row || y > box.scrollTop + box.clientHeight - 3 * this.row) {
      box.scrollTop = Math.max(0, y - box.clientHeight * 0.4);
    }
  }
}
