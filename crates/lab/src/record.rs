//! What happens while a lab runs, one record a step, and who takes the records.

use crate::file::End;
use hookwalk_engine::event::{Event, Observer};
use hookwalk_engine::packet::PacketId;

/// One thing that happened.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum What {
    /// A line of the lab begins.
    Line,
    /// Something happened in a host.
    Host(Event),
    /// A frame left a station and is on its way to another.
    Carry {
        /// The packet in it.
        packet: PacketId,
        /// Where it left.
        from: End,
        /// Where it goes.
        to: End,
    },
    /// A frame came to a wire, which keeps it.
    Arrive {
        /// The packet in it.
        packet: PacketId,
        /// Where.
        at: End,
    },
    /// No neighbour has the address, or nothing is plugged in: the frame goes nowhere.
    Lost {
        /// The packet in it.
        packet: PacketId,
        /// Where it left.
        from: End,
    },
}

impl What {
    /// The packet that it is about, if any.
    pub fn packet(&self) -> Option<PacketId> {
        match self {
            What::Line => None,
            What::Host(event) => (event.packet.0 != 0).then_some(event.packet),
            What::Carry { packet, .. } | What::Arrive { packet, .. } | What::Lost { packet, .. } => {
                Some(*packet)
            }
        }
    }
}

/// Takes what happens.
pub trait Sink {
    /// Does anyone look?
    const ENABLED: bool = true;
    /// One thing.
    fn record(&mut self, what: What);
}

/// Nobody looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSink;

impl Sink for NoSink {
    const ENABLED: bool = false;
    fn record(&mut self, _: What) {}
}

impl Sink for Vec<What> {
    fn record(&mut self, what: What) {
        self.push(what);
    }
}

/// A sink as the engine's observer.
pub(crate) struct Watching<'a, S>(pub(crate) &'a mut S);

impl<S: Sink> Observer for Watching<'_, S> {
    const ENABLED: bool = S::ENABLED;
    fn event(&mut self, event: Event) {
        self.0.record(What::Host(event));
    }
}
