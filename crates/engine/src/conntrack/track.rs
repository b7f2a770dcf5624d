//! `nf_conntrack_in`: finds or makes the packet's entry and lets the protocol's tracker judge the packet.

use super::icmp::{self, First, Quoted};
use super::l4::{self, Answer, Question};
use super::table::{Found, hash_tuple};
use super::{
    Conn, ConnRef, CtInfo, Direction, Entry, EntryId, Expectation, Nfct, ProtoState, TcpConntrack, Template,
    Tuple, Unconfirmed, Zone, expect, notify, status,
};
use crate::event::{Emit, EventKind, Gone, Invalid, KernelDrop, Observer};
use crate::hook::Hook;
use crate::host::Net;
use crate::packet::Skb;
use crate::ruleset::Counters;
use crate::time::{Duration, Time};

/// The conntrack hook, at PREROUTING and OUTPUT. An error is the packet's end (the table is full); an INVALID packet
/// goes on without an entry.
pub fn track<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    hook: Hook,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    let template = match skb.nfct {
        Nfct::Conn { .. } => {
            emit.event(EventKind::CtKept);
            return Ok(());
        }
        Nfct::Untracked => {
            emit.event(EventKind::CtUntracked);
            return Ok(());
        }
        Nfct::Template(template) => {
            skb.nfct = Nfct::None;
            Some(template)
        }
        Nfct::None => None,
    };
    let zone = icmp::zone_of(template.map(|t| t.zone), skb.mark);
    let verify_checksum = hook == Hook::Prerouting && net.sysctl.ct_checksum;
    if skb.packet.is_later_fragment() {
        return invalid(net, Invalid::Fragment, emit);
    }
    match icmp::first(&skb.packet, verify_checksum) {
        First::Lookup => {}
        First::Untracked => {
            skb.nfct = Nfct::Untracked;
            emit.event(EventKind::CtUntracked);
            return Ok(());
        }
        First::Invalid(why) => {
            error(net, why, emit);
            return Ok(());
        }
        First::Error(quoted) => {
            track_error(net, skb, &zone, &quoted, emit);
            return Ok(());
        }
    }
    loop {
        let (conn, info) = match resolve(net, skb, &zone, template.as_ref(), hook, emit)? {
            Ok(found) => found,
            Err(why) => return invalid(net, why, emit),
        };
        match judge(net, skb, conn, info, verify_checksum, emit) {
            Judged::Accepted => {
                skb.nfct = Nfct::Conn { conn, info };
                return Ok(());
            }
            Judged::Invalid(why) => {
                drop_reference(net, conn, emit);
                return invalid(net, why, emit);
            }
            Judged::Repeat => {
                drop_reference(net, conn, emit);
                if let ConnRef::Confirmed(id) = conn {
                    kill(net, id, Gone::Reopened, None, emit);
                }
            }
        }
    }
}

fn invalid<O: Observer>(net: &mut Net, why: Invalid, emit: &mut Emit<'_, O>) -> Result<(), KernelDrop> {
    net.ct.stats.invalid += 1;
    emit.event(EventKind::CtInvalid { why });
    Ok(())
}

/// An ICMP message that is INVALID is counted apart.
fn error<O: Observer>(net: &mut Net, why: Invalid, emit: &mut Emit<'_, O>) {
    net.ct.stats.error += 1;
    emit.event(EventKind::CtInvalid { why });
}

/// The entry that has this tuple; those met on the way whose time is up are removed.
pub(crate) fn find<O: Observer>(
    net: &mut Net,
    tuple: &Tuple,
    zone: &Zone,
    emit: &mut Emit<'_, O>,
) -> Option<(EntryId, Direction)> {
    loop {
        match net.ct.find(tuple, zone, net.now) {
            Found::Nothing => return None,
            Found::Entry(id, dir) => return Some((id, dir)),
            Found::Expired(id) => {
                kill(net, id, Gone::Expired, None, emit);
            }
        }
    }
}

