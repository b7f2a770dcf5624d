//! `-m addrtype`: what kind of address it is to this host (net/netfilter/xt_addrtype.c:addrtype_mt_v1).

use super::{MatchCx, Matched};
use crate::addr::{Addr, Family};
use crate::device::DevId;
use crate::route::{Flow, RouteKind};
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

impl AddrTypes {
    /// The bit of a kind of route.
    pub const fn of(kind: RouteKind) -> AddrTypes {
        AddrTypes(match kind {
            RouteKind::Unicast => 1 << 1,
            RouteKind::Local => 1 << 2,
            RouteKind::Broadcast => 1 << 3,
            RouteKind::Anycast => 1 << 4,
            RouteKind::Multicast => 1 << 5,
            RouteKind::Blackhole => 1 << 6,
            RouteKind::Unreachable => 1 << 7,
            RouteKind::Prohibit => 1 << 8,
            RouteKind::Throw => 1 << 9,
        })
    }
    const fn meets(self, other: AddrTypes) -> bool {
        self.0 & other.0 != 0
    }
}

impl AddrTypeMatch {
    /// True if both addresses are of a listed kind, on the device that the limits name.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let dev = if self.limit_iface_in {
            cx.in_dev
        } else if self.limit_iface_out {
            cx.out_dev
        } else {
            None
        };
        let packet = &cx.skb.packet;
        let fits = |wanted: &Option<Inv<AddrTypes>>, addr: Addr| {
            wanted.is_none_or(|w| {
                w.test(match packet.family {
                    Family::V4 => w.value.meets(AddrTypes::of(cx.net.addr_type(packet.family, addr, dev))),
                    Family::V6 => fits_v6(cx, w.value, addr, dev),
                })
            })
        };
        (fits(&self.src, packet.src) && fits(&self.dst, packet.dst)).into()
    }
}

/// `match_type6`: here all listed kinds must hold that an address can show by itself, and one of those that a look-up
/// tells.
fn fits_v6(cx: &MatchCx<'_>, wanted: AddrTypes, addr: Addr, dev: Option<DevId>) -> bool {
    let multicast = addr.is_multicast(Family::V6);
    let has = |kind| wanted.meets(AddrTypes::of(kind));
    if has(RouteKind::Multicast) && !multicast {
        return false;
    }
    // IPV6_ADDR_UNICAST: everything but multicast and the unspecified address.
    if has(RouteKind::Unicast) && (multicast || addr.is_unspecified()) {
        return false;
    }
    if wanted.meets(AddrTypes(1)) && !addr.is_unspecified() {
        return false;
    }
    if !has(RouteKind::Local) && !has(RouteKind::Anycast) && !has(RouteKind::Unreachable) {
        return true;
    }
    let kind = cx.net.addr_type(Family::V6, addr, dev);
    // Every device has a route for multicast.
    let unreachable = !multicast && cx.net.fib_lookup(&Flow::to(Family::V6, addr)).is_err();
    (has(RouteKind::Local) && kind == RouteKind::Local)
        || (has(RouteKind::Anycast) && kind == RouteKind::Anycast)
        || (has(RouteKind::Unreachable) && unreachable)
}
