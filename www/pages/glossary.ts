/// Links the words of a page to the glossary: each term once a page, where it stands first.
import { Glossary, type Term } from "../src/glossary.js";
import type { Lang } from "./lab.js";
import { escape } from "./escape.js";

export type { Term };

export class Linker {
  #glossary: Glossary;
  #known = new Set<string>();

  constructor(
    terms: Term[],
    lang: Lang,
    /** The address of the glossary page. */
    private page: string,
  ) {
    this.#glossary = new Glossary(terms, lang);
  }

  /** HTML of a text with its `code` and its links. */
  html(text: string): string {
    const bits = this.#glossary.bits(text, this.#known).map(({ text, code, term }) => {
      if (code) return `<code>${escape(text)}</code>`;
      return term ? `<a class="term" href="${this.page}#${term.id}">${escape(text)}</a>` : escape(text);
    });
    return bits.join("");
  }
}
