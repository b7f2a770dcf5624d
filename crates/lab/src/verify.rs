//! What must hold after every step of every run: packets end in exactly one fate, counters never fall, and the
//! connection table agrees with itself.

use crate::file::{Lab, StationId};
use crate::record::{Sink, What};
use crate::run::Run;
use hookwalk_engine::conntrack;
use hookwalk_engine::event::EventKind;
use hookwalk_engine::host::{Host, HostId};
use hookwalk_engine::packet::PacketId;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A broken invariant, and the line of the lab (from 1) during which it broke.
#[derive(Clone, PartialEq, Debug)]
pub struct Broken {
    /// The line.
    pub line: u32,
    /// What is broken.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// More entries than this are not checked after every step, but after every line.
const MANY: usize = 200;

/// Runs a lab to its end and checks after every step.
///
/// # Errors
/// The first invariant that broke.
pub fn run(lab: Arc<Lab>) -> Result<Run, Broken> {
    let mut run = Run::new(lab);
    let mut fates = Fates::default();
    let mut counters = Counters::default();
    let mut line = run.line();
    loop {
        let goes_on = run.step(&mut fates);
        let begun = run.line() != line;
        line = run.line();
        let broken = |what: String| {
            let number = line.and_then(|l| run.lab.lines.get(l)).map_or(0, |l| l.number);
            Broken { line: number, what }
        };
        if let Some(what) = fates.broken.take() {
            return Err(broken(what));
        }
        // A line that begins may be a command that sets counters to zero or takes rules away.
        if begun || run.is_between_lines() {
            counters = Counters::of(&run);
        } else {
            let now = Counters::of(&run);
            if let Some(what) = counters.fallen(&now) {
                return Err(broken(what));
            }
            counters = now;
        }
        if run.is_between_lines()
            && let Some(((host, packet), _)) = fates.open.first_key_value()
        {
            return Err(broken(format!("packet {} has not ended in host {}", packet.0, host.0)));
        }
        let quiet = run.is_between_lines();
        if let Err(what) = hosts(&run).try_for_each(|host| {
            let small = host.net.ct.len() <= MANY;
            if small || quiet { conntrack::verify(&host.net) } else { Ok(()) }
        }) {
            return Err(broken(format!("conntrack: {what:?}")));
        }
        if !goes_on {
            return Ok(run);
        }
    }
}

fn hosts(run: &Run) -> impl Iterator<Item = &Host> {
    (0..run.world.stations.len()).filter_map(|i| run.world.host(StationId(i as u16)))
}

/// Where packets are: each that came into a host must leave it once, one way.
#[derive(Default)]
struct Fates {
    open: BTreeMap<(HostId, PacketId), u32>,
    broken: Option<String>,
}

impl Sink for Fates {
    fn record(&mut self, what: What) {
        let What::Host(event) = what else { return };
        let key = (event.host, event.packet);
        match event.kind {
            EventKind::Receive { .. } | EventKind::Originate { .. } => {
                *self.open.entry(key).or_default() += 1;
            }
            EventKind::Deliver { .. }
            | EventKind::Transmit { .. }
            | EventKind::Drop { .. }
            | EventKind::FragmentHeld => match self.open.get_mut(&key) {
                Some(1) => {
                    self.open.remove(&key);
                }
                Some(n) => *n -= 1,
                None => {
                    self.broken = Some(format!(
                        "packet {} ends twice in host {}: {:?}",
                        event.packet.0, event.host.0, event.kind
                    ));
                }
            },
            _ => {}
        }
    }
}

/// All counters of all hosts, in order, with the shape of the rules that they belong to.
#[derive(Default)]
struct Counters {
    shape: Vec<(u32, usize)>,
    packets: Vec<u64>,
}

impl Counters {
    fn of(run: &Run) -> Counters {
        let mut all = Counters::default();
        for host in hosts(run) {
            for table in &host.rules.tables {
                for chain in table.chains.iter().flatten() {
                    all.shape.push((host.id.0.into(), chain.rules.len()));
                    all.packets.extend(chain.base.and_then(|b| b.counters).map(|c| c.packets));
                    all.packets.extend(chain.rules.iter().map(|r| r.counters.packets));
                }
            }
        }
        all
    }
    /// What fell between then and now.
    fn fallen(&self, now: &Counters) -> Option<String> {
        if self.shape != now.shape {
            return Some("the rules changed by themselves".into());
        }
        let pairs = self.packets.iter().zip(&now.packets);
        pairs.clone().find(|(a, b)| a > b).map(|(a, b)| format!("a counter fell from {a} to {b}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hookwalk_engine::Event;
    use hookwalk_engine::device::DevId;

    fn event(kind: EventKind) -> What {
        What::Host(Event { packet: PacketId(1), host: HostId(0), kind })
    }

    #[test]
    fn two_fates_are_one_too_many() {
        let mut fates = Fates::default();
        fates.record(event(EventKind::Receive { dev: DevId(2) }));
        assert_eq!(fates.open.len(), 1);
        fates.record(event(EventKind::Transmit { dev: DevId(3) }));
        assert!(fates.open.is_empty() && fates.broken.is_none());
        fates.record(event(EventKind::Transmit { dev: DevId(3) }));
        assert_eq!(fates.broken.unwrap(), "packet 1 ends twice in host 0: Transmit { dev: DevId(3) }");
    }

    #[test]
    fn counters_do_not_fall() {
        let counters = |packets: &[u64]| Counters { shape: vec![(0, 2)], packets: packets.to_vec() };
        assert_eq!(counters(&[1, 2]).fallen(&counters(&[1, 3])), None);
        assert_eq!(counters(&[1, 2]).fallen(&counters(&[2, 1])).unwrap(), "a counter fell from 2 to 1");
        let other = Counters { shape: vec![(0, 1)], packets: vec![1] };
        assert!(counters(&[1, 2]).fallen(&other).is_some());
    }
}
