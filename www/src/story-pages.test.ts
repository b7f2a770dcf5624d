/// The pages that need no script: every lab in both languages, every link leads somewhere.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { files, readLibrary } from "../pages/plugin.js";

const labs = join(import.meta.dirname, "../../labs");
const all = await files(labs, "");
const library = readLibrary(labs);
/** A page as it goes out. */
const text = (file: string): string => String(all.get(file));

test("every lab has a page in each language, with title, description and picture", () => {
  expect(library.stories.size).toBeGreaterThan(28);
  for (const [name, story] of library.stories) {
    for (const [file, title] of [[`lab/${name}.html`, story.title.en], [`lab/${name}.zh.html`, story.title.zh]] as const) {
      const page = text(file);
      expect(page, file).toContain(`<title>${title.replace(/&/g, "&amp;").replace(/"/g, "&quot;")} · Hookwalk</title>`);
      expect(page, file).toMatch(/<meta name="description" content="[^"]{20,}">/);
      expect(page, file).toContain(`og:image" content="../lab/${name}.png"`);
      expect(page, file).not.toContain("<script");
    }
  }
});

test("what the kernel printed stands under its commands, and the lines that a story names are marked", () => {
  for (const [name, story] of library.stories) {
    const marked = story.items.filter((i) => i.kind === "line" && i.expected.length > 0);
    expect(marked.length, name).toBeGreaterThan(0);
    for (const item of marked) if (item.kind === "line") expect(item.output.length, `${name}: ${item.text}`).toBeGreaterThan(0);
    expect(text(`lab/${name}.html`), name).toContain("<mark>");
  }
});

describe("links", () => {
  const pages = [...all.keys()].filter((file) => file.endsWith(".html"));
  test.each(pages)("%s", (file) => {
    for (const [, href] of text(file).matchAll(/(?:href|src)="([^"]+)"/g)) {
      if (/^https:/.test(href!)) continue;
      const url = new URL(href!, `https://x/${file}`);
      const to = url.pathname.slice(1);
      if (["index.html", "icon.svg", "story.css"].includes(to)) continue;
      expect(all.has(to), `${file} -> ${href}`).toBe(true);
      if (url.hash && to.startsWith("glossary")) expect(text(to)).toContain(`id="${url.hash.slice(1)}"`);
    }
  });
});

test("with the site's address, pages name themselves", async () => {
  const site = await files(labs, "https://example.org/hookwalk/");
  expect(site.get("lab/redirect.html")).toContain('<link rel="canonical" href="https://example.org/hookwalk/lab/redirect.html">');
  expect(site.get("sitemap.xml")).toContain("<loc>https://example.org/hookwalk/lab/redirect.zh.html</loc>");
});
