/// Time in the reader's hand: which run, which position, and whether it moves. The page is drawn from this and nothing else.
import type { EventView, LabView, LineView, PacketSpan, Run, TableView, View } from "./model.js";

/** How many events of the list are fetched at once. */
const PAGE = 64;

/** How long a step is shown while playing, by how much it matters, in milliseconds. */
const DWELL = [170, 620, 1150];

/** What is a station of a packet's way, and not something that happens inside one. */
const STATIONS = new Set(["Line", "Carry", "Arrive", "Lost", "Receive", "Originate", "Hook", "Function", "Route", "Deliver", "Transmit", "Drop"]);

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
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Shows a run, at a position. */
  open(run: Run, at: number | undefined = undefined, station = -1): void {
    this.pause();
    this.run = run;
    this.#pages.clear();
    this.#before = undefined;
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
    const id = this.event(this.at - 1)?.packet;
    return this.lab?.packets.find((p) => p.id === id);
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
    const span = this.lab?.packets.find((p) => p.id === id);
    if (!span) return;
    this.pause();
    for (let n = Math.max(this.at, span.first); n < span.last; n++) {
      if (this.event(n)?.packet === id) return this.seek(n + 1);
    }
    this.seek(span.last);
  }
  /** To the next event that is a turn of the story: a verdict, a translation, an entry. */
  turn(by: 1 | -1): void {
    this.pause();
    for (let n = this.at + by; n > 0 && n <= this.len; n += by) {
      if ((this.event(n - 1)?.weight ?? 0) >= 2) return this.seek(n);
    }
    this.seek(by > 0 ? this.len : 0);
  }

  /** To the next function of a hook, or station of the way: over the rules and decisions inside. */
  over(by: 1 | -1): void {
    this.pause();
    for (let n = this.at + by; n > 0 && n <= this.len; n += by) {
      if (STATIONS.has(this.event(n - 1)?.kind ?? "")) return this.seek(n);
    }
    this.seek(by > 0 ? this.len : 0);
  }

  /** To the next event of these kinds; to the end if there is none. */
  runTo(kinds: readonly string[]): void {
    this.pause();
    for (let n = this.at; n < this.len; n++) {
      if (kinds.includes(this.event(n)?.kind ?? "")) return this.seek(n + 1);
    }
    this.seek(this.len);
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
      if (this.at >= this.len || this.stops.includes(this.at)) this.pause();
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
