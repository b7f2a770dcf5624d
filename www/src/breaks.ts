/// Breakpoints: where a run that plays, or is run on, is to stop. A breakpoint is a line of words, so that it can be kept
/// and shown: `rule server nat PREROUTING 2`, `chain server filter INPUT`, `hook FORWARD`, `kind drop`, `host router`.
import { GROUPS, type EventIndex, type Group } from "./events.js";
import type { EventView, LabView } from "./model.js";

export type Break = string;

export const ruleBreak = (host: string, table: string, chain: string, n: number): Break => `rule ${host} ${table} ${chain} ${n}`;
export const chainBreak = (host: string, table: string, chain: string): Break => `chain ${host} ${table} ${chain}`;

/** The test for a breakpoint: cheap by the index, and only where that fits by the event's words. */
export function stops(stop: Break, lab: LabView, index: EventIndex, event: (n: number) => EventView | undefined): (n: number) => boolean {
  const [what, a = "", b = "", c = "", d = ""] = stop.split(" ");
  const host = lab.stations.findIndex((s) => s.name === a);
  const named = (n: number, name: string): boolean => event(n)?.fact.args.some(([k, v]) => k === name && v === c) ?? false;
  switch (what) {
    case "rule":
      return (n) => {
        if (index.station(n) !== host || index.kind(n) !== "Rule") return false;
        const rule = index.rule(n);
        return rule?.table === b && rule.n === Number(d) && named(n, "chain");
      };
    case "chain":
      return (n) => {
        if (index.station(n) !== host) return false;
        const kind = index.kind(n);
        if (kind === "Chain") return index.func(n) === b && named(n, "chain");
        return (kind === "Jump" || kind === "Goto") && index.func(n) === b && named(n, "to");
      };
    case "hook":
      return (n) => index.kind(n) === "Hook" && index.hook(n) === a;
    case "kind":
      return (n) => a in GROUPS && index.is(n, GROUPS[a as Group]);
    case "host":
      return (n) => index.station(n) === host && (index.kind(n) === "Receive" || index.kind(n) === "Originate");
    case "packet":
      return (n) => index.packet(n) === Number(a) && (n === 0 || index.packet(n - 1) !== Number(a));
    default:
      return () => false;
  }
}
