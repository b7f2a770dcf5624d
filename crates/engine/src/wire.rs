//! Packets as bytes: what stands on the wire from the IP header on, both ways.
//!
//! Used where real bytes are looked at (string and u32 matches, captures, raw sockets). The packet path itself never
//! comes here. Written from RFC 791, 8200, 9293, 768, 792 and 4443; the order of TCP options is Linux's.

use crate::addr::{Addr, Family};
use crate::packet::{Frag, Icmp, L4, Packet, Payload, Tcp, TcpOpts, Udp, proto};

/// Why bytes are no packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WireError {
    /// Fewer bytes than the IP header (or its length field) says.
    Truncated,
    /// Neither IPv4 nor IPv6.
    Version,
    /// A header length below the minimum, or a total length below the header's.
    HeaderLength,
}

/// The packet's bytes, checksums filled in (wrong on purpose where [`Packet::bad_l4_checksum`] says so).
///
/// Of a fragment the transport checksum cannot be known here, since it covers the whole datagram; it is left zero. Only
/// ICMP's, which does not cover lengths, is right if the other fragments hold zeros.
pub fn encode(packet: &Packet) -> Vec<u8> {
    let mut out = Vec::with_capacity(packet.len() as usize);
    let l4_len = packet.l4_header_len() + packet.payload.len();
    match packet.family {
        Family::V4 => {
            out.extend_from_slice(&[0x45, packet.tos]);
            out.extend_from_slice(&(20 + l4_len as u16).to_be_bytes());
            out.extend_from_slice(&packet.ip_id.to_be_bytes());
            let mut frag = if packet.df { 0x4000 } else { 0 };
            if let Some(f) = packet.frag {
                frag |= (f.offset / 8) | if f.more { 0x2000 } else { 0 };
            }
            out.extend_from_slice(&frag.to_be_bytes());
            out.extend_from_slice(&[packet.ttl, packet.proto, 0, 0]);
            out.extend_from_slice(&packet.src.as_v4().to_be_bytes());
            out.extend_from_slice(&packet.dst.as_v4().to_be_bytes());
            let sum = fold(sum_words(&out, 0));
            out[10..12].copy_from_slice(&(!sum).to_be_bytes());
        }
        Family::V6 => {
            let ext: u32 = if packet.frag.is_some() { 8 } else { 0 };
            out.extend_from_slice(&(0x6000_0000 | u32::from(packet.tos) << 20).to_be_bytes());
            out.extend_from_slice(&((ext + l4_len) as u16).to_be_bytes());
            let next = if packet.frag.is_some() { IPPROTO_FRAGMENT } else { packet.proto };
            out.extend_from_slice(&[next, packet.ttl]);
            push_addr6(&mut out, packet.src);
            push_addr6(&mut out, packet.dst);
            if let Some(f) = packet.frag {
                out.extend_from_slice(&[packet.proto, 0]);
                out.extend_from_slice(&(f.offset & !7 | u16::from(f.more)).to_be_bytes());
                out.extend_from_slice(&f.id.to_be_bytes());
            }
        }
    }
    let at = out.len();
    push_l4(&mut out, packet);
    push_payload(&mut out, &packet.payload);
    if packet.frag.is_none() || (packet.proto == proto::ICMP && !packet.is_later_fragment()) {
        fill_l4_checksum(packet, &mut out, at);
    }
    out
}

/// Reads a packet from its bytes. Bytes after the length that the IP header states are not looked at; IPv4 options
/// are stepped over. A transport header that does not fit becomes [`L4::Opaque`], its bytes payload.
pub fn decode(bytes: &[u8]) -> Result<Packet, WireError> {
    read(bytes, Strictness::Whole)
}

/// The same without the payload's bytes, of which only the length is kept (an ICMP error's quotation stays): for long
/// captures, where no rule looks into payloads. What has no header that is kept as fields keeps its bytes.
pub fn decode_headers(bytes: &[u8]) -> Result<Packet, WireError> {
    read(bytes, Strictness::Headers)
}

const IPPROTO_FRAGMENT: u8 = 44;

