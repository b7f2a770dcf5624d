//! [`PacketSpec`] to a packet: defaults, answers to what was received, quotations.

use super::{Fields, Kind, PacketSpec, Re, sctp};
use hookwalk_engine::addr::Family;
use hookwalk_engine::packet::{Frag, Icmp, L4, Packet, Payload, Tcp, TcpOpts, Udp, proto, tcp_flags};

/// What a station saw before it sends: packets that `reply` and `re=` are about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// The last packet that it received.
    pub received: Option<&'a Packet>,
    /// The last packet that it sent.
    pub sent: Option<&'a Packet>,
}

/// The window of packets that do not say.
const WINDOW: u16 = 64240;
/// The sequence number of an answer to a segment without ACK.
const REPLY_SEQ: u32 = 5000;
/// A timestamp message carries three times of four bytes after its header.
const TIMESTAMPS_LEN: u32 = 12;

impl PacketSpec {
    /// The packet; `None` where it is about a packet that there was not: then nothing is sent.
    pub fn build(&self, seen: Seen<'_>) -> Option<Packet> {
        let fields = &self.fields;
        let packet = match &self.kind {
            Kind::Tcp { ends, flags } => {
                let tcp = Tcp {
                    sport: ends.sport,
                    dport: ends.dport,
                    seq: fields.seq.unwrap_or(0),
                    ack: fields.ack.unwrap_or(0),
                    flags: *flags,
                    ..self.tcp()
                };
                base(ends.family, (ends.src, ends.dst), proto::TCP, L4::Tcp(tcp), fields.payload(0))
            }
            Kind::Udp { ends, lite } => {
                let udp = Udp { sport: ends.sport, dport: ends.dport, ..Udp::default() };
                let number = if *lite { proto::UDPLITE } else { proto::UDP };
                base(ends.family, (ends.src, ends.dst), number, L4::Udp(udp), fields.payload(0))
            }
            Kind::Icmp { ends, kind, code, quote } => {
                let payload = match quote {
                    Some(re) => quoted(match re {
                        Re::Last => seen.received?,
                        Re::Sent => seen.sent?,
                    }),
                    None => fields.payload(timestamps_len(ends.family, *kind)),
                };
                let icmp = Icmp { kind: *kind, code: *code, rest: self.icmp_rest(ends.family, *kind) };
                base(ends.family, (ends.src, ends.dst), icmp_proto(ends.family), L4::Icmp(icmp), payload)
            }
            Kind::Sctp { ends, chunks } => {
                let bytes = sctp::bytes((ends.sport, ends.dport), chunks, fields);
                let payload = Payload::Bytes(bytes.into());
                base(ends.family, (ends.src, ends.dst), proto::SCTP, L4::Opaque, payload)
            }
            Kind::Ip { ends, proto } => {
                base(ends.family, (ends.src, ends.dst), *proto, L4::Opaque, fields.payload(0))
            }
            Kind::Reply { flags } => self.reply(seen.received?, *flags)?,
        };
        Some(self.with_ip_fields(packet))
    }

    /// The TCP header's fields that do not depend on addresses and flags.
    fn tcp(&self) -> Tcp {
        let fields = &self.fields;
        let opts = TcpOpts {
            mss: fields.mss,
            wscale: fields.wscale,
            sack_permitted: fields.sack_permitted,
            timestamps: fields.timestamps,
            ..TcpOpts::NONE
        };
        Tcp { window: fields.win.unwrap_or(WINDOW), opts, ..Tcp::default() }
    }

    /// The four bytes after an ICMP message's checksum.
    fn icmp_rest(&self, family: Family, kind: u8) -> u32 {
        let fields = &self.fields;
        match (family, kind) {
            (Family::V4, 3) | (Family::V6, 2) if fields.mtu.is_some() => fields.mtu.unwrap_or(0),
            (Family::V4, 5) if fields.gateway.is_some() => fields.gateway.map_or(0, |a| a.as_v4()),
            _ => u32::from(fields.icmp_id.unwrap_or(0)) << 16 | (fields.seq.unwrap_or(0) & 0xffff),
        }
    }

