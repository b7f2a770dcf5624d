//! Packets as `tcpdump -n` prints them (tcpdump 4.99). Of what port numbers say about a payload, what is common is told.

mod command;
mod filter;
mod payload;

pub use command::{Captured, run};

use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::packet::{Icmp, L4, Packet, Payload, Tcp, TcpOpts, Udp, proto, tcp_flags};
use hookwalk_engine::wire;
use std::collections::HashMap;
use std::fmt::Write as _;

/// Both ends of a TCP connection, the smaller one first.
type Flow = [(Addr, u16); 2];

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Detail {
    /// `-v`, up to three times.
    pub verbose: u8,
    /// `-q`: only the protocol and the length.
    pub quick: bool,
    /// `-S`: sequence numbers as they are.
    pub absolute: bool,
}

/// Prints packets.
#[derive(Clone, Debug, Default)]
pub struct Tcpdump {
    /// How much is told.
    pub detail: Detail,
    /// By flow: the sequence number of the first end of the first segment seen, and of the second.
    flows: HashMap<Flow, [u32; 2]>,
}

impl Tcpdump {
    /// The line of one packet; with `-v` it may be several.
    pub fn line(&mut self, p: &Packet) -> String {
        format!("{} {}", if p.family == Family::V4 { "IP" } else { "IP6" }, self.text(p))
    }

    /// The same without `IP` or `IP6`, as it stands behind an Ethernet header.
    pub fn text(&mut self, p: &Packet) -> String {
        let mut out = String::new();
        if self.detail.verbose > 0 {
            verbose_header(&mut out, p);
        }
        self.push_body(&mut out, p, u32::MAX);
        out
    }

    /// What stands behind the IP header, of which so many bytes are there.
    fn push_body(&mut self, out: &mut String, p: &Packet, there: u32) {
        let fragment = p.frag.filter(|_| p.family == Family::V6);
        match fragment {
            None => self.push_addresses(out, p),
            Some(f) => {
                let _ = write!(out, "{} > {}: frag (", ntop(p.src, p.family), ntop(p.dst, p.family));
                if self.detail.verbose > 0 {
                    let _ = write!(out, "{:#010x}:", f.id);
                }
                let _ = write!(out, "{}|{})", f.offset, p.l4_header_len() + p.payload.len());
                if p.is_later_fragment() {
                    return;
                }
                if let Some((sport, dport)) = p.ports() {
                    let _ = write!(out, " {sport} > {dport}: ");
                }
            }
        }
        match &p.l4 {
            L4::Tcp(_) if there < 20 => out.push_str(" [|tcp]"),
            L4::Tcp(tcp) => self.push_tcp(out, p, tcp),
            L4::Udp(_) if p.proto == proto::UDPLITE => {
                let _ = write!(out, " ip-proto-136 {}", 8 + p.payload.len());
            }
            L4::Udp(udp) => self.push_udp(out, p, udp, there),
            L4::Icmp(icmp) if p.family == Family::V4 => {
                push_icmp(out, p, icmp);
                if self.detail.verbose > 0
                    && p.is_icmp_error()
                    && let Payload::Quote { packet, len } = &p.payload
                {
                    out.push_str("\n\tIP ");
                    verbose_header(out, packet);
                    self.push_body(out, packet, len.saturating_sub(20));
                }
            }
            L4::Icmp(icmp) => {
                if self.detail.verbose > 0 && p.frag.is_none() {
                    let (have, want) = sums(p);
                    match have == want {
                        true => out.push_str("[icmp6 sum ok] "),
                        false => {
                            let _ = write!(out, "[bad icmp6 cksum {have:#06x} -> {want:#06x}!] ");
                        }
                    }
                }
                push_icmp6(out, p, icmp);
                // With -v the length stands in the header's line.
                if self.detail.verbose == 0 {
                    let _ = write!(out, ", length {}", 8 + p.payload.len());
                }
            }
            L4::Opaque => push_opaque(out, p, self.detail),
        }
    }

    fn push_addresses(&self, out: &mut String, p: &Packet) {
        let ip = |addr: Addr| ntop(addr, p.family);
        match (&p.l4, p.ports()) {
            (L4::Tcp(_) | L4::Udp(_), Some((sport, dport))) if p.proto != proto::UDPLITE => {
                let _ = write!(out, "{}.{sport} > {}.{dport}: ", ip(p.src), ip(p.dst));
            }
            _ => {
                let _ = write!(out, "{} > {}: ", ip(p.src), ip(p.dst));
            }
        }
    }

