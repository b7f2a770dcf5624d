/// What a change of the text made different: the counters of rules at the end of the run, before and after.
import type { Run } from "./model.js";

/** One rule's packets, before and after; absent where the rule is only in one of the runs. */
export interface Change {
  where: string;
  rule: string;
  before?: string;
  after?: string;
}

/** Packets by place and rule, at the end of a run. */
export type Counted = Map<string, { where: string; rule: string; packets: string }>;

export function counters(run: Run): Counted {
  const counted: Counted = new Map();
  run.lab.stations.forEach((station, i) => {
    if (station.kind !== "host") return;
    for (const table of run.tables(run.lab.len, i)) {
      for (const chain of table.chains) {
        const seen = new Map<string, number>();
        for (const rule of chain.rules) {
          const where = `${station.name} ${table.family === "ip6" ? "ip6 " : ""}${table.table} ${chain.name}`;
          // The same rule may be there twice.
          const nth = (seen.get(rule.text) ?? 0) + 1;
          seen.set(rule.text, nth);
          counted.set(`${where}\n${rule.text}\n${nth}`, { where, rule: rule.text.replace(/^-A \S+ ?/, ""), packets: rule.cells[0] ?? "" });
        }
      }
    }
  });
  return counted;
}

export function differences(before: Counted, after: Counted): Change[] {
  const changes: Change[] = [];
  for (const [key, { where, rule, packets }] of before) {
    const now = after.get(key);
    if (!now) changes.push({ where, rule, before: packets });
    else if (now.packets !== packets) changes.push({ where, rule, before: packets, after: now.packets });
  }
  for (const [key, { where, rule, packets }] of after) {
    if (!before.has(key)) changes.push({ where, rule, after: packets });
  }
  return changes;
}
