/// The sentence under the stage: what happened, and why it did or did not. A live region, so that it is heard too.
import { html, nothing, type TemplateResult } from "lit";
import { Glossary, type Term } from "../glossary.js";
import { pick, pickAll, pieces, why, type Lang } from "../i18n.js";
import type { Fact, LineView } from "../model.js";
import { Piece } from "../piece.js";

export class Sentence extends Piece {
  /** Answers by line; another lab forgets them. */
  #given = new Map<number, string>();
  #of: string | undefined;
  /** The terms of the glossary, once they are here; texts are plain until then. */
  #terms: Term[] | undefined;
  #glossary: { lang: Lang; glossary: Glossary } | undefined;

  protected override firstUpdated(): void {
    void import("../../../labs/glossary.json").then((m) => {
      this.#terms = m.default.terms as unknown as Term[];
      this.requestUpdate();
    });
  }

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
      ${player.stopped ? html`<p class="stopped"><span aria-hidden="true">●</span> ${this.w("stopped_by")} <code>${player.stopped}</code></p>` : nothing}
      ${event
        ? html`<p class="what">${this.words(event.fact)}</p>
            ${printed ? html`<pre tabindex="0" aria-label=${this.w("output")}>${printed}</pre>` : nothing}
            ${more ? html`<p class="why">${more}</p>` : nothing}`
        : nothing}
      ${opening
        ? html`<p class="what title">${pick(this.language, lab.title)}</p>
            ${intro.map((p) => html`<p class="why">${this.told(p)}</p>`)}
            ${intro.length === 0 && !said ? html`<p class="why">${this.w("press_play")}</p>` : nothing}`
        : nothing}
      ${said ? html`<p class="say ${said.kind}">${this.told(choices(pick(this.language, said.text)).question)}</p>` : nothing}
      ${said?.kind === "ask" ? this.question(said) : nothing}
    </div>`;
  }

  /** Predict, then check: the answer is compared literally, but for case and blanks around it. */
  private question(line: LineView): TemplateResult {
    const answer = pick(this.language, line.answers);
    const offered = choices(pick(this.language, line.text)).choices;
    const given = this.#given.get(line.line);
    const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();
    return html`<form class="ask" @submit=${(e: SubmitEvent) => {
        e.preventDefault();
        const value = new FormData(e.target as HTMLFormElement, e.submitter).get("answer");
        if (typeof value !== "string" || value.trim() === "") return;
        // The first answer is the prediction; those after it are practice.
        if (given === undefined) {
          const right = line.answers.some((a) => same(a.text, value));
          this.dispatchEvent(new CustomEvent("predicted", { detail: { line: line.line, right }, bubbles: true }));
        }
        this.#given.set(line.line, value);
        this.requestUpdate();
      }}>
      ${offered.length > 0
        ? html`<span role="group" aria-label=${this.w("your_answer")} class="choices">${offered.map(
            (c) => html`<button class="tool" name="answer" value=${c} aria-pressed=${given !== undefined && same(given, c)}>${c}</button>`,
          )}</span>`
        : html`<label>${this.w("your_answer")} <input name="answer" autocomplete="off" .value=${given ?? ""} /></label>
            <button class="tool">${this.w("check")}</button>`}
      ${given === undefined
        ? nothing
        : line.answers.some((a) => same(a.text, given))
          ? html`<span class="right">✓ ${this.w("right")}</span>`
          : html`<span class="wrong">✕ ${this.w("wrong", { answer })}</span>`}
    </form>`;
  }

  /** A text of the lab: commands set as such, terms linked to the glossary. */
  private told(text: string): TemplateResult[] | string {
    if (!this.#terms) return text.replaceAll("`", "");
    const lang = this.language;
    if (this.#glossary?.lang !== lang) this.#glossary = { lang, glossary: new Glossary(this.#terms, lang) };
    const page = `./glossary${lang === "zh" ? ".zh" : ""}.html`;
    return this.#glossary.glossary.bits(text).map(({ text, code, term }) => {
      if (code) return html`<code>${text}</code>`;
      return term ? html`<a class="term" href="${page}#${term.id}" title=${term.text[lang]}>${text}</a>` : html`${text}`;
    });
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

/** A question that ends in `(one / other)` offers these answers. */
export function choices(text: string): { question: string; choices: string[] } {
  const found = /^(.*?)\s*\(([^()]+ \/ [^()]+)\)$/s.exec(text.trim());
  return found ? { question: found[1]!, choices: found[2]!.split(" / ").map((c) => c.trim()) } : { question: text, choices: [] };
}

customElements.define("hw-sentence", Sentence);
