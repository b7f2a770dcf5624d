//! `-m addrtype`: what kind of address it is to this host (net/netfilter/xt_addrtype.c:addrtype_mt_v1).

use crate::ruleset::Inv;

/// Kinds of addresses as a set of bits: bit n stands for `RTN_n` (include/uapi/linux/rtnetlink.h).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct AddrTypes(pub u16);

impl AddrTypes {
    /// Bits in the kernel's order; the names are those of `--src-type`.
    pub const NAMES: [(&'static str, AddrTypes); 12] = [
        ("UNSPEC", AddrTypes(1 << 0)),
        ("UNICAST", AddrTypes(1 << 1)),
        ("LOCAL", AddrTypes(1 << 2)),
        ("BROADCAST", AddrTypes(1 << 3)),
        ("ANYCAST", AddrTypes(1 << 4)),
        ("MULTICAST", AddrTypes(1 << 5)),
        ("BLACKHOLE", AddrTypes(1 << 6)),
        ("UNREACHABLE", AddrTypes(1 << 7)),
        ("PROHIBIT", AddrTypes(1 << 8)),
        ("THROW", AddrTypes(1 << 9)),
        ("NAT", AddrTypes(1 << 10)),
        ("XRESOLVE", AddrTypes(1 << 11)),
    ];
}

/// `-m addrtype`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AddrTypeMatch {
    /// `--src-type`.
    pub src: Option<Inv<AddrTypes>>,
    /// `--dst-type`.
    pub dst: Option<Inv<AddrTypes>>,
    /// `--limit-iface-in`: only addresses of the input device count.
    pub limit_iface_in: bool,
    /// `--limit-iface-out`: only addresses of the output device count.
    pub limit_iface_out: bool,
}
