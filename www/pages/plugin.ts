/// Emits the library as pages that need no script: `lab/NAME.html` and `lab/NAME.zh.html` for each lab with its pictures,
/// `library.html`, `glossary.html`, and `sitemap.xml` where the address of the site is known (HOOKWALK_SITE).
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";
import { LANGS, readStory, type Story } from "./lab.js";
import { card, glossaryHtml, glossaryPage, labPage, libraryHtml, libraryPage, storyPage, type Library } from "./page.js";
import { artist, painter } from "./picture.js";

export function readLibrary(labs: string): Library {
  const json = (name: string) => JSON.parse(readFileSync(join(labs, name), "utf8"));
  const names = readdirSync(labs, { withFileTypes: true })
    .filter((e) => e.isDirectory() && existsSync(join(labs, e.name, `${e.name}.lab`)))
    .map((e) => e.name)
    .sort();
  const stories = new Map<string, Story>(names.map((name) => [name, readStory(labs, name)]));
  return { index: json("index.json"), tour: json("tour.json"), terms: json("glossary.json").terms, stories };
}

/** The lab whose picture stands for the whole site. */
const FACE = "redirect";
/** The picture of the site itself. */
export const PREVIEW = "preview.png";

/** All files, by name. `png` turns a picture into what previews show; without it there are none. */
export async function files(labs: string, base: string, png?: (svg: string) => Uint8Array): Promise<Map<string, string | Uint8Array>> {
  const library = readLibrary(labs);
  const draw = await artist(join(labs, "../www"));
  const out = new Map<string, string | Uint8Array>();
  const pictures = new Map<string, string | Uint8Array>();
  for (const [name, story] of library.stories) {
    const drawn = draw(readFileSync(join(labs, name, `${name}.lab`), "utf8"));
    for (const lang of LANGS) {
      const file = `${name}${lang === "en" ? "" : `.${lang}`}.svg`;
      pictures.set(`lab/${file}`, drawn[lang].svg);
      out.set(labPage(name, lang), storyPage(library, story, library.index.labs.find((l) => l.name === name), lang, base, { file, words: drawn[lang].words }));
    }
    if (!png) continue;
    const painted = png(drawn.plain.svg);
    pictures.set(`lab/${name}.png`, painted);
    if (name === FACE) pictures.set(PREVIEW, painted);
  }
  for (const lang of LANGS) {
    out.set(libraryPage(lang), libraryHtml(library, lang, base));
    out.set(glossaryPage(lang), glossaryHtml(library, lang, base));
  }
  if (base) out.set("sitemap.xml", sitemap(["index.html", ...out.keys()], base));
  for (const [file, picture] of pictures) out.set(file, picture);
  return out;
}

function sitemap(pages: string[], base: string): string {
  const urls = pages.map((page) => `<url><loc>${base}${page === "index.html" ? "" : page}</loc></url>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n${urls.join("\n")}\n</urlset>\n`;
}

/** The site's own address, which canonical links and previews need, with a slash at its end; empty where nobody said. */
export function site(): string {
  const given = process.env["HOOKWALK_SITE"] ?? "";
  return given && given.replace(/\/*$/, "/");
}

export function storyPages(labs: string, css: string): Plugin {
  const base = site();
  let made: Promise<Map<string, string | Uint8Array>> | undefined;
  const all = async (png?: (svg: string) => Uint8Array): Promise<Map<string, string | Uint8Array>> => (await files(labs, base, png)).set("story.css", readFileSync(css, "utf8"));
  const types: Record<string, string> = { html: "text/html; charset=utf-8", svg: "image/svg+xml", css: "text/css", xml: "application/xml" };
  return {
    name: "story-pages",
    transformIndexHtml(html) {
      const about = /name="description"\s+content="([^"]*)"/.exec(html)?.[1] ?? "";
      const own = ["og:type", "website", "og:site_name", "Hookwalk", "og:title", "Hookwalk", "og:description", about];
      const metas: string[] = [];
      for (let i = 0; i < own.length; i += 2) metas.push(`<meta property="${own[i]}" content="${own[i + 1]}">`);
      metas.push(...card(base ? base + PREVIEW : `./${PREVIEW}`));
      if (base) metas.push(`<link rel="canonical" href="${base}">`, `<meta property="og:url" content="${base}">`);
      return html.replace("</title>", `</title>\n    ${metas.join("\n    ")}`);
    },
    async generateBundle() {
      for (const [fileName, source] of await all(await painter())) this.emitFile({ type: "asset", fileName, source });
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = (request.url ?? "").replace(/^\//, "").replace(/[?#].*$/, "");
        if (!/^(lab\/|library|glossary|story\.css)/.test(name)) return next();
        (made ??= all()).then((found) => {
          const source = found.get(name);
          if (source === undefined) return next();
          response.setHeader("Content-Type", types[name.split(".").at(-1) ?? ""] ?? "text/plain");
          response.end(source);
        }, next);
      });
    },
  };
}