    fn push_udp(&self, out: &mut String, p: &Packet, udp: &Udp, there: u32) {
        // Of IPv4 the tool checks it only when asked twice, and never of what an error quotes in part.
        let least = if p.family == Family::V4 { 2 } else { 1 };
        let whole = there >= 8 + p.payload.len();
        if whole && self.detail.verbose >= least && p.frag.is_none() {
            let (have, want) = sums(p);
            match (have, want) {
                (0, _) if p.family == Family::V4 => out.push_str("[no cksum] "),
                (have, want) if have == want => out.push_str("[udp sum ok] "),
                (have, want) => {
                    let _ = write!(out, "[bad udp cksum {have:#06x} -> {want:#06x}!] ");
                }
            }
        }
        if self.detail.quick || !payload::push_udp(out, p, udp) {
            let _ = write!(out, "UDP, length {}", p.payload.len());
        }
    }

    /// Sequence numbers count from the first segment with an ACK that was seen; a SYN begins anew.
    fn relative(&mut self, p: &Packet, tcp: &Tcp) -> (u32, u32) {
        if self.detail.absolute {
            return (tcp.seq, tcp.ack);
        }
        if tcp.flags & tcp_flags::ACK == 0 {
            return (tcp.seq, tcp.ack);
        }
        let (src, dst) = ((p.src, tcp.sport), (p.dst, tcp.dport));
        let back = src > dst;
        let flow = if back { [dst, src] } else { [src, dst] };
        let (own, other) = if back { (1, 0) } else { (0, 1) };
        match self.flows.get(&flow) {
            Some(base) if tcp.flags & tcp_flags::SYN == 0 => {
                (tcp.seq.wrapping_sub(base[own]), tcp.ack.wrapping_sub(base[other]))
            }
            _ => {
                let mut base = [0; 2];
                base[own] = tcp.seq;
                base[other] = tcp.ack.wrapping_sub(1);
                self.flows.insert(flow, base);
                (tcp.seq, tcp.ack)
            }
        }
    }

    fn push_tcp(&mut self, out: &mut String, p: &Packet, tcp: &Tcp) {
        if self.detail.quick {
            let _ = write!(out, "tcp {}", p.payload.len());
            return;
        }
        let (seq, ack) = self.relative(p, tcp);
        let len = p.payload.len();
        let _ = write!(out, "Flags [{}]", crate::names::tcp_letters(tcp.flags));
        if self.detail.verbose > 0 && p.frag.is_none() {
            let (have, want) = sums(p);
            match have == want {
                true => {
                    let _ = write!(out, ", cksum {have:#06x} (correct)");
                }
                false => {
                    let _ = write!(out, ", cksum {have:#06x} (incorrect -> {want:#06x})");
                }
            }
        }
        if len > 0 {
            let _ = write!(out, ", seq {seq}:{}", seq.wrapping_add(len));
        } else if self.detail.verbose > 1
            || tcp.flags & (tcp_flags::SYN | tcp_flags::FIN | tcp_flags::RST) != 0
        {
            let _ = write!(out, ", seq {seq}");
        }
        if tcp.flags & tcp_flags::ACK != 0 {
            let _ = write!(out, ", ack {ack}");
        }
        let _ = write!(out, ", win {}", tcp.window);
        if tcp.flags & tcp_flags::URG != 0 {
            let _ = write!(out, ", urg {}", tcp.urgent);
        }
        if !tcp.opts.is_empty() {
            let _ = write!(out, ", options [{}]", options(&tcp.opts));
        }
        let _ = write!(out, ", length {len}");
        payload::push_tcp(out, p, tcp);
    }
}

/// An address as the C library writes it.
fn ntop(addr: Addr, family: Family) -> String {
    let mut out = String::new();
    crate::iptables::address::put(&mut out, addr, family);
    out
}

/// The transport checksum that the packet has, and the right one.
fn sums(p: &Packet) -> (u16, u16) {
    let at = match &p.l4 {
        L4::Tcp(_) => 16,
        L4::Udp(_) => 6,
        _ => 2,
    };
    let read = |p: &Packet| {
        let bytes = wire::encode(p);
        let start = bytes.len() - (p.l4_header_len() + p.payload.len()) as usize + at;
        bytes.get(start..start + 2).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]))
    };
    let right = Packet { bad_l4_checksum: false, ..p.clone() };
    (read(p), read(&right))
}

