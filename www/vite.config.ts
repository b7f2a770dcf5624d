/// Builds the page: static files that work from any folder of any host.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

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
      const entries = names().map((name) => {
        const text = readFileSync(join(labs, name, `${name}.lab`), "utf8");
        const title: Record<string, string> = {};
        for (const match of text.matchAll(/^title(?:\[([\w-]+)\])?[ \t]+(.+)$/gm)) title[match[1] ?? ""] ??= match[2]!.trim();
        return { name, title };
      });
      return `export default ${JSON.stringify(entries)}`;
    },
  };
}

function names(): string[] {
  try {
    return readdirSync(labs, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  } catch {
    return [];
  }
}

export default defineConfig({
  base: "./",
  plugins: [library()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 800 },
  preview: { host: "localhost" },
  server: { fs: { allow: [".."] } },
  // vitest reads this file too.
  ...({ test: { include: ["src/**/*.test.ts"] } } as object),
});
