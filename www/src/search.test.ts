/// Symptoms in people's own words, in both languages, and the lab that they should find.
import { join } from "node:path";
import { expect, test } from "vitest";
import { readLibrary } from "../pages/plugin.js";
import { Finder, tokens } from "./search.js";

const library = readLibrary(join(import.meta.dirname, "../../labs"));
const finder = new Finder(library.index.labs.map((lab) => ({ ...lab, title: library.stories.get(lab.name)!.title })));

test.each([
  ["counter is 0", ["redirect", "null-binding", "translated-port"]],
  ["nat OUTPUT counters never move", ["redirect"]],
  ["connection hangs", ["hairpin", "pmtu-black-hole", "ftp-helper"]],
  ["works from outside, not from the host", ["published-port-localhost"]],
  ["works from internet not from lan", ["hairpin"]],
  ["insert_failed", ["dns-race", "snat-exhaustion"]],
  ["dns 5 seconds", ["dns-race"]],
  ["table full, dropping packet", ["table-full"]],
  ["docker ufw", ["docker-ufw"]],
  ["ufw does not block docker", ["docker-ufw"]],
  ["NodePort localhost", ["published-port-localhost"]],
  ["conntrack -L shows nothing", ["conntrack-asleep", "input-drop"]],
  ["conntrack -F does not help", ["tcp-loose"]],
  ["lxd no internet docker", ["forward-policy-drop"]],
  ["istio sidecar bypass", ["istio-sidecar"]],
  ["wireguard old address", ["masquerade-new-address"]],
  ["mtu", ["pmtu-black-hole"]],
  ["NOTRACK", ["notrack-or-return", "dns-race", "table-full"]],
  ["connection reset by peer kubernetes", ["invalid-reply"]],
  ["ssh freezes idle", ["idle-timeout"]],
  ["rp_filter", ["rp-filter"]],
  ["firewalld ftp", ["ftp-helper"]],
  ["openwrt sip phone", ["null-binding"]],
  ["\u8ba1\u6570\u5668\u4e3a 0", ["redirect", "null-binding"]],
  ["\u5916\u7f51\u80fd\u8bbf\u95ee \u5185\u7f51\u4e0d\u80fd", ["hairpin"]],
  ["\u8fde\u63a5\u8ddf\u8e2a\u8868\u6ee1", ["table-full"]],
  ["\u672c\u673a\u8bbf\u95ee\u4e0d\u901a", ["published-port-localhost", "output-redirect", "istio-sidecar"]],
  ["\u6539\u4e86\u89c4\u5219\u4e0d\u751f\u6548", ["rule-changed", "null-binding"]],
  ["\u7aef\u53e3\u8f6c\u53d1 \u653e\u884c \u4e0d\u901a", ["translated-port", "hairpin"]],
  ["\u57df\u540d\u89e3\u6790\u6162 5 \u79d2", ["dns-race"]],
])("%s", (query, wanted) => {
  const found = finder.find(query).slice(0, 3).map((lab) => lab.name);
  expect(wanted, found.join(", ")).toContain(found[0]);
});

test("nothing asked gives all, nonsense gives nothing", () => {
  expect(finder.find("  ").length).toBe(library.index.labs.length);
  expect(finder.find("zzqqy")).toEqual([]);
});

test("Chinese is taken apart into pairs, words keep their underscores", () => {
  expect(tokens("\u8fde\u63a5\u8ddf\u8e2a insert_failed")).toEqual(["\u8fde\u63a5", "\u63a5\u8ddf", "\u8ddf\u8e2a", "insert_failed"]);
});