    /// The answer to a packet: addresses and ports swapped. ICMP: only requests are answered.
    fn reply(&self, to: &Packet, flags: Option<u8>) -> Option<Packet> {
        let fields = &self.fields;
        let ends = (to.dst, to.src);
        let packet = match &to.l4 {
            L4::Tcp(heard) => {
                let has = |bit| u32::from(heard.flags & bit != 0);
                let next = heard
                    .seq
                    .wrapping_add(to.payload.len())
                    .wrapping_add(has(tcp_flags::SYN))
                    .wrapping_add(has(tcp_flags::FIN));
                let seq = if has(tcp_flags::ACK) == 1 { heard.ack } else { REPLY_SEQ };
                let tcp = Tcp {
                    sport: heard.dport,
                    dport: heard.sport,
                    seq: fields.seq.unwrap_or(seq),
                    ack: fields.ack.unwrap_or(next),
                    flags: flags.unwrap_or(tcp_flags::SYN | tcp_flags::ACK),
                    ..self.tcp()
                };
                base(to.family, ends, to.proto, L4::Tcp(tcp), fields.payload(0))
            }
            L4::Udp(heard) => {
                let udp = Udp { sport: heard.dport, dport: heard.sport, ..Udp::default() };
                base(to.family, ends, to.proto, L4::Udp(udp), fields.payload(0))
            }
            L4::Icmp(heard) => {
                let kind = match (to.family, heard.kind) {
                    (Family::V4, 8) => 0,
                    (Family::V4, 13) => 14,
                    (Family::V6, 128) => 129,
                    _ => return None,
                };
                // An answer carries what was asked, unless the line says otherwise.
                let payload = match (fields.len, &fields.data) {
                    (None, None) => to.payload.clone(),
                    _ => fields.payload(timestamps_len(to.family, kind)),
                };
                let icmp = Icmp { kind, code: 0, rest: heard.rest };
                base(to.family, ends, to.proto, L4::Icmp(icmp), payload)
            }
            L4::Opaque => return None,
        };
        Some(packet)
    }

    /// Puts in what the line says about the IP header.
    fn with_ip_fields(&self, mut packet: Packet) -> Packet {
        let fields = &self.fields;
        packet.ttl = fields.ttl.unwrap_or(64);
        packet.tos = fields.tos.unwrap_or(0);
        packet.df = fields.df && packet.family == Family::V4;
        let id = fields.ip_id.unwrap_or(0);
        packet.ip_id = id as u16;
        packet.bad_l4_checksum = fields.bad_checksum;
        if let Some((offset, more)) = fields.frag {
            packet.frag = Some(Frag { offset, more, id });
            if offset != 0 {
                // No transport header is in a later fragment: all its bytes are data.
                packet.l4 = L4::Opaque;
            }
        }
        packet
    }
}

impl Fields {
    /// `data=`, or `len=` zeros; `more` bytes belong to the message besides.
    fn payload(&self, more: u32) -> Payload {
        match &self.data {
            Some(data) => Payload::Bytes(data.as_slice().into()),
            None => Payload::Zeros(self.len.unwrap_or(0) + more),
        }
    }
}

/// A packet of which only addresses, protocol and contents are set.
fn base(
    family: Family,
    (src, dst): (hookwalk_engine::Addr, hookwalk_engine::Addr),
    proto: u8,
    l4: L4,
    payload: Payload,
) -> Packet {
    Packet {
        family,
        src,
        dst,
        proto,
        ttl: 64,
        tos: 0,
        ip_id: 0,
        df: false,
        frag: None,
        bad_l4_checksum: false,
        l4,
        payload,
    }
}

/// The IP header and eight bytes of a packet, as an ICMP error of RFC 792 quotes it.
fn quoted(packet: &Packet) -> Payload {
    let len = packet.len().min(packet.family.header_len() + 8);
    Payload::Quote { packet: Box::new(packet.clone()), len }
}

const fn icmp_proto(family: Family) -> u8 {
    match family {
        Family::V4 => proto::ICMP,
        Family::V6 => proto::ICMPV6,
    }
}

const fn timestamps_len(family: Family, kind: u8) -> u32 {
    match (family, kind) {
        (Family::V4, 13 | 14) => TIMESTAMPS_LEN,
        _ => 0,
    }
}
