/// Learning: a lab told as a story, predictions that are kept, and the way back to where one was.
import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";

async function open(page: Page, hash = ""): Promise<void> {
  await page.goto("./" + hash);
  await expect(page.locator("#lab")).toBeEnabled();
}
const at = async (page: Page): Promise<number> => Number(await page.locator(".scrub input").inputValue());

test("a lab is told as a story, from word to word", async ({ page, browserName }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await open(page, "#lab=redirect");
  await page.getByRole("button", { name: "Tell it as a story" }).click();
  await expect(page.locator("hw-events")).toBeHidden();
  await expect(page.locator(".say")).toBeVisible();
  const first = await page.locator(".say").textContent();
  const from = await at(page);
  await page.getByRole("button", { name: "Next", exact: true }).click();
  // A browser that cannot be told to keep still plays on; pressed once more, the button jumps.
  const jump = page.getByRole("button", { name: "Jump there" });
  if (await jump.isVisible()) await jump.click();
  await expect.poll(() => at(page)).toBeGreaterThan(from);
  await expect(page.locator(".say")).not.toHaveText(first ?? "");
  if (browserName === "chromium") {
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map((v) => v.id)).toEqual([]);
  }
  await page.getByRole("button", { name: "Back", exact: true }).click();
  expect(await at(page)).toBe(from);
  await page.getByRole("button", { name: "Leave the story" }).click();
  await expect(page.locator("hw-events")).toBeVisible();
});

test("predictions and the way are kept here, shown in the library, and forgotten on demand", async ({ page }) => {
  await open(page, "#lab=redirect");
  await page.getByRole("searchbox").fill("How many packets will the REDIRECT rule");
  await page.locator(".event").first().click();
  await page.getByLabel("Your answer").fill("3");
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByLabel("Your answer").fill("1");
  await page.getByRole("button", { name: "Check" }).click();
  const where = await at(page);
  await expect.poll(() => page.evaluate(() => localStorage.getItem("hookwalk.progress") ?? "")).toContain(`"at":${where}`);

  await page.goto("about:blank");
  await open(page);
  await page.getByRole("link", { name: "Go on there" }).click();
  await expect.poll(() => at(page)).toBe(where);

  await page.locator("button.find").click();
  // The first answer counts.
  await expect(page.locator(".seen").first()).toHaveText(/at step \d+ · predictions: 0 of 1 right/);
  await page.getByRole("button", { name: "Forget it all" }).click();
  await expect(page.locator(".seen")).toHaveCount(0);
  expect(await page.evaluate(() => Object.keys(localStorage).filter((k) => /progress|draft|typed/.test(k)))).toEqual([]);
});
