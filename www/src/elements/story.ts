/// A lab as a story: from one word of its author to the next, in large letters, with everything else out of the way; and
/// the way back to where the reader was the last time.
import { html, nothing, type TemplateResult } from "lit";
import library from "virtual:library";
import { progress } from "../keep.js";
import { Piece } from "../piece.js";

export class Story extends Piece {
  static override properties = { ...Piece.properties, on: { attribute: false } };
  /** Is the story being told? */
  declare on: boolean;

  /** Where the story stops: before its first word, at each word, at the end. */
  private get stops(): number[] {
    const { start, stops, len } = this.player;
    return [...new Set([start, ...stops, len])].sort((a, b) => a - b);
  }

  protected override render(): TemplateResult {
    const { player, stops } = this;
    if (stops.length < 3) return html``;
    if (!this.on) return html`<button class="tool tell" @click=${() => this.tell(true)}>${this.w("story")}</button>`;
    const here = stops.findLastIndex((s) => s <= player.at);
    const answered = player.line(player.at)?.kind === "ask";
    return html`<nav class="telling" aria-label=${this.w("story_nav")}>
      <button class="tool" ?disabled=${player.at <= (stops[0] ?? 0)} @click=${() => this.back()}>${this.w("story_back")}</button>
      <span class="num" aria-live="polite">${Math.max(1, here + 1)} / ${stops.length}</span>
      <button class="tool main" ?disabled=${player.at >= player.len} @click=${() => this.next()}>${this.w(player.playing ? "story_skip" : answered ? "story_see" : "story_next")}</button>
      <button class="tool" @click=${() => this.tell(false)}>${this.w("story_leave")}</button>
    </nav>`;
  }

  private tell(on: boolean): void {
    this.dispatchEvent(new CustomEvent("tell", { detail: on }));
    const { player } = this;
    if (on) player.seek(player.at >= player.len ? player.start : player.at);
    else player.pause();
  }
  /** On to the next word: seen happening, unless motion is not wanted or the reader presses once more. */
  private next(): void {
    const { player } = this;
    const to = this.stops.find((s) => s > player.at) ?? player.len;
    if (player.playing || matchMedia("(prefers-reduced-motion: reduce)").matches) {
      player.pause();
      player.seek(to);
    } else player.play();
  }
  private back(): void {
    const { player } = this;
    player.pause();
    player.seek(this.stops.findLast((s) => s < player.at) ?? player.start);
  }
}
customElements.define("hw-story", Story);

/** “Go on where you were”: shown to who comes back without an address that says where to. */
export class Resume extends Piece {
  static override properties = { ...Piece.properties, gone: { state: true }, lab: { attribute: false } };
  /** The lab that is open. */
  declare lab: string;
  declare gone: boolean;
  #last: { name: string; title: Record<string, string>; at: number } | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    if (location.hash.length > 1) return;
    const { last, labs } = progress();
    const entry = library.find((l) => l.name === last);
    const visit = last === undefined ? undefined : labs[last];
    if (entry && visit && visit.at > 0) this.#last = { name: entry.name, title: entry.title, at: visit.at };
  }
  protected override render(): TemplateResult | typeof nothing {
    const last = this.#last;
    if (!last || this.gone || this.player.at > this.player.start) return nothing;
    const title = last.title[this.language] ?? last.title[""] ?? last.name;
    const page = location.pathname.split("/").at(-1) || "./";
    return html`<section class="resume" aria-label=${this.w("resume_label")}><p>${this.w("resume", { title, n: last.at })}</p>
      <a class="tool main" href="${page}#lab=${last.name}&at=${last.at}" @click=${() => (this.gone = true)}>${this.w("resume_go")}</a>
      <button class="tool" aria-label=${this.w("close")} title=${this.w("close")} @click=${() => (this.gone = true)}>×</button></section>`;
  }
}
customElements.define("hw-resume", Resume);
