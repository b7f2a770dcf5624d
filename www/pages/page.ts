/// HTML of the story pages. They need no script: a search engine, a reader without WebAssembly and a printer get the whole
/// story, with what a kernel printed.
import { LANGS, type Item, type Lang, type Story, type Texts } from "./lab.js";
import { Linker, type Term } from "./glossary.js";
import { escape } from "./escape.js";

export interface Entry {
  name: string;
  group: string;
  symptoms: Record<Lang, string[]>;
  words: Record<Lang, string[]>;
  commands: string[];
  products: string[];
  hooks: string[];
  tables: string[];
  asked: string[];
  kernel_note?: Texts;
}
export interface Index {
  groups: { id: string; title: Texts }[];
  labs: Entry[];
}
export interface Tour {
  title: Texts;
  about: Texts;
  answer: Texts & { question: Texts };
  stops: { lab: string; topic: Texts; before: Texts; after: Texts }[];
}
/** The picture of a lab: its file beside the page, and what it shows. */
export interface Figure {
  file: string;
  words: string;
}
export interface Library {
  index: Index;
  tour: Tour;
  terms: Term[];
  stories: Map<string, Story>;
}

const UI = {
  en: {
    html: "en", other: "中文", play: "Step through it in the simulator", play_from: "Open the simulator", library: "All puzzles", glossary: "Glossary", symptoms: "You may have come here by",
    commands: "Commands", products: "Seen with", asked: "Asked at", recorded: "The output under each command is what a real kernel printed", answer: "Answer",
    output: "Whole output, {n} lines", packets: "The lines with > are packets that are sent; # are commands of root, $ of a user.", tour: "A tour", libraryTitle: "Puzzles of netfilter, conntrack and NAT, each proven on a kernel",
    libraryAbout: "What people really ask about iptables, conntrack and NAT. Each answer is a small network that you can step through, and each was run on a Linux kernel.",
    glossaryAbout: "The words of netfilter and connection tracking, each with the lab that shows it.", shown: "Shown in", see: "See also", kernel: "In the kernel",
  },
  zh: {
    html: "zh-Hans", other: "English", play: "在模拟器里一步步走", play_from: "打开模拟器", library: "全部谜题", glossary: "术语表", symptoms: "你可能是为这些而来",
    commands: "相关命令", products: "常见于", asked: "在这些地方被问过", recorded: "每条命令下面的输出，都是真实内核打印的", answer: "答案",
    output: "完整输出，共 {n} 行", packets: "带 > 的行是发出的数据包；# 是 root 的命令，$ 是普通用户的命令。", tour: "导览", libraryTitle: "netfilter、连接跟踪与 NAT 的谜题，逐个在内核上验证",
    libraryAbout: "人们关于 iptables、连接跟踪和 NAT 真正问过的问题。每个答案都是一个可以一步步走的小网络，并且都在 Linux 内核上跑过。",
    glossaryAbout: "netfilter 与连接跟踪的术语，每条都附上能看到它的实验。", shown: "见实验", see: "参见", kernel: "内核里",
  },
} as const;

const suffix = (lang: Lang): string => (lang === "en" ? "" : `.${lang}`);
export const labPage = (name: string, lang: Lang): string => `lab/${name}${suffix(lang)}.html`;
export const libraryPage = (lang: Lang): string => `library${suffix(lang)}.html`;
export const glossaryPage = (lang: Lang): string => `glossary${suffix(lang)}.html`;

interface Frame {
  lang: Lang;
  /** Of the same page, per language. */
  file: (lang: Lang) => string;
  title: string;
  description: string;
  picture?: string;
  body: string;
  /** Absolute address of the site, where it is known. */
  base: string;
}

/** What shows a preview of the address reads these. */
export const card = (picture: string): string[] => [
  `<meta property="og:image" content="${escape(picture)}">`,
  `<meta property="og:image:width" content="1200">`,
  `<meta property="og:image:height" content="630">`,
  `<meta name="twitter:card" content="summary_large_image">`,
];

