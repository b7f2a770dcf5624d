//! `-m tcp`: ports, flags, options (net/netfilter/xt_tcpudp.c:tcp_mt).

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
    /// True if the packet is TCP, its header can be seen, and all options hold. A fragment at offset 1 (8 bytes)
    /// is dropped at once; other later fragments do not match.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if let Some(frag) = packet.frag.filter(|f| f.offset != 0) {
            return if frag.offset == 8 && packet.proto == proto::TCP {
                Matched::HotDrop
            } else {
                Matched::No
            };
        }
        let Some(tcp) = packet.tcp() else { return Matched::No };
        let within = |range: &Option<Inv<PortRange>>, port| {
            range.as_ref().is_none_or(|r| r.test(r.value.0 <= port && port <= r.value.1))
        };
        let flags = self.flags.as_ref().is_none_or(|f| f.test(tcp.flags & f.value.0 == f.value.1));
        let option = self.option.as_ref().is_none_or(|o| o.test(tcp.opts.has(o.value)));
        (within(&self.sport, tcp.sport) && within(&self.dport, tcp.dport) && flags && option).into()
    }
}
