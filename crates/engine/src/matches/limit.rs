//! `-m limit`: a token bucket in the rule (net/netfilter/xt_limit.c:limit_mt).

/// `-m limit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitMatch {
    /// `--limit` as the kernel gets it: ten-thousandths of a second a packet (1/sec is 10000, 3/hour 12000000).
    pub avg: u32,
    /// `--limit-burst`.
    pub burst: u32,
    /// The bucket; `None` until the rule is first evaluated.
    pub bucket: Option<LimitBucket>,
}

/// What is left of a [`LimitMatch`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitBucket {
    /// Jiffies when it was last filled.
    pub prev: u64,
    /// Credit.
    pub credit: u32,
}
