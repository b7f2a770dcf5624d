//! `-m` matches: one small file each, here the list of them.
//!
//! A match is a value that tests a packet. Those with a state of their own (limit, statistic, quota …) hold it in
//! themselves, so that a snapshot of the rules is a snapshot of the state.

pub mod tcp;

use crate::conntrack::{Conn, ConnRef};
use crate::device::DevId;
use crate::hook::Hook;
use crate::host::Net;
use crate::packet::Skb;

pub use tcp::TcpMatch;

/// One `-m` condition with its options.
#[derive(Clone, PartialEq, Debug)]
pub enum Match {
    /// `-m tcp`.
    Tcp(TcpMatch),
}

/// What a match looks at.
pub struct MatchCx<'a> {
    /// The packet.
    pub skb: &'a mut Skb,
    /// The hook that the chain was entered from.
    pub hook: Hook,
    /// Input device.
    pub in_dev: Option<DevId>,
    /// Output device.
    pub out_dev: Option<DevId>,
    /// The rest of the host.
    pub net: &'a mut Net,
}

/// What a match says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Matched {
    /// The condition holds.
    Yes,
    /// It does not.
    No,
    /// `par->hotdrop`: drop the packet at once, whatever the rule says.
    HotDrop,
    /// It cannot be known here; the rule is reported as "not simulated" and does not match.
    NotSimulated,
}

impl From<bool> for Matched {
    fn from(yes: bool) -> Matched {
        if yes { Matched::Yes } else { Matched::No }
    }
}

impl MatchCx<'_> {
    /// The packet's connection, whichever kind it is.
    pub fn conn(&self) -> Option<&Conn> {
        match self.skb.nfct {
            crate::conntrack::Nfct::Conn { conn, .. } => self.conn_of(conn),
            _ => None,
        }
    }
    fn conn_of(&self, _conn: ConnRef) -> Option<&Conn> {
        None
    }
}

impl Match {
    /// Tests the packet; stateful matches are charged.
    pub fn test(&mut self, cx: &mut MatchCx<'_>) -> Matched {
        match self {
            Match::Tcp(m) => m.test(cx),
        }
    }
}
