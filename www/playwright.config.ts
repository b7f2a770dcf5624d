/// The page in real browsers: the system's where the command that runs the tests found them.
import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const there = (...paths: string[]): string | undefined => paths.find((path) => existsSync(path));
const chromium = process.env["HOOKWALK_CHROMIUM"] ?? there("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");
const firefox = process.env["HOOKWALK_FIREFOX"] ?? there("/usr/bin/firefox-esr", "/usr/bin/firefox");
const port = Number(process.env["HOOKWALK_PORT"] ?? 4183);

export default defineConfig({
  testDir: "tests",
  timeout: 60_000,
  workers: 2,
  reporter: [["list"]],
  forbidOnly: Boolean(process.env["CI"]),
  use: { baseURL: `http://localhost:${port}/`, locale: "en-US", colorScheme: "light", viewport: { width: 1440, height: 900 } },
  webServer: { command: `npm run --silent preview -- --strictPort --port ${port}`, url: `http://localhost:${port}/`, reuseExistingServer: false },
  projects: [
    { name: "chromium", use: { browserName: "chromium", launchOptions: chromium ? { executablePath: chromium } : {} } },
    {
      name: "firefox",
      // A system's Firefox is driven by WebDriver BiDi; Playwright's own build by its own protocol.
      use: firefox
        ? { browserName: "firefox", channel: "moz-firefox", launchOptions: { executablePath: firefox } }
        : { browserName: "firefox" },
      testIgnore: ["speed.spec.ts"],
    },
  ],
});
