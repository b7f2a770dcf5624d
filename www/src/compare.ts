/// What a change of the text made different: the counters of rules at the end of the run, before and after.
import type { Fact, LabView, Run } from "./model.js";

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

/** Where two texts differ: the lines, from 1, that are not the same, in the old and in the new one. */
export function changedLines(before: string, after: string): { from: number; was: number; is: number } {
  const [a, b] = [before.split("\n"), after.split("\n")];
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) from++;
  let tail = 0;
  while (tail < a.length - from && tail < b.length - from && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  return { from: from + 1, was: a.length - tail - from, is: b.length - tail - from };
}

/**
 * The position in a changed run that shows what the old one showed: the same line of the lab, as far into it. In what was
 * changed itself, the beginning of that.
 */
export function samePlace(before: LabView, after: LabView, at: number): number {
  if (at === 0) return 0;
  const ran = before.lines.findLast((l) => l.at <= at);
  if (!ran) return Math.min(at, after.len);
  const { from, was, is } = changedLines(before.text, after.text);
  let line = ran.line;
  if (line >= from + was) line += is - was;
  else if (line >= from) line = from;
  const index = after.lines.findIndex((l) => l.line >= line);
  const there = after.lines[index];
  if (!there) return after.len;
  if (there.line !== line) return there.at;
  const end = (after.lines[index + 1]?.at ?? after.len + 1) - 1;
  return Math.max(there.at, Math.min(there.at + (at - ran.at), end));
}

/** The first packet that goes another way: what happened to it before, and what happens now. */
export interface Parting {
  kind: "other" | "new" | "gone";
  /** Its number, now or before. */
  number: number;
  before: Fact | undefined;
  after: Fact | undefined;
  /** The position that shows it. */
  at: number | undefined;
}

export function parting(before: Run, after: Run): Parting | undefined {
  const found = after.diverge?.(before);
  if (!found) return undefined;
  const fact = (run: Run, n: number | undefined): Fact | undefined => (n === undefined ? undefined : run.events(n, n + 1)[0]?.fact);
  const kind = found.was === undefined ? "new" : found.is === undefined ? "gone" : "other";
  return { kind, number: found.is ?? found.was ?? 0, before: fact(before, found.before), after: fact(after, found.after), at: found.after === undefined ? undefined : found.after + 1 };
}
