//! The parts of the picture: network, hook map, capsules, and the words below.

use super::layout::{self, CAPSULE, HookBox, MINI, Map, Net, Point, Rect, Rider, TAG, capsule_height, px};
use super::svg::{Svg, style};
use super::{Wish, pick, words};
use crate::view::{EndpointView, Fate, FlightView, FuncView, LabView, Place, StationKind, View};

/// Room at the edges.
pub(super) const EDGE: i32 = px(14);

/// The picture of one view.
pub(super) fn still(lab: &LabView, view: &View, wish: &Wish<'_>, width: i32) -> String {
    let net = layout::network(lab, width);
    let number = view.event.as_ref().map_or(0, |e| e.packet);
    let (main, others): (Vec<&FlightView>, _) = on_stage(view).into_iter().partition(|f| f.packet == number);
    let others = gather(&others);
    let companions = others.iter().map(|o| Rider { place: o[0].place.clone(), h: MINI });
    let riders: Vec<Rider> = main.iter().map(|f| rider(f)).chain(companions).collect();
    let map = layout::map(width, &view.hooks, &riders);
    let mut out = Svg::default();
    let caption = wrap(wish.caption, width - 28);
    let top = px(34);
    let map_top = top + net.height + px(8);
    let height = map_top + map.height + px(12) + px(20) * caption.len() as i32 + EDGE;
    let packets: Vec<u32> = view.flights.iter().map(|f| f.packet).collect();
    begin(&mut out, lab, wish, (px(width), height), wish.caption);
    out.raw("<style>");
    style(&mut out, &packets);
    out.raw("</style>");
    heading(&mut out, lab, view, wish, (px(width), height));
    shift(&mut out, top, |out| {
        network(out, lab, &net, view.host);
        for flight in &view.flights {
            token(out, lab, &net, flight);
        }
    });
    shift(&mut out, map_top, |out| {
        wires(out, &map, view);
        for found in &map.hooks {
            hook(out, found, view, wish, true);
        }
        process(out, &map, wish);
        let spots = layout::positions(&map, &riders);
        for (there, spot) in others.iter().zip(&spots[main.len()..]) {
            companion(out, there, *spot, wish);
        }
        for (flight, spot) in main.iter().zip(&spots) {
            capsule(out, flight, *spot, view, wish);
        }
    });
    lines(&mut out, &caption, map_top + map.height + px(20));
    out.raw("</svg>\n");
    out.text
}

/// How many packets at one place get a line each, beside the one that the moment is about.
const EACH: usize = 3;

/// Packets by place: a few stand for themselves, more of them for all, as on the page.
fn gather<'a>(flights: &[&'a FlightView]) -> Vec<Vec<&'a FlightView>> {
    let same = |a: &Place, b: &Place| match (a, b) {
        // Wherever a packet comes from or goes to, it stands at one of the two edges.
        (Place::Receive { .. }, Place::Receive { .. }) | (Place::Transmit { .. }, Place::Transmit { .. }) => {
            true
        }
        _ => a == b,
    };
    let mut places: Vec<Vec<&FlightView>> = Vec::new();
    for f in flights {
        match places.iter_mut().find(|p| same(&p[0].place, &f.place)) {
            Some(there) => there.push(f),
            None => places.push(vec![f]),
        }
    }
    // Where the whole map is busy, one line a place has to do.
    let each = if places.len() > 6 { 1 } else { EACH };
    let mut out = Vec::new();
    for there in places {
        if there.len() <= each {
            out.extend(there.into_iter().map(|f| vec![f]));
        } else {
            out.push(there);
        }
    }
    out
}

