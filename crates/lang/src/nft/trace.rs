//! The lines of `nft monitor trace`.

use super::rule::{self, Style, ip};
use super::targets::Loaded;
use crate::iptables::{address, names, put};
use crate::output::Output;
use crate::trace::number;
use hookwalk_engine::addr::Family;
use hookwalk_engine::device::DevId;
use hookwalk_engine::host::Net;
use hookwalk_engine::klog::{Seen, TraceLine, TraceVerdict, TraceWhat};
use hookwalk_engine::packet::{Packet, proto, tcp_flags};
use hookwalk_engine::ruleset::{Counters, Policy, Rule, TableKind};
use hookwalk_engine::{Host, wire};
use std::sync::Arc;

/// What was heard, as lines.
pub(super) fn print(host: &Host, heard: &[Arc<TraceLine>], style: Style) -> Output {
    let mut out = Output::default();
    let mut loaded = Loaded::default();
    let mut arrived = None;
    for entry in heard {
        if let TraceWhat::Packet(seen) = &entry.what {
            arrived = seen.came_by;
        }
        let id = number(entry.id, arrived);
        let start = format!("trace id {id:08x} {} {}", ip(entry.family), entry.table.name());
        let text = match &entry.what {
            TraceWhat::Packet(seen) => format!("{} packet: {}", entry.base, packet(&host.net, seen)),
            TraceWhat::Rule { chain, rule, verdict } => {
                let shown =
                    Rule { counters: counters(host, entry.family, entry.table, rule), ..(**rule).clone() };
                let text = match host.rules.table(entry.family, entry.table) {
                    Some(table) => rule::text(&shown, table, style, &mut loaded).0,
                    None => String::new(),
                };
                format!("{chain} rule {text} (verdict {})", verdict_text(verdict))
            }
            TraceWhat::Policy { chain, policy, mark } => {
                let policy = if *policy == Policy::Accept { "accept" } else { "drop" };
                let mark = if *mark == 0 { String::new() } else { format!("meta mark {mark:#010x} ") };
                format!("{chain} policy {policy} {mark}")
            }
        };
        out.line(&format!("{start} {text}"));
    }
    out
}

/// The counters that the monitor knows: those of the moment at which it began.
fn counters(host: &Host, family: Family, table: TableKind, rule: &Rule) -> Counters {
    let known = host.net.klog.watched.as_ref().and_then(|rules| rules.table(family, table));
    let same = known.and_then(|t| t.rules().find(|r| r.handle == rule.handle));
    same.map_or(Counters::default(), |r| r.counters)
}

fn verdict_text(verdict: &TraceVerdict) -> String {
    match verdict {
        TraceVerdict::Continue => "continue".into(),
        TraceVerdict::Accept => "accept".into(),
        TraceVerdict::Drop => "drop".into(),
        TraceVerdict::Stolen => "stolen".into(),
        TraceVerdict::Queue => "queue".into(),
        TraceVerdict::Return => "return".into(),
        TraceVerdict::Jump(to) => format!("jump {to}"),
        TraceVerdict::Goto(to) => format!("goto {to}"),
    }
}

/// The packet, field by field, each with a blank behind it.
fn packet(net: &Net, seen: &Seen) -> String {
    let p = &seen.packet;
    let v4 = p.family == Family::V4;
    let mut out = String::new();
    let name = |dev: DevId| net.device(dev).map_or("", |d| &d.name);
    let in_dev = seen.in_dev.or(seen.came_by);
    if let Some(dev) = in_dev {
        put!(out, "iif \"{}\" ", name(dev));
    }
    if let Some(dev) = seen.out_dev {
        put!(out, "oif \"{}\" ", name(dev));
    }
    match in_dev {
        // Both addresses are zero there, and only the type is left of the header.
        Some(DevId::LO) => put!(out, "@ll,0,112 {} ", if v4 { "0x800" } else { "0x86dd" }),
        Some(dev) => {
            let own = net.device(dev).map_or([0; 6], |d| d.mac);
            let (src, dst) = (seen.mac_src.unwrap_or_default(), seen.mac_dst.unwrap_or(own));
            put!(out, "ether saddr {} ether daddr {} ", crate::names::mac(src), crate::names::mac(dst));
        }
        None => {}
    }
    let ip = ip(p.family);
    for (key, addr) in [("saddr", p.src), ("daddr", p.dst)] {
        put!(out, "{ip} {key} ");
        address::put(&mut out, addr, p.family);
        out.push(' ');
    }
    put!(
        out,
        "{ip} dscp {} {ip} ecn {} ",
        dscp(p.tos >> 2),
        ["not-ect", "ect1", "ect0", "ce"][usize::from(p.tos & 3)]
    );
    // A protocol whose header nft cannot tell is named before the length.
    let mut other = String::new();
    if fields(p).is_none() {
        let key = if v4 { "protocol" } else { "nexthdr" };
        match names::protocol_name(p.proto) {
            Some(name) => put!(other, "{ip} {key} {name} "),
            None => put!(other, "{ip} {key} {} ", p.proto),
        }
    }
    match p.family {
        Family::V4 => put!(out, "ip ttl {} ip id {} {other}ip length {} ", p.ttl, p.ip_id, p.len()),
        Family::V6 => {
            put!(out, "ip6 hoplimit {} ip6 flowlabel 0 {other}ip6 length {} ", p.ttl, p.len() - 40);
        }
    }
    transport(&mut out, p);
    out
}

