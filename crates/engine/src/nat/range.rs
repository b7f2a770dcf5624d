//! What a NAT target asks for, `struct nf_nat_range2`.

use crate::addr::Addr;

/// `NF_NAT_RANGE_*` (include/uapi/linux/netfilter/nf_nat.h).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NatFlags {
    /// `MAP_IPS`: addresses are given.
    pub map_ips: bool,
    /// `PROTO_SPECIFIED`: ports are given.
    pub proto_specified: bool,
    /// `PROTO_RANDOM` (`--random`).
    pub random: bool,
    /// `PROTO_RANDOM_FULLY` (`--random-fully`).
    pub random_fully: bool,
    /// `PERSISTENT` (`--persistent`).
    pub persistent: bool,
    /// `PROTO_OFFSET`: a shifted port range with a base.
    pub proto_offset: bool,
    /// `NETMAP`: the range is a network, mapped one to one.
    pub netmap: bool,
}

/// Addresses and ports to choose from, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Range {
    /// Flags.
    pub flags: NatFlags,
    /// First address.
    pub min_addr: Addr,
    /// Last address.
    pub max_addr: Addr,
    /// First port or id.
    pub min_port: u16,
    /// Last port or id.
    pub max_port: u16,
    /// Base of a shifted port range.
    pub base_port: u16,
}
