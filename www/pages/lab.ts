/// A lab as the story pages need it: texts by language, stations and links, and what is typed, sent, said and printed.
/// The labs are tested elsewhere; this reads files that are known to be right.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const LANGS = ["en", "zh"] as const;
export type Lang = (typeof LANGS)[number];
export type Texts = Record<Lang, string>;

export interface Station {
  name: string;
  kind: "host" | "wire";
  ifaces: { name: string; addrs: string[] }[];
}
export type Item =
  | { kind: "say"; text: Texts }
  | { kind: "ask"; text: Texts; answer: Texts }
  | { kind: "line"; text: string; output: string[]; expected: string[] };

export interface Story {
  name: string;
  title: Texts;
  about: Record<Lang, string[]>;
  stations: Station[];
  links: [string, string][][];
  items: Item[];
  /** Which kernel and tools printed the output. */
  versions: string[];
}

export function readStory(labs: string, name: string): Story {
  const file = (extension: string): string => {
    const path = join(labs, name, `${name}.${extension}`);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  const story = parse(name, file("lab"));
  printed(story, file("kernel"));
  story.versions = (file("versions") || (file("facts").trim().split("\n").at(-1) ?? "")).split(/\n|, /).map((l) => l.trim()).filter(Boolean);
  return story;
}

function parse(name: string, text: string): Story {
  const story: Story = { name, title: { en: name, zh: name }, about: { en: [], zh: [] }, stations: [], links: [], items: [], versions: [] };
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!.trim();
    const said = /^(title|about|say|ask)(?:\[([\w-]+)\])?\s+(.*)$/.exec(line);
    if (said) {
      told(story, said[1]!, said[2] === "zh" ? "zh" : "en", said[3]!);
      continue;
    }
    const [word, ...rest] = line.split(/\s+/);
    if (word === "host" || word === "wire") {
      const ifaces = rest.slice(1).filter((r) => !r.startsWith("gw=")).map((r) => {
        const [iface, addrs] = r.split("=");
        return { name: iface!, addrs: addrs ? addrs.split(",") : [] };
      });
      story.stations.push({ name: rest[0]!, kind: word, ifaces });
    } else if (word === "link") {
      story.links.push(rest.map((r) => r.split(":") as [string, string]));
    } else if (word === "expect") {
      const last = story.items.findLast((item) => item.kind === "line" && /^\w+[#$]/.test(item.text));
      if (last?.kind === "line" && rest[0] !== "!") last.expected.push(rest.join(" "));
    } else if (/^\w+[#$>]/.test(line) || word === "sleep") {
      let whole = line;
      const end = /<<(\w+)$/.exec(line)?.[1];
      if (end) while (++i < lines.length && lines[i] !== end) whole += `\n${lines[i]}`;
      story.items.push({ kind: "line", text: end ? `${whole}\n${end}` : whole, output: [], expected: [] });
    }
  }
  return story;
}

function told(story: Story, word: string, lang: Lang, text: string): void {
  if (word === "title") {
    story.title[lang] = text;
  } else if (word === "about") {
    story.about[lang].push(text);
  } else {
    const cut = word === "ask" ? text.lastIndexOf(" = ") : -1;
    const body = cut < 0 ? text : text.slice(0, cut);
    const answer = cut < 0 ? "" : text.slice(cut + 3);
    const last = story.items.at(-1);
    if (lang === "zh" && last && last.kind !== "line" && last.kind === word) {
      last.text.zh = body;
      if (last.kind === "ask") last.answer.zh = answer;
    } else if (word === "ask") {
      story.items.push({ kind: "ask", text: { en: body, zh: body }, answer: { en: answer, zh: answer } });
    } else {
      story.items.push({ kind: "say", text: { en: body, zh: body } });
    }
  }
}

/** What the kernel printed, put under the commands that printed it. */
function printed(story: Story, transcript: string): void {
  const commands = story.items.filter((item) => item.kind === "line" && /^\w+[#$]/.test(item.text)) as Extract<Item, { kind: "line" }>[];
  let next = 0;
  let current: Extract<Item, { kind: "line" }> | undefined;
  for (const line of transcript.replace(/\n$/, "").split("\n")) {
    const at = commands.findIndex((c, i) => i >= next && c.text.split("\n")[0] === line);
    if (at >= 0) {
      current = commands[at];
      next = at + 1;
    } else {
      current?.output.push(line);
    }
  }
}
