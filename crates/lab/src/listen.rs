//! What a `conntrack -E` on every host would have heard from the start of a run, each message with its position.
//!
//! The run is made once more from its beginning with somebody listening. That changes nothing that packets can see: the
//! kernel, too, only sends what it would otherwise not have written down (`nf_conntrack_events`).

use crate::file::StationId;
use crate::record::{Sink, What};
use crate::session::Session;
use hookwalk_engine::conntrack::CtEvent;
use hookwalk_engine::event::{Event, EventKind, Gone};

/// One message.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The position after the step that sent it.
    pub at: usize,
    /// The host.
    pub station: StationId,
    /// The packet that set it off; 0 if none did.
    pub packet: u32,
    /// The message.
    pub event: CtEvent,
    /// Why the entry left, for the last message about it.
    pub gone: Option<Gone>,
}

/// The records of one step.
#[derive(Default)]
struct Step {
    made: usize,
    last: Option<What>,
    gone: Vec<Event>,
}

impl Sink for Step {
    fn record(&mut self, what: What) {
        self.made += 1;
        self.last = Some(what);
        if let What::Host(event @ Event { kind: EventKind::EntryGone { .. }, .. }) = what {
            self.gone.push(event);
        }
    }
}

/// All messages of a run, at most `most` of them.
pub fn heard(session: &Session, most: usize) -> Vec<Heard> {
    let mut run = session.start().clone();
    let stations = run.world.stations.len() as u16;
    for station in 0..stations {
        if let Some(host) = run.world.host_mut(StationId(station)) {
            host.net.ct.notify.listeners += 1;
        }
    }
    let mut read = vec![0; usize::from(stations)];
    let mut heard = Vec::new();
    let mut step = Step::default();
    while heard.len() < most && run.step(&mut step) {
        for (i, read) in read.iter_mut().enumerate() {
            let station = StationId(i as u16);
            let Some(host) = run.world.host(station) else { continue };
            let queue = &host.net.ct.notify.queue;
            // A command of the lab that reads takes all away.
            let mut gone = step.gone.iter().filter(|e| e.host.0 == station.0);
            for event in queue.get((*read).min(queue.len())..).unwrap_or_default() {
                let last = event.kind == hookwalk_engine::conntrack::CtEventKind::Destroy;
                let why = if last { gone.next() } else { None };
                heard.push(Heard {
                    at: step.made,
                    station,
                    packet: step.last.and_then(|w| w.packet()).map_or(0, |p| p.0),
                    event: event.clone(),
                    gone: why.and_then(|e| match e.kind {
                        EventKind::EntryGone { why, .. } => Some(why),
                        _ => None,
                    }),
                });
            }
            *read = queue.len();
        }
        step.gone.clear();
    }
    heard.truncate(most);
    heard
}
