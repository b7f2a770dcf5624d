//! Where a packet is: a value, not the call stack, so that any moment can be kept, resumed and rewound.

use crate::device::DevId;
use crate::hook::Hook;
use crate::packet::Skb;
use crate::ruleset::{ChainId, TableKind};

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
    LocalOut,
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
    /// The next function, as an index into the hook's list.
    pub next: u8,
    /// Inside a table's chains.
    pub walk: Option<Walk>,
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
    /// Return addresses: chain and rule to go on with.
    pub stack: [(ChainId, u16); JUMP_STACK],
    /// How many of them are in use.
    pub depth: u8,
}
