//! Packet lines: what they send, as frames print it, and what is wrong with those that do not parse.

use hookwalk_engine::Packet;
use hookwalk_lang::frames::packet_line;
use hookwalk_lang::packet::{Seen, parse};

fn build(line: &str, seen: Seen<'_>) -> Option<Packet> {
    parse(line, 0, 1).unwrap_or_else(|d| panic!("{line}: {d}")).build(seen)
}

/// Each line of the table: a packet line, `=>`, its frame and its length in bytes.
#[test]
fn frames_of_packet_lines() {
    let table = "
tcp 10.0.0.2:40000 > 10.0.0.1:80 => tcp 10.0.0.2:40000 > 10.0.0.1:80 S seq=0 ack=0 len=0 ttl=64 | 40
tcp 10.0.0.2:40000 > 10.0.0.1:80 S seq=1000 mss=1460 => tcp 10.0.0.2:40000 > 10.0.0.1:80 S seq=1000 ack=0 len=0 ttl=64 mss=1460 | 44
tcp 10.0.0.2:1 > 10.0.0.1:2 UPF seq=1 len=5 ttl=1 => tcp 10.0.0.2:1 > 10.0.0.1:2 FPU seq=1 ack=0 len=5 ttl=1 | 45
tcp 10.0.0.2:1 > 10.0.0.1:2 none => tcp 10.0.0.2:1 > 10.0.0.1:2 none seq=0 ack=0 len=0 ttl=64 | 40
tcp [fd00::2]:1 > [fd00::1]:2 .P ack=7 => tcp [fd00::2]:1 > [fd00::1]:2 P. seq=0 ack=7 len=0 ttl=64 | 60
udp 10.0.0.2:1 > 10.0.0.1:2 => udp 10.0.0.2:1 > 10.0.0.1:2 len=0 ttl=64 | 28
udp 10.0.0.2:1 > 10.0.0.1:2 tos=0x10 len=30 => udp 10.0.0.2:1 > 10.0.0.1:2 len=30 ttl=64 | 58
udp [fd00::2]:53 > [fd00::1]:53 data=00ff => udp [fd00::2]:53 > [fd00::1]:53 len=2 ttl=64 | 50
udp 10.0.0.2:1 > 10.0.0.1:2 len=72 frag=0+ => udp 10.0.0.2:1 > 10.0.0.1:2 len=72 ttl=64 frag=80@0+ | 100
ip 10.0.0.2 > 10.0.0.1 proto=udp len=20 frag=80 => ip 10.0.0.2 > 10.0.0.1 proto=17 len=20 ttl=64 frag=20@80 | 40
ip 10.0.0.2 > 10.0.0.1 proto=gre len=20 => ip 10.0.0.2 > 10.0.0.1 proto=47 len=20 ttl=64 | 40
ip6 fd00::2 > fd00::1 proto=47 => ip6 fd00::2 > fd00::1 proto=47 len=0 ttl=64 | 40
icmp 10.0.0.2 > 10.0.0.1 echo-request id=7 seq=1 => icmp 10.0.0.2 > 10.0.0.1 8/0 id=7 seq=1 ttl=64 | 28
icmp 10.0.0.2 > 10.0.0.1 timestamp-request id=7 seq=1 => icmp 10.0.0.2 > 10.0.0.1 13/0 id=7 seq=1 ttl=64 | 40
icmp 10.0.0.2 > 10.0.0.1 9/0 id=7 seq=1 => icmp 10.0.0.2 > 10.0.0.1 9/0 ttl=64 | 28
icmp 10.0.0.2 > 10.0.0.1 frag-needed mtu=1400 => icmp 10.0.0.2 > 10.0.0.1 3/4 ttl=64 | 28
icmp6 fd00::2 > fd00::1 ping id=7 seq=1 len=8 => icmp6 fd00::2 > fd00::1 128/0 id=7 seq=1 ttl=64 | 56
";
    let mut rows = 0;
    for row in table.lines().filter(|l| !l.is_empty()) {
        let (line, expected) = row.split_once(" => ").unwrap();
        let packet = build(line, Seen::default()).unwrap();
        assert_eq!(format!("{} | {}", packet_line(&packet), packet.len()), expected, "{line}");
        rows += 1;
    }
    assert_eq!(rows, 17);
}

