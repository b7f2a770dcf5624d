/// Links the words of a text to the glossary: each term once a page, where it stands first.
import type { Lang, Texts } from "./lab.js";
import { escape } from "./picture.js";

export interface Term {
  id: string;
  term: Texts;
  text: Texts;
  labs: string[];
  kernel?: string;
  see?: string[];
}

/** Words too common to be links. */
const PLAIN = new Set(["match", "target", "rule", "table", "chain", "direction", "timeout"]);

interface Alias {
  id: string;
  pattern: RegExp;
}

export class Linker {
  private aliases: Alias[];
  private done = new Set<string>();

  constructor(
    terms: Term[],
    private lang: Lang,
    /** The address of the glossary page. */
    private page: string,
  ) {
    const words = terms.flatMap((t) => (PLAIN.has(t.id) ? [] : names(t, lang).map((name) => ({ id: t.id, name }))));
    words.sort((a, b) => b.name.length - a.name.length);
    this.aliases = words.map(({ id, name }) => ({ id, pattern: pattern(name, lang) }));
  }

  /** HTML of a text with its `code` and its links. */
  html(text: string): string {
    return text
      .split(/(`[^`]+`)/)
      .map((part) => (part.startsWith("`") && part.length > 2 ? `<code>${escape(part.slice(1, -1))}</code>` : this.linked(part)))
      .join("");
  }

  private linked(text: string): string {
    let best: { id: string; at: number; len: number } | undefined;
    for (const { id, pattern } of this.aliases) {
      if (this.done.has(id)) continue;
      const found = pattern.exec(text);
      if (found && (!best || found.index < best.at)) best = { id, at: found.index, len: found[0].length };
    }
    if (!best) return escape(text);
    this.done.add(best.id);
    const end = best.at + best.len;
    const link = `<a class="term" href="${this.page}#${best.id}" lang="${this.lang}">${escape(text.slice(best.at, end))}</a>`;
    return escape(text.slice(0, best.at)) + link + this.linked(text.slice(end));
  }
}

/** The names of a term: what stands before a bracket and what stands in it. */
function names(term: Term, lang: Lang): string[] {
  return term.term[lang].split(/[()\uff08\uff09]/).map((n) => n.trim()).filter((n) => n.length > 1);
}

function pattern(name: string, lang: Lang): RegExp {
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const ascii = /^[\x20-\x7e]+$/.test(name);
  if (!ascii && lang === "zh") return new RegExp(literal);
  const first = literal[0]!;
  // A sentence may begin with a word that the glossary writes small.
  const start = /[a-z]/.test(first) ? `[${first}${first.toUpperCase()}]${literal.slice(1)}` : literal;
  return new RegExp(`(?<![\\w-])${start}(?![\\w-])`);
}
