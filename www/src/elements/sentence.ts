/// The sentence under the stage: what happened, and why it did or did not. A live region, so that it is heard too.
import { html, nothing, type TemplateResult } from "lit";
import { pick, pickAll, pieces, why } from "../i18n.js";
import type { Fact } from "../model.js";
import { Piece } from "../piece.js";

export class Sentence extends Piece {
  protected override render(): TemplateResult {
    const { player } = this;
    const { lab, view } = player;
    if (!lab || !view) return html``;
    const line = player.line(player.at);
    const said = line?.kind === "say" || line?.kind === "ask" ? line : undefined;
    const opening = player.at === player.start || player.at === 0;
    const event = opening || said ? undefined : view.event;
    const more = event ? why(this.language, event.fact) : "";
    const printed = event?.kind === "Line" ? line?.output : undefined;
    const intro = opening ? pickAll(this.language, lab.about) : [];
    return html`<div class="sentence ${event?.tone ?? ""}" aria-live="polite" aria-atomic="true">
      ${event
        ? html`<p class="what">${this.words(event.fact)}</p>
            ${printed ? html`<pre tabindex="0" aria-label=${this.w("output")}>${printed}</pre>` : nothing}
            ${more ? html`<p class="why">${more}</p>` : nothing}`
        : nothing}
      ${opening
        ? html`<p class="what title">${pick(this.language, lab.title)}</p>
            ${intro.map((p) => html`<p class="why">${p}</p>`)}
            ${intro.length === 0 && !said ? html`<p class="why">${this.w("press_play")}</p>` : nothing}`
        : nothing}
      ${said ? html`<p class="say">${pick(this.language, said.text)}</p>` : nothing}
    </div>`;
  }

  /** The phrase, with rules and commands set as a terminal would, broken only between words. */
  private words(fact: Fact): TemplateResult[] {
    const typed = (text: string): TemplateResult => html`<code>${text.split(" ").map((w, i) => html`${i ? " " : ""}<span>${w}</span>`)}</code>`;
    return pieces(this.language, fact).map((p) => {
      if (p.arg === "rule" || p.arg === "cond" || (p.arg === "text" && /^line\.(command|packet|expect)/.test(fact.key))) return typed(p.text);
      return html`${p.text}`;
    });
  }
}

customElements.define("hw-sentence", Sentence);
