//! All events of a run in three numbers each, so that the page can look through a hundred thousand of them at once: for
//! filters, for breakpoints, for running to the next of a kind. Words come with [`crate::view::IndexNames`].

use crate::full::touched;
use crate::look::{kind_name, weigh};
use crate::view::{IndexNames, Tone};
use hookwalk_engine::event::{Event, EventKind};
use hookwalk_engine::hook::{Hook, HookFn};
use hookwalk_engine::ruleset::TableKind;
use hookwalk_engine::sorted::SortedMap;
use hookwalk_lab::record::What;
use hookwalk_lab::session::Session;

/// How many numbers an event takes.
pub(crate) const WORDS: usize = 3;

/// Where a packet stands in a host, as far as events have told.
#[derive(Clone, Copy, Default)]
struct Stand {
    hook: Option<Hook>,
    func: Option<HookFn>,
}

/// The index of a run: packet; then, from the lowest bit on, kind (6 bits), station (10), hook (3), function (4),
/// weight (2), tone (3); then the rule that the event is about: table (3), number (16), chain (13). Hooks, functions,
/// tables and rules count from 1; 0 is none.
pub(crate) fn index(session: &Session, lines: impl Fn(u32) -> u16) -> (Vec<u32>, IndexNames) {
    let mut kinds: Vec<&'static str> = Vec::new();
    let mut stands: SortedMap<(u32, u16), Stand> = SortedMap::default();
    let mut words = Vec::with_capacity(session.len() * WORDS);
    for record in session.records(0..usize::MAX) {
        let packet = record.what.packet().map_or(0, |p| p.0);
        let mut stand = Stand::default();
        let (kind, station) = match &record.what {
            What::Line => ("Line", lines(record.line)),
            What::Carry { from, .. } => ("Carry", from.station.0),
            What::Arrive { at, .. } => ("Arrive", at.station.0),
            What::Lost { from, .. } => ("Lost", from.station.0),
            What::Host(event) => {
                let known = stands.get_or((packet, event.host.0), Stand::default);
                *known = moved(*known, &event.kind);
                stand = match event.kind {
                    // It has left the hook; where a drop follows, that is told of the hook again.
                    EventKind::Deliver { .. } | EventKind::Transmit { .. } => Stand::default(),
                    _ => *known,
                };
                (kind_name(&event.kind), event.host.0)
            }
        };
        let kind = kinds.iter().position(|k| *k == kind).unwrap_or_else(|| {
            kinds.push(kind);
            kinds.len() - 1
        });
        let (weight, tone) = weigh(&record.what);
        let tone = match tone {
            Tone::Plain => 0,
            Tone::Change => 1,
            Tone::Skip => 2,
            Tone::Good => 3,
            Tone::Bad => 4,
        };
        let hook = stand.hook.map_or(0, |h| h as u32 + 1);
        let func = stand.func.map_or(0, func_number);
        words.push(packet);
        words.push(
            (kind as u32 & 63)
                | (u32::from(station) & 1023) << 6
                | hook << 16
                | func << 19
                | u32::from(weight) << 23
                | tone << 25,
        );
        words.push(match &record.what {
            What::Host(Event { kind, .. }) => touched(kind).map_or(0, |(rule, _)| {
                (rule.table as u32 + 1)
                    | (u32::from(rule.rule) + 1) << 3
                    | (u32::from(rule.chain.0) & 0x1fff) << 19
            }),
            _ => 0,
        });
    }
    let names = IndexNames {
        kinds: kinds.into_iter().map(str::to_owned).collect(),
        hooks: Hook::ALL.iter().map(|h| h.chain_name().to_owned()).collect(),
        funcs: FUNCS
            .iter()
            .copied()
            .chain(TableKind::ALL.iter().map(|t| t.name()))
            .map(str::to_owned)
            .collect(),
        tables: TableKind::ALL.iter().map(|t| t.name().to_owned()).collect(),
    };
    (words, names)
}

/// The functions that are no tables.
const FUNCS: [&str; 4] = ["defrag", "conntrack", "nat", "confirm"];

fn func_number(func: HookFn) -> u32 {
    match func {
        HookFn::Defrag => 1,
        HookFn::Conntrack => 2,
        HookFn::Nat => 3,
        HookFn::Confirm => 4,
        HookFn::Table(table) => 5 + table as u32,
    }
}

fn moved(stand: Stand, kind: &EventKind) -> Stand {
    match *kind {
        EventKind::Receive { .. }
        | EventKind::Originate { .. }
        | EventKind::Route { again: false, .. }
        | EventKind::TtlDecrement => Stand::default(),
        EventKind::Hook { hook, .. } => Stand { hook: Some(hook), func: None },
        EventKind::Function { func, .. } => Stand { func: Some(func), ..stand },
        _ => stand,
    }
}

#[cfg(test)]
mod tests {
    use crate::look::Looker;
    use hookwalk_lab::Session;

    /// What the index says of an event is what the list of events says of it.
    #[test]
    fn agrees_with_the_list() {
        for lab in
            ["redirect", "hairpin", "dns-race", "istio-sidecar", "forward-policy-drop", "pmtu-black-hole"]
        {
            let path = format!("{}/../../labs/{lab}/{lab}.lab", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).expect("a lab of the library");
            let mut looker = Looker::new(Session::new(&text).expect("a lab"));
            let (words, names) = looker.index();
            let events = looker.events(0, looker.session.len());
            assert_eq!(words.len(), events.len() * super::WORDS);
            for (event, word) in events.iter().zip(words.chunks(super::WORDS)) {
                let name = |list: &[String], n: u32| (n > 0).then(|| list[n as usize - 1].clone());
                assert_eq!(word[0], event.packet, "{lab} {event:?}");
                assert_eq!(names.kinds[(word[1] & 63) as usize], event.kind, "{lab} {event:?}");
                assert_eq!(word[1] >> 6 & 1023, event.station, "{lab} {event:?}");
                assert_eq!(name(&names.hooks, word[1] >> 16 & 7), event.hook, "{lab} {event:?}");
                assert_eq!(name(&names.funcs, word[1] >> 19 & 15), event.func, "{lab} {event:?}");
                assert_eq!(word[1] >> 23 & 3, u32::from(event.weight), "{lab} {event:?}");
            }
        }
    }
}
