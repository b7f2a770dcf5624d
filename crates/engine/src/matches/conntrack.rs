//! `-m conntrack` and `-m state`: what conntrack knows of the packet (net/netfilter/xt_conntrack.c:conntrack_mt).

use super::tcp::PortRange;
use crate::addr::AddrMask;
use crate::conntrack::Direction;
use crate::ruleset::Inv;

/// States that `--ctstate` and `--state` list, as a set of bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct CtStates(pub u8);

impl CtStates {
    /// `INVALID`: no entry, and not untracked.
    pub const INVALID: CtStates = CtStates(1);
    /// `NEW`.
    pub const NEW: CtStates = CtStates(2);
    /// `RELATED`.
    pub const RELATED: CtStates = CtStates(4);
    /// `ESTABLISHED`.
    pub const ESTABLISHED: CtStates = CtStates(8);
    /// `UNTRACKED`.
    pub const UNTRACKED: CtStates = CtStates(16);
    /// `SNAT`: the entry's status has SRC_NAT (`-m conntrack` only).
    pub const SNAT: CtStates = CtStates(32);
    /// `DNAT`: the entry's status has DST_NAT (`-m conntrack` only).
    pub const DNAT: CtStates = CtStates(64);

    /// Are all of `other` in it?
    pub const fn has(self, other: CtStates) -> bool {
        self.0 & other.0 == other.0
    }
    /// Is any of `other` in it?
    pub const fn meets(self, other: CtStates) -> bool {
        self.0 & other.0 != 0
    }
    /// Both together.
    pub const fn or(self, other: CtStates) -> CtStates {
        CtStates(self.0 | other.0)
    }
}

/// `-m state --state`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateMatch {
    /// The states.
    pub states: Inv<CtStates>,
}

/// `-m conntrack`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConntrackMatch {
    /// `--ctstate`.
    pub state: Option<Inv<CtStates>>,
    /// `--ctproto`.
    pub proto: Option<Inv<u8>>,
    /// `--ctorigsrc`.
    pub orig_src: Option<Inv<AddrMask>>,
    /// `--ctorigdst`.
    pub orig_dst: Option<Inv<AddrMask>>,
    /// `--ctreplsrc`.
    pub repl_src: Option<Inv<AddrMask>>,
    /// `--ctrepldst`.
    pub repl_dst: Option<Inv<AddrMask>>,
    /// `--ctorigsrcport`.
    pub orig_sport: Option<Inv<PortRange>>,
    /// `--ctorigdstport`.
    pub orig_dport: Option<Inv<PortRange>>,
    /// `--ctreplsrcport`.
    pub repl_sport: Option<Inv<PortRange>>,
    /// `--ctrepldstport`.
    pub repl_dport: Option<Inv<PortRange>>,
    /// `--ctstatus`: bits of [`crate::conntrack::status`]; `NONE` is 0.
    pub status: Option<Inv<u32>>,
    /// `--ctexpire`: least and greatest number of seconds left.
    pub expire: Option<Inv<(u32, u32)>>,
    /// `--ctdir`.
    pub direction: Option<Direction>,
}
