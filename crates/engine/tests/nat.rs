//! NAT: the tuples that the kernel chooses, and what becomes of packets. Expectations were observed on Linux 6.18.

mod common;

use common::{Bare, addr, ends};
use hookwalk_engine::nat::{NatFlags, Range};

/// `ADDR[-ADDR][:PORT[-PORT]]` as `--to-source` and `--to-destination` write it.
fn range(text: &str) -> Range {
    let mut range = Range::default();
    let (addresses, ports) = text.split_once(':').map_or((text, None), |(a, p)| (a, Some(p)));
    if !addresses.is_empty() {
        let (low, high) = addresses.split_once('-').unwrap_or((addresses, addresses));
        range.flags.map_ips = true;
        (range.min_addr, range.max_addr) = (addr(low), addr(high));
    }
    if let Some(ports) = ports {
        let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
        range.flags.proto_specified = true;
        (range.min_port, range.max_port) = (low.parse().expect("port"), high.parse().expect("port"));
    }
    range
}

#[track_caller]
fn check_snat(range_text: &str, flags: NatFlags, packet: &str, leaves: &str) {
    let mut host = Bare::new();
    let mut range = range(range_text);
    range.flags.persistent = flags.persistent;
    host.snat = Some(range);
    assert_eq!(ends(&host.forward(packet).left.expect("passes")), leaves, "{packet}");
}

#[test]
fn an_address_of_a_range_is_chosen_by_the_kernels_hash() {
    let persistent = NatFlags { persistent: true, ..NatFlags::default() };
    for (src, plain, sticky) in [(2, 100, 109), (3, 105, 106), (4, 103, 109), (50, 101, 106)] {
        let packet = format!("udp 10.0.1.{src}:5000 > 10.0.2.2:53 len=5");
        let leaves = |last| format!("10.0.2.{last}:5000 > 10.0.2.2:53");
        check_snat("10.0.2.100-10.0.2.109", NatFlags::default(), &packet, &leaves(plain));
        check_snat("10.0.2.100-10.0.2.109", persistent, &packet, &leaves(sticky));
    }
    for (src, last) in [(2, 3), (3, 7), (4, 2)] {
        let mut host = Bare::new();
        host.dnat = Some(range("10.9.9.1-10.9.9.7"));
        let packet = format!("udp 10.0.1.{src}:5000 > 10.0.1.1:53 len=5");
        let leaves = format!("10.0.1.{src}:5000 > 10.9.9.{last}:53");
        assert_eq!(ends(&host.forward(&packet).left.expect("passes")), leaves);
    }
}

#[test]
fn the_same_source_keeps_its_mapping() {
    let mut host = Bare::new();
    host.snat = Some(range("10.0.2.1:2000-2999"));
    let first = ends(&host.forward("udp 10.0.1.2:5000 > 10.0.2.2:53 len=5").left.expect("passes"));
    let port = first.split([':', ' ']).nth(1).expect("a port").to_owned();
    for dst in ["10.0.2.3:53", "10.0.2.4:99"] {
        let packet = format!("udp 10.0.1.2:5000 > {dst} len=5");
        let leaves = format!("10.0.2.1:{port} > {dst}");
        assert_eq!(ends(&host.forward(&packet).left.expect("passes")), leaves);
    }
}

#[test]
fn a_port_range_that_is_used_up_drops_at_confirm() {
    let mut host = Bare::new();
    host.snat = Some(range("10.0.2.1:2000-2003"));
    for sport in 5000..5004 {
        let packet = format!("udp 10.0.1.2:{sport} > 10.0.2.2:53 len=5");
        assert!(host.forward(&packet).left.is_ok());
    }
    assert!(host.forward("udp 10.0.1.2:5004 > 10.0.2.2:53 len=5").left.is_err());
    assert_eq!(host.table().len(), 4);
    assert_eq!((host.net.ct.stats.insert_failed, host.net.ct.stats.drop), (1, 1));
}

#[test]
fn dnat_to_a_port_range_takes_the_first_free_one() {
    for (dport, becomes) in [(80, 6000), (6002, 6002)] {
        let mut host = Bare::new();
        host.dnat = Some(range("10.0.2.2:6000-6003"));
        let packet = format!("udp 10.0.1.2:5000 > 10.0.1.1:{dport} len=5");
        let leaves = format!("10.0.1.2:5000 > 10.0.2.2:{becomes}");
        assert_eq!(ends(&host.forward(&packet).left.expect("passes")), leaves);
    }
}

