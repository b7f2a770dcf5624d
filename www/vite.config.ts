/// Builds the page: static files that work from any folder of any host.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { offline } from "./pages/offline.js";
import { storyPages } from "./pages/plugin.js";

const here = dirname(fileURLToPath(import.meta.url));
const labs = join(here, "../labs");

/** The library's list: name and titles of every lab, read from the labs themselves. */
function library(): Plugin {
  const id = "virtual:library";
  return {
    name: "library",
    resolveId: (source) => (source === id ? "\0" + id : undefined),
    load(resolved) {
      if (resolved !== "\0" + id) return undefined;
      const { groups, labs: listed } = index();
      const order = (name: string): number => listed.findIndex((l) => l.name === name) + 1 || listed.length + 1;
      const entries = names().sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1)).map((name) => {
        const text = readFileSync(join(labs, name, `${name}.lab`), "utf8");
        const title: Record<string, string> = {};
        for (const match of text.matchAll(/^title(?:\[([\w-]+)\])?[ \t]+(.+)$/gm)) title[match[1] ?? ""] ??= match[2]!.trim();
        return { name, title, group: listed.find((l) => l.name === name)?.group ?? "" };
      });
      return `export const groups = ${JSON.stringify(groups)};\nexport default ${JSON.stringify(entries)}`;
    },
  };
}

/**
 * The first picture: the run that an address without a lab opens, at its start, worked out while building by the same
 * wasm package, so that the stage is there before the package has arrived in the browser.
 */
function firstPicture(): Plugin {
  const id = "virtual:first";
  return {
    name: "first-picture",
    resolveId: (source) => (source === id ? "\0" + id : undefined),
    async load(resolved) {
      if (resolved !== "\0" + id) return undefined;
      const name = names().find((n) => n.startsWith("redirect")) ?? names()[0];
      if (!name) return "export default null";
      const { initSync, Hookwalk } = await import(pathToFileURL(join(here, "pkg/hookwalk.js")).href);
      initSync({ module: readFileSync(join(here, "pkg/hookwalk_bg.wasm")) });
      const walk = Hookwalk.open(readFileSync(join(labs, name, `${name}.lab`), "utf8"));
      const lab = walk.lab();
      const station = Math.max(0, lab.stations.findIndex((s: { kind: string }) => s.kind === "host"));
      // Where the page starts: see `start` in src/player.ts.
      const at = Math.max(0, (lab.packets[0]?.first ?? 0) - 1);
      const picture = { name, lab, view: walk.view(at, station), tables: walk.tables(at, station), events: walk.events(0, Math.min(lab.len, 48)) };
      return `export default ${JSON.stringify(picture)}`;
    },
  };
}

/** The library's own order and groups, where it has them. */
function index(): { groups: { id: string; title: Record<string, string> }[]; labs: { name: string; group: string }[] } {
  try {
    return JSON.parse(readFileSync(join(labs, "index.json"), "utf8"));
  } catch {
    return { groups: [], labs: [] };
  }
}

function names(): string[] {
  try {
    return readdirSync(labs, { withFileTypes: true })
      // Folders of labs that are tests only hold other folders.
      .filter((entry) => entry.isDirectory() && existsSync(join(labs, entry.name, `${entry.name}.lab`)))
      .map((entry) => entry.name)
      .sort();
  } catch {
    return [];
  }
}

export default defineConfig({
  base: "./",
  plugins: [library(), firstPicture(), storyPages(labs, join(here, "pages/story.css")), offline()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 800 },
  preview: { host: "localhost" },
  server: { fs: { allow: [".."] } },
  // vitest reads this file too.
  ...({ test: { include: ["src/**/*.test.ts"] } } as object),
});