/// How much of a packet must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// All that the length field says.
    Whole,
    /// All that the length field says, but only the headers are kept.
    Headers,
    /// The IP header; the rest may be cut off, as in an ICMP error's quotation.
    Quoted,
}

fn push_addr6(out: &mut Vec<u8>, addr: Addr) {
    for word in addr.0 {
        out.extend_from_slice(&word.to_be_bytes());
    }
}

fn push_l4(out: &mut Vec<u8>, packet: &Packet) {
    match &packet.l4 {
        L4::Tcp(t) => {
            out.extend_from_slice(&t.sport.to_be_bytes());
            out.extend_from_slice(&t.dport.to_be_bytes());
            out.extend_from_slice(&t.seq.to_be_bytes());
            out.extend_from_slice(&t.ack.to_be_bytes());
            out.extend_from_slice(&[((20 + t.opts.len()) / 4 * 16) as u8, t.flags]);
            out.extend_from_slice(&t.window.to_be_bytes());
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(&t.urgent.to_be_bytes());
            push_tcp_options(out, &t.opts);
        }
        L4::Udp(u) => {
            out.extend_from_slice(&u.sport.to_be_bytes());
            out.extend_from_slice(&u.dport.to_be_bytes());
            let length = u.length.unwrap_or((8 + packet.payload.len()) as u16);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&[0, 0]);
        }
        L4::Icmp(i) => {
            out.extend_from_slice(&[i.kind, i.code, 0, 0]);
            out.extend_from_slice(&i.rest.to_be_bytes());
        }
        L4::Opaque => {}
    }
}

/// Options in the order in which Linux writes them (net/ipv4/tcp_output.c:tcp_options_write).
fn push_tcp_options(out: &mut Vec<u8>, opts: &TcpOpts) {
    if let Some(mss) = opts.mss {
        out.extend_from_slice(&[2, 4]);
        out.extend_from_slice(&mss.to_be_bytes());
    }
    if let Some((value, echo)) = opts.timestamps {
        out.extend_from_slice(if opts.sack_permitted { &[4, 2] } else { &[1, 1] });
        out.extend_from_slice(&[8, 10]);
        out.extend_from_slice(&value.to_be_bytes());
        out.extend_from_slice(&echo.to_be_bytes());
    } else if opts.sack_permitted {
        out.extend_from_slice(&[1, 1, 4, 2]);
    }
    if let Some(scale) = opts.wscale {
        out.extend_from_slice(&[1, 3, 3, scale]);
    }
    if let Some((left, right)) = opts.sack {
        out.extend_from_slice(&[1, 1, 5, 10]);
        out.extend_from_slice(&left.to_be_bytes());
        out.extend_from_slice(&right.to_be_bytes());
    }
    out.resize(out.len() + usize::from(opts.padding), 1);
}

fn push_payload(out: &mut Vec<u8>, payload: &Payload) {
    match payload {
        Payload::Zeros(n) => out.resize(out.len() + *n as usize, 0),
        Payload::Bytes(b) => out.extend_from_slice(b),
        Payload::Quote { packet, len } => {
            let mut quoted = encode(packet);
            quoted.resize(*len as usize, 0);
            out.extend_from_slice(&quoted);
        }
    }
}

fn fill_l4_checksum(packet: &Packet, out: &mut [u8], at: usize) {
    let place = match &packet.l4 {
        L4::Tcp(_) => 16,
        L4::Udp(u) if u.no_checksum => return,
        L4::Udp(_) => 6,
        L4::Icmp(_) => 2,
        L4::Opaque => return,
    };
    let mut sum = !fold(sum_words(&out[at..], pseudo_header(packet, (out.len() - at) as u32)));
    if packet.bad_l4_checksum {
        sum = !sum;
    }
    // A UDP checksum that comes out as zero is sent as all ones: zero says that there is none (RFC 768).
    if sum == 0 && matches!(packet.l4, L4::Udp(_)) {
        sum = 0xffff;
    }
    out[at + place..at + place + 2].copy_from_slice(&sum.to_be_bytes());
}

