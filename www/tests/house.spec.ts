/// The page as a guest on other people's sites: no requests but for its own files, any folder, no network, nothing that
/// assistive technology trips over, and no picture faster than the machine can draw.
import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));

test("asks only for its own files, and keeps to its policy", async ({ page, baseURL }) => {
  const foreign: string[] = [];
  const complaints: string[] = [];
  page.on("request", (r) => {
    if (!r.url().startsWith(baseURL!) && !r.url().startsWith("data:")) foreign.push(r.url());
  });
  page.on("console", (m) => {
    if (m.type() === "error") complaints.push(m.text());
  });
  page.on("pageerror", (e) => complaints.push(e.message));
  await page.goto("./");
  await expect(page.locator("#lab")).toBeEnabled();
  for (let i = 0; i < 40; i++) await page.keyboard.press("ArrowRight");
  await page.locator("#lab").selectOption("hairpin");
  await expect(page.locator("#lab")).toHaveValue("hairpin");
  expect(foreign).toEqual([]);
  expect(complaints).toEqual([]);
});

test("works from a folder of any static host", async ({ page }) => {
  const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml" };
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace(/[?#].*/, "");
    if (!path.startsWith("/a/b/")) return void response.writeHead(404).end();
    const file = join(dist, path.slice(5) || "index.html");
    readFile(file).then(
      (bytes) => response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as { port: number };
  await page.goto(`http://127.0.0.1:${port}/a/b/`);
  await expect(page.locator("#lab")).toBeEnabled();
  await page.keyboard.press("End");
  await expect(page.locator(".entry")).not.toHaveCount(0);
  server.close();
});

for (const theme of ["light", "dark"] as const) {
  for (const [width, height] of [[1440, 900], [390, 844]] as const) {
    test(`axe finds nothing: ${theme}, ${width}`, async ({ page, browserName }) => {
      test.skip(browserName !== "chromium", "one browser's tree is enough");
      // Three looks at the whole tree; a busy machine takes its time.
      test.setTimeout(150_000);
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height });
      await page.goto("./#lab=redirect&at=20");
      await expect(page.locator("#lab")).toBeEnabled();
      for (let i = 0; i < 3; i++) {
        await page.keyboard.press(i === 1 ? "End" : "n");
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 140)).join(" | ")}`)).toEqual([]);
      }
    });
  }
}
