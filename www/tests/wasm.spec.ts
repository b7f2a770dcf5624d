/// The wasm package in a browser: every lab of the library prints there what the native program prints.
import { expect, test } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pkg = join(root, "www/pkg");

test("every lab of the library prints what it prints natively", async ({ page }) => {
  test.setTimeout(180_000);
  await page.route("**/pkg/*", (route) => {
    const name = new URL(route.request().url()).pathname.split("/").pop()!;
    return route.fulfill({ body: readFileSync(join(pkg, name)), contentType: name.endsWith(".wasm") ? "application/wasm" : "text/javascript" });
  });
  await page.goto("./");
  const names = readdirSync(join(root, "labs"), { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name).filter((name) => existsSync(join(root, "labs", name, `${name}.lab`)));
  expect(names.length).toBeGreaterThan(0);
  const labs = names.map((name) => ({ name, text: readFileSync(join(root, "labs", name, `${name}.lab`), "utf8") }));
  const printed = await page.evaluate(async (labs) => {
    const path = "./pkg/hookwalk.js";
    const { default: init, Hookwalk } = (await import(new URL(path, document.baseURI).href)) as typeof import("../pkg/hookwalk.js");
    await init({ module_or_path: new URL("./pkg/hookwalk_bg.wasm", document.baseURI) });
    return labs.map(({ text }) => Hookwalk.open(text).transcript());
  }, labs);
  const cargo = ["run", "--quiet", "--locked", "--package", "hookwalk-cli", "--", "run"];
  names.forEach((name, i) => {
    let native: string;
    try {
      native = execFileSync("cargo", [...cargo, join("labs", name, `${name}.lab`)], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    } catch (failed) {
      // A lab with a failing line prints its transcript all the same.
      native = (failed as { stdout: string }).stdout;
    }
    expect(printed[i]!.trim(), name).toBe(native.trim());
  });
});