/// The line that stands for another packet, or for many.
fn companion(out: &mut Svg, there: &[&FlightView], at: Point, wish: &Wish<'_>) {
    let first = there[0];
    let number = first.packet.to_string();
    let frame = Rect { x: at.x, y: at.y, w: CAPSULE, h: MINI - px(4) };
    out.rect(&["card q", &number].concat(), frame, px(10));
    let mut shown = number.clone();
    let label = if there.len() == 1 {
        let what = if first.short.is_empty() { &first.proto } else { &first.short };
        let colon = if first.dst.port.is_empty() { "" } else { ":" };
        let (open, close) =
            if first.dst.addr.contains(':') && !colon.is_empty() { ("[", "]") } else { ("", "") };
        [what, " \u{2192} ", open, &first.dst.addr, close, colon, &first.dst.port].concat()
    } else {
        shown.push('\u{2026}');
        words(wish.chinese).n_packets.replace("{n}", &there.len().to_string())
    };
    let badge = Rect {
        w: px(12) + px(7) * shown.chars().count() as i32,
        h: px(16),
        x: at.x + px(3),
        y: at.y + px(2),
    };
    out.rect(&["p", &number].concat(), badge, px(8));
    out.label("c b s id", Point { x: badge.x + badge.w / 2, y: at.y + px(14) }, &shown);
    out.label("s", Point { x: badge.x + badge.w + px(5), y: at.y + px(14) }, &cut(&label, 23));
}

/// The packets that stand on the map.
pub(super) fn on_stage(view: &View) -> Vec<&FlightView> {
    let there = |f: &&FlightView| f.station == view.host && !matches!(f.place, Place::Link { .. });
    view.flights.iter().filter(there).collect()
}

pub(super) fn rider(f: &FlightView) -> Rider {
    let more = i32::from(f.src.old_addr.is_some()) + i32::from(f.dst.old_addr.is_some());
    Rider { place: f.place.clone(), h: capsule_height(2 + more) }
}

/// The root with what screen readers say.
pub(super) fn begin(out: &mut Svg, lab: &LabView, wish: &Wish<'_>, (w, h): (i32, i32), about: &str) {
    out.raw("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ").num(w).raw(" ").num(h);
    out.raw("\" width=\"").num(w).raw("\" height=\"").num(h);
    out.raw("\" role=\"img\" aria-labelledby=\"hw-title hw-desc\" lang=\"");
    out.raw(if wish.chinese { "zh" } else { "en" }).raw("\"><title id=\"hw-title\">");
    out.escaped(pick(&lab.title, wish.chinese)).raw("</title><desc id=\"hw-desc\">");
    out.escaped(about).raw("</desc>");
}

/// Paper, the lab's title, and whose hooks these are.
pub(super) fn heading(out: &mut Svg, lab: &LabView, view: &View, wish: &Wish<'_>, (w, h): (i32, i32)) {
    out.rect("paper", Rect { x: 0, y: 0, w, h }, 0);
    let title = cut(pick(&lab.title, wish.chinese), (w / 10 - 190) / 9);
    out.label("t", Point { x: EDGE, y: px(25) }, &title);
    if let Some(host) = lab.stations.get(view.host as usize) {
        out.label("e dim", Point { x: w - EDGE, y: px(25) }, &host.name);
    }
}

/// Draws moved down.
pub(super) fn shift(out: &mut Svg, down: i32, draw: impl FnOnce(&mut Svg)) {
    out.raw("<g transform=\"translate(0 ").num(down).raw(")\">");
    draw(out);
    out.close();
}

pub(super) fn network(out: &mut Svg, lab: &LabView, net: &Net, host: u32) {
    for link in &lab.links {
        let ends: Vec<Point> =
            link.ends.iter().filter_map(|e| net.spots.get(e.station as usize).copied()).collect();
        if let [a, b] = ends[..] {
            out.path("wire", &[a, b]);
            continue;
        }
        let n = ends.len().max(1) as i32;
        let hub = Point {
            x: ends.iter().map(|p| p.x).sum::<i32>() / n,
            y: ends.iter().map(|p| p.y).sum::<i32>() / n,
        };
        for end in &ends {
            out.path("wire", &[hub, *end]);
        }
        out.circle("joint", hub, px(4));
    }
    for (i, (station, spot)) in lab.stations.iter().zip(&net.spots).enumerate() {
        let at = Rect { x: spot.x - net.w / 2, y: spot.y - px(23), w: net.w, h: px(46) };
        let class = match station.kind {
            StationKind::Wire => "card dash",
            StationKind::Host if i as u32 == host => "card focus",
            StationKind::Host => "card",
        };
        out.rect(class, at, if station.kind == StationKind::Wire { px(23) } else { px(8) });
        let addrs: Vec<&str> =
            station.ifaces.iter().flat_map(|f| &f.addrs).map(|a| a.split('/').next().unwrap_or(a)).collect();
        let up = if addrs.is_empty() { px(4) } else { -px(3) };
        out.label("c b", Point { x: spot.x, y: spot.y + up }, &cut(&station.name, net.w / 80));
        if let Some(first) = addrs.first() {
            let mut text = cut(first, net.w / 66 - 4);
            if addrs.len() > 1 {
                text.push_str(" +");
                text.push_str(&(addrs.len() - 1).to_string());
            }
            out.label("c m dim", Point { x: spot.x, y: spot.y + px(13) }, &text);
        }
    }
}

