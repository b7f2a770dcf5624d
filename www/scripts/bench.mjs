// `node bench.mjs node|chromium PACKAGE ONLY quick|whole`: prints what bench-laps.mjs measured, as JSON.
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [place, folder, only, how] = process.argv.slice(2);
const www = fileURLToPath(new URL("..", import.meta.url));
const files = {
  "/bench.js": join(folder, "bench.js"),
  "/bench_bg.wasm": join(folder, "bench_bg.wasm"),
  "/page.js": join(www, "pkg/hookwalk.js"),
  "/page_bg.wasm": join(www, "pkg/hookwalk_bg.wasm"),
  "/first.lab": join(www, "../labs/redirect/redirect.lab"),
  "/laps.mjs": fileURLToPath(new URL("bench-laps.mjs", import.meta.url)),
};

async function inNode() {
  const load = (name) => import(pathToFileURL(files[name]).href);
  const [bench, { measure }] = await Promise.all([load("/bench.js"), load("/laps.mjs")]);
  await bench.default({ module_or_path: readFileSync(files["/bench_bg.wasm"]) });
  const page = existsSync(files["/page.js"]) && {
    module: await load("/page.js"),
    bytes: readFileSync(files["/page_bg.wasm"]),
    lab: readFileSync(files["/first.lab"], "utf8"),
  };
  return { version: process.version, ...(await measure(bench, page, only, how)) };
}

async function inChromium() {
  const { chromium } = await import("@playwright/test");
  const types = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
  const server = createServer((request, response) => {
    const file = files[request.url];
    const there = file !== undefined && existsSync(file);
    // An isolated page has the finer clock.
    const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
    response.writeHead(there || request.url === "/" ? 200 : 404, { ...headers, "content-type": types[extname(file ?? "")] ?? "text/html" });
    response.end(there ? readFileSync(file) : "<!doctype html><title>bench</title>");
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const programs = [process.env.HOOKWALK_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const executablePath = programs.find((path) => path && existsSync(path));
  const browser = await chromium.launch(executablePath ? { executablePath } : {});
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${server.address().port}/`);
    const run = async ([only, how, withPage]) => {
      const bytes = async (name) => (await fetch(name)).arrayBuffer();
      const bench = await import("/bench.js");
      await bench.default({ module_or_path: await bytes("/bench_bg.wasm") });
      const { measure } = await import("/laps.mjs");
      const page = withPage && { module: await import("/page.js"), bytes: await bytes("/page_bg.wasm"), lab: await (await fetch("/first.lab")).text() };
      return measure(bench, page, only, how);
    };
    const measured = await tab.evaluate(run, [only, how, existsSync(files["/page.js"])]);
    return { version: browser.version(), ...measured };
  } finally {
    await browser.close();
    server.close();
  }
}

console.log(JSON.stringify(await (place === "chromium" ? inChromium() : inNode())));
