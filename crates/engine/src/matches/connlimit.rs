//! `-m connlimit`: how many connections an address has (net/netfilter/xt_connlimit.c, nf_conncount.c).

use crate::addr::Addr;

/// `-m connlimit`.
#[derive(Clone, PartialEq, Debug)]
pub struct ConnlimitMatch {
    /// The number.
    pub limit: u32,
    /// `--connlimit-upto`: true up to the number; else true above it.
    pub upto: bool,
    /// `--connlimit-mask`.
    pub mask: Addr,
    /// `--connlimit-daddr`: counted by destination; else by source.
    pub by_destination: bool,
    /// Whom the rule has counted.
    pub counted: ConnCount,
}

/// `struct nf_conncount_data`: the connections that a rule has counted, by masked address.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConnCount {
    /// Counted connections.
    pub lists: std::collections::BTreeMap<Addr, Vec<crate::conntrack::Tuple>>,
}