/// The sum of the pseudo header, which ICMP has only over IPv6.
fn pseudo_header(packet: &Packet, l4_len: u32) -> u32 {
    if packet.proto == proto::ICMP && packet.family == Family::V4 {
        return 0;
    }
    let words = |a: Addr| a.0.iter().map(|w| (w >> 16) + (w & 0xffff)).sum::<u32>();
    words(packet.src) + words(packet.dst) + u32::from(packet.proto) + (l4_len >> 16) + (l4_len & 0xffff)
}

/// Adds up 16-bit words in network order.
fn sum_words(bytes: &[u8], start: u32) -> u32 {
    let mut sum = u64::from(start);
    for pair in bytes.chunks(2) {
        sum += u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    }
    while sum > u64::from(u32::MAX) {
        sum = (sum & 0xffff_ffff) + (sum >> 32);
    }
    sum as u32
}

fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

fn be16(b: &[u8], at: usize) -> u16 {
    match b.get(at..at + 2) {
        Some(w) => u16::from_be_bytes([w[0], w[1]]),
        None => 0,
    }
}

fn be32(b: &[u8], at: usize) -> u32 {
    u32::from(be16(b, at)) << 16 | u32::from(be16(b, at + 2))
}

fn addr6(b: &[u8], at: usize) -> Addr {
    Addr(core::array::from_fn(|i| be32(b, at + 4 * i)))
}

fn read(bytes: &[u8], how: Strictness) -> Result<Packet, WireError> {
    let first = *bytes.first().ok_or(WireError::Truncated)?;
    let mut packet = Packet {
        family: Family::V4,
        src: Addr::UNSPECIFIED,
        dst: Addr::UNSPECIFIED,
        proto: 0,
        ttl: 0,
        tos: 0,
        ip_id: 0,
        df: false,
        frag: None,
        bad_l4_checksum: false,
        l4: L4::Opaque,
        payload: Payload::EMPTY,
    };
    // Where the transport header begins, and where the packet ends.
    let (start, end) = match first >> 4 {
        4 => {
            if bytes.len() < 20 {
                return Err(WireError::Truncated);
            }
            let header = usize::from(first & 15) * 4;
            let total = usize::from(be16(bytes, 2));
            if header < 20 || total < header {
                return Err(WireError::HeaderLength);
            }
            let frag = be16(bytes, 6);
            packet.tos = bytes[1];
            packet.ip_id = be16(bytes, 4);
            packet.df = frag & 0x4000 != 0;
            if frag & 0x3fff != 0 {
                let id = u32::from(packet.ip_id);
                packet.frag = Some(Frag { offset: (frag & 0x1fff) * 8, more: frag & 0x2000 != 0, id });
            }
            packet.ttl = bytes[8];
            packet.proto = bytes[9];
            packet.src = Addr::v4(be32(bytes, 12));
            packet.dst = Addr::v4(be32(bytes, 16));
            (header, total)
        }
        6 => {
            if bytes.len() < 40 {
                return Err(WireError::Truncated);
            }
            packet.family = Family::V6;
            packet.tos = (be16(bytes, 0) >> 4) as u8;
            packet.proto = bytes[6];
            packet.ttl = bytes[7];
            packet.src = addr6(bytes, 8);
            packet.dst = addr6(bytes, 24);
            let end = 40 + usize::from(be16(bytes, 4));
            if packet.proto == IPPROTO_FRAGMENT && bytes.len() >= 48 && end >= 48 {
                packet.proto = bytes[40];
                let word = be16(bytes, 42);
                packet.frag = Some(Frag { offset: word & !7, more: word & 1 != 0, id: be32(bytes, 44) });
                (48, end)
            } else {
                (40, end)
            }
        }
        _ => return Err(WireError::Version),
    };
    if how != Strictness::Quoted && bytes.len() < end {
        return Err(WireError::Truncated);
    }
    let there = &bytes[start.min(bytes.len())..end.min(bytes.len())];
    read_l4(&mut packet, there, (end - start) as u32, how);
    if how != Strictness::Quoted && packet.frag.is_none() {
        packet.bad_l4_checksum = checksum_is_wrong(&packet, there);
    }
    Ok(packet)
}

