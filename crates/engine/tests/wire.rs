//! Packets to bytes and back.

use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::packet::{Frag, Icmp, L4, Packet, Payload, Tcp, TcpOpts, Udp, proto};
use hookwalk_engine::wire::{WireError, decode, encode};

fn v4(proto: u8, l4: L4, payload: Payload) -> Packet {
    Packet {
        family: Family::V4,
        src: Addr::v4(0x0a00_0002),
        dst: Addr::v4(0x0a00_0001),
        proto,
        ttl: 64,
        tos: 0x10,
        ip_id: 7,
        df: true,
        frag: None,
        bad_l4_checksum: false,
        l4,
        payload,
    }
}

fn v6(proto: u8, l4: L4, payload: Payload) -> Packet {
    let net = |host| Addr([0xfd00_000a, 0, 0, host]);
    Packet { family: Family::V6, src: net(2), dst: net(1), ip_id: 0, df: false, ..v4(proto, l4, payload) }
}

fn check(packet: Packet) {
    let bytes = encode(&packet);
    assert_eq!(bytes.len() as u32, packet.len(), "{packet:?}");
    assert_eq!(decode(&bytes), Ok(packet));
}

fn tcp() -> L4 {
    let opts = TcpOpts {
        mss: Some(1460),
        wscale: Some(7),
        sack_permitted: true,
        timestamps: Some((1, 2)),
        ..TcpOpts::NONE
    };
    L4::Tcp(Tcp { sport: 40000, dport: 80, seq: 1000, ack: 5, flags: 2, window: 64240, urgent: 0, opts })
}

#[test]
fn every_kind_comes_back() {
    let udp = L4::Udp(Udp { sport: 53, dport: 5000, length: None, no_checksum: false });
    let echo = L4::Icmp(Icmp { kind: 8, code: 0, rest: 7 << 16 | 1 });
    for make in [v4, v6] {
        check(make(proto::TCP, tcp(), Payload::Bytes((*b"odd").into())));
        check(make(proto::UDP, udp.clone(), Payload::Zeros(9)));
        check(Packet { bad_l4_checksum: true, ..make(proto::UDP, udp.clone(), Payload::Zeros(9)) });
        check(make(proto::GRE, L4::Opaque, Payload::Bytes([1, 2, 3].into())));
    }
    check(v4(proto::ICMP, echo.clone(), Payload::Zeros(56)));
    check(v6(proto::ICMPV6, L4::Icmp(Icmp { kind: 128, code: 0, rest: 3 << 16 }), Payload::EMPTY));
    let short = L4::Udp(Udp { sport: 1, dport: 2, length: Some(4), no_checksum: true });
    check(v4(proto::UDP, short, Payload::Zeros(3)));
}

#[test]
fn fragments_and_quotations_come_back() {
    let later = Packet {
        frag: Some(Frag { offset: 1480, more: true, id: 7 }),
        df: false,
        ..v4(proto::UDP, L4::Opaque, Payload::Bytes([9; 16].into()))
    };
    check(later.clone());
    check(Packet {
        frag: Some(Frag { offset: 1480, more: false, id: 70_000 }),
        ..v6(17, L4::Opaque, later.payload)
    });
    let dropped =
        v4(proto::UDP, L4::Udp(Udp { sport: 5000, dport: 53, ..Udp::default() }), Payload::Zeros(10));
    let payload = Payload::Quote { packet: Box::new(dropped), len: 28 };
    check(v4(proto::ICMP, L4::Icmp(Icmp { kind: 3, code: 3, rest: 0 }), payload));
}

/// Both checksums of an echo request, added up by hand (RFC 1071).
#[test]
fn checksums_are_the_ones_complement_sum() {
    let mut p = v4(proto::ICMP, L4::Icmp(Icmp { kind: 8, code: 0, rest: 1 << 16 | 1 }), Payload::EMPTY);
    (p.tos, p.ip_id, p.df) = (0, 0, false);
    let bytes = encode(&p);
    assert_eq!(bytes[10..12], [0x66, 0xdf]);
    assert_eq!(bytes[22..24], [0xf7, 0xfd]);
}

#[test]
fn what_is_no_packet_is_an_error() {
    let bytes = encode(&v4(proto::TCP, tcp(), Payload::EMPTY));
    for cut in 0..bytes.len() {
        assert_eq!(decode(&bytes[..cut]), Err(WireError::Truncated));
    }
    assert_eq!(decode(&[0x12; 60]), Err(WireError::Version));
    let mut short = bytes.clone();
    short[0] = 0x44;
    assert_eq!(decode(&short), Err(WireError::HeaderLength));
}
