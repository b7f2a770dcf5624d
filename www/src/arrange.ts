/// Where the stations of a network stand: a pure function of the lab and the width.
import type { LabView } from "./model.js";

export interface Spot {
  x: number;
  y: number;
}

/** Stations in columns by their distance from the first one: who sends stands left. */
export function arrange(lab: LabView, width: number): { spots: Spot[]; height: number; w: number } {
  const n = lab.stations.length;
  const next: Set<number>[] = lab.stations.map(() => new Set());
  for (const link of lab.links) {
    for (const a of link.ends) for (const b of link.ends) if (a.station !== b.station) next[a.station]?.add(b.station);
  }
  const firstWire = lab.stations.findIndex((s) => s.kind === "wire");
  const column = new Array<number>(n).fill(-1);
  let last = -1;
  for (const start of [firstWire, ...lab.stations.keys()]) {
    if (start < 0 || column[start] !== -1) continue;
    column[start] = last + 1;
    const queue = [start];
    for (let s = queue.shift(); s !== undefined; s = queue.shift()) {
      last = Math.max(last, column[s]!);
      for (const t of next[s]!) {
        if (column[t] !== -1) continue;
        column[t] = column[s]! + 1;
        queue.push(t);
      }
    }
  }
  const columns = Math.max(1, last + 1);
  const rows = new Array<number>(columns).fill(0);
  for (const c of column) rows[c]! += 1;
  const most = Math.max(1, ...rows);
  const height = 14 + most * 62;
  const w = Math.min(170, Math.max(84, Math.floor((width - 16) / columns) - 18));
  const seen = new Array<number>(columns).fill(0);
  const spots = column.map((c) => {
    const k = seen[c]!++;
    const x = columns === 1 ? width / 2 : 8 + w / 2 + ((width - 16 - w) * c) / (columns - 1);
    return { x, y: (height * (k + 0.5)) / rows[c]! };
  });
  return { spots, height, w };
}
