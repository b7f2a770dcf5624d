//! `-m udp`: ports, which iptables has nf_tables compare (net/netfilter/nft_payload.c).

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
    /// True if the packet is UDP and the ports fit; a port cannot be read in a later fragment or a short header.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.proto != proto::UDP {
            return Matched::No;
        }
        if self.sport.is_none() && self.dport.is_none() {
            return Matched::Yes;
        }
        let Some(udp) = packet.udp().filter(|_| !packet.is_later_fragment()) else { return Matched::No };
        let within = |range: &Option<Inv<PortRange>>, port| {
            range.as_ref().is_none_or(|r| r.test(r.value.0 <= port && port <= r.value.1))
        };
        (within(&self.sport, udp.sport) && within(&self.dport, udp.dport)).into()
    }
}
