/// Where everything stands on the hook map: a pure function of the width, the hooks and who is where.
import type { HookView, Place } from "./model.js";

export interface Point {
  x: number;
  y: number;
}
export interface Box extends Point {
  w: number;
  h: number;
}
export interface HookBox extends Box {
  hook: string;
  /** One box a function, in order. */
  rows: Box[];
}
export interface StageLayout {
  width: number;
  height: number;
  /** Hooks stacked instead of drawn as the classic figure. */
  narrow: boolean;
  hooks: HookBox[];
  process: Box;
  /** SVG paths of the wires, with what they join. */
  wires: { from: string; to: string; d: string }[];
  route: Point;
  join: Point;
  enter: Point;
  leave: Point;
}

/** A capsule to be placed. */
export interface Rider {
  place: Place;
  /** Height in pixels. */
  h: number;
}

const TITLE = 28;
const ROW = 25;
const GAP = 6;
/** The width of a capsule. */
export const CAPSULE = 184;
/** Below this width the hooks are stacked. */
export const NARROW = 600;

/** The height of a capsule with so many lines, its tag included. */
export const capsuleHeight = (lines: number): number => TAG + 10 + 15 * lines;
/** The height of the line that stands for another packet, or for many of them. */
export const MINI = 24;
/** How far a capsule's tag (number and kind of packet) stands above its frame. */
export const TAG = 10;

/** The room that riders take under a function of a hook. */
function slot(riders: Rider[], hook: string, func: number): number {
  let room = 0;
  for (const { place, h } of riders) {
    if (place.at === "hook" && place.hook === hook && Math.max(place.func, -1) === func) room += h + GAP;
  }
  return room;
}

function vertical(hook: HookView, x: number, y: number, w: number, riders: Rider[]): HookBox {
  let at = y + TITLE + slot(riders, hook.hook, -1);
  const rows = hook.funcs.map((_, i) => {
    const row = { x, y: at, w, h: ROW };
    at += ROW + slot(riders, hook.hook, i);
    return row;
  });
  return { hook: hook.hook, x, y, w, h: at - y + 4, rows };
}

function horizontal(hook: HookView, x: number, y: number, w: number, riders: Rider[]): HookBox {
  const n = Math.max(1, hook.funcs.length);
  const each = (w - 8) / n;
  const rows = hook.funcs.map((_, i) => ({ x: x + 4 + i * each, y: y + TITLE, w: each - 4, h: ROW }));
  let room = 0;
  for (let i = -1; i < hook.funcs.length; i++) room = Math.max(room, slot(riders, hook.hook, i));
  return { hook: hook.hook, x, y, w, h: TITLE + ROW + 6 + room, rows };
}

/** Chips that wrap, for the stacked form. */
function chips(hook: HookView, x: number, y: number, w: number, riders: Rider[]): HookBox {
  const rows: Box[] = [];
  let cx = x + 8;
  let cy = y + TITLE;
  let room = slot(riders, hook.hook, -1);
  hook.funcs.forEach((f, i) => {
    const cw = 22 + f.name.length * 7.4;
    if (cx + cw > x + w - 8) {
      cx = x + 8;
      cy += ROW + 4;
    }
    rows.push({ x: cx, y: cy, w: cw, h: ROW });
    cx += cw + 4;
    room += slot(riders, hook.hook, i);
  });
  return { hook: hook.hook, x, y, w, h: cy + ROW + 8 - y + room, rows };
}

const ORDER = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/** Lays the map out. `path` names the hooks that the packet in view meets, in order, for the stacked form. */
export function layout(width: number, hooks: HookView[], riders: Rider[], path: string[] = []): StageLayout {
  const find = (name: string): HookView => hooks.find((h) => h.hook === name) ?? { hook: name, funcs: [] };
  if (width < NARROW) return stacked(width, ORDER.map(find), riders, path);

  const pad = Math.max(14, Math.round(width * 0.022));
  const wide = Math.round(width * 0.052);
  const small = Math.max(12, Math.round(width * 0.026));
  const procW = Math.max(74, Math.round(width * 0.11));
  const hookW = Math.floor((width - 2 * pad - 2 * wide - 2 * small - procW) / 4);
  const x0 = pad;
  const x1 = x0 + hookW + wide;
  const xp = x1 + hookW + small;
  const x2 = xp + procW + small;
  const x3 = x2 + hookW + wide;
  const top = 6;

  const input = vertical(find("INPUT"), x1, top, hookW, riders);
  const output = vertical(find("OUTPUT"), x2, top, hookW, riders);
  const upper = Math.max(input.h, output.h, 5 * ROW + TITLE + 4 + 60);
  const fy = top + upper + 22;
  const forward = horizontal(find("FORWARD"), x1, fy, x2 + hookW - x1, riders);
  const rowsOf = (n: string): number => find(n).funcs.length * ROW + TITLE + 4;
  const base = top + 7 * ROW + TITLE + 26;
  const preY = Math.max(top + 58, Math.round((base - rowsOf("PREROUTING")) / 2) + 12);
  const pre = vertical(find("PREROUTING"), x0, preY, hookW, riders);
  const postY = Math.max(top + 58, Math.round((base - rowsOf("POSTROUTING")) / 2) + 12);
  const post = vertical(find("POSTROUTING"), x3, postY, hookW, riders);

  let procH = 62;
  for (const r of riders) if (r.place.at === "local") procH += r.h + GAP;
  const process = { x: xp, y: top, w: procW, h: procH };
  const line = top + TITLE / 2;
  const preLine = preY + TITLE / 2;
  const postLine = postY + TITLE / 2;
  const fLine = fy + TITLE / 2;
  const route = { x: x0 + hookW + wide / 2, y: preLine };
  const join = { x: x3 - wide / 2, y: postLine };
  const wires = [
    { from: "in", to: "PREROUTING", d: `M0 ${preLine}H${x0}` },
    { from: "PREROUTING", to: "route", d: `M${x0 + hookW} ${preLine}H${route.x}` },
    { from: "route", to: "INPUT", d: `M${route.x} ${preLine}V${line}H${x1}` },
    { from: "route", to: "FORWARD", d: `M${route.x} ${preLine}V${fLine}H${x1}` },
    { from: "INPUT", to: "local", d: `M${x1 + hookW} ${line}H${xp}` },
    { from: "local", to: "OUTPUT", d: `M${xp + procW} ${line}H${x2}` },
    { from: "OUTPUT", to: "join", d: `M${x2 + hookW} ${line}H${join.x}V${postLine}` },
    { from: "FORWARD", to: "join", d: `M${x2 + hookW} ${fLine}H${join.x}V${postLine}` },
    { from: "join", to: "POSTROUTING", d: `M${join.x} ${postLine}H${x3}` },
    { from: "POSTROUTING", to: "out", d: `M${x3 + hookW} ${postLine}H${width}` },
  ];
  const boxes = [pre, input, forward, output, post];
  const height = Math.max(...boxes.map((b) => b.y + b.h), process.y + process.h) + 8;
  return {
    width,
    height,
    narrow: false,
    hooks: boxes,
    process,
    wires,
    route,
    join,
    enter: { x: 0, y: preLine },
    leave: { x: width, y: postLine },
  };
}