#[test]
fn a_null_binding_changes_the_port_where_it_would_clash() {
    let mut host = Bare::new();
    host.forward("udp 10.0.1.2:5000 > 10.0.2.2:53 len=5");
    host.dnat = Some(range("10.0.2.2:53"));
    let left = ends(&host.forward("udp 10.0.1.2:5000 > 10.0.1.1:53 len=5").left.expect("passes"));
    let port: u16 = left.split([':', ' ']).nth(1).and_then(|p| p.parse().ok()).expect("a port");
    assert_ne!(port, 5000);
    assert!(port >= 1024, "{left}");
}

#[test]
fn replies_and_errors_find_their_way_back() {
    let mut host = Bare::new();
    host.dnat = Some(range("10.0.2.2:8080"));
    host.snat = Some(range("10.0.2.1"));
    let out = host.forward("tcp 10.0.1.2:5000 > 10.0.1.1:80 S seq=100").left.expect("passes");
    assert_eq!(ends(&out), "10.0.2.1:5000 > 10.0.2.2:8080");
    let back = host.forward("tcp 10.0.2.2:8080 > 10.0.2.1:5000 S. seq=7 ack=101").left.expect("passes");
    assert_eq!(ends(&back), "10.0.1.1:80 > 10.0.1.2:5000");
    // A router on the way to the server says that it cannot go on.
    let mut error = common::packet("icmp 10.0.2.99 > 10.0.2.1 3/1");
    error.payload = hookwalk_engine::packet::Payload::Quote { packet: Box::new(out), len: 28 };
    let seen = host.forward_packet(error, true);
    assert_eq!(seen.state, "RELATED");
    let error = seen.left.expect("passes");
    assert_eq!(ends(&error), "10.0.1.1 > 10.0.1.2 3/1 id=0");
    let hookwalk_engine::packet::Payload::Quote { packet: quoted, .. } = &error.payload else {
        panic!("it quotes")
    };
    assert_eq!(ends(quoted), "10.0.1.2:5000 > 10.0.1.1:80");
}

#[test]
fn a_closed_connection_makes_way_for_a_newer_one() {
    for (seq, passes) in [(50, false), (5000, true)] {
        let mut host = Bare::new();
        host.snat = Some(range("10.0.2.1:2000"));
        for line in [
            "tcp 10.0.1.2:5000 > 10.0.2.2:80 S seq=100",
            "tcp 10.0.2.2:80 > 10.0.2.1:2000 S. seq=700 ack=101",
            "tcp 10.0.1.2:5000 > 10.0.2.2:80 . seq=101 ack=701",
            "tcp 10.0.1.2:5000 > 10.0.2.2:80 F. seq=101 ack=701",
            "tcp 10.0.2.2:80 > 10.0.2.1:2000 F. seq=701 ack=102",
            "tcp 10.0.1.2:5000 > 10.0.2.2:80 . seq=102 ack=702",
        ] {
            host.forward(line);
        }
        assert!(host.table()[0].contains("TimeWait"), "{:?}", host.table());
        let syn = format!("tcp 10.0.1.3:6000 > 10.0.2.2:80 S seq={seq}");
        assert_eq!(host.forward(&syn).left.is_ok(), passes, "seq {seq}");
    }
}

#[test]
fn an_icmp_id_is_a_port_too() {
    let mut host = Bare::new();
    host.snat = Some(range("10.0.2.1"));
    let first = host.forward("icmp 10.0.1.2 > 10.0.2.2 8/0 id=9 seq=1 len=8").left.expect("passes");
    assert_eq!(ends(&first), "10.0.2.1 > 10.0.2.2 8/0 id=9");
    let second = ends(&host.forward("icmp 10.0.1.3 > 10.0.2.2 8/0 id=9 seq=1 len=8").left.expect("passes"));
    assert!(second.starts_with("10.0.2.1 > ") && !second.ends_with("id=9"), "{second}");
    let id = second.rsplit('=').next().expect("an id").to_owned();
    let answer = format!("icmp 10.0.2.2 > 10.0.2.1 0/0 id={id} seq=1 len=8");
    let back = host.forward(&answer).left.expect("passes");
    assert_eq!(ends(&back), "10.0.2.2 > 10.0.1.3 0/0 id=9");
}