const DSCP: [(&str, u8); 23] = [
    ("cs0", 0),
    ("cs1", 8),
    ("cs2", 16),
    ("cs3", 24),
    ("cs4", 32),
    ("cs5", 40),
    ("cs6", 48),
    ("cs7", 56),
    ("af11", 10),
    ("af12", 12),
    ("af13", 14),
    ("af21", 18),
    ("af22", 20),
    ("af23", 22),
    ("af31", 26),
    ("af32", 28),
    ("af33", 30),
    ("af41", 34),
    ("af42", 36),
    ("af43", 38),
    ("ef", 46),
    ("va", 44),
    ("lephb", 1),
];

fn dscp(value: u8) -> String {
    match DSCP.iter().find(|(_, v)| *v == value) {
        Some((name, _)) => (*name).to_string(),
        None => format!("{value:#04x}"),
    }
}

/// The kernel hands over so many bytes of the transport header.
const TRANSPORT: usize = 20;

/// Fields of a transport header that nft tells: offset, length, name.
type Field = (usize, usize, &'static str);

/// The fields of a protocol, and where the bytes begin that it prints as they are.
fn fields(p: &Packet) -> Option<(&'static [Field], usize)> {
    const PORTS: [Field; 2] = [(0, 2, "sport"), (2, 2, "dport")];
    const TCP: [Field; 4] = [PORTS[0], PORTS[1], (13, 1, "flags"), (14, 2, "window")];
    const UDP: [Field; 3] = [PORTS[0], PORTS[1], (4, 2, "length")];
    const UDPLITE: [Field; 4] = [PORTS[0], PORTS[1], (4, 2, "csumcov"), (6, 2, "checksum")];
    const ICMP: [Field; 4] = [(0, 1, "type"), (1, 1, "code"), (4, 2, "id"), (6, 2, "sequence")];
    const ICMP6: [Field; 3] = [(0, 1, "type"), (1, 1, "code"), (4, 4, "parameter-problem")];
    const IGMP: [Field; 2] = [(0, 1, "type"), (1, 1, "mrt")];
    const ESP: [Field; 2] = [(0, 4, "spi"), (4, 4, "sequence")];
    const COMP: [Field; 2] = [(1, 1, "flags"), (2, 2, "cpi")];
    const SCTP: [Field; 3] = [PORTS[0], PORTS[1], (4, 4, "vtag")];
    Some(match p.proto {
        proto::TCP => (&TCP, TRANSPORT),
        proto::UDP => (&UDP, 8),
        proto::UDPLITE => (&UDPLITE, 8),
        proto::ICMP => (&ICMP, 8),
        proto::ICMPV6 => (&ICMP6, 8),
        proto::IGMP => (&IGMP, 2),
        proto::ESP => (&ESP, 8),
        proto::SCTP => (&SCTP, 12),
        proto::DCCP => (&PORTS, 4),
        108 => (&COMP, 4),
        _ => return None,
    })
}

/// The transport header; where the packet is a later fragment, what stands in its place is told in the same way.
fn transport(out: &mut String, p: &Packet) {
    let bytes = wire::encode(p);
    let start = (p.len() - p.payload.len() - p.l4_header_len()) as usize;
    let header = bytes.get(start..).unwrap_or_default();
    let header = &header[..header.len().min(TRANSPORT)];
    let (list, known) = fields(p).unwrap_or_default();
    let name = match p.proto {
        108 => "comp",
        proto::ICMPV6 => "icmpv6",
        number => names::protocol_name(number).unwrap_or_default(),
    };
    for (at, len, field) in list {
        let Some(rest) = header.get(*at..).filter(|r| !r.is_empty()) else { continue };
        let mut value = 0u32;
        for i in 0..*len {
            value = value << 8 | u32::from(rest.get(i).copied().unwrap_or_default());
        }
        let byte = value as u8;
        let text = match (p.proto, *field) {
            (proto::TCP, "flags") => format!("== {}", flags(byte)),
            (proto::ICMP, "type") => icmp_type(byte),
            (proto::ICMP, "code") => icmp_code(byte),
            (proto::ICMPV6, "type") => icmp6_type(byte),
            (proto::ICMPV6, "code") => icmp6_code(byte),
            (proto::IGMP, "type") => igmp_type(byte),
            (108, "flags") => format!("{byte:#x}"),
            _ => value.to_string(),
        };
        put!(out, "{name} {field} {text} ");
    }
    let rest = header.get(known..).unwrap_or_default();
    if !rest.is_empty() && p.proto != proto::TCP {
        let digits: String = rest.iter().map(|b| format!("{b:02x}")).collect();
        let digits = digits.trim_start_matches('0');
        put!(out, "@th,{},{} 0x{} ", known * 8, rest.len() * 8, if digits.is_empty() { "0" } else { digits });
    }
}

/// One flag by its name; several in one number.
fn flags(flags: u8) -> String {
    let names = [
        (tcp_flags::FIN, "fin"),
        (tcp_flags::SYN, "syn"),
        (tcp_flags::RST, "rst"),
        (tcp_flags::PSH, "psh"),
        (tcp_flags::ACK, "ack"),
        (tcp_flags::URG, "urg"),
        (tcp_flags::ECE, "ecn"),
        (tcp_flags::CWR, "cwr"),
    ];
    match names.iter().find(|(bit, _)| *bit == flags) {
        Some((_, name)) => (*name).to_string(),
        None => format!("{flags:#x}"),
    }
}

fn named(names: &[(u8, &str)], value: u8) -> String {
    names.iter().find(|(n, _)| *n == value).map_or(value.to_string(), |(_, name)| (*name).to_string())
}

fn igmp_type(kind: u8) -> String {
    named(
        &[
            (0x11, "membership-query"),
            (0x12, "membership-report-v1"),
            (0x16, "membership-report-v2"),
            (0x17, "leave-group"),
            (0x22, "membership-report-v3"),
        ],
        kind,
    )
}

fn icmp_type(kind: u8) -> String {
    named(
        &[
            (0, "echo-reply"),
            (3, "destination-unreachable"),
            (4, "source-quench"),
            (5, "redirect"),
            (8, "echo-request"),
            (9, "router-advertisement"),
            (10, "router-solicitation"),
            (11, "time-exceeded"),
            (12, "parameter-problem"),
            (13, "timestamp-request"),
            (14, "timestamp-reply"),
            (15, "info-request"),
            (16, "info-reply"),
            (17, "address-mask-request"),
            (18, "address-mask-reply"),
        ],
        kind,
    )
}

fn icmp_code(code: u8) -> String {
    named(
        &[
            (0, "net-unreachable"),
            (1, "host-unreachable"),
            (2, "prot-unreachable"),
            (3, "port-unreachable"),
            (4, "frag-needed"),
            (9, "net-prohibited"),
            (10, "host-prohibited"),
            (13, "admin-prohibited"),
        ],
        code,
    )
}

fn icmp6_type(kind: u8) -> String {
    named(
        &[
            (1, "destination-unreachable"),
            (2, "packet-too-big"),
            (3, "time-exceeded"),
            (4, "parameter-problem"),
            (128, "echo-request"),
            (129, "echo-reply"),
            (130, "mld-listener-query"),
            (131, "mld-listener-report"),
            (132, "mld-listener-done"),
            (133, "nd-router-solicit"),
            (134, "nd-router-advert"),
            (135, "nd-neighbor-solicit"),
            (136, "nd-neighbor-advert"),
            (137, "nd-redirect"),
            (138, "router-renumbering"),
            (141, "ind-neighbor-solicit"),
            (142, "ind-neighbor-advert"),
            (143, "mld2-listener-report"),
        ],
        kind,
    )
}

fn icmp6_code(code: u8) -> String {
    named(
        &[
            (0, "no-route"),
            (1, "admin-prohibited"),
            (3, "addr-unreachable"),
            (4, "port-unreachable"),
            (5, "policy-fail"),
            (6, "reject-route"),
        ],
        code,
    )
}
