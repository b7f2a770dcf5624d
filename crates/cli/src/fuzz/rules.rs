//! Random rules: every table and chain, the matches and targets that are simulated.

use super::words::{Text, glue, just, line, maybe, not, number, one, one_of, weighted};
use super::world::World;
use proptest::prelude::*;
use proptest::strategy::Union;

/// A chain in its table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) table: &'static str,
    pub(super) chain: &'static str,
}

/// Every built-in chain.
pub(super) const PLACES: [Place; 17] = {
    const fn p(table: &'static str, chain: &'static str) -> Place {
        Place { table, chain }
    }
    [
        p("filter", "FORWARD"),
        p("filter", "INPUT"),
        p("filter", "OUTPUT"),
        p("nat", "PREROUTING"),
        p("nat", "POSTROUTING"),
        p("nat", "OUTPUT"),
        p("nat", "INPUT"),
        p("mangle", "PREROUTING"),
        p("mangle", "FORWARD"),
        p("mangle", "INPUT"),
        p("mangle", "OUTPUT"),
        p("mangle", "POSTROUTING"),
        p("raw", "PREROUTING"),
        p("raw", "OUTPUT"),
        p("security", "FORWARD"),
        p("security", "INPUT"),
        p("security", "OUTPUT"),
    ]
};

/// A rule as a command: `iptables -t TABLE -A CHAIN MATCHES TARGET`.
pub(super) fn rule(world: World) -> Text {
    let places = Union::new_weighted(
        PLACES.iter().map(|p| (if p.table == "nat" { 4 } else { 2 }, Just(*p).boxed())).collect(),
    );
    places
        .prop_flat_map(move |place| {
            line(vec![
                just(&format!("router# {} -t {} -A {}", world.iptables(), place.table, place.chain)),
                interface(place.chain),
                protocol_and_target(world, place),
            ])
        })
        .boxed()
}

/// A rule of a user chain U0 of a table.
pub(super) fn user_rule(world: World, table: &'static str) -> Text {
    let place = Place { table, chain: "U0" };
    line(vec![
        just(&format!("router# {} -t {table} -A U0", world.iptables())),
        protocol_and_target(world, place),
    ])
}

fn interface(chain: &str) -> Text {
    let names = one(&["eth0", "eth1", "lo", "eth+"]);
    let input = maybe(0.15, line(vec![not(), just("-i"), names.clone()]));
    let output = maybe(0.15, line(vec![not(), just("-o"), names]));
    match chain {
        "PREROUTING" | "INPUT" => input,
        "OUTPUT" | "POSTROUTING" => output,
        _ => line(vec![input, output]),
    }
}

/// `[-s] [-d] [-p …] [-m …]… [-j …]`: some targets need a protocol, so these are drawn together.
fn protocol_and_target(world: World, place: Place) -> Text {
    let icmp = world.icmp();
    Union::new_weighted(vec![
        (3, Just("").boxed()),
        (3, Just("tcp").boxed()),
        (3, Just("udp").boxed()),
        (1, Just(icmp).boxed()),
    ])
    .prop_flat_map(move |proto| {
        line(vec![
            maybe(0.2, line(vec![not(), just("-s"), world.net()])),
            maybe(0.2, line(vec![not(), just("-d"), world.net()])),
            protocol(world, proto),
            maybe(0.5, matching(world, place, proto)),
            maybe(0.15, matching(world, place, proto)),
            target(world, place, proto),
        ])
    })
    .boxed()
}

fn protocol(world: World, proto: &'static str) -> Text {
    let ports = || one(&["80", "53", "443", "8080", "40000", "1:1023", "1024:", ":53", "5353"]);
    match proto {
        "" => just(""),
        "tcp" | "udp" => line(vec![
            just(&format!("-p {proto}")),
            maybe(0.4, line(vec![not(), just("--dport"), ports()])),
            maybe(0.15, line(vec![not(), just("--sport"), ports()])),
            if proto == "tcp" {
                maybe(
                    0.2,
                    line(vec![
                        not(),
                        one(&[
                            "--syn",
                            "--tcp-flags SYN,ACK SYN,ACK",
                            "--tcp-flags ALL NONE",
                            "--tcp-flags RST RST",
                            "--tcp-flags FIN,SYN,RST,PSH,ACK,URG FIN,PSH,URG",
                        ]),
                    ]),
                )
            } else {
                just("")
            },
        ]),
        _ if world.v6 => line(vec![
            just(&format!("-p {proto}")),
            maybe(
                0.5,
                line(vec![
                    not(),
                    just("--icmpv6-type"),
                    one(&["echo-request", "echo-reply", "1", "1/4", "time-exceeded", "128/0"]),
                ]),
            ),
        ]),
        _ => line(vec![
            just(&format!("-p {proto}")),
            maybe(
                0.5,
                line(vec![
                    not(),
                    just("--icmp-type"),
                    one(&[
                        "8",
                        "0",
                        "3",
                        "3/3",
                        "echo-request",
                        "any",
                        "time-exceeded",
                        "port-unreachable",
                        "13",
                    ]),
                ]),
            ),
        ]),
    }
}

