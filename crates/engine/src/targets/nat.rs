//! `-j DNAT`, `-j SNAT`, `-j MASQUERADE`, `-j REDIRECT`, `-j NETMAP`: they choose a [`Range`] and let
//! [`crate::nat`] bind it (net/netfilter/xt_nat.c, xt_MASQUERADE.c, xt_REDIRECT.c, xt_NETMAP.c); `-j SNPT` and
//! `-j DNPT` translate a prefix without conntrack (net/ipv6/netfilter/ip6t_NPT.c).

use crate::addr::Addr;
use crate::nat::Range;
use std::sync::Arc;

/// Options of a NAT target. Which flags and fields of the range are set follows from its options: `map_ips` with
/// addresses, `proto_specified` with ports.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NatTarget {
    /// What is asked for.
    pub range: Range,
}

/// `-j SNPT` and `-j DNPT`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NptTarget {
    /// `--src-pfx`: address and prefix length.
    pub src: (Addr, u8),
    /// `--dst-pfx`.
    pub dst: (Addr, u8),
}

/// NAT targets share their options' type.
pub type SharedNat = Arc<NatTarget>;
