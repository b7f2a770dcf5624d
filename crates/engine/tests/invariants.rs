//! Random traffic, with packets in flight together, deletions, a small table and passing time: what must hold of the
//! table holds after every step, and NAT of an answer undoes NAT of what it answers.

mod common;

use common::{Bare, addr, packet};
use hookwalk_engine::conntrack::{self, ConnRef, EntryId, Nfct, verify};
use hookwalk_engine::event::{Emit, EventKind, Gone, NoObserver};
use hookwalk_engine::host::HostId;
use hookwalk_engine::nat::{NatFlags, Range};
use hookwalk_engine::packet::{L4, Packet, PacketId, Payload, Skb};
use hookwalk_engine::rng::Rng;

const CLIENTS: [&str; 3] = ["10.0.1.2", "10.0.1.3", "10.0.1.4"];
const SERVERS: [&str; 3] = ["10.0.2.2", "10.0.2.3", "10.0.2.1"];
const PORTS: [u16; 5] = [53, 400, 2000, 5000, 5001];

fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.next_u32() as usize % from.len()]
}

/// A packet of one of few flows, in either direction, sensible or not.
fn any_packet(rng: &mut Rng) -> Packet {
    let (mut from, mut to) = (pick(rng, &CLIENTS), pick(rng, &SERVERS));
    if rng.next_u32().is_multiple_of(3) {
        (from, to) = (to, from);
    }
    let (sport, dport) = (pick(rng, &PORTS), pick(rng, &PORTS));
    let flags = pick(rng, &["S", "S", "S.", ".", ".", "P.", "F.", "R", "R.", "FS", "U"]);
    let (seq, ack) = (pick(rng, &[0, 100, 101, 5000, 90000]), pick(rng, &[0, 101, 5001, 90000]));
    let len = pick(rng, &[0, 0, 10, 1400]);
    let id = pick(rng, &[1, 2]);
    match rng.next_u32() % 8 {
        0..4 => packet(&format!(
            "tcp {from}:{sport} > {to}:{dport} {flags} seq={seq} ack={ack} len={len} win={}",
            pick(rng, &[0, 100, 64240])
        )),
        4 | 5 => packet(&format!("udp {from}:{sport} > {to}:{dport} len={len}")),
        6 => packet(&format!("icmp {from} > {to} {}/0 id={id} seq=1 len=8", pick(rng, &[0, 8, 13, 14]))),
        _ => {
            let mut error = packet(&format!("icmp {from} > {to} {}/1", pick(rng, &[3, 11, 5])));
            let quoted = any_packet(rng);
            error.payload = Payload::Quote { len: pick(rng, &[20, 24, 28, 60]), packet: Box::new(quoted) };
            error
        }
    }
}

fn any_range(rng: &mut Rng, addresses: [&str; 2]) -> Option<Range> {
    if rng.next_u32().is_multiple_of(3) {
        return None;
    }
    let ports = pick(rng, &[None, Some((2000, 2000)), Some((2000, 2003)), Some((1024, 65535))]);
    let flags = NatFlags {
        map_ips: true,
        proto_specified: ports.is_some(),
        random: rng.next_u32().is_multiple_of(5),
        persistent: rng.next_u32().is_multiple_of(5),
        ..NatFlags::default()
    };
    let (min_port, max_port) = ports.unwrap_or_default();
    let low = addr(addresses[0]);
    let high = if rng.next_u32().is_multiple_of(2) { low } else { addr(addresses[1]) };
    Some(Range { flags, min_addr: low, max_addr: high, min_port, max_port, base_port: 0 })
}