function frame({ lang, file, title, description, picture, body, base }: Frame): string {
  const here = file(lang);
  const up = here.includes("/") ? "../" : "./";
  const other = lang === "en" ? "zh" : "en";
  const link = (l: Lang): string => (base ? base + file(l) : up + file(l));
  const short = [...description].length > 200 ? `${[...description].slice(0, 199).join("")}…` : description;
  const head = [
    `<meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'">`,
    `<meta name="color-scheme" content="light dark">`,
    `<meta name="referrer" content="no-referrer">`,
    `<title>${escape(title)} · Hookwalk</title>`,
    `<meta name="description" content="${escape(short)}">`,
    `<meta property="og:type" content="article">`,
    `<meta property="og:site_name" content="Hookwalk">`,
    `<meta property="og:title" content="${escape(title)}">`,
    `<meta property="og:description" content="${escape(short)}">`,
    `<meta property="og:locale" content="${lang === "en" ? "en_US" : "zh_CN"}">`,
    ...(picture ? card(base ? base + picture : up + picture) : []),
    ...(base ? [`<link rel="canonical" href="${escape(base + here)}">`, `<meta property="og:url" content="${escape(base + here)}">`] : []),
    ...LANGS.map((l) => `<link rel="alternate" hreflang="${UI[l].html}" href="${escape(link(l))}">`),
    `<link rel="icon" href="${up}icon.svg" type="image/svg+xml">`,
    `<link rel="stylesheet" href="${up}story.css">`,
  ];
  const nav = `<nav><a class="home" href="${up}index.html">Hookwalk</a><a href="${up}${libraryPage(lang)}">${UI[lang].library}</a><a href="${up}${glossaryPage(lang)}">${UI[lang].glossary}</a><a class="lang" lang="${UI[other].html}" hreflang="${UI[other].html}" href="${up}${file(other)}">${UI[lang].other}</a></nav>`;
  return `<!doctype html>\n<html lang="${UI[lang].html}">\n<head>\n${head.join("\n")}\n</head>\n<body>\n<header>${nav}</header>\n<main>\n${body}\n</main>\n</body>\n</html>\n`;
}