/// What `-v` puts before the addresses.
fn verbose_header(out: &mut String, p: &Packet) {
    let name = match p.proto {
        proto::ICMP => "ICMP",
        proto::TCP => "TCP",
        proto::UDP => "UDP",
        proto::ICMPV6 => "ICMPv6",
        proto::GRE => "GRE",
        proto::ESP => "ESP",
        proto::AH => "AH",
        proto::IGMP => "IGMP",
        proto::IPIP => "IPIP",
        proto::IPV6 => "IPv6",
        proto::SCTP => "SCTP",
        proto::DCCP => "DCCP",
        proto::NONXT => "No next header",
        108 => "Compressed IP",
        proto::UDPLITE => "UDP-Lite",
        _ => "unknown",
    };
    match p.family {
        Family::V4 => {
            let _ = write!(out, "(tos {:#x}", p.tos);
            out.push_str(["", ",ECT(1)", ",ECT(0)", ",CE"][usize::from(p.tos & 3)]);
            let offset = p.frag.map_or(0, |f| f.offset);
            let flags = match (p.frag.is_some_and(|f| f.more), p.df) {
                (true, true) => "+, DF",
                (true, false) => "+",
                (false, true) => "DF",
                (false, false) => "none",
            };
            let _ = write!(
                out,
                ", ttl {}, id {}, offset {offset}, flags [{flags}], proto {name} ({}), length {})\n    ",
                p.ttl,
                p.ip_id,
                p.proto,
                p.len()
            );
        }
        Family::V6 => {
            out.push('(');
            if p.tos != 0 {
                let _ = write!(out, "class {:#04x}, ", p.tos);
            }
            let (name, number) = if p.frag.is_some() { ("Fragment", 44) } else { (name, p.proto) };
            let _ = write!(
                out,
                "hlim {}, next-header {name} ({number}) payload length: {}) ",
                p.ttl,
                p.len() - 40
            );
        }
    }
}

/// Options in the order in which Linux writes them.
fn options(opts: &TcpOpts) -> String {
    let mut list = Vec::new();
    if let Some(mss) = opts.mss {
        list.push(format!("mss {mss}"));
    }
    let stamps = opts.timestamps.map(|(value, echo)| format!("TS val {value} ecr {echo}"));
    match (opts.sack_permitted, stamps) {
        (true, Some(stamps)) => list.extend(["sackOK".to_string(), stamps]),
        (false, Some(stamps)) => list.extend(["nop".to_string(), "nop".to_string(), stamps]),
        (true, None) => list.extend(["nop", "nop", "sackOK"].map(str::to_string)),
        (false, None) => {}
    }
    if let Some(scale) = opts.wscale {
        list.extend(["nop".to_string(), format!("wscale {scale}")]);
    }
    if let Some((left, right)) = opts.sack {
        list.extend(["nop".to_string(), "nop".to_string(), format!("sack 1 {{{left}:{right}}}")]);
    }
    list.join(",")
}

fn push_icmp(out: &mut String, p: &Packet, icmp: &Icmp) {
    out.push_str("ICMP ");
    let len = 8 + p.payload.len();
    let gateway = Addr::v4(icmp.rest).ip(Family::V4);
    let quoted = match &p.payload {
        Payload::Quote { packet, .. } => Some(&**packet),
        _ => None,
    };
    let target = quoted.map_or_else(|| "0.0.0.0".to_string(), |q| q.dst.ip(Family::V4).to_string());
    let text = match (icmp.kind, icmp.code) {
        (0, _) => format!("echo reply, id {}, seq {}", icmp.id(), icmp.seq()),
        (8, _) => format!("echo request, id {}, seq {}", icmp.id(), icmp.seq()),
        (13, _) => format!("time stamp query id {} seq {}", icmp.id(), icmp.seq()),
        (14, _) => format!(
            "time stamp reply id {} seq {}: org 00:00:00.000, recv 00:00:00.000, xmit 00:00:00.000",
            icmp.id(),
            icmp.seq()
        ),
        (3, 0) => format!("net {target} unreachable"),
        (3, 1) => format!("host {target} unreachable"),
        (3, 2) => format!("{target} protocol {} unreachable", quoted.map_or(0, |q| q.proto)),
        (3, 3) => match quoted.map(|q| (q.proto, q.ports().map_or(0, |(_, dport)| dport))) {
            Some((proto::TCP, port)) => format!("{target} tcp port {port} unreachable"),
            Some((proto::UDP, port)) => format!("{target} udp port {port} unreachable"),
            Some((number, port)) => format!("{target} protocol {number} port {port} unreachable"),
            None => format!("{target} protocol 0 port 0 unreachable"),
        },
        (3, 4) => match icmp.rest & 0xffff {
            0 => format!("{target} unreachable - need to frag"),
            mtu => format!("{target} unreachable - need to frag (mtu {mtu})"),
        },
        (3, 5) => format!("{target} unreachable - source route failed"),
        (3, 6) => format!("net {target} unreachable - unknown"),
        (3, 7) => format!("host {target} unreachable - unknown"),
        (3, 8) => format!("{target} unreachable - source host isolated"),
        (3, 9) => format!("net {target} unreachable - admin prohibited"),
        (3, 10) => format!("host {target} unreachable - admin prohibited"),
        (3, 11) => format!("net {target} unreachable - tos prohibited"),
        (3, 12) => format!("host {target} unreachable - tos prohibited"),
        (3, 13) => format!("host {target} unreachable - admin prohibited filter"),
        (3, 14) => format!("host {target} unreachable - host precedence violation"),
        (3, 15) => format!("host {target} unreachable - precedence cutoff"),
        (4, _) => "source quench".to_string(),
        (5, 0) => format!("redirect {target} to net {gateway}"),
        (5, 1) => format!("redirect {target} to host {gateway}"),
        (5, 2) => format!("redirect-tos {target} to net {gateway}"),
        (5, 3) => format!("redirect-tos {target} to host {gateway}"),
        (10, _) => "router solicitation".to_string(),
        (11, 0) => "time exceeded in-transit".to_string(),
        (11, 1) => "ip reassembly time exceeded".to_string(),
        (12, 0) => format!("parameter problem - octet {}", icmp.rest >> 24),
        (17, _) => "address mask request".to_string(),
        (kind, _) => format!("type-#{kind}"),
    };
    let _ = write!(out, "{text}, length {len}");
}

