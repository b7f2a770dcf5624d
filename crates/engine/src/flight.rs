//! Where a packet is: a value, not the call stack, so that any moment can be kept, resumed and rewound.

use crate::addr::Addr;
use crate::device::DevId;
use crate::event::{DropBy, Origin};
use crate::hook::Hook;
use crate::packet::{PacketId, Skb};
use crate::ruleset::{ChainId, TableKind};
use std::collections::VecDeque;

/// A packet on its way through a host.
#[derive(Clone, PartialEq, Debug)]
pub struct Flight {
    /// The packet.
    pub skb: Skb,
    /// Where it is.
    pub at: Stage,
}

/// The stations of the path, `ip_rcv` to `dev_queue_xmit`.
#[derive(Clone, PartialEq, Debug)]
pub enum Stage {
    /// A frame from a device, before PREROUTING (`ip_rcv`).
    Receive,
    /// A packet that begins here, its first route already chosen, before OUTPUT (`__ip_local_out`).
    LocalOut {
        /// Who sends it, for the event.
        by: Origin,
        /// The packet that it answers.
        answers: PacketId,
    },
    /// At a hook.
    Hook(AtHook),
    /// Between PREROUTING and the decision (`ip_rcv_finish`).
    InputRoute,
    /// Routed onward (`ip_forward`), before FORWARD.
    Forward,
    /// After INPUT (`ip_local_deliver_finish`).
    Deliver,
    /// After POSTROUTING (`ip_finish_output`).
    Transmit,
    /// About to be freed: the answers that it caused have left.
    Drop(DropBy),
    /// Nothing is left to do.
    Done,
}

/// A packet's place within a hook.
#[derive(Clone, PartialEq, Debug)]
pub struct AtHook {
    /// The hook.
    pub hook: Hook,
    /// Input device as it was when the hook was entered.
    pub in_dev: Option<DevId>,
    /// Output device as it was when the hook was entered.
    pub out_dev: Option<DevId>,
    /// The hook has been entered (the event is told).
    pub entered: bool,
    /// The next function, as an index into the hook's list.
    pub next: u8,
    /// Inside a table's chains.
    pub walk: Option<Walk>,
}

/// What mangle OUTPUT compares before and after: a difference routes the packet anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoutingKey {
    /// Source address.
    pub src: Addr,
    /// Destination address.
    pub dst: Addr,
    /// `skb->mark`.
    pub mark: u32,
    /// IPv4: TOS. IPv6: hop limit.
    pub tos: u8,
}

/// The depth of jumps that nf_tables allows (`NFT_JUMP_STACK_SIZE`).
pub const JUMP_STACK: usize = 16;

/// A traversal of chains in progress (`ipt_do_table`, `nft_do_chain`).
#[derive(Clone, PartialEq, Debug)]
pub struct Walk {
    /// The table.
    pub table: TableKind,
    /// The base chain that it began in.
    pub base: ChainId,
    /// The chain that it is in.
    pub chain: ChainId,
    /// The next rule.
    pub rule: u16,
    /// That rule matched; its target runs next.
    pub firing: bool,
    /// What routing looks at, as it was before the table (mangle OUTPUT compares).
    pub before: RoutingKey,
    /// TRACE has told of the packet in this base chain.
    pub told: bool,
    /// Return addresses: chain and rule to go on with.
    pub stack: [(ChainId, u16); JUMP_STACK],
    /// How many of them are in use.
    pub depth: u8,
}

/// What one processor works on. The top of the stack runs first: REJECT's answer has left before the rejected packet
/// ends, as the nested calls of the kernel have it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Cpu {
    /// Packets on their way; the last is the one that moves.
    pub stack: Vec<Flight>,
    /// What left, in order: the world takes it from here (`softnet_data.input_pkt_queue` of whoever receives it).
    pub out: VecDeque<Out>,
    /// Scratch space for what a step gives birth to; empty between steps.
    pub(crate) spawned: Vec<Flight>,
}

/// What leaves a processor.
#[derive(Clone, PartialEq, Debug)]
pub enum Out {
    /// A frame on a device.
    Wire {
        /// The device.
        dev: DevId,
        /// The address whose neighbour entry gives the destination MAC: gateway or destination.
        next_hop: Addr,
        /// The packet.
        skb: Skb,
    },
    /// A packet on `lo`, or the copy of a broadcast or multicast: it comes back in as a received one (`loopback_xmit`,
    /// `dev_loopback_xmit`).
    Loopback {
        /// The packet, its conntrack entry still attached; `in_dev` says where it comes in.
        skb: Skb,
    },
    /// A local process sends as soon as it runs.
    Process {
        /// The packet, before its first route.
        flight: Box<Flight>,
    },
}

/// Numbers packets in order of birth.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PacketIds(pub u32);

impl PacketIds {
    /// The next number.
    pub fn next_id(&mut self) -> PacketId {
        self.0 += 1;
        PacketId(self.0)
    }
}
