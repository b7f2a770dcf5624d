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

/** A pcap file of raw IP packets, a second apart. */
function pcap(...packets: number[][]): Buffer {
  const numbers = (...n: number[]): Buffer => Buffer.from(Uint32Array.from(n).buffer);
  const header = numbers(0xa1b2c3d4, 0x00040002, 0, 0, 65535, 101);
  return Buffer.concat([header, ...packets.flatMap((p, i) => [numbers(i, 0, p.length, p.length), Buffer.from(p)])]);
}
/** 198.51.100.9 opens a connection to 203.0.113.1:80. */
const SYN = [0x45, 0, 0, 40, 0, 1, 0, 0, 63, 6, 0, 0, 198, 51, 100, 9, 203, 0, 113, 1, 0x9c, 0x40, 0, 80, 0, 0, 0, 7, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0];

test("a capture is sent again; one that cannot be read is named, and the texts stay", async ({ page }) => {
  await page.goto("./");
  await expect(page.locator("#lab")).toBeEnabled();
  await page.getByRole("button", { name: "Your box" }).click();
  const dialog = page.locator("dialog.box");
  await dialog.locator("[name=iptables]").fill(RULES);
  await dialog.locator("[name=addr]").fill(ADDR);
  await dialog.getByText("More").click();
  await dialog.locator("[name=sysctl]").fill("net.ipv4.ip_forward = 1\n");
  const file = dialog.getByLabel("Packets to replay");
  await file.setInputFiles({ name: "cut.pcap", mimeType: "application/vnd.tcpdump.pcap", buffer: pcap(SYN, SYN).subarray(0, -1) });
  await dialog.getByRole("button", { name: "Make the lab" }).click();
  await expect(dialog.getByRole("alert")).toContainText("cut.pcap: cut off after packet 1");
  await expect(dialog.locator("[name=addr]")).toHaveValue(ADDR);
  await file.setInputFiles({ name: "whole.pcap", mimeType: "application/vnd.tcpdump.pcap", buffer: pcap(SYN, SYN) });
  await expect(dialog.getByRole("alert")).toHaveCount(0);
  await dialog.getByRole("button", { name: "Make the lab" }).click();
  await expect(dialog).toBeHidden();
  await page.keyboard.press("End");
  await expect(page.locator("hw-conntrack")).toContainText("198.51.100.9");
  await expect(page.locator("hw-conntrack")).toContainText("172.17.0.2");
});

test("a capture can be dropped", async ({ page }) => {
  await page.goto("./");
  await expect(page.locator("#lab")).toBeEnabled();
  await page.getByRole("button", { name: "Your box" }).click();
  const dialog = page.locator("dialog.box");
  await dialog.locator("[name=iptables]").fill(RULES);
  await dialog.locator("[name=addr]").fill(ADDR);
  await dialog.getByText("More").click();
  await dialog.locator("[name=sysctl]").fill("net.ipv4.ip_forward = 1\n");
  const file = dialog.getByLabel("Packets to replay");
  await file.evaluate((field: HTMLInputElement, bytes) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([new Uint8Array(bytes)], "dropped.pcap"));
    field.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  }, [...pcap(SYN)]);
  await expect(file).toHaveValue(/dropped\.pcap$/);
  await dialog.getByRole("button", { name: "Make the lab" }).click();
  await expect(dialog).toBeHidden();
  await page.keyboard.press("End");
  await expect(page.locator("hw-conntrack")).toContainText("198.51.100.9");
});
