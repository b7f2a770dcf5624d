/// Emits the library as pages that need no script: `lab/NAME.html` and `lab/NAME.zh.html` for each lab with its picture,
/// `library.html`, `glossary.html`, and `sitemap.txt` where the address of the site is known (HOOKWALK_SITE).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";
import { LANGS, readStory, type Story } from "./lab.js";
import { glossaryHtml, glossaryPage, labPage, libraryHtml, libraryPage, storyPage, type Library } from "./page.js";
import { picture } from "./picture.js";

export function readLibrary(labs: string): Library {
  const json = (name: string) => JSON.parse(readFileSync(join(labs, name), "utf8"));
  const names = readdirSync(labs, { withFileTypes: true })
    .filter((e) => e.isDirectory() && existsSync(join(labs, e.name, `${e.name}.lab`)))
    .map((e) => e.name)
    .sort();
  const stories = new Map<string, Story>(names.map((name) => [name, readStory(labs, name)]));
  return { index: json("index.json"), tour: json("tour.json"), terms: json("glossary.json").terms, stories };
}

/** All files, by name. */
export function files(labs: string, base: string): Map<string, string> {
  const library = readLibrary(labs);
  const out = new Map<string, string>();
  for (const lang of LANGS) {
    for (const [name, story] of library.stories) {
      out.set(labPage(name, lang), storyPage(library, story, library.index.labs.find((l) => l.name === name), lang, base));
    }
    out.set(libraryPage(lang), libraryHtml(library, lang, base));
    out.set(glossaryPage(lang), glossaryHtml(library, lang, base));
  }
  if (base) out.set("sitemap.txt", `${[`${base}index.html`, ...[...out.keys()].map((f) => base + f)].join("\n")}\n`);
  for (const [name, story] of library.stories) out.set(`lab/${name}.svg`, picture(story, story.title.en));
  return out;
}

export function storyPages(labs: string, css: string): Plugin {
  const base = (process.env["HOOKWALK_SITE"] ?? "").replace(/\/*$/, (end) => (end || process.env["HOOKWALK_SITE"] ? "/" : ""));
  const all = (): Map<string, string> => files(labs, base).set("story.css", readFileSync(css, "utf8"));
  const types: Record<string, string> = { html: "text/html; charset=utf-8", svg: "image/svg+xml", css: "text/css", txt: "text/plain" };
  return {
    name: "story-pages",
    generateBundle() {
      for (const [fileName, source] of all()) this.emitFile({ type: "asset", fileName, source });
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = (request.url ?? "").replace(/^\//, "").replace(/[?#].*$/, "");
        const source = /^(lab\/|library|glossary|story\.css)/.test(name) ? all().get(name) : undefined;
        if (source === undefined) return next();
        response.setHeader("Content-Type", types[name.split(".").at(-1) ?? ""] ?? "text/plain");
        response.end(source);
      });
    },
  };
}
