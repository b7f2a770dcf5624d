//! `-m multiport`: up to fifteen ports or ranges (net/netfilter/xt_multiport.c:multiport_mt).

use super::tcp::PortRange;
use super::{MatchCx, Matched, transport};
use crate::packet::proto;
use crate::ruleset::Inv;
use std::sync::Arc;

/// Which port is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortSide {
    /// `--sports`.
    Source,
    /// `--dports`.
    Destination,
    /// `--ports`.
    Either,
}

/// `-m multiport`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MultiportMatch {
    /// Which port.
    pub side: PortSide,
    /// Single ports have both ends equal. `!` inverts the list as a whole.
    pub ports: Inv<Arc<[PortRange]>>,
}

impl MultiportMatch {
    /// True if a listed range holds the port. A packet whose ports cannot be read is dropped; later fragments never
    /// match.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.is_later_fragment() {
            return Matched::No;
        }
        let has_ports =
            matches!(packet.proto, proto::TCP | proto::UDP | proto::UDPLITE | proto::SCTP | proto::DCCP);
        if !has_ports {
            return Matched::No;
        }
        let Some((src, dst)) = transport::ports(packet) else { return Matched::HotDrop };
        let fits = self.ports.value.iter().any(|&(low, high)| {
            let within = |port| low <= port && port <= high;
            match self.side {
                PortSide::Source => within(src),
                PortSide::Destination => within(dst),
                PortSide::Either => within(src) || within(dst),
            }
        });
        self.ports.test(fits).into()
    }
}
