//! `-j DNAT`, `-j SNAT`, `-j MASQUERADE`, `-j REDIRECT`, `-j NETMAP`: they choose a [`Range`] and let
//! [`crate::nat`] bind it (net/netfilter/xt_nat.c, xt_MASQUERADE.c, xt_REDIRECT.c, xt_NETMAP.c); `-j SNPT` and
//! `-j DNPT` translate a prefix without conntrack (net/ipv6/netfilter/ip6t_NPT.c).

use super::{TargetCx, Verdict};
use crate::addr::{Addr, AddrMask, Family};
use crate::event::{EventKind, KernelDrop, Observer};
use crate::hook::Hook;
use crate::nat::{self, Manip, Range};
use crate::packet::Payload;
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

/// A binding was made, or there was none to be had.
fn verdict(result: Result<(), KernelDrop>) -> Verdict {
    match result {
        Ok(()) => Verdict::Accept,
        Err(_) => Verdict::Drop,
    }
}

/// `xt_snat_target_v1`, `xt_dnat_target_v1`.
pub(super) fn bind<O: Observer>(cx: &mut TargetCx<'_, '_, O>, range: &Range, manip: Manip) -> Verdict {
    verdict(nat::setup(cx.net, cx.skb, range, manip, cx.hook, Some(cx.rule), cx.emit))
}

/// `masquerade_tg`: the next hop is the route's gateway, else the destination.
pub(super) fn masquerade<O: Observer>(cx: &mut TargetCx<'_, '_, O>, range: &Range) -> Verdict {
    let Some(out_dev) = cx.out_dev else { return Verdict::Drop };
    let next_hop = cx.skb.dst.and_then(|d| d.via).unwrap_or(cx.skb.packet.dst);
    let rule = Some(cx.rule);
    verdict(nat::masquerade(cx.net, cx.skb, range, cx.hook, out_dev, next_hop, rule, cx.emit))
}

/// `redirect_tg4`, `redirect_tg6`.
pub(super) fn redirect<O: Observer>(cx: &mut TargetCx<'_, '_, O>, range: &Range) -> Verdict {
    verdict(nat::redirect(cx.net, cx.skb, range, cx.hook, cx.in_dev, Some(cx.rule), cx.emit))
}

/// `netmap_tg4`, `netmap_tg6`: the network's bits come from the range, the host's from the packet: of its destination
/// in PREROUTING and OUTPUT, of its source in POSTROUTING and INPUT.
pub(super) fn netmap<O: Observer>(cx: &mut TargetCx<'_, '_, O>, range: &Range) -> Verdict {
    let manip = Manip::at(cx.hook);
    let addr = match cx.hook {
        Hook::Prerouting | Hook::Output => cx.skb.packet.dst,
        _ => cx.skb.packet.src,
    };
    // Where both ends of the range agree, the network decides; where they differ, the host.
    let differ = Addr(core::array::from_fn(|i| range.min_addr.0[i] ^ range.max_addr.0[i]));
    let full = Addr([u32::MAX; 4]);
    let host = addr.and(differ);
    let net = range.min_addr.and(Addr(core::array::from_fn(|i| full.0[i] & !differ.0[i])));
    let mapped = net.or(host);
    let mut range = Range { min_addr: mapped, max_addr: mapped, ..*range };
    range.flags.map_ips = true;
    range.flags.netmap = false;
    verdict(nat::setup(cx.net, cx.skb, &range, manip, cx.hook, Some(cx.rule), cx.emit))
}

/// `ip6t_snpt_tg`, `ip6t_dnpt_tg`: the prefix is replaced, and one 16-bit word changes so that checksums stay right
/// (RFC 6296). An address in which no word can take that is dropped.
pub(super) fn translate_prefix<O: Observer>(
    cx: &mut TargetCx<'_, '_, O>,
    npt: &NptTarget,
    manip: Manip,
) -> Verdict {
    let packet = &mut cx.skb.packet;
    let addr = match manip {
        Manip::Src => &mut packet.src,
        Manip::Dst => &mut packet.dst,
    };
    let Some(mapped) = npt.map(*addr) else { return Verdict::Drop };
    let old = std::mem::replace(addr, mapped);
    cx.emit.event(EventKind::Rewrite { manip, old: (old, 0) });
    translate_quoted(cx, npt, manip);
    Verdict::Continue
}

/// The packet that an ICMPv6 error quotes went the other way: its other address is translated, if it lies in the
/// prefix.
fn translate_quoted<O: Observer>(cx: &mut TargetCx<'_, '_, O>, npt: &NptTarget, manip: Manip) {
    let packet = &mut cx.skb.packet;
    if !packet.is_icmp_error() {
        return;
    }
    let Payload::Quote { packet: quoted, .. } = &mut packet.payload else { return };
    let (addr, half) = match manip {
        Manip::Src => (&mut quoted.dst, Manip::Dst),
        Manip::Dst => (&mut quoted.src, Manip::Src),
    };
    if !AddrMask::prefix(Family::V6, npt.src.0, npt.src.1).contains(*addr) {
        return;
    }
    if let Some(mapped) = npt.map(*addr) {
        let old = std::mem::replace(addr, mapped);
        cx.emit.event(EventKind::RewriteQuoted { manip: half, old: (old, 0) });
    }
}

/// Adds in one's complement.
fn add16(a: u16, b: u16) -> u16 {
    let sum = u32::from(a) + u32::from(b);
    (sum as u16).wrapping_add((sum >> 16) as u16)
}

fn halves(addr: Addr) -> [u16; 8] {
    core::array::from_fn(|i| (addr.0[i / 2] >> if i % 2 == 0 { 16 } else { 0 }) as u16)
}

impl NptTarget {
    fn map(&self, addr: Addr) -> Option<Addr> {
        let len = self.src.1.max(self.dst.1);
        let mask = Addr::prefix_mask(Family::V6, len);
        let sum = |addr: Addr| halves(addr).into_iter().fold(0, add16);
        // What the address's sum loses with the one prefix and gains with the other.
        let adjustment = add16(sum(self.src.0), !sum(self.dst.0));
        let mut words = halves(self.dst.0.and(mask).or(addr.and(mask.not(Family::V6))));
        let at = if len <= 48 { 3 } else { (4..8).find(|&i| words[i] != 0xffff)? };
        let word = add16(words[at], adjustment);
        words[at] = if word == 0xffff { 0 } else { word };
        Some(Addr(core::array::from_fn(|i| u32::from(words[2 * i]) << 16 | u32::from(words[2 * i + 1]))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_of_rfc_6296() {
        // The example of RFC 6296, section 3: fd01:0203:0405:1::1234 leaves as 2001:db8:1:d550::1234 with /48 prefixes.
        let v6 = |s: &str| Addr::from(s.parse::<std::net::Ipv6Addr>().expect("an address"));
        let out = NptTarget { src: (v6("fd01:203:405::"), 48), dst: (v6("2001:db8:1::"), 48) };
        let inside = v6("fd01:203:405:1::1234");
        let outside = v6("2001:db8:1:d550::1234");
        assert_eq!(out.map(inside), Some(outside));
        let back = NptTarget { src: out.dst, dst: out.src };
        assert_eq!(back.map(outside), Some(inside));
    }
}
