/// Finds the glossary's terms in a text: each once, where it stands first. Also sets `code` between backticks apart.
import type { Lang } from "./i18n.js";

export interface Term {
  id: string;
  term: Record<Lang, string>;
  text: Record<Lang, string>;
  labs: string[];
  /** The kernel's own name. */
  kernel?: string;
  see?: string[];
}

/** A piece of a text: plain, a command, or a term of the glossary. */
export interface Bit {
  text: string;
  code?: true;
  term?: Term;
}

/** Words too common to be links. */
const PLAIN = new Set(["match", "target", "rule", "table", "chain", "direction", "timeout"]);

export class Glossary {
  #aliases: { term: Term; pattern: RegExp }[];

  constructor(terms: readonly Term[], lang: Lang) {
    const words = terms.flatMap((term) => (PLAIN.has(term.id) ? [] : names(term.term[lang]).map((name) => ({ term, name }))));
    // The longest first: "null binding" before "binding".
    words.sort((a, b) => b.name.length - a.name.length);
    this.#aliases = words.map(({ term, name }) => ({ term, pattern: pattern(name) }));
  }

  /** The pieces of a text; terms that are `known` already are left plain, and those found become known. */
  bits(text: string, known = new Set<string>()): Bit[] {
    return text
      .split(/(`[^`]+`)/)
      .filter((part) => part !== "")
      .flatMap((part) => (part.startsWith("`") && part.length > 2 ? [{ text: part.slice(1, -1), code: true as const }] : this.#plain(part, known)));
  }

  #plain(text: string, known: Set<string>): Bit[] {
    let best: { term: Term; at: number; len: number } | undefined;
    for (const { term, pattern } of this.#aliases) {
      if (known.has(term.id)) continue;
      const found = pattern.exec(text);
      if (found && (!best || found.index < best.at)) best = { term, at: found.index, len: found[0].length };
    }
    if (!best) return text ? [{ text }] : [];
    known.add(best.term.id);
    const end = best.at + best.len;
    const before = text.slice(0, best.at);
    return [...(before ? [{ text: before }] : []), { text: text.slice(best.at, end), term: best.term }, ...this.#plain(text.slice(end), known)];
  }
}

/** The names of a term: what stands before a bracket and what stands in it. */
function names(term: string): string[] {
  return term
    .split(/[()\uff08\uff09]/)
    .map((n) => n.trim())
    .filter((n) => n.length > 1);
}

function pattern(name: string): RegExp {
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (!/^[\x20-\x7e]+$/.test(name)) return new RegExp(literal);
  const first = literal[0]!;
  // A sentence may begin with a word that the glossary writes small.
  const start = /[a-z]/.test(first) ? `[${first}${first.toUpperCase()}]${literal.slice(1)}` : literal;
  return new RegExp(`(?<![\\w-])${start}(?![\\w-])`);
}
