//! Random traffic, and what happens to the router between packets.

use super::rules;
use super::words::{Text, glue, just, line, maybe, number, one, one_of, weighted};
use super::world::World;
use proptest::prelude::*;
use proptest::strategy::Union;

/// One thing that happens, as lines of a lab.
pub(super) fn act(world: World) -> BoxedStrategy<Vec<String>> {
    let single = |text: Text| text.prop_map(|line| vec![line]).boxed();
    Union::new_weighted(vec![
        (8, single(udp(world))),
        (6, single(tcp(world))),
        (3, single(ping(world))),
        (8, single(reply())),
        (3, single(error(world))),
        (3, single(local(world))),
        (3, connection(world)),
        (1, single(other(world))),
        (1, fragments(world)),
        (2, single(change(world))),
    ])
    .boxed()
}

/// `ADDR:PORT` of a client, a server, or somebody that a client may talk to.
fn end(world: World, addrs: Vec<String>, ports: &'static [&'static str]) -> Text {
    (one_of(addrs), one(ports)).prop_map(move |(addr, port)| world.with_port(&addr, &port)).boxed()
}

const HIGH: &[&str] = &["40000", "40001", "5000", "400"];
const LOW: &[&str] = &["80", "53", "443", "8080", "5353"];

fn client(world: World) -> Text {
    end(world, world.clients(), HIGH)
}

fn targets(world: World) -> Vec<String> {
    let mut all = world.servers();
    all.extend(world.servers());
    all.extend(world.routers());
    all.extend(world.strangers());
    all
}

fn ip_options() -> Text {
    line(vec![
        maybe(0.1, one(&["ttl=1", "ttl=2", "ttl=128"])),
        maybe(0.1, one(&["tos=0x10", "tos=0x28"])),
        maybe(0.03, just("badsum")),
    ])
}

fn length() -> Text {
    maybe(
        0.7,
        weighted(vec![(12, number("len=", 0..=60)), (1, one(&["len=700", "len=1400", "len=1300 df"]))]),
    )
}

fn udp(world: World) -> Text {
    weighted(vec![
        (
            5,
            line(vec![
                just("client> udp"),
                client(world),
                just(">"),
                end(world, targets(world), LOW),
                length(),
                ip_options(),
            ]),
        ),
        (
            2,
            line(vec![
                just("server> udp"),
                end(world, world.servers(), LOW),
                just(">"),
                weighted(vec![
                    (1, client(world)),
                    (1, end(world, world.routers(), &["40000", "5000", "53", "8080"])),
                ]),
                length(),
                ip_options(),
            ]),
        ),
    ])
}

fn tcp(world: World) -> Text {
    let flags = one(&["S", ".", "P.", "F.", "R", "R.", "S.", "FPU", "SF", "S", "."]);
    let numbers = line(vec![
        one(&["seq=1000", "seq=1001", "seq=1500", "seq=90000", "seq=1021"]),
        maybe(0.6, one(&["ack=5001", "ack=1", "ack=5021", "ack=90000"])),
        maybe(0.3, number("len=", 1..=40)),
        maybe(0.1, one(&["win=0", "win=100", "mss=1460", "mss=500"])),
    ]);
    weighted(vec![
        (
            5,
            line(vec![
                just("client> tcp"),
                client(world),
                just(">"),
                end(world, targets(world), LOW),
                flags.clone(),
                numbers.clone(),
                ip_options(),
            ]),
        ),
        (
            1,
            line(vec![
                just("server> tcp"),
                end(world, world.servers(), LOW),
                just(">"),
                client(world),
                flags,
                numbers,
                ip_options(),
            ]),
        ),
    ])
}

fn icmp_word(world: World) -> &'static str {
    if world.v6 { "icmp6" } else { "icmp" }
}

fn ping(world: World) -> Text {
    line(vec![
        just(&format!("client> {}", icmp_word(world))),
        one_of(world.clients()),
        just(">"),
        one_of(targets(world)),
        if world.v6 {
            one(&["echo-request", "echo-request", "echo-reply", "1/0", "135/0"])
        } else {
            one(&["echo-request", "echo-request", "timestamp-request", "echo-reply", "9/0", "17/0"])
        },
        number("id=", 1..=2),
        number("seq=", 1..=2),
        maybe(0.3, number("len=", 1..=56)),
        ip_options(),
    ])
}

