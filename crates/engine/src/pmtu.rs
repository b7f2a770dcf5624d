//! Path MTU: what "fragmentation needed" and "packet too big" teach a host about the way to a destination
//! (net/ipv4/route.c:update_or_create_fnhe, net/ipv6/route.c:rt6_insert_exception).

use crate::addr::{Addr, Family};
use crate::host::Net;
use crate::packet::{L4, Packet, Payload, proto};
use crate::route::{Dst, DstKind, Flow};
use crate::sorted::SortedMap;
use crate::time::{Duration, Time};

/// What a host has learnt about the way to one destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PathMtu {
    /// In bytes.
    pub mtu: u32,
    /// IPv4: the message named less than `min_pmtu`; from then on forwarded packets obey, too (`fnhe_mtu_locked`).
    pub locked: bool,
    /// When it is forgotten.
    pub expires: Time,
}

/// What a host has learnt, by destination.
pub type PathMtus = SortedMap<(Family, Addr), PathMtu>;

/// `net.ipv4.route.mtu_expires`, `net.ipv6.route.mtu_expires`.
const EXPIRES: Duration = Duration::secs(600);
/// `net.ipv4.route.min_pmtu`.
const MIN_V4: u32 = 552;
/// `IPV6_MIN_MTU`.
const MIN_V6: u32 = 1280;

impl Net {
    /// Destinations of which something is known, with the way to them.
    pub fn known_paths(&self, family: Family) -> impl Iterator<Item = (Addr, Dst, &PathMtu)> {
        let known = self.path_mtus.iter().filter(move |((f, _), p)| *f == family && p.expires > self.now);
        known.filter_map(move |((_, to), p)| Some((*to, self.route_output(&Flow::to(family, *to)).ok()?, p)))
    }
    /// What is known about the way to this destination, while it lasts.
    pub fn path_mtu(&self, family: Family, dst: Addr) -> Option<&PathMtu> {
        self.path_mtus.get(&(family, dst)).filter(|p| p.expires > self.now)
    }
}

/// An ICMP error has come to this host about a packet of its own; where it says that the packet was too long, and a
/// socket is there that the packet may be from, the host remembers (`ipv4_update_pmtu`, `ip6_update_pmtu`).
pub(crate) fn learn(net: &mut Net, error: &Packet) {
    let (Some(icmp), Payload::Quote { packet: about, .. }) = (error.icmp(), &error.payload) else { return };
    let family = error.family;
    let said = match (family, icmp.kind, icmp.code) {
        (Family::V4, 3, 4) => icmp.rest & 0xffff,
        (Family::V6, 2, _) => icmp.rest,
        _ => return,
    };
    let ours = match &about.l4 {
        L4::Icmp(_) => true,
        L4::Udp(u) => net.sockets.listener(proto::UDP, family, about.src, u.sport).is_some(),
        L4::Tcp(t) => {
            net.sockets.tcp.iter().any(|s| s.local.1 == t.sport && s.remote == (about.dst, t.dport))
        }
        L4::Opaque => false,
    };
    let Ok(route) = net.route_output(&Flow::to(family, about.dst)) else { return };
    if !ours || route.to != DstKind::Unicast || said >= route.mtu && family == Family::V6 || said > route.mtu
    {
        return;
    }
    let (mtu, locked) = match family {
        Family::V4 if said < MIN_V4 => (route.mtu.min(MIN_V4), true),
        Family::V6 if said < MIN_V6 => return,
        _ => (said, false),
    };
    let learnt = PathMtu { mtu, locked, expires: net.now + EXPIRES };
    *net.path_mtus.get_or((family, about.dst), || learnt) = learnt;
}
