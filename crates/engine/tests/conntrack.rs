//! Connection tracking but for TCP and NAT. Expectations were observed on Linux 6.18.

mod common;

use common::{Bare, packet};
use hookwalk_engine::conntrack::{Entry, verify};
use hookwalk_engine::event::{EventKind, KernelDrop};
use hookwalk_engine::packet::{L4, Payload};

/// Each line: a packet, and what `--ctstate` says of it; `sleep S`; or `= LINE` that the table must be.
#[track_caller]
fn check(script: &str) {
    let mut host = Bare::new();
    for line in script.lines().map(str::trim).filter(|l| !l.is_empty()) {
        if let Some(seconds) = line.strip_prefix("sleep ") {
            host.sleep((seconds.parse::<f64>().expect("seconds") * 1000.0) as u64);
        } else if let Some(expected) = line.strip_prefix("= ") {
            assert_eq!(host.table().join(" | "), expected);
        } else {
            let (packet, state) = line.split_once(" -> ").expect("an expectation");
            assert_eq!(host.forward(packet).state, state, "{packet}");
        }
        verify(&host.net).expect(line);
    }
}

#[test]
fn an_entry_stays_small() {
    assert!(size_of::<Entry>() <= 300, "{} bytes", size_of::<Entry>());
}

#[test]
fn udp_becomes_a_stream_after_two_seconds() {
    check(
        "udp 10.0.1.2:5000 > 10.0.2.2:53 len=3 -> NEW
        udp 10.0.1.2:5000 > 10.0.2.2:53 len=3 -> NEW
        = 17 30 10.0.1.2:5000>10.0.2.2:53 [UNREPLIED] 10.0.2.2:53>10.0.1.2:5000
        udp 10.0.2.2:53 > 10.0.1.2:5000 len=3 -> ESTABLISHED
        udp 10.0.1.2:5000 > 10.0.2.2:53 len=3 -> ESTABLISHED
        = 17 30 10.0.1.2:5000>10.0.2.2:53 10.0.2.2:53>10.0.1.2:5000
        sleep 3
        udp 10.0.1.2:5000 > 10.0.2.2:53 len=3 -> ESTABLISHED
        = 17 120 10.0.1.2:5000>10.0.2.2:53 10.0.2.2:53>10.0.1.2:5000 [ASSURED]",
    );
}

#[test]
fn icmp_queries_are_connections_and_errors_belong_to_theirs() {
    check(
        "icmp 10.0.1.2 > 10.0.2.2 8/0 id=9 seq=1 len=5 -> NEW
        icmp 10.0.2.2 > 10.0.1.2 0/0 id=9 seq=1 len=5 -> ESTABLISHED
        icmp 10.0.2.2 > 10.0.1.2 0/0 id=10 seq=1 len=5 -> INVALID
        icmp 10.0.1.2 > 10.0.2.2 9/0 -> INVALID
        icmp 10.0.1.2 > 10.0.2.2 42/0 -> INVALID
        = 1 30 10.0.1.2:9>10.0.2.2:2048 10.0.2.2:9>10.0.1.2:0",
    );
    let mut host = Bare::new();
    let query = packet("udp 10.0.1.2:5000 > 10.0.2.2:53 len=3");
    host.forward_packet(query.clone(), true);
    for (src, dst, state) in [
        ("10.0.2.2", "10.0.1.2", "RELATED"),
        // Whoever reports it.
        ("10.0.2.99", "10.0.1.2", "RELATED"),
        ("10.0.2.2", "10.0.1.3", "INVALID"),
    ] {
        let mut error = packet(&format!("icmp {src} > {dst} 3/3"));
        error.payload = Payload::Quote { packet: Box::new(query.clone()), len: 28 };
        assert_eq!(host.forward_packet(error, true).state, state, "{src} > {dst}");
    }
    assert!(host.table()[0].contains("[UNREPLIED]"));
}

#[test]
fn neighbour_discovery_is_not_tracked() {
    check(
        "icmp6 fd00::1 > ff02::1:ff00:2 135/0 -> UNTRACKED
        icmp6 fd00::2 > fd00::1 136/0 -> UNTRACKED
        icmp6 fd00::2 > fd00::1 128/0 id=3 seq=1 -> NEW
        icmp6 fd00::1 > fd00::2 129/0 id=3 seq=1 -> ESTABLISHED
        icmp6 fd00::1 > fd00::2 129/0 id=4 seq=1 -> INVALID",
    );
}

