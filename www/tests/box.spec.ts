/// Your box in three pastes: real output becomes a lab that runs.
import { expect, test } from "@playwright/test";

const ADDR = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500
    inet 203.0.113.1/24 brd 203.0.113.255 scope global eth0
3: docker0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500
    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0
`;
const RULES = `*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:8080
COMMIT
`;

test("iptables-save, ip addr and ip route become a conversation", async ({ page }) => {
  await page.goto("./");
  await expect(page.locator("#lab")).toBeEnabled();
  await page.getByRole("button", { name: "Your box" }).click();
  const dialog = page.locator("dialog.box");
  await dialog.locator("[name=iptables]").fill(RULES);
  await dialog.locator("[name=addr]").fill(ADDR);
  await dialog.locator("[name=route]").fill("default via 203.0.113.254 dev eth0\n");
  await dialog.getByText("More").click();
  await dialog.locator("[name=sysctl]").fill("net.ipv4.ip_forward = 1\n");
  await dialog.locator("[name=talks]").fill("tcp 198.51.100.9 -> 203.0.113.1:80");
  await dialog.getByRole("button", { name: "Make the lab" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.locator("hw-network")).toContainText("203.0.113.1");
  await page.keyboard.press("End");
  await expect(page.locator("hw-conntrack")).toContainText("172.17.0.2");
});

test("an example is there to try", async ({ page }) => {
  await page.goto("./");
  await expect(page.locator("#lab")).toBeEnabled();
  await page.getByRole("button", { name: "Your box" }).click();
  const dialog = page.locator("dialog.box");
  await dialog.getByRole("button", { name: "Try an example" }).click();
  await dialog.getByRole("button", { name: "Make the lab" }).click();
  await expect(dialog).toBeHidden();
  await page.keyboard.press("End");
  await expect(page.locator("hw-conntrack")).toContainText("172.17.0.2");
});

test("a rule that the real tool refuses is named by its line, and found in what was pasted", async ({ page }) => {
  await page.goto("./");
  await expect(page.locator("#lab")).toBeEnabled();
  await page.getByRole("button", { name: "Your box" }).click();
  const dialog = page.locator("dialog.box");
  const field = dialog.locator("[name=iptables]");
  await field.fill(RULES.replace("--dst-type LOCAL", "--dst-type LOCALE"));
  await dialog.locator("[name=addr]").fill(ADDR);
  await dialog.getByRole("button", { name: "Make the lab" }).click();
  await expect(dialog.getByRole("alert")).toContainText("iptables-save, line 4");
  await dialog.getByRole("alert").getByRole("button").click();
  const chosen = await field.evaluate((f: HTMLTextAreaElement) => f.value.slice(f.selectionStart, f.selectionEnd));
  expect(chosen).toBe("-A PREROUTING -m addrtype --dst-type LOCALE -j DOCKER");
});

test("what cannot be used is said, and the texts stay", async ({ page }) => {
  await page.goto("./");
  await expect(page.locator("#lab")).toBeEnabled();
  await page.getByRole("button", { name: "Your box" }).click();
  const dialog = page.locator("dialog.box");
  await dialog.locator("[name=iptables]").fill(RULES);
  await dialog.getByRole("button", { name: "Make the lab" }).click();
  await expect(dialog.getByRole("alert")).toContainText("ip addr");
  await expect(dialog.locator("[name=iptables]")).toHaveValue(RULES);
});