fn reply() -> Text {
    line(vec![
        one(&["server> reply", "server> reply", "client> reply", "client> reply"]),
        maybe(0.8, one(&["S.", ".", "P.", "F.", "R.", "R"])),
        maybe(0.3, number("len=", 1..=40)),
        maybe(0.05, one(&["seq=1", "ack=1", "seq=70000"])),
    ])
}

/// ICMP errors about what a station saw or sent.
fn error(world: World) -> Text {
    let kinds = if world.v6 {
        one(&[
            "port-unreachable",
            "host-unreachable",
            "admin-prohibited",
            "time-exceeded",
            "packet-too-big mtu=1280",
        ])
    } else {
        one(&[
            "port-unreachable",
            "host-unreachable",
            "admin-prohibited",
            "time-exceeded",
            "net-unreachable",
            "frag-needed mtu=1400",
        ])
    };
    let mut to = world.clients();
    to.extend(world.routers());
    let icmp = icmp_word(world);
    let re = || one(&["re=last", "re=last", "re=sent"]);
    weighted(vec![
        (
            3,
            line(vec![
                just(&format!("server> {icmp}")),
                one_of(world.servers()),
                just(">"),
                one_of(to),
                kinds.clone(),
                re(),
            ]),
        ),
        (
            1,
            line(vec![
                just(&format!("client> {icmp}")),
                one_of(world.clients()),
                just(">"),
                one_of(targets(world)),
                kinds,
                re(),
            ]),
        ),
    ])
}

/// The router's own packets, also to itself.
fn local(world: World) -> Text {
    let mut to = world.servers();
    to.extend(world.clients());
    to.extend(world.routers());
    to.push(if world.v6 { "::1".into() } else { "127.0.0.1".into() });
    to.extend(world.strangers().into_iter().take(1));
    let from = end(world, world.routers(), &["6000", "5354", "40000"]);
    weighted(vec![
        (3, line(vec![just("router> udp"), from.clone(), just(">"), end(world, to.clone(), LOW), length()])),
        (2, line(vec![just("router> tcp"), from, just(">"), end(world, to.clone(), LOW), just("S seq=77")])),
        (
            1,
            line(vec![
                just(&format!("router> {}", icmp_word(world))),
                one_of(world.routers()),
                just(">"),
                one_of(to),
                just("echo-request id=9 seq=1"),
            ]),
        ),
    ])
}

/// A connection that goes on as it should, for some packets.
fn connection(world: World) -> BoxedStrategy<Vec<String>> {
    let addr = end(world, targets(world), LOW);
    (client(world), addr, 1usize..=8, 1u32..=40)
        .prop_map(|(client, server, steps, len)| {
            let all = [
                format!("client> tcp {client} > {server} S seq=1000 mss=1460"),
                "server> reply S. mss=1460".to_string(),
                "client> reply .".to_string(),
                format!("client> reply P. len={len}"),
                "server> reply .".to_string(),
                format!("server> reply P. len={len}"),
                "client> reply F.".to_string(),
                "server> reply F.".to_string(),
            ];
            all.into_iter().take(steps).collect()
        })
        .boxed()
}

/// Protocols without ports.
fn other(world: World) -> Text {
    line(vec![
        just(if world.v6 { "client> ip6" } else { "client> ip" }),
        one_of(world.clients()),
        just(">"),
        one_of(targets(world)),
        one(&["proto=47", "proto=50", "proto=33", "proto=41"]),
        // GRE version 0 without options, if it is GRE.
        one(&["data=0000080000000000", "len=20"]),
    ])
}

/// A ping in two fragments, in either order; IPv6's pings are whole, but large.
fn fragments(world: World) -> BoxedStrategy<Vec<String>> {
    let ends = (one_of(world.clients()), one_of(targets(world)), 1u32..=3, any::<bool>());
    ends.prop_map(move |(from, to, id, turned)| {
        if world.v6 {
            return vec![format!("client> icmp6 {from} > {to} echo-request id={id} seq=1 len=1400")];
        }
        let mut all = vec![
            format!("client> icmp {from} > {to} echo-request id=1 seq=1 len=32 frag=0+ ipid={id}"),
            format!("client> ip {from} > {to} proto=1 len=16 frag=40 ipid={id}"),
        ];
        if turned {
            all.reverse();
        }
        all
    })
    .boxed()
}

