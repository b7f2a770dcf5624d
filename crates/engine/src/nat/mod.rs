//! Network address translation: decided once a connection, applied to every packet of it.
//!
//! [`range`] is what a target asks for; choosing a free tuple (`nf_nat_setup_info`), null bindings, rewriting packets
//! and quoted packets are in the files beside it.
//!
//! The pipeline calls, at each nat hook: [`begin`]; where that says [`NatStep::Consult`], it walks the nat chains, and
//! if no target made a binding ([`is_bound`]), [`null_binding`]; then, unless it was [`NatStep::Pass`], [`translate`];
//! in OUTPUT, [`wants_reroute`].

mod address;
pub mod jhash;
mod manip;
pub mod range;
mod unique;

pub use range::{NatFlags, Range};

use crate::addr::{Addr, Family};
use crate::conntrack::{
    Binding, Conn, ConnRef, CtInfo, Direction, EntryId, FollowMaster, Nfct, account, kill, status,
};
use crate::device::DevId;
use crate::event::{Emit, EventKind, Gone, KernelDrop, NatSkip, Observer};
use crate::hook::Hook;
use crate::host::Net;
use crate::packet::{Skb, proto};
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

/// `nf_nat_initialized`: the bit that says that this half is decided.
const fn done_bit(manip: Manip) -> u32 {
    match manip {
        Manip::Src => status::SRC_NAT_DONE,
        Manip::Dst => status::DST_NAT_DONE,
    }
}

/// An ICMP or ICMPv6 error that belongs to a connection: its chains are never consulted.
fn is_error(skb: &Skb, info: CtInfo) -> bool {
    let icmp = match skb.packet.family {
        Family::V4 => proto::ICMP,
        Family::V6 => proto::ICMPV6,
    };
    matches!(info, CtInfo::Related | CtInfo::RelatedReply) && skb.packet.proto == icmp
}

/// A packet arrives at a nat hook. Emits why the chains are consulted or skipped. An error is the packet's end: it
/// leaves by another device than its masquerade's (`nf_nat_oif_changed`).
pub fn begin<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    hook: Hook,
    _in_dev: Option<DevId>,
    out_dev: Option<DevId>,
    emit: &mut Emit<'_, O>,
) -> Result<NatStep, KernelDrop> {
    let manip = Manip::at(hook);
    let skip = |why| EventKind::NatSkipped { manip, why };
    let (conn, info, entry) = match (skb.nfct, net.conn_of(skb)) {
        (Nfct::Conn { conn, info }, Some(entry)) => (conn, info, entry),
        _ => {
            emit.event(skip(NatSkip::NoEntry));
            return Ok(NatStep::Pass);
        }
    };
    if is_error(skb, info) {
        emit.event(skip(NatSkip::IcmpError));
        return Ok(NatStep::Translate);
    }
    let established = matches!(info, CtInfo::Established | CtInfo::EstablishedReply);
    if !established && !entry.has(done_bit(manip)) {
        emit.event(EventKind::NatConsulted { manip });
        return Ok(NatStep::Consult);
    }
    let why = match (&entry.bindings[manip as usize], established) {
        (Some(binding), true) => NatSkip::Decided { by: binding.packet },
        (Some(binding), false) => NatSkip::AlreadyDone { by: binding.packet },
        (None, _) => NatSkip::Confirmed,
    };
    let strays = hook == Hook::Postrouting
        && info.direction() == Direction::Original
        && entry.masq_dev.is_some_and(|dev| out_dev.is_some_and(|out| out != dev));
    if strays {
        account(net, conn, info.direction(), skb);
        if let ConnRef::Confirmed(id) = net.ct.resolve(conn) {
            kill(net, id, Gone::MasqueradeDevice, None, emit);
        }
        return Err(KernelDrop::MasqueradeDevice);
    }
    emit.event(skip(why));
    Ok(NatStep::Translate)
}

