//! The workloads: a ruleset as `iptables-restore` takes it, and the packets that go through it.

use crate::traffic::{self, Sent};
use std::fmt::Write as _;

/// One line of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Workload {
    /// Plain forwarding: no rule at all.
    Forward,
    /// DNAT, MASQUERADE and ctstate with so many established flows, and so many filter rules before them.
    Nat {
        /// Flows.
        flows: u32,
        /// Filter rules that match none of the packets.
        rules: u32,
    },
    /// The same, and every packet begins a flow.
    NewFlows,
    /// New connections to the services of a kube-proxy ruleset.
    KubeProxy {
        /// Services; each has two endpoints.
        services: u32,
    },
    /// TCP connections from handshake to close, with data both ways.
    Tcp,
    /// The packets of a capture file, read from its bytes.
    Capture,
}

/// Every workload, with the name that it has in the table and after `--only`.
pub const ALL: &[(&str, Workload)] = &[
    ("forward", Workload::Forward),
    ("nat-1k-flows", Workload::Nat { flows: 1_000, rules: 0 }),
    ("nat-100k-flows", Workload::Nat { flows: 100_000, rules: 0 }),
    ("nat-new-flows", Workload::NewFlows),
    ("nat-100-rules", Workload::Nat { flows: 1_000, rules: 100 }),
    ("nat-1k-rules", Workload::Nat { flows: 1_000, rules: 1_000 }),
    ("nat-10k-rules", Workload::Nat { flows: 1_000, rules: 10_000 }),
    ("kube-10k-services", Workload::KubeProxy { services: 10_000 }),
    ("tcp-connections", Workload::Tcp),
    ("capture-100k", Workload::Capture),
];

/// The workload of this name.
pub fn named(name: &str) -> Option<Workload> {
    ALL.iter().find(|(n, _)| *n == name).map(|(_, w)| *w)
}

impl Workload {
    /// What `iptables-restore` loads; empty: nothing.
    pub fn ruleset(self) -> String {
        match self {
            Workload::Forward => String::new(),
            Workload::Nat { rules, .. } => nat(rules),
            Workload::NewFlows | Workload::Tcp | Workload::Capture => nat(0),
            Workload::KubeProxy { services } => kube_proxy(services),
        }
    }

    /// The packets of one lap, in order. They leave the router in the state in which they found it, except where
    /// [`Workload::is_new`].
    pub fn packets(self) -> Vec<Sent> {
        match self {
            Workload::Forward => traffic::plain(1_000),
            Workload::Nat { flows, .. } => traffic::flows(flows),
            Workload::NewFlows => traffic::first_packets(100_000),
            Workload::KubeProxy { services } => traffic::service_calls(services, 20_000),
            Workload::Tcp => traffic::connections(10_000),
            Workload::Capture => traffic::mixture(100_000),
        }
    }

    /// The same at a size that is counted in seconds.
    pub fn for_counting(self) -> Workload {
        match self {
            Workload::Nat { flows: 100_000, rules } => Workload::Nat { flows: 20_000, rules },
            Workload::KubeProxy { .. } => Workload::KubeProxy { services: 1_000 },
            other => other,
        }
    }

    /// Do its packets begin connections, so that a lap must find an empty table?
    pub fn is_new(self) -> bool {
        matches!(self, Workload::NewFlows | Workload::KubeProxy { .. } | Workload::Tcp | Workload::Capture)
    }
}

/// DNAT to a server behind the router, MASQUERADE towards it, stateful filtering, and `rules` rules that every packet
/// has to pass.
fn nat(rules: u32) -> String {
    let mut text = String::from(
        "*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n\
         -A PREROUTING -d 10.0.1.1/32 -i eth0 -j DNAT --to-destination 10.0.2.2\n\
         -A POSTROUTING -o eth1 -j MASQUERADE\nCOMMIT\n\
         *filter\n:FORWARD DROP [0:0]\n",
    );
    for i in 0..rules {
        let (a, b) = (i / 250, i % 250);
        let port = 1 + i % 60_000;
        let _ = writeln!(text, "-A FORWARD -s 172.16.{a}.{b}/32 -p tcp -m tcp --dport {port} -j DROP");
    }
    text.push_str(
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
         -A FORWARD -i eth0 -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n",
    );
    text
}

/// The address of a service: 10.96.0.0/12.
pub fn service(i: u32) -> u32 {
    0x0a60_0001 + i
}

/// What kube-proxy writes for so many services with two endpoints each: one chain a service, one an endpoint, the mark
/// that asks for MASQUERADE, and a choice by chance.
fn kube_proxy(services: u32) -> String {
    let ip = |n: u32| std::net::Ipv4Addr::from(n);
    let endpoint = |i: u32, n: u32| ip(0x0af4_0001 + 2 * i + n);
    let (mut chains, mut rules, mut heads) = (String::new(), String::new(), String::new());
    for i in 0..services {
        let _ = writeln!(chains, ":KUBE-SVC-{i:013X} - [0:0]");
        let name = format!("-m comment --comment \"default/app-{i}:http cluster IP\"");
        let _ = writeln!(
            heads,
            "-A KUBE-SERVICES -d {}/32 -p tcp {name} -m tcp --dport 80 -j KUBE-SVC-{i:013X}",
            ip(service(i))
        );
        let _ = writeln!(
            rules,
            "-A KUBE-SVC-{i:013X} ! -s 10.244.0.0/16 -d {}/32 -p tcp {name} -m tcp --dport 80 -j KUBE-MARK-MASQ",
            ip(service(i))
        );
        for n in 0..2 {
            let _ = writeln!(chains, ":KUBE-SEP-{i:012X}{n} - [0:0]");
            let to = endpoint(i, n);
            let comment = format!("-m comment --comment \"default/app-{i}:http -> {to}:8080\"");
            let chance = if n == 0 { " -m statistic --mode random --probability 0.50000000000" } else { "" };
            let _ = writeln!(rules, "-A KUBE-SVC-{i:013X} {comment}{chance} -j KUBE-SEP-{i:012X}{n}");
            let name = format!("-m comment --comment \"default/app-{i}:http\"");
            let _ = writeln!(rules, "-A KUBE-SEP-{i:012X}{n} -s {to}/32 {name} -j KUBE-MARK-MASQ");
            let _ = writeln!(
                rules,
                "-A KUBE-SEP-{i:012X}{n} -p tcp {name} -m tcp -j DNAT --to-destination {to}:8080"
            );
        }
    }
    format!(
        "*filter\n:FORWARD ACCEPT [0:0]\n:KUBE-FORWARD - [0:0]\n\
         -A FORWARD -m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD\n\
         -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n\
         -A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" -m mark --mark 0x4000/0x4000 -j ACCEPT\n\
         -A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT\n\
         *nat\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n\
         :KUBE-POSTROUTING - [0:0]\n:KUBE-MARK-MASQ - [0:0]\n:KUBE-NODEPORTS - [0:0]\n{chains}\
         -A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n\
         -A OUTPUT -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n\
         -A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING\n\
         {heads}\
         -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS\n\
         -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n\
         -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0\n\
         -A KUBE-POSTROUTING -j MASQUERADE\n\
         -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n{rules}COMMIT\n"
    )
}