/// Rules, settings and entries change between packets, and time passes.
fn change(world: World) -> Text {
    let family = if world.v6 { " -f ipv6" } else { "" };
    let iptables = world.iptables();
    weighted(vec![
        (4, rules::rule(world)),
        (2, just(&format!("router# conntrack{family} -F"))),
        (
            2,
            line(vec![
                just(&format!("router# conntrack{family} -D")),
                one(&["-p tcp", "-p udp", "-p udp --dport 53", "-p tcp --sport 40000"]),
            ]),
        ),
        (
            2,
            line(vec![
                just("router#"),
                just(iptables),
                just("-t"),
                one(&["nat", "filter", "mangle"]),
                just("-F"),
            ]),
        ),
        (
            1,
            line(vec![
                just("router#"),
                just(iptables),
                one(&["-P FORWARD DROP", "-P INPUT DROP", "-P OUTPUT DROP", "-P FORWARD ACCEPT"]),
            ]),
        ),
        (
            1,
            line(vec![
                just("router#"),
                just(iptables),
                one(&["-t filter -Z", "-t nat -Z", "-t filter -D FORWARD 1", "-t nat -D PREROUTING 1"]),
            ]),
        ),
        (2, line(vec![just("router# sysctl -qw"), setting()])),
        (3, glue(vec![just("router# "), routing(world)])),
        (1, one(&["router# ip link set eth1 mtu 1280", "router# ip link set eth0 mtu 1300"])),
        (1, one(&["sleep 0.3", "sleep 1.3"])),
    ])
}

/// Routes, policy rules, addresses, and the settings that decide what is taken and forwarded.
pub(super) fn routing(world: World) -> Text {
    if world.v6 {
        one(&[
            "ip -6 route add fd00:c::/64 via fd00:b::10",
            "ip -6 route add blackhole 2001:db8::/32",
            "ip -6 route add unreachable fd00:c::/64",
            "ip -6 route add prohibit fd00:c::/64",
            "ip -6 rule add fwmark 1 table 100",
            "ip -6 route add default via fd00:a::2 table 100",
            "sysctl -qw net.ipv6.conf.all.forwarding=0",
        ])
    } else {
        one(&[
            "ip route add 172.31.0.0/24 via 192.168.1.10",
            "ip route add default via 192.168.1.10",
            "ip route add blackhole 8.8.8.0/24",
            "ip route add unreachable 172.31.0.0/24",
            "ip route add prohibit 172.31.0.0/24",
            "ip route add throw 172.31.0.0/24",
            "ip rule add fwmark 1 table 100",
            "ip route add default via 10.0.0.2 table 100",
            "ip rule add from 10.0.0.3 table 100",
            "ip addr del 192.168.1.2/24 dev eth1",
            "ip addr add 172.31.0.1/32 dev lo",
            "sysctl -qw net.ipv4.conf.all.rp_filter=1",
            "sysctl -qw net.ipv4.conf.eth0.rp_filter=2",
            "sysctl -qw net.ipv4.conf.all.route_localnet=1",
            "sysctl -qw net.ipv4.conf.all.accept_local=1",
            "sysctl -qw net.ipv4.conf.all.src_valid_mark=1",
            "sysctl -qw net.ipv4.ip_forward=0",
            "sysctl -qw net.ipv4.conf.eth1.forwarding=0",
        ])
    }
}

/// Settings of conntrack that change what packets are.
pub(super) fn setting() -> Text {
    glue(vec![
        just("net.netfilter.nf_conntrack_"),
        one(&[
            "tcp_be_liberal=1",
            "tcp_loose=0",
            "acct=1",
            "udp_timeout=1",
            "tcp_timeout_syn_sent=1",
            "tcp_max_retrans=1",
            "tcp_ignore_invalid_rst=1",
            "checksum=0",
            "icmp_timeout=1",
        ]),
    ])
}
