//! The moving picture: the stage stands, packets wander over it, functions light up, the words below change. All by style
//! sheet animations, so that it moves even where an SVG is shown as a mere image, and rests where motion is not wanted.

use super::draw::{self, EDGE, State};
use super::layout::{self, Map, Point, Rider, TITLE, capsule_height, px};
use super::svg::{Svg, style};
use super::{Artist, Wish};
use crate::view::{FlightView, LabView, Place, View};

/// A film is at most so many steps long: more would be watched by nobody.
const LONGEST: usize = 240;
/// How long a step stays, in tenths of a second.
const DWELL: usize = 14;

/// The positions that a film shows: where something turns, and every place that a packet comes to.
pub(super) fn steps(artist: &mut Artist, from: u32, to: u32) -> Vec<u32> {
    let (from, to) = (from.min(artist.lab.len), to.min(artist.lab.len));
    let mut shown = Vec::new();
    let mut place = None;
    for event in artist.looker.events(from as usize, to as usize) {
        let there = (event.packet, event.station, event.hook.clone(), event.func.clone());
        let moves = event.packet != 0 && place.as_ref() != Some(&there);
        if event.weight >= 1 || moves {
            shown.push(event.n + 1);
            place = Some(there);
        }
    }
    if shown.is_empty() {
        shown.push(to);
    }
    shown.truncate(LONGEST);
    shown
}

/// A place with room for a capsule that is there whether a capsule is or not: under the title of each hook, and under the
/// functions of FORWARD, which lie side by side.
fn room(place: &Place) -> Place {
    match place {
        Place::Hook { hook, .. } => {
            Place::Hook { hook: hook.clone(), func: if hook == "FORWARD" { 1 } else { -1 } }
        }
        other => other.clone(),
    }
}

/// Percents of the film's length, with three digits behind the point.
fn percent(out: &mut Svg, n: usize, of: usize) {
    let thousandths = n * 100_000 / of.max(1);
    out.raw(&(thousandths / 1000).to_string()).raw(".");
    let rest = (thousandths % 1000 + 1000).to_string();
    out.raw(&rest[1..]).raw("%");
}

/// The film of these shots.
pub(super) fn moving(lab: &LabView, shots: &[(View, String)], wish: &Wish<'_>, width: i32) -> String {
    let Some((last, _)) = shots.last() else { return String::new() };
    let net = layout::network(lab, width);
    // One stage for all shots: each hook keeps room for one capsule under its title.
    let hooks = last.hooks.iter().map(|h| room(&Place::Hook { hook: h.hook.clone(), func: -1 }));
    let heights = shots.iter().flat_map(|(v, _)| draw::on_stage(v)).map(|f| draw::rider(f).h);
    let h = heights.max().unwrap_or(capsule_height(2)) + px(8);
    let spare: Vec<Rider> = hooks.chain([Place::Local]).map(|place| Rider { place, h }).collect();
    let map = layout::map(width, &last.hooks, &spare);
    let captions: Vec<Vec<String>> = shots.iter().map(|(_, words)| draw::wrap(words, width - 28)).collect();
    let most = captions.iter().map(Vec::len).max().unwrap_or(0) as i32;
    let top = px(34);
    let map_top = top + net.height + px(8);
    let bottom = map_top + map.height + px(20);
    let size = (px(width), bottom - px(8) + px(20) * most + EDGE);
    let mut packets: Vec<u32> = shots.iter().flat_map(|(v, _)| v.flights.iter().map(|f| f.packet)).collect();
    packets.sort_unstable();
    packets.dedup();

    let mut out = Svg::default();
    draw::begin(&mut out, lab, wish, size, wish.caption);
    let seconds = shots.len() * DWELL;
    let mut sheet = Svg::default();
    style(&mut sheet, &packets);
    sheet.raw(
        ".k{opacity:0;animation:1s step-end infinite}.v{animation:1s infinite}.k,.v{animation-duration:",
    );
    sheet.num(seconds as i32).raw("s}");
    let mut body = Svg::default();
    draw::shift(&mut body, top, |out| draw::network(out, lab, &net, last.host));
    draw::shift(&mut body, map_top, |out| {
        draw::wires(out, &map, &View { event: None, flights: Vec::new(), ..last.clone() });
        for found in &map.hooks {
            draw::hook(out, found, last, wish, false);
        }
        draw::process(out, &map, wish);
        lights(out, &mut sheet, &map, shots, wish);
    });
    for packet in &packets {
        wander(
            &mut body,
            &mut sheet,
            *packet,
            shots,
            (top, map_top),
            &|f, v| spots(lab, &net, &map, f, v),
            wish,
        );
    }
    for (i, lines) in captions.iter().enumerate() {
        shown(&mut body, &mut sheet, &["c", &i.to_string()].concat(), &[i], shots.len());
        draw::lines(&mut body, lines, bottom);
        body.close();
    }
    sheet.raw("@media(prefers-reduced-motion:reduce){.k,.v{animation:none}#c").int(shots.len() as i32 - 1);
    sheet.raw(",.z{opacity:1}}");
    out.raw("<style>").raw(&sheet.text).raw("</style>");
    draw::heading(&mut out, lab, last, wish, size);
    out.raw(&body.text).raw("</svg>\n");
    out.text
}

