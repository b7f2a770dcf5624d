/// The picture (drawn in Rust) and the page's stage lay out by the same rules: where the one puts its hooks, functions and
/// capsules, the other does.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { initSync, Hookwalk } from "../pkg/hookwalk.js";
import { arrange } from "./arrange.js";
import { capsuleHeight, layout, MINI, positions, TAG, type Rider } from "./layout.js";

const here = import.meta.dirname;
beforeAll(() => {
  initSync({ module: readFileSync(join(here, "../pkg/hookwalk_bg.wasm")) });
});

interface Box {
  class: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

/** The boxes of a picture in the page's terms: below the shifts of their groups. */
function boxes(svg: string): { network: Box[]; map: Box[] } {
  const [, network, map] = svg.split('<g transform="translate(0 ').map((part) => {
    return [...part.matchAll(/<rect class="([^"]*)" x="([^"]+)" y="([^"]+)" width="([^"]+)" height="([^"]+)"/g)].map((m) => ({ class: m[1]!, x: Number(m[2]), y: Number(m[3]), w: Number(m[4]), h: Number(m[5]) }));
  });
  return { network: network!, map: map! };
}

/** As far apart as rounding to tenths may bring them. */
const near = (a: number, b: number): boolean => Math.abs(a - b) <= 0.6;
const found = (all: Box[], { x, y, w, h }: { x: number; y: number; w: number; h: number }): boolean => all.some((b) => near(b.x, x) && near(b.y, y) && near(b.w, w) && near(b.h, h));

test.each([["redirect"], ["hairpin"], ["input-drop"], ["istio-sidecar"]])("%s is drawn as the page draws it", (name) => {
  const walk = Hookwalk.open(readFileSync(join(here, `../../labs/${name}/${name}.lab`), "utf8"));
  const lab = walk.lab();
  const host = lab.stations.findIndex((s) => s.kind === "host");
  for (const width of [720, 960, 1200]) {
    for (let at = 0; at <= lab.len; at += 3) {
      const view = walk.view(at, host);
      const drawn = boxes(walk.picture(at, host, false, "", width));
      const flights = view.flights.filter((f) => f.station === host && f.place.at !== "link");
      // The packet that the moment is about has a capsule, others a line each while they are few.
      const main = flights.filter((f) => f.packet === view.event?.packet);
      const others = flights.filter((f) => !main.includes(f));
      if (others.length > 3) continue;
      const riders: Rider[] = [
        ...main.map((f) => ({ place: f.place, h: capsuleHeight(2 + (f.src.old_addr ? 1 : 0) + (f.dst.old_addr ? 1 : 0)) })),
        ...others.map((f) => ({ place: f.place, h: MINI })),
      ];
      const map = layout(width, view.hooks, riders);
      for (const hook of map.hooks) expect(found(drawn.map, hook), `${hook.hook} at step ${at}, ${width} wide`).toBe(true);
      expect(found(drawn.map, map.process), `process at step ${at}, ${width} wide`).toBe(true);
      positions(map, riders).forEach((spot, i) => {
        const { packet } = [...main, ...others][i]!;
        const frame = drawn.map.some((b) => near(b.x, spot.x) && near(b.y, spot.y + (i < main.length ? TAG : 0)) && b.class.includes(`q${packet}`));
        expect(frame, `packet ${packet} at step ${at}, ${width} wide`).toBe(true);
      });
      const { spots, w } = arrange(lab, width);
      for (const spot of spots) expect(found(drawn.network, { x: spot.x - w / 2, y: spot.y - 23, w, h: 46 })).toBe(true);
    }
  }
});
