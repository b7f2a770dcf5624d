//! `-j DNAT`, `-j SNAT`, `-j MASQUERADE`, `-j REDIRECT`, `-j NETMAP`: they choose a [`Range`] and let
//! [`crate::nat`] bind it (net/netfilter/xt_nat.c, xt_MASQUERADE.c, xt_REDIRECT.c, xt_NETMAP.c); `-j SNPT` and
//! `-j DNPT` translate a prefix without conntrack (net/ipv6/netfilter/ip6t_NPT.c).

use super::{TargetCx, Verdict};
use crate::addr::Addr;
use crate::event::{KernelDrop, Observer};
use crate::hook::Hook;
use crate::nat::{self, Manip, Range};
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
