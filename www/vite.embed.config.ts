/// Builds the element: one ES module (`hookwalk.js`) and one classic script (`hookwalk.classic.js`), with the wasm beside
/// them. They find it there, wherever the folder is put.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const at = (file: string): string => fileURLToPath(new URL(`src/embed/${file}`, import.meta.url));

/** The frame's page and its style go out as they are. */
const frame: Plugin = {
  name: "frame",
  generateBundle() {
    for (const file of ["embed.html", "frame.css"]) this.emitFile({ type: "asset", fileName: file, source: readFileSync(at(file)) });
  },
};

const classic = process.env["HOOKWALK_EMBED"] === "classic";

export default defineConfig({
  base: "./",
  publicDir: false,
  plugins: classic ? [] : [frame],
  build: {
    target: "es2022",
    outDir: "dist/embed",
    emptyOutDir: !classic,
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: {
      input: classic ? { hookwalk: at("element.ts") } : { hookwalk: at("element.ts"), frame: at("frame.ts") },
      preserveEntrySignatures: "strict",
      output: {
        format: classic ? "iife" : "es",
        ...(classic ? { name: "Hookwalk", inlineDynamicImports: true } : {}),
        entryFileNames: classic ? "hookwalk.classic.js" : "[name].js",
        chunkFileNames: "hookwalk-[name].js",
        // The name stays the same, so that both scripts share the file; who wants to cache for ever copies the folder.
        assetFileNames: "[name][extname]",
      },
    },
  },
});