/// One `-m` match with its options.
fn matching(world: World, place: Place, proto: &'static str) -> Text {
    let mut all = vec![
        (6, line(vec![just("-m conntrack"), not(), just("--ctstate"), states()])),
        (
            2,
            line(vec![
                just("-m conntrack"),
                not(),
                just("--ctstatus"),
                one(&["CONFIRMED", "SEEN_REPLY", "ASSURED", "EXPECTED", "NONE", "SEEN_REPLY,ASSURED"]),
            ]),
        ),
        (1, line(vec![just("-m conntrack --ctdir"), one(&["ORIGINAL", "REPLY"])])),
        (
            1,
            line(vec![
                just("-m conntrack"),
                not(),
                one(&["--ctorigsrc", "--ctorigdst", "--ctreplsrc", "--ctrepldst"]),
                world.net(),
            ]),
        ),
        (
            1,
            line(vec![
                just("-m conntrack"),
                not(),
                one(&[
                    "--ctorigdstport 80",
                    "--ctorigsrcport 40000",
                    "--ctrepldstport 1024:65535",
                    "--ctreplsrcport 8080",
                ]),
            ]),
        ),
        (
            1,
            line(vec![
                just("-m conntrack"),
                not(),
                one(&["--ctproto 6", "--ctproto 17", "--ctexpire 1:40", "--ctexpire 0"]),
            ]),
        ),
        (
            1,
            line(vec![
                just("-m state"),
                not(),
                one(&[
                    "--state NEW",
                    "--state ESTABLISHED",
                    "--state RELATED,ESTABLISHED",
                    "--state INVALID",
                ]),
            ]),
        ),
        (2, line(vec![just("-m mark"), not(), just("--mark"), marks()])),
        (1, line(vec![just("-m connmark"), not(), just("--mark"), marks()])),
        (
            1,
            line(vec![
                just("-m limit --limit"),
                one(&["1/min", "2/hour", "1/day"]),
                just("--limit-burst"),
                number("", 1..=5),
            ]),
        ),
        (1, line(vec![just("-m length"), not(), just("--length"), one(&["40", "0:60", "28:41", "100:"])])),
        (1, line(vec![just("-m comment --comment"), one(&["a", "\"two words\""])])),
        (
            1,
            line(vec![
                just("-m statistic --mode nth"),
                not(),
                number("--every ", 2..=4),
                number("--packet ", 0..=1),
            ]),
        ),
        (
            1,
            line(vec![
                just("-m pkttype"),
                not(),
                just("--pkt-type"),
                one(&["unicast", "broadcast", "multicast"]),
            ]),
        ),
        (1, line(vec![just("-m iprange"), not(), one(&["--src-range", "--dst-range"]), world.range()])),
        (
            2,
            line(vec![
                just("-m addrtype"),
                not(),
                one(&["--src-type", "--dst-type"]),
                one(&["LOCAL", "UNICAST", "MULTICAST"]),
            ]),
        ),
        (
            1,
            line(vec![
                just("-m connbytes"),
                not(),
                one(&["--connbytes 2:", "--connbytes 1:3", "--connbytes :2", "--connbytes 100:300"]),
                one(&[
                    "--connbytes-dir both --connbytes-mode packets",
                    "--connbytes-dir original --connbytes-mode bytes",
                    "--connbytes-dir reply --connbytes-mode packets",
                    "--connbytes-dir both --connbytes-mode avgpkt",
                ]),
            ]),
        ),
        (
            1,
            line(vec![
                just("-m connlimit"),
                one(&["--connlimit-above", "--connlimit-upto"]),
                number("", 1..=3),
                maybe(0.4, one(&["--connlimit-mask 24", "--connlimit-daddr"])),
            ]),
        ),
        (
            1,
            line(vec![
                just("-m recent --name r"),
                not(),
                one(&[
                    "--set",
                    "--rcheck",
                    "--update",
                    "--rcheck --hitcount 2",
                    "--update --seconds 60 --hitcount 2",
                    "--remove",
                ]),
            ]),
        ),
        (
            1,
            line(vec![
                just("-m hashlimit --hashlimit-name h"),
                one(&["--hashlimit-upto 1/min", "--hashlimit-above 1/min"]),
                number("--hashlimit-burst ", 1..=4),
                maybe(
                    0.5,
                    one(&[
                        "--hashlimit-mode srcip",
                        "--hashlimit-mode dstip,dstport",
                        "--hashlimit-mode srcip,srcport",
                    ]),
                ),
            ]),
        ),
        (1, line(vec![just("-m quota"), not(), one(&["--quota 100", "--quota 60", "--quota 0"])])),
        (1, line(vec![just("-m dscp"), not(), one(&["--dscp 0x04", "--dscp-class AF11", "--dscp 0"])])),
        (1, line(vec![just("-m tos"), not(), one(&["--tos 0x10", "--tos 0x10/0x3f"])])),
        (
            1,
            line(vec![
                just("-m u32"),
                not(),
                one(&["--u32 \"0>>22&0x3C@0>>16=40000\"", "--u32 \"6&0xFF=17\"", "--u32 \"4&0xFFFF=0:60\""]),
            ]),
        ),
        (1, line(vec![just("-m helper"), not(), just("--helper ftp")])),
    ];
    if world.v6 {
        all.push((1, line(vec![just("-m hl"), not(), one(&["--hl-eq 63", "--hl-lt 64", "--hl-gt 63"])])));
    } else {
        all.push((1, line(vec![just("-m ttl"), not(), one(&["--ttl-eq 63", "--ttl-lt 64", "--ttl-gt 63"])])));
        all.push((1, line(vec![not(), just("-f")])));
    }
    if proto == "tcp" || proto == "udp" {
        all.push((
            2,
            line(vec![
                just("-m multiport"),
                not(),
                one(&["--dports", "--sports", "--ports"]),
                one(&["80,443", "53,5353", "1:1023,8080", "40000"]),
            ]),
        ));
    }
    if proto == "tcp" {
        all.push((
            1,
            line(vec![just("-m tcpmss"), not(), just("--mss"), one(&["1460", "0:1000", "500:1500"])]),
        ));
        all.push((1, line(vec![just("-m ecn"), not(), one(&["--ecn-tcp-cwr", "--ecn-tcp-ece"])])));
    }
    if matches!(place.chain, "OUTPUT" | "POSTROUTING") {
        all.push((
            1,
            line(vec![
                just("-m owner"),
                not(),
                one(&["--uid-owner 0", "--uid-owner 1000", "--gid-owner 0", "--socket-exists"]),
            ]),
        ));
    }
    if matches!(place.chain, "PREROUTING" | "INPUT" | "FORWARD") {
        all.push((1, line(vec![just("-m mac"), not(), just("--mac-source 02:00:00:00:01:00")])));
    }
    if place.chain == "PREROUTING" && matches!(place.table, "raw" | "mangle") {
        all.push((1, line(vec![just("-m rpfilter"), one(&["", "--loose", "--invert", "--validmark"])])));
    }
    weighted(all)
}

