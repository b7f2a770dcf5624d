//! Packets: as the client (eth0 of the router) and the server (eth1) send them.

use crate::workload;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::packet::{L4, Packet, Payload, Tcp, TcpOpts, Udp, proto, tcp_flags};
use hookwalk_engine::wire;
use pcap_file::pcap::{PcapPacket, PcapParser, PcapWriter};

/// Who sends a packet to the router.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// From the client's network, by eth0.
    Client,
    /// From the server's network, by eth1.
    Server,
}

/// A packet and where it comes from.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Where.
    pub side: Side,
    /// What.
    pub packet: Packet,
}

const CLIENT: u32 = 0x0a00_0102;
/// The router's address towards the client: what DNAT waits for.
const ROUTER_OUTSIDE: u32 = 0x0a00_0101;
const SERVER: u32 = 0x0a00_0202;
/// The router's address towards the server: what MASQUERADE takes.
const ROUTER_INSIDE: u32 = 0x0a00_0201;

/// How many ports a client uses before the next service port's turn.
const PORTS: u32 = 50_000;

fn packet(src: u32, dst: u32, proto: u8, l4: L4, len: u32) -> Packet {
    Packet {
        family: Family::V4,
        src: Addr::v4(src),
        dst: Addr::v4(dst),
        proto,
        ttl: 64,
        tos: 0,
        ip_id: 0,
        df: true,
        frag: None,
        bad_l4_checksum: false,
        l4,
        payload: Payload::Zeros(len),
    }
}

fn udp(src: (u32, u16), dst: (u32, u16)) -> Packet {
    let header = Udp { sport: src.1, dport: dst.1, length: None, no_checksum: false };
    packet(src.0, dst.0, proto::UDP, L4::Udp(header), 18)
}

fn tcp(src: (u32, u16), dst: (u32, u16), flags: u8, seq: u32, ack: u32, len: u32) -> Packet {
    let opts = if flags & tcp_flags::SYN != 0 {
        TcpOpts { mss: Some(1460), wscale: Some(7), sack_permitted: true, ..TcpOpts::NONE }
    } else {
        TcpOpts::NONE
    };
    let header = Tcp { sport: src.1, dport: dst.1, seq, ack, flags, window: 64240, urgent: 0, opts };
    packet(src.0, dst.0, proto::TCP, L4::Tcp(header), len)
}

/// The ports of a flow: the client's and the service's.
fn ports(flow: u32) -> (u16, u16) {
    ((10_000 + flow % PORTS) as u16, (8_000 + flow / PORTS) as u16)
}

fn to_router(flow: u32) -> Sent {
    let (sport, dport) = ports(flow);
    Sent { side: Side::Client, packet: udp((CLIENT, sport), (ROUTER_OUTSIDE, dport)) }
}

fn answer(flow: u32) -> Sent {
    let (sport, dport) = ports(flow);
    Sent { side: Side::Server, packet: udp((SERVER, dport), (ROUTER_INSIDE, sport)) }
}

/// So many datagrams that the router forwards as they are.
pub fn plain(n: u32) -> Vec<Sent> {
    let one = |flow| {
        let (sport, dport) = ports(flow);
        Sent { side: Side::Client, packet: udp((CLIENT, sport), (SERVER, dport)) }
    };
    (0..n).map(one).collect()
}

/// One datagram of each flow and its answer: 64 there, then their 64 back.
pub fn flows(n: u32) -> Vec<Sent> {
    let mut sent = Vec::with_capacity(2 * n as usize);
    for from in (0..n).step_by(64) {
        let some = from..(from + 64).min(n);
        sent.extend(some.clone().map(to_router));
        sent.extend(some.map(answer));
    }
    sent
}

/// The first datagram of so many flows.
pub fn first_packets(n: u32) -> Vec<Sent> {
    (0..n).map(to_router).collect()
}

/// SYNs to services of the kube-proxy ruleset, all over its list.
pub fn service_calls(services: u32, n: u32) -> Vec<Sent> {
    let call = |i: u32| {
        let (sport, _) = ports(i);
        // A stride that has no factor in common with the number of services meets each of them.
        let to = workload::service(i.wrapping_mul(7919) % services);
        Sent { side: Side::Client, packet: tcp((CLIENT, sport), (to, 80), tcp_flags::SYN, 1, 0, 0) }
    };
    (0..n).map(call).collect()
}