/// `nf_conntrack_inet_error`: an ICMP error belongs to the connection of the packet that it quotes.
fn track_error<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    zone: &Zone,
    quoted: &Quoted,
    emit: &mut Emit<'_, O>,
) {
    let Some((entry, dir)) = find(net, &quoted.tuple, zone, emit) else {
        return error(net, Invalid::IcmpUnknownFlow, emit);
    };
    let conn = ConnRef::Confirmed(entry);
    let verdict = net.ct.conn(conn).map(|c| quoted.info(c, dir));
    match verdict {
        Some(Ok(info)) => {
            net.ct.hold(conn);
            skb.nfct = Nfct::Conn { conn, info };
            emit.event(EventKind::CtFound { entry, info });
        }
        Some(Err(why)) => error(net, why, emit),
        None => {}
    }
}

/// `resolve_normal_ct`: the packet's entry, found or new, with one reference taken. The outer error drops the packet;
/// the inner one leaves it INVALID.
fn resolve<O: Observer>(
    net: &mut Net,
    skb: &Skb,
    zone: &Zone,
    template: Option<&Template>,
    hook: Hook,
    emit: &mut Emit<'_, O>,
) -> Result<Result<(ConnRef, CtInfo), Invalid>, KernelDrop> {
    let Some(tuple) = l4::tuple_of(&skb.packet, None) else { return Ok(Err(Invalid::Malformed)) };
    if let Some((entry, dir)) = find(net, &tuple, zone, emit) {
        let conn = ConnRef::Confirmed(entry);
        let status = net.ct.conn(conn).map_or(0, |c| c.status);
        let info = match dir {
            Direction::Reply => CtInfo::EstablishedReply,
            Direction::Original if status & status::SEEN_REPLY != 0 => CtInfo::Established,
            Direction::Original if status & status::EXPECTED != 0 => CtInfo::Related,
            Direction::Original => CtInfo::New,
        };
        net.ct.hold(conn);
        emit.event(EventKind::CtFound { entry, info });
        return Ok(Ok((conn, info)));
    }
    let Some(reply) = tuple.invert() else { return Ok(Err(Invalid::IcmpUnsolicited)) };
    make(net, skb, tuple, reply, zone, template, hook, emit).map(Ok)
}

/// `init_conntrack`: a new, unconfirmed entry.
#[allow(clippy::too_many_arguments)]
fn make<O: Observer>(
    net: &mut Net,
    skb: &Skb,
    tuple: Tuple,
    reply: Tuple,
    zone: &Zone,
    template: Option<&Template>,
    hook: Hook,
    emit: &mut Emit<'_, O>,
) -> Result<(ConnRef, CtInfo), KernelDrop> {
    if net.ct.count() >= net.sysctl.ct_max {
        let hash = hash_tuple(&tuple, zone.id_for(Direction::Original));
        if !early_drop(net, hash, emit) {
            net.ct.stats.drop += 1;
            return Err(KernelDrop::ConntrackFull);
        }
    }
    let expected = expect::take(net, &tuple, zone);
    let master = expected.map(|e| e.master);
    let conn = Conn {
        tuples: [tuple, reply],
        status: if expected.is_some() { status::EXPECTED } else { 0 },
        mark: master.and_then(|id| net.ct.entry(id)).map_or(0, |e| e.conn.mark),
        zone: Zone { from_mark: false, ..*zone },
        proto: l4::fresh(tuple.proto, net.now),
        masq_dev: None,
        acct: net.sysctl.ct_acct.then(|| [Counters::default(); 2]),
        start: None,
        master,
        helper: if expected.is_some() { None } else { template.and_then(|t| t.helper) },
        rare: None,
        serial: net.ct.take_serial(),
        born: skb.id,
        bindings: [None; 2],
        pending: net.ct.notify.wanted(net.sysctl.ct_events).then_some(0),
    };
    let id = net.ct.add_unconfirmed(Unconfirmed { conn, timeout: Duration(0) });
    let info = if expected.is_some() { CtInfo::Related } else { CtInfo::New };
    emit.event(EventKind::CtNew { unconfirmed: id, info });
    let conn = ConnRef::Unconfirmed(id);
    if let Some(Expectation { nat: Some(follow), master, .. }) = expected {
        crate::nat::follow_master(net, conn, &follow, master, hook, emit);
    }
    Ok((conn, info))
}

