/// The sentence under the stage: what happened, and why it did or did not. A live region, so that it is heard too.
import { html, nothing, type TemplateResult } from "lit";
import { pick, pickAll, pieces, why } from "../i18n.js";
import type { Fact, LineView } from "../model.js";
import { Piece } from "../piece.js";

export class Sentence extends Piece {
  /** Answers by line; another lab forgets them. */
  #given = new Map<number, string>();
  #of: string | undefined;

  protected override render(): TemplateResult {
    const { player } = this;
    const { lab, view } = player;
    if (!lab || !view) return html``;
    if (this.#of !== lab.text) {
      this.#of = lab.text;
      this.#given.clear();
    }
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
      ${said ? html`<p class="say ${said.kind}">${pick(this.language, said.text)}</p>` : nothing}
      ${said?.kind === "ask" ? this.question(said) : nothing}
    </div>`;
  }

  /** Predict, then check: the answer is compared literally, but for case and blanks around it. */
  private question(line: LineView): TemplateResult {
    const answer = pick(this.language, line.answers);
    const given = this.#given.get(line.line);
    const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();
    return html`<form class="ask" @submit=${(e: SubmitEvent) => {
        e.preventDefault();
        const value = new FormData(e.target as HTMLFormElement).get("answer");
        if (typeof value !== "string" || value.trim() === "") return;
        this.#given.set(line.line, value);
        this.requestUpdate();
      }}>
      <label>${this.w("your_answer")} <input name="answer" autocomplete="off" .value=${given ?? ""} /></label>
      <button class="tool">${this.w("check")}</button>
      ${given === undefined
        ? nothing
        : line.answers.some((a) => same(a.text, given))
          ? html`<span class="right">✓ ${this.w("right")}</span>`
          : html`<span class="wrong">✕ ${this.w("wrong", { answer })}</span>`}
    </form>`;
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
