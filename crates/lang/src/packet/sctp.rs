//! SCTP packets of a lab: a common header and chunks of their usual size, with the checksum that a kernel wants to see
//! (RFC 9260).

use super::Fields;
use hookwalk_engine::packet::{Packet, Payload, proto};
use std::fmt::Write as _;

/// Chunk types by name.
pub(crate) const CHUNKS: [(&str, u8); 14] = [
    ("data", 0),
    ("init", 1),
    ("init-ack", 2),
    ("sack", 3),
    ("heartbeat", 4),
    ("heartbeat-ack", 5),
    ("abort", 6),
    ("shutdown", 7),
    ("shutdown-ack", 8),
    ("error", 9),
    ("cookie-echo", 10),
    ("cookie-ack", 11),
    ("ecn-ecne", 12),
    ("shutdown-complete", 14),
];

/// Bytes of the common header: ports, verification tag, checksum.
const HEADER: usize = 12;

/// Reads `init,data`; an error is the name that is unknown.
pub(super) fn chunks(text: &str) -> Result<Vec<u8>, &str> {
    text.split(',')
        .map(|name| CHUNKS.iter().find(|(n, _)| *n == name).map(|(_, kind)| *kind).ok_or(name))
        .collect()
}

/// The packet's bytes.
pub(super) fn bytes((sport, dport): (u16, u16), chunks: &[u8], fields: &Fields) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(sport.to_be_bytes());
    out.extend(dport.to_be_bytes());
    out.extend(fields.vtag.unwrap_or(0).to_be_bytes());
    out.extend([0; 4]);
    let payload = match &fields.data {
        Some(data) => data.clone(),
        None => vec![0; fields.len.unwrap_or(1) as usize],
    };
    for &kind in chunks {
        let (flags, value): (u8, Vec<u8>) = match kind {
            // One fragment: TSN, stream, sequence, protocol, then the data.
            0 => (3, [vec![0; 12], payload.clone()].concat()),
            1 | 2 => {
                // Tag, window, streams out and in, TSN.
                let mut value = fields.itag.unwrap_or(1).to_be_bytes().to_vec();
                value.extend(65_536u32.to_be_bytes());
                value.extend([0, 10, 0, 10, 0, 0, 0, 1]);
                if kind == 2 {
                    // The cookie that INIT ACK must carry.
                    value.extend([0, 7, 0, 8, 1, 2, 3, 4]);
                }
                (0, value)
            }
            3 => (0, vec![0; 12]),
            4 | 5 => (0, vec![0, 1, 0, 8, 1, 2, 3, 4]),
            7 => (0, vec![0; 4]),
            10 => (0, vec![1, 2, 3, 4]),
            12 => (0, vec![0; 4]),
            _ => (0, Vec::new()),
        };
        out.extend([kind, flags]);
        out.extend(((4 + value.len()).min(65_535) as u16).to_be_bytes());
        out.extend(&value);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    let sum = crc32c(&out);
    out[8..HEADER].copy_from_slice(&sum.to_le_bytes());
    out
}

/// Castagnoli's CRC, bit by bit: packets here are few and short.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    !crc
}

/// The bytes of an SCTP packet whose header can be seen.
fn seen(packet: &Packet) -> Option<&[u8]> {
    match &packet.payload {
        Payload::Bytes(b) if packet.proto == proto::SCTP && !packet.is_later_fragment() => {
            (b.len() >= HEADER).then_some(&**b)
        }
        _ => None,
    }
}

/// Bytes of the common header, if it is SCTP.
pub(crate) fn header_len(packet: &Packet) -> u32 {
    if seen(packet).is_some() { HEADER as u32 } else { 0 }
}

/// `init,data vtag=5`.
pub(crate) fn text(packet: &Packet) -> Option<String> {
    let bytes = seen(packet)?;
    let mut names = Vec::new();
    let mut at = HEADER;
    while let Some(&[kind, _, high, low]) = bytes.get(at..at + 4) {
        let name = CHUNKS.iter().find(|(_, k)| *k == kind);
        names.push(name.map_or_else(|| kind.to_string(), |(n, _)| (*n).to_string()));
        at += usize::from(u16::from_be_bytes([high, low])).max(4).next_multiple_of(4);
    }
    let tag = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    let mut out = names.join(",");
    if out.is_empty() {
        out.push_str("none");
    }
    let _ = write!(out, " vtag={tag}");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn the_check_value_of_the_polynomial() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
