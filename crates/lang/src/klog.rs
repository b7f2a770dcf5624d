//! The kernel's log: lines of LOG (net/netfilter/nf_log_syslog.c), and `dmesg`.

use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::Host;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::device::DevId;
use hookwalk_engine::host::Net;
use hookwalk_engine::klog::{LogLine, Seen};
use hookwalk_engine::packet::{Icmp, L4, Owner, Packet, Payload, Tcp, TcpOpts, proto, tcp_flags};
use hookwalk_engine::targets::LogTarget;
use hookwalk_engine::time::Time;
use std::fmt::Write as _;

/// Runs `dmesg`: the lines of LOG so far.
pub fn dmesg(host: &mut Host, argv: &[Word]) -> Output {
    let mut out = Output::default();
    let mut clear = false;
    let mut show = true;
    let mut times = true;
    for word in &argv[1..] {
        match word.text.as_str() {
            "-t" | "--notime" => times = false,
            "-c" | "--read-clear" => clear = true,
            "-C" | "--clear" => (clear, show) = (true, false),
            other => return Output::refuse(format!("dmesg {other} is not simulated"), word.span.clone()),
        }
    }
    if show {
        for entry in &host.net.klog.lines {
            let text = line(&host.net, entry);
            match times {
                true => out.line(&format!("[{}] {text}", stamp(entry.at))),
                false => out.line(&text),
            }
        }
    }
    if clear {
        host.net.klog.lines.clear();
    }
    out
}

