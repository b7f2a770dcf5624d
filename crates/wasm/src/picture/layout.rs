//! Where everything stands on a picture's stage: the rules of the page's `www/src/layout.ts` and `network.ts`, in tenths of
//! a pixel, so that no fraction has to be printed. A test of the page lays out both and compares.

use crate::view::{HookView, LabView, Place, StationKind};

/// Pixels to tenths.
pub(crate) const fn px(n: i32) -> i32 {
    n * 10
}

/// A point, in tenths of a pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: i32,
    pub(crate) y: i32,
}

/// A box, in tenths of a pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) w: i32,
    pub(crate) h: i32,
}

/// A hook's box and one box for each of its functions, in order.
#[derive(Clone, Debug)]
pub(crate) struct HookBox {
    pub(crate) hook: &'static str,
    pub(crate) at: Rect,
    pub(crate) rows: Vec<Rect>,
}

/// A wire of the map: what it joins, and its corners.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) through: Vec<Point>,
}

/// The hook map.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) hooks: Vec<HookBox>,
    pub(crate) process: Rect,
    pub(crate) wires: Vec<Wire>,
    pub(crate) route: Point,
    join: Point,
    enter: Point,
    leave: Point,
}

/// A capsule to be placed: where its packet is, and its height in tenths.
pub(crate) struct Rider {
    pub(crate) place: Place,
    pub(crate) h: i32,
}

/// Heights of a hook's title and of a function, the gap between capsules, their width and what their tag adds.
pub(crate) const TITLE: i32 = px(28);
const ROW: i32 = px(25);
const GAP: i32 = px(6);
pub(crate) const CAPSULE: i32 = px(184);
pub(crate) const TAG: i32 = px(10);
/// The height of the line that stands for another packet, or for many of them.
pub(crate) const MINI: i32 = px(24);

/// The height of a capsule with so many lines, its tag included.
pub(crate) const fn capsule_height(lines: i32) -> i32 {
    TAG + px(10) + px(15) * lines
}

/// The room that riders take under a function of a hook.
fn slot(riders: &[Rider], name: &str, index: i32) -> i32 {
    let here = |r: &&Rider| matches!(&r.place, Place::Hook { hook, func } if hook == name && (*func).max(-1) == index);
    riders.iter().filter(here).map(|r| r.h + GAP).sum()
}

fn vertical(name: &'static str, funcs: usize, x: i32, y: i32, w: i32, riders: &[Rider]) -> HookBox {
    let mut at = y + TITLE + slot(riders, name, -1);
    let mut rows = Vec::with_capacity(funcs);
    for i in 0..funcs {
        rows.push(Rect { x, y: at, w, h: ROW });
        at += ROW + slot(riders, name, i as i32);
    }
    HookBox { hook: name, at: Rect { x, y, w, h: at - y + px(4) }, rows }
}

fn horizontal(name: &'static str, funcs: usize, x: i32, y: i32, w: i32, riders: &[Rider]) -> HookBox {
    let each = (w - px(8)) / (funcs.max(1) as i32);
    let row = |i: usize| Rect { x: x + px(4) + i as i32 * each, y: y + TITLE, w: each - px(4), h: ROW };
    let room = (-1..funcs as i32).map(|i| slot(riders, name, i)).max().unwrap_or(0);
    HookBox {
        hook: name,
        at: Rect { x, y, w, h: TITLE + ROW + px(6) + room },
        rows: (0..funcs).map(row).collect(),
    }
}

/// `width` in pixels times thousandths, rounded to whole pixels.
fn share(width: i32, thousandths: i32) -> i32 {
    (width * thousandths + 500) / 1000
}

