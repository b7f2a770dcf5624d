import { expect, test, vi } from "vitest";
import type { EventView, Run } from "./model.js";
import { Player } from "./player.js";

/** A run of so many events; every fifth is a turn, two packets, one stop. */
function run(len: number): Run {
  const event = (n: number): EventView => ({
    n, packet: n < len / 2 ? 1 : 2, station: 0, kind: "Rule", weight: n % 5 === 4 ? 2 : 0, tone: "plain", fact: { key: "x", args: [] },
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
  const source = run(20);
  const events = (from: number, to: number) =>
    source.events(from, to).map((e) => ({ ...e, kind: e.n % 4 === 0 ? "Function" : "Rule" }));
  p.open({ ...source, events }, 1);
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
