//! Entries as lines: of `conntrack -L` and `-E` (libnetfilter_conntrack 1.0.9), and of /proc/net/nf_conntrack.

use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::conntrack::expect::Expectation;
use hookwalk_engine::conntrack::notify::{CtEvent, CtEventKind, PROTOINFO};
use hookwalk_engine::conntrack::{Conn, ConnRef, Direction, ProtoState, TcpConntrack, Tuple, status};
use hookwalk_engine::host::Net;
use hookwalk_engine::packet::proto;
use hookwalk_engine::time::{Duration, Time};
use std::fmt::Write as _;

/// What `-o` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// `extended`: the family comes first.
    pub extended: bool,
    /// `id`.
    pub id: bool,
    /// `timestamp`: events begin with the time.
    pub timestamp: bool,
    /// `xml`.
    pub xml: bool,
    /// `save`: as arguments of the tool.
    pub save: bool,
}

/// Names of TCP states, by [`TcpConntrack`] number.
pub const TCP_STATES: [&str; 10] = [
    "NONE",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT",
    "CLOSE_WAIT",
    "LAST_ACK",
    "TIME_WAIT",
    "CLOSE",
    "SYN_SENT2",
];

/// Names of SCTP states, by number (`enum sctp_conntrack`).
pub const SCTP_STATES: [&str; 9] = [
    "NONE",
    "CLOSED",
    "COOKIE_WAIT",
    "COOKIE_ECHOED",
    "ESTABLISHED",
    "SHUTDOWN_SENT",
    "SHUTDOWN_RECD",
    "SHUTDOWN_ACK_SENT",
    "HEARTBEAT_SENT",
];

/// A TCP state by its name.
pub fn tcp_state(name: &str) -> Option<TcpConntrack> {
    use TcpConntrack::*;
    let all = [None, SynSent, SynRecv, Established, FinWait, CloseWait, LastAck, TimeWait, Close, SynSent2];
    TCP_STATES.iter().position(|n| *n == name).map(|at| all[at])
}

/// The protocol's name in entries; the others are `unknown`.
pub const fn proto_name(number: u8) -> &'static str {
    match number {
        proto::ICMP => "icmp",
        proto::TCP => "tcp",
        proto::UDP => "udp",
        proto::DCCP => "dccp",
        proto::GRE => "gre",
        proto::ICMPV6 => "icmpv6",
        proto::SCTP => "sctp",
        proto::UDPLITE => "udplite",
        _ => "unknown",
    }
}

/// The name and the number of the family, as entries show them.
const fn family_name(family: Family) -> (&'static str, u8) {
    match family {
        Family::V4 => ("ipv4", 2),
        Family::V6 => ("ipv6", 10),
    }
}

/// Where an entry is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// By the tool: addresses in short form.
    Tool,
    /// In /proc: addresses in full.
    Proc,
}

fn address(family: Family, addr: Addr, place: Place) -> String {
    match (family, place) {
        (Family::V6, Place::Proc) => {
            let halves = addr.0.iter().flat_map(|word| [word >> 16, word & 0xffff]);
            halves.map(|half| format!("{half:04x}")).collect::<Vec<_>>().join(":")
        }
        _ => addr.ip(family).to_string(),
    }
}

/// The state's name, where the protocol has states.
pub fn state_name(conn: &Conn) -> Option<&'static str> {
    match &conn.proto {
        ProtoState::Tcp(tcp) => TCP_STATES.get(tcp.state as usize).copied(),
        ProtoState::Sctp(sctp) => SCTP_STATES.get(usize::from(sctp.state)).copied(),
        _ => None,
    }
}

/// ` src=… dst=… sport=… dport=…`, and what follows a direction's tuple.
fn push_direction(out: &mut String, conn: &Conn, dir: Direction, place: Place) {
    let t = conn.tuple(dir);
    let _ = write!(out, " src={} dst={}", address(t.family, t.src, place), address(t.family, t.dst, place));
    push_ports(out, t, place);
    let (counts, other) = match dir {
        Direction::Original => (conn.zone.orig, conn.zone.reply),
        Direction::Reply => (conn.zone.reply, conn.zone.orig),
    };
    if conn.zone.id != 0 && counts && !other {
        let name = if dir == Direction::Original { "orig" } else { "reply" };
        let _ = write!(out, " zone-{name}={}", conn.zone.id);
    }
    if let Some(acct) = &conn.acct {
        let counters = &acct[dir as usize];
        let _ = write!(out, " packets={} bytes={}", counters.packets, counters.bytes);
    }
}