#[test]
fn an_unknown_protocol_is_known_by_its_addresses() {
    check(
        "ip 10.0.1.2 > 10.0.2.2 50 len=8 -> NEW
        ip 10.0.2.2 > 10.0.1.2 50 len=8 -> ESTABLISHED
        = 50 600 10.0.1.2:0>10.0.2.2:0 10.0.2.2:0>10.0.1.2:0",
    );
}

#[test]
fn malformed_packets_are_invalid() {
    let mut host = Bare::new();
    for length in [7, 200] {
        let mut bad = packet("udp 10.0.1.2:5000 > 10.0.2.2:53 len=3");
        let L4::Udp(header) = &mut bad.l4 else { panic!("it is UDP") };
        header.length = Some(length);
        assert_eq!(host.forward_packet(bad, true).state, "INVALID", "length {length}");
    }
    let mut bad = packet("tcp 10.0.1.2:5000 > 10.0.2.2:80 S");
    bad.bad_l4_checksum = true;
    assert_eq!(host.forward_packet(bad.clone(), true).state, "INVALID");
    host.net.sysctl.ct_checksum = false;
    assert_eq!(host.forward_packet(bad, true).state, "NEW");
}

#[test]
fn a_dropped_first_packet_leaves_nothing() {
    let mut host = Bare::new();
    for _ in 0..2 {
        let seen = host.forward_and_drop("udp 10.0.1.2:5000 > 10.0.2.2:53 len=3");
        assert_eq!(seen.state, "NEW");
        assert!(seen.events.iter().any(|e| matches!(e, EventKind::UnconfirmedGone { .. })));
    }
    assert_eq!((host.table().len(), host.net.ct.count()), (0, 0));
    verify(&host.net).expect("consistent");
}

#[test]
fn a_full_table_drops_unless_something_can_go() {
    let mut host = Bare::new();
    host.net.sysctl.ct_max = 2;
    host.net.sysctl.ct_buckets = 1 << 30;
    for port in [1, 2] {
        assert!(host.forward(&format!("udp 10.0.1.2:{port} > 10.0.2.2:53")).left.is_ok());
    }
    // The few buckets that are searched are empty.
    let full = host.forward("udp 10.0.1.2:3 > 10.0.2.2:53");
    assert_eq!(full.left.err(), Some(KernelDrop::ConntrackFull));
    // In a table this small, every bucket is searched.
    host.net.sysctl.ct_buckets = 1;
    assert!(host.forward("udp 10.0.1.2:3 > 10.0.2.2:53").left.is_ok());
    assert_eq!(host.table().len(), 1);
    assert_eq!(host.net.ct.stats.early_drop, 2);
    verify(&host.net).expect("consistent");
}

#[test]
fn accounting_counts_whole_packets() {
    let mut host = Bare::new();
    host.net.sysctl.ct_acct = true;
    host.forward("udp 10.0.1.2:5000 > 10.0.2.2:53 len=3");
    host.forward("udp 10.0.2.2:53 > 10.0.1.2:5000 len=10");
    host.forward("udp 10.0.1.2:5000 > 10.0.2.2:53 len=3");
    let acct = host.net.ct.iter().next().and_then(|(_, e)| e.conn.acct).expect("it counts");
    assert_eq!(acct.map(|c| (c.packets, c.bytes)), [(2, 62), (1, 38)]);
}

#[test]
fn many_connections_stay_findable() {
    let mut host = Bare::new();
    let flow = |i: u32| format!("10.{}.{}.2:{}", 16 + i / 60000, i % 7, 1000 + i % 60000);
    for i in 0..5000 {
        assert_eq!(host.forward(&format!("udp {} > 10.0.2.2:53", flow(i))).state, "NEW");
    }
    for i in (0..5000).step_by(3) {
        assert_eq!(host.forward(&format!("udp 10.0.2.2:53 > {}", flow(i))).state, "ESTABLISHED");
    }
    verify(&host.net).expect("consistent");
    host.sleep(31_000);
    assert!(host.table().is_empty());
    for i in 0..50 {
        assert_eq!(host.forward(&format!("udp {} > 10.0.2.2:53", flow(i))).state, "NEW");
    }
    verify(&host.net).expect("consistent");
}

