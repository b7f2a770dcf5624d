/// The network: stations and links, and the packets between them. The host in focus is the one whose hooks are below.
import { html, svg, type TemplateResult } from "lit";
import { arrange, type Spot } from "../arrange.js";
import { styleMap } from "../css.js";
import type { FlightView, LabView } from "../model.js";
import { hue, Piece } from "../piece.js";

export class Network extends Piece {
  static override properties = { ...Piece.properties, width: { attribute: false } };
  declare width: number;

  protected override render(): TemplateResult {
    const { lab, view } = this.player;
    if (!lab || !view || !this.width) return html``;
    const { spots, height, w } = arrange(lab, this.width);
    const lines = lab.links.map((link) => {
      const ends = link.ends.map((e) => spots[e.station]!);
      if (ends.length === 2) return svg`<path d="M${ends[0]!.x} ${ends[0]!.y}L${ends[1]!.x} ${ends[1]!.y}" />`;
      const cx = ends.reduce((s, e) => s + e.x, 0) / ends.length;
      const cy = ends.reduce((s, e) => s + e.y, 0) / ends.length;
      return svg`${ends.map((e) => svg`<path d="M${cx} ${cy}L${e.x} ${e.y}" />`)}<circle cx=${cx} cy=${cy} r="4" />`;
    });
    return html`
      <div class="network" style=${styleMap({ height: `${height}px` })}>
        <svg width=${this.width} height=${height} aria-hidden="true">${lines}</svg>
        ${lab.stations.map((station, i) => {
          const spot = spots[i]!;
          const addrs = station.ifaces.flatMap((f) => f.addrs.map((a) => a.replace(/\/\d+$/, "")));
          const style = styleMap({ width: `${w}px`, transform: `translate(${spot.x - w / 2}px, ${spot.y - 23}px)` });
          const inside = html`<b>${station.name}</b><span class="addr">${addrs[0] ?? ""}${addrs.length > 1 ? html`<i>+${addrs.length - 1}</i>` : ""}</span>`;
          const title = station.ifaces.map((f) => `${f.name} ${f.addrs.join(" ")}`).join("\n");
          return station.kind === "host"
            ? html`<button class="station host" style=${style} title=${title} aria-pressed=${i === view.host}
                @click=${() => this.player.focus(i)}>${inside}</button>`
            : html`<div class="station wire" style=${style} title=${title}>${inside}</div>`;
        })}
        ${this.tokens(view.flights, view.event?.packet, spots, lab, w)}
      </div>`;
  }

  /** The packets' dots; those at one spot stand beside each other, the one in view first, and many share a dot. */
  private tokens(flights: FlightView[], main: number | undefined, spots: Spot[], lab: LabView, w: number): TemplateResult[] {
    const groups = new Map<string, { at: Spot; flights: FlightView[] }>();
    for (const f of flights) {
      const at = spot(f, spots, lab, w);
      const key = `${Math.round(at.x)} ${Math.round(at.y)}`;
      const group = groups.get(key);
      if (!group) groups.set(key, { at, flights: [f] });
      else if (f.packet === main) group.flights.unshift(f);
      else group.flights.push(f);
    }
    return [...groups.values()].flatMap(({ at, flights }) => {
      const shown = flights.length <= BESIDE ? flights : flights.slice(0, BESIDE - 1);
      const rest = flights.length - shown.length;
      const left = at.x - ((shown.length + (rest ? 1 : 0)) * 24) / 2;
      const dot = (i: number, packet: number, text: string): TemplateResult => html`<span class="token ${text.startsWith("+") ? "many" : ""}" aria-hidden="true" style=${styleMap({
        transform: `translate(${left + i * 24 + 1}px, ${at.y - 11}px)`,
        "--hue": String(hue(packet)),
      })}>${text}</span>`;
      return [
        ...shown.map((f, i) => dot(i, f.packet, String(f.packet))),
        ...(rest ? [dot(shown.length, flights.at(-1)!.packet, `+${rest}`)] : []),
      ];
    });
  }
}

/** How many dots stand beside each other. */
const BESIDE = 4;

/** Where a packet's dot is: on its link while it travels, at its station while that works on it. */
function spot(flight: FlightView, spots: Spot[], lab: LabView, w: number): Spot {
  const here = spots[flight.station]!;
  const { place } = flight;
  let at: Spot = { x: here.x, y: here.y - 23 };
  if (place.at === "link") {
    at = between(spots[place.from]!, spots[place.to]!, 0.5);
  } else if (place.at === "transmit" || place.at === "receive") {
    const other = neighbour(lab, flight.station, place.dev);
    if (other !== undefined) {
      const there = spots[other]!;
      const far = Math.hypot(there.x - here.x, there.y - here.y) || 1;
      at = between(here, there, Math.min(0.5, (w / 2 + 16) / far));
    }
  }
  return at;
}

const between = (a: Spot, b: Spot, t: number): Spot => ({ x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t });

function neighbour(lab: LabView, station: number, dev: string): number | undefined {
  const link = lab.links.find((l) => l.ends.some((e) => e.station === station && e.iface === dev));
  return link?.ends.find((e) => e.station !== station)?.station;
}

customElements.define("hw-network", Network);