fn push_ports(out: &mut String, t: &Tuple, place: Place) {
    let _ = match t.proto {
        // The kernel no longer knows DCCP (6.16); the tool still does.
        proto::DCCP if place == Place::Proc => Ok(()),
        proto::TCP | proto::UDP | proto::UDPLITE | proto::SCTP | proto::DCCP => {
            write!(out, " sport={} dport={}", t.sport, t.dport)
        }
        proto::ICMP | proto::ICMPV6 => {
            write!(out, " type={} code={} id={}", t.icmp_type(), t.icmp_code(), t.sport)
        }
        proto::GRE => write!(out, " srckey={:#x} dstkey={:#x}", t.sport, t.dport),
        _ => Ok(()),
    };
}

/// `udp      17`, before it the family.
fn push_head(out: &mut String, conn: &Conn, with_family: bool, place: Place) {
    let t = conn.tuple(Direction::Original);
    if with_family {
        let (name, number) = family_name(t.family);
        let _ = write!(out, "{name:<8} {number} ");
    }
    let name = match t.proto {
        proto::DCCP if place == Place::Proc => "unknown",
        number => proto_name(number),
    };
    let _ = write!(out, "{name:<8} {}", t.proto);
}

/// Both directions with their flags.
fn push_body(out: &mut String, conn: &Conn, place: Place) {
    push_direction(out, conn, Direction::Original, place);
    if !conn.has(status::SEEN_REPLY) {
        out.push_str(" [UNREPLIED]");
    }
    push_direction(out, conn, Direction::Reply, place);
    if conn.has(status::ASSURED) {
        out.push_str(" [ASSURED]");
    }
}

/// A zone that holds for both directions.
fn whole_zone(conn: &Conn) -> Option<u16> {
    (conn.zone.orig == conn.zone.reply || conn.zone.id == 0).then_some(conn.zone.id)
}

/// The number that `-o id` shows: a hash of the entry's identity (in the kernel with a secret key).
pub fn id(conn: &Conn) -> u32 {
    let mut h = conn.serial.wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995;
    h ^= h >> 15;
    h = h.wrapping_mul(0x85eb_ca6b);
    h ^ h >> 13
}

/// Seconds since the entry was confirmed, where timestamps are kept.
fn age(conn: &Conn, now: Time) -> Option<u64> {
    conn.start.map(|start| now.since(start).as_secs())
}

/// Seconds that remain, as they are listed. The kernel rounds ticks down, and a tick or more has gone by when anyone
/// looks: a timeout of 30 s that was just set shows as 29.
fn seconds(remaining: Duration) -> u64 {
    Duration(remaining.0.saturating_sub(1)).as_secs()
}

/// A line of `conntrack -L`.
pub fn list_line(conn: &Conn, remaining: Duration, now: Time, style: Style) -> String {
    if style.xml {
        return xml(conn, remaining, now);
    }
    if style.save {
        return save(conn, remaining);
    }
    let mut out = String::new();
    push_head(&mut out, conn, style.extended, Place::Tool);
    let _ = write!(out, " {}", seconds(remaining));
    if let Some(state) = state_name(conn) {
        let _ = write!(out, " {state}");
    }
    push_body(&mut out, conn, Place::Tool);
    let _ = write!(out, " mark={}", conn.mark);
    push_tail(&mut out, conn, now);
    out.push_str(" use=1");
    if style.id {
        let _ = write!(out, " id={}", id(conn));
    }
    out
}

/// Zone, age and helper.
fn push_tail(out: &mut String, conn: &Conn, now: Time) {
    if let Some(zone) = whole_zone(conn).filter(|z| *z != 0) {
        let _ = write!(out, " zone={zone}");
    }
    if let Some(age) = age(conn, now) {
        let _ = write!(out, " delta-time={age}");
    }
    if let Some(helper) = conn.helper {
        let _ = write!(out, " helper={}", helper.name());
    }
}

