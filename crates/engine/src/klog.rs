//! What the kernel writes down about packets: the lines of LOG in its log, and the messages of TRACE to those who listen
//! (net/netfilter/nf_log_syslog.c, net/netfilter/nf_tables_trace.c). The text is the `lang` crate's.

use crate::addr::Family;
use crate::device::DevId;
use crate::hook::Hook;
use crate::packet::{Owner, Packet, PacketId, Skb};
use crate::ruleset::{Policy, Rule, Ruleset, TableKind};
use crate::targets::LogTarget;
use crate::time::Time;
use std::collections::VecDeque;
use std::sync::Arc;

/// Lines that are kept; the oldest go first, as from the kernel's ring buffer.
pub const LINES: usize = 4096;

/// A packet as it was at one moment, with its surroundings.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// Its number.
    pub id: PacketId,
    /// The packet.
    pub packet: Packet,
    /// The hook.
    pub hook: Hook,
    /// Input device.
    pub in_dev: Option<DevId>,
    /// Output device.
    pub out_dev: Option<DevId>,
    /// The device that it came in by, which TRACE tells at POSTROUTING too (`skb->skb_iif`).
    pub came_by: Option<DevId>,
    /// Source hardware address, where it came in a frame.
    pub mac_src: Option<[u8; 6]>,
    /// Destination hardware address, where it came in a frame.
    pub mac_dst: Option<[u8; 6]>,
    /// `skb->mark`.
    pub mark: u32,
    /// User and group of the process that sent it.
    pub owner: Option<Owner>,
}

impl Seen {
    /// The packet as it is now.
    pub fn of(skb: &Skb, hook: Hook, in_dev: Option<DevId>, out_dev: Option<DevId>) -> Seen {
        Seen {
            id: skb.id,
            packet: skb.packet.clone(),
            hook,
            in_dev,
            out_dev,
            came_by: skb.in_dev,
            mac_src: skb.mac_src,
            mac_dst: skb.mac_dst,
            mark: skb.mark,
            owner: skb.owner,
        }
    }
}

/// A line of LOG.
#[derive(Clone, PartialEq, Debug)]
pub struct LogLine {
    /// When.
    pub at: Time,
    /// The packet.
    pub seen: Seen,
    /// The target's options.
    pub target: Arc<LogTarget>,
}

/// What a rule that reports did (`nft_trace_notify`).
#[derive(Clone, PartialEq, Debug)]
pub enum TraceVerdict {
    /// The next rule.
    Continue,
    /// This table is done.
    Accept,
    /// The packet ends.
    Drop,
    /// Taken away.
    Stolen,
    /// To a queue.
    Queue,
    /// Back to the calling chain.
    Return,
    /// To a chain, and back.
    Jump(Arc<str>),
    /// To a chain.
    Goto(Arc<str>),
}

/// One message of TRACE.
#[derive(Clone, PartialEq, Debug)]
pub enum TraceWhat {
    /// The packet; once in each base chain, before what happens to it there.
    Packet(Box<Seen>),
    /// A rule matched.
    Rule {
        /// The chain that it stands in.
        chain: Arc<str>,
        /// The rule as it was.
        rule: Box<Rule>,
        /// What it did.
        verdict: TraceVerdict,
    },
    /// The base chain's policy.
    Policy {
        /// The base chain.
        chain: Arc<str>,
        /// The policy.
        policy: Policy,
        /// `skb->mark` as it is then.
        mark: u32,
    },
}

/// A message of TRACE with its place.
#[derive(Clone, PartialEq, Debug)]
pub struct TraceLine {
    /// When.
    pub at: Time,
    /// The packet.
    pub id: PacketId,
    /// Family of the table.
    pub family: Family,
    /// The table.
    pub table: TableKind,
    /// The base chain that the traversal began in.
    pub base: Arc<str>,
    /// What.
    pub what: TraceWhat,
}

/// The kernel's log, and who listens to TRACE.
#[derive(Clone, Debug, Default)]
pub struct Klog {
    /// Lines of LOG, the oldest first.
    pub lines: VecDeque<Arc<LogLine>>,
    /// How many listen to TRACE; while nobody does, nothing is kept.
    pub trace_listeners: u32,
    /// The rules as they were when the one that prints now began to listen: nft tells their counters of that moment.
    pub watched: Option<Arc<Ruleset>>,
    /// Messages of TRACE, in order; the reader takes them away.
    pub traces: Vec<Arc<TraceLine>>,
    /// Messages about packets whose REJECT is under way: a rule reports when it is done, which is after its answer has
    /// left.
    pub(crate) waiting: Vec<Arc<TraceLine>>,
}

impl Klog {
    /// REJECT is done with the packet: what it had to report comes now.
    pub(crate) fn tell_waiting(&mut self, id: PacketId) {
        if self.waiting.is_empty() {
            return;
        }
        let (now, later) = self.waiting.drain(..).partition(|line| line.id == id);
        self.waiting = later;
        let mut now: Vec<Arc<TraceLine>> = now;
        self.traces.append(&mut now);
    }
    /// LOG writes a line.
    pub(crate) fn log(&mut self, line: LogLine) {
        if self.lines.len() >= LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Arc::new(line));
    }
}