/// Opens a group that shows only during these shots.
fn shown(body: &mut Svg, sheet: &mut Svg, id: &str, when: &[usize], of: usize) {
    let end = when.contains(&(of - 1));
    body.raw("<g class=\"k")
        .raw(if end && !id.starts_with('c') { " z" } else { "" })
        .raw("\" id=\"")
        .raw(id)
        .raw("\">");
    sheet.raw("#").raw(id).raw("{animation-name:k").raw(id).raw("}@keyframes k").raw(id).raw("{0%{opacity:");
    sheet.raw(if when.contains(&0) { "1" } else { "0" }).raw("}");
    for i in 1..of {
        if when.contains(&i) != when.contains(&(i - 1)) {
            percent(sheet, i, of);
            sheet.raw(if when.contains(&i) { "{opacity:1}" } else { "{opacity:0}" });
        }
    }
    sheet.raw("}");
}

/// The functions that light up, each while a packet is at it.
fn lights(out: &mut Svg, sheet: &mut Svg, map: &Map, shots: &[(View, String)], wish: &Wish<'_>) {
    for (h, found) in map.hooks.iter().enumerate() {
        for (i, row) in found.rows.iter().enumerate() {
            for (state, mark) in [(State::Here, "h"), (State::Skipped, "s")] {
                let at = |v: &View| {
                    let event = v.event.as_ref()?;
                    let skipped = event.kind == "NatSkipped";
                    let flight =
                        v.flights.iter().find(|f| f.packet == event.packet && f.station == v.host)?;
                    let there = matches!(&flight.place, Place::Hook { hook, func } if hook == found.hook && *func == i as i32);
                    (there && skipped == (state == State::Skipped)).then_some(())
                };
                let when: Vec<usize> =
                    shots.iter().enumerate().filter(|(_, (v, _))| at(v).is_some()).map(|(n, _)| n).collect();
                let Some(func) = when.first().and_then(|n| {
                    let hook = shots[*n].0.hooks.iter().find(|x| x.hook == found.hook)?;
                    hook.funcs.get(i)
                }) else {
                    continue;
                };
                let id = [mark, &h.to_string(), "-", &i.to_string()].concat();
                shown(out, sheet, &id, &when, shots.len());
                out.rect("card", *row, 0);
                draw::function(out, func, *row, state, wish);
                out.close();
            }
        }
    }
}

