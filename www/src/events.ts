/// All events of a run at once, a few numbers each: what filters, breakpoints and "run to" look through. The words of an
/// event are fetched only where somebody reads them.
import type { IndexNames } from "./model.js";

/** How many numbers an event takes, and which bits are what: see crates/wasm/src/index.rs. */
const WORDS = 3;

/** Stations of a packet's way, and not something that happens inside one. */
const STATIONS = ["Line", "Carry", "Arrive", "Lost", "Receive", "Originate", "Hook", "Function", "Route", "Deliver", "Transmit", "Drop"];
/** Where a hook has been left. */
const OUTSIDE = ["Line", "Carry", "Arrive", "Lost", "Receive", "Originate", "Hook", "Deliver", "Transmit", "Drop"];

/** Kinds of events in groups that people look for. */
export const GROUPS = {
  verdict: ["Accept", "Policy", "Drop", "Lost", "Deliver", "Transmit"],
  drop: ["Drop", "Lost", "UnconfirmedGone"],
  nat: ["NatConsulted", "NatSkipped", "NatBound", "Rewrite", "RewriteQuoted"],
  rewrite: ["Rewrite", "RewriteQuoted"],
  conntrack: ["CtKept", "CtFound", "CtNew", "CtInvalid", "CtUntracked", "TcpState", "SeenReply", "Assured", "Timeout", "Confirmed", "Clash", "UnconfirmedGone", "EntryGone", "Expect"],
  entry: ["CtNew", "Confirmed", "EntryGone", "UnconfirmedGone", "Clash"],
  rule: ["Rule", "Jump", "Goto", "Return", "Policy", "Accept", "Set", "Logged", "NotSimulated"],
  route: ["Route", "TtlDecrement", "Fragmented", "FragmentHeld", "Reassembled"],
  wire: ["Carry", "Arrive", "Lost", "Receive", "Transmit"],
  line: ["Line"],
} as const;
export type Group = keyof typeof GROUPS;

/** What a list of events may be narrowed to. */
export interface Narrow {
  packet?: number;
  station?: number;
  hook?: string;
  /** A function of a hook, tables among them. */
  func?: string;
  group?: Group;
}

export class EventIndex {
  readonly len: number;
  #words: Uint32Array;
  #names: IndexNames;
  #sets = new Map<readonly string[], Uint8Array>();

  constructor(words: Uint32Array, names: IndexNames) {
    this.#words = words;
    this.#names = names;
    this.len = words.length / WORDS;
  }

  packet(n: number): number {
    return this.#words[n * WORDS] ?? 0;
  }
  #bits(n: number): number {
    return this.#words[n * WORDS + 1] ?? 0;
  }
  kind(n: number): string {
    return this.#names.kinds[this.#bits(n) & 63] ?? "";
  }
  station(n: number): number {
    return (this.#bits(n) >> 6) & 1023;
  }
  hook(n: number): string | undefined {
    return this.#names.hooks[((this.#bits(n) >> 16) & 7) - 1];
  }
  func(n: number): string | undefined {
    return this.#names.funcs[((this.#bits(n) >> 19) & 15) - 1];
  }
  weight(n: number): number {
    return (this.#bits(n) >> 23) & 3;
  }
  /** The rule that the event is about: its table and its number, from 1. Its chain is in the event's words. */
  rule(n: number): { table: string; n: number } | undefined {
    const bits = this.#words[n * WORDS + 2] ?? 0;
    return bits === 0 ? undefined : { table: this.#names.tables[(bits & 7) - 1] ?? "", n: (bits >> 3) & 0xffff };
  }
  /** Is the event of one of these kinds? */
  is(n: number, kinds: readonly string[]): boolean {
    let set = this.#sets.get(kinds);
    if (!set) {
      set = new Uint8Array(64);
      for (const k of kinds) {
        const i = this.#names.kinds.indexOf(k);
        if (i >= 0) set[i] = 1;
      }
      this.#sets.set(kinds, set);
    }
    return set[this.#bits(n) & 63] === 1;
  }
  isStation(n: number): boolean {
    return this.is(n, STATIONS);
  }
  isOutside(n: number): boolean {
    return this.is(n, OUTSIDE);
  }

  /** The first event from `from` on, in this direction, that passes; −1 if none does. */
  find(from: number, by: 1 | -1, test: (n: number) => boolean): number {
    for (let n = from; n >= 0 && n < this.len; n += by) if (test(n)) return n;
    return -1;
  }

  /** The numbers of the events that are left of all. */
  narrow(to: Narrow): number[] {
    const kinds = to.group ? GROUPS[to.group] : undefined;
    const found: number[] = [];
    for (let n = 0; n < this.len; n++) {
      if (to.packet !== undefined && this.packet(n) !== to.packet) continue;
      if (to.station !== undefined && this.station(n) !== to.station) continue;
      if (to.hook !== undefined && this.hook(n) !== to.hook) continue;
      if (to.func !== undefined && this.func(n) !== to.func) continue;
      if (kinds && !this.is(n, kinds)) continue;
      found.push(n);
    }
    return found;
  }
}