/// Connections from SYN to the last ACK: a request, an answer, and both sides close. 64 of them go hand in hand.
pub fn connections(n: u32) -> Vec<Sent> {
    use tcp_flags::{ACK, FIN, PSH, SYN};
    // Who sends, flags, sequence and acknowledgement beyond the first numbers, bytes of data.
    const TALK: [(Side, u8, u32, u32, u32); 9] = [
        (Side::Client, SYN, 0, 0, 0),
        (Side::Server, SYN | ACK, 0, 1, 0),
        (Side::Client, ACK, 1, 1, 0),
        (Side::Client, PSH | ACK, 1, 1, 100),
        (Side::Server, ACK, 1, 101, 0),
        (Side::Server, PSH | ACK, 1, 101, 500),
        (Side::Client, FIN | ACK, 101, 501, 0),
        (Side::Server, FIN | ACK, 501, 102, 0),
        (Side::Client, ACK, 102, 502, 0),
    ];
    let mut sent = Vec::with_capacity(TALK.len() * n as usize);
    for from in (0..n).step_by(64) {
        for (side, flags, seq, ack, len) in TALK {
            for flow in from..(from + 64).min(n) {
                let (sport, dport) = ports(flow);
                let (mine, theirs) = match side {
                    Side::Client => (1_000, 5_000),
                    Side::Server => (5_000, 1_000),
                };
                let ack = if flags & ACK != 0 { theirs + ack } else { 0 };
                let (src, dst) = match side {
                    Side::Client => ((CLIENT, sport), (ROUTER_OUTSIDE, dport)),
                    Side::Server => ((SERVER, dport), (ROUTER_INSIDE, sport)),
                };
                sent.push(Sent { side, packet: tcp(src, dst, flags, mine + seq, ack, len) });
            }
        }
    }
    sent
}

/// So many packets as a busy link carries them: connections, datagrams with answers, and the first packets of others.
pub fn mixture(n: u32) -> Vec<Sent> {
    let mut sent = connections(n / 18);
    // UDP and TCP flows of the same ports are different connections.
    sent.extend(flows(n / 8));
    let known = sent.len() as u32;
    sent.extend((n / 8..n / 8 + n.saturating_sub(known)).map(to_router));
    sent
}

/// The packets as a capture file (pcap, microseconds). The last byte of a frame's source address tells its side.
pub fn capture(packets: &[Sent]) -> Vec<u8> {
    let Ok(mut writer) = PcapWriter::new(Vec::new()) else { return Vec::new() };
    for (i, Sent { side, packet }) in packets.iter().enumerate() {
        let frame = frame(*side, packet);
        let time = std::time::Duration::from_micros(i as u64);
        // Writing to memory cannot fail.
        let _ = writer.write_packet(&PcapPacket::new(time, frame.len() as u32, &frame));
    }
    writer.into_writer()
}

/// The frames of a capture file, as slices of it.
pub fn frames(capture: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut state = PcapParser::new(capture).ok().map(|(rest, parser)| (parser, rest));
    std::iter::from_fn(move || {
        let (parser, rest) = state.as_mut()?;
        let (left, packet) = parser.next_packet(rest).ok()?;
        *rest = left;
        match packet.data {
            std::borrow::Cow::Borrowed(bytes) => Some(bytes),
            std::borrow::Cow::Owned(_) => None,
        }
    })
}

/// The Ethernet frame of a packet, as its side sends it to the router.
pub fn frame(side: Side, packet: &Packet) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend_from_slice(&router_mac(side));
    frame.extend_from_slice(&sender_mac(side));
    frame.extend_from_slice(&[0x08, 0x00]);
    frame.extend_from_slice(&wire::encode(packet));
    frame
}

/// The hardware address of the router's device on that side.
pub fn router_mac(side: Side) -> [u8; 6] {
    [2, 0, 0, 0, 1, side as u8]
}

/// The hardware address of whoever sends on that side.
pub fn sender_mac(side: Side) -> [u8; 6] {
    [2, 0, 0, 0, 2, side as u8]
}