fn states() -> Text {
    one(&[
        "NEW",
        "ESTABLISHED",
        "RELATED",
        "INVALID",
        "UNTRACKED",
        "SNAT",
        "DNAT",
        "NEW,RELATED",
        "RELATED,ESTABLISHED",
        "INVALID,UNTRACKED",
    ])
}

fn marks() -> Text {
    one(&["0x1", "0x2", "0x0", "0x1/0x1", "0x0/0x2"])
}

/// The target, with `-j`; in the rules of U0 no jump to itself.
fn target(world: World, place: Place, proto: &'static str) -> Text {
    let mut all = vec![(3, just("")), (3, just("-j ACCEPT")), (1, just("-j RETURN"))];
    all.push((
        1,
        line(vec![
            just("-j MARK"),
            one(&[
                "--set-mark 1",
                "--set-mark 2",
                "--set-xmark 0x1/0x3",
                "--or-mark 2",
                "--and-mark 1",
                "--xor-mark 3",
            ]),
        ]),
    ));
    all.push((
        1,
        line(vec![
            just("-j CONNMARK"),
            one(&[
                "--set-mark 1",
                "--save-mark",
                "--restore-mark",
                "--set-xmark 0x2/0x2",
                "--restore-mark --mask 1",
            ]),
        ]),
    ));
    all.push((1, just("-j LOG --log-prefix x")));
    if place.chain != "U0" {
        all.push((2, just("-j U0")));
        all.push((1, just("-g U0")));
    }
    if place.table != "nat" {
        all.push((2, just("-j DROP")));
    }
    match place.table {
        "filter" => all.push((3, line(vec![just("-j REJECT"), maybe(0.6, reject(world, proto))]))),
        "mangle" => {
            if world.v6 {
                all.push((2, one(&["-j HL --hl-set 5", "-j HL --hl-dec 1", "-j HL --hl-inc 2"])));
            } else {
                all.push((2, one(&["-j TTL --ttl-set 5", "-j TTL --ttl-dec 1", "-j TTL --ttl-inc 2"])));
            }
            all.push((
                1,
                one(&["-j TOS --set-tos 0x10", "-j DSCP --set-dscp 4", "-j DSCP --set-dscp-class EF"]),
            ));
            if proto == "tcp" {
                all.push((1, just("--syn -j TCPMSS --set-mss 1000")));
                if matches!(place.chain, "FORWARD" | "OUTPUT" | "POSTROUTING") {
                    all.push((1, just("--syn -j TCPMSS --clamp-mss-to-pmtu")));
                }
            }
            if matches!(place.chain, "FORWARD" | "OUTPUT" | "POSTROUTING") {
                all.push((1, just("-j CLASSIFY --set-class 1:10")));
            }
            let near = world.clients().into_iter().chain(world.servers()).collect();
            all.push((1, glue(vec![just("-j TEE --gateway "), one_of(near)])));
        }
        "raw" => {
            all.push((2, just("-j NOTRACK")));
            all.push((
                2,
                one(&[
                    "-j CT --notrack",
                    "-j CT --zone 1",
                    "-j CT --zone-orig 2",
                    "-j CT --zone-reply 2",
                    "-j CT --zone mark",
                ]),
            ));
        }
        "nat" => {
            all.clear();
            all.push((1, one(&["", "-j ACCEPT", "-j RETURN"])));
            if place.chain != "U0" {
                all.push((1, one(&["-j U0", "-g U0"])));
            }
            all.push((6, nat(world, place.chain, proto)));
        }
        _ => {}
    }
    weighted(all)
}

