import { describe, expect, test } from "vitest";
import { capsuleHeight, layout, positions, CAPSULE, NARROW, type Rider } from "./layout.js";
import type { HookView } from "./model.js";

const names: Record<string, string[]> = {
  PREROUTING: ["defrag", "raw", "conntrack", "mangle", "nat"],
  INPUT: ["mangle", "filter", "nat", "security", "confirm"],
  FORWARD: ["mangle", "filter", "security"],
  OUTPUT: ["defrag", "raw", "conntrack", "mangle", "nat", "filter", "security"],
  POSTROUTING: ["mangle", "nat", "confirm"],
};
const hooks: HookView[] = Object.entries(names).map(([hook, funcs]) => ({
  hook,
  funcs: funcs.map((name, i) => ({ name, priority: i, awake: true, rules: 0, packets: 0 })),
}));
const at = (hook: string, func: number): Rider => ({ place: { at: "hook", hook, func }, h: capsuleHeight(2) });

describe("the hook map", () => {
  test.each([640, 820, 1100])("boxes do not overlap at %i", (width) => {
    const { hooks: boxes, process } = layout(width, hooks, []);
    const all = [...boxes, { ...process, hook: "process" }];
    for (const a of all) {
      expect(a.x).toBeGreaterThanOrEqual(0);
      expect(a.x + a.w).toBeLessThanOrEqual(width);
      for (const b of all) {
        if (a === b) continue;
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(apart, `${a.hook} and ${b.hook}`).toBe(true);
      }
    }
  });

  test("every function has its row, in order", () => {
    for (const box of layout(820, hooks, []).hooks) {
      expect(box.rows.length).toBe(names[box.hook]!.length);
      const order = box.rows.map((r) => r.y * 10_000 + r.x);
      expect([...order].sort((a, b) => a - b)).toEqual(order);
    }
  });

  test("a packet makes room under the function that it is at, and stands there", () => {
    const rider = at("OUTPUT", 2);
    const map = layout(820, hooks, [rider]);
    const box = map.hooks.find((b) => b.hook === "OUTPUT")!;
    const [spot] = positions(map, [rider]);
    expect(spot!.y).toBeGreaterThanOrEqual(box.rows[2]!.y + box.rows[2]!.h);
    expect(spot!.y + rider.h).toBeLessThanOrEqual(box.rows[3]!.y);
  });

  test("two packets at one function stand under one another", () => {
    const riders = [at("INPUT", 0), at("INPUT", 0)];
    const [a, b] = positions(layout(820, hooks, riders), riders);
    expect(b!.y).toBeGreaterThanOrEqual(a!.y + riders[0]!.h);
  });

  test("capsules stay on the stage", () => {
    for (const width of [360, 640, 1100]) {
      for (const hook of Object.keys(names)) {
        names[hook]!.forEach((_, i) => {
          const riders = [at(hook, i)];
          const [spot] = positions(layout(width, hooks, riders, [hook]), riders);
          expect(spot!.x).toBeGreaterThanOrEqual(0);
          expect(spot!.x + CAPSULE).toBeLessThanOrEqual(width);
        });
      }
    }
  });

  test("stacks the hooks that a packet meets where there is no width", () => {
    const map = layout(NARROW - 1, hooks, [], ["PREROUTING", "FORWARD", "POSTROUTING"]);
    expect(map.narrow).toBe(true);
    expect(map.hooks.map((b) => b.hook)).toEqual(["PREROUTING", "FORWARD", "POSTROUTING"]);
    expect(map.hooks[1]!.y).toBeGreaterThan(map.hooks[0]!.y + map.hooks[0]!.h - 1);
  });
});
