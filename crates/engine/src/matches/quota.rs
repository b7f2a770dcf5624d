//! `-m quota`: so many bytes and no more (net/netfilter/xt_quota.c:quota_mt).

use super::{MatchCx, Matched};

/// `-m quota --quota`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuotaMatch {
    /// Bytes at first.
    pub quota: u64,
    /// `!`: true once they are used up.
    pub not: bool,
    /// Bytes left.
    pub left: u64,
}

impl QuotaMatch {
    /// A packet that fits is taken from what is left; the first that does not fit ends the quota for good.
    pub fn test(&mut self, cx: &MatchCx<'_>) -> Matched {
        let len = u64::from(cx.skb.packet.len());
        let fits = self.left >= len;
        self.left = if fits { self.left - len } else { 0 };
        (fits != self.not).into()
    }
}
