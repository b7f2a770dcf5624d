import { expect, test } from "vitest";
import { split } from "./elements/zoom.js";
import type { EventView } from "./model.js";
import { walk } from "./walk.js";

const event = (n: number, kind: string, args: Record<string, string | number>, key = "x"): EventView => ({
  n, packet: 1, station: 0, kind, weight: 0, tone: "plain", fact: { key, args: Object.entries(args).map(([k, v]) => [k, String(v)]) },
});

test("follows jumps, returns and a goto through the chains", () => {
  const way = walk([
    event(0, "Function", {}),
    event(1, "Chain", { chain: "INPUT" }),
    event(2, "Rule", { n: 1, cond: "-p udp", met: "tcp" }, "rule.failed"),
    event(3, "Rule", { n: 2 }, "rule.matched"),
    event(4, "Jump", { to: "mine" }),
    event(5, "Rule", { n: 1 }, "rule.matched"),
    event(6, "Goto", { to: "other" }),
    event(7, "Return", { to: "INPUT", n: 3 }, "return.end"),
    event(8, "Rule", { n: 3 }, "rule.matched"),
    event(9, "Drop", { chain: "INPUT", n: 3 }),
  ]);
  expect(way.visits.map((v) => v.chain)).toEqual(["INPUT", "mine", "other"]);
  expect(way.visits[0]!.tests.get(1)).toEqual({ matched: false, cond: "-p udp", met: "tcp", at: 2 });
  expect(way.visits[2]!.from).toEqual({ chain: "mine", rule: 1, goto: true });
  // A goto leaves no way back to the chain that it left.
  expect(way.visits[2]!.back).toEqual({ to: "INPUT", rule: 3, explicit: false });
  expect([way.current, way.rule, way.end?.kind]).toEqual([0, 3, "Drop"]);
});

test("cuts a rule into what it asks and what it does", () => {
  expect(split("-A INPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080")).toEqual({ conds: "-p tcp -m tcp --dport 80", target: "-j REDIRECT --to-ports 8080" });
  expect(split("-A INPUT -j ACCEPT")).toEqual({ conds: "", target: "-j ACCEPT" });
  expect(split("-A INPUT -p udp")).toEqual({ conds: "-p udp", target: "" });
});
