//! `-m iprange`: address ranges (net/netfilter/xt_iprange.c).

use super::{MatchCx, Matched};
use crate::addr::Addr;
use crate::ruleset::Inv;

/// `-m iprange`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct IprangeMatch {
    /// `--src-range`: first and last, both included.
    pub src: Option<Inv<(Addr, Addr)>>,
    /// `--dst-range`.
    pub dst: Option<Inv<(Addr, Addr)>>,
}

impl IprangeMatch {
    /// True if both addresses lie in their ranges.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        // `Addr` compares word by word in host order, which is the order of addresses.
        let within = |range: &Option<Inv<(Addr, Addr)>>, addr: Addr| {
            range.as_ref().is_none_or(|r| r.test(r.value.0 <= addr && addr <= r.value.1))
        };
        (within(&self.src, cx.skb.packet.src) && within(&self.dst, cx.skb.packet.dst)).into()
    }
}
