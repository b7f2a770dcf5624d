//! Packets: whatever bytes come in by a device, the host ends each packet, and its table agrees with itself after every
//! step. The input is frames: an interface, a length, and so many bytes from the IP header on.

#![no_main]

use hookwalk_engine::conntrack;
use hookwalk_engine::device::DevId;
use hookwalk_engine::event::NoObserver;
use hookwalk_engine::flight::{Cpu, Out, PacketIds};
use hookwalk_engine::host::Host;
use hookwalk_engine::packet::Skb;
use hookwalk_engine::time::Duration;
use hookwalk_engine::wire;
use hookwalk_lab::Run;
use hookwalk_lab::file::StationId;
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};

/// A router with rules in every table, a server, and connection tracking that counts.
const ROUTER: &str = include_str!("router.lab");

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let (lab, diagnostics) = hookwalk_lab::parse(ROUTER);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let run = Run::to_end(Arc::new(lab));
    run.world.host(StationId(0)).cloned().expect("the first station is the router")
});

/// A packet and its consequences are over after so many steps; more is a loop.
const MOST_STEPS: usize = 20_000;

fuzz_target!(|bytes: &[u8]| {
    let mut host = HOST.clone();
    let (mut cpu, mut ids) = (Cpu::default(), PacketIds::default());
    let mut rest = bytes;
    while let [first, len, frame @ ..] = rest {
        let (frame, after) = frame.split_at(usize::from(*len).min(frame.len()));
        rest = after;
        // The upper bits let time pass before the packet: nothing, or up to seven times half a minute.
        host.net.now = host.net.now + Duration::secs(u64::from(first >> 5) * 30);
        host.run_timers(&mut cpu, &mut ids, &mut NoObserver);
        if let Ok(packet) = wire::decode(frame) {
            let skb = Skb::new(ids.next_id(), packet);
            host.receive(DevId(2 + u16::from(first & 1)), skb, &mut cpu);
        }
        for step in 0.. {
            assert!(step < MOST_STEPS, "a packet goes round for ever");
            if !host.step(&mut cpu, &mut ids, &mut NoObserver) {
                match cpu.out.pop_front() {
                    None => break,
                    Some(Out::Wire { .. }) => {}
                    Some(Out::Loopback { skb }) => {
                        let dev = skb.in_dev.unwrap_or(DevId::LO);
                        host.receive(dev, skb, &mut cpu);
                    }
                    Some(Out::Process { flight }) => cpu.stack.push(*flight),
                }
            }
            conntrack::verify(&host.net).expect("the table agrees with itself");
        }
    }
    assert_eq!(host.net.ct.iter_unconfirmed().count(), 0, "an unconfirmed entry outlived its packet");
});
