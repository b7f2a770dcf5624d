//! `-m udp`: ports, which iptables has nf_tables compare (net/netfilter/nft_payload.c).

use super::tcp::{PortRange, ports};
use super::{MatchCx, Matched, transport};
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
    /// True if the ports fit; nf_tables reads them wherever the header should be, in later fragments too. Without any
    /// port it is the old module's business: later fragments do not match, a short header is dropped.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.proto != proto::UDP {
            return Matched::No;
        }
        if self.sport.is_none() && self.dport.is_none() {
            return match packet.udp() {
                _ if packet.is_later_fragment() => Matched::No,
                Some(_) => Matched::Yes,
                None => Matched::HotDrop,
            };
        }
        let loaded = transport::load(packet);
        ports(self.sport, self.dport, loaded.sport, loaded.dport).into()
    }
}