#[test]
fn listeners_hear_of_births_changes_and_ends() {
    let mut host = Bare::new();
    host.net.ct.notify.listeners = 1;
    for line in [
        "tcp 10.0.1.2:1000 > 10.0.2.2:80 S seq=100",
        "tcp 10.0.2.2:80 > 10.0.1.2:1000 S. seq=500 ack=101",
        "tcp 10.0.1.2:1000 > 10.0.2.2:80 . seq=101 ack=501",
        "tcp 10.0.1.2:1000 > 10.0.2.2:80 P. seq=101 ack=501 len=5",
        "tcp 10.0.2.2:80 > 10.0.1.2:1000 . seq=501 ack=106",
        "tcp 10.0.1.2:1000 > 10.0.2.2:80 F. seq=106 ack=501",
        "tcp 10.0.2.2:80 > 10.0.1.2:1000 F. seq=501 ack=107",
        "tcp 10.0.1.2:1000 > 10.0.2.2:80 . seq=107 ack=502",
    ] {
        host.forward(line);
    }
    host.sleep(121_000);
    host.table();
    let heard: Vec<String> = host
        .net
        .ct
        .notify
        .queue
        .iter()
        .map(|e| {
            let state = e.conn.tcp_state().expect("TCP");
            format!("{:?} {} {state:?}", e.kind, e.remaining.as_secs())
        })
        .collect();
    let expected = [
        "New 120 SynSent",
        "Update 60 SynRecv",
        "Update 432000 Established",
        "Update 120 FinWait",
        "Update 30 LastAck",
        "Update 120 TimeWait",
        "Destroy 0 TimeWait",
    ];
    assert_eq!(heard, expected);
}

/// An SCTP packet between 10.0.1.2:1000 and 10.0.2.2:80: one chunk with this tag, type, and, for INIT and INIT ACK, the
/// tag that it announces.
fn sctp(from_client: bool, tag: u32, kind: u8, announced: Option<u32>) -> hookwalk_engine::Packet {
    let ends = if from_client { "10.0.1.2 > 10.0.2.2" } else { "10.0.2.2 > 10.0.1.2" };
    let mut packet = packet(&format!("ip {ends} 132"));
    let (sport, dport): (u16, u16) = if from_client { (1000, 80) } else { (80, 1000) };
    let mut bytes = [sport.to_be_bytes(), dport.to_be_bytes()].concat();
    bytes.extend(tag.to_be_bytes());
    bytes.extend([0; 4]);
    let length: u8 = if announced.is_some() { 20 } else { 4 };
    bytes.extend([kind, 0, 0, length]);
    if let Some(tag) = announced {
        bytes.extend(tag.to_be_bytes());
        bytes.extend([0; 12]);
    }
    packet.payload = Payload::Bytes(bytes.into());
    packet
}

#[test]
fn an_sctp_association_opens_and_closes() {
    // From nf_conntrack_proto_sctp.c; this kernel's state names as their numbers.
    let mut host = Bare::new();
    for (from_client, tag, kind, announced, state, left) in [
        (true, 0, 1, Some(11), 1, 10),
        (false, 11, 2, Some(22), 2, 3),
        (true, 22, 10, None, 3, 3),
        (false, 11, 11, None, 4, 210),
        (true, 22, 0, None, 4, 210),
        (true, 22, 7, None, 5, 3),
        (false, 11, 8, None, 7, 3),
        (true, 22, 14, None, 1, 10),
    ] {
        let seen = host.forward_packet(sctp(from_client, tag, kind, announced), true);
        assert_ne!(seen.state, "INVALID", "chunk {kind}");
        let (_, entry) = host.net.ct.iter().next().expect("an entry");
        let hookwalk_engine::conntrack::ProtoState::Sctp(s) = entry.conn.proto else { panic!("SCTP") };
        assert_eq!((s.state, (entry.expires - host.net.now).as_secs()), (state, left), "chunk {kind}");
    }
    assert!(host.table()[0].contains("[ASSURED]"));
    for (tag, kind) in [(99, 0), (99, 10), (99, 6)] {
        assert_eq!(host.forward_packet(sctp(true, tag, kind, None), true).state, "INVALID", "chunk {kind}");
    }
}

#[test]
fn an_sctp_association_cannot_begin_with_its_end() {
    for kind in [0, 3, 6, 11, 14] {
        let mut host = Bare::new();
        assert_eq!(host.forward_packet(sctp(true, 5, kind, None), true).state, "INVALID", "chunk {kind}");
    }
}
