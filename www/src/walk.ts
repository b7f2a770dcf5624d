/// The way of a packet through one table, read from its events: which chains, which rules, what came of each.
import type { EventView } from "./model.js";

/** A rule that was tested. */
export interface Tested {
  matched: boolean;
  /** The condition that failed, and the value that it met; empty where there is none to show. */
  cond: string;
  met: string;
  /** The event. */
  at: number;
}
/** A stay in a chain. */
export interface Visit {
  chain: string;
  /** The rule that led here, and how. */
  from?: { chain: string; rule: number; goto: boolean };
  tests: Map<number, Tested>;
  /** Left again, to this chain, to go on with this rule; by a RETURN rule, or at the end. */
  back?: { to: string; rule: number; explicit: boolean };
}
export interface Walk {
  visits: Visit[];
  /** The stay that the packet is in, or was in last. */
  current: number;
  /** The rule that it is at there, from 1; 0 before the first. */
  rule: number;
  /** What ended it: a verdict, the policy, a drop; or what kept it out (nat that was not consulted). */
  end?: EventView;
}

const arg = (e: EventView, name: string): string => e.fact.args.find(([k]) => k === name)?.[1] ?? "";
const ENDS = new Set(["Accept", "Policy", "Drop", "NatSkipped", "NatBound", "Queued"]);

/** Reads the events of one packet in one function of a hook. */
export function walk(events: EventView[]): Walk {
  const out: Walk = { visits: [], current: -1, rule: 0 };
  // Who called whom: places in `visits`.
  const stack: number[] = [];
  for (const e of events) {
    const here = out.visits[out.current];
    switch (e.kind) {
      case "Chain":
        out.current = out.visits.push({ chain: arg(e, "chain"), tests: new Map() }) - 1;
        out.rule = 0;
        break;
      case "Rule": {
        const n = Number(arg(e, "n"));
        here?.tests.set(n, { matched: e.fact.key === "rule.matched", cond: arg(e, "cond"), met: arg(e, "met"), at: e.n });
        out.rule = n;
        break;
      }
      case "Jump":
      case "Goto":
        if (!here) break;
        // Who goes to a chain is not come back to.
        if (e.kind === "Jump") stack.push(out.current);
        out.current = out.visits.push({ chain: arg(e, "to"), from: { chain: here.chain, rule: out.rule, goto: e.kind === "Goto" }, tests: new Map() }) - 1;
        out.rule = 0;
        break;
      case "Return": {
        const rule = Number(arg(e, "n"));
        if (here) here.back = { to: arg(e, "to"), rule, explicit: e.fact.key === "return.rule" };
        const to = stack.pop();
        if (to !== undefined) out.current = to;
        out.rule = rule - 1;
        break;
      }
      default:
        if (ENDS.has(e.kind)) out.end = e;
    }
  }
  return out;
}
