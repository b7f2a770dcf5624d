//! Names that the field's tools share: protocols, ICMP messages, TCP flag letters, the notation of addresses.

use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::packet::{proto, tcp_flags};
use std::fmt::Write as _;
use std::net::IpAddr;

/// ICMP messages as iptables names them, and the shorter names that labs use: name, type, code.
pub const ICMP: &[(&str, u8, u8)] = &[
    ("echo-reply", 0, 0),
    ("pong", 0, 0),
    ("destination-unreachable", 3, 0),
    ("network-unreachable", 3, 0),
    ("net-unreachable", 3, 0),
    ("host-unreachable", 3, 1),
    ("protocol-unreachable", 3, 2),
    ("proto-unreachable", 3, 2),
    ("port-unreachable", 3, 3),
    ("fragmentation-needed", 3, 4),
    ("frag-needed", 3, 4),
    ("source-route-failed", 3, 5),
    ("network-unknown", 3, 6),
    ("host-unknown", 3, 7),
    ("network-prohibited", 3, 9),
    ("net-prohibited", 3, 9),
    ("host-prohibited", 3, 10),
    ("TOS-network-unreachable", 3, 11),
    ("TOS-host-unreachable", 3, 12),
    ("communication-prohibited", 3, 13),
    ("admin-prohibited", 3, 13),
    ("host-precedence-violation", 3, 14),
    ("precedence-cutoff", 3, 15),
    ("source-quench", 4, 0),
    ("redirect", 5, 0),
    ("network-redirect", 5, 0),
    ("host-redirect", 5, 1),
    ("TOS-network-redirect", 5, 2),
    ("TOS-host-redirect", 5, 3),
    ("echo-request", 8, 0),
    ("ping", 8, 0),
    ("router-advertisement", 9, 0),
    ("router-solicitation", 10, 0),
    ("time-exceeded", 11, 0),
    ("ttl-exceeded", 11, 0),
    ("ttl-zero-during-transit", 11, 0),
    ("ttl-zero-during-reassembly", 11, 1),
    ("parameter-problem", 12, 0),
    ("ip-header-bad", 12, 0),
    ("required-option-missing", 12, 1),
    ("timestamp-request", 13, 0),
    ("timestamp-reply", 14, 0),
    ("address-mask-request", 17, 0),
    ("address-mask-reply", 18, 0),
];

/// ICMPv6 messages in the same way.
pub const ICMP6: &[(&str, u8, u8)] = &[
    ("destination-unreachable", 1, 0),
    ("no-route", 1, 0),
    ("net-unreachable", 1, 0),
    ("network-unreachable", 1, 0),
    ("communication-prohibited", 1, 1),
    ("admin-prohibited", 1, 1),
    ("beyond-scope", 1, 2),
    ("address-unreachable", 1, 3),
    ("addr-unreachable", 1, 3),
    ("host-unreachable", 1, 3),
    ("port-unreachable", 1, 4),
    ("failed-policy", 1, 5),
    ("policy-fail", 1, 5),
    ("reject-route", 1, 6),
    ("packet-too-big", 2, 0),
    ("frag-needed", 2, 0),
    ("time-exceeded", 3, 0),
    ("ttl-exceeded", 3, 0),
    ("ttl-zero-during-transit", 3, 0),
    ("ttl-zero-during-reassembly", 3, 1),
    ("parameter-problem", 4, 0),
    ("bad-header", 4, 0),
    ("unknown-header-type", 4, 1),
    ("unknown-option", 4, 2),
    ("echo-request", 128, 0),
    ("ping", 128, 0),
    ("echo-reply", 129, 0),
    ("pong", 129, 0),
    ("router-solicitation", 133, 0),
    ("router-advertisement", 134, 0),
    ("neighbour-solicitation", 135, 0),
    ("neighbor-solicitation", 135, 0),
    ("neighbour-advertisement", 136, 0),
    ("neighbor-advertisement", 136, 0),
    ("redirect", 137, 0),
];

/// The ICMP messages of a family.
pub const fn icmp_names(family: Family) -> &'static [(&'static str, u8, u8)] {
    match family {
        Family::V4 => ICMP,
        Family::V6 => ICMP6,
    }
}

