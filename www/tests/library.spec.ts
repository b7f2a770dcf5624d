/// Somebody comes with a symptom, finds the puzzle, and opens it; somebody new takes the tour; somebody has no script.
import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";

test("a symptom finds its puzzle", async ({ page }) => {
  await page.goto("./");
  await expect(page.locator("#lab")).toBeEnabled();
  await page.locator("button.find").click();
  const search = page.locator("dialog.library input");
  await expect(search).toBeFocused();
  await search.fill("works from the internet, not from the LAN");
  await expect(page.locator("dialog.library li a").first()).toHaveText(/Hairpin NAT/);
  await search.press("Enter");
  await expect(page.locator("dialog.library")).toBeHidden();
  await expect(page.locator("#lab")).toHaveValue("hairpin");
});

test("a symptom in Chinese finds its puzzle", async ({ page }) => {
  await page.goto("./#lang=zh");
  await expect(page.locator("#lab")).toBeEnabled();
  await page.locator("button.find").click();
  await page.locator("dialog.library input").fill("\u8fde\u63a5\u8ddf\u8e2a\u8868\u6ee1");
  await page.locator("dialog.library li a").first().click();
  await expect(page.locator("#lab")).toHaveValue("table-full");
});

test("the tour leads through seven labs", async ({ page }) => {
  await page.goto("./");
  await expect(page.locator("#lab")).toBeEnabled();
  await page.locator("button.find").click();
  await page.locator(".tour-card a").click();
  const strip = page.locator("section.tour");
  for (const stop of ["1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7"]) {
    await expect(strip.locator("b")).toContainText(stop);
    if (stop !== "7/7") await strip.locator("nav a").last().click();
  }
  await page.locator("body").press("End");
  await strip.locator("summary").click();
  await expect(strip).toContainText("POSTROUTING");
  await strip.locator("nav button").click();
  await expect(strip).toHaveCount(0);
});

test("axe finds nothing in the dialog and the tour", async ({ page, browserName }) => {
  test.skip(browserName !== "chromium", "one browser's tree is enough");
  await page.goto("./");
  await expect(page.locator("#lab")).toBeEnabled();
  await page.locator("button.find").click();
  await expect(page.locator(".tour-card")).toBeVisible();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.locator(".tour-card a").click();
  await expect(page.locator("section.tour")).toBeVisible();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
});

test.describe("without script", () => {
  test.use({ javaScriptEnabled: false });
  test.skip(({ browserName }) => browserName !== "chromium", "plain pages: one browser is enough");
  for (const path of ["lab/docker-ufw.html", "lab/docker-ufw.zh.html", "library.html", "glossary.zh.html"]) {
    test(`${path} reads as text`, async ({ page }) => {
      const complaints: string[] = [];
      page.on("console", (m) => m.type() === "error" && complaints.push(m.text()));
      const answer = await page.goto(`./${path}`);
      expect(answer?.status()).toBe(200);
      await expect(page.locator("h1")).toBeVisible();
      expect(complaints).toEqual([]);
    });
  }
});

for (const path of ["lab/hairpin.html", "library.zh.html", "glossary.html"]) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe finds nothing: ${path}, ${colorScheme}`, async ({ page, browserName }) => {
      test.skip(browserName !== "chromium", "one browser's tree is enough");
      await page.emulateMedia({ colorScheme });
      await page.goto(`./${path}`);
      expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
    });
  }
}

test("a question with choices is answered by pressing one, and terms lead to the glossary", async ({ page }) => {
  await page.goto("./#lab=raw-invalid");
  await expect(page.locator("#lab")).toHaveValue("raw-invalid");
  await expect(page.locator(".sentence a.term").first()).toHaveAttribute("href", /^\.\/glossary\.html#/);
  const choices = page.locator(".choices button");
  for (let i = 0; i < 30 && (await choices.count()) === 0; i++) await page.keyboard.press("ArrowRight");
  await expect(choices).toHaveText(["yes", "no"]);
  await choices.nth(1).click();
  await expect(page.locator(".wrong")).toContainText("yes");
  await choices.nth(0).click();
  await expect(page.locator(".right")).toBeVisible();
});
