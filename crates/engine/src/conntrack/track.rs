//! `nf_conntrack_in`: finds or makes the packet's entry and lets the protocol's tracker judge the packet.

use super::{CtInfo, Entry, EntryId, Nfct};
use crate::event::{Emit, EventKind, Gone, KernelDrop, Observer};
use crate::hook::Hook;
use crate::host::Net;
use crate::packet::Skb;
use crate::time::Time;

/// The conntrack hook, at PREROUTING and OUTPUT. An error is the packet's end (the table is full); an INVALID packet
/// goes on without an entry.
pub fn track<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    hook: Hook,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let _ = (net, skb, hook, emit);
    Ok(())
}

/// The packet ends (dropped, delivered or transmitted): what it carries is let go, and an unconfirmed entry that no
/// other packet points to goes with it (`nf_conntrack_put`). Every packet that leaves the host must come here once.
pub fn release<O: Observer>(net: &mut Net, skb: &mut Skb, emit: &mut Emit<'_, O>) {
    if let Nfct::Conn { conn, .. } = core::mem::take(&mut skb.nfct)
        && net.ct.put(conn)
        && let super::ConnRef::Unconfirmed(unconfirmed) = conn
    {
        emit.event(EventKind::UnconfirmedGone { unconfirmed });
    }
}

/// `nf_conntrack_attach`: the kernel's answer (RST, ICMP error) to a packet carries that packet's entry, as RELATED of
/// the other direction.
pub fn attach(net: &mut Net, answer: &mut Skb, original: &Skb) {
    let Nfct::Conn { conn, info } = original.nfct else { return };
    let info = match info.direction() {
        super::Direction::Original => CtInfo::RelatedReply,
        super::Direction::Reply => CtInfo::Related,
    };
    net.ct.hold(conn);
    answer.nfct = Nfct::Conn { conn, info };
}

/// `nf_ct_delete`: takes an entry out of the table and tells listeners. `portid` where a tool asked for it. Returns the
/// entry as it stood; `None` if it was not there.
pub fn kill<O: Observer>(
    net: &mut Net,
    id: EntryId,
    why: Gone,
    portid: Option<u32>,
    emit: &mut Emit<'_, O>,
) -> Option<Entry> {
    let entry = net.ct.entry(id)?.clone();
    let remaining = entry.expires.since(net.now);
    net.ct.notify.destroyed(&entry.conn, net.now, remaining, portid);
    net.ct.remove(id);
    emit.event(EventKind::EntryGone { entry: id, why });
    Some(entry)
}

/// The garbage collector: entries whose time is up leave the table. Also to be called before the table is listed.
pub fn run_timers<O: Observer>(net: &mut Net, emit: &mut Emit<'_, O>) {
    if net.ct.first_expiry.is_none_or(|first| first > net.now) {
        return;
    }
    let expired: Vec<EntryId> =
        net.ct.iter().filter(|(_, e)| e.expires <= net.now).map(|(id, _)| id).collect();
    for id in expired {
        kill(net, id, Gone::Expired, None, emit);
    }
    net.ct.first_expiry = net.ct.iter().map(|(_, e)| e.expires).min();
}

/// When [`run_timers`] has something to do next.
pub fn next_timer(net: &Net) -> Option<Time> {
    net.ct.first_expiry
}