export function storyPage(library: Library, story: Story, entry: Entry | undefined, lang: Lang, base: string, figure: Figure): string {
  const ui = UI[lang];
  const linker = new Linker(library.terms, lang, `../${glossaryPage(lang)}`);
  const play = `<p class="play"><a href="../index.html#lab=${story.name}&amp;lang=${lang}">${ui.play} →</a></p>`;
  const intro = story.about[lang].map((p) => `<p class="about">${linker.html(p)}</p>`).join("\n");
  const symptoms = entry ? `<section class="aside"><h2>${ui.symptoms}</h2><ul>${entry.symptoms[lang].map((s) => `<li>${escape(s)}</li>`).join("")}</ul></section>` : "";
  const note = entry?.kernel_note ? `<p class="note">${escape(entry.kernel_note[lang])}</p>` : "";
  const facts = entry
    ? `<dl>${row(ui.commands, entry.commands.map((c) => `<code>${escape(c)}</code>`))}${row(ui.products, entry.products.map(escape))}${row(ui.asked, entry.asked.map(source))}</dl>`
    : "";
  const versions = story.versions.length ? `<p class="note">${ui.recorded} (${escape(story.versions.slice(0, 3).join(", "))})</p>` : "";
  const body = `<article>
<h1>${escape(story.title[lang])}</h1>
${intro}
${play}
<figure><img src="${figure.file}" alt="${escape(figure.words)}" width="960"></figure>
${symptoms}
<p class="note">${ui.packets}</p>
${items(story.items, lang, linker)}
${play}
${note}${versions}
${facts}
</article>`;
  return frame({
    lang, base, body, title: story.title[lang], description: story.about[lang].join(" ").replace(/`/g, ""),
    file: (l) => labPage(story.name, l), picture: `lab/${story.name}.png`,
  });
}

function dd(name: string, values: string[]): string {
  return values.length ? `<p class="note"><b>${name}</b> ${values.join(" · ")}</p>` : "";
}

function row(name: string, values: string[]): string {
  return values.length ? `<dt>${name}</dt><dd>${values.join(" · ")}</dd>` : "";
}

/** Where a question was asked: a link where it is an address. */
function source(text: string): string {
  return /^[\w.-]+\.[a-z]{2,}(\/|$)/.test(text) ? `<a href="https://${escape(text)}" rel="nofollow">${escape(text)}</a>` : escape(text);
}

function items(all: Item[], lang: Lang, linker: Linker): string {
  const out: string[] = [];
  let lines: string[] = [];
  const flush = (): void => {
    if (lines.length) out.push(`<pre tabindex="0">${lines.join("\n")}</pre>`);
    lines = [];
  };
  for (const item of all) {
    if (item.kind === "line") {
      const [typed, ...input] = item.text.split("\n");
      lines.push(`<kbd>${escape(typed!)}</kbd>`, ...input.map(escape));
      if (item.output.length) {
        const shown = output(item, lang);
        if (shown.long) {
          lines.push(...shown.brief);
          flush();
          out.push(shown.long);
        } else {
          lines.push(...shown.brief);
        }
      }
      continue;
    }
    flush();
    if (item.kind === "say") out.push(`<p>${linker.html(item.text[lang])}</p>`);
    else out.push(`<details class="ask"><summary>${linker.html(item.text[lang])}</summary><p>${UI[lang].answer}${lang === "zh" ? "\uff1a" : ": "}<b>${escape(item.answer[lang])}</b></p></details>`);
  }
  flush();
  return out.join("\n");
}

/** Output of a command: of a long one the lines that the story names, and the whole of it to unfold. */
function output(item: Extract<Item, { kind: "line" }>, lang: Lang): { brief: string[]; long?: string } {
  const squeeze = (s: string): string => s.trim().replace(/\s+/g, " ");
  const named = new Set(item.expected.map(squeeze));
  const line = (l: string): string => (named.has(squeeze(l)) ? `<mark>${escape(l)}</mark>` : `<samp>${escape(l)}</samp>`);
  if (item.output.length <= 12) return { brief: item.output.map(line) };
  const brief = item.output.filter((l) => named.has(squeeze(l))).map(line);
  const whole = item.output.map(line).join("\n");
  return { brief, long: `<details class="output"><summary>${UI[lang].output.replace("{n}", String(item.output.length))}</summary><pre tabindex="0">${whole}</pre></details>` };
}

export function libraryHtml(library: Library, lang: Lang, base: string): string {
  const ui = UI[lang];
  const { index, tour, stories } = library;
  const stops = tour.stops.map((s) => {
    const title = stories.get(s.lab)?.title[lang] ?? s.lab;
    return `<li><h3><a href="${labPage(s.lab, lang)}">${escape(s.topic[lang])}</a></h3><p>${escape(s.before[lang])}</p><p class="note">${escape(title)}</p></li>`;
  });
  const groups = index.groups.map((g) => {
    const labs = index.labs.filter((l) => l.group === g.id && stories.has(l.name)).map((l) => {
      const story = stories.get(l.name)!;
      const facts = [...l.products, ...l.hooks, ...l.tables].map((w) => `<span>${escape(w)}</span>`).join(" ");
      return `<li><h3><a href="${labPage(l.name, lang)}">${escape(story.title[lang])}</a></h3><ul class="symptoms">${l.symptoms[lang].map((s) => `<li>${escape(s)}</li>`).join("")}</ul><p class="tags">${facts}</p></li>`;
    });
    return `<section><h2 id="${g.id}">${escape(g.title[lang])}</h2><ul class="labs">${labs.join("\n")}</ul></section>`;
  });
  const body = `<h1>${ui.libraryTitle}</h1><p class="about">${ui.libraryAbout}</p><p class="play"><a href="./index.html">${ui.play_from} →</a></p>
<section><h2 id="tour">${escape(tour.title[lang])}</h2><p>${escape(tour.about[lang])}</p><ol class="labs">${stops.join("\n")}</ol>
<details class="ask"><summary>${escape(tour.answer.question[lang])}</summary><p>${escape(tour.answer[lang])}</p></details></section>
${groups.join("\n")}`;
  return frame({ lang, base, body, title: ui.libraryTitle, description: ui.libraryAbout, file: libraryPage });
}

export function glossaryHtml(library: Library, lang: Lang, base: string): string {
  const ui = UI[lang];
  const name = new Map(library.terms.map((t) => [t.id, t.term[lang]]));
  const terms = library.terms.map((t) => {
    const labs = t.labs.filter((l) => library.stories.has(l)).map((l) => `<a href="${labPage(l, lang)}">${escape(library.stories.get(l)!.title[lang])}</a>`);
    const see = (t.see ?? []).map((id) => `<a href="#${id}">${escape(name.get(id) ?? id)}</a>`);
    const other = lang === "zh" ? ` <span lang="en">${escape(t.term.en)}</span>` : ` <span lang="zh-Hans">${escape(t.term.zh)}</span>`;
    const also = t.term.en === t.term.zh ? "" : other;
    return `<dt id="${t.id}">${escape(t.term[lang])}${also}</dt><dd><p>${escape(t.text[lang])}</p>${dd(ui.shown, labs)}${dd(ui.see, see)}${dd(ui.kernel, t.kernel ? [`<code>${escape(t.kernel)}</code>`] : [])}</dd>`;
  });
  const body = `<h1>${ui.glossary}</h1><p class="about">${ui.glossaryAbout}</p><dl class="glossary">${terms.join("\n")}</dl>`;
  return frame({ lang, base, body, title: ui.glossary, description: ui.glossaryAbout, file: glossaryPage });
}