/// What was received, `/`, the answering line, `=>`, the frame (`-`: nothing is sent).
#[test]
fn answers() {
    let table = "
tcp 10.0.0.2:4 > 10.0.0.1:80 S seq=1000 / reply => tcp 10.0.0.1:80 > 10.0.0.2:4 S. seq=5000 ack=1001 len=0 ttl=64
tcp 10.0.0.2:4 > 10.0.0.1:80 S seq=1000 / reply R. => tcp 10.0.0.1:80 > 10.0.0.2:4 R. seq=5000 ack=1001 len=0 ttl=64
tcp 10.0.0.2:4 > 10.0.0.1:80 F. seq=100 / reply . => tcp 10.0.0.1:80 > 10.0.0.2:4 . seq=0 ack=101 len=0 ttl=64
tcp 10.0.0.2:4 > 10.0.0.1:80 P. seq=100 ack=7 len=5 / reply P. len=3 => tcp 10.0.0.1:80 > 10.0.0.2:4 P. seq=7 ack=105 len=3 ttl=64
tcp 10.0.0.2:4 > 10.0.0.1:80 R. seq=0 ack=101 / reply . => tcp 10.0.0.1:80 > 10.0.0.2:4 . seq=101 ack=0 len=0 ttl=64
tcp 10.0.0.2:4 > 10.0.0.1:80 FPU seq=1 / reply . => tcp 10.0.0.1:80 > 10.0.0.2:4 . seq=5000 ack=2 len=0 ttl=64
tcp 10.0.0.2:4 > 10.0.0.1:80 S seq=4294967295 / reply seq=9 => tcp 10.0.0.1:80 > 10.0.0.2:4 S. seq=9 ack=0 len=0 ttl=64
udp 10.0.0.2:4 > 10.0.0.1:53 len=9 / reply S. len=3 => udp 10.0.0.1:53 > 10.0.0.2:4 len=3 ttl=64
icmp 10.0.0.2 > 10.0.0.1 echo-request id=7 seq=2 / reply . => icmp 10.0.0.1 > 10.0.0.2 0/0 id=7 seq=2 ttl=64
icmp 10.0.0.2 > 10.0.0.1 timestamp-request id=7 seq=2 / reply => icmp 10.0.0.1 > 10.0.0.2 14/0 id=7 seq=2 ttl=64
icmp 10.0.0.2 > 10.0.0.1 echo-reply id=7 seq=2 / reply => -
icmp6 fd00::2 > fd00::1 echo-request id=7 seq=2 / reply => icmp6 fd00::1 > fd00::2 129/0 id=7 seq=2 ttl=64
udp 10.0.0.2:4 > 10.0.0.1:53 len=9 / icmp 10.0.0.1 > 10.0.0.2 port-unreachable re=last => icmp 10.0.0.1 > 10.0.0.2 3/3 ttl=64 (udp 10.0.0.2:4 > 10.0.0.1:53)
icmp 10.0.0.2 > 10.0.0.1 8/0 id=7 / icmp 10.0.0.1 > 10.0.0.2 time-exceeded re=last => icmp 10.0.0.1 > 10.0.0.2 11/0 ttl=64 (icmp 10.0.0.2 > 10.0.0.1 id=7)
udp [fd00::2]:4 > [fd00::1]:53 / icmp6 fd00::1 > fd00::2 port-unreachable re=last => icmp6 fd00::1 > fd00::2 1/4 ttl=64 (udp [fd00::2]:4 > [fd00::1]:53)
udp 10.0.0.2:4 > 10.0.0.1:53 / icmp 10.0.0.1 > 10.0.0.2 port-unreachable re=sent => -
";
    for row in table.lines().filter(|l| !l.is_empty()) {
        let (received, rest) = row.split_once(" / ").unwrap();
        let (line, expected) = rest.split_once(" => ").unwrap();
        let received = build(received, Seen::default()).unwrap();
        let answer = build(line, Seen { received: Some(&received), sent: None });
        let printed = answer.map_or("-".to_string(), |p| packet_line(&p));
        assert_eq!(printed, expected, "{row}");
    }
    assert!(build("reply", Seen::default()).is_none());
}