/// `early_drop`: makes room in the first of a few buckets where an entry is not ASSURED.
fn early_drop<O: Observer>(net: &mut Net, hash: u32, emit: &mut Emit<'_, O>) -> bool {
    // NF_CT_EVICTION_RANGE
    const RANGE: u32 = 8;
    let now = net.now;
    let pick = |e: &Entry| !e.conn.has(status::ASSURED) || e.expires <= now;
    let victims = net.ct.first_in_buckets(hash, net.sysctl.ct_buckets.max(1), RANGE, pick);
    for id in &victims {
        if net.ct.entry(*id).is_some_and(|e| e.expires > now) {
            net.ct.stats.early_drop += 1;
        }
        kill(net, *id, Gone::EarlyDrop, None, emit);
    }
    !victims.is_empty()
}

/// What became of a packet before its tracker.
enum Judged {
    Accepted,
    Invalid(Invalid),
    Repeat,
}

/// Puts the packet to the tracker, and does to the entry what that says.
fn judge<O: Observer>(
    net: &mut Net,
    skb: &Skb,
    conn: ConnRef,
    info: CtInfo,
    verify_checksum: bool,
    emit: &mut Emit<'_, O>,
) -> Judged {
    let remaining = net.ct.remaining(conn, net.now);
    let (now, sysctl) = (net.now, &net.sysctl);
    let Some(entry) = net.ct.conn_mut(conn) else { return Judged::Invalid(Invalid::Malformed) };
    let (old_status, old_state) = (entry.status, entry.tcp_state());
    let question = Question { packet: &skb.packet, info, verify_checksum, sysctl, now, remaining };
    let answer = l4::handle(entry, &question);
    let (new_status, new_state) = (entry.status, entry.tcp_state());
    if let (Some(from), Some(to)) = (old_state, new_state)
        && from != to
        && from != TcpConntrack::None
    {
        emit.event(EventKind::TcpState { conn, from, to });
    }
    if new_status & !old_status & status::ASSURED != 0 {
        emit.event(EventKind::Assured { conn });
    }
    match answer {
        Answer::Refresh(secs) => {
            set_timeout(net, conn, secs, emit);
            account(net, conn, info.direction(), skb);
        }
        Answer::Ignore => {}
        Answer::Kill => {
            account(net, conn, info.direction(), skb);
            if let ConnRef::Confirmed(id) = conn {
                kill(net, id, Gone::RstReply, None, emit);
            }
        }
        Answer::Invalid(why) => return Judged::Invalid(why),
        Answer::InvalidShorten(why, secs) => {
            set_timeout(net, conn, secs, emit);
            return Judged::Invalid(why);
        }
        Answer::Repeat => return Judged::Repeat,
    }
    if info == CtInfo::EstablishedReply
        && let Some(entry) = net.ct.conn_mut(conn)
        && !entry.has(status::SEEN_REPLY)
    {
        entry.status |= status::SEEN_REPLY;
        entry.note(notify::REPLY);
        emit.event(EventKind::SeenReply { conn });
    }
    Judged::Accepted
}

/// `nf_ct_refresh`: so many seconds from now on; an unconfirmed entry keeps them for confirm.
fn set_timeout<O: Observer>(net: &mut Net, conn: ConnRef, secs: u32, emit: &mut Emit<'_, O>) {
    let timeout = Duration::secs(u64::from(secs));
    match conn {
        ConnRef::Unconfirmed(id) => {
            if let Some(entry) = net.ct.unconfirmed_mut(id) {
                entry.timeout = timeout;
            }
        }
        ConnRef::Confirmed(id) => {
            let expires = net.now + timeout;
            let Some(entry) = net.ct.entry_mut(id) else { return };
            if entry.conn.has(status::FIXED_TIMEOUT) {
                return;
            }
            let visible = entry.expires.since(net.now).as_secs() != u64::from(secs);
            entry.expires = expires;
            net.ct.expires_at(expires);
            if visible {
                emit.event(EventKind::Timeout { conn, secs });
            }
        }
    }
}

