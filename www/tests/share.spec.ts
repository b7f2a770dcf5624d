/// Links as strangers send them: what cannot be read is said, what was open stays, earlier forms still work.
import { expect, test, type Page } from "@playwright/test";
import { deflateRawSync } from "node:zlib";

const link = (text: string | Uint8Array): string => Buffer.from(deflateRawSync(text)).toString("base64url");
const LAB = "title From a link\nhost a eth0=10.0.0.1/24\nhost b eth0=10.0.0.2/24\nlink a:eth0 b:eth0\na$ ping -c 1 10.0.0.2\n";

async function go(page: Page, hash: string): Promise<void> {
  await page.evaluate((h) => (location.hash = h), hash);
}

test("a link without a version opens, and is written with one", async ({ page }) => {
  await page.goto(`./#at=3&text=${link(LAB)}`);
  await expect(page).toHaveTitle(/From a link/);
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => page.url()).toMatch(/#v=1&/);
});

for (const [lang, says] of [["en", [/version 9/, /longer than 256 KB/, /cut off/]], ["zh", [/版本是 9/, /超过 256 KB/, /截断/]]] as const) {
  test(`links that cannot be read leave what is open: ${lang}`, async ({ page }) => {
    await page.goto(`./#v=1&lab=hairpin&at=5&lang=${lang}`);
    await expect(page.locator("#lab")).toHaveValue("hairpin");
    const bad = ["#v=9&lab=redirect", `#v=1&text=${link(new Uint8Array(100_000_000))}`, "#v=1&text=%25%25"];
    for (const [i, hash] of bad.entries()) {
      await go(page, hash);
      await expect(page.locator(".message")).toHaveText(says[i]!);
      await expect(page.locator("#lab")).toHaveValue("hairpin");
    }
  });
}