/// A line of `conntrack -E`.
pub fn event_line(event: &CtEvent, style: Style) -> String {
    let conn = &event.conn;
    let mut out = String::new();
    if style.timestamp {
        let micros = event.at.0 / 1000;
        let _ = write!(out, "[{}.{:06}]\t", micros / 1_000_000, micros % 1_000_000);
    }
    let kind = match event.kind {
        CtEventKind::New => "[NEW]",
        CtEventKind::Update => "[UPDATE]",
        CtEventKind::Destroy => "[DESTROY]",
    };
    let _ = write!(out, "{kind:>9} ");
    push_head(&mut out, conn, style.extended, Place::Tool);
    let gone = event.kind == CtEventKind::Destroy;
    // The last message leaves out a timeout of less than a second; one about an entry that was just refreshed has it
    // whole.
    let secs = match gone {
        true => seconds(event.remaining),
        false => event.remaining.0.div_ceil(1_000_000_000),
    };
    if !gone || secs > 0 {
        let _ = write!(out, " {secs}");
    }
    // A message carries the protocol's state where that changed (`ctnetlink_conntrack_event`), and at the end.
    if let Some(state) = state_name(conn).filter(|_| gone || event.bits & PROTOINFO != 0) {
        let _ = write!(out, " {state}");
    }
    if gone {
        push_body(&mut out, conn, Place::Tool);
    } else {
        // Counters come with the last message only.
        let bare = Conn { acct: None, ..conn.clone() };
        push_body(&mut out, &bare, Place::Tool);
    }
    if conn.mark != 0 {
        let _ = write!(out, " mark={}", conn.mark);
    }
    // The last message tells the age, but no helper any more.
    let aged =
        Conn { start: conn.start.filter(|_| gone), helper: conn.helper.filter(|_| !gone), ..conn.clone() };
    push_tail(&mut out, &aged, event.at);
    if style.id {
        let _ = write!(out, " id={}", id(conn));
    }
    if let Some(port) = event.portid {
        let _ = write!(out, " [USERSPACE] portid={port} progname=conntrack");
    }
    out
}

/// A line of /proc/net/nf_conntrack (net/netfilter/nf_conntrack_standalone.c:ct_seq_show).
pub fn proc_line(net: &Net, conn: &Conn, remaining: Duration) -> String {
    let mut out = String::new();
    push_head(&mut out, conn, true, Place::Proc);
    let _ = write!(out, " {}", seconds(remaining));
    if let Some(state) = state_name(conn) {
        let _ = write!(out, " {state}");
    }
    if conn.tuple(Direction::Original).proto == proto::GRE {
        let sysctl = &net.sysctl;
        let _ = write!(
            out,
            " timeout={}, stream_timeout={}",
            sysctl.ct_gre_timeout, sysctl.ct_gre_timeout_stream
        );
    }
    push_body(&mut out, conn, Place::Proc);
    let _ = write!(out, " mark={}", conn.mark);
    if let Some(zone) = whole_zone(conn) {
        let _ = write!(out, " zone={zone}");
    }
    if let Some(age) = age(conn, net.now) {
        let _ = write!(out, " delta-time={age}");
    }
    out.push_str(" use=2");
    out
}

/// A line of `conntrack -L expect`.
pub fn expect_line(net: &Net, e: &Expectation) -> String {
    let t = &e.tuple;
    let ip = |addr: Addr| addr.ip(t.family);
    let mask = Addr::prefix_mask(t.family, t.family.bits());
    let mut out = format!(
        "{} proto={} src={} dst={} sport={} dport={} mask-src={} mask-dst={} sport=0 dport=65535",
        seconds(e.expires.since(net.now)),
        t.proto,
        ip(t.src),
        ip(t.dst),
        t.sport,
        t.dport,
        ip(mask),
        ip(mask)
    );
    if let Some(master) = net.ct.conn(ConnRef::Confirmed(e.master)) {
        let m = master.tuple(Direction::Original);
        let _ = write!(
            out,
            " master-src={} master-dst={} sport={} dport={}",
            ip(m.src),
            ip(m.dst),
            m.sport,
            m.dport
        );
    }
    out.push_str(" class=0 helper=ftp");
    out
}

/// A line of /proc/net/nf_conntrack_expect (net/netfilter/nf_conntrack_expect.c:exp_seq_show).
pub fn proc_expect_line(net: &Net, e: &Expectation) -> String {
    let t = &e.tuple;
    format!(
        "{} l3proto = {} proto={} src={} dst={} sport={} dport={} ftp",
        seconds(e.expires.since(net.now)),
        family_name(t.family).1,
        t.proto,
        address(t.family, t.src, Place::Proc),
        address(t.family, t.dst, Place::Proc),
        t.sport,
        t.dport
    )
}

