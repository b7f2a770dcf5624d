import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { addressOf, MOST, pack, readAddress, unpack } from "./address.js";
import type { Player } from "./player.js";

test("reads what a link says, and leaves out what makes no sense", () => {
  expect(readAddress("#v=1&lab=redirect&at=12&host=server&lang=zh")).toEqual({ lab: "redirect", at: 12, host: "server", lang: "zh" });
  expect(readAddress("#v=1&lab=redirect&at=-1&lang=tlh")).toEqual({ lab: "redirect" });
  expect(readAddress("#at=1e99")).toEqual({});
  expect(readAddress("")).toEqual({});
});

// Links that are out there: they have no version, and must go on working for ever.
test("links from before there were versions", async () => {
  expect(readAddress("#lab=redirect&at=12&host=server&lang=zh")).toEqual({ lab: "redirect", at: 12, host: "server", lang: "zh" });
  const old = readAddress("#at=3&text=K88sSlVIzslMzStRSC3JMLA1NNADQSN9IxOu4sRKhYzUnJx8LgA");
  expect(old).toEqual({ at: 3, text: "K88sSlVIzslMzStRSC3JMLA1NNADQSN9IxOu4sRKhYzUnJx8LgA" });
  expect(await unpack(old.text!)).toBe("wire client eth0=10.0.0.2/24\nsay hello\n");
});

test("a form of later pages is said to be one, and nothing of it is read", () => {
  expect(readAddress("#v=2&lab=redirect&at=12")).toEqual({ unknown: "2" });
  expect(readAddress(`#v=${"9".repeat(500)}`)).toEqual({ unknown: "9".repeat(12) });
});

test("what is written is read back", async () => {
  const text = "wire 客户端 eth0=10.0.0.2/24\n" + "say 一二三\n".repeat(4000);
  const player = { at: 7, station: 1, pinned: true, lab: { text, stations: [{ name: "a" }, { name: "b" }] } } as unknown as Player;
  expect(readAddress(await addressOf("nat", player, false))).toEqual({ lab: "nat", at: 7, host: "b" });
  const foreign = readAddress(await addressOf("_own", player, true));
  expect({ at: foreign.at, host: foreign.host, lab: foreign.lab }).toEqual({ at: 7, host: "b", lab: undefined });
  expect(await unpack(foreign.text!)).toBe(text);
});

const link = (bytes: Uint8Array): string => Buffer.from(deflateRawSync(bytes)).toString("base64url");

test("a text is unpacked up to the limit and no further", async () => {
  expect(await unpack(await pack("a".repeat(MOST)))).toHaveLength(MOST);
  await expect(unpack(await pack("a".repeat(MOST + 1)))).rejects.toMatchObject({ why: "large" });
  // 200 MB of zeros in some 200 KB.
  const bomb = link(new Uint8Array(200_000_000));
  expect(bomb.length).toBeLessThan(2 * MOST);
  await expect(unpack(bomb)).rejects.toMatchObject({ why: "large" });
  await expect(unpack("A".repeat(2 * MOST + 1))).rejects.toMatchObject({ why: "large" });
});

test("a link that was cut off, or is no link, or no text", async () => {
  const good = await pack("wire a eth0=10.0.0.2/24\nsay " + "hello ".repeat(50) + Array.from({ length: 99 }, (_, i) => i * i).join());
  for (const bad of [good.slice(0, -8), "%%%", "AAAA", link(new Uint8Array([0xff, 0xfe, 0x41]))]) await expect(unpack(bad)).rejects.toMatchObject({ why: "broken" });
});
