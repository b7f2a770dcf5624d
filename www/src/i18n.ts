/// Words in the reader's language: the page's own, and the phrases that facts are worded with.
import enFacts from "../../crates/lab/phrases/en.json";
import zhFacts from "../../crates/lab/phrases/zh.json";
import enPage from "./words/en.json";
import zhPage from "./words/zh.json";
import type { Fact, Text } from "./model.js";

export type Lang = "en" | "zh";
export const LANGS: { id: Lang; name: string; short: string; html: string }[] = [
  { id: "en", name: "English", short: "EN", html: "en" },
  { id: "zh", name: "中文", short: "中", html: "zh-CN" },
];

const words: Record<Lang, Record<string, string>> = { en: enPage, zh: zhPage };
const facts: Record<Lang, Record<string, string>> = { en: enFacts, zh: zhFacts };

/** A word or sentence of the page. */
export function word(lang: Lang, key: keyof typeof enPage, args: Record<string, string | number> = {}): string {
  return fill(words[lang][key] ?? words.en[key] ?? key, Object.entries(args).map(([k, v]) => [k, String(v)]));
}
export type Word = keyof typeof enPage;

/** A fact in words. A key that the language lacks is said in English, one that nobody has as it is. */
export function phrase(lang: Lang, fact: Fact): string {
  return fill(facts[lang][fact.key] ?? facts.en[fact.key] ?? fact.key, fact.args);
}

/** The same in pieces: words, and what was filled in with its name. */
export function pieces(lang: Lang, fact: Fact): { text: string; arg?: string }[] {
  const template = facts[lang][fact.key] ?? facts.en[fact.key] ?? fact.key;
  return template.split(/(\{\w+\})/).map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    const arg = name === undefined ? undefined : fact.args.find(([k]) => k === name);
    return arg ? { text: arg[1], arg: arg[0] } : { text: part };
  });
}

/** A fact in a few words, for lists; the whole phrase where there is no shorter one. */
export function brief(lang: Lang, fact: Fact): string {
  const key = `${fact.key}.short`;
  const text = facts[lang][key] ?? (fact.key in facts[lang] ? undefined : facts.en[key]);
  return text === undefined ? phrase(lang, fact) : fill(text, fact.args);
}

/** The further explanation of a fact, if there is one. */
export function why(lang: Lang, fact: Fact): string {
  const key = `${fact.key}.why`;
  const text = facts[lang][key] ?? facts.en[key];
  return text === undefined ? "" : fill(text, fact.args);
}

function fill(template: string, args: [string, string][]): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => args.find(([k]) => k === name)?.[1] ?? whole);
}

/** The text in the reader's language: exactly it, else the same language of another region, else the lab's own. */
export function pick(lang: Lang, texts: Text[]): string {
  const own = texts.find((t) => t.lang?.split("-")[0] === lang) ?? texts.find((t) => !t.lang) ?? texts[0];
  return own?.text ?? "";
}

/** The same for several paragraphs. */
export function pickAll(lang: Lang, texts: Text[]): string[] {
  const own = texts.filter((t) => t.lang?.split("-")[0] === lang);
  return (own.length > 0 ? own : texts.filter((t) => !t.lang)).map((t) => t.text);
}

export type Phrases = Record<string, string>;

/** The words of answers, fetched when somebody asks. */
export async function whyWords(lang: Lang): Promise<Phrases> {
  const file = lang === "zh" ? import("../../crates/lab/phrases/why.zh.json") : import("../../crates/lab/phrases/why.en.json");
  return { ...facts[lang], ...(await file).default };
}
/** A fact worded from these phrases. */
export function phraseFrom(phrases: Phrases, fact: Fact): string {
  return fill(phrases[fact.key] ?? fact.key, [...fact.args].reverse());
}

/** What the browser asks for. */
export function preferred(): Lang {
  return navigator.languages.some((l) => /^zh\b/i.test(l)) && !/^en\b/i.test(navigator.language) ? "zh" : "en";
}
