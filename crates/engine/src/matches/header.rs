//! Matches on one field of the IP header or of the packet as a whole: length, ttl, hl, tos, dscp, ecn, pkttype
//! (net/netfilter/xt_length.c, xt_hl.c, xt_dscp.c, xt_ecn.c, xt_pkttype.c).

use super::{MatchCx, Matched};
use crate::packet::{PktType, tcp_flags};
use crate::ruleset::Inv;

/// `-m length --length`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LengthMatch {
    /// Least and greatest length in bytes, IP header included.
    pub length: Inv<(u16, u16)>,
}

impl LengthMatch {
    /// Compares the packet's length.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let len = cx.skb.packet.len();
        let (low, high) = self.length.value;
        self.length.test(u32::from(low) <= len && len <= u32::from(high)).into()
    }
}

/// How a number is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// `-eq`.
    Eq,
    /// `! -eq`.
    Ne,
    /// `-lt`.
    Lt,
    /// `-gt`.
    Gt,
}

/// `-m ttl --ttl-*` (IPv4) and `-m hl --hl-*` (IPv6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TtlMatch {
    /// How it is compared.
    pub relation: Relation,
    /// With what.
    pub value: u8,
}

impl TtlMatch {
    /// Compares the time to live or hop limit.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let ttl = cx.skb.packet.ttl;
        match self.relation {
            Relation::Eq => ttl == self.value,
            Relation::Ne => ttl != self.value,
            Relation::Lt => ttl < self.value,
            Relation::Gt => ttl > self.value,
        }
        .into()
    }
}

/// `-m tos --tos VALUE/MASK`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TosMatch {
    /// Value and mask of the whole byte.
    pub tos: Inv<(u8, u8)>,
}

impl TosMatch {
    /// Compares the type of service or traffic class.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let (value, mask) = self.tos.value;
        self.tos.test(cx.skb.packet.tos & mask == value).into()
    }
}

/// `-m dscp --dscp`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DscpMatch {
    /// The upper six bits of the byte.
    pub dscp: Inv<u8>,
}

impl DscpMatch {
    /// Compares the codepoint.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        self.dscp.test(cx.skb.packet.tos >> 2 == self.dscp.value).into()
    }
}

/// `-m ecn`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EcnMatch {
    /// `--ecn-tcp-cwr`.
    pub tcp_cwr: Option<Inv<()>>,
    /// `--ecn-tcp-ece`.
    pub tcp_ece: Option<Inv<()>>,
    /// `--ecn-ip-ect`: the lower two bits of the byte.
    pub ip_ect: Option<Inv<u8>>,
}

impl EcnMatch {
    /// Compares the congestion bits; conditions on TCP flags are false for other packets.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if self.ip_ect.is_some_and(|e| !e.test(packet.tos & 3 == e.value)) {
            return Matched::No;
        }
        if self.tcp_cwr.is_some() || self.tcp_ece.is_some() {
            let Some(tcp) = packet.tcp() else { return Matched::No };
            let fits = |c: Option<Inv<()>>, bit: u8| c.is_none_or(|c| c.test(tcp.flags & bit != 0));
            return (fits(self.tcp_ece, tcp_flags::ECE) && fits(self.tcp_cwr, tcp_flags::CWR)).into();
        }
        Matched::Yes
    }
}

/// `-m pkttype --pkt-type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PktTypeMatch {
    /// `unicast` is [`PktType::Host`].
    pub kind: Inv<PktType>,
}

impl PktTypeMatch {
    /// Compares how the frame was addressed; a packet that begins here counts as unicast.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        self.kind.test(cx.skb.pkt_type == self.kind.value).into()
    }
}
