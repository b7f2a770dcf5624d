// Runs the laps of the bench's wasm and looks at the clock: the same file in Node and in the browser.

// A lap is repeated for this long; the best one counts.
const BUDGET = { quick: 200, whole: 1200 };

/** The best of several runs, in milliseconds. */
function best(times, act) {
  let best = Infinity;
  for (let i = 0; i < times; i++) {
    const began = performance.now();
    act(i);
    best = Math.min(best, performance.now() - began);
  }
  return best;
}

/** `bench` is the bench's module, made ready; `page` the page's, not made ready, with its bytes and a lab's text. */
export async function measure(bench, page, only, how) {
  const laps = {};
  for (const name of bench.workloads().split("\n")) {
    if (only && only !== name) continue;
    const workload = new bench.Bench(name);
    const end = performance.now() + BUDGET[how];
    laps[name] = 0;
    do {
      workload.prepare();
      const began = performance.now();
      let packets = 0;
      // A clock of the browser's may be coarse, so short laps are timed together.
      do packets += workload.lap();
      while (packets < 20000);
      laps[name] = Math.max(laps[name], (packets / (performance.now() - began)) * 1000);
    } while (performance.now() < end);
    workload.free();
  }
  if (only) return { laps, start: {} };
  const start = {};
  if (page) {
    const began = performance.now();
    await page.module.default({ module_or_path: page.bytes });
    page.module.Hookwalk.open(page.lab);
    start.first = performance.now() - began;
  }
  const dump = bench.dump(6200);
  start.load = best(10, () => bench.load(dump));
  const edited = new bench.Edited(1000);
  start.edit = best(10, () => edited.edit());
  const began = performance.now();
  const recorded = new bench.Recorded(1_000_000);
  const events = recorded.events();
  start.record = (events / (performance.now() - began)) * 1000;
  start.seek = 0;
  let at = 1;
  for (let i = 0; i < 60; i++) {
    at = (Math.imul(at, 2654435761) + 12345) >>> 0;
    start.seek = Math.max(start.seek, best(1, () => recorded.seek(at % events)));
  }
  return { laps, start };
}