function stacked(width: number, hooks: HookView[], riders: Rider[], path: string[]): StageLayout {
  const shown = path.length > 0 ? path : ["PREROUTING", "INPUT", "local", "OUTPUT", "POSTROUTING"];
  const x = 2;
  const w = width - 4;
  let y = 14;
  const boxes: HookBox[] = [];
  let process: Box = { x, y: -1000, w, h: 0 };
  const wires: StageLayout["wires"] = [];
  let before = "in";
  const mid = width / 2;
  const wire = (to: string): void => {
    wires.push({ from: before, to, d: `M${mid} ${y - 14}V${y}` });
    before = to;
  };
  for (const name of shown) {
    wire(name);
    if (name === "local") {
      let h = 30;
      for (const r of riders) if (r.place.at === "local") h += r.h + GAP;
      process = { x, y, w, h };
      y += h + 14;
      continue;
    }
    const hook = hooks.find((h) => h.hook === name) ?? { hook: name, funcs: [] };
    const box = chips(hook, x, y, w, riders);
    boxes.push(box);
    y += box.h + 14;
  }
  wire("out");
  return {
    width,
    height: y + 2,
    narrow: true,
    hooks: boxes,
    process,
    wires,
    route: { x: mid, y: (boxes[0]?.y ?? 0) + (boxes[0]?.h ?? 0) + 7 },
    join: { x: mid, y: (boxes.at(-1)?.y ?? 14) - 7 },
    enter: { x: mid, y: 0 },
    leave: { x: mid, y },
  };
}

/** Where the i-th rider's capsule stands: its top left corner. Riders at one place stand under one another. */
export function positions(map: StageLayout, riders: Rider[]): Point[] {
  const used = new Map<string, number>();
  return riders.map(({ place, h }) => {
    const key = JSON.stringify([place.at, "hook" in place ? [place.hook, place.func] : ""]);
    const above = used.get(key) ?? 0;
    used.set(key, above + h + GAP);
    const p = anchor(map, place, h);
    const x = Math.min(Math.max(p.x - CAPSULE / 2, 2), Math.max(2, map.width - CAPSULE - 2));
    return { x, y: p.y + above };
  });
}

/** The middle of a capsule's upper edge at a place. */
function anchor(map: StageLayout, place: Place, h: number): Point {
  switch (place.at) {
    case "hook": {
      const box = map.hooks.find((b) => b.hook === place.hook);
      if (!box) return map.enter;
      const row = box.rows[place.func];
      if (map.narrow && !row) return { x: box.x + CAPSULE / 2 + 8, y: (box.rows.at(-1)?.y ?? box.y) + ROW + 4 };
      // The forward hook's functions stand side by side: before the first is left of it, below the line.
      if (!row && box.rows[0]?.y === box.rows[1]?.y && box.rows.length > 1) return { x: box.x + CAPSULE / 2 + 8, y: box.y + TITLE + ROW + 3 };
      if (!row) return { x: box.x + box.w / 2, y: box.y + TITLE };
      if (map.narrow) {
        const last = box.rows.at(-1) ?? row;
        return { x: Math.max(row.x + row.w / 2, box.x + CAPSULE / 2 + 4), y: last.y + ROW + 4 };
      }
      return { x: row.x + row.w / 2, y: row.y + ROW + 3 };
    }
    case "route": {
      if (map.narrow) return { x: map.width / 2, y: (place.output ? map.join : map.route).y - h / 2 };
      // Over the outer boxes, where nothing else stands, up to the wire that the packet is on.
      if (place.output) return { x: map.join.x + CAPSULE / 2 + 10, y: map.join.y - h - 24 };
      return { x: map.route.x - CAPSULE / 2 - 4, y: map.route.y - h - 24 };
    }
    case "local":
      return { x: map.process.x + map.process.w / 2, y: map.process.y + (map.narrow ? 26 : 58) };
    case "transmit":
      return map.narrow ? { x: map.width / 2, y: map.leave.y - h } : { x: map.leave.x, y: map.leave.y - h - 24 };
    case "receive":
    case "link":
      return map.narrow ? { x: map.width / 2, y: 2 } : { x: map.enter.x, y: map.enter.y - h - 24 };
  }
}
