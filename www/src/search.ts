/// Finds labs by what people say: words of a symptom in either language, commands, products, hooks and tables.

export interface Findable {
  name: string;
  /** Texts per language. */
  title: Record<string, string>;
  symptoms: Record<string, string[]>;
  words: Record<string, string[]>;
  commands: string[];
  products: string[];
  hooks: string[];
  tables: string[];
}

/** What a word found in a field is worth. */
const WORTH = { symptoms: 6, title: 5, commands: 5, products: 5, words: 4, name: 3, hooks: 2, tables: 2 } as const;

/** Words that say nothing about a symptom. */
const EMPTY = new Set("a an and are as at be but by do does for from has have how i in is it its my of on or that the there this to was what when which why with no not".split(" "));

/** Chinese has no blanks: its runs are taken apart into pairs of neighbours. */
export function tokens(text: string): string[] {
  const found: string[] = [];
  for (const [run] of text.toLowerCase().matchAll(/[a-z0-9_]+|[\u4e00-\u9fff]+/g)) {
    if (/[\u4e00-\u9fff]/.test(run)) {
      if (run.length === 1) found.push(run);
      for (let i = 0; i + 1 < run.length; i++) found.push(run.slice(i, i + 2));
    } else if (!EMPTY.has(run)) {
      found.push(run);
    }
  }
  return found;
}

/** Is it the same word, but for its end? */
function alike(asked: string, word: string): boolean {
  if (asked === word) return true;
  if (asked.length < 3 || word.length < 3 || asked > "\u4e00") return false;
  const stem = (w: string): string => (w.length > 4 ? w.replace(/(ing|ed|es|s)$/, "") : w);
  return word.startsWith(asked) || stem(asked) === stem(word);
}

export class Finder<T extends Findable> {
  #fields: { entry: T; words: Map<string, number> }[];

  constructor(entries: readonly T[]) {
    this.#fields = entries.map((entry) => {
      const words = new Map<string, number>();
      const add = (texts: string[], worth: number): void => {
        for (const token of texts.flatMap(tokens)) words.set(token, Math.max(worth, words.get(token) ?? 0));
      };
      add(Object.values(entry.symptoms).flat(), WORTH.symptoms);
      add(Object.values(entry.title), WORTH.title);
      add(entry.commands, WORTH.commands);
      add(entry.products, WORTH.products);
      add(Object.values(entry.words).flat(), WORTH.words);
      add([entry.name], WORTH.name);
      add(entry.hooks, WORTH.hooks);
      add(entry.tables, WORTH.tables);
      return { entry, words };
    });
  }

  /** The labs that fit, best first. Nothing asked: all, in their order. */
  find(query: string): T[] {
    const asked = [...new Set(tokens(query))];
    if (asked.length === 0) return this.#fields.map((f) => f.entry);
    // A word that stands in few labs says more than one that stands in many.
    const hits = asked.map((a) => this.#fields.map(({ words }) => best(a, words)));
    const weight = hits.map((row) => Math.log(1 + this.#fields.length / Math.max(1, row.filter((h) => h > 0).length)));
    const scored = this.#fields.map(({ entry }, i) => {
      let score = 0;
      let matched = 0;
      hits.forEach((row, k) => {
        score += row[i]! * weight[k]!;
        if (row[i]! > 0) matched++;
      });
      return { entry, score: score * (matched / asked.length), matched, i };
    });
    const found = scored.filter((s) => s.matched > 0);
    const top = Math.max(0, ...found.map((s) => s.score));
    return found
      .filter((s) => s.score >= top * 0.2)
      .sort((a, b) => b.score - a.score || a.i - b.i)
      .map((s) => s.entry);
  }
}

function best(asked: string, words: Map<string, number>): number {
  let worth = words.get(asked) ?? 0;
  if (worth > 0) return worth;
  for (const [word, w] of words) if (alike(asked, word)) worth = Math.max(worth, w * 0.8);
  return worth;
}
