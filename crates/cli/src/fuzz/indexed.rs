//! The property behind the rule index: a host that passes rules over ends up as one that tests every rule, to the last
//! counter, limit, list, log line and drawn lot.

use super::packets::act;
use super::rules::{rule, user_rule};
use super::words::{just, line, maybe, not, one};
use super::world::World;
use hookwalk_engine::Host;
use hookwalk_engine::device::DevId;
use hookwalk_engine::event::NoObserver;
use hookwalk_engine::flight::{Cpu, Out, PacketIds};
use hookwalk_engine::packet::{Packet, Skb};
use hookwalk_engine::time::Duration;
use hookwalk_lab::file::{Statement, StationId};
use hookwalk_lab::run::Run;
use hookwalk_lang::packet::Seen;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::sync::Arc;

/// Rules with the conditions that rules are filed under, before and behind matches that have a state of their own; most
/// let the packet go on.
fn filed_rule(world: World) -> BoxedStrategy<String> {
    let iptables = world.iptables();
    let state = one(&[
        "-m limit --limit 3/sec --limit-burst 2",
        "-m statistic --mode nth --every 3 --packet 1",
        "-m statistic --mode random --probability 0.5",
        "-m quota --quota 400",
        "-m recent --name r --set",
        "-m recent --name r --update --hitcount 2",
        "-m hashlimit --hashlimit-upto 2/sec --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-name h",
        "-m connlimit --connlimit-upto 2",
        "-m conntrack --ctstate NEW",
        "-m comment --comment c",
    ]);
    let set = line(vec![
        just("-m set"),
        not(),
        one(&[
            "--match-set s src",
            "--match-set c src",
            "--match-set c dst --packets-gt 2",
            "--match-set l src",
        ]),
    ]);
    let port = || one(&["53", "80", "443", "8080", "5353", "40000"]);
    let ports = line(vec![
        one(&["-p tcp", "-p udp"]),
        maybe(0.5, line(vec![not(), just("--dport"), port()])),
        maybe(0.3, line(vec![not(), just("--sport"), port()])),
        maybe(0.2, line(vec![just("-m multiport"), not(), just("--dports 80,53,8080")])),
    ]);
    let place = one(&[
        "-t mangle -A PREROUTING",
        "-t mangle -A U0",
        "-t mangle -A FORWARD",
        "-A FORWARD",
        "-A U0",
        "-A INPUT",
        "-t nat -A PREROUTING",
        "-t nat -A POSTROUTING",
        "-t raw -A PREROUTING",
    ]);
    line(vec![
        just(&format!("router# {iptables}")),
        place,
        maybe(0.4, line(vec![not(), just("-s"), world.net()])),
        maybe(0.4, line(vec![not(), just("-d"), world.net()])),
        maybe(0.5, ports),
        maybe(0.2, state.clone()),
        maybe(0.2, line(vec![just("-m mark"), not(), one(&["--mark 1", "--mark 0x2/0x3", "--mark 0"])])),
        maybe(0.2, set),
        maybe(0.2, state),
        one(&["", "", "", "-j LOG", "-j RETURN", "-j ACCEPT", "-j U0", "-j DROP"]),
    ])
    .boxed()
}

/// A router with random rules, and packets for it.
fn case(world: World) -> BoxedStrategy<(String, Vec<String>)> {
    let rules =
        vec(prop_oneof![6 => filed_rule(world), 1 => rule(world), 1 => user_rule(world, "filter")], 60..160);
    let acts = vec(act(world), 4..12);
    (rules, acts)
        .prop_map(move |(rules, acts)| {
            let iptables = world.iptables();
            let family = if world.v6 { " family inet6" } else { "" };
            let mut text = format!("title a rule index\n{}{}\n", world.head(), world.forwarding());
            for set in ["s hash:net", "c hash:net counters", "l list:set"] {
                let family = if set.starts_with('l') { "" } else { family };
                text.push_str(&format!("router# ipset create {set}{family}\n"));
            }
            let client = &world.clients()[0];
            for add in [format!("s {client}"), format!("c {client}"), "l s".to_owned()] {
                text.push_str(&format!("router# ipset add {add}\n"));
            }
            for table in ["filter", "nat", "mangle", "raw", "security"] {
                text.push_str(&format!("router# {iptables} -t {table} -N U0\n"));
            }
            for rule in &rules {
                // A chain that goes to itself would be refused.
                if !(rule.contains("-A U0") && rule.ends_with(" U0")) {
                    text.push_str(&format!("{rule}\n"));
                }
            }
            (text, acts.into_iter().flatten().collect())
        })
        .boxed()
}

/// What left a host, and the host afterwards.
fn through(mut host: Host, packets: &[(DevId, Packet)], indexed: bool) -> (Vec<Out>, Host) {
    let (mut cpu, mut ids, mut left) = (Cpu::default(), PacketIds::default(), Vec::new());
    for (dev, packet) in packets {
        host.net.now += Duration::millis(100);
        host.receive(*dev, Skb::new(ids.next_id(), packet.clone()), &mut cpu);
        loop {
            if indexed {
                host.run(&mut cpu, &mut ids);
            } else {
                while host.step(&mut cpu, &mut ids, &mut NoObserver) {}
            }
            let Some(out) = cpu.out.pop_front() else { break };
            left.push(out.clone());
            match out {
                Out::Wire { .. } => {}
                Out::Loopback { skb } => host.receive(DevId::LO, skb, &mut cpu),
                Out::Process { flight } => cpu.stack.push(*flight),
            }
        }
    }
    (left, host)
}

#[test]
fn passing_rules_over_changes_nothing() {
    let (mut matched, mut filed) = (0, 0);
    for case_number in 0..300_u32 {
        let world = World { v6: case_number % 3 == 2 };
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&case_number.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let (text, acts) = case(world).new_tree(&mut runner).expect("a case").current();
        let (lab, wrong) = hookwalk_lab::parse(&text);
        assert!(wrong.is_empty(), "{wrong:?}");
        let run = Run::to_end(Arc::new(lab));
        let host = run.world.host(StationId(2)).expect("the router").clone();

        // The packet lines of what is drawn, as they come from the two wires.
        let lines: String = acts.iter().map(|l| format!("{l}\n")).collect();
        let (lab, _) = hookwalk_lab::parse(&format!("{}{lines}", world.head()));
        let mut packets = Vec::new();
        for line in &lab.lines {
            let Statement::Packet { station, packet, .. } = &line.what else { continue };
            let dev = DevId(2 + station.0.min(1));
            let built = packet.build(Seen { received: None, sent: None });
            packets.extend(built.filter(|_| station.0 < 2).map(|p| (dev, p)));
        }
        let (one, linear) = through(host.clone(), &packets, false);
        let (other, indexed) = through(host, &packets, true);
        assert_eq!(one, other, "{text}{lines}");
        assert_eq!(linear.rules, indexed.rules, "{text}{lines}");
        assert_eq!(format!("{:?}", linear.net), format!("{:?}", indexed.net), "{text}{lines}");
        let chains = linear.rules.tables.iter().flat_map(|t| t.chains.iter().flatten());
        filed += chains.filter(|c| c.rules.len() >= 8).count();
        matched +=
            linear.rules.tables.iter().flat_map(|t| t.rules()).filter(|r| r.counters.packets > 0).count();
    }
    // The property would be empty if nothing matched, or if chains were too short to be indexed.
    assert!(matched > 3_000 && filed > 1_000, "{matched} rules matched, {filed} long chains");
}
