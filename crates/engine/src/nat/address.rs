//! The addresses that MASQUERADE and REDIRECT choose.

use crate::addr::{Addr, AddrMask, Family};
use crate::device::{DevId, Device, IfAddr};
use crate::hook::Hook;
use crate::host::Net;
use crate::sorted::sort_by;

/// MASQUERADE's address: IPv4 `inet_select_addr` with universe scope, IPv6 `ipv6_dev_get_saddr`. `towards` is the next
/// hop (IPv4: the gateway, else the destination) or the destination (IPv6).
pub(super) fn masquerade(net: &Net, family: Family, out_dev: DevId, towards: Addr) -> Option<Addr> {
    match family {
        Family::V4 => select_v4(net, out_dev, towards),
        Family::V6 => select_v6(net, out_dev, towards),
    }
}

fn usable_v4(dev: &Device) -> impl Iterator<Item = &IfAddr> {
    dev.addrs.iter().filter(|a| a.family == Family::V4 && !a.secondary && a.scope == 0)
}

/// Of the device: the first whose subnet has the next hop, else the first; else the first of another device.
fn select_v4(net: &Net, out_dev: DevId, next_hop: Addr) -> Option<Addr> {
    let own = net.device(out_dev).and_then(|dev| {
        let near = |a: &&IfAddr| AddrMask::prefix(Family::V4, a.addr, a.len).contains(next_hop);
        usable_v4(dev).find(near).or_else(|| usable_v4(dev).next())
    });
    let any = || net.devices.iter().filter(|d| d.up).find_map(|d| usable_v4(d).next());
    own.or_else(any).map(|a| a.addr)
}

/// How good a source address is, best rule first: the destination itself (rule 1), wide enough, no wider than need be
/// (rule 2), on the output device (rule 5), the longest common prefix (rule 8).
type Score = (bool, bool, u32, bool, u32);

/// RFC 6724 as far as addresses here differ. Of equally good ones the first.
fn select_v6(net: &Net, out_dev: DevId, dst: Addr) -> Option<Addr> {
    let wanted = scope_v6(dst);
    let mut best: Option<(Score, Addr)> = None;
    let link_only = wanted == Scope::Link;
    for dev in net.devices.iter().filter(|d| d.up) {
        if link_only && dev.id != out_dev {
            continue;
        }
        for a in dev.addrs.iter().filter(|a| a.family == Family::V6 && a.addr != Addr::LOOPBACK_V6) {
            let scope = scope_v6(a.addr);
            let fits = scope >= wanted;
            let nearness = if fits { u32::MAX - scope as u32 } else { scope as u32 };
            let common: u32 = common_prefix(a.addr, dst).min(u32::from(a.len));
            let score = (a.addr == dst, fits, nearness, dev.id == out_dev, common);
            if best.as_ref().is_none_or(|(s, _)| score > *s) {
                best = Some((score, a.addr));
            }
        }
    }
    best.map(|(_, a)| a)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Node,
    Link,
    Site,
    Global,
}

fn scope_v6(a: Addr) -> Scope {
    match a.0[0] >> 22 {
        _ if a == Addr::LOOPBACK_V6 => Scope::Node,
        0x3fa => Scope::Link,
        0x3fb => Scope::Site,
        _ if a.0[0] >> 24 == 0xff => match (a.0[0] >> 16) & 0xf {
            1 => Scope::Node,
            2 => Scope::Link,
            5 => Scope::Site,
            _ => Scope::Global,
        },
        _ => Scope::Global,
    }
}

fn common_prefix(a: Addr, b: Addr) -> u32 {
    let mut bits = 0;
    for (x, y) in a.0.iter().zip(b.0) {
        bits += (x ^ y).leading_zeros();
        if *x != y {
            break;
        }
    }
    bits
}

/// REDIRECT's address: in OUTPUT loopback; else the first of the input device (IPv6: one that the destination's scope
/// allows, the widest scope first).
pub(super) fn redirect(
    net: &Net,
    family: Family,
    hook: Hook,
    in_dev: Option<DevId>,
    dst: Addr,
) -> Option<Addr> {
    if hook == Hook::Output {
        return Some(match family {
            Family::V4 => Addr::LOOPBACK_V4,
            Family::V6 => Addr::LOOPBACK_V6,
        });
    }
    let own = net.device(in_dev?)?.addrs.iter().filter(|a| a.family == family);
    match family {
        Family::V4 => own.map(|a| a.addr).next(),
        Family::V6 => {
            let wanted = scope_v6(dst);
            // The kernel keeps them sorted by scope, in order of addition within one.
            let mut all: Vec<Addr> = own.map(|a| a.addr).collect();
            sort_by(&mut all, |a, b| scope_v6(*b).cmp(&scope_v6(*a)));
            all.into_iter().find(|a| wanted == Scope::Global || scope_v6(*a) == wanted)
        }
    }
}
