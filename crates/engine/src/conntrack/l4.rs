//! What the trackers of the transport protocols share: the question put to them, and what they can say
//! (`nf_conntrack_handle_packet`).

use super::{Conn, CtInfo, Direction, ProtoState, Tuple, icmp, sctp, simple, tcp};
use crate::addr::Family;
use crate::event::Invalid;
use crate::packet::{L4, Packet, Payload, proto};
use crate::sysctl::Sysctl;
use crate::time::{Duration, Time};

/// A packet before its protocol's tracker.
pub(crate) struct Question<'a> {
    /// The packet.
    pub(crate) packet: &'a Packet,
    /// How it stands to the connection.
    pub(crate) info: CtInfo,
    /// Checksums are verified here (PREROUTING, and `nf_conntrack_checksum` is on).
    pub(crate) verify_checksum: bool,
    /// Timeouts and switches.
    pub(crate) sysctl: &'a Sysctl,
    /// Now.
    pub(crate) now: Time,
    /// What remains of the entry's timeout.
    pub(crate) remaining: Duration,
}

impl Question<'_> {
    /// The packet's direction.
    pub(crate) fn dir(&self) -> Direction {
        self.info.direction()
    }
    /// The packet's checksum is wrong, and this is where that matters.
    pub(crate) fn bad_checksum(&self) -> bool {
        self.verify_checksum && self.packet.bad_l4_checksum
    }
}

/// What a tracker says.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Answer {
    /// Accepted: counted, and the timeout runs anew with so many seconds (`nf_ct_refresh_acct`).
    Refresh(u32),
    /// Accepted, but neither counted nor refreshed.
    Ignore,
    /// Accepted and counted; the entry is deleted (`nf_ct_kill_acct`).
    Kill,
    /// Not of this connection: the packet goes on without an entry.
    Invalid(Invalid),
    /// The same, and the entry's timeout is cut to so many seconds (`nf_tcp_handle_invalid`).
    InvalidShorten(Invalid, u32),
    /// The entry is deleted, and the packet looked up anew (`-NF_REPEAT`).
    Repeat,
}

/// `nf_conntrack_handle_packet`: the protocol's tracker judges the packet.
pub(crate) fn handle(conn: &mut Conn, q: &Question<'_>) -> Answer {
    match (q.packet.proto, q.packet.family) {
        (proto::TCP, _) => tcp::handle(conn, q),
        (proto::UDP, _) => simple::udp(conn, q),
        (proto::UDPLITE, _) => simple::udplite(conn, q),
        (proto::ICMP, Family::V4) => icmp::handle(conn, q.sysctl.ct_icmp_timeout),
        (proto::ICMPV6, Family::V6) => icmp::handle(conn, q.sysctl.ct_icmpv6_timeout),
        (proto::SCTP, _) => sctp::handle(conn, q),
        (proto::GRE, _) => simple::gre(conn, q),
        // An ICMP of the other family is no protocol that anyone tracks, but it has no answer either.
        _ => Answer::Refresh(q.sysctl.ct_generic_timeout),
    }
}

/// The state that an entry of this protocol starts with.
pub(crate) fn fresh(proto_number: u8, now: Time) -> ProtoState {
    match proto_number {
        proto::TCP => ProtoState::Tcp(tcp::FRESH),
        proto::UDP => ProtoState::Udp { stream_from: now + Duration::secs(2) },
        proto::UDPLITE => ProtoState::Other,
        proto::GRE => ProtoState::Gre,
        proto::SCTP => ProtoState::Sctp(sctp::FRESH),
        _ => ProtoState::Other,
    }
}

/// May a clash at confirm be resolved by sharing the entry (`nf_conntrack_l4proto.allow_clash`)?
pub(crate) fn allows_clash(proto_number: u8) -> bool {
    !matches!(proto_number, proto::TCP | proto::SCTP | proto::ICMP | proto::ICMPV6)
}

/// `nf_ct_get_tuple`: what makes the packet part of a connection. `quoted` bytes of it are there, IP header included
/// (for a packet inside an ICMP error; else all). None where the header cannot be seen.
pub(crate) fn tuple_of(packet: &Packet, quoted: Option<u32>) -> Option<Tuple> {
    if packet.is_later_fragment() {
        return None;
    }
    let there = quoted.unwrap_or(u32::MAX).saturating_sub(packet.family.header_len());
    let enough = |bytes: u32| (there >= bytes).then_some(());
    let (sport, dport) = match (&packet.l4, packet.proto, packet.family) {
        (L4::Tcp(t), ..) => {
            enough(4)?;
            (t.sport, t.dport)
        }
        (L4::Udp(u), ..) => {
            enough(4)?;
            (u.sport, u.dport)
        }
        (L4::Icmp(i), proto::ICMP, Family::V4) | (L4::Icmp(i), proto::ICMPV6, Family::V6) => {
            enough(8)?;
            (i.id(), u16::from(i.kind) << 8 | u16::from(i.code))
        }
        // Cut short: not even the ports are there.
        (L4::Opaque, proto::TCP | proto::UDP | proto::UDPLITE, _) => {
            enough(4)?;
            first_ports(&packet.payload)?
        }
        (L4::Opaque, proto::ICMP, Family::V4) | (L4::Opaque, proto::ICMPV6, Family::V6) => return None,
        // "No next header": there is no protocol to track (`ipv6_skip_exthdr` fails).
        (L4::Opaque, proto::NONXT, Family::V6) => return None,
        (L4::Opaque, proto::SCTP, _) => {
            enough(4)?;
            first_ports(&packet.payload)?
        }
        (L4::Opaque, proto::GRE, _) => {
            enough(4)?;
            simple::gre_keys(&packet.payload)?
        }
        _ => (0, 0),
    };
    Some(Tuple { src: packet.src, dst: packet.dst, sport, dport, proto: packet.proto, family: packet.family })
}

/// The first four bytes of a payload as two ports; zeros where nobody wrote them down.
fn first_ports(payload: &Payload) -> Option<(u16, u16)> {
    match payload {
        Payload::Bytes(b) => match b.get(..4)? {
            [a, b, c, d] => Some((u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]))),
            _ => None,
        },
        Payload::Zeros(n) if *n >= 4 => Some((0, 0)),
        _ => None,
    }
}
