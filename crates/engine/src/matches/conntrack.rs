//! `-m conntrack` and `-m state`: what conntrack knows of the packet (net/netfilter/xt_conntrack.c:conntrack_mt).

use super::tcp::PortRange;
use super::{MatchCx, Matched};
use crate::addr::{Addr, AddrMask};
use crate::conntrack::{Conn, CtInfo, Direction, Nfct, status};
use crate::packet::Skb;
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

/// The state bit of a packet (`XT_CONNTRACK_STATE_BIT`), without SNAT and DNAT.
fn state_of(skb: &Skb) -> CtStates {
    match skb.nfct {
        Nfct::None => CtStates::INVALID,
        Nfct::Untracked => CtStates::UNTRACKED,
        // A template is attached as a new connection.
        Nfct::Template(_) => CtStates::NEW,
        Nfct::Conn { info, .. } => match info {
            CtInfo::New => CtStates::NEW,
            CtInfo::Related | CtInfo::RelatedReply => CtStates::RELATED,
            CtInfo::Established | CtInfo::EstablishedReply => CtStates::ESTABLISHED,
        },
    }
}

impl StateMatch {
    /// Is the packet's state one of those listed?
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        self.states.test(self.states.value.meets(state_of(cx.skb))).into()
    }
}

impl ConntrackMatch {
    /// All conditions hold. Without an entry only `--ctstate` is looked at, and a match without it is false.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let conn = cx.conn();
        if let Some(wanted) = &self.state {
            let mut states = state_of(cx.skb);
            if let Some(conn) = conn {
                if conn.has(status::SRC_NAT) {
                    states = states.or(CtStates::SNAT);
                }
                if conn.has(status::DST_NAT) {
                    states = states.or(CtStates::DNAT);
                }
            }
            if !wanted.test(wanted.value.meets(states)) {
                return Matched::No;
            }
        }
        let (Some(conn), Nfct::Conn { info, .. }) = (conn, cx.skb.nfct) else {
            return self.state.is_some().into();
        };
        if self.direction.is_some_and(|d| d != info.direction()) {
            return Matched::No;
        }
        (self.tuples_fit(conn)
            && self.status.is_none_or(|c| c.test(conn.status & c.value != 0))
            && self.expire.is_none_or(|c| {
                let left = cx.net.ct_expires(cx.skb);
                c.test(u64::from(c.value.0) <= left && left <= u64::from(c.value.1))
            }))
        .into()
    }

    fn tuples_fit(&self, conn: &Conn) -> bool {
        let [orig, repl] = &conn.tuples;
        let addr =
            |c: &Option<Inv<AddrMask>>, addr: Addr| c.as_ref().is_none_or(|c| c.test(c.value.contains(addr)));
        let port = |c: &Option<Inv<PortRange>>, port: u16| {
            c.as_ref().is_none_or(|c| c.test(c.value.0 <= port && port <= c.value.1))
        };
        addr(&self.orig_src, orig.src)
            && addr(&self.orig_dst, orig.dst)
            && addr(&self.repl_src, repl.src)
            && addr(&self.repl_dst, repl.dst)
            && self.proto.is_none_or(|c| c.test(c.value == orig.proto))
            && port(&self.orig_sport, orig.sport)
            && port(&self.orig_dport, orig.dport)
            && port(&self.repl_sport, repl.sport)
            && port(&self.repl_dport, repl.dport)
    }
}
