//! Fragments: gathering them at the defrag hook or before INPUT, and splitting a packet that is too large.

use crate::addr::{Addr, Family};
use crate::event::{Emit, EventKind, Observer};
use crate::hook::Hook;
use crate::host::Net;
use crate::packet::{Frag, L4, Packet, Payload, Skb};
use crate::time::{Duration, Time};
use std::sync::Arc;

/// Whether a packet can go on.
pub(crate) enum Gathered {
    /// It is no fragment, or it is whole now.
    Whole,
    /// Kept until the rest is there.
    Held,
}

/// Fragments of one datagram that wait for the rest, `struct ipq` / `struct frag_queue`.
#[derive(Clone, PartialEq, Debug)]
pub struct FragQueue {
    /// Family, addresses, protocol, identification; and at which defragmenter it waits (0: conntrack, 1: local).
    key: (Family, Addr, Addr, u8, u32, u8),
    /// What came, with its offset, in order of offset.
    parts: Vec<Packet>,
    /// When it is given up.
    expires: Time,
}

/// `ip_defrag`, `nf_ct_frag6_gather`.
pub(crate) fn gather<O: Observer>(
    net: &mut Net,
    skb: &mut Skb,
    hook: Hook,
    emit: &mut Emit<'_, O>,
) -> Gathered {
    let Some(frag) = skb.packet.frag else { return Gathered::Whole };
    let now = net.now;
    net.frags.retain(|q| q.expires > now);
    let user = u8::from(hook == Hook::Input);
    let p = &skb.packet;
    let key = (p.family, p.src, p.dst, p.proto, frag.id, user);
    let secs = match p.family {
        Family::V4 => net.sysctl.ipfrag_time,
        Family::V6 => net.sysctl.ct_frag6_timeout,
    };
    let at = match net.frags.iter().position(|q| q.key == key) {
        Some(at) => at,
        None => {
            let expires = now + Duration::secs(u64::from(secs));
            net.frags.push(FragQueue { key, parts: Vec::new(), expires });
            net.frags.len() - 1
        }
    };
    let queue = &mut net.frags[at];
    let offset = |p: &Packet| p.frag.map_or(0, |f| f.offset);
    if queue.parts.iter().any(|q| offset(q) == frag.offset) {
        // A duplicate adds nothing.
        emit.event(EventKind::FragmentHeld);
        return Gathered::Held;
    }
    let place = queue.parts.partition_point(|q| offset(q) < frag.offset);
    queue.parts.insert(place, skb.packet.clone());
    let mut next = 0;
    for part in &queue.parts {
        if u32::from(offset(part)) != next {
            break;
        }
        next += part.l4_header_len() + part.payload.len();
        if part.frag.is_some_and(|f| !f.more) {
            let queue = net.frags.swap_remove(at);
            join(skb, queue.parts);
            emit.event(EventKind::Reassembled { len: skb.packet.len() });
            return Gathered::Whole;
        }
    }
    emit.event(EventKind::FragmentHeld);
    Gathered::Held
}

fn join(skb: &mut Skb, parts: Vec<Packet>) {
    let largest = parts.iter().map(Packet::len).max().unwrap_or(0);
    let data: u32 = parts.iter().map(|p| p.l4_header_len() + p.payload.len()).sum();
    let df = parts.iter().any(|p| p.df);
    let known = parts.iter().any(|p| matches!(p.payload, Payload::Bytes(_)));
    let mut whole = parts[0].clone();
    let payload = data - whole.l4_header_len();
    whole.payload = if known {
        let mut bytes = Vec::with_capacity(payload as usize);
        for part in &parts {
            match &part.payload {
                Payload::Bytes(b) => bytes.extend_from_slice(b),
                other => bytes.resize(bytes.len() + other.len() as usize, 0),
            }
        }
        Payload::Bytes(bytes.into())
    } else {
        Payload::Zeros(payload)
    };
    whole.frag = None;
    whole.df = df;
    skb.packet = whole;
    skb.frag_max_size = largest.min(65535) as u16;
}

/// `ip_do_fragment`, `ip6_fragment`: pieces of at most the MTU, or of the largest fragment that came in. `None`: it may
/// not be split.
pub(crate) fn split(skb: &Skb, mtu: u32) -> Option<Vec<Packet>> {
    let packet = &skb.packet;
    let was = u32::from(skb.frag_max_size);
    if packet.len() > mtu && packet.df && was == 0 && packet.family == Family::V4 {
        return None;
    }
    if packet.family == Family::V6 && was == 0 && skb.owner.is_none() && packet.len() > mtu {
        return None;
    }
    let most = if was != 0 { mtu.min(was) } else { mtu };
    if packet.len() <= most {
        return Some(vec![packet.clone()]);
    }
    let extra = if packet.family == Family::V6 { 8 } else { 0 };
    let room = (most.checked_sub(packet.family.header_len() + extra)? / 8) * 8;
    if room == 0 {
        return None;
    }
    let l4_len = packet.l4_header_len();
    let data = l4_len + packet.payload.len();
    let id = match packet.family {
        Family::V4 => u32::from(packet.ip_id),
        Family::V6 => u32::from(packet.ip_id) | 0x10000,
    };
    let mut pieces = Vec::new();
    let mut offset = 0;
    while offset < data {
        let take = room.min(data - offset);
        let mut piece = packet.clone();
        piece.frag = Some(Frag { offset: offset as u16, more: offset + take < data, id });
        // The first piece keeps the transport header; the others are bytes.
        let (from, len) = if offset == 0 { (0, take - l4_len) } else { (offset - l4_len, take) };
        if offset != 0 {
            piece.l4 = L4::Opaque;
        }
        piece.payload = slice(&packet.payload, from, len);
        pieces.push(piece);
        offset += take;
    }
    Some(pieces)
}

fn slice(payload: &Payload, from: u32, len: u32) -> Payload {
    match payload {
        Payload::Bytes(b) => {
            let from = from as usize;
            Payload::Bytes(Arc::from(b.get(from..from + len as usize).unwrap_or_default()))
        }
        _ => Payload::Zeros(len),
    }
}