/// Seconds since the start with six decimals, as printk writes them.
fn stamp(at: Time) -> String {
    let micros = at.0 / 1000;
    format!("{:5}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// The text of a line, without the time.
pub fn line(net: &Net, entry: &LogLine) -> String {
    let (seen, target) = (&entry.seen, &*entry.target);
    let name = |dev: Option<DevId>| dev.and_then(|d| net.device(d)).map_or("", |d| &d.name);
    let mut out = format!("{}IN={} OUT={} ", target.prefix, name(seen.in_dev), name(seen.out_dev));
    if let Some(dev) = seen.in_dev {
        push_mac(&mut out, net, seen, dev, target.mac_decode);
    }
    let whole = seen.packet.len();
    push_packet(&mut out, &seen.packet, target, whole, Depth::Outer);
    if target.uid
        && let Some(Owner::User { uid, gid }) = seen.owner
    {
        let _ = write!(out, "UID={uid} GID={gid} ");
    }
    if seen.mark != 0 {
        let _ = write!(out, "MARK={:#x} ", seen.mark);
    }
    out
}

fn push_mac(out: &mut String, net: &Net, seen: &Seen, dev: DevId, decode: bool) {
    let own = net.device(dev).map_or([0; 6], |d| d.mac);
    // On lo both addresses are zero.
    let loopback = dev == DevId::LO;
    let dst = if loopback { [0; 6] } else { seen.mac_dst.unwrap_or(own) };
    let src = if loopback { [0; 6] } else { seen.mac_src.unwrap_or([0; 6]) };
    let ether: u16 = if seen.packet.family == Family::V4 { 0x0800 } else { 0x86dd };
    if decode && !loopback {
        let mac = crate::names::mac;
        let _ = write!(out, "MACSRC={} MACDST={} MACPROTO={ether:04x} ", mac(src), mac(dst));
        return;
    }
    out.push_str("MAC=");
    let bytes: Vec<String> =
        dst.iter().chain(&src).chain(&ether.to_be_bytes()).map(|b| format!("{b:02x}")).collect();
    out.push_str(&bytes.join(":"));
    out.push(' ');
}

/// Is it the packet itself, or the one that it quotes?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Outer,
    Quoted,
}

fn address(family: Family, addr: Addr) -> String {
    match family {
        Family::V4 => addr.ip(family).to_string(),
        Family::V6 => {
            let halves = addr.0.iter().flat_map(|word| [word >> 16, word & 0xffff]);
            halves.map(|half| format!("{half:04x}")).collect::<Vec<_>>().join(":")
        }
    }
}

/// `SRC=… DST=… LEN=…` and so on, of a packet of which `there` bytes can be seen.
fn push_packet(out: &mut String, p: &Packet, target: &LogTarget, there: u32, depth: Depth) {
    let _ = write!(out, "SRC={} DST={} LEN={} ", address(p.family, p.src), address(p.family, p.dst), p.len());
    match p.family {
        Family::V4 => {
            let id =
                if p.frag.is_some() && p.ip_id == 0 { p.frag.map_or(0, |f| f.id as u16) } else { p.ip_id };
            let _ =
                write!(out, "TOS=0x{:02X} PREC=0x{:02X} TTL={} ID={id} ", p.tos & 0x1e, p.tos & 0xe0, p.ttl);
            if p.df {
                out.push_str("DF ");
            }
            if let Some(frag) = p.frag {
                if frag.more {
                    out.push_str("MF ");
                }
                if frag.offset != 0 {
                    let _ = write!(out, "FRAG:{} ", frag.offset / 8);
                }
            }
        }
        Family::V6 => {
            let _ = write!(out, "TC={} HOPLIMIT={} FLOWLBL=0 ", p.tos, p.ttl);
            if let Some(frag) = p.frag {
                let _ = write!(out, "FRAG:{} ", frag.offset);
                if frag.more {
                    out.push_str("INCOMPLETE ");
                }
                let _ = write!(out, "ID:{:08x} ", frag.id);
            }
        }
    }
    // Bytes of the transport header and what follows that are there.
    let head = p.len() - p.l4_header_len() - p.payload.len();
    let bytes = there.saturating_sub(head);
    let later = p.is_later_fragment();
    match &p.l4 {
        L4::Tcp(tcp) => {
            out.push_str("PROTO=TCP ");
            if bytes < 20 {
                let _ = write!(out, "INCOMPLETE [{bytes} bytes] ");
                return;
            }
            push_tcp(out, tcp, target);
        }
        L4::Udp(udp) => {
            let name = if p.proto == proto::UDPLITE { "UDPLITE" } else { "UDP" };
            let _ = write!(out, "PROTO={name} ");
            if bytes < 8 {
                let _ = write!(out, "INCOMPLETE [{bytes} bytes] ");
                return;
            }
            let len = udp.length.map_or(8 + p.payload.len(), u32::from);
            let _ = write!(out, "SPT={} DPT={} LEN={len} ", udp.sport, udp.dport);
        }
        L4::Icmp(icmp) => {
            let name = if p.proto == proto::ICMPV6 { "ICMPv6" } else { "ICMP" };
            let _ = write!(out, "PROTO={name} ");
            if bytes < 4 {
                let _ = write!(out, "INCOMPLETE [{bytes} bytes] ");
                return;
            }
            match p.family {
                Family::V4 => push_icmp(out, icmp, &p.payload, target, depth),
                Family::V6 => push_icmp6(out, icmp, &p.payload, target, depth),
            }
        }
        L4::Opaque => push_opaque(out, p, later),
    }
}

fn push_tcp(out: &mut String, tcp: &Tcp, target: &LogTarget) {
    let _ = write!(out, "SPT={} DPT={} ", tcp.sport, tcp.dport);
    if target.tcp_sequence {
        let _ = write!(out, "SEQ={} ACK={} ", tcp.seq, tcp.ack);
    }
    let _ = write!(out, "WINDOW={} RES=0x00 ", tcp.window);
    for (bit, name) in [
        (tcp_flags::CWR, "CWR "),
        (tcp_flags::ECE, "ECE "),
        (tcp_flags::URG, "URG "),
        (tcp_flags::ACK, "ACK "),
        (tcp_flags::PSH, "PSH "),
        (tcp_flags::RST, "RST "),
        (tcp_flags::SYN, "SYN "),
        (tcp_flags::FIN, "FIN "),
    ] {
        if tcp.flags & bit != 0 {
            out.push_str(name);
        }
    }
    let _ = write!(out, "URGP={} ", tcp.urgent);
    if target.tcp_options && !tcp.opts.is_empty() {
        out.push_str("OPT (");
        for byte in option_bytes(&tcp.opts) {
            let _ = write!(out, "{byte:02X}");
        }
        out.push_str(") ");
    }
}

/// TCP options as Linux lays them out (net/ipv4/tcp_output.c:tcp_options_write).
fn option_bytes(opts: &TcpOpts) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mss) = opts.mss {
        bytes.extend([2, 4]);
        bytes.extend(mss.to_be_bytes());
    }
    if let Some((value, echo)) = opts.timestamps {
        bytes.extend(if opts.sack_permitted { [4, 2, 8, 10] } else { [1, 1, 8, 10] });
        bytes.extend(value.to_be_bytes());
        bytes.extend(echo.to_be_bytes());
    } else if opts.sack_permitted {
        bytes.extend([1, 1, 4, 2]);
    }
    if let Some(scale) = opts.wscale {
        bytes.extend([1, 3, 3, scale]);
    }
    if let Some((left, right)) = opts.sack {
        bytes.extend([1, 1, 5, 10]);
        bytes.extend(left.to_be_bytes());
        bytes.extend(right.to_be_bytes());
    }
    bytes
}

