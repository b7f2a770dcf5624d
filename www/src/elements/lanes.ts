/// A lane a packet: where in the run each one lived, what turned it, and how it ended.
import { html, type TemplateResult } from "lit";
import { styleMap } from "../css.js";
import type { PacketSpan } from "../model.js";
import { hue } from "../piece.js";
import { Rows } from "../rows.js";

/** What is marked on a lane. */
const MARKS: Record<string, string> = { Rewrite: "change", NatSkipped: "skip", Drop: "bad", Lost: "bad", Deliver: "good", Arrive: "good" };
const MARKED = Object.keys(MARKS);
/** Marks on one lane at most: more could not be told apart. */
const MOST = 60;

export class Lanes extends Rows {
  protected override readonly row = 30;

  protected override current(): number {
    const { packet, lab } = this.player;
    return packet ? (lab?.packets.indexOf(packet) ?? -1) : -1;
  }

  protected override render(): TemplateResult {
    const { lab, len, at } = this.player;
    // Drawn only where it can be seen.
    if (!lab || this.offsetParent === null) return html``;
    const count = lab.packets.length;
    return html`
      <header class="head"><h2>${this.w("lanes")}</h2><span class="where">${count}</span></header>
      ${count === 0
        ? html`<p class="empty">${this.w("no_packets")}</p>`
        : this.list(count, this.w("lanes"), (i) => {
            const span = lab.packets[i]!;
            return { hue: hue(span.id), row: this.lane(span, len, at) };
          })}`;
  }

  private lane(span: PacketSpan, len: number, at: number): TemplateResult {
    const { player } = this;
    const here = player.packet?.id === span.id;
    const percent = (n: number): string => `${(100 * n) / Math.max(1, len)}%`;
    const fate = { open: "…", delivered: "✓", sent: "✓", dropped: "✕" }[span.fate];
    const said = this.w(`fate_${span.fate}`);
    const go = (n: number): void => {
      player.pause();
      player.seek(n);
    };
    return html`<div class="lane ${here ? "here" : ""} ${span.fate}">
      <button class="name" title=${span.text} aria-current=${here ? "step" : "false"} @click=${() => go(span.first + 1)}>
        <span class="id">${span.id}</span><span class="label">${span.short || span.text}</span></button>
      <button class="track" tabindex="-1" aria-hidden="true" @click=${(e: MouseEvent) => {
        const box = (e.currentTarget as HTMLElement).getBoundingClientRect();
        go(Math.round((len * (e.clientX - box.left)) / Math.max(1, box.width)));
      }}>
        <span class="life" style=${styleMap({ left: percent(span.first), width: percent(Math.max(span.last - span.first, len / 400)) })}></span>
        ${this.marks(span).map(({ n, tone }) => html`<span class="mark ${tone}" style=${styleMap({ left: percent(n + 1) })}></span>`)}
        <span class="now" style=${styleMap({ left: percent(at) })}></span>
      </button>
      <button class="fate" title=${said} aria-label="${span.id}: ${said}" @click=${() => go(span.last)}>${fate}</button>
    </div>`;
  }

  private marks(span: PacketSpan): { n: number; tone: string }[] {
    const { index } = this.player;
    const found: { n: number; tone: string }[] = [];
    // In a long run lives are long, too; what is beyond this many events has no room on the lane.
    const end = Math.min(span.last, span.first + 4000);
    for (let n = span.first; n < end && found.length < MOST; n++) {
      if (index.packet(n) === span.id && index.is(n, MARKED)) found.push({ n, tone: MARKS[index.kind(n)]! });
    }
    return found;
  }
}

customElements.define("hw-lanes", Lanes);
