/// Changing things, as a person does: typing a command, editing the text, answering a question, sending a link.
import { expect, test, type Page } from "@playwright/test";
import { editor } from "./editor.js";

async function open(page: Page, hash = "#lab=redirect"): Promise<void> {
  await page.goto("./" + hash);
  await expect(page.locator("#lab")).toBeEnabled();
}
const end = async (page: Page): Promise<number> => Number(await page.locator(".scrub input").getAttribute("max"));

test("a command typed in the terminal becomes part of the lab, and can be taken back", async ({ page }) => {
  await open(page);
  const before = await end(page);
  await page.getByRole("button", { name: "Terminal" }).click();
  const prompt = page.getByRole("textbox", { name: "Command for server" });
  await prompt.fill("iptables -A INPUT -p tcp --dport 8080 -j DROP");
  await prompt.press("Enter");
  await expect(page.getByRole("log")).toContainText("server# iptables -A INPUT -p tcp --dport 8080 -j DROP");
  expect(await end(page)).not.toBe(before);
  // The SYN now dies in INPUT, and the entry that it carried with it.
  await page.locator(".bar h1").click();
  await page.keyboard.press("Shift+ArrowRight");
  for (let i = 0; i < 60 && !(await page.locator(".sentence.bad").count()); i++) await page.keyboard.press("ArrowRight");
  await expect(page.locator(".sentence .what")).toContainText("Dropped by filter INPUT rule 1");
  await expect(page.locator(".capsule.dropped")).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(".sentence .what")).toContainText(/unconfirmed entry .* goes with it/);

  await page.getByRole("button", { name: "Lab text" }).click();
  await expect(page.locator(".changes")).toContainText("– → 2 server filter INPUT");
  await page.getByRole("button", { name: "Undo" }).click();
  expect(await end(page)).toBe(before);
  await page.getByRole("button", { name: "Redo" }).click();
  expect(await end(page)).not.toBe(before);
});

test("a command that is not simulated is refused, and nothing changes", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: "Terminal" }).click();
  const prompt = page.getByRole("textbox", { name: "Command for server" });
  await prompt.fill("rm -rf /");
  await prompt.press("Enter");
  await expect(page.locator(".sentence, .screen .bad").first()).toBeVisible();
  await expect(page.getByRole("region", { name: "Terminal" })).toContainText(/rm/);
});

test("the terminal remembers and completes", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: "Terminal" }).click();
  const prompt = page.getByRole("textbox", { name: "Command for server" });
  await prompt.press("ArrowUp");
  await expect(prompt).toHaveValue(/^(iptables|listen|server\$)/);
  await prompt.fill("conntrack -");
  await prompt.fill("ip ad");
  await prompt.press("Tab");
  await expect(prompt).toHaveValue("ip addr ");
});

test("a question takes an answer before it goes on", async ({ page }) => {
  await open(page);
  await page.getByRole("searchbox").fill("How many packets will the REDIRECT rule");
  await page.locator(".event").first().click();
  const answer = page.getByLabel("Your answer");
  await answer.fill("3");
  await page.getByRole("button", { name: "Check" }).click();
  await expect(page.locator(".wrong")).toContainText("The answer is 1");
  await answer.fill("1");
  await page.getByRole("button", { name: "Check" }).click();
  await expect(page.locator(".right")).toBeVisible();
});

test("a changed lab travels in its link", async ({ page, context, browserName }) => {
  test.skip(browserName !== "chromium", "the clipboard needs a permission that only Chromium grants");
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page);
  const text = await editor(page);
  await text.press("Control+End");
  await page.keyboard.insertText("server# iptables -A FORWARD -m comment --comment travels -j DROP\n");
  await expect(page.locator(".changes")).toContainText("--comment travels");
  await page.getByRole("button", { name: /Copy a link/ }).click();
  await expect(page.getByRole("status")).toHaveText("Link copied");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const other = await context.newPage();
  await other.goto(link);
  const there = await editor(other);
  await there.press("Control+End");
  await expect(there).toContainText("--comment travels");
});

test("a zero answers for itself, leads there, and offers what helps", async ({ page }) => {
  await open(page);
  await page.keyboard.press("End");
  await page.getByRole("button", { name: /^0: why does rule 1 of POSTROUTING/ }).click();
  const answer = page.getByRole("dialog", { name: "Why" });
  await expect(answer).toContainText("rule 1 of nat POSTROUTING: 0 counted here");
  await answer.getByRole("button", { name: /Packet 1\s+decided for this connection/ }).click();
  await expect(page.locator(".sentence .what")).toContainText("nat does not consult its rules: packet 1 decided");
  await answer.getByRole("button", { name: "Try it" }).click();
  await page.locator("body").press("End");
  await page.getByRole("tab", { name: "mangle" }).click();
  await expect(page.getByRole("tabpanel")).toContainText("Chain POSTROUTING");
  await expect(page.getByRole("button", { name: /^0: why does rule 1 of POSTROUTING/ })).toHaveCount(0);
});

test("a packet tells its way", async ({ page }) => {
  await open(page);
  await page.keyboard.press("Shift+ArrowRight");
  await page.getByRole("button", { name: "its way" }).click();
  await expect(page.getByRole("dialog", { name: "Why" })).toContainText(/destination 10\.0\.0\.1:80 became 10\.0\.0\.1:8080/);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Why" })).toHaveCount(0);
});

test("runs to what one looks for", async ({ page }) => {
  await open(page);
  const to = page.getByLabel("Run to…");
  await to.selectOption("next rewrite");
  await expect(page.locator(".sentence .what")).toContainText("The destination is rewritten");
  await to.selectOption("next rewrite");
  await expect(page.locator(".sentence .what")).toContainText("The source is rewritten");
  await page.locator("#lab").selectOption("input-drop");
  await expect(page.locator(".sentence .what")).toContainText("A dropped first packet");
  await to.selectOption("next drop");
  await expect(page.locator(".sentence .what")).toContainText("Dropped by");
});
