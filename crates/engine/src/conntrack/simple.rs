//! The small trackers: UDP, UDP-Lite, GRE (nf_conntrack_proto_udp.c, nf_conntrack_proto_gre.c).

use super::l4::{Answer, Question};
use super::{Conn, ProtoState, notify, status};
use crate::event::Invalid;
use crate::packet::{L4, Payload};

/// `nf_conntrack_udp_packet`. A connection is a stream, and ASSURED, once packets flow both ways two seconds after the
/// first; until then it keeps the short timeout.
pub(crate) fn udp(conn: &mut Conn, q: &Question<'_>) -> Answer {
    let L4::Udp(header) = &q.packet.l4 else { return Answer::Invalid(Invalid::Malformed) };
    let there = 8 + q.packet.payload.len();
    let said = u32::from(header.length.unwrap_or(there.min(0xffff) as u16));
    if said < 8 || said > there {
        return Answer::Invalid(Invalid::Malformed);
    }
    if q.bad_checksum() && !header.no_checksum {
        return Answer::Invalid(Invalid::Checksum);
    }
    if !conn.has(status::SEEN_REPLY) {
        return Answer::Refresh(q.sysctl.ct_udp_timeout);
    }
    let stream = match conn.proto {
        // The kernel compares clock ticks.
        ProtoState::Udp { stream_from } => q.now.jiffies() > stream_from.jiffies(),
        _ => false,
    };
    if !stream {
        return Answer::Refresh(q.sysctl.ct_udp_timeout);
    }
    if !conn.has(status::NAT_CLASH) {
        assure(conn);
    }
    Answer::Refresh(q.sysctl.ct_udp_timeout_stream)
}

/// `nf_conntrack_udplite_packet`: as UDP, but a stream from the first packet after the reply; needs a checksum.
pub(crate) fn udplite(conn: &mut Conn, q: &Question<'_>) -> Answer {
    let L4::Udp(header) = &q.packet.l4 else { return Answer::Invalid(Invalid::Malformed) };
    let there = 8 + q.packet.payload.len();
    let coverage = u32::from(header.length.unwrap_or(0));
    if coverage != 0 && (coverage < 8 || coverage > there) {
        return Answer::Invalid(Invalid::Malformed);
    }
    // Observed on Linux 6.18: nf_checksum_partial finds fault with every datagram, however right its sum is, so none that
    // comes in by a device is anything but INVALID while checksums are looked at.
    if header.no_checksum || q.verify_checksum {
        return Answer::Invalid(Invalid::Checksum);
    }
    replied_or_not(conn, q.sysctl.ct_udp_timeout, q.sysctl.ct_udp_timeout_stream)
}

/// `nf_conntrack_gre_packet`.
pub(crate) fn gre(conn: &mut Conn, q: &Question<'_>) -> Answer {
    replied_or_not(conn, q.sysctl.ct_gre_timeout, q.sysctl.ct_gre_timeout_stream)
}

fn replied_or_not(conn: &mut Conn, unreplied: u32, stream: u32) -> Answer {
    if !conn.has(status::SEEN_REPLY) {
        return Answer::Refresh(unreplied);
    }
    if !conn.has(status::NAT_CLASH) {
        assure(conn);
    }
    Answer::Refresh(stream)
}

/// Sets ASSURED.
pub(crate) fn assure(conn: &mut Conn) {
    if !conn.has(status::ASSURED) {
        conn.status |= status::ASSURED;
        conn.note(notify::ASSURED);
    }
}

/// `gre_pkt_to_tuple`: version 0 has no key in the tuple; version 1 (PPTP) has its call id as the destination's, and
/// none as the source's, for no helper tells it. None for a version 1 header that is not PPP's.
pub(crate) fn gre_keys(payload: &Payload) -> Option<(u16, u16)> {
    let Payload::Bytes(bytes) = payload else { return Some((0, 0)) };
    let header = bytes.get(..4)?;
    if header[1] & 0x07 != 1 {
        return Some((0, 0));
    }
    let call = bytes.get(6..8)?;
    (header[2..4] == [0x88, 0x0b]).then_some((0, u16::from_be_bytes([call[0], call[1]])))
}
