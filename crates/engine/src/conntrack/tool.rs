//! What `ctnetlink` lets a tool do besides deleting ([`super::kill`]): entries made by hand
//! (net/netfilter/nf_conntrack_netlink.c:ctnetlink_create_conntrack).

use super::table::Found;
use super::{
    Conn, Direction, EntryId, ProtoState, SctpState, TcpConntrack, TcpState, TcpWindow, Tuple, Zone, status,
};
use crate::host::Net;
use crate::packet::{PacketId, proto};
use crate::ruleset::Counters;
use crate::time::{Duration, Time};

/// `IP_CT_TCP_FLAG_BE_LIBERAL`.
const BE_LIBERAL: u8 = 0x08;

/// An entry as `conntrack -I` describes it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NewEntry {
    /// The tuple of each direction.
    pub tuples: [Tuple; 2],
    /// [`status`] bits; CONFIRMED is added.
    pub status: u32,
    /// `ct->mark`.
    pub mark: u32,
    /// How long it lives.
    pub timeout: Duration,
    /// Zone.
    pub zone: Zone,
    /// TCP: the state.
    pub tcp: TcpConntrack,
    /// SCTP: the state's number.
    pub sctp: u8,
    /// SCTP: the verification tags.
    pub vtag: [u32; 2],
}

/// Puts an entry into the table; `None` if one of its tuples is there already (EEXIST). It says how it came to be
/// by [`PacketId`] 0.
pub fn create(net: &mut Net, new: NewEntry) -> Option<EntryId> {
    let now = net.now;
    if new.tuples.iter().any(|t| matches!(net.ct.find(t, &new.zone, now), Found::Entry(..))) {
        return None;
    }
    let state = match new.tuples[0].proto {
        proto::TCP => ProtoState::Tcp(TcpState {
            // Windows that nobody knows are not judged by: the tool sets IP_CT_TCP_FLAG_BE_LIBERAL for both.
            seen: [TcpWindow { flags: BE_LIBERAL, ..TcpWindow::default() }; 2],
            state: new.tcp,
            last_dir: Direction::Original,
            retrans: 0,
            last_index: 0,
            last_seq: 0,
            last_ack: 0,
            last_end: 0,
            last_win: 0,
            last_wscale: 0,
            last_flags: 0,
        }),
        proto::UDP | proto::UDPLITE => ProtoState::Udp { stream_from: Time::default() },
        proto::GRE => ProtoState::Gre,
        proto::SCTP => ProtoState::Sctp(SctpState { state: new.sctp, vtag: new.vtag, flags: 0 }),
        _ => ProtoState::Other,
    };
    let conn = Conn {
        tuples: new.tuples,
        status: new.status | status::CONFIRMED,
        mark: new.mark,
        zone: new.zone,
        proto: state,
        masq_dev: None,
        acct: net.sysctl.ct_acct.then_some([Counters::default(); 2]),
        start: net.sysctl.ct_timestamp.then_some(now),
        master: None,
        helper: None,
        rare: None,
        serial: net.ct.take_serial(),
        born: PacketId::default(),
        bindings: [None; 2],
        pending: None,
    };
    net.ct.stats.insert = net.ct.stats.insert.wrapping_add(1);
    Some(net.ct.insert(conn, now + new.timeout, true))
}

/// Starts an entry's timeout anew (CTA_TIMEOUT).
pub fn set_timeout(net: &mut Net, id: EntryId, timeout: Duration) {
    let expires = net.now + timeout;
    if let Some(entry) = net.ct.entry_mut(id) {
        entry.expires = expires;
        net.ct.expires_at(expires);
    }
}
