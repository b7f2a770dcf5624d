// Weighs www/dist: one line a kind with its name, raw bytes, compressed bytes. What is loaded later is not counted.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
const html = readFileSync(new URL("index.html", dist), "utf8");
const kinds = { wasm: /\.wasm$/, script: /\.js$/, style: /\.css$/ };
for (const [kind, pattern] of Object.entries(kinds)) {
  let raw = 0;
  let packed = 0;
  for (const name of readdirSync(new URL("assets/", dist))) {
    // First load: what the page itself names, and the wasm that its script fetches.
    if (!pattern.test(name) || (kind !== "wasm" && !html.includes(name))) continue;
    const bytes = readFileSync(new URL(`assets/${name}`, dist));
    raw += bytes.length;
    packed += gzipSync(bytes, { level: 9 }).length;
  }
  console.log(kind, raw, packed);
}
