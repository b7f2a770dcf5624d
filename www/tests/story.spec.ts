/// What a person does with the REDIRECT puzzle: opens it, plays it, steps through it, and finds out why the nat chains
/// stay at zero.
import { expect, test, type Page } from "@playwright/test";
import { editor } from "./editor.js";

const step = (page: Page) => page.locator(".num.step");

/** Waits until the simulator has taken over from the first picture. */
async function ready(page: Page, hash = ""): Promise<void> {
  await page.goto("./" + hash);
  await expect(page.locator("#lab")).toBeEnabled();
}

/** Steps on until the sentence says this; tells the position. */
async function until(page: Page, sentence: RegExp, most = 120): Promise<number> {
  for (let i = 0; i < most; i++) {
    if (sentence.test((await page.locator(".sentence .what").textContent()) ?? "")) return at(page);
    await page.keyboard.press("ArrowRight");
  }
  throw new Error(`the run never said ${sentence}`);
}

async function at(page: Page): Promise<number> {
  return Number(await page.locator(".scrub input").inputValue());
}

test("the first picture is there before the simulator", async ({ page }) => {
  await page.route(/\.wasm$/, async () => {
    // Never answered: the page has to do without.
  });
  await page.goto("./");
  await expect(page.getByRole("region", { name: "PREROUTING" })).toBeVisible();
  await expect(page.locator(".station.host")).toBeVisible();
  await expect(page.locator("#lab")).toBeDisabled();
});

test("the puzzle answers itself, step by step", async ({ page }) => {
  await ready(page);
  await expect(page.locator("#lab")).toHaveValue("redirect");

  await until(page, /No entry fits/);
  await expect(page.locator(".entry.dashed")).toHaveCount(1);
  await expect(page.locator(".capsule.carries")).toHaveCount(1);

  await until(page, /nat PREROUTING rule 1 matches/);
  await expect(page.locator(".rule.matched")).toContainText("REDIRECT");
  await expect(page.locator(".rule.matched td").nth(1)).toContainText("1");

  const rewritten = await until(page, /The destination is rewritten: 10\.0\.0\.1:80 becomes 10\.0\.0\.1:8080/);
  await expect(page.locator(".capsule del")).toHaveText("80");
  await expect(page.locator("hw-packet del")).toHaveText("10.0.0.1:80");

  await page.keyboard.press("ArrowLeft");
  expect(await at(page)).toBe(rewritten - 1);
  await expect(page.locator(".capsule del")).toHaveCount(0);

  await until(page, /^Confirmed/);
  await expect(page.locator(".entry.dashed")).toHaveCount(0);
  await expect(page.locator(".entry")).toHaveCount(1);

  await until(page, /A process on server sends|Originate|sends packet 2|SYN ACK|S\./);
  await until(page, /conntrack recognises a reply/);
  await until(page, /nat does not consult its rules: packet 1 decided/);
  await expect(page.locator(".fn.nat.skipped")).toContainText("skipped");
  await expect(page.locator(".sentence .why")).toContainText("no nat rule here counts this packet");

  await until(page, /The source is rewritten: 10\.0\.0\.1:8080 becomes 10\.0\.0\.1:80/);
  await expect(page.getByRole("region", { name: "POSTROUTING" })).toHaveClass(/here/);
});

