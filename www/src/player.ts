/// Time in the reader's hand: which run, which position, and whether it moves. The page is drawn from this and nothing else.
import { stops, type Break } from "./breaks.js";
import { EventIndex, GROUPS, type Group } from "./events.js";
import type { EventView, HeardView, LabView, LineView, PacketSpan, Run, TableView, View } from "./model.js";

/** How many events of the list are fetched at once. */
const PAGE = 64;

/** How long a step is shown while playing, by how much it matters, in milliseconds. */
const DWELL = [170, 620, 1150];

export class Player extends EventTarget {
  run: Run | undefined;
  at = 0;
  station = 0;
  playing = false;
  speed = 1;
  /** The station was chosen by the reader; else it follows the packets. */
  pinned = false;
  #view: View | undefined;
  #tables: TableView[] | undefined;
  #before: { key: string; tables: TableView[] } | undefined;
  #pages = new Map<number, EventView[]>();
  #index: EventIndex | undefined;
  #heard: HeardView[] | undefined;
  #spans: Map<number, PacketSpan> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Where playing and running on stop, beside the lab's own stops. */
  breaks: Break[] = [];
  /** The breakpoint that stopped it here. */
  stopped: Break | undefined;
  #tests: { key: string; tests: { stop: Break; test: (n: number) => boolean }[] } | undefined;

  /** Shows a run, at a position. */
  open(run: Run, at: number | undefined = undefined, station = -1): void {
    this.pause();
    this.run = run;
    this.#pages.clear();
    this.#before = undefined;
    this.#index = undefined;
    this.#heard = undefined;
    this.#spans = undefined;
    this.#tests = undefined;
    const hosts = run.lab.stations.map((s, i) => (s.kind === "host" ? i : -1)).filter((i) => i >= 0);
    this.pinned = hosts.includes(station);
    this.station = this.pinned ? station : (hosts[0] ?? 0);
    this.at = Math.min(Math.max(0, at ?? this.start), run.lab.len);
    this.#moved();
  }

  get lab(): LabView | undefined {
    return this.run?.lab;
  }
  get len(): number {
    return this.run?.lab.len ?? 0;
  }

