/// The stage: the hook map of the host in focus, drawn from the host's own ordered list of hook functions, and the
/// packets on it.
import { html, svg, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { styleMap } from "../css.js";
import { capsuleHeight, layout, positions, CAPSULE, MINI, type HookBox, type Point, type StageLayout } from "../layout.js";
import type { FlightView, FuncView, HookView, Place, View } from "../model.js";
import { hue, Piece } from "../piece.js";
import { brief } from "../i18n.js";
import "./network.js";

const px = (n: number): string => `${Math.round(n * 10) / 10}px`;

export class Stage extends Piece {
  static override properties = { ...Piece.properties, width: { state: true }, zoom: { state: true } };
  declare width: number;
  /** The table that is looked at from near. */
  declare zoom: { hook: string; func: string } | undefined;
  #watch: ResizeObserver | undefined;

  constructor() {
    super();
    this.width = 0;
  }
  override connectedCallback(): void {
    super.connectedCallback();
    this.#watch = new ResizeObserver(([entry]) => {
      if (entry) this.width = Math.floor(entry.contentRect.width);
    });
    this.#watch.observe(this);
  }
  override disconnectedCallback(): void {
    this.#watch?.disconnect();
    super.disconnectedCallback();
  }

  protected override updated(_: PropertyValues): void {
    // The first drawing must not slide in from the corner.
    if (this.width) requestAnimationFrame(() => this.classList.add("moving"));
  }

  protected override render(): TemplateResult {
    const { view, lab } = this.player;
    if (!view || !lab || !this.width) return html``;
    if (this.zoom) this.zoom = this.follow(view, this.zoom);
    if (this.zoom) {
      const { hook, func } = this.zoom;
      return html`
        <hw-network .player=${this.player} .tick=${this.tick} .width=${this.width}></hw-network>
        <hw-zoom .player=${this.player} .tick=${this.tick} .hook=${hook} .func=${func} @unzoom=${() => (this.zoom = undefined)}></hw-zoom>`;
    }
    const flights = view.flights.filter((f) => f.station === view.host && f.place.at !== "link");
    const main = flights.find((f) => f.packet === view.event?.packet);
    const others = gather(flights.filter((f) => f !== main));
    const riders = [
      ...(main ? [{ place: main.place, h: capsuleHeight(lines(main)) }] : []),
      ...others.map((o) => ({ place: o.place, h: MINI })),
    ];
    const map = layout(this.width, view.hooks, riders, this.path(view));
    const spots = positions(map, riders);
    const name = lab.stations[view.host]?.name ?? "";
    return html`
      <hw-network .player=${this.player} .tick=${this.tick} .width=${this.width}></hw-network>
      <div class="map ${map.narrow ? "narrow" : ""}" role="group" aria-label=${this.w("hooks_of", { host: name })}
        style=${styleMap({ height: px(map.height) })}>
        ${this.wires(map, view)}
        ${map.hooks.map((box) => this.hook(box, view.hooks.find((h) => h.hook === box.hook), view))}
        <div class="process" style=${styleMap({ transform: at(map.process), width: px(map.process.w), height: px(map.process.h) })}>
          <b>${this.w("local_process")}</b>
        </div>
        ${map.narrow ? "" : html`<span class="joint" style=${styleMap({ transform: at(map.route) })}><span>${this.w("routing")}</span></span>`}
        ${repeat(others, (o) => o.packets[0], (o, i) => this.companion(o, spots[i + (main ? 1 : 0)]!))}
        ${main ? repeat([main], (f) => f.packet, (f) => this.capsule(f, spots[0]!, view)) : ""}
      </div>`;
  }

  /** From near, the view goes along with the packet into the next table that has rules. */
  private follow(view: View, zoom: { hook: string; func: string }): { hook: string; func: string } {
    const { event } = view;
    if (!event?.hook || !event.func || event.station !== view.host) return zoom;
    const func = view.hooks.find((h) => h.hook === event.hook)?.funcs.find((f) => f.name === event.func);
    return func && func.rules > 0 ? { hook: event.hook, func: event.func } : zoom;
  }
  /** Looks at the table that the packet is in from near, or at all hooks again. */
  toggleZoom(): void {
    const { view } = this.player;
    if (this.zoom) this.zoom = undefined;
    else if (view) {
      const place = view.flights.find((f) => f.packet === view.event?.packet && f.station === view.host)?.place;
      const hooks = place?.at === "hook" ? view.hooks.filter((h) => h.hook === place.hook) : view.hooks;
      const here = place?.at === "hook" ? hooks[0]?.funcs[place.func] : undefined;
      const hook = hooks.find((h) => h.funcs.some((f) => f.rules > 0));
      if (here && TABLES.has(here.name)) this.zoom = { hook: hooks[0]!.hook, func: here.name };
      else if (hook) this.zoom = { hook: hook.hook, func: hook.funcs.find((f) => f.rules > 0)!.name };
    }
    this.requestUpdate();
  }

  /** The hooks that the packet in view meets on this host, for the stacked form. */
  private path(view: View): string[] {
    const span = this.player.packet;
    if (!span) return [];
    const met: string[] = [];
    for (let n = span.first; n < span.last; n++) {
      const e = this.player.event(n);
      if (!e || e.packet !== span.id || e.station !== view.host) continue;
      if (e.kind === "Originate") met.push("local");
      if (e.kind === "Hook" && e.hook && !met.includes(e.hook)) met.push(e.hook);
      if (e.kind === "Deliver" && !met.includes("local")) met.push("local");
    }
    return met;
  }

  private wires(map: StageLayout, view: View): TemplateResult {
    const here = view.flights.find((f) => f.packet === view.event?.packet && f.station === view.host)?.place;
    const on = (from: string, to: string): boolean => {
      if (!here) return false;
      switch (here.at) {
        case "receive":
          return from === "in";
        case "transmit":
          return to === "out";
        case "route":
          return here.output ? to === "join" : from === "PREROUTING";
        case "hook":
          return to === here.hook;
        default:
          return to === here.at;
      }
    };
    return html`<svg class="wires" width=${map.width} height=${map.height} aria-hidden="true">
      <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="10" markerHeight="10" orient="auto">
        <path d="M0 0L8 4L0 8z" /></marker></defs>
      ${map.wires.map((w) => {
        const tip = /^(route|join)$/.test(w.to) ? "" : "url(#tip)";
        return svg`<path class=${on(w.from, w.to) ? "on" : ""} d=${w.d} marker-end=${tip} />`;
      })}
    </svg>`;
  }

  private hook(box: HookBox, hook: HookView | undefined, view: View): TemplateResult {
    const current = view.flights.find((f) => f.packet === view.event?.packet && f.station === view.host)?.place;
    const here = current?.at === "hook" && current.hook === box.hook ? current : undefined;
    return html`<section class="hook ${here ? "here" : ""}" aria-label=${box.hook}
      style=${styleMap({ transform: at(box), width: px(box.w), height: px(box.h) })}>
      <h2>${box.hook}</h2>
      ${hook?.funcs.map((f, i) => {
        const row = box.rows[i]!;
        return this.func(f, box.hook, here?.func === i ? (view.event?.kind === "NatSkipped" ? "skipped" : "here") : "", {
          transform: `translate(${px(row.x - box.x)}, ${px(row.y - box.y)})`,
          width: px(row.w),
          height: px(row.h),
        });
      })}
    </section>`;
  }

  private func(f: FuncView, hook: string, state: string, style: Record<string, string>): TemplateResult {
    const rank = !f.awake ? "asleep" : f.rules > 0 ? "ruled" : "quiet";
    const priority = f.priority > 2e9 ? this.w("last") : String(f.priority).replace("-", "−");
    const about = [
      `${hook} ${f.name}`,
      `${this.w("priority")} ${priority}`,
      f.awake ? (f.rules > 0 ? this.w("n_rules", { n: f.rules }) : "") : this.w("asleep"),
      f.rules > 0 ? this.w("n_matched", { n: f.packets }) : "",
      state === "skipped" ? this.w("stepped_over") : "",
    ].filter(Boolean);
    return html`<button class="fn ${f.name} ${rank} ${state}" style=${styleMap(style)} title=${about.join(" · ")}
      aria-label=${about.join(", ")} aria-current=${state === "" ? "false" : "step"}
      @click=${() => {
        // Where the element for it was brought along: an embedded stage stays as it is.
        if (TABLES.has(f.name) && customElements.get("hw-zoom")) this.zoom = { hook, func: f.name };
        this.dispatchEvent(new CustomEvent("look", { bubbles: true, detail: { hook, func: f.name } }));
      }}>
      <span class="name">${f.name === "conntrack" ? "conntrack" : f.name}</span>
      ${state === "skipped" ? html`<span class="mark">${this.w("skipped")}</span>` : f.rules > 0 ? html`<span class="count">${f.rules}</span>` : ""}
      <span class="prio">${priority}</span>
    </button>`;
  }

  /** Other packets that are somewhere now: a line each, or one for many. */
  private companion(o: Companion, spot: Point): TemplateResult {
    const { packets, flight } = o;
    const [first] = packets;
    const label = flight ? `${flight.short || flight.proto} → ${join(flight.dst)}` : this.w("n_packets", { n: packets.length });
    return html`<button class="companion ${flight ? "" : "many"}" title=${packets.length > 1 ? packets.join(", ") : label}
      style=${styleMap({ transform: at(spot), width: px(CAPSULE), "--hue": String(hue(first!)) })}
      @click=${() => this.player.toPacket(first!)}>
      <span class="id">${first}${packets.length > 1 ? "…" : ""}</span><span class="label">${label}</span></button>`;
  }

  private capsule(f: FlightView, spot: { x: number; y: number }, view: View): TemplateResult {
    const main = f.packet === view.event?.packet;
    const entry = view.entries.find((e) => e.serial === f.entry);
    return html`<div class="capsule ${main ? "main" : ""} ${f.fate ?? ""} ${entry && !entry.confirmed ? "carries" : ""}"
      style=${styleMap({ transform: at(spot), width: px(CAPSULE), "--hue": String(hue(f.packet)) })}>
      <span class="tag"><span class="id">${f.packet}</span><span class="what">${f.short || f.proto}</span></span>
      <span class="ends">
        ${end(f.src)}
        <span class="to">→ ${end(f.dst)}</span>
      </span>
      ${f.fate === "dropped" ? html`<span class="fate">✕ ${this.w("dropped")}</span><span class="who">${main && view.event ? brief(this.language, view.event.fact) : ""}</span>` : ""}
      ${f.fate === "delivered" ? html`<span class="fate">✓ ${this.w("delivered")}</span>` : ""}
    </div>`;
  }
}

