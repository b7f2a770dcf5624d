//! `-m limit`: a token bucket in the rule. iptables hands it to nf_tables (net/netfilter/nft_limit.c), whose bucket
//! counts nanoseconds, not jiffies.

use super::{MatchCx, Matched};
use crate::time::Time;

/// `-m limit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitMatch {
    /// `--limit` as `struct xt_rateinfo` has it: ten-thousandths of a second a packet (1/sec is 10000, 3/hour
    /// 12000000).
    pub avg: u32,
    /// `--limit-burst`.
    pub burst: u32,
    /// The bucket; `None` until the rule is first evaluated, which is as good as full.
    pub bucket: Option<LimitBucket>,
}

/// What is left of a [`LimitMatch`], `struct nft_limit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitBucket {
    /// When it was last filled.
    pub last: Time,
    /// Tokens, in nanoseconds.
    pub tokens: u64,
}

/// Units of a rate in seconds, longest first.
const UNITS: [u32; 4] = [86_400, 3_600, 60, 1];

impl LimitMatch {
    /// Packets and the unit in seconds that the rate amounts to: the smallest unit that still holds a whole number of
    /// packets, as iptables writes it (`7/min` is kept as 85714 and comes back as 7, 60).
    pub fn rate(&self) -> (u32, u32) {
        let avg = self.avg.max(1);
        let mut unit = UNITS[0];
        for &next in &UNITS[1..] {
            let tenthousandths = next * 10_000;
            if avg > tenthousandths || tenthousandths / avg < tenthousandths % avg {
                break;
            }
            unit = next;
        }
        ((unit * 10_000 / avg).max(1), unit)
    }

    /// True while a token is there; it is taken. The bucket begins full.
    pub fn test(&mut self, cx: &MatchCx<'_>) -> Matched {
        let (rate, unit) = self.rate();
        // nft_limit_pkts_init: what one packet costs, and the most that can be saved up.
        let cost = u64::from(unit) * 1_000_000_000 / u64::from(rate);
        let burst = if self.burst == 0 { 5 } else { self.burst };
        let most = cost.saturating_mul(u64::from(burst));
        let now = cx.net.now;
        let bucket = self.bucket.get_or_insert(LimitBucket { last: now, tokens: most });
        let tokens = bucket.tokens.saturating_add(now.since(bucket.last).0).min(most);
        bucket.last = now;
        bucket.tokens = tokens.checked_sub(cost).unwrap_or(tokens);
        (tokens >= cost).into()
    }
}
