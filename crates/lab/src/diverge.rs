//! Where two runs part: the first packet that took another way after a change of the text.
//!
//! Packets are told apart by the line that set them off and by their order there, so that a line added above moves
//! nothing. A way is what a person would call one: hooks, routing, translations, verdicts. Rules are not part of it: one
//! rule more in a chain changes numbers, and if it changes anything else, that shows.

use crate::record::What;
use crate::session::{Record, Session};
use hookwalk_engine::event::{DropBy, EventKind, NatSkip};
use hookwalk_engine::packet::PacketId;
use hookwalk_engine::sorted::SortedMap;
use std::mem::{Discriminant, discriminant};

/// The first packet that took another way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// Its number before; `None` where there was no such packet.
    pub was: Option<PacketId>,
    /// Its number now; `None` where there is no such packet any more.
    pub is: Option<PacketId>,
    /// The first record that was another before; `None` where its way ended earlier.
    pub before: Option<usize>,
    /// The first record that is another now; `None` where its way ends earlier.
    pub after: Option<usize>,
}

/// The way of one packet: its number, and the records that make it.
struct Way {
    packet: PacketId,
    records: Vec<usize>,
}

/// A packet's name across runs: the text of its line, which one of the lines that say so, and which packet of it.
type Name<'a> = (&'a str, usize, usize);

/// The first packet, in the order of the run after the change, whose way is another; then those that are gone.
pub fn diverge(before: &Session, after: &Session) -> Option<Divergence> {
    let (old, new) = (ways(before), ways(after));
    let mut names = SortedMap::default();
    for (at, (name, _)) in old.iter().enumerate() {
        names.insert(*name, at);
    }
    let step_of = |session: &Session, n: usize| session.records(n..n + 1).first().map(step);
    for (name, now) in &new {
        let at = names.remove(name);
        let Some((_, was)) = at.and_then(|at| old.get(at)) else {
            let first = now.records.first().copied();
            return Some(Divergence { was: None, is: Some(now.packet), before: None, after: first });
        };
        let pairs = was.records.iter().zip(&now.records);
        let n = pairs.take_while(|(a, b)| step_of(before, **a) == step_of(after, **b)).count();
        if n < was.records.len().max(now.records.len()) {
            let (before, after) = (was.records.get(n).copied(), now.records.get(n).copied());
            return Some(Divergence { was: Some(was.packet), is: Some(now.packet), before, after });
        }
    }
    let gone = names.into_values().min()?;
    let (_, way) = old.get(gone)?;
    Some(Divergence { was: Some(way.packet), is: None, before: way.records.first().copied(), after: None })
}

/// The ways of all packets, in order of birth.
fn ways(session: &Session) -> Vec<(Name<'_>, Way)> {
    let lab = session.lab();
    let mut ways: Vec<(Name<'_>, Way)> = Vec::new();
    let mut places: SortedMap<PacketId, usize> = SortedMap::default();
    // How often a line's text has been met; by line, which of those it is, and how many packets it has set off.
    let mut met: SortedMap<&str, usize> = SortedMap::default();
    let mut lines: SortedMap<u32, (usize, usize)> = SortedMap::default();
    for (n, record) in session.records(0..session.len()).iter().enumerate() {
        let Some(packet) = record.what.packet() else { continue };
        let place = *places.get_or(packet, || {
            let text = lab.lines.get(record.line as usize).map_or("", |l| lab.source(l));
            let (nth, count) = lines.get_or(record.line, || {
                let times = met.get_or(text, || 0);
                *times += 1;
                (*times, 0)
            });
            *count += 1;
            ways.push(((text, *nth, *count), Way { packet, records: Vec::new() }));
            ways.len() - 1
        });
        if step(record) != Step::Inside
            && let Some((_, way)) = ways.get_mut(place)
        {
            way.records.push(n);
        }
    }
    ways
}

/// A step of a way, without the numbers that a change elsewhere moves.
#[derive(PartialEq, Debug)]
enum Step {
    Inside,
    Between(u8, crate::file::End),
    Host(u16, EventKind),
    /// Passed over by nat; which packet had decided is no part of it.
    Skipped(u16, Discriminant<NatSkip>),
    /// Dropped; by which rule is no part of it.
    Drop(u16, Discriminant<DropBy>),
    /// A decision of nat; which rule made it is no part of it.
    Bound(u16, bool),
}

fn step(record: &Record) -> Step {
    let event = match record.what {
        What::Line => return Step::Inside,
        What::Carry { to, .. } => return Step::Between(0, to),
        What::Arrive { at, .. } => return Step::Between(1, at),
        What::Lost { from, .. } => return Step::Between(2, from),
        What::Host(event) => event,
    };
    let host = event.host.0;
    match event.kind {
        EventKind::Receive { .. }
        | EventKind::Hook { .. }
        | EventKind::CtInvalid { .. }
        | EventKind::CtUntracked
        | EventKind::Rewrite { .. }
        | EventKind::Route { .. }
        | EventKind::Deliver { .. }
        | EventKind::Transmit { .. }
        | EventKind::Queued { .. } => Step::Host(host, event.kind),
        EventKind::NatBound { changed, .. } => Step::Bound(host, changed),
        EventKind::NatSkipped { why, .. } => Step::Skipped(host, discriminant(&why)),
        EventKind::Drop { by } => Step::Drop(host, discriminant(&by)),
        _ => Step::Inside,
    }
}