/** Packets beside the one in view that are drawn as one. */
interface Companion {
  place: Place;
  packets: number[];
  /** The packet, where it is only one. */
  flight?: FlightView;
}

/** Functions of hooks that have chains. */
const TABLES = new Set(["raw", "mangle", "nat", "filter", "security"]);

/** How many packets at one place get a line each. */
const EACH = 3;

/** Packets by place: a few stand for themselves, more of them for all. */
function gather(flights: FlightView[]): Companion[] {
  const places = new Map<string, FlightView[]>();
  for (const f of flights) {
    const key = f.place.at === "hook" ? `${f.place.hook} ${f.place.func}` : `${f.place.at} ${"output" in f.place ? f.place.output : ""}`;
    const there = places.get(key);
    if (there) there.push(f);
    else places.set(key, [f]);
  }
  // Where the whole map is busy, one line a place has to do.
  const each = places.size > 6 ? 1 : EACH;
  return [...places.values()].flatMap((there): Companion[] =>
    there.length <= each
      ? there.map((flight) => ({ place: flight.place, packets: [flight.packet], flight }))
      : [{ place: there[0]!.place, packets: there.map((f) => f.packet) }],
  );
}

const join = (e: FlightView["dst"]): string => (e.port === "" ? e.addr : e.addr.includes(":") ? `[${e.addr}]:${e.port}` : `${e.addr}:${e.port}`);

const at = (p: { x: number; y: number }): string => `translate(${px(p.x)}, ${px(p.y)})`;

/** An end in the capsule; what NAT replaced stays in view, struck through. */
function end(e: FlightView["src"]): TemplateResult {
  const port = e.port === "" ? "" : html`:${e.old_port === undefined || e.old_port === null ? "" : html`<del>${e.old_port}</del>`}<span class=${e.old_port ? "new" : ""}>${e.port}</span>`;
  return html`<span class="end">${e.old_addr ? html`<del class="line">${e.old_addr}</del>` : ""}<span class=${e.old_addr ? "new" : ""}>${e.addr}</span>${port}</span>`;
}

/** Lines in the capsule. */
const lines = (f: FlightView): number => 2 + (f.fate === "dropped" ? 2 : 0) + (f.src.old_addr ? 1 : 0) + (f.dst.old_addr ? 1 : 0);

customElements.define("hw-stage", Stage);
