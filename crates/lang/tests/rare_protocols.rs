//! Matches on headers that few packets have, on fragments, and on packets that are cut short: what they do with
//! packets whose bytes were put on a wire, as a kernel counted it. Packets with IPv6 extension headers and with TCP
//! options that a [`Packet`](hookwalk_engine::Packet) does not keep are not among them.

use hookwalk_engine::event::NoObserver;
use hookwalk_engine::flight::{Cpu, PacketIds};
use hookwalk_engine::hook::Hook;
use hookwalk_engine::host::HostId;
use hookwalk_engine::packet::{PacketId, Skb};
use hookwalk_engine::ruleset::TableKind;
use hookwalk_engine::time::Duration;
use hookwalk_engine::{Addr, Family, Host, wire};
use hookwalk_lang::{command, shell};
use std::net::{Ipv4Addr, Ipv6Addr};

const RECORD: &str = include_str!("data/rare_protocols.txt");

fn host(tool: &str, rules: &[&str]) -> Host {
    let mut host = Host::new(HostId(0), 1);
    let eth0 = host.add_device("eth0", [2, 0, 0, 0, 0, 1]);
    host.add_addr(eth0, Family::V4, Ipv4Addr::new(10, 0, 0, 1).into(), 24);
    let own: Addr = "fd00::1".parse::<Ipv6Addr>().expect("an address").into();
    host.add_addr(eth0, Family::V6, own, 64);
    host.refresh();
    let mut text = String::from("*mangle\n");
    for rule in rules {
        text.push_str(&format!("-A PREROUTING {rule}\n"));
    }
    text.push_str("COMMIT\n");
    let words = shell::split(&format!("{tool}-restore"), 1).expect("words").words;
    let out = command::run(&mut host, &words, Some(&text));
    assert_eq!((out.exit, out.refused.is_some()), (0, false), "{}", out.stderr);
    host.refresh();
    host
}

/// Which rules of mangle PREROUTING have counted, a digit each.
fn counts(host: &Host, family: Family) -> Vec<u64> {
    let table = host.rules.table(family, TableKind::Mangle).expect("the table");
    let chain = table.base(Hook::Prerouting).and_then(|id| table.chain(id)).expect("the chain");
    chain.rules.iter().map(|r| r.counters.packets).collect()
}

#[test]
fn as_a_kernel_counted() {
    let mut rules: Vec<&str> = Vec::new();
    let mut running: Option<(Family, Host)> = None;
    let mut family = Family::V4;
    let (mut checked, mut wrong) = (0, Vec::new());
    for line in RECORD.lines().filter(|l| !l.starts_with('#')) {
        let (kind, rest) = line.split_once(' ').expect("two words");
        match kind {
            "family" => {
                family = if rest == "4" { Family::V4 } else { Family::V6 };
                (rules, running) = (Vec::new(), None);
            }
            "rule" => rules.push(rest),
            _ => {
                let mut words = rest.splitn(3, ' ');
                let (hex, expected, name) =
                    (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
                let bytes: Vec<u8> = (0..hex.len() / 2)
                    .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hexadecimal"))
                    .collect();
                let tool = if family == Family::V4 { "iptables" } else { "ip6tables" };
                let (_, host) = running.get_or_insert_with(|| (family, host(tool, &rules)));
                // The frames were sent some time apart.
                host.net.now += Duration::millis(50);
                let before = counts(host, family);
                let packet = wire::decode(&bytes).unwrap_or_else(|e| panic!("{name}: {e:?}"));
                let dev = host.net.device_by_name("eth0").expect("eth0").id;
                let mut skb = Skb::new(PacketId(1), packet);
                skb.mac_src = Some([2, 0, 0, 0, 0, 2]);
                let (mut cpu, mut ids) = (Cpu::default(), PacketIds(1));
                host.receive(dev, skb, &mut cpu);
                while host.step(&mut cpu, &mut ids, &mut NoObserver) {}
                let after = counts(host, family);
                for (i, rule) in rules.iter().enumerate() {
                    let (kernel, ours) = (&expected[i..=i] == "1", after[i] > before[i]);
                    if kernel != ours {
                        wrong.push(format!("{name}: {rule}: the kernel says {kernel}, we {ours}"));
                    }
                    checked += 1;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {checked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked > 3000, "only {checked} were checked");
}
