//! `-m mac`: the frame's source address (net/netfilter/xt_mac.c:mac_mt).

use super::{MatchCx, Matched};
use crate::ruleset::Inv;

/// `-m mac --mac-source`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MacMatch {
    /// The address.
    pub source: Inv<[u8; 6]>,
}

impl MacMatch {
    /// False, inverted or not, for a packet that did not come in an Ethernet frame.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        match cx.skb.mac_src {
            Some(mac) => self.source.test(mac == self.source.value).into(),
            None => Matched::No,
        }
    }
}