  /** The state at the position. */
  get view(): View | undefined {
    if (!this.#view && this.run) this.#view = this.run.view(this.at, this.station);
    return this.#view;
  }
  /** The tables of the host in focus at the position. */
  get tables(): TableView[] {
    if (!this.#tables) this.#tables = this.run?.tables(this.at, this.station) ?? [];
    return this.#tables;
  }
  /** The tables as they were when the line that runs now began: what its packets added shows against them. */
  get tablesBefore(): TableView[] {
    const start = this.lineStart(this.at);
    const key = `${this.station}@${start}`;
    if (this.#before?.key !== key) this.#before = { key, tables: this.run?.tables(start, this.station) ?? [] };
    return this.#before.tables;
  }

  /** The event with this number. */
  event(n: number): EventView | undefined {
    if (!this.run || n < 0 || n >= this.len) return undefined;
    const page = Math.floor(n / PAGE);
    let events = this.#pages.get(page);
    if (!events) {
      events = this.run.events(page * PAGE, Math.min(this.len, (page + 1) * PAGE));
      if (this.#pages.size > 64) this.#pages.clear();
      this.#pages.set(page, events);
    }
    return events[n - page * PAGE];
  }

  /** The packet that the position is in. */
  get packet(): PacketSpan | undefined {
    return this.span(this.event(this.at - 1)?.packet ?? 0);
  }
  /** The life of a packet. */
  span(id: number): PacketSpan | undefined {
    this.#spans ??= new Map((this.lab?.packets ?? []).map((p) => [p.id, p]));
    return this.#spans.get(id);
  }
  /** All events in a few numbers each. */
  get index(): EventIndex {
    if (!this.#index) {
      const { words, names } = this.run?.index() ?? { words: new Uint32Array(), names: { kinds: [], hooks: [], funcs: [], tables: [] } };
      this.#index = new EventIndex(words, names);
    }
    return this.#index;
  }
  /** What `conntrack -E` would have printed, on every host. */
  get heard(): HeardView[] {
    this.#heard ??= this.run?.heard() ?? [];
    return this.#heard;
  }

  /** The line of the lab that has just begun at a position. */
  line(at: number): LineView | undefined {
    return this.lab?.lines.find((l) => l.at === at);
  }
  /** Where the story begins: everything is set up, and the first packet is about to be sent. */
  get start(): number {
    const first = this.lab?.packets[0]?.first ?? 0;
    return Math.max(0, first - 1);
  }

  lineStart(at: number): number {
    let start = 0;
    for (const line of this.lab?.lines ?? []) if (line.kind === "packet" && line.at < at) start = line.at;
    return start;
  }

  /** Goes to a position. */
  seek(at: number): void {
    const to = Math.min(Math.max(0, Math.round(at)), this.len);
    if (to === this.at) return;
    this.at = to;
    this.stopped = undefined;
    const event = this.event(to - 1);
    if (event && !this.pinned && this.lab?.stations[event.station]?.kind === "host") this.station = event.station;
    this.#moved();
  }
  /** Looks at a station and stays with it. */
  focus(station: number): void {
    // Chosen once more, it is let go: the view follows the packets again.
    this.pinned = !(this.pinned && this.station === station);
    this.station = station;
    this.#moved();
  }
  /** One event on or back. */
  step(by: 1 | -1): void {
    this.pause();
    this.seek(this.at + by);
  }
  /** To where the next packet begins, or the one before. */
  stepPacket(by: 1 | -1): void {
    this.pause();
    const firsts = [0, ...(this.lab?.packets ?? []).map((p) => p.first + 1), this.len].sort((a, b) => a - b);
    const next = by > 0 ? firsts.find((f) => f > this.at) : firsts.findLast((f) => f < this.at);
    this.seek(next ?? (by > 0 ? this.len : 0));
  }
  /** To the next event of a packet; to its last one if there is none. */
  toPacket(id: number): void {
    const span = this.span(id);
    if (!span) return;
    this.pause();
    const next = this.index.find(Math.max(this.at, span.first), 1, (n) => this.index.packet(n) === id);
    this.seek(next < 0 || next >= span.last ? span.last : next + 1);
  }
  /** To the next event, in this direction, that passes; else to the end on that side. */
  #to(by: 1 | -1, test: (n: number) => boolean): void {
    this.pause();
    const n = this.index.find(this.at - 1 + by, by, test);
    this.seek(n >= 0 ? n + 1 : by > 0 ? this.len : 0);
  }
  /** To the next event that is a turn of the story: a verdict, a translation, an entry. */
  turn(by: 1 | -1): void {
    this.#to(by, (n) => this.index.weight(n) >= 2);
  }
  /** A station of the way of the packet that the position is in, or of whichever has its turn when that one has ended. */
  #mine(test: (n: number) => boolean): (n: number) => boolean {
    const span = this.packet;
    return (n) => (!span || n < span.first || n >= span.last || this.index.packet(n) === span.id) && test(n);
  }
  /** To the packet's next function of a hook, or station of its way: over the rules and decisions inside. */
  over(by: 1 | -1): void {
    this.#to(by, this.#mine((n) => this.index.isStation(n)));
  }
  /** Out of the hook: to where the packet goes next. */
  out(by: 1 | -1): void {
    this.#to(by, this.#mine((n) => this.index.isOutside(n)));
  }
  /** To the packet's next rule. */
  rule(by: 1 | -1): void {
    this.#to(by, (n) => this.index.kind(n) === "Rule");
  }
  /** To the next event of a group; to the end if there is none. */
  runTo(group: Group, by: 1 | -1 = 1): void {
    const kinds = GROUPS[group];
    this.#to(by, (n) => this.index.is(n, kinds));
  }

  /** Sets a breakpoint, or takes it away. */
  toggleBreak(stop: Break): void {
    this.breaks = this.breaks.includes(stop) ? this.breaks.filter((b) => b !== stop) : [...this.breaks, stop];
    this.#tell();
  }
  /** The breakpoint that an event meets. */
  #met(n: number): Break | undefined {
    const { lab } = this;
    if (this.breaks.length === 0 || !lab) return undefined;
    const key = this.breaks.join("\n");
    if (this.#tests?.key !== key) {
      this.#tests = { key, tests: this.breaks.map((stop) => ({ stop, test: stops(stop, lab, this.index, (i) => this.event(i)) })) };
    }
    return this.#tests.tests.find(({ test }) => test(n))?.stop;
  }
  /** Runs to the next breakpoint, or back to the one before; to the end if there is none. */
  runToBreak(by: 1 | -1 = 1): void {
    this.#to(by, (n) => this.#met(n) !== undefined);
    this.stopped = this.at > 0 ? this.#met(this.at - 1) : undefined;
    this.#tell();
  }

  /** Plays; at the end it begins anew. */
  play(): void {
    if (!this.run) return;
    if (this.at >= this.len) this.seek(this.start);
    this.playing = true;
    this.#tick();
    this.#tell();
  }
  pause(): void {
    if (!this.playing && this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.playing = false;
    this.#tell();
  }
  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }
  setSpeed(speed: number): void {
    this.speed = speed;
    this.#tell();
  }

  /** Positions where the lab speaks. */
  get stops(): number[] {
    return (this.lab?.lines ?? []).filter((l) => l.kind === "say" || l.kind === "ask").map((l) => l.at);
  }

  #tick(): void {
    clearTimeout(this.#timer);
    const dwell = DWELL[this.event(this.at)?.weight ?? 0] ?? DWELL[0]!;
    this.#timer = setTimeout(() => {
      if (!this.playing) return;
      this.seek(this.at + 1);
      this.stopped = this.#met(this.at - 1);
      if (this.at >= this.len || this.stopped || this.stops.includes(this.at)) this.pause();
      else this.#tick();
    }, dwell / this.speed);
  }
  #moved(): void {
    this.#view = undefined;
    this.#tables = undefined;
    this.#tell();
  }
  #tell(): void {
    this.dispatchEvent(new Event("change"));
  }
}