fn push_quoted(out: &mut String, payload: &Payload, target: &LogTarget, depth: Depth) {
    // A quotation within a quotation is not looked into.
    if depth == Depth::Quoted {
        return;
    }
    if let Payload::Quote { packet, len } = payload {
        out.push('[');
        push_packet(out, packet, target, *len, Depth::Quoted);
        out.push_str("] ");
    }
}

fn push_icmp(out: &mut String, icmp: &Icmp, payload: &Payload, target: &LogTarget, depth: Depth) {
    let _ = write!(out, "TYPE={} CODE={} ", icmp.kind, icmp.code);
    match icmp.kind {
        0 | 8 => {
            let _ = write!(out, "ID={} SEQ={} ", icmp.id(), icmp.seq());
        }
        12 => {
            let _ = write!(out, "PARAMETER={} ", icmp.rest >> 24);
        }
        3 | 4 | 5 | 11 => {
            if icmp.kind == 5 {
                let _ = write!(out, "GATEWAY={} ", Addr::v4(icmp.rest).ip(Family::V4));
            }
            push_quoted(out, payload, target, depth);
            if (icmp.kind, icmp.code) == (3, 4) {
                let _ = write!(out, "MTU={} ", icmp.rest & 0xffff);
            }
        }
        _ => {}
    }
}

fn push_icmp6(out: &mut String, icmp: &Icmp, payload: &Payload, target: &LogTarget, depth: Depth) {
    let _ = write!(out, "TYPE={} CODE={} ", icmp.kind, icmp.code);
    match icmp.kind {
        128 | 129 => {
            let _ = write!(out, "ID={} SEQ={} ", icmp.id(), icmp.seq());
        }
        1..=4 => {
            if icmp.kind == 4 {
                let _ = write!(out, "POINTER={:08x} ", icmp.rest);
            }
            push_quoted(out, payload, target, depth);
            if icmp.kind == 2 {
                let _ = write!(out, "MTU={} ", icmp.rest);
            }
        }
        _ => {}
    }
}

fn push_opaque(out: &mut String, p: &Packet, later: bool) {
    let word = |at: usize| match &p.payload {
        Payload::Bytes(b) => b.get(at..at + 4).map(|w| u32::from_be_bytes([w[0], w[1], w[2], w[3]])),
        payload => (payload.len() as usize >= at + 4).then_some(0),
    };
    let name = match (p.proto, p.family) {
        (proto::TCP, _) => "TCP",
        (proto::UDP, _) => "UDP",
        (proto::UDPLITE, _) => "UDPLITE",
        (proto::ICMP, Family::V4) => "ICMP",
        (proto::ICMPV6, Family::V6) => "ICMPv6",
        (proto::ESP, _) => "ESP",
        (proto::AH, _) => "AH",
        (number, _) => {
            let _ = write!(out, "PROTO={number} ");
            return;
        }
    };
    let _ = write!(out, "PROTO={name} ");
    if later {
        return;
    }
    let spi = match p.proto {
        proto::ESP => word(0),
        proto::AH => word(4),
        _ => None,
    };
    match (p.proto, spi) {
        (proto::ESP | proto::AH, Some(spi)) => {
            let _ = write!(out, "SPI={spi:#x} ");
        }
        // A header that is cut short.
        _ => {
            let _ = write!(out, "INCOMPLETE [{} bytes] ", p.payload.len());
        }
    }
}
