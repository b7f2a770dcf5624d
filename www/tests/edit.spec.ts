/// Writing a lab: with the editor, with forms, at a prompt, from a file; and finding it again after a reload.
import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";
import { readFile } from "node:fs/promises";
import { editor } from "./editor.js";

async function open(page: Page, hash = "#lab=redirect"): Promise<string[]> {
  const complaints: string[] = [];
  page.on("console", (m) => m.type() === "error" && complaints.push(m.text()));
  page.on("pageerror", (e) => complaints.push(e.message));
  await page.goto("./" + hash);
  await expect(page.locator("#lab")).toBeEnabled();
  return complaints;
}
const end = async (page: Page): Promise<number> => Number(await page.locator(".scrub input").getAttribute("max"));

test("what fits is offered, what is typed runs, and the page's policy holds", async ({ page }) => {
  const complaints = await open(page);
  const text = await editor(page);
  await text.getByText("listen tcp/8080").click();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("server# iptables -t nat -I PRE");
  await expect(page.getByRole("option", { name: "PREROUTING" })).toBeVisible();
  // The editor lets a moment pass before it takes a key for an answer.
  await page.waitForTimeout(150);
  await page.keyboard.press("Tab");
  await page.keyboard.type(" -p tcp -j ACCEPT");
  await page.keyboard.press("Escape");
  // nat stays with the first rule that decides: port 80 is redirected no more.
  await expect(page.locator(".changes")).toContainText("Packet 1 goes another way now");
  await expect(page.locator(".changes")).toContainText("2 → 0 server nat PREROUTING");
  await page.locator(".changes").getByRole("button", { name: /show it/ }).click();
  await expect(page.locator("hw-rules")).toContainText("ACCEPT");
  expect(complaints).toEqual([]);
});

