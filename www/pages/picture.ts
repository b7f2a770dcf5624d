/// The picture of a lab's network: a figure for the story page, and for who shares its address.
import type { Station, Story } from "./lab.js";

const W = 960;
const BOX = 190;
const ROW = 112;

/** Columns by distance from the first wire: who sends stands left. */
function columns(story: Story): Map<string, number> {
  const column = new Map<string, number>();
  const first = story.stations.find((s) => s.kind === "wire") ?? story.stations[0];
  let last = -1;
  for (const start of [first, ...story.stations]) {
    if (!start || column.has(start.name)) continue;
    column.set(start.name, last + 1);
    const queue = [start.name];
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const at = column.get(name)!;
      last = Math.max(last, at);
      for (const link of story.links.filter((l) => l.some(([s]) => s === name))) {
        for (const [other] of link) {
          if (column.has(other)) continue;
          column.set(other, at + 1);
          queue.push(other);
        }
      }
    }
  }
  return column;
}

export function picture(story: Story, title: string): string {
  const column = columns(story);
  const count = Math.max(...column.values()) + 1;
  const inColumn = (c: number): Station[] => story.stations.filter((s) => column.get(s.name) === c);
  const most = Math.max(...Array.from({ length: count }, (_, c) => inColumn(c).length));
  const height = most * ROW + 24;
  const spot = new Map<string, { x: number; y: number }>();
  for (let c = 0; c < count; c++) {
    inColumn(c).forEach((s, row, all) => {
      const x = count === 1 ? W / 2 : 20 + BOX / 2 + ((W - 40 - BOX) * c) / (count - 1);
      spot.set(s.name, { x, y: 12 + (most * ROW * (row + 0.5)) / all.length });
    });
  }
  const lines = story.links.map((link) => {
    const ends = link.map(([s]) => spot.get(s)!);
    const hub = { x: ends.reduce((n, e) => n + e.x, 0) / ends.length, y: ends.reduce((n, e) => n + e.y, 0) / ends.length };
    const spokes = ends.map((e) => `<path d="M${hub.x.toFixed(1)} ${hub.y.toFixed(1)}L${e.x.toFixed(1)} ${e.y.toFixed(1)}"/>`).join("");
    return ends.length > 2 ? `${spokes}<circle cx="${hub.x.toFixed(1)}" cy="${hub.y.toFixed(1)}" r="6"/>` : spokes;
  });
  const boxes = story.stations.map((s) => {
    const { x, y } = spot.get(s.name)!;
    const addrs = s.ifaces.flatMap((i) => i.addrs.slice(0, 1).map((a) => `${i.name} ${a}`)).slice(0, 3);
    const h = 34 + 17 * addrs.length;
    const texts = addrs.map((a, i) => `<text class="a" x="${x}" y="${y - h / 2 + 42 + 17 * i}">${escape(a)}</text>`).join("");
    return `<g class="${s.kind}"><rect x="${x - BOX / 2}" y="${y - h / 2}" width="${BOX}" height="${h}" rx="8"/><text class="n" x="${x}" y="${y - h / 2 + 23}">${escape(s.name)}</text>${texts}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W} ${height}" role="img" aria-label="${escape(title)}"><style>
path{stroke:#7a7f88;stroke-width:2;fill:none}circle{fill:#7a7f88}rect{fill:#fff;stroke:#b9b5aa;stroke-width:1.5}.host rect{stroke:#0a716c;stroke-width:2.5}
text{text-anchor:middle;fill:#1b1e23}.n{font:600 17px system-ui,sans-serif}.a{font:13px ui-monospace,monospace;fill:#555b65}
@media (prefers-color-scheme:dark){rect{fill:#1a1d23;stroke:#545a65}.host rect{stroke:#55c9c0}text{fill:#eceae4}.a{fill:#a9aeb7}}
</style>${lines.join("")}${boxes.join("")}</svg>\n`;
}

export function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