/// Where a packet's dot stands in the network.
pub(super) fn token_at(lab: &LabView, net: &Net, flight: &FlightView) -> Point {
    let spot = |s: u32| net.spots.get(s as usize).copied().unwrap_or_default();
    let here = spot(flight.station);
    let (there, share) = match &flight.place {
        Place::Link { from, to } => {
            let (a, b) = (spot(*from), spot(*to));
            return Point { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
        }
        Place::Transmit { dev } | Place::Receive { dev } => {
            let ends = lab.links.iter().map(|l| &l.ends);
            let mut mine = ends.filter(|e| e.iter().any(|e| e.station == flight.station && &e.iface == dev));
            let other = mine.next().and_then(|e| e.iter().find(|e| e.station != flight.station));
            let Some(other) = other else { return Point { x: here.x, y: here.y - px(29) } };
            let there = spot(other.station);
            let (dx, dy) = (there.x - here.x, there.y - here.y);
            let far = (dx.abs() + dy.abs()).max(10);
            (there, ((net.w / 2 + px(16)) * 1000 / far).min(500))
        }
        _ => return Point { x: here.x, y: here.y - px(29) },
    };
    Point { x: here.x + (there.x - here.x) * share / 1000, y: here.y + (there.y - here.y) * share / 1000 }
}

pub(super) fn dot(out: &mut Svg, packet: u32, at: Point) {
    let class = ["p", &packet.to_string()].concat();
    out.circle(&class, at, px(11));
    out.label("c b s id", Point { x: at.x, y: at.y + px(4) }, &packet.to_string());
}

fn token(out: &mut Svg, lab: &LabView, net: &Net, flight: &FlightView) {
    dot(out, flight.packet, token_at(lab, net, flight));
}

/// The wires of the map; the one that the packet is on stands out.
pub(super) fn wires(out: &mut Svg, map: &Map, view: &View) {
    let main = view.event.as_ref().map_or(0, |e| e.packet);
    let here = view.flights.iter().find(|f| f.packet == main && f.station == view.host).map(|f| &f.place);
    for wire in &map.wires {
        let on = match here {
            Some(Place::Receive { .. }) => wire.from == "in",
            Some(Place::Transmit { .. }) => wire.to == "out",
            Some(Place::Route { output }) => {
                if *output {
                    wire.to == "join"
                } else {
                    wire.from == "PREROUTING"
                }
            }
            Some(Place::Hook { hook, .. }) => wire.to == hook,
            Some(Place::Local) => wire.to == "local",
            _ => false,
        };
        out.path(if on { "wire on" } else { "wire" }, &wire.through);
        if let ([.., end], false) = (&wire.through[..], matches!(wire.to, "route" | "join")) {
            let (x, y) = (end.x, end.y);
            let tip = [Point { x: x - px(9), y: y - px(5) }, *end, Point { x: x - px(9), y: y + px(5) }];
            out.path("tip", &tip);
        }
    }
}

/// A hook with its functions; `marks`: what happens there now is marked.
pub(super) fn hook(out: &mut Svg, at: &HookBox, view: &View, wish: &Wish<'_>, marks: bool) {
    let main = view.event.as_ref().map_or(0, |e| e.packet);
    let here = view.flights.iter().find(|f| f.packet == main && f.station == view.host);
    let now = here.and_then(|f| match &f.place {
        Place::Hook { hook, func } if marks && hook == at.hook => Some(*func),
        _ => None,
    });
    out.rect(if now.is_some() { "card here" } else { "card" }, at.at, px(8));
    out.label("h", Point { x: at.at.x + px(10), y: at.at.y + px(18) }, at.hook);
    let Some(hook) = view.hooks.iter().find(|h| h.hook == at.hook) else { return };
    for (i, (func, row)) in hook.funcs.iter().zip(&at.rows).enumerate() {
        let state = if now == Some(i as i32) {
            let skipped = view.event.as_ref().is_some_and(|e| e.kind == "NatSkipped");
            if skipped { State::Skipped } else { State::Here }
        } else {
            State::Rest
        };
        function(out, func, *row, state, wish);
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum State {
    Rest,
    Here,
    Skipped,
}

pub(super) fn function(out: &mut Svg, func: &FuncView, row: Rect, state: State, wish: &Wish<'_>) {
    let name = func.name.as_str();
    let wanted = func.rules > 0;
    let known = func.awake && matches!(name, "conntrack" | "confirm" | "nat");
    if state == State::Here {
        out.rect(name, row, 0);
    } else {
        let mut bar = Rect { x: row.x + px(1), y: row.y, w: px(4), h: row.h };
        if wanted || known {
            out.rect(name, bar, 0);
        } else if func.awake {
            bar.w = px(3);
            out.open("quiet").rect(name, bar, 0).close();
        }
    }
    let tone = match state {
        State::Here => "on-c b",
        State::Skipped => "b",
        State::Rest if !func.awake => "asleep",
        State::Rest if wanted => "b",
        State::Rest if known => "",
        State::Rest => "dim",
    };
    let base = row.y + px(17);
    if state == State::Skipped {
        let ring = Rect { x: row.x + px(1), y: row.y + px(1), w: row.w - px(2), h: row.h - px(2) };
        out.rect(&["r-", name].concat(), ring, px(3));
        out.label("e b s", Point { x: row.x + row.w - px(8), y: base }, words(wish.chinese).skipped);
    } else if func.awake {
        let priority = if func.priority > 2_000_000_000 {
            words(wish.chinese).last.to_owned()
        } else {
            func.priority.to_string().replace('-', "\u{2212}")
        };
        let class = if state == State::Here { "e prio on-c" } else { "e prio" };
        out.label(class, Point { x: row.x + row.w - px(8), y: base }, &priority);
    }
    out.label(tone, Point { x: row.x + px(12), y: base }, name);
    if wanted && state != State::Skipped {
        let x = row.x + px(22) + 62 * name.len() as i32;
        let pill = Rect { x, y: row.y + px(5), w: px(10) + px(6) * digits(func.rules), h: px(15) };
        if state == State::Rest {
            out.rect(&["r-", name].concat(), pill, px(8));
        }
        out.label(
            if state == State::Here { "c b s on-c" } else { "c b s" },
            Point { x: pill.x + pill.w / 2, y: row.y + px(16) },
            &func.rules.to_string(),
        );
    }
}

fn digits(n: u32) -> i32 {
    n.to_string().len() as i32
}

pub(super) fn process(out: &mut Svg, map: &Map, wish: &Wish<'_>) {
    let w = words(wish.chinese);
    out.rect("sunk", map.process, px(31));
    out.label(
        "c b",
        Point { x: map.process.x + map.process.w / 2, y: map.process.y + px(32) },
        w.local_process,
    );
    out.circle("joint", map.route, px(4));
    out.label("c s dim", Point { x: map.route.x, y: map.route.y + px(20) }, w.routing);
}

/// A packet: its number, what it is, and from where to where; what NAT replaced is struck through.
pub(super) fn capsule(out: &mut Svg, f: &FlightView, at: Point, view: &View, wish: &Wish<'_>) {
    let packet = f.packet.to_string();
    let frame = Rect { x: at.x, y: at.y + TAG, w: CAPSULE, h: rider(f).h - TAG - px(3) };
    let carries = view.entries.iter().any(|e| e.serial == f.entry && !e.confirmed);
    if carries {
        let around = Rect { x: frame.x - px(4), y: frame.y - px(4), w: frame.w + px(8), h: frame.h + px(8) };
        out.rect("carries", around, px(12));
    }
    let dropped = f.fate == Some(Fate::Dropped);
    out.rect(&["card q", &packet, if dropped { " dash" } else { "" }].concat(), frame, px(9));
    let what = if f.short.is_empty() { &f.proto } else { &f.short };
    let tag =
        Rect { x: at.x + px(8), y: at.y, w: px(26) + px(65) * what.chars().count() as i32 / 10, h: px(17) };
    out.rect("plain", tag, px(8));
    let badge = Rect { w: px(12) + px(7) * digits(f.packet), ..tag };
    out.rect(&["p", &packet].concat(), badge, px(8));
    out.label("c b s id", Point { x: badge.x + badge.w / 2, y: at.y + px(13) }, &packet);
    out.label("b s", Point { x: badge.x + badge.w + px(4), y: at.y + px(13) }, what);
    let mut y = at.y + px(28);
    end(out, at.x + px(24), &mut y, &f.src, false);
    end(out, at.x + px(24), &mut y, &f.dst, true);
    let w = words(wish.chinese);
    let fate = match f.fate {
        Some(Fate::Dropped) => Some(("b-bad", "\u{2715} ", w.dropped)),
        Some(Fate::Delivered) => Some(("b-good", "\u{2713} ", w.delivered)),
        _ => None,
    };
    if let Some((class, sign, word)) = fate {
        let text = [sign, word].concat();
        let wide = px(10) + measure(&text) * 8;
        let badge = Rect { x: at.x + CAPSULE - wide, y: at.y - px(2), w: wide, h: px(17) };
        out.rect(class, badge, px(8));
        out.label("c b s on-c", Point { x: badge.x + wide / 2, y: at.y + px(10) }, &text);
    }
}

fn end(out: &mut Svg, x: i32, y: &mut i32, e: &EndpointView, to: bool) {
    if let Some(old) = &e.old_addr {
        out.label("m dim old", Point { x, y: *y }, &cut(old, 23));
        *y += px(15);
    }
    if to {
        out.label("m", Point { x: x - px(15), y: *y }, "\u{2192}");
    }
    let ports = e.port.len() + e.old_port.as_ref().map_or(0, |p| p.len() + 1);
    out.begin_label("m", Point { x, y: *y });
    span(out, if e.old_addr.is_some() { "new b" } else { "" }, &cut(&e.addr, 22 - ports as i32));
    if !e.port.is_empty() {
        out.raw(":");
        if let Some(old) = &e.old_port {
            span(out, "dim old", old);
            out.raw(" ");
        }
        span(out, if e.old_port.is_some() { "new b" } else { "" }, &e.port);
    }
    out.end_label();
    *y += px(15);
}

fn span(out: &mut Svg, class: &str, text: &str) {
    if class.is_empty() {
        out.escaped(text);
    } else {
        out.raw("<tspan class=\"").raw(class).raw("\">").escaped(text).raw("</tspan>");
    }
}

/// Lines of words, one under another.
pub(super) fn lines(out: &mut Svg, lines: &[String], top: i32) {
    for (i, line) in lines.iter().enumerate() {
        out.label("w", Point { x: EDGE, y: top + px(20) * i as i32 }, line);
    }
}

/// About how wide a text is, in tenths of the height of a letter: a Chinese sign is as wide as high, a letter about half.
fn measure(text: &str) -> i32 {
    text.chars().map(|c| if c > '\u{2e80}' { 14 } else { 8 }).sum()
}

/// Text that has room for so many letters.
fn cut(text: &str, letters: i32) -> String {
    let room = letters.max(4) * 8;
    if measure(text) <= room {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if measure(&out) + measure("\u{2026}") + 8 > room {
            break;
        }
        out.push(c);
    }
    out.push('\u{2026}');
    out
}

/// Breaks a text into lines for a width in pixels: at blanks, or between Chinese signs; at most six lines.
pub(super) fn wrap(text: &str, width: i32) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut word = String::new();
    let flush = |line: &mut String, word: &mut String, out: &mut Vec<String>| {
        if !line.is_empty() && measure(line) + measure(word) > width {
            out.push(line.trim_end().to_owned());
            line.clear();
        }
        line.push_str(word);
        word.clear();
    };
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        word.push(c);
        // A sign may stand at a line's end; a closing mark belongs to what is before it.
        if c == ' ' || c > '\u{2e80}' && !matches!(c, '\u{ff08}' | '\u{300c}' | '\u{201c}') {
            flush(&mut line, &mut word, &mut out);
        }
    }
    flush(&mut line, &mut word, &mut out);
    if !line.trim().is_empty() {
        out.push(line.trim_end().to_owned());
    }
    if out.len() > 6 {
        out.truncate(6);
        if let Some(last) = out.last_mut() {
            last.push('\u{2026}');
        }
    }
    out
}