/// `-o save`: arguments that make the entry again.
fn save(conn: &Conn, remaining: Duration) -> String {
    let (t, r) = (conn.tuple(Direction::Original), conn.tuple(Direction::Reply));
    let mut out = format!("-A -t {} -u ", seconds(remaining));
    let mut names = Vec::new();
    for (bit, name) in [(status::SEEN_REPLY, "SEEN_REPLY"), (status::ASSURED, "ASSURED")] {
        if conn.has(bit) {
            names.push(name);
        }
    }
    out.push_str(if names.is_empty() { "UNSET" } else { "" });
    out.push_str(&names.join(","));
    match (conn.zone.id, conn.zone.orig, conn.zone.reply) {
        (0, ..) => {}
        (zone, true, false) => {
            let _ = write!(out, " --orig-zone {zone}");
        }
        (zone, false, true) => {
            let _ = write!(out, " --reply-zone {zone}");
        }
        (zone, ..) => {
            let _ = write!(out, " -w {zone}");
        }
    }
    let ip = |addr: Addr| addr.ip(t.family);
    let reply_src = if conn.has(status::DST_NAT) && r.src != t.dst { "-g" } else { "-r" };
    let reply_dst = if conn.has(status::SRC_NAT) && r.dst != t.src { "-n" } else { "-q" };
    let _ =
        write!(out, " -s {} -d {} {reply_src} {} {reply_dst} {}", ip(t.src), ip(t.dst), ip(r.src), ip(r.dst));
    match proto_name(t.proto) {
        "unknown" => {
            let _ = write!(out, " -p {}", t.proto);
        }
        name => {
            let _ = write!(out, " -p {name}");
        }
    }
    let _ = match t.proto {
        proto::TCP | proto::UDP | proto::UDPLITE | proto::SCTP | proto::DCCP => write!(
            out,
            " --sport {} --dport {} --reply-port-src {} --reply-port-dst {}",
            t.sport, t.dport, r.sport, r.dport
        ),
        proto::ICMP => {
            write!(out, " --icmp-type {} --icmp-code {} --icmp-id {}", t.icmp_type(), t.icmp_code(), t.sport)
        }
        proto::ICMPV6 => write!(
            out,
            " --icmpv6-type {} --icmpv6-code {} --icmpv6-id {}",
            t.icmp_type(),
            t.icmp_code(),
            t.sport
        ),
        proto::GRE => write!(
            out,
            " --srckey {} --dstkey {} --reply-key-src {} --reply-key-dst {}",
            t.sport, t.dport, r.sport, r.dport
        ),
        _ => Ok(()),
    };
    if let Some(state) = state_name(conn) {
        let _ = write!(out, " --state {state}");
    }
    if let ProtoState::Sctp(sctp) = &conn.proto {
        let _ = write!(out, " --orig-vtag {} --reply-vtag {}", sctp.vtag[0], sctp.vtag[1]);
    }
    out
}

/// `-o xml`: one `<flow>`.
fn xml(conn: &Conn, remaining: Duration, now: Time) -> String {
    let mut out = String::from("<flow>");
    for (dir, name) in [(Direction::Original, "original"), (Direction::Reply, "reply")] {
        let t = conn.tuple(dir);
        let (family, number) = family_name(t.family);
        let _ = write!(
            out,
            "<meta direction=\"{name}\"><layer3 protonum=\"{number}\" protoname=\"{family}\"><src>{}</src>\
             <dst>{}</dst></layer3><layer4 protonum=\"{}\" protoname=\"{}\">",
            t.src.ip(t.family),
            t.dst.ip(t.family),
            t.proto,
            proto_name(t.proto)
        );
        let _ = match t.proto {
            proto::TCP | proto::UDP | proto::UDPLITE | proto::SCTP | proto::DCCP => {
                write!(out, "<sport>{}</sport><dport>{}</dport>", t.sport, t.dport)
            }
            proto::GRE => {
                write!(out, "<srckey>{:#x}</srckey><dstkey>{:#x}</dstkey>", t.sport, t.dport)
            }
            _ => Ok(()),
        };
        out.push_str("</layer4>");
        if let Some(acct) = &conn.acct {
            let counters = &acct[dir as usize];
            let _ = write!(
                out,
                "<counters><packets>{}</packets><bytes>{}</bytes></counters>",
                counters.packets, counters.bytes
            );
        }
        out.push_str("</meta>");
    }
    out.push_str("<meta direction=\"independent\">");
    if let Some(state) = state_name(conn) {
        let _ = write!(out, "<state>{state}</state>");
    }
    let _ = write!(out, "<timeout>{}</timeout><mark>{}</mark>", seconds(remaining), conn.mark);
    if let Some(zone) = whole_zone(conn).filter(|z| *z != 0) {
        let _ = write!(out, "<zone>{zone}</zone>");
    }
    let _ = write!(out, "<use>1</use><id>{}</id>", id(conn));
    if conn.has(status::ASSURED) {
        out.push_str("<assured/>");
    }
    if !conn.has(status::SEEN_REPLY) {
        out.push_str("<unreplied/>");
    }
    if let Some(age) = age(conn, now) {
        let _ = write!(out, "<deltatime>{age}</deltatime>");
    }
    out.push_str("</meta></flow>");
    out
}