/// `nf_nat_initialized`: is this half decided for the packet's connection?
pub fn is_bound(net: &Net, skb: &Skb, manip: Manip) -> bool {
    net.conn_of(skb).is_some_and(|c: &Conn| c.has(done_bit(manip)))
}

/// `nf_nat_setup_info`: decides a half within the range and changes the reply tuple accordingly. For SNAT, DNAT and
/// NETMAP as they are; [`masquerade`] and [`redirect`] choose an address first. A confirmed connection is left alone.
pub fn setup<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    range: &Range,
    manip: Manip,
    hook: Hook,
    rule: Option<RuleRef>,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let Nfct::Conn { conn, .. } = skb.nfct else { return Ok(()) };
    let range = if range.flags.netmap { netmap(range, skb, manip) } else { *range };
    bind(net, conn, &range, manip, hook, rule, emit)
}

fn bind<O: Observer>(
    net: &mut Net,
    conn_ref: ConnRef,
    range: &Range,
    manip: Manip,
    hook: Hook,
    rule: Option<RuleRef>,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let Some(conn) = net.ct.conn(conn_ref) else { return Ok(()) };
    if conn.confirmed() {
        emit.event(EventKind::NatSkipped { manip, why: NatSkip::Confirmed });
        return Ok(());
    }
    if conn.has(done_bit(manip)) {
        return Err(KernelDrop::Nat);
    }
    let Some(current) = conn.tuple(Direction::Reply).invert() else { return Err(KernelDrop::Nat) };
    let seeker = unique::Seeker::new(conn);
    let new = unique::unique(net, &seeker, &current, range, manip, emit);
    let changed = new != current;
    let Some(conn) = net.ct.conn_mut(conn_ref) else { return Ok(()) };
    if changed && let Some(reply) = new.invert() {
        conn.tuples[Direction::Reply as usize] = reply;
        conn.status |= match manip {
            Manip::Src => status::SRC_NAT,
            Manip::Dst => status::DST_NAT,
        };
    }
    conn.status |= done_bit(manip);
    conn.bindings[manip as usize] = Some(Binding { packet: emit.packet, hook, rule, changed });
    emit.event(EventKind::NatBound { manip, rule, changed });
    Ok(())
}

/// `nf_nat_follow_master`: a connection that a helper expected is translated like the one that announced it, in both
/// halves and at once; the chains are not asked.
pub(crate) fn follow_master<O: Observer>(
    net: &mut Net,
    conn: ConnRef,
    follow: &FollowMaster,
    master: EntryId,
    hook: Hook,
    emit: &mut Emit<'_, O>,
) {
    let Some(master) = net.ct.entry(master) else { return };
    let theirs = *master.conn.tuple(follow.dir.flip());
    let source = only(&Range::default(), theirs.dst);
    let mut destination = only(&Range::default(), theirs.src);
    destination.flags.proto_specified = true;
    (destination.min_port, destination.max_port) = (follow.port, follow.port);
    for (range, manip) in [(source, Manip::Src), (destination, Manip::Dst)] {
        // Neither half of a fresh entry is decided, so this cannot fail.
        let _ = bind(net, conn, &range, manip, hook, None, emit);
    }
}

/// NETMAP's address: the network part from the range, the host part from the packet (`netmap_tg4`, `netmap_tg6`).
fn netmap(range: &Range, skb: &Skb, manip: Manip) -> Range {
    let address = match manip {
        Manip::Src => skb.packet.src,
        Manip::Dst => skb.packet.dst,
    };
    let host = Addr(core::array::from_fn(|i| range.min_addr.0[i] ^ range.max_addr.0[i]));
    let mapped =
        Addr(core::array::from_fn(|i| (address.0[i] & host.0[i]) | (range.min_addr.0[i] & !host.0[i])));
    let flags = NatFlags { netmap: false, map_ips: true, ..range.flags };
    Range { flags, min_addr: mapped, max_addr: mapped, ..*range }
}

