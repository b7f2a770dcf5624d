/// The simulator: the wasm package, loaded from beside the page and asked for runs.
import init, { Hookwalk } from "../pkg/hookwalk.js";
export { paste, replay } from "../pkg/hookwalk.js";
import wasmUrl from "../pkg/hookwalk_bg.wasm?url";
import type { Opened, Problem, Run } from "./model.js";

/** Loads the package, from `url` if it is not beside this file; what it gives turns a lab's text into a run. */
export async function simulator(url: string = wasmUrl): Promise<(text: string) => Opened> {
  await init({ module_or_path: url });
  return open;
}

/** The simulator's own side of each run. */
const walks = new WeakMap<Run, Hookwalk>();

export function open(text: string): Opened {
  let walk: Hookwalk;
  try {
    walk = Hookwalk.open(text);
  } catch (problems) {
    if (Array.isArray(problems)) return { ok: false, problems: problems as Problem[] };
    throw problems;
  }
  const lab = walk.lab();
  const run: Run = {
    lab,
    view: (at, station) => walk.view(at, station),
    events: (from, to) => walk.events(from, to),
    tables: (at, station) => walk.tables(at, station),
    complete: (text, line, col) => walk.complete(text, line, col),
    diverge: (before) => {
      const other = walks.get(before);
      return other ? walk.diverge(other) : null;
    },
    why: (question, at) => walk.why(question, at),
    index: () => ({ words: walk.index(), names: walk.names() }),
    heard: () => walk.heard(),
  };
  walks.set(run, walk);
  return { ok: true, run };
}