/// Lays the map out in its wide form, for a width in pixels of 600 or more.
pub(crate) fn map(width: i32, hooks: &[HookView], riders: &[Rider]) -> Map {
    let count = |name: &str| hooks.iter().find(|h| h.hook == name).map_or(0, |h| h.funcs.len());
    let pad = share(width, 22).max(14);
    let wide = share(width, 52);
    let small = share(width, 26).max(12);
    let process_w = share(width, 110).max(74);
    let hook_w = (width - 2 * pad - 2 * wide - 2 * small - process_w) / 4;
    let x0 = pad;
    let x1 = x0 + hook_w + wide;
    let xp = x1 + hook_w + small;
    let x2 = xp + process_w + small;
    let x3 = x2 + hook_w + wide;
    let (x0, x1, xp, x2, x3, w) = (px(x0), px(x1), px(xp), px(x2), px(x3), px(hook_w));
    let top = px(6);

    let input = vertical("INPUT", count("INPUT"), x1, top, w, riders);
    let output = vertical("OUTPUT", count("OUTPUT"), x2, top, w, riders);
    let upper = input.at.h.max(output.at.h).max(5 * ROW + TITLE + px(64));
    let fy = top + upper + px(22);
    let forward = horizontal("FORWARD", count("FORWARD"), x1, fy, x2 + w - x1, riders);
    let base = top + 7 * ROW + TITLE + px(26);
    let outer = |name: &'static str, x: i32| {
        let rows = count(name) as i32 * ROW + TITLE + px(4);
        // Half of it, rounded up to whole pixels.
        let middle = px(((base - rows) / 10 + 1).div_euclid(2)) + px(12);
        vertical(name, count(name), x, middle.max(top + px(58)), w, riders)
    };
    let pre = outer("PREROUTING", x0);
    let post = outer("POSTROUTING", x3);

    let local: i32 = riders.iter().filter(|r| matches!(r.place, Place::Local)).map(|r| r.h + GAP).sum();
    let process = Rect { x: xp, y: top, w: px(process_w), h: px(62) + local };
    let line = top + TITLE / 2;
    let (pre_line, post_line) = (pre.at.y + TITLE / 2, post.at.y + TITLE / 2);
    let f_line = fy + TITLE / 2;
    let route = Point { x: x0 + w + px(wide) / 2, y: pre_line };
    let join = Point { x: x3 - px(wide) / 2, y: post_line };
    let edge = px(width);
    let wire = |from, to, through: &[(i32, i32)]| Wire {
        from,
        to,
        through: through.iter().map(|&(x, y)| Point { x, y }).collect(),
    };
    let process_end = xp + process.w;
    let wires = vec![
        wire("in", "PREROUTING", &[(0, pre_line), (x0, pre_line)]),
        wire("PREROUTING", "route", &[(x0 + w, pre_line), (route.x, pre_line)]),
        wire("route", "INPUT", &[(route.x, pre_line), (route.x, line), (x1, line)]),
        wire("route", "FORWARD", &[(route.x, pre_line), (route.x, f_line), (x1, f_line)]),
        wire("INPUT", "local", &[(x1 + w, line), (xp, line)]),
        wire("local", "OUTPUT", &[(process_end, line), (x2, line)]),
        wire("OUTPUT", "join", &[(x2 + w, line), (join.x, line), (join.x, post_line)]),
        wire("FORWARD", "join", &[(x2 + w, f_line), (join.x, f_line), (join.x, post_line)]),
        wire("join", "POSTROUTING", &[(join.x, post_line), (x3, post_line)]),
        wire("POSTROUTING", "out", &[(x3 + w, post_line), (edge, post_line)]),
    ];
    let hooks = vec![pre, input, forward, output, post];
    let lowest = hooks.iter().map(|b| b.at.y + b.at.h).max().unwrap_or(0);
    Map {
        width: edge,
        height: lowest.max(process.y + process.h) + px(8),
        hooks,
        process,
        wires,
        route,
        join,
        enter: Point { x: 0, y: pre_line },
        leave: Point { x: edge, y: post_line },
    }
}

/// Where each rider's capsule stands: its top left corner. Riders at one place stand under one another.
pub(crate) fn positions(map: &Map, riders: &[Rider]) -> Vec<Point> {
    let mut spots = Vec::with_capacity(riders.len());
    for (i, rider) in riders.iter().enumerate() {
        let before = riders[..i].iter().filter(|r| same_spot(&r.place, &rider.place));
        let above: i32 = before.map(|r| r.h + GAP).sum();
        let p = anchor(map, &rider.place, rider.h);
        let x = (p.x - CAPSULE / 2).max(px(2)).min((map.width - CAPSULE - px(2)).max(px(2)));
        spots.push(Point { x, y: p.y + above });
    }
    spots
}

