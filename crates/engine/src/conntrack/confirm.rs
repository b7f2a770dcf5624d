//! `nf_confirm`: helpers, sequence adjustment, and the unconfirmed entry into the table.

use super::l4::allows_clash;
use super::table::{Found, hash_tuple};
use super::track::kill;
use super::{
    Conn, ConnRef, CtInfo, Direction, EntryId, Helper, Nfct, UnconfirmedId, ftp, notify, seqadj, status,
};
use crate::device::DevId;
use crate::event::{ClashResolution, Emit, EventKind, Gone, KernelDrop, Observer};
use crate::hook::Hook;
use crate::host::Net;
use crate::packet::Skb;
use crate::time::Duration;

/// The last function of INPUT and POSTROUTING. An error is the packet's end (a clash with another entry, a helper that
/// refuses).
pub fn confirm<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    _hook: Hook,
    out_dev: Option<DevId>,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let Nfct::Conn { conn, info } = skb.nfct else { return Ok(()) };
    let (adjust, helper) = match net.ct.conn(conn) {
        Some(c) => (c.has(status::SEQ_ADJUST) && out_dev != Some(DevId::LO), c.helper),
        None => return Ok(()),
    };
    // An ICMP error about the reply is nothing that a helper could read.
    if info != CtInfo::RelatedReply {
        if helper == Some(Helper::Ftp) {
            ftp::help(net, skb, conn, info, emit)?;
        }
        if adjust && let Some(c) = net.ct.conn(conn) {
            seqadj::adjust(c, info.direction(), &mut skb.packet);
        }
    }
    let mut conn = net.ct.resolve(conn);
    if let ConnRef::Unconfirmed(id) = conn {
        // An answer that carries the entry of the packet that it answers confirms nothing.
        if info.direction() != Direction::Original {
            return Ok(());
        }
        let entry = into_table(net, id, info, emit)?;
        conn = ConnRef::Confirmed(entry);
        skb.nfct = Nfct::Conn { conn, info };
    }
    deliver(net, conn);
    Ok(())
}

/// `nf_ct_deliver_cached_events`: listeners hear what changed since the last packet.
fn deliver(net: &mut Net, conn: ConnRef) {
    if net.ct.conn(conn).is_none_or(|c| c.pending.unwrap_or(0) == 0) {
        return;
    }
    let (now, remaining) = (net.now, net.ct.remaining(conn, net.now));
    let mut heard = core::mem::take(&mut net.ct.notify);
    if let Some(entry) = net.ct.conn_mut(conn) {
        heard.deliver(entry, now, remaining);
    }
    net.ct.notify = heard;
}

/// `__nf_conntrack_confirm`: the entry goes into the table, unless another has one of its tuples.
fn into_table<O: Observer>(
    net: &mut Net,
    id: UnconfirmedId,
    info: CtInfo,
    emit: &mut Emit<'_, O>,
) -> Result<EntryId, KernelDrop> {
    let Some(entry) = net.ct.unconfirmed(id) else { return Err(KernelDrop::ConfirmClash) };
    let conn = entry.conn.clone();
    let clash = match clashing(net, &conn, Direction::Original, emit) {
        None => clashing(net, &conn, Direction::Reply, emit),
        found => found,
    };
    if let Some(other) = clash {
        return resolve_clash(net, id, &conn, other, info, emit);
    }
    let Some((taken, refs)) = net.ct.take_unconfirmed(id) else { return Err(KernelDrop::ConfirmClash) };
    let (mut conn, timeout) = (taken.conn, taken.timeout);
    conn.status |= status::CONFIRMED;
    if net.sysctl.ct_timestamp {
        conn.start = Some(net.now);
    }
    if conn.helper.is_some() {
        conn.note(notify::HELPER);
    }
    conn.note(if conn.master.is_some() { notify::RELATED } else { notify::NEW });
    let entry = net.ct.insert(conn, net.now + timeout, true);
    net.ct.forward(id, entry, refs);
    emit.event(EventKind::Confirmed { unconfirmed: id, entry });
    Ok(entry)
}

/// The entry in the table that has this one's tuple of that direction.
fn clashing<O: Observer>(
    net: &mut Net,
    conn: &Conn,
    dir: Direction,
    emit: &mut Emit<'_, O>,
) -> Option<EntryId> {
    let tuple = conn.tuple(dir);
    let hash = hash_tuple(tuple, conn.zone.id_for(dir));
    loop {
        match net.ct.find_hashed(hash, tuple, &conn.zone, net.now) {
            Found::Nothing => return None,
            Found::Entry(id, _) => return Some(id),
            Found::Expired(id) => {
                kill(net, id, Gone::Expired, None, emit);
            }
        }
    }
}

/// `nf_ct_resolve_clash`: the packet takes the other entry, or its own goes in for replies only, or it is dropped.
fn resolve_clash<O: Observer>(
    net: &mut Net,
    id: UnconfirmedId,
    conn: &Conn,
    other: EntryId,
    info: CtInfo,
    emit: &mut Emit<'_, O>,
) -> Result<EntryId, KernelDrop> {
    let drop = |net: &mut Net, emit: &mut Emit<'_, O>| {
        net.ct.stats.drop += 1;
        net.ct.stats.insert_failed += 1;
        emit.event(EventKind::Clash { with: other, how: ClashResolution::Dropped });
        Err(KernelDrop::ConfirmClash)
    };
    if !allows_clash(conn.tuples[0].proto) {
        return drop(net, emit);
    }
    let Some(winner) = net.ct.entry_mut(other) else { return drop(net, emit) };
    let theirs = &winner.conn.tuples;
    let same = *theirs == conn.tuples || *theirs == [conn.tuples[1], conn.tuples[0]];
    if same || !winner.conn.has(status::SRC_NAT_DONE | status::DST_NAT_DONE) {
        let dir = info.direction() as usize;
        if let (Some(sum), Some(mine)) = (&mut winner.conn.acct, &conn.acct) {
            sum[dir].packets += mine[dir].packets;
            sum[dir].bytes += mine[dir].bytes;
        }
        net.ct.stats.clash_resolve += 1;
        emit.event(EventKind::Clash { with: other, how: ClashResolution::Adopted });
        if let Some((_, refs)) = net.ct.take_unconfirmed(id) {
            net.ct.forward(id, other, refs);
        }
        return Ok(other);
    }
    if clashing(net, conn, Direction::Reply, emit).is_some() {
        return drop(net, emit);
    }
    let Some((taken, refs)) = net.ct.take_unconfirmed(id) else { return drop(net, emit) };
    let mut conn = taken.conn;
    conn.status |= status::CONFIRMED | status::FIXED_TIMEOUT | status::NAT_CLASH;
    let entry = net.ct.insert(conn, net.now + Duration::secs(1), false);
    net.ct.forward(id, entry, refs);
    net.ct.stats.clash_resolve += 1;
    emit.event(EventKind::Clash { with: other, how: ClashResolution::ReplyOnly });
    emit.event(EventKind::Confirmed { unconfirmed: id, entry });
    Ok(entry)
}