/// Frames of TCP, UDP, and unquoted ICMP and other packets are packet lines again.
#[test]
fn frames_parse_back() {
    for line in [
        "tcp 10.0.0.2:40000 > 10.0.0.1:80 S seq=1000 ack=0 len=0 ttl=64 mss=1460",
        "tcp [fd00::2]:40000 > [fd00::1]:80 FSRP.UEW seq=4294967295 ack=1 len=9 ttl=255",
        "udp 10.0.0.2:40000 > 10.0.0.1:80 len=3 ttl=1",
        "udplite 10.0.0.2:40000 > 10.0.0.1:80 len=3 ttl=1",
        "icmp 10.0.0.2 > 10.0.0.1 8/0 id=7 seq=1 ttl=64",
        "ip6 fd00::1 > fd00::2 proto=47 len=4 ttl=64",
    ] {
        assert_eq!(packet_line(&build(line, Seen::default()).unwrap()), line);
    }
}

#[test]
fn errors_say_where() {
    for (line, expected) in [
        ("", "1:1: the line ends here; missing: a packet: tcp, udp, icmp, icmp6, ip, ip6 or reply"),
        (
            "tpc 1.2.3.4:5 > 1.2.3.4:5",
            "1:1: unknown kind of packet: tpc (tcp, udp, icmp, icmp6, ip, ip6 or reply)",
        ),
        (
            "tcp 1.2.3.4 > 1.2.3.4:5",
            "1:5: a port is missing: 1.2.3.4 (ADDRESS:PORT, for IPv6 [ADDRESS]:PORT)",
        ),
        (
            "tcp fd00::1:5 > 1.2.3.4:5",
            "1:5: a port is missing: fd00::1:5 (ADDRESS:PORT, for IPv6 [ADDRESS]:PORT)",
        ),
        ("tcp 1.2.3.4:5 1.2.3.4:5", "1:15: expected > between source and destination"),
        ("tcp 1.2.3.4:5 > [fd00::1]:5", "1:17: source and destination are of different address families"),
        ("udp 1.2.3.4:5 > 1.2.3.4:65536", "1:17: not a port: 65536 (0 to 65535)"),
        (
            "tcp 1.2.3.4:5 > 1.2.3.4:5 SX",
            "1:27: not TCP flags: SX (letters as tcpdump prints them: S F R P . U E W (. is ACK))",
        ),
        ("udp 1.2.3.4:5 > 1.2.3.4:5 seq=1", "1:27: seq does not go with this kind of packet"),
        ("udp 1.2.3.4:5 > 1.2.3.4:5 lem=1", "1:27: unknown option: lem (did you mean len?)"),
        ("udp 1.2.3.4:5 > 1.2.3.4:5 len=-1", "1:27: not a number for len: -1 (0 to 65535)"),
        (
            "icmp 1.2.3.4 > 1.2.3.5 echo-requst",
            "1:24: unknown ICMP message: echo-requst (did you mean echo-request?)",
        ),
        ("icmp 1.2.3.4 > 1.2.3.5 3/256", "1:24: not TYPE/CODE: 3/256 (two numbers from 0 to 255)"),
        (
            "icmp fd00::1 > fd00::2 8/0",
            "1:6: icmp takes the other family's addresses (icmp6 for IPv6 addresses)",
        ),
        ("ip 1.2.3.4 > 1.2.3.5", "1:1: proto= is missing (for example proto=47)"),
        ("dev", "1:4: the line ends here; missing: an interface"),
        ("数 x", "1:1: unknown kind of packet: 数 (tcp, udp, icmp, icmp6, ip, ip6 or reply)"),
    ] {
        let error = parse(line, 0, 1).unwrap_err().to_string();
        assert_eq!(error, expected, "{line}");
    }
}