test("mistakes are underlined and listed, lead to their place, and the run before stays", async ({ page }) => {
  await open(page);
  const before = await end(page);
  const text = await editor(page);
  await text.press("Control+End");
  await page.keyboard.insertText("serverr# iptables -S\n");
  await expect(page.getByRole("alert")).toContainText("the run before them stays in view");
  await expect(page.locator("hw-editor .cm-lintRange-error")).toHaveText(["serverr"]);
  expect(await end(page)).toBe(before);
  await page.getByRole("alert").getByRole("button").click();
  await expect(text).toBeFocused();
  await page.keyboard.press("Control+z");
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("Escape, then Tab leaves the editor", async ({ page }) => {
  await open(page);
  const text = await editor(page);
  await text.press("Control+End");
  await page.keyboard.type("ser");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await expect(text).not.toBeFocused();
});

test("a draft outlives the page, and the original is a button away", async ({ page }) => {
  await open(page);
  const before = await end(page);
  const text = await editor(page);
  await text.press("Control+End");
  await page.keyboard.insertText("client> udp 10.0.0.2:5000 > 10.0.0.1:53 len=9\n");
  await expect(page.locator(".changes")).toContainText("is new");
  await page.reload();
  await expect(page.locator("#lab")).toBeEnabled();
  expect(await end(page)).toBeGreaterThan(before);
  await editor(page);
  await page.getByRole("button", { name: "Back to the original" }).click();
  expect(await end(page)).toBe(before);
  await page.getByRole("button", { name: "Undo" }).click();
  expect(await end(page)).toBeGreaterThan(before);
});

test("a form writes a rule, and the lines show before and after", async ({ page }) => {
  await open(page);
  await editor(page);
  await page.getByRole("button", { name: "Add…" }).click();
  const form = page.locator("hw-forms");
  await form.locator("[name=chain]").selectOption("INPUT");
  await form.locator("[name=dport]").fill("8080");
  await form.locator("[name=target]").fill("DROP");
  await expect(form.locator("pre")).toHaveText("server# iptables -A INPUT -p tcp --dport 8080 -j DROP");
  await form.locator("[name=place]").selectOption("before the first packet");
  await form.getByRole("button", { name: "Write it" }).click();
  await expect(page.locator("hw-editor .hw-new")).toHaveText("server# iptables -A INPUT -p tcp --dport 8080 -j DROP");
  await expect(page.locator(".changes")).toContainText("– → 2 server filter INPUT");
});

test("forms write a packet, a conversation and a station", async ({ page }) => {
  await open(page);
  await editor(page);
  const form = page.locator("hw-forms");
  const write = async (kind: string, lines: RegExp): Promise<void> => {
    await page.getByRole("button", { name: "Add…" }).click();
    await form.getByRole("button", { name: kind }).click();
    await expect(form.locator("pre")).toHaveText(lines);
    const before = await end(page);
    await form.getByRole("button", { name: "Write it" }).click();
    await expect.poll(() => end(page)).toBeGreaterThanOrEqual(before);
    await expect(page.getByRole("alert")).toHaveCount(0);
    await expect(page.locator("hw-editor .hw-new").first()).toBeVisible();
  };
  await write("A packet", /^client> tcp 10\.0\.0\.2:\d+ > 10\.0\.0\.1:80 S seq=1000$/);
  await write("A conversation", /server\$ listen tcp\/80\s+client> tcp .* S seq=1000 mss=1460\s+client> reply \.\s+client> reply P\. len=100\s+client> reply F\.\s+client> reply \./);
  await write("A station", /host host eth0=10\.0\.0\.3\/24 gw=10\.0\.0\.1\s+link client:eth0 server:eth0 host:eth0/);
  await expect(page.locator("hw-network")).toContainText("10.0.0.3");
});

test("a lab is saved to a file, and opened from one", async ({ page, browserName }) => {
  await open(page);
  await editor(page);
  const download = page.waitForEvent("download", { timeout: browserName === "firefox" ? 4000 : 30_000 });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  // A system's Firefox does not tell of downloads.
  const saved = await download.catch(() => undefined);
  if (browserName === "chromium") {
    expect(saved?.suggestedFilename()).toBe("redirect.lab");
    expect(await readFile((await saved?.path()) ?? "", "utf8")).toContain("REDIRECT --to-ports 8080");
  }
  await page.locator("hw-editor input[type=file]").setInputFiles({
    name: "mine.lab",
    mimeType: "text/plain",
    buffer: Buffer.from("title From a file\nwire w eth0=10.0.0.2/24\nhost a eth0=10.0.0.1/24\nlink w:eth0 a:eth0\nw> icmp 10.0.0.2 > 10.0.0.1 echo-request id=1 seq=1\n"),
  });
  await expect(page.locator("#lab option:checked")).toHaveText("From a file");
  await expect.poll(() => page.url()).toContain("lab=_own");
  await page.reload();
  await expect(page.locator("#lab option:checked")).toHaveText("From a file");
  await page.locator("hw-editor input[type=file]").setInputFiles({ name: "x.png", mimeType: "image/png", buffer: Buffer.from([0x89, 0x50, 0xff, 0xfe]) });
  await expect(page.getByRole("status").first()).toContainText("x.png is no text");
});

test("the terminal completes, remembers, and keeps nothing that is not simulated", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: "Terminal" }).click();
  const prompt = page.getByRole("textbox", { name: "Command for server" });
  await prompt.fill("iptables -t nat -A PRE");
  await prompt.press("Tab");
  await expect(prompt).toHaveValue("iptables -t nat -A PREROUTING ");
  await prompt.press("Tab");
  await prompt.fill("conntrack -");
  await prompt.press("Tab");
  await expect(page.getByRole("button", { name: "-L", exact: true })).toBeVisible();
  const before = await end(page);
  await prompt.fill("rm -rf /");
  await prompt.press("Enter");
  await expect(page.getByRole("alert")).toContainText("rm is not simulated");
  expect(await end(page)).toBe(before);
  await prompt.fill("iptables -nvL FOO");
  await prompt.press("Enter");
  await expect(page.getByRole("log")).toContainText("chain `FOO' in table `filter' is incompatible");
  await prompt.press("ArrowUp");
  await expect(prompt).toHaveValue("iptables -nvL FOO");
  await prompt.press("ArrowUp");
  await expect(prompt).toHaveValue("rm -rf /");
  await page.reload();
  await page.getByRole("button", { name: "Terminal" }).click();
  await prompt.press("ArrowUp");
  await expect(prompt).toHaveValue("iptables -nvL FOO");
});

test("a wire's packets are typed at its own prompt", async ({ page }) => {
  await open(page);
  const before = await end(page);
  await page.getByRole("button", { name: "Terminal" }).click();
  await page.locator("hw-terminal select").selectOption("client>");
  const prompt = page.getByRole("textbox", { name: "Command for client" });
  await prompt.fill("udp 10.0.0.2:5000 > 10.0.0.1:53 len=4");
  await prompt.press("Enter");
  await expect(page.getByRole("log")).toContainText("client> udp 10.0.0.2:5000");
  expect(await end(page)).toBeGreaterThan(before);
});

for (const theme of ["light", "dark"] as const) {
  test(`axe finds nothing where text is edited: ${theme}`, async ({ page, browserName }) => {
    test.skip(browserName !== "chromium", "one browser's tree is enough");
    test.setTimeout(150_000);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await open(page);
    const text = await editor(page);
    await text.press("Control+End");
    await page.keyboard.insertText("serverr# iptables -S\n");
    await page.getByRole("button", { name: "Add…" }).click();
    await expect(page.locator("hw-forms")).toBeVisible();
    const look = async (): Promise<void> => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 140)).join(" | ")}`)).toEqual([]);
    };
    await look();
    await page.getByRole("button", { name: "Terminal" }).click();
    await page.locator("hw-terminal input").fill("conntrack -");
    await page.locator("hw-terminal input").press("Tab");
    await look();
  });
}
