//! Once the tables have their size, tracking and translating a packet allocates nothing.

mod common;

use common::{addr, packet};
use hookwalk_engine::addr::Family;
use hookwalk_engine::conntrack;
use hookwalk_engine::event::{Emit, NoObserver};
use hookwalk_engine::hook::Hook;
use hookwalk_engine::host::{Host, HostId, Net};
use hookwalk_engine::nat::{self, Manip, NatFlags, NatStep, Range};
use hookwalk_engine::packet::{Packet, PacketId, Skb};
use hookwalk_engine::time::Duration;

/// The packet through both hooks of a forwarding host with DNAT and SNAT; nobody looks.
fn forward(net: &mut Net, packet: Packet, ranges: [Range; 2]) {
    let mut skb = Skb::new(PacketId(1), packet);
    let mut silent = NoObserver;
    let mut emit = Emit { observer: &mut silent, host: HostId(0), packet: skb.id };
    conntrack::track(net, &mut skb, Hook::Prerouting, &mut emit).expect("there is room");
    for (hook, range) in [Hook::Prerouting, Hook::Postrouting].into_iter().zip(ranges) {
        match nat::begin(net, &mut skb, hook, None, None, &mut emit).expect("no masquerade") {
            NatStep::Pass => continue,
            NatStep::Consult => {
                nat::setup(net, &mut skb, &range, Manip::at(hook), hook, None, &mut emit).expect("a port");
            }
            NatStep::Translate => {}
        }
        nat::translate(net, &mut skb, hook, &mut emit).expect("it can be translated");
    }
    conntrack::confirm(net, &mut skb, Hook::Postrouting, None, &mut emit).expect("no clash");
    conntrack::release(net, &mut skb, &mut emit);
}

#[test]
fn a_packet_costs_no_allocation() {
    let mut host = Host::new(HostId(0), 1);
    let left = host.add_device("eth0", [2, 0, 0, 0, 0, 1]);
    host.add_addr(left, Family::V4, addr("10.0.1.1"), 24);
    let net = &mut host.net;
    let flags = NatFlags { map_ips: true, ..NatFlags::default() };
    let to = |a: &str| Range { flags, min_addr: addr(a), max_addr: addr(a), ..Range::default() };
    let ranges = [to("10.0.2.2"), to("10.0.2.1")];
    let mut silent = NoObserver;
    let syn = |port: u16| packet(&format!("tcp 10.0.1.2:{port} > 10.0.1.1:80 S seq=100"));
    // Warm up: so many connections, and all gone again.
    for port in 1024..2048 {
        forward(net, syn(port), ranges);
    }
    net.now += Duration::secs(1000);
    conntrack::collect(net, &mut Emit { observer: &mut silent, host: HostId(0), packet: PacketId(0) });
    assert!(net.ct.is_empty());

    let conversation: Vec<Packet> = (1024..2048)
        .flat_map(|port| {
            [
                syn(port),
                packet(&format!("tcp 10.0.2.2:80 > 10.0.2.1:{port} S. seq=500 ack=101")),
                packet(&format!("tcp 10.0.1.2:{port} > 10.0.1.1:80 . seq=101 ack=501")),
                packet(&format!("tcp 10.0.1.2:{port} > 10.0.1.1:80 P. seq=101 ack=501 len=100")),
            ]
        })
        .collect();
    let counted = allocation_counter::measure(|| {
        for packet in conversation {
            forward(net, packet, ranges);
        }
    });
    assert_eq!(net.ct.len(), 1024);
    assert!(net.ct.iter().all(|(_, e)| e.conn.has(conntrack::status::ASSURED)));
    assert_eq!(counted.count_total, 0);
}
