//! `-m icmp` and `-m icmp6`: type and code (net/ipv4/netfilter/ip_tables.c:icmp_match,
//! net/ipv6/netfilter/ip6_tables.c:icmp6_match).

use super::{MatchCx, Matched};
use crate::packet::proto;
use crate::ruleset::Inv;

/// A type with the range of codes that a rule names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IcmpType {
    /// Type; for IPv4, 255 stands for any type (`--icmp-type any`).
    pub kind: u8,
    /// First and last code, both included; 0 to 255 where no code was written.
    pub codes: (u8, u8),
}

/// `-p icmp -m icmp --icmp-type`, `-p ipv6-icmp -m icmp6 --icmpv6-type`; the match's name tells which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IcmpMatch {
    /// The type.
    pub kind: Inv<IcmpType>,
}

impl IcmpMatch {
    /// True if the message's type and code fit. Later fragments never match.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.is_later_fragment() || !matches!(packet.proto, proto::ICMP | proto::ICMPV6) {
            return Matched::No;
        }
        // Too short for a header: the kernel drops it on the spot.
        let Some(icmp) = packet.icmp() else { return Matched::HotDrop };
        let IcmpType { kind, codes } = self.kind.value;
        let any = packet.proto == proto::ICMP && kind == 255;
        let fits = any || (kind == icmp.kind && codes.0 <= icmp.code && icmp.code <= codes.1);
        self.kind.test(fits).into()
    }
}
