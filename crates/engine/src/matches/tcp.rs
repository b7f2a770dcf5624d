//! `-m tcp`: ports, flags, options. iptables hands ports and flags to nf_tables (net/netfilter/nft_payload.c) and only
//! `--tcp-option` to net/netfilter/xt_tcpudp.c:tcp_mt.

use super::{MatchCx, Matched, transport};
use crate::packet::proto;
use crate::ruleset::Inv;

/// Ports from and to, both included.
pub type PortRange = (u16, u16);

/// `-p tcp -m tcp`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TcpMatch {
    /// `--sport`.
    pub sport: Option<Inv<PortRange>>,
    /// `--dport`.
    pub dport: Option<Inv<PortRange>>,
    /// `--tcp-flags MASK COMP`, `--syn`.
    pub flags: Option<Inv<(u8, u8)>>,
    /// `--tcp-option`.
    pub option: Option<Inv<u8>>,
}

impl TcpMatch {
    /// True if all options hold. Ports and flags are read by nf_tables itself, which looks neither for fragments nor
    /// for the rest of the header; without any of them, or with an option, it is the old module's business: that
    /// drops a fragment at byte 8 and a short header at once.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.proto != proto::TCP {
            return Matched::No;
        }
        let loads = self.sport.is_some() || self.dport.is_some() || self.flags.is_some();
        let old_module = self.option.is_some() || !loads;
        if old_module {
            match packet.frag.map_or(0, |f| f.offset) {
                0 => {}
                8 => return Matched::HotDrop,
                _ => return Matched::No,
            }
        }
        let Some(tcp) = packet.tcp() else {
            if old_module {
                return Matched::HotDrop;
            }
            let loaded = transport::load(packet);
            let flags = self
                .flags
                .is_none_or(|f| loaded.flags.is_some_and(|flags| f.test(flags & f.value.0 == f.value.1)));
            return (ports(self.sport, self.dport, loaded.sport, loaded.dport) && flags).into();
        };
        let flags = self.flags.is_none_or(|f| f.test(tcp.flags & f.value.0 == f.value.1));
        let option = self.option.is_none_or(|o| o.test(tcp.opts.has(o.value)));
        let (sport, dport) = (Some(tcp.sport), Some(tcp.dport));
        let ports = if old_module {
            within(self.sport, sport) && within(self.dport, dport)
        } else {
            ports(self.sport, self.dport, sport, dport)
        };
        (ports && flags && option).into()
    }
}

/// Both ports as iptables has nf_tables compare them. Two single ports with `!` become one comparison of both together,
/// which holds unless both are the ones that are named.
pub(super) fn ports(
    source: Option<Inv<PortRange>>,
    destination: Option<Inv<PortRange>>,
    sport: Option<u16>,
    dport: Option<u16>,
) -> bool {
    let single = |r: Option<Inv<PortRange>>| {
        r.filter(|r| r.not && r.value.0 == r.value.1 && r.value.0 != 0).map(|r| r.value.0)
    };
    match (single(source), single(destination)) {
        (Some(s), Some(d)) => sport.zip(dport).is_some_and(|loaded| loaded != (s, d)),
        _ => within(source, sport) && within(destination, dport),
    }
}

/// Does the port that was loaded lie in the range? Where nothing could be loaded, no condition holds.
pub(super) fn within(range: Option<Inv<PortRange>>, port: Option<u16>) -> bool {
    range.is_none_or(|r| port.is_some_and(|port| r.test(r.value.0 <= port && port <= r.value.1)))
}
