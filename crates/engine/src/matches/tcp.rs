//! `-m tcp`: ports, flags, options. iptables hands ports and flags to nf_tables (net/netfilter/nft_payload.c) and only
//! `--tcp-option` to net/netfilter/xt_tcpudp.c:tcp_mt.

use super::{MatchCx, Matched};
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
    /// True if all options hold. Ports and flags are read by nf_tables itself, which finds none in a later fragment or
    /// a short header; only an option makes it the old module's business, which drops a fragment at byte 8 at once.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.proto != proto::TCP {
            return Matched::No;
        }
        if self.option.is_some() && packet.frag.is_some_and(|f| f.offset == 8) {
            return Matched::HotDrop;
        }
        let nothing = self.sport.is_none() && self.dport.is_none() && self.flags.is_none();
        if nothing && self.option.is_none() {
            return Matched::Yes;
        }
        let Some(tcp) = packet.tcp().filter(|_| !packet.is_later_fragment()) else {
            let short = self.option.is_some() && !packet.is_later_fragment();
            return if short { Matched::HotDrop } else { Matched::No };
        };
        let within = |range: &Option<Inv<PortRange>>, port| {
            range.as_ref().is_none_or(|r| r.test(r.value.0 <= port && port <= r.value.1))
        };
        let flags = self.flags.as_ref().is_none_or(|f| f.test(tcp.flags & f.value.0 == f.value.1));
        let option = self.option.as_ref().is_none_or(|o| o.test(tcp.opts.has(o.value)));
        (within(&self.sport, tcp.sport) && within(&self.dport, tcp.dport) && flags && option).into()
    }
}
