/// The service worker: after one visit the page works without a network.
import { createHash } from "node:crypto";
import type { Plugin } from "vite";

/** Files that the page is made of; the pages of single stories are kept when they are visited. */
const wanted = (name: string): boolean => name === "index.html" || /^assets\//.test(name);

export function offline(): Plugin {
  return {
    name: "offline",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const files = Object.values(bundle).filter((f) => wanted(f.fileName)).sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
      const hash = createHash("sha256");
      for (const f of files) hash.update(f.fileName).update(f.type === "chunk" ? f.code : f.source);
      const list = ["./", "./icon.svg", "./manifest.webmanifest", ...files.map((f) => `./${f.fileName}`)];
      this.emitFile({ type: "asset", fileName: "sw.js", source: worker(hash.digest("hex").slice(0, 16), list) });
    },
  };
}

/**
 * A new version is fetched whole before it takes over, and takes over when no page of the old one is open, so that no
 * page ever mixes two. While there is a network, a page that is opened comes from it.
 */
function worker(version: string, files: string[]): string {
  return `const CACHE = "hookwalk-${version}";
const FILES = ${JSON.stringify(files)};
addEventListener("install", (e) => e.waitUntil(caches.open(CACHE).then((c) => c.addAll(FILES))));
addEventListener("activate", (e) => e.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("hookwalk-") && name !== CACHE) await caches.delete(name);
  await clients.claim();
})()));
// Servers that vary by origin would keep a match from being one.
const kept = (request) => caches.match(request, { ignoreVary: true, ignoreSearch: true });
addEventListener("fetch", (e) => {
  const { request } = e;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  e.respondWith(request.mode === "navigate" ? opened(request) : kept(request).then((r) => r ?? fetch(request)));
});
async function opened(request) {
  try {
    const answer = await fetch(request);
    if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone());
    return answer;
  } catch (e) {
    const r = (await kept(request)) ?? (await kept("./"));
    if (r) return r;
    throw e;
  }
}
`;
}
