//! The transport header as raw bytes, for matches that read it without asking what it is.

use crate::addr::Family;
use crate::packet::{L4, Packet, Payload};
use crate::wire;

/// What stands where the transport header should: bytes that the packet keeps as payload because they are no whole
/// header. Bytes that nobody wrote down read as zeros.
pub(super) fn raw(packet: &Packet) -> Vec<u8> {
    match &packet.payload {
        Payload::Bytes(b) => b.to_vec(),
        // No header is longer.
        Payload::Zeros(n) => vec![0; (*n).min(64) as usize],
        Payload::Quote { .. } => Vec::new(),
    }
}

/// A 16-bit number in network order.
pub(super) fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes([two[0], two[1]]))
}

/// A 32-bit number in network order.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

/// What `[ payload load … @ transport header ]` reads (net/netfilter/nf_tables_core.c:nft_payload_fast_eval): source
/// port, destination port and TCP flags, each `None` where the packet ends before it.
///
/// It does not ask whether the packet is a later fragment: there it reads the fragment's data, and over IPv6, where
/// no transport header was found, from the beginning of the packet.
pub(super) struct Loaded {
    /// Two bytes at 0.
    pub(super) sport: Option<u16>,
    /// Two bytes at 2.
    pub(super) dport: Option<u16>,
    /// One byte at 13.
    pub(super) flags: Option<u8>,
}

/// Loads them.
pub(super) fn load(packet: &Packet) -> Loaded {
    match &packet.l4 {
        L4::Tcp(t) => Loaded { sport: Some(t.sport), dport: Some(t.dport), flags: Some(t.flags) },
        L4::Udp(u) => Loaded { sport: Some(u.sport), dport: Some(u.dport), flags: None },
        L4::Icmp(_) | L4::Opaque => {
            let later6 = packet.family == Family::V6 && packet.is_later_fragment();
            let bytes = if later6 { wire::encode(packet) } else { raw(packet) };
            Loaded { sport: half(&bytes, 0), dport: half(&bytes, 2), flags: bytes.get(13).copied() }
        }
    }
}

/// Source and destination port where four bytes are there, whatever follows them (`skb_header_pointer`).
pub(super) fn ports(packet: &Packet) -> Option<(u16, u16)> {
    match &packet.l4 {
        L4::Tcp(t) => Some((t.sport, t.dport)),
        L4::Udp(u) => Some((u.sport, u.dport)),
        L4::Icmp(_) | L4::Opaque => {
            let bytes = raw(packet);
            Some((half(&bytes, 0)?, half(&bytes, 2)?))
        }
    }
}
