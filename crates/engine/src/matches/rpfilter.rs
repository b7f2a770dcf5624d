//! `-m rpfilter`: would the answer go back where the packet came from (net/ipv4/netfilter/ipt_rpfilter.c,
//! net/ipv6/netfilter/ip6t_rpfilter.c)?

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