fn push_icmp6(out: &mut String, p: &Packet, icmp: &Icmp) {
    out.push_str("ICMP6, ");
    let quoted = match &p.payload {
        Payload::Quote { packet, .. } => Some(&**packet),
        _ => None,
    };
    let target = quoted.map_or_else(|| "::".to_string(), |q| q.dst.ip(Family::V6).to_string());
    let text = match (icmp.kind, icmp.code) {
        (128, _) => format!("echo request, id {}, seq {}", icmp.id(), icmp.seq()),
        (129, _) => format!("echo reply, id {}, seq {}", icmp.id(), icmp.seq()),
        (1, 0) => format!("destination unreachable, unreachable route {target}"),
        (1, 1) => format!("destination unreachable,  unreachable prohibited {target}"),
        (1, 2) => {
            let source = quoted.map_or_else(|| "::".to_string(), |q| q.src.ip(Family::V6).to_string());
            format!("destination unreachable, beyond scope {target}, source address {source}")
        }
        (1, 3) => format!("destination unreachable, unreachable address {target}"),
        (1, 4) => {
            let port = quoted.and_then(Packet::ports).map_or(0, |(_, dport)| dport);
            let name = match quoted.map(|q| q.proto) {
                Some(proto::TCP) => "tcp",
                _ => "udp",
            };
            format!("destination unreachable, unreachable port, {target} {name} port {port}")
        }
        (2, _) => format!("packet too big, mtu {}", icmp.rest),
        (3, 0) => format!("time exceeded in-transit for {target}"),
        (3, 1) => "time exceeded in-transit (reassembly)".to_string(),
        (4, 0) => format!("parameter problem, erroneous - octet {}", icmp.rest),
        (4, 1) => format!("parameter problem, next header - octet {}", icmp.rest),
        (4, 2) => format!("parameter problem, option - octet {}", icmp.rest),
        (kind, _) => format!("type-#{kind}"),
    };
    out.push_str(&text);
}

fn push_opaque(out: &mut String, p: &Packet, detail: Detail) {
    if p.is_later_fragment() {
        let _ = write!(out, "ip-proto-{}", p.proto);
        return;
    }
    let len = p.payload.len();
    let word = |at: usize| match &p.payload {
        Payload::Bytes(b) => b.get(at..at + 4).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])),
        _ => 0,
    };
    let _ = match p.proto {
        proto::GRE if detail.verbose > 0 => write!(out, "GREv0, Flags [none], length {len}\n\tgre-proto-0x0"),
        proto::GRE => write!(out, "GREv0, length {len}: gre-proto-0x0"),
        proto::ESP => write!(out, "ESP(spi={:#010x},seq={:#x}), length {len}", word(0), word(4)),
        proto::NONXT if p.family == Family::V6 => write!(out, "no next header"),
        number => write!(out, " ip-proto-{number} {len}"),
    };
}
