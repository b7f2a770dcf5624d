//! Packets as `tcpdump -nnt` prints them (tcpdump 4.99), headers only: what port numbers say about the payload (`domain`,
//! `HTTP` …) is left out.

use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::packet::{Icmp, L4, Packet, Payload, Tcp, TcpOpts, proto, tcp_flags};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Both ends of a TCP connection, the smaller one first.
type Flow = [(Addr, u16); 2];

/// What tcpdump remembers from packet to packet: where sequence numbers begin.
#[derive(Clone, Debug, Default)]
pub struct Tcpdump {
    /// By flow: the sequence number of the first end of the first segment seen, and of the second.
    flows: HashMap<Flow, [u32; 2]>,
}

impl Tcpdump {
    /// The line of one packet.
    pub fn line(&mut self, p: &Packet) -> String {
        let ip = |addr: Addr| addr.ip(p.family).to_string();
        let mut out = String::from(if p.family == Family::V4 { "IP " } else { "IP6 " });
        if let (L4::Tcp(_) | L4::Udp(_), Some((sport, dport))) = (&p.l4, p.ports())
            && p.proto != proto::UDPLITE
        {
            let _ = write!(out, "{}.{sport} > {}.{dport}: ", ip(p.src), ip(p.dst));
        } else {
            let _ = write!(out, "{} > {}: ", ip(p.src), ip(p.dst));
        }
        match &p.l4 {
            L4::Tcp(tcp) => self.push_tcp(&mut out, p, tcp),
            L4::Udp(_) if p.proto == proto::UDPLITE => {
                let _ = write!(out, " ip-proto-136 {}", 8 + p.payload.len());
            }
            L4::Udp(_) => {
                let _ = write!(out, "UDP, length {}", p.payload.len());
            }
            L4::Icmp(icmp) => match p.family {
                Family::V4 => push_icmp(&mut out, p, icmp),
                Family::V6 => push_icmp6(&mut out, p, icmp),
            },
            L4::Opaque => push_opaque(&mut out, p),
        }
        out
    }

    /// Sequence numbers count from the first segment with an ACK that was seen; a SYN begins anew.
    fn relative(&mut self, p: &Packet, tcp: &Tcp) -> (u32, u32) {
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
        let (seq, ack) = self.relative(p, tcp);
        let len = p.payload.len();
        let _ = write!(out, "Flags [{}]", crate::names::tcp_letters(tcp.flags));
        if len > 0 {
            let _ = write!(out, ", seq {seq}:{}", seq.wrapping_add(len));
        } else if tcp.flags & (tcp_flags::SYN | tcp_flags::FIN | tcp_flags::RST) != 0 {
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
    let _ = write!(out, "{text}, length {}", 8 + p.payload.len());
}

fn push_opaque(out: &mut String, p: &Packet) {
    if let (Family::V6, Some(frag)) = (p.family, p.frag) {
        let _ = write!(out, "frag ({}|{})", frag.offset, p.payload.len());
        return;
    }
    if p.is_later_fragment() {
        let _ = write!(out, "ip-proto-{}", p.proto);
        return;
    }
    let len = p.payload.len();
    let _ = match p.proto {
        proto::GRE => write!(out, "GREv0, length {len}: gre-proto-0x0"),
        59 if p.family == Family::V6 => write!(out, "no next header"),
        number => write!(out, " ip-proto-{number} {len}"),
    };
}
