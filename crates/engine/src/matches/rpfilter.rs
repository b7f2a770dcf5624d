//! `-m rpfilter`: would the answer go back where the packet came from (net/ipv4/netfilter/ipt_rpfilter.c,
//! net/ipv6/netfilter/ip6t_rpfilter.c)?

use super::{MatchCx, Matched};
use crate::addr::{Addr, Family};
use crate::device::DevId;
use crate::route::{Flow, RouteKind};

/// `-m rpfilter`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RpfilterMatch {
    /// `--loose`: any route will do.
    pub loose: bool,
    /// `--validmark`: the packet's mark counts in the look-up.
    pub valid_mark: bool,
    /// `--accept-local`: sources that are this host's own are fine.
    pub accept_local: bool,
    /// `--invert`.
    pub invert: bool,
}

impl RpfilterMatch {
    /// Looks up the way back to the packet's source.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        (self.passes(cx) != self.invert).into()
    }

    fn passes(&self, cx: &MatchCx<'_>) -> bool {
        let packet = &cx.skb.packet;
        let family = packet.family;
        let Some(in_dev) = cx.in_dev else { return false };
        if in_dev == DevId::LO {
            return true;
        }
        if family == Family::V4 {
            // A host that has no address yet asks everybody, or its neighbours.
            let asks = packet.dst.as_v4() == u32::MAX || packet.dst.as_v4() >> 8 == 0x00e0_0000;
            if packet.src.is_unspecified() && asks {
                return true;
            }
        } else if packet.src.is_unspecified() {
            return true;
        }
        // IPv6 stops at one of its own addresses, on whichever device it is.
        if family == Family::V6 && cx.net.addr_type(family, packet.src, None) == RouteKind::Local {
            return self.accept_local;
        }
        let v4_general = packet.dst.is_multicast(family)
            || (family == Family::V4 && (packet.dst.as_v4() == u32::MAX || packet.dst.is_unspecified()));
        let flow = Flow {
            src: if v4_general { Addr::UNSPECIFIED } else { packet.dst },
            mark: if self.valid_mark { cx.skb.mark } else { 0 },
            tos: packet.tos & 0x1c,
            ..Flow::to(family, packet.src)
        };
        // The look-up of IPv6 is bound to the device from the start.
        let flow = match family {
            Family::V6 if !self.loose => Flow { oif: Some(in_dev), ..flow },
            _ => flow,
        };
        let Ok(route) = cx.net.fib_lookup(&flow) else { return false };
        let kind_fits = match route.kind {
            RouteKind::Unicast => true,
            RouteKind::Local => self.accept_local,
            _ => false,
        };
        kind_fits && (self.loose || route.dev == Some(in_dev))
    }
}
