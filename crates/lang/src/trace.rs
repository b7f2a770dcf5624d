//! `xtables-monitor --trace` (iptables 1.8.9): what TRACE tells, line by line.

use crate::iptables;
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::Host;
use hookwalk_engine::addr::Family;
use hookwalk_engine::device::DevId;
use hookwalk_engine::host::Net;
use hookwalk_engine::klog::{Seen, TraceLine, TraceVerdict, TraceWhat};
use hookwalk_engine::packet::{L4, Packet, PacketId, Payload, proto, tcp_flags};
use hookwalk_engine::ruleset::{Policy, Rule, Table};
use hookwalk_engine::targets::Target;
use std::fmt::Write as _;
use std::sync::Arc;

/// Runs `xtables-monitor`. It cannot wait here: the first time it begins to listen and prints nothing; every further
/// time it prints what it heard since.
pub fn run(host: &mut Host, argv: &[Word]) -> Output {
    let (mut trace, mut family) = (false, None);
    for word in &argv[1..] {
        match word.text.as_str() {
            "--trace" | "-t" => trace = true,
            "-4" | "--ipv4" => family = Some(Family::V4),
            "-6" | "--ipv6" => family = Some(Family::V6),
            other => {
                let message = format!("xtables-monitor {other} is not simulated");
                return Output::refuse(message, word.span.clone());
            }
        }
    }
    if !trace {
        let span = argv.first().map_or(0..0, |w| w.span.clone());
        return Output::refuse("xtables-monitor without --trace is not simulated", span);
    }
    let Some(heard) = listen(host) else { return Output::default() };
    let mut out = Output::default();
    let mut arrived = None;
    for entry in heard.iter() {
        // The device is part of the packet's number, also for the lines that do not tell it.
        if let TraceWhat::Packet(seen) = &entry.what {
            arrived = seen.came_by;
        }
        if family.is_none_or(|f| f == entry.family) {
            out.line(&line(host, entry, arrived));
        }
    }
    out
}

/// What was heard since the last time; `None`: the first time, from which on the kernel tells what TRACE finds.
pub(crate) fn listen(host: &mut Host) -> Option<Vec<Arc<TraceLine>>> {
    let klog = &mut host.net.klog;
    if klog.trace_listeners == 0 {
        klog.trace_listeners = 1;
        return None;
    }
    Some(std::mem::take(&mut klog.traces))
}

/// The number by which lines about one packet belong together. In the kernel it is a hash that changes with the device
/// that the packet came in by, so that a packet through `lo` has two.
pub(crate) fn number(id: PacketId, arrived: Option<DevId>) -> u32 {
    let mut h =
        id.0.wrapping_mul(0x9e37_79b9) ^ arrived.map_or(0, |d| u32::from(d.0)).wrapping_mul(0x85eb_ca6b);
    h ^= h >> 16;
    h = h.wrapping_mul(0x7feb_352d);
    h ^ h >> 15
}

/// One message as a line; `arrived` is the device that the packet came in by.
pub fn line(host: &Host, entry: &TraceLine, arrived: Option<DevId>) -> String {
    let family = if entry.family == Family::V4 { 2 } else { 10 };
    let id = number(entry.id, arrived);
    let table = entry.table.name();
    match &entry.what {
        TraceWhat::Packet(seen) => format!("PACKET: {family} {id:08x} {}", packet(&host.net, seen)),
        TraceWhat::Rule { chain, rule, verdict } => {
            let v = if entry.family == Family::V4 { 4 } else { 6 };
            let text = match host.rules.table(entry.family, entry.table) {
                Some(table) => rule_text(table, chain, rule),
                None => String::new(),
            };
            format!(
                " TRACE: {family} {id:08x} {table}:{chain}:rule:{:#x}:{}  -{v} -t {table} {text}",
                rule.handle,
                verdict_text(verdict, rule)
            )
        }
        TraceWhat::Policy { chain, policy, .. } => {
            let policy = if *policy == Policy::Accept { "ACCEPT" } else { "DROP" };
            format!(" TRACE: {family} {id:08x} {table}:{chain}:policy:{policy} ")
        }
    }
}

fn rule_text(table: &Table, chain: &str, rule: &Rule) -> String {
    iptables::rule_text(table, chain, rule)
}