test("plays, pauses, seeks, and takes every step back", async ({ page }) => {
  await ready(page);
  await page.getByRole("button", { name: /^Next packet/ }).click();
  const first = await at(page);
  await page.getByRole("button", { name: /^Play \(/ }).click();
  await expect.poll(() => at(page)).toBeGreaterThan(first + 1);
  await page.getByRole("button", { name: /^Pause/ }).click();
  const stopped = await at(page);
  await page.waitForTimeout(500);
  expect(await at(page)).toBe(stopped);

  // Played on, it stops where the lab has something to say.
  await page.getByLabel("Speed").selectOption("8");
  await page.getByRole("button", { name: /^Play \(/ }).click();
  await expect(page.locator(".say")).toBeVisible({ timeout: 20_000 });
  await expect(page.getByRole("button", { name: /^Play \(/ })).toBeVisible();

  await page.locator("body").press("End");
  const end = Number(await page.locator(".scrub input").getAttribute("max"));
  expect(await at(page)).toBe(end);
  await page.locator("body").press("Home");
  expect(await at(page)).toBe(0);

  // There and back again shows the same.
  const there = Math.floor(end / 2);
  await page.locator(".scrub input").fill(String(there));
  await expect(step(page)).toHaveText(`step ${there} / ${end}`);
  const seen = await page.locator("hw-conntrack").innerText();
  await page.locator("body").press("ArrowRight");
  await page.locator("body").press("ArrowLeft");
  expect(await page.locator("hw-conntrack").innerText()).toBe(seen);
});

test("a link leads back to the very step", async ({ page, context }) => {
  await ready(page);
  await until(page, /The destination is rewritten/);
  const here = await at(page);
  await expect.poll(() => page.url()).toContain(`at=${here}`);
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.locator(".sentence .what")).toContainText("The destination is rewritten");
  expect(await at(other)).toBe(here);
});

test("speaks Chinese, and changes the theme", async ({ page }) => {
  await ready(page);
  await page.getByRole("button", { name: "中文" }).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
  await expect(page.locator("hw-conntrack h2")).toHaveText("连接跟踪");
  await until(page, /没有相符的条目/);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await page.getByRole("button", { name: "切换浅色、深色与高对比" }).click();
  expect(await paper()).not.toBe(light);
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-CN");
  expect(await paper()).not.toBe(light);
});

test("steps over the rules inside a function", async ({ page }) => {
  await ready(page);
  await until(page, /nat consults its chain/);
  await page.keyboard.press("o");
  await expect(page.locator(".sentence .what")).toContainText("Routing:");
  await page.keyboard.press("Shift+O");
  await expect(page.locator(".sentence .what")).toContainText("nat (priority");
});

test("the picker opens another lab", async ({ page }) => {
  await ready(page);
  await page.locator("#lab").selectOption("hairpin");
  await expect.poll(() => page.url()).toContain("lab=hairpin");
  await page.getByRole("button", { name: /^Next packet/ }).click();
  await expect(page.locator("hw-packet h2")).toContainText("1");
});

test("events can be filtered and clicked", async ({ page }) => {
  await ready(page);
  await page.getByRole("searchbox").fill("nat skipped");
  const found = page.locator(".event");
  await expect(found.first()).toContainText("nat skipped");
  await found.first().click();
  await expect(page.locator(".sentence .what")).toContainText("nat does not consult");
  await page.getByRole("searchbox").fill("no such words here");
  await expect(page.getByText("No event has all these words.")).toBeVisible();
});

test("a lab with mistakes says where, and the one before stays", async ({ page }) => {
  await ready(page);
  const end = await page.locator(".scrub input").getAttribute("max");
  const text = await editor(page);
  // The driver of Firefox leaves an empty line above what it fills in: the place is where the words stand.
  await text.fill("nonsense here");
  const lines = await text.locator(".cm-line").allTextContents();
  expect(lines).toContain("nonsense here");
  await expect(page.getByRole("alert")).toContainText(`line ${lines.indexOf("nonsense here") + 1}, column 1`);
  expect(await page.locator(".scrub input").getAttribute("max")).toBe(end);

  await text.fill("wire w eth0=10.0.0.2/24\nhost a eth0=10.0.0.1/24\nlink w:eth0 a:eth0\nw> icmp 10.0.0.2 > 10.0.0.1 echo-request id=1 seq=1\n");
  await expect(page.getByRole("alert")).toHaveCount(0);
  await page.locator(".bar h1").click();
  await page.keyboard.press("Home");
  await until(page, /the kernel's own ICMP takes packet 1/i);
});

for (const [width, height] of [[1440, 900], [1024, 768], [390, 844]] as const) {
  test(`nothing needs sideways scrolling at ${width}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await ready(page);
    await until(page, /The destination is rewritten/);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(width);
    await expect(page.locator(".capsule.main")).toBeVisible();
    const box = await page.locator(".capsule.main").boundingBox();
    expect(box!.x).toBeGreaterThanOrEqual(0);
    expect(box!.x + box!.width).toBeLessThanOrEqual(width);
  });
}
