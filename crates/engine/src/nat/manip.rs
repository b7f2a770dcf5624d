//! Rewriting packets: headers, and the packet that an ICMP error quotes (nf_nat_proto.c).

use super::Manip;
use crate::addr::{Addr, Family};
use crate::conntrack::{Conn, CtInfo, Tuple, status};
use crate::event::{Emit, EventKind, KernelDrop, Observer};
use crate::packet::{L4, Packet, Payload, proto};

/// The value that a rewrite replaced: address and port (or ICMP id).
type Old = (Addr, u16);

/// `nf_nat_manip_pkt`: gives one half of the packet the values of a tuple. Returns what stood there, if that was
/// something else.
pub(super) fn rewrite(packet: &mut Packet, manip: Manip, target: &Tuple) -> Option<Old> {
    let new = match manip {
        Manip::Src => target.src,
        Manip::Dst => target.dst,
    };
    let address = match manip {
        Manip::Src => &mut packet.src,
        Manip::Dst => &mut packet.dst,
    };
    let old_address = core::mem::replace(address, new);
    let port = match manip {
        Manip::Src => target.sport,
        Manip::Dst => target.dport,
    };
    let put = |field: &mut u16, value: u16| core::mem::replace(field, value);
    let (old_port, new_port) = match &mut packet.l4 {
        L4::Tcp(t) => match manip {
            Manip::Src => (put(&mut t.sport, port), port),
            Manip::Dst => (put(&mut t.dport, port), port),
        },
        L4::Udp(u) => match manip {
            Manip::Src => (put(&mut u.sport, port), port),
            Manip::Dst => (put(&mut u.dport, port), port),
        },
        L4::Icmp(icmp) => {
            let has_id = match packet.family {
                Family::V4 => matches!(icmp.kind, 0 | 8 | 13..=18),
                Family::V6 => matches!(icmp.kind, 128 | 129),
            };
            let old = icmp.id();
            if has_id {
                icmp.rest = u32::from(target.sport) << 16 | u32::from(icmp.seq());
            }
            (old, icmp.id())
        }
        L4::Opaque => match (packet.proto, &mut packet.payload) {
            (proto::SCTP | proto::DCCP, Payload::Bytes(bytes)) if bytes.len() >= 4 => {
                let at = if manip == Manip::Src { 0 } else { 2 };
                let old = u16::from_be_bytes([bytes[at], bytes[at + 1]]);
                if old != port {
                    let mut copy = bytes.to_vec();
                    copy[at..at + 2].copy_from_slice(&port.to_be_bytes());
                    *bytes = copy.into();
                }
                (old, port)
            }
            _ => (0, 0),
        },
    };
    (old_address != new || old_port != new_port).then_some((old_address, old_port))
}

/// The status bit that says whether this half of a packet of this direction is translated.
fn bit(manip: Manip, info: CtInfo) -> u32 {
    use crate::conntrack::Direction::{Original, Reply};
    match (manip, info.direction()) {
        (Manip::Src, Original) | (Manip::Dst, Reply) => status::SRC_NAT,
        (Manip::Dst, Original) | (Manip::Src, Reply) => status::DST_NAT,
    }
}

/// `nf_nat_packet`: an ordinary packet becomes what the answers' tuple says.
pub(super) fn packet<O: Observer>(
    packet: &mut Packet,
    conn: &Conn,
    info: CtInfo,
    manip: Manip,
    emit: &mut Emit<'_, O>,
) {
    if !conn.has(bit(manip, info)) {
        return;
    }
    let Some(target) = conn.tuple(info.direction().flip()).invert() else { return };
    if let Some(old) = rewrite(packet, manip, &target) {
        emit.event(EventKind::Rewrite { manip, old });
    }
}

/// `nf_nat_icmp_reply_translation`, `nf_nat_icmpv6_reply_translation`: an ICMP error, and the packet that it quotes,
/// become what the sender of the quoted packet expects.
pub(super) fn icmp_error<O: Observer>(
    packet: &mut Packet,
    conn: &Conn,
    info: CtInfo,
    manip: Manip,
    emit: &mut Emit<'_, O>,
) -> Result<(), KernelDrop> {
    if packet.bad_l4_checksum {
        return Err(KernelDrop::Nat);
    }
    let redirect = match packet.family {
        Family::V4 => 5,
        Family::V6 => 137,
    };
    if packet.icmp().is_some_and(|i| i.kind == redirect) {
        let done = status::SRC_NAT_DONE | status::DST_NAT_DONE;
        // A redirect would have the ends talk past the translation.
        if conn.status & done != done || conn.has(status::SRC_NAT | status::DST_NAT) {
            return Err(KernelDrop::Nat);
        }
    }
    if !conn.has(bit(manip, info)) {
        return Ok(());
    }
    let other = conn.tuple(info.direction().flip());
    let opposite = match manip {
        Manip::Src => Manip::Dst,
        Manip::Dst => Manip::Src,
    };
    if let Payload::Quote { packet: quoted, .. } = &mut packet.payload
        && let Some(old) = rewrite(quoted, opposite, other)
    {
        emit.event(EventKind::RewriteQuoted { manip: opposite, old });
    }
    let Some(target) = other.invert() else { return Ok(()) };
    if let Some(old) = rewrite(packet, manip, &target) {
        emit.event(EventKind::Rewrite { manip, old });
    }
    Ok(())
}
