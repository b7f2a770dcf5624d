/// Builds `dist-single/hookwalk.html`: the page with everything inside, which opens from disk.
import { createHash } from "node:crypto";
import { defineConfig, mergeConfig, type Plugin } from "vite";
import page from "./vite.config.js";

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Script and style go into the HTML; the policy names them by their hashes, and lets data: addresses be read. */
const single: Plugin = {
  name: "single-file",
  enforce: "post",
  generateBundle(_, bundle) {
    const files = Object.values(bundle);
    const html = files.find((f) => f.type === "asset" && f.fileName === "index.html");
    const script = files.find((f) => f.type === "chunk" && f.isEntry);
    if (html?.type !== "asset" || script?.type !== "chunk") throw new Error("no page was built");
    const style = files.filter((f) => f.type === "asset" && f.fileName.endsWith(".css")).map((f) => (f.type === "asset" ? String(f.source) : "")).join("\n");
    // Nothing is left to be preloaded.
    const code = script.code.replaceAll("__VITE_PRELOAD__", "[]").replace(/<\/script/g, "<\\/script");
    const policy = `default-src 'none'; script-src ${hash(code)} 'wasm-unsafe-eval'; style-src ${hash(style)}; img-src data:; connect-src data:; base-uri 'none'; form-action 'none'`;
    html.fileName = "hookwalk.html";
    html.source = String(html.source)
      .replace(/<script[^>]*type="module"[^>]*><\/script>/g, "")
      .replace(/<link[^>]*rel="(stylesheet|modulepreload|manifest|icon)"[^>]*>/g, "")
      .replace(/(http-equiv="Content-Security-Policy"\s+content=")[^"]*"/, (_all, head: string) => `${head}${policy}"`)
      .replace("</head>", () => `<style>${style}</style></head>`)
      .replace("</body>", () => `<script type="module">${code}</script></body>`);
    for (const name of Object.keys(bundle)) if (bundle[name] !== html) delete bundle[name];
  },
};

export default mergeConfig(
  { ...page, plugins: (page.plugins ?? []).filter((p) => p && "name" in p && p.name !== "story-pages" && p.name !== "offline") },
  defineConfig({
    publicDir: false,
    plugins: [single],
    build: {
      outDir: "dist-single",
      assetsInlineLimit: () => true,
      cssCodeSplit: false,
      modulePreload: false,
      rollupOptions: { output: { inlineDynamicImports: true } },
    },
  }),
);
