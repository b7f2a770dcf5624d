//! `-m policy`: was it, or will it be, under IPsec (net/netfilter/xt_policy.c:policy_mt)?

use super::{MatchCx, Matched};
use std::sync::Arc;

/// `-m policy`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyMatch {
    /// `--dir out`; else `in`.
    pub out: bool,
    /// `--pol none`; else `ipsec`.
    pub none: bool,
    /// Everything after `--pol …` (`--strict`, `--reqid` …) as iptables-save prints it; may be empty.
    pub rest: Arc<str>,
}

impl PolicyMatch {
    /// Nothing here is under IPsec: `--pol none` is true, `--pol ipsec` false.
    pub fn test(&self, _: &MatchCx<'_>) -> Matched {
        self.none.into()
    }
}