/// Do capsules at these places meet? At hooks the function counts; elsewhere there is one spot of a kind.
fn same_spot(a: &Place, b: &Place) -> bool {
    match (a, b) {
        (Place::Hook { .. }, Place::Hook { .. }) => a == b,
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// The middle of a capsule's upper edge at a place.
fn anchor(map: &Map, place: &Place, h: i32) -> Point {
    match place {
        Place::Hook { hook, func } => {
            let Some(found) = map.hooks.iter().find(|b| b.hook == hook) else { return map.enter };
            match usize::try_from(*func).ok().and_then(|i| found.rows.get(i)) {
                Some(row) => Point { x: row.x + row.w / 2, y: row.y + ROW + px(3) },
                // FORWARD's functions stand side by side: before the first is left of it, below the line.
                None if found.rows.len() > 1 && found.rows[0].y == found.rows[1].y => {
                    Point { x: found.at.x + CAPSULE / 2 + px(8), y: found.at.y + TITLE + ROW + px(3) }
                }
                None => Point { x: found.at.x + found.at.w / 2, y: found.at.y + TITLE },
            }
        }
        // Over the outer boxes, where nothing else stands, up to the wire that the packet is on.
        Place::Route { output: true } => {
            Point { x: map.join.x + CAPSULE / 2 + px(10), y: map.join.y - h - px(24) }
        }
        Place::Route { output: false } => {
            Point { x: map.route.x - CAPSULE / 2 - px(4), y: map.route.y - h - px(24) }
        }
        Place::Local => Point { x: map.process.x + map.process.w / 2, y: map.process.y + px(58) },
        Place::Transmit { .. } => Point { x: map.leave.x, y: map.leave.y - h - px(24) },
        Place::Receive { .. } | Place::Link { .. } => Point { x: map.enter.x, y: map.enter.y - h - px(24) },
    }
}

/// The network: the middle of each station, and the size of what it is drawn in.
pub(crate) struct Net {
    pub(crate) spots: Vec<Point>,
    pub(crate) height: i32,
    pub(crate) w: i32,
}

/// Stations in columns by their distance from the first wire: who sends stands left.
pub(crate) fn network(lab: &LabView, width: i32) -> Net {
    let n = lab.stations.len();
    let joined = |a: usize, b: usize| {
        a != b
            && lab.links.iter().any(|l| {
                let has = |s: usize| l.ends.iter().any(|e| e.station as usize == s);
                has(a) && has(b)
            })
    };
    let mut column = vec![-1_i32; n];
    let mut last = -1;
    let first = lab.stations.iter().position(|s| s.kind == StationKind::Wire);
    for start in first.into_iter().chain(0..n) {
        if column[start] != -1 {
            continue;
        }
        column[start] = last + 1;
        let mut queue = vec![start];
        let mut next = 0;
        while let Some(&s) = queue.get(next) {
            next += 1;
            last = last.max(column[s]);
            for (t, c) in column.clone().into_iter().enumerate() {
                if c == -1 && joined(s, t) {
                    column[t] = column[s] + 1;
                    queue.push(t);
                }
            }
        }
    }
    let columns = (last + 1).max(1);
    let rows = |c: i32| column.iter().filter(|&&x| x == c).count() as i32;
    let most = (0..columns).map(rows).max().unwrap_or(1).max(1);
    let height = px(14 + most * 62);
    let w = ((width - 16) / columns - 18).clamp(84, 170);
    let spot = |(i, &c): (usize, &i32)| {
        let above = column[..i].iter().filter(|&&x| x == c).count() as i32;
        let x = match columns {
            1 => px(width) / 2,
            _ => px(8) + px(w) / 2 + px(width - 16 - w) * c / (columns - 1),
        };
        Point { x, y: height * (2 * above + 1) / (2 * rows(c)) }
    };
    Net { spots: column.iter().enumerate().map(spot).collect(), height, w: px(w) }
}
