/// The element in somebody else's page, the frame, the page without a network.
import { expect, test, type Page } from "@playwright/test";

const LAB = `
    wire client eth0=10.0.0.2/24
    host server eth0=10.0.0.1/24
    link client:eth0 server:eth0
    server# iptables -t nat -A PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 5353
    server# iptables -A INPUT -p udp --dport 5353 -j DROP
    client> udp 10.0.0.2:5000 > 10.0.0.1:53 len=4
`;

/** A page of somebody's, with a strict policy, that embeds. */
async function post(page: Page, body: string, script = '<script type="module" src="embed/hookwalk.js"></script>'): Promise<void> {
  const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src data:";
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><link rel="icon" href="data:,"><title>A post</title>${script}</head><body><h1>A post</h1>${body}</body></html>`;
  await page.route("**/post.html", (route) => route.fulfill({ contentType: "text/html", body: html }));
  await page.goto("post.html");
}

test("a lab in the text plays, steps by its own keys and tells what happens", async ({ page }) => {
  const errors: string[] = [];
  page.on("pageerror", (e) => errors.push(e.message));
  page.on("console", (m) => m.type() === "error" && errors.push(m.text()));
  await post(page, `<hookwalk-lab id="lab">${LAB.replaceAll(">", "&gt;")}</hookwalk-lab>`);
  const lab = page.locator("#lab");
  await expect(lab.locator("hw-stage")).toBeVisible();
  const length = await lab.evaluate((e: any) => e.length);
  expect(length).toBeGreaterThan(10);
  const before = await lab.evaluate((e: any) => e.position);
  await lab.locator(".embed").focus();
  await page.keyboard.press("ArrowRight");
  expect(await lab.evaluate((e: any) => e.position)).toBe(before + 1);
  // Keys outside of it are the page's.
  await page.locator("h1").click();
  await page.keyboard.press("ArrowRight");
  const verdict = await lab.evaluate(
    (e: any) =>
      new Promise((resolve) => {
        e.addEventListener("verdict", (v: CustomEvent) => resolve(v.detail.fate), { once: true });
        for (let i = 0; i < e.length; i++) e.step(1);
      }),
  );
  expect(verdict).toBe("dropped");
  expect(errors).toEqual([]);
});

test("a classic script does the same, and several labs share one engine", async ({ page }) => {
  const wasm: string[] = [];
  page.on("request", (r) => r.url().endsWith(".wasm") && wasm.push(r.url()));
  const labs = `<hookwalk-lab lang="zh" theme="dark">${LAB}</hookwalk-lab>`.repeat(3);
  await post(page, labs, '<script src="embed/hookwalk.classic.js"></script>');
  await expect(page.locator("hookwalk-lab hw-stage")).toHaveCount(3);
  expect(wasm).toHaveLength(1);
  await expect(page.locator("hookwalk-lab").first()).toHaveAttribute("data-theme", "dark");
  await expect(page.locator("hookwalk-lab [lang=zh]").first()).toBeVisible();
});

test("a mistake is said with its place, and what was shown stays", async ({ page }) => {
  await post(page, `<hookwalk-lab id="lab">${LAB}</hookwalk-lab>`);
  const lab = page.locator("#lab");
  await expect(lab.locator("hw-stage")).toBeVisible();
  const text = await lab.evaluate((e: any) => e.text);
  expect(await lab.evaluate((e: any) => e.load("wire client eth0=10.0.0.2/24\nnonsense\n"))).toBe(false);
  await expect(lab.locator("[role=alert]")).toContainText("2:1");
  expect(await lab.evaluate((e: any) => e.text)).toBe(text);
  await expect(lab.locator("hw-stage")).toBeVisible();
});

test("the frame shows a lab and posts its height", async ({ page }) => {
  await page.route("**/embed/some.lab", (route) => route.fulfill({ contentType: "text/plain", body: LAB.replace(/^ +/gm, "") }));
  await page.route("**/outer.html", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<!doctype html><title>outer</title><iframe src="embed/embed.html#src=some.lab&start=end" width="640" height="420"></iframe>`,
    }),
  );
  await page.goto("outer.html");
  const height = page.evaluate(() => new Promise((resolve) => addEventListener("message", (e) => e.data?.hookwalk === "height" && e.data.height > 200 && resolve(e.data.height))));
  await expect(page.frameLocator("iframe").locator("hw-stage")).toBeVisible();
  expect(await height).toBeGreaterThan(200);
});

test("after one visit the page works without a network", async ({ page, context }) => {
  await page.goto("./");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await context.setOffline(true);
  await page.reload();
  await expect(page.locator("hw-stage")).toBeVisible();
  await expect(page.locator("#lab")).toBeEnabled();
  await context.setOffline(false);
});