/// The range with one address.
fn only(range: &Range, address: Addr) -> Range {
    let flags = NatFlags { map_ips: true, ..range.flags };
    Range { flags, min_addr: address, max_addr: address, ..*range }
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
    let family = skb.packet.family;
    let Some(conn) = net.conn_of(skb) else { return Ok(()) };
    if family == Family::V4 && conn.tuple(Direction::Original).src.is_unspecified() {
        return Ok(());
    }
    let towards = match family {
        Family::V4 => next_hop,
        Family::V6 => skb.packet.dst,
    };
    let address = address::masquerade(net, family, out_dev, towards).ok_or(KernelDrop::Nat)?;
    if let Some(conn) = net.conn_of_mut(skb) {
        conn.masq_dev = Some(out_dev);
    }
    setup(net, skb, &only(range, address), Manip::Src, hook, rule, emit)
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
    let (family, dst) = (skb.packet.family, skb.packet.dst);
    let address = address::redirect(net, family, hook, in_dev, dst).ok_or(KernelDrop::Nat)?;
    setup(net, skb, &only(range, address), Manip::Dst, hook, rule, emit)
}

/// `nf_nat_alloc_null_binding`: no rule decided, so the address stays; the port too, unless it would clash.
pub fn null_binding<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    hook: Hook,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let manip = Manip::at(hook);
    let Some(conn) = net.conn_of(skb) else { return Ok(()) };
    if conn.has(done_bit(manip)) {
        return Ok(());
    }
    let reply = conn.tuple(Direction::Reply);
    let address = match manip {
        Manip::Src => reply.dst,
        Manip::Dst => reply.src,
    };
    setup(net, skb, &only(&Range::default(), address), manip, hook, None, emit)
}

/// `nf_nat_packet`: rewrites the packet (and the packet that an ICMP error quotes) as its connection says.
pub fn translate<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    hook: Hook,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let Nfct::Conn { conn, info } = skb.nfct else { return Ok(()) };
    let Some(entry) = net.ct.conn(conn) else { return Ok(()) };
    let manip = Manip::at(hook);
    if is_error(skb, info) {
        return manip::icmp_error(&mut skb.packet, entry, info, manip, emit);
    }
    manip::packet(&mut skb.packet, entry, info, manip, emit);
    Ok(())
}

/// `nf_nat_ipv4_local_fn` after nat in OUTPUT: must the packet be routed again, because its connection's destination
/// was translated?
pub fn wants_reroute(net: &Net, skb: &Skb) -> bool {
    let (Nfct::Conn { info, .. }, Some(conn)) = (skb.nfct, net.conn_of(skb)) else { return false };
    let dir = info.direction();
    conn.tuple(dir).dst != conn.tuple(dir.flip()).src
}

/// A device went down: what was masqueraded by it ends (`masq_device_event`).
pub fn device_down<O: Observer>(net: &mut Net, dev: DevId, emit: &mut Emit<'_, O>) {
    end_masquerades(net, |c| c.masq_dev == Some(dev), emit);
}

/// A device lost an address: what was masqueraded as that address ends (`masq_inet_event`, `masq_inet6_event`).
pub fn address_gone<O: Observer>(
    net: &mut Net,
    dev: DevId,
    family: Family,
    addr: Addr,
    emit: &mut Emit<'_, O>,
) {
    let gone = |c: &Conn| {
        let reply = c.tuple(Direction::Reply);
        c.masq_dev == Some(dev) && reply.family == family && reply.dst == addr
    };
    end_masquerades(net, gone, emit);
}

fn end_masquerades<O: Observer>(net: &mut Net, which: impl Fn(&Conn) -> bool, emit: &mut Emit<'_, O>) {
    let ids: Vec<EntryId> = net.ct.iter().filter(|(_, e)| which(&e.conn)).map(|(id, _)| id).collect();
    for id in ids {
        kill(net, id, Gone::MasqueradeDevice, None, emit);
    }
}
