import { expect, test, vi } from "vitest";
import type { EventView, Run } from "./model.js";
import { Player } from "./player.js";

/** A run of so many events; every fifth is a turn, two packets, one stop. */
function run(len: number, kind = (_: number) => "Rule"): Run {
  const kinds = [...new Set(Array.from({ length: len }, (_, n) => kind(n)))];
  const event = (n: number): EventView => ({
    n, packet: n < len / 2 ? 1 : 2, station: 0, kind: kind(n), weight: n % 5 === 4 ? 2 : 0, tone: "plain", fact: { key: "x", args: [] },
  });
  const span = (id: number, first: number, last: number) => ({ id, text: "", short: "", first, last, fate: "delivered" as const, answers: 0, line: 1, station: 0 });
  return {
    lab: {
      text: "t", title: [], about: [], links: [], len,
      stations: [{ name: "a", kind: "host", ifaces: [] }],
      packets: [span(1, 0, len / 2), span(2, len / 2, len)],
      failures: [],
    lines: [{ line: 3, at: 8, kind: "say", text: [{ text: "hm" }], answers: [], station: -1, failed: false, later: false }],
    },
    view: (at, host) => ({ at, time: 0, line: 0, flights: [], host, hooks: [], entries: [], tracking: false }),
    events: (from, to) => Array.from({ length: to - from }, (_, i) => event(from + i)),
    tables: () => [],
    why: () => ({ reasons: [], remedies: [] }),
    index: () => ({
      words: Uint32Array.from(Array.from({ length: len }, (_, n) => [event(n).packet, kinds.indexOf(kind(n)) | (event(n).weight << 23), kind(n) === "Rule" ? 4 | ((n % 3) + 1) << 3 : 0]).flat()),
      names: { kinds, hooks: [], funcs: [], tables: ["raw", "mangle", "nat", "filter"] },
    }),
    heard: () => [],
  };
}

test("steps, jumps between packets and turns, and stays within the run", () => {
  const p = new Player();
  p.open(run(20), 0);
  p.step(-1);
  expect(p.at).toBe(0);
  p.step(1);
  expect([p.at, p.view?.at]).toEqual([1, 1]);
  p.stepPacket(1);
  expect(p.at).toBe(11);
  p.stepPacket(-1);
  expect(p.at).toBe(1);
  p.turn(1);
  expect(p.at).toBe(5);
  p.turn(1);
  expect(p.at).toBe(10);
  p.turn(-1);
  expect(p.at).toBe(5);
  p.seek(999);
  expect(p.at).toBe(20);
});

test("steps over what a function does inside", () => {
  const p = new Player();
  p.open(run(20, (n) => (n % 4 === 0 ? "Function" : "Rule")), 1);
  p.over(1);
  expect(p.at).toBe(5);
  p.over(1);
  expect(p.at).toBe(9);
  p.over(-1);
  expect(p.at).toBe(5);
});

test("plays to where the lab speaks, and on from there to the end", () => {
  vi.useFakeTimers();
  const p = new Player();
  p.open(run(20));
  p.play();
  vi.advanceTimersByTime(60_000);
  expect([p.at, p.playing]).toEqual([8, false]);
  p.play();
  vi.advanceTimersByTime(60_000);
  expect([p.at, p.playing]).toEqual([20, false]);
  vi.useRealTimers();
});

test("fetches events in pages, once each", () => {
  const p = new Player();
  const source = run(1000);
  const events = vi.fn(source.events);
  p.open({ ...source, events });
  for (let n = 0; n < 1000; n++) expect(p.event(n)?.n).toBe(n);
  expect(events).toHaveBeenCalledTimes(16);
  expect(p.event(1000)).toBeUndefined();
});

test("goes out of a hook with its packet, and to the next of a kind", () => {
  const p = new Player();
  p.open(run(40, (n) => ["Hook", "Function", "Rule", "Accept", "Rule"][n % 5]!), 3);
  p.out(1);
  expect(p.at).toBe(6);
  p.runTo("verdict");
  expect(p.at).toBe(9);
  p.runTo("verdict", -1);
  expect(p.at).toBe(4);
  p.rule(1);
  expect(p.at).toBe(5);
  p.runTo("drop");
  expect(p.at).toBe(40);
});

test("stops at breakpoints, playing and running on, and back", () => {
  vi.useFakeTimers();
  const p = new Player();
  const source = run(40, (n) => (n % 5 === 0 ? "Hook" : "Rule"));
  const events = (from: number, to: number) =>
    source.events(from, to).map((e) => ({ ...e, fact: { key: "rule.failed", args: [["chain", e.n < 20 ? "INPUT" : "mine"]] as [string, string][] } }));
  p.open({ ...source, events }, 9);
  // Rule 2 of the chain `mine`: not the one of INPUT, which is passed.
  p.toggleBreak("rule a filter mine 2");
  p.play();
  vi.advanceTimersByTime(60_000);
  expect([p.at, p.playing, p.stopped]).toEqual([23, false, "rule a filter mine 2"]);
  p.runToBreak();
  expect(p.at).toBe(29);
  p.runToBreak(-1);
  expect(p.at).toBe(23);
  p.seek(24);
  expect(p.stopped).toBeUndefined();
  p.toggleBreak("rule a filter mine 2");
  p.runToBreak();
  expect(p.at).toBe(40);
  vi.useRealTimers();
});