/// Protocols by the names of /etc/protocols that conntrack, iptables and tcpdump print.
pub const PROTOCOLS: &[(&str, u8)] = &[
    ("icmp", proto::ICMP),
    ("igmp", proto::IGMP),
    ("ipencap", proto::IPIP),
    ("tcp", proto::TCP),
    ("udp", proto::UDP),
    ("dccp", proto::DCCP),
    ("ipv6", proto::IPV6),
    ("gre", proto::GRE),
    ("esp", proto::ESP),
    ("ah", proto::AH),
    ("ipv6-icmp", proto::ICMPV6),
    ("ospf", 89),
    ("vrrp", 112),
    ("sctp", proto::SCTP),
    ("udplite", proto::UDPLITE),
];

/// A protocol's name, where it has one in [`PROTOCOLS`].
pub fn protocol_name(number: u8) -> Option<&'static str> {
    PROTOCOLS.iter().find(|(_, n)| *n == number).map(|(name, _)| *name)
}

/// A protocol's number from its name or from digits.
pub fn protocol_number(word: &str) -> Option<u8> {
    if let Ok(number) = word.parse() {
        return Some(number);
    }
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "icmpv6" | "icmp6" => Some(proto::ICMPV6),
        other => PROTOCOLS.iter().find(|(name, _)| *name == other).map(|(_, n)| *n),
    }
}

/// tcpdump's letters for TCP flags, in the order in which frames print them.
pub const TCP_LETTERS: [(char, u8); 8] = [
    ('F', tcp_flags::FIN),
    ('S', tcp_flags::SYN),
    ('R', tcp_flags::RST),
    ('P', tcp_flags::PSH),
    ('.', tcp_flags::ACK),
    ('U', tcp_flags::URG),
    ('E', tcp_flags::ECE),
    ('W', tcp_flags::CWR),
];

/// Flags as tcpdump's letters; `none` where none is set.
pub fn tcp_letters(flags: u8) -> String {
    if flags == 0 {
        return "none".to_string();
    }
    TCP_LETTERS.iter().filter(|(_, bit)| flags & bit != 0).map(|(letter, _)| *letter).collect()
}

/// Flags from tcpdump's letters in any order, or `none`.
pub fn tcp_flags_from(letters: &str) -> Option<u8> {
    if letters == "none" {
        return Some(0);
    }
    let mut flags = 0;
    for c in letters.chars() {
        flags |= TCP_LETTERS.iter().find(|(letter, _)| *letter == c)?.1;
    }
    (!letters.is_empty()).then_some(flags)
}

/// An address of either family in its usual notation.
pub fn parse_addr(text: &str) -> Option<(Family, Addr)> {
    match text.parse().ok()? {
        IpAddr::V4(a) => Some((Family::V4, a.into())),
        IpAddr::V6(a) => Some((Family::V6, a.into())),
    }
}

/// `ADDR/LEN`, or `ADDR` alone with the full length.
pub fn parse_prefix(text: &str) -> Option<(Family, Addr, u8)> {
    let (addr, len) = match text.split_once('/') {
        Some((addr, len)) => (addr, Some(len)),
        None => (text, None),
    };
    let (family, addr) = parse_addr(addr)?;
    let len = match len {
        Some(len) if len.bytes().all(|b| b.is_ascii_digit()) => len.parse().ok()?,
        Some(_) => return None,
        None => family.bits(),
    };
    (len <= family.bits()).then_some((family, addr, len))
}

/// `10.0.0.1:80` and `[fd00::1]:80`.
pub fn with_port(family: Family, addr: Addr, port: u16) -> String {
    match family {
        Family::V4 => format!("{}:{port}", addr.ip(family)),
        Family::V6 => format!("[{}]:{port}", addr.ip(family)),
    }
}

/// A number in decimal, or in hexadecimal after `0x`.
pub fn parse_number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) if !hex.starts_with('+') => u64::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

/// A hardware address in its usual notation.
pub fn mac(bytes: [u8; 6]) -> String {
    let mut out = String::with_capacity(17);
    for (i, byte) in bytes.iter().enumerate() {
        if i > 0 {
            out.push(':');
        }
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// A hardware address from its usual notation.
pub fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut bytes = [0; 6];
    let mut parts = text.split(':');
    for byte in &mut bytes {
        let part = parts.next()?;
        if part.is_empty() || part.len() > 2 || part.starts_with('+') {
            return None;
        }
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(bytes)
}
