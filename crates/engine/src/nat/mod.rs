//! Network address translation: decided once a connection, applied to every packet of it.
//!
//! [`range`] is what a target asks for; choosing a free tuple (`nf_nat_setup_info`), null bindings, rewriting packets
//! and quoted packets are in the files beside it.
//!
//! The pipeline calls, at each nat hook: [`begin`]; where that says [`NatStep::Consult`], it walks the nat chains, and
//! if no target made a binding ([`is_bound`]), [`null_binding`]; then, unless it was [`NatStep::Pass`], [`translate`];
//! in OUTPUT, [`wants_reroute`].

pub mod range;

pub use range::{NatFlags, Range};

use crate::addr::Addr;
use crate::conntrack::Conn;
use crate::device::DevId;
use crate::event::{Emit, KernelDrop, Observer};
use crate::hook::Hook;
use crate::host::Net;
use crate::packet::Skb;
use crate::ruleset::RuleRef;

/// `enum nf_nat_manip_type`: which half of the packet a hook may change.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Manip {
    /// The source: INPUT and POSTROUTING.
    Src,
    /// The destination: PREROUTING and OUTPUT.
    Dst,
}

impl Manip {
    /// `HOOK2MANIP`: what nat may change at this hook.
    pub const fn at(hook: Hook) -> Manip {
        match hook {
            Hook::Prerouting | Hook::Output => Manip::Dst,
            Hook::Input | Hook::Forward | Hook::Postrouting => Manip::Src,
        }
    }
}

/// What nat wants to do with a packet at a hook (`nf_nat_inet_fn`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NatStep {
    /// Nothing: the packet has no entry.
    Pass,
    /// Apply what was decided.
    Translate,
    /// Walk the nat chains first.
    Consult,
}

/// A packet arrives at a nat hook. Emits why the chains are consulted or skipped. An error is the packet's end: it
/// leaves by another device than its masquerade's (`nf_nat_oif_changed`).
pub fn begin<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    hook: Hook,
    in_dev: Option<DevId>,
    out_dev: Option<DevId>,
    emit: &mut Emit<'_, O>,
) -> Result<NatStep, KernelDrop> {
    let _ = (net, skb, hook, in_dev, out_dev, emit);
    Ok(NatStep::Pass)
}

/// `nf_nat_initialized`: is this half decided for the packet's connection?
pub fn is_bound(net: &Net, skb: &Skb, manip: Manip) -> bool {
    use crate::conntrack::status::{DST_NAT_DONE, SRC_NAT_DONE};
    net.conn_of(skb).is_some_and(|c: &Conn| {
        c.has(match manip {
            Manip::Src => SRC_NAT_DONE,
            Manip::Dst => DST_NAT_DONE,
        })
    })
}

/// `nf_nat_setup_info`: decides a half within the range and changes the reply tuple accordingly. For SNAT, DNAT and
/// NETMAP as they are; [`masquerade`] and [`redirect`] choose an address first.
pub fn setup<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    range: &Range,
    manip: Manip,
    hook: Hook,
    rule: Option<RuleRef>,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let _ = (net, skb, range, manip, hook, rule, emit);
    Ok(())
}

/// `nf_nat_masquerade_ipv4`, `_ipv6`: source NAT to the output device's address that fits the next hop (the gateway,
/// else the destination). No address: the packet is dropped.
#[allow(clippy::too_many_arguments)]
pub fn masquerade<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    range: &Range,
    hook: Hook,
    out_dev: DevId,
    next_hop: Addr,
    rule: Option<RuleRef>,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let _ = (net, skb, range, hook, out_dev, next_hop, rule, emit);
    Ok(())
}

/// `nf_nat_redirect_ipv4`, `_ipv6`: destination NAT to this host: in OUTPUT the loopback address, in PREROUTING the
/// input device's first. No address: the packet is dropped.
pub fn redirect<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    range: &Range,
    hook: Hook,
    in_dev: Option<DevId>,
    rule: Option<RuleRef>,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let _ = (net, skb, range, hook, in_dev, rule, emit);
    Ok(())
}

/// `nf_nat_alloc_null_binding`: no rule decided, so the address stays; the port too, unless it would clash.
pub fn null_binding<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    hook: Hook,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let _ = (net, skb, hook, emit);
    Ok(())
}

/// `nf_nat_packet`: rewrites the packet (and the packet that an ICMP error quotes) as its connection says.
pub fn translate<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    hook: Hook,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let _ = (net, skb, hook, emit);
    Ok(())
}

/// `nf_nat_ipv4_local_fn` after nat in OUTPUT: must the packet be routed again, because its connection's destination
/// was translated?
pub fn wants_reroute(net: &Net, skb: &Skb) -> bool {
    let _ = (net, skb);
    false
}