/// Where a packet's dot and capsule are in a shot; the capsule only while it is on this host.
fn spots(
    lab: &LabView,
    net: &layout::Net,
    map: &Map,
    flight: &FlightView,
    view: &View,
) -> (Point, Option<Point>) {
    let dot = draw::token_at(lab, net, flight);
    if flight.station != view.host || matches!(flight.place, Place::Link { .. }) {
        return (dot, None);
    }
    let rider = Rider { place: room(&flight.place), h: draw::rider(flight).h };
    let spot = layout::positions(map, &[rider]).first().copied().map(|p| match flight.place {
        Place::Hook { .. } => Point { x: p.x, y: p.y + px(4) },
        _ => p,
    });
    (dot, spot.map(|p| Point { x: p.x, y: p.y.max(TITLE / 4) }))
}

type Spots<'a> = &'a dyn Fn(&FlightView, &View) -> (Point, Option<Point>);

/// A packet's dot and capsules: each form that it has is drawn once and shown while it has it.
fn wander(
    body: &mut Svg,
    sheet: &mut Svg,
    packet: u32,
    shots: &[(View, String)],
    (top, map_top): (i32, i32),
    spots: Spots<'_>,
    wish: &Wish<'_>,
) {
    let name = packet.to_string();
    let seen: Vec<(usize, &View, &FlightView)> = shots
        .iter()
        .enumerate()
        .filter_map(|(i, (v, _))| Some((i, v, v.flights.iter().find(|f| f.packet == packet)?)))
        .collect();
    let when: Vec<usize> = seen.iter().map(|s| s.0).collect();
    let moves = |sheet: &mut Svg, id: &str, path: &[(usize, Point)]| {
        sheet.raw("#").raw(id).raw("{animation-name:v").raw(id).raw("}@keyframes v").raw(id).raw("{");
        let step = |sheet: &mut Svg, at: usize, p: Point, parts: usize| {
            percent(sheet, at, shots.len() * parts);
            sheet.raw("{transform:translate(").num(p.x).raw("px,").num(p.y).raw("px)}");
        };
        for (k, (i, p)) in path.iter().enumerate() {
            // It moves within the first third of a step, and stands for the rest.
            if k == 0 {
                sheet.raw("0%,");
                step(sheet, *i, *p, 1);
            } else {
                step(sheet, 3 * i + 1, *p, 3);
            }
            step(sheet, *i + 1, *p, 1);
        }
        sheet.raw("}");
    };
    // The dot, in the network.
    shown(body, sheet, &["f", &name].concat(), &when, shots.len());
    let dots: Vec<(usize, Point)> = seen.iter().map(|(i, v, f)| (*i, spots(f, v).0)).collect();
    let down = |p: Point, by: i32| Point { x: p.x, y: p.y + by };
    let id = ["d", &name].concat();
    body.raw("<g class=\"v\" id=\"").raw(&id).raw("\">");
    draw::dot(body, packet, Point::default());
    body.close().close();
    let dots: Vec<(usize, Point)> = dots.into_iter().map(|(i, p)| (i, down(p, top))).collect();
    moves(sheet, &id, &dots);
    // The capsules, on the map.
    let mut forms: Vec<(String, Vec<usize>)> = Vec::new();
    let mut path = Vec::new();
    for (i, view, flight) in &seen {
        let Some(spot) = spots(flight, view).1 else { continue };
        path.push((*i, down(spot, map_top)));
        let mut form = Svg::default();
        draw::capsule(&mut form, flight, Point::default(), view, wish);
        match forms.iter_mut().find(|(text, _)| *text == form.text) {
            Some((_, when)) => when.push(*i),
            None => forms.push((form.text, vec![*i])),
        }
    }
    if path.is_empty() {
        return;
    }
    let id = ["m", &name].concat();
    body.raw("<g class=\"v\" id=\"").raw(&id).raw("\">");
    for (n, (form, when)) in forms.iter().enumerate() {
        shown(body, sheet, &["g", &name, "-", &n.to_string()].concat(), when, shots.len());
        body.raw(form).close();
    }
    body.close();
    moves(sheet, &id, &path);
}
