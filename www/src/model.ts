/// What the page needs from a run. The simulator behind it is the wasm package; tests may put another one there.
import type { CompletionView, DivergenceView, EventView, HeardView, IndexNames, LabView, Problem, TableView, View, WhyView } from "../pkg/hookwalk.js";

export type * from "../pkg/hookwalk.js";

/** A run that can be looked at from any position. */
export interface Run {
  readonly lab: LabView;
  /** The state after `at` events, with this station in focus. */
  view(at: number, station: number): View;
  /** Events from `from` to before `to`. */
  events(from: number, to: number): EventView[];
  /** All tables of a host that exist. */
  tables(at: number, station: number): TableView[];
  /** What can stand in a text before a place, line and column from 1; absent where there is no simulator yet. */
  complete?(text: string, line: number, col: number): CompletionView;
  /** The first packet that takes another way here than in that run. */
  diverge?(before: Run): DivergenceView | null | undefined;
  /** The answer to a question such as `server nat POSTROUTING 1` or `packet 3`, as it stands after `at` events. */
  why(question: string, at: number): WhyView;
  /** All events in a few numbers each. */
  index(): { words: Uint32Array; names: IndexNames };
  /** What `conntrack -E` would have printed on every host. */
  heard(): HeardView[];
}

/** Either a run, or what is wrong with the text. */
export type Opened = { ok: true; run: Run } | { ok: false; problems: Problem[] };
