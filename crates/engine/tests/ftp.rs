//! The FTP helper: what is announced is RELATED, and rewritten where NAT changes it.

mod common;

use common::{Bare, addr, ends, packet};
use hookwalk_engine::conntrack::{Helper, Template};
use hookwalk_engine::nat::Range;
use hookwalk_engine::packet::{Packet, Payload};

fn host() -> Bare {
    let mut host = Bare::new();
    host.template = Some(Template { helper: Some(Helper::Ftp), ..Template::default() });
    for line in [
        "tcp 10.0.1.2:1000 > 10.0.2.2:21 S seq=100",
        "tcp 10.0.2.2:21 > 10.0.1.2:1000 S. seq=500 ack=101",
        "tcp 10.0.1.2:1000 > 10.0.2.2:21 . seq=101 ack=501",
    ] {
        assert!(host.forward(line).left.is_ok());
    }
    host
}

fn say(text: &str, data: &str) -> Packet {
    let mut packet = packet(text);
    packet.payload = Payload::Bytes(data.as_bytes().into());
    packet
}

fn text(packet: &Packet) -> &str {
    match &packet.payload {
        Payload::Bytes(bytes) => std::str::from_utf8(bytes).expect("text"),
        _ => "",
    }
}

#[test]
fn what_is_announced_is_related() {
    let mut host = host();
    // The first line of a direction is never read.
    host.forward_packet(say("tcp 10.0.2.2:21 > 10.0.1.2:1000 P. seq=501 ack=101", "220 hello\r\n"), true);
    let line = "227 Entering (10,0,2,2,7,208)\r\n";
    host.forward_packet(say("tcp 10.0.2.2:21 > 10.0.1.2:1000 P. seq=512 ack=101", line), true);
    assert_eq!(host.net.ct.expect.len(), 1);
    host.template = None;
    assert_eq!(host.forward("tcp 10.0.1.2:4000 > 10.0.2.2:2000 S seq=1").state, "RELATED");
    assert_eq!(host.forward("tcp 10.0.1.2:4001 > 10.0.2.2:2000 S seq=1").state, "NEW");
    assert!(host.net.ct.expect.is_empty());
    hookwalk_engine::conntrack::verify(&host.net).expect("consistent");
}

#[test]
fn a_foreign_address_or_half_a_word_is_not_believed() {
    let mut host = host();
    host.forward_packet(say("tcp 10.0.2.2:21 > 10.0.1.2:1000 P. seq=501 ack=101", "220 hello\r\n"), true);
    let foreign = say("tcp 10.0.2.2:21 > 10.0.1.2:1000 P. seq=512 ack=101", "227 (9,9,9,9,7,208)\r\n");
    assert!(host.forward_packet(foreign, true).left.is_ok());
    assert!(host.net.ct.expect.is_empty());
    let half = say("tcp 10.0.2.2:21 > 10.0.1.2:1000 P. seq=533 ack=101", "227 (10,0,2");
    assert!(host.forward_packet(half, true).left.is_err());
}

#[test]
fn nat_rewrites_the_announcement_and_shifts_the_numbers() {
    let mut host = Bare::new();
    host.template = Some(Template { helper: Some(Helper::Ftp), ..Template::default() });
    host.snat = Some(Range {
        min_addr: addr("192.0.2.111"),
        max_addr: addr("192.0.2.111"),
        flags: hookwalk_engine::nat::NatFlags { map_ips: true, ..Default::default() },
        ..Range::default()
    });
    for line in [
        "tcp 10.0.1.2:1000 > 10.0.2.2:21 S seq=100",
        "tcp 10.0.2.2:21 > 192.0.2.111:1000 S. seq=500 ack=101",
        "tcp 10.0.1.2:1000 > 10.0.2.2:21 . seq=101 ack=501",
    ] {
        assert!(host.forward(line).left.is_ok());
    }
    host.forward_packet(say("tcp 10.0.1.2:1000 > 10.0.2.2:21 P. seq=101 ack=501", "USER me\r\n"), true);
    let port = say("tcp 10.0.1.2:1000 > 10.0.2.2:21 P. seq=110 ack=501", "PORT 10,0,1,2,15,160\r\n");
    let left = host.forward_packet(port, true).left.expect("passes");
    assert_eq!(text(&left), "PORT 192,0,2,111,15,160\r\n");
    assert_eq!(left.tcp().map(|t| t.seq), Some(110));
    // Three bytes longer from here on; and three less in what the server acknowledges.
    let next = say("tcp 10.0.1.2:1000 > 10.0.2.2:21 P. seq=132 ack=501", "LIST\r\n");
    let left = host.forward_packet(next, true).left.expect("passes");
    assert_eq!(left.tcp().map(|t| t.seq), Some(135));
    let back = host.forward("tcp 10.0.2.2:21 > 192.0.2.111:1000 . seq=501 ack=141");
    assert_eq!(back.state, "ESTABLISHED");
    assert_eq!(back.left.expect("passes").tcp().map(|t| t.ack), Some(138));
    // The server's data connection arrives where the client waits, without any chain being asked.
    host.template = None;
    host.snat = None;
    let data = host.forward("tcp 10.0.2.2:20 > 192.0.2.111:4000 S seq=1");
    assert_eq!(data.state, "RELATED");
    assert_eq!(ends(&data.left.expect("passes")), "10.0.2.2:20 > 10.0.1.2:4000");
    hookwalk_engine::conntrack::verify(&host.net).expect("consistent");
}
