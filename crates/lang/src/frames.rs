//! The lines of `frames`: one packet a line, as a station's interface carried it.
//!
//! ```text
//! tcp 10.0.0.2:40000 > 10.0.0.1:80 S seq=1000 ack=0 len=0 ttl=64 mss=1460
//! udp [fd00::2]:53 > [fd00::1]:53 len=4 ttl=64
//! icmp 10.0.0.1 > 10.0.0.2 0/0 id=7 seq=1 ttl=64
//! icmp 10.0.0.1 > 10.0.0.2 3/3 ttl=64 (udp 10.0.0.2:5000 > 10.0.0.1:53)
//! sctp 10.0.0.2:1000 > 10.0.0.1:80 init vtag=0 len=20 ttl=64
//! ip 10.0.0.1 > 10.0.0.2 proto=47 len=20 ttl=64
//! ```
//!
//! A fragment ends in ` frag=LENGTH@OFFSET`, with `+` where more follow, as tcpdump writes it; a later fragment has no
//! ports and is an `ip` line with its protocol.

use crate::names::{tcp_letters, with_port};
use crate::packet::sctp;
use hookwalk_engine::addr::Family;
use hookwalk_engine::packet::{L4, Packet, Payload, proto};
use std::fmt::Write as _;

/// Which way a frame went at its interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Received.
    In,
    /// Sent.
    Out,
}

/// One frame as `frames` prints it: interface, way, packet.
pub fn frame_line(dev: &str, way: Way, packet: &Packet) -> String {
    let way = match way {
        Way::In => "in ",
        Way::Out => "out",
    };
    format!("{dev} {way} {}", packet_line(packet))
}

/// One frame as a line without the interface and the direction.
pub fn packet_line(packet: &Packet) -> String {
    let mut line = head(packet, End::Frame);
    if let L4::Tcp(tcp) = &packet.l4 {
        let _ = write!(
            line,
            " {} seq={} ack={} len={}",
            tcp_letters(tcp.flags),
            tcp.seq,
            tcp.ack,
            packet.payload.len()
        );
    }
    let mut quoted = None;
    match &packet.l4 {
        L4::Icmp(icmp) => {
            let _ = write!(line, " {}/{}", icmp.kind, icmp.code);
            if has_id(packet.family, icmp.kind) {
                let _ = write!(line, " id={} seq={}", icmp.id(), icmp.seq());
            }
            if let Payload::Quote { packet: inner, .. } = &packet.payload
                && packet.is_icmp_error()
            {
                quoted = Some(head(inner, End::Quoted));
            }
        }
        L4::Udp(_) | L4::Opaque => {
            if let Some(text) = sctp::text(packet) {
                let _ = write!(line, " {text}");
            }
            let _ = write!(line, " len={}", packet.payload.len() - sctp::header_len(packet));
        }
        L4::Tcp(_) => {}
    }
    let _ = write!(line, " ttl={}", packet.ttl);
    if let Some(mss) = packet.tcp().and_then(|tcp| tcp.opts.mss) {
        let _ = write!(line, " mss={mss}");
    }
    if let Some(frag) = packet.frag {
        let len = packet.l4_header_len() + packet.payload.len();
        let _ = write!(line, " frag={len}@{}{}", frag.offset, if frag.more { "+" } else { "" });
    }
    if let Some(quoted) = quoted {
        let _ = write!(line, " ({quoted})");
    }
    line
}

/// Where a packet's first words stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// A line of its own.
    Frame,
    /// In the brackets of an ICMP error: ICMP with its identifier.
    Quoted,
}

/// Protocol, addresses and ports.
fn head(packet: &Packet, end: End) -> String {
    let v6 = packet.family == Family::V6;
    let ip = |addr: hookwalk_engine::Addr| addr.ip(packet.family);
    let plain = |name: &str| format!("{name} {} > {}", ip(packet.src), ip(packet.dst));
    match (&packet.l4, packet.ports()) {
        (L4::Tcp(_) | L4::Udp(_), Some((sport, dport))) => {
            let name = match packet.proto {
                proto::TCP => "tcp",
                proto::UDPLITE => "udplite",
                _ => "udp",
            };
            let src = with_port(packet.family, packet.src, sport);
            let dst = with_port(packet.family, packet.dst, dport);
            format!("{name} {src} > {dst}")
        }
        (L4::Opaque, Some((sport, dport))) if sctp::header_len(packet) > 0 => {
            let src = with_port(packet.family, packet.src, sport);
            let dst = with_port(packet.family, packet.dst, dport);
            format!("sctp {src} > {dst}")
        }
        (L4::Icmp(icmp), _) => {
            let mut text = plain(if packet.proto == proto::ICMPV6 { "icmp6" } else { "icmp" });
            if end == End::Quoted {
                let _ = write!(text, " id={}", icmp.id());
            }
            text
        }
        _ => {
            let mut text = plain(if v6 { "ip6" } else { "ip" });
            let _ = write!(text, " proto={}", packet.proto);
            text
        }
    }
}

/// Does the message carry an identifier and a sequence number?
const fn has_id(family: Family, kind: u8) -> bool {
    match family {
        Family::V4 => matches!(kind, 0 | 8 | 13 | 14),
        Family::V6 => matches!(kind, 128 | 129),
    }
}