fn reject(world: World, proto: &'static str) -> Text {
    let with = |kinds: &'static [&'static str]| glue(vec![just("--reject-with "), one(kinds)]);
    let icmp = if world.v6 {
        with(&["icmp6-port-unreachable", "icmp6-adm-prohibited", "icmp6-addr-unreachable", "icmp6-no-route"])
    } else {
        with(&[
            "icmp-port-unreachable",
            "icmp-host-prohibited",
            "icmp-net-unreachable",
            "icmp-admin-prohibited",
            "icmp-host-unreachable",
            "icmp-proto-unreachable",
        ])
    };
    if proto == "tcp" { weighted(vec![(1, icmp), (2, just("--reject-with tcp-reset"))]) } else { icmp }
}

fn nat(world: World, chain: &str, proto: &'static str) -> Text {
    let ports = proto == "tcp" || proto == "udp";
    let random = || maybe(0.1, one(&["--random", "--persistent"]));
    let to = |addrs: Vec<String>, ports_of: &'static [&'static str]| {
        let port = if ports { maybe(0.4, glue(vec![just(":"), one(ports_of)])) } else { just("") };
        let v6 = world.v6;
        (one_of(addrs), port)
            .prop_map(move |(addr, port)| {
                if v6 && !port.is_empty() { format!("[{addr}]{port}") } else { format!("{addr}{port}") }
            })
            .boxed()
    };
    let netmap = line(vec![just("-j NETMAP --to"), one_of(world.netmaps())]);
    match chain {
        "PREROUTING" | "OUTPUT" => weighted(vec![
            (
                3,
                line(vec![
                    just("-j DNAT --to-destination"),
                    to(world.dnat_targets(), &["8080", "53", "6000-6003", "80"]),
                    random(),
                ]),
            ),
            (
                3,
                line(vec![
                    just("-j REDIRECT"),
                    if ports {
                        maybe(
                            0.7,
                            one(&[
                                "--to-ports 8080",
                                "--to-ports 53",
                                "--to-ports 5353",
                                "--to-ports 6000-6003",
                            ]),
                        )
                    } else {
                        just("")
                    },
                ]),
            ),
            (1, netmap),
        ]),
        "POSTROUTING" => weighted(vec![
            (
                3,
                line(vec![
                    just("-j MASQUERADE"),
                    if ports {
                        maybe(0.3, one(&["--to-ports 7000-7100", "--to-ports 7000"]))
                    } else {
                        just("")
                    },
                    maybe(0.05, just("--random")),
                ]),
            ),
            (
                3,
                line(vec![
                    just("-j SNAT --to-source"),
                    to(world.snat_sources(), &["7000-7200", "7000", "5353"]),
                    random(),
                ]),
            ),
            (1, netmap),
        ]),
        "INPUT" => weighted(vec![
            (
                3,
                line(vec![
                    just("-j SNAT --to-source"),
                    to(world.snat_sources(), &["7000-7200", "7000"]),
                    random(),
                ]),
            ),
            (1, netmap),
        ]),
        // A user chain of nat may be reached from chains that allow none of them.
        _ => just("-j ACCEPT"),
    }
}