/// Reads the transport header from `bytes`, which stands for `len` bytes (more than are there in a quotation).
fn read_l4(packet: &mut Packet, bytes: &[u8], len: u32, how: Strictness) {
    let quoted = how == Strictness::Quoted;
    let mut header = 0;
    if !packet.is_later_fragment() {
        match packet.proto {
            proto::TCP if bytes.len() >= if quoted { 8 } else { 20 } => {
                let stated = if bytes.len() > 12 { usize::from(bytes[12] >> 4) * 4 } else { 20 };
                if stated >= 20 && (quoted || stated <= bytes.len()) {
                    packet.l4 = L4::Tcp(Tcp {
                        sport: be16(bytes, 0),
                        dport: be16(bytes, 2),
                        seq: be32(bytes, 4),
                        ack: be32(bytes, 8),
                        flags: bytes.get(13).copied().unwrap_or(0),
                        window: be16(bytes, 14),
                        urgent: be16(bytes, 18),
                        opts: read_tcp_options(bytes.get(20..stated).unwrap_or(&[])),
                    });
                    header = stated;
                }
            }
            proto::UDP | proto::UDPLITE if bytes.len() >= 8 => {
                let length = be16(bytes, 4);
                packet.l4 = L4::Udp(Udp {
                    sport: be16(bytes, 0),
                    dport: be16(bytes, 2),
                    length: (u32::from(length) != len && packet.frag.is_none()).then_some(length),
                    no_checksum: be16(bytes, 6) == 0,
                });
                header = 8;
            }
            proto::ICMP | proto::ICMPV6 if bytes.len() >= 8 => {
                packet.l4 = L4::Icmp(Icmp { kind: bytes[0], code: bytes[1], rest: be32(bytes, 4) });
                header = 8;
            }
            _ => {}
        }
    }
    let data = bytes.get(header..).unwrap_or(&[]);
    let data_len = len.saturating_sub(header as u32);
    if packet.is_icmp_error()
        && !quoted
        && let Ok(inner) = read(data, Strictness::Quoted)
    {
        packet.payload = Payload::Quote { packet: Box::new(inner), len: data_len };
        return;
    }
    let length_only = how == Strictness::Headers && packet.l4 != L4::Opaque;
    packet.payload = if length_only || data.iter().all(|&b| b == 0) {
        Payload::Zeros(data_len)
    } else {
        let mut all = data.to_vec();
        all.resize(data_len as usize, 0);
        Payload::Bytes(all.into())
    };
}

fn read_tcp_options(mut bytes: &[u8]) -> TcpOpts {
    let total = bytes.len() as u32;
    let mut opts = TcpOpts::NONE;
    while let Some(&kind) = bytes.first() {
        let len = match kind {
            0 => break,
            1 => 1,
            _ => bytes.get(1).map_or(0, |&l| usize::from(l)),
        };
        if len == 0 || len > bytes.len() || (kind > 1 && len < 2) {
            break;
        }
        match (kind, len) {
            (2, 4) => opts.mss = Some(be16(bytes, 2)),
            (3, 3) => opts.wscale = Some(bytes[2]),
            (4, 2) => opts.sack_permitted = true,
            (5, 10..) => opts.sack = Some((be32(bytes, 2), be32(bytes, 6))),
            (8, 10) => opts.timestamps = Some((be32(bytes, 2), be32(bytes, 6))),
            _ => {}
        }
        bytes = &bytes[len..];
    }
    // Options that are not kept count as padding, so that the length stays.
    opts.padding = total.saturating_sub(opts.len()) as u8;
    opts
}

fn checksum_is_wrong(packet: &Packet, l4: &[u8]) -> bool {
    match &packet.l4 {
        L4::Opaque => false,
        L4::Udp(u) if u.no_checksum && packet.family == Family::V4 => false,
        _ => fold(sum_words(l4, pseudo_header(packet, l4.len() as u32))) != 0xffff,
    }
}