#[test]
fn the_table_is_sound_after_every_step() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let mut host = Bare::new();
        host.net.sysctl.ct_acct = true;
        if seed % 3 == 0 {
            host.net.sysctl.ct_max = 6;
            host.net.sysctl.ct_buckets = 4;
        }
        if seed % 4 == 0 {
            host.net.ct.notify.listeners = 1;
        }
        let mut flying: Vec<Skb> = Vec::new();
        for step in 0..300 {
            match rng.next_u32() % 20 {
                0 => host.sleep(pick(&mut rng, &[1, 500, 2000, 31_000, 121_000])),
                1 => host.snat = any_range(&mut rng, ["10.0.2.1", "10.0.2.9"]),
                2 => host.dnat = any_range(&mut rng, ["10.0.2.2", "10.0.2.3"]),
                3 => {
                    let ids: Vec<EntryId> = host.net.ct.iter().map(|(id, _)| id).collect();
                    if !ids.is_empty() {
                        let id = pick(&mut rng, &ids);
                        let mut emit =
                            Emit { observer: &mut NoObserver, host: HostId(0), packet: PacketId(0) };
                        conntrack::kill(&mut host.net, id, Gone::Deleted, None, &mut emit);
                    }
                }
                4 | 5 => flying.extend(host.try_launch(any_packet(&mut rng))),
                6 | 7 if !flying.is_empty() => {
                    let at = rng.next_u32() as usize % flying.len();
                    host.land(flying.swap_remove(at));
                }
                8 => {
                    host.table();
                }
                n => {
                    host.forward_packet(any_packet(&mut rng), n % 5 != 0);
                }
            }
            if let Err(broken) = verify(&host.net) {
                panic!("seed {seed} step {step}: {broken:?}");
            }
        }
        for skb in flying {
            host.land(skb);
        }
        // Nobody carries anything any more: what is unconfirmed would be lost for ever.
        assert_eq!(host.net.ct.iter_unconfirmed().count(), 0, "seed {seed}");
        host.sleep(500_000_000);
        assert!(host.table().is_empty(), "seed {seed}");
        assert_eq!(host.net.ct.count(), 0, "seed {seed}");
    }
}

/// The answer of a faithful other end.
fn answer(packet: &Packet) -> Packet {
    let mut back = packet.clone();
    core::mem::swap(&mut back.src, &mut back.dst);
    match &mut back.l4 {
        L4::Tcp(t) => {
            core::mem::swap(&mut t.sport, &mut t.dport);
            (t.seq, t.ack, t.flags) = (7000, t.seq.wrapping_add(1), 0x12);
        }
        L4::Udp(u) => core::mem::swap(&mut u.sport, &mut u.dport),
        L4::Icmp(i) => i.kind = if i.kind == 8 { 0 } else { 14 },
        L4::Opaque => {}
    }
    back
}

#[test]
fn nat_of_an_answer_undoes_nat_of_the_question() {
    let mut translated = 0;
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let mut host = Bare::new();
        host.snat = any_range(&mut rng, ["10.0.2.1", "10.0.2.9"]);
        host.dnat = any_range(&mut rng, ["10.0.2.2", "10.0.2.3"]);
        for _ in 0..6 {
            let (from, to) = (pick(&mut rng, &CLIENTS), pick(&mut rng, &SERVERS));
            let (sport, dport) = (pick(&mut rng, &PORTS), pick(&mut rng, &PORTS));
            let question = match rng.next_u32() % 3 {
                0 => packet(&format!("tcp {from}:{sport} > {to}:{dport} S seq=100")),
                1 => packet(&format!("udp {from}:{sport} > {to}:{dport} len=5")),
                _ => packet(&format!("icmp {from} > {to} 8/0 id={sport} seq=1 len=8")),
            };
            let Ok(out) = host.forward_packet(question.clone(), true).left else { continue };
            translated += usize::from(out != question);
            let back = host.forward_packet(answer(&out), true);
            assert_eq!(back.state, "ESTABLISHED", "seed {seed}");
            let back = back.left.expect("an answer passes");
            assert_eq!((back.src, back.dst), (question.dst, question.src), "seed {seed}");
            assert_eq!(back.ports(), question.ports().map(|(s, d)| (d, s)), "seed {seed}");
            assert_eq!(back.icmp().map(|i| i.id()), question.icmp().map(|i| i.id()), "seed {seed}");
        }
    }
    assert!(translated > 1000, "only {translated} packets were translated");
}

#[test]
fn an_entry_outlives_its_removal_for_the_packets_that_carry_it() {
    let mut host = Bare::new();
    host.forward("tcp 10.0.1.2:1000 > 10.0.2.2:80 S seq=100");
    // A RST is the only answer: the entry is gone, yet the RST itself belongs to it.
    let seen = host.forward("tcp 10.0.2.2:80 > 10.0.1.2:1000 R. seq=0 ack=101");
    assert_eq!(seen.state, "ESTABLISHED");
    assert!(seen.events.iter().any(|e| matches!(e, EventKind::EntryGone { why: Gone::RstReply, .. })));
    assert!(host.table().is_empty());
    // Its slot is free again for the next.
    host.forward("udp 10.0.1.2:1000 > 10.0.2.2:53");
    let ids: Vec<EntryId> = host.net.ct.iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [EntryId(0)]);
    let stale = Nfct::Conn { conn: ConnRef::Confirmed(EntryId(7)), info: conntrack::CtInfo::New };
    let mut skb = Skb::new(PacketId(99), packet("udp 10.0.1.2:1000 > 10.0.2.2:53"));
    skb.nfct = stale;
    // A name of nothing is no reason to panic.
    assert!(host.land(skb).left.is_ok());
}