/// `nf_ct_acct_add`: one more packet of this direction, where the entry counts.
pub(crate) fn account(net: &mut Net, conn: ConnRef, dir: Direction, skb: &Skb) {
    if let Some(Conn { acct: Some(counters), .. }) = net.ct.conn_mut(conn) {
        counters[dir as usize].add(skb.packet.len());
    }
}

/// The packet ends (dropped, delivered or transmitted): what it carries is let go, and an unconfirmed entry that no
/// other packet points to goes with it (`nf_conntrack_put`). Every packet that leaves the host must come here once.
pub fn release<O: Observer>(net: &mut Net, skb: &mut Skb, emit: &mut Emit<'_, O>) {
    if let Nfct::Conn { conn, .. } = core::mem::take(&mut skb.nfct) {
        drop_reference(net, conn, emit);
    }
}

fn drop_reference<O: Observer>(net: &mut Net, conn: ConnRef, emit: &mut Emit<'_, O>) {
    if net.ct.put(conn)
        && let ConnRef::Unconfirmed(unconfirmed) = conn
    {
        emit.event(EventKind::UnconfirmedGone { unconfirmed });
    }
}

/// `nf_conntrack_attach`: the kernel's answer (RST, ICMP error) to a packet carries that packet's entry, as RELATED of
/// the other direction.
pub fn attach(net: &mut Net, answer: &mut Skb, original: &Skb) {
    let Nfct::Conn { conn, info } = original.nfct else { return };
    let info = match info.direction() {
        Direction::Original => CtInfo::RelatedReply,
        Direction::Reply => CtInfo::Related,
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
    // What it announced will not come (`nf_ct_remove_expectations`).
    if !net.ct.expect.is_empty() {
        expect::remove_where(net, |e| e.master == id);
    }
    net.ct.remove(id);
    emit.event(EventKind::EntryGone { entry: id, why });
    Some(entry)
}

/// The garbage collector (`gc_worker`): entries whose time is up leave the table, within a second.
pub fn run_timers<O: Observer>(net: &mut Net, emit: &mut Emit<'_, O>) {
    if next_timer(net).is_some_and(|next| next <= net.now) {
        collect(net, emit);
    }
}

/// Removes every entry and expectation whose time is up, now. To be called before the table is listed, as reading it
/// does in the kernel.
pub fn collect<O: Observer>(net: &mut Net, emit: &mut Emit<'_, O>) {
    let now = net.now;
    if net.ct.expect.first_expiry().is_some_and(|first| first <= now) {
        expect::remove_where(net, |e| e.expires <= now);
    }
    if net.ct.first_expiry.is_none_or(|first| first > now) {
        return;
    }
    let expired: Vec<EntryId> = net.ct.iter().filter(|(_, e)| e.expires <= now).map(|(id, _)| id).collect();
    for id in expired {
        kill(net, id, Gone::Expired, None, emit);
    }
    net.ct.first_expiry = net.ct.iter().map(|(_, e)| e.expires).min();
    net.ct.next_collection = now + GC_INTERVAL;
}

/// The collector walks the whole table, so it rests in between (`GC_SCAN_INTERVAL_MIN`).
const GC_INTERVAL: Duration = Duration::secs(1);

/// When [`run_timers`] has something to do next.
pub fn next_timer(net: &Net) -> Option<Time> {
    let first = net.ct.first_expiry.into_iter().chain(net.ct.expect.first_expiry()).min();
    first.map(|first| first.max(net.ct.next_collection))
}

/// The conntrack hooks of a family wake up (`nf_ct_tcp_fixup`): of connections that go on, the windows are learnt anew,
/// for nobody knows what passed meanwhile.
pub fn wake(net: &mut Net, family: crate::addr::Family) {
    let ids: Vec<EntryId> = net.ct.iter().map(|(id, _)| id).collect();
    for id in ids {
        let Some(entry) = net.ct.entry_mut(id) else { continue };
        if entry.conn.tuples[0].family != family {
            continue;
        }
        if let ProtoState::Tcp(tcp) = &mut entry.conn.proto
            && tcp.state == TcpConntrack::Established
        {
            tcp.seen[0].maxwin = 0;
            tcp.seen[1].maxwin = 0;
        }
    }
}
