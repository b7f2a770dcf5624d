//! `-m udp`: ports (net/netfilter/xt_tcpudp.c:udp_mt).

use super::tcp::PortRange;
use super::{MatchCx, Matched};
use crate::packet::proto;
use crate::ruleset::Inv;

/// `-p udp -m udp`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UdpMatch {
    /// `--sport`.
    pub sport: Option<Inv<PortRange>>,
    /// `--dport`.
    pub dport: Option<Inv<PortRange>>,
}

impl UdpMatch {
    /// True if the packet is UDP, its header can be seen, and the ports fit; never for later fragments.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.is_later_fragment() || packet.proto != proto::UDP {
            return Matched::No;
        }
        // Too short for a header: the kernel drops it on the spot.
        let Some(udp) = packet.udp() else { return Matched::HotDrop };
        let within = |range: &Option<Inv<PortRange>>, port| {
            range.as_ref().is_none_or(|r| r.test(r.value.0 <= port && port <= r.value.1))
        };
        (within(&self.sport, udp.sport) && within(&self.dport, udp.dport)).into()
    }
}