fn verdict_text(verdict: &TraceVerdict, rule: &Rule) -> String {
    match verdict {
        TraceVerdict::Continue => "CONTINUE".to_string(),
        TraceVerdict::Accept => "ACCEPT".to_string(),
        TraceVerdict::Drop => "DROP".to_string(),
        TraceVerdict::Stolen => "STOLEN".to_string(),
        // The tool has no names for these and prints the kernel's numbers.
        TraceVerdict::Return => "0xfffffffb".to_string(),
        TraceVerdict::Queue => match &rule.target {
            Target::Nfqueue(queue) => {
                let bypass = if queue.bypass { 0x8000 } else { 0 };
                format!("{:#x}", u32::from(queue.queue) << 16 | bypass | 3)
            }
            _ => "QUEUE".to_string(),
        },
        TraceVerdict::Jump(to) => format!("JUMP:{to}"),
        TraceVerdict::Goto(to) => format!("GOTO:{to}"),
    }
}

/// `IN=eth0 MACSRC=… SRC=… LEN=… SPORT=… `.
fn packet(net: &Net, seen: &Seen) -> String {
    let p = &seen.packet;
    let name = |dev: DevId| net.device(dev).map_or("", |d| &d.name);
    let mut out = String::new();
    let in_dev = seen.in_dev.or(seen.came_by);
    if let Some(dev) = in_dev {
        let _ = write!(out, "IN={} ", name(dev));
    }
    if let Some(dev) = seen.out_dev {
        let _ = write!(out, "OUT={} ", name(dev));
    }
    match in_dev {
        Some(DevId::LO) => out.push_str("LOOPBACK "),
        Some(dev) => {
            let own = net.device(dev).map_or([0; 6], |d| d.mac);
            // Without leading zeros.
            let mac = |bytes: [u8; 6]| bytes.map(|b| format!("{b:x}")).join(":");
            let ether = if p.family == Family::V4 { "0800" } else { "86dd" };
            let _ = write!(
                out,
                "MACSRC={} MACDST={} MACPROTO={ether} ",
                mac(seen.mac_src.unwrap_or_default()),
                mac(seen.mac_dst.unwrap_or(own))
            );
        }
        None => {}
    }
    // Of IPv6 it adds the length of IPv4's header to what stands behind its own.
    let len = if p.family == Family::V4 { p.len() } else { p.len() - 20 };
    let _ = write!(out, "SRC={} DST={} LEN={len} ", p.src.ip(p.family), p.dst.ip(p.family));
    match p.family {
        Family::V4 => {
            let _ = write!(out, "TOS=0x{:x} TTL={} ID={} ", p.tos, p.ttl, p.ip_id);
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
        }
    }
    // The tool reads ports where a header would be, in later fragments too.
    let ports = match (&p.l4, p.frag) {
        (L4::Tcp(_) | L4::Udp(_), _) => p.ports(),
        (L4::Opaque, _) if p.proto != proto::TCP || p.payload.len() >= 20 => first_words(p),
        _ => None,
    };
    if let Some((sport, dport)) = ports {
        let _ = write!(out, "SPORT={sport} DPORT={dport} ");
    }
    if let Some(tcp) = p.tcp() {
        for (bit, name) in [
            (tcp_flags::SYN, "SYN "),
            (tcp_flags::ACK, "ACK "),
            (tcp_flags::FIN, "FIN "),
            (tcp_flags::RST, "RST "),
            (tcp_flags::PSH, "PSH "),
            (tcp_flags::URG, "URG "),
        ] {
            if tcp.flags & bit != 0 {
                out.push_str(name);
            }
        }
    }
    if seen.mark != 0 {
        let _ = write!(out, "MARK={:#x} ", seen.mark);
    }
    out
}

/// The first two 16-bit words of what a protocol with ports carries.
fn first_words(p: &Packet) -> Option<(u16, u16)> {
    if !matches!(p.proto, proto::TCP | proto::UDP | proto::UDPLITE | proto::SCTP | proto::DCCP) {
        return None;
    }
    match &p.payload {
        Payload::Bytes(b) if b.len() >= 4 => {
            Some((u16::from_be_bytes([b[0], b[1]]), u16::from_be_bytes([b[2], b[3]])))
        }
        Payload::Zeros(n) if *n >= 4 => Some((0, 0)),
        _ => None,
    }
}
