//! The network of random labs: a client and a server (wires) with a router (a host) between them, in one family.

use super::words::{Text, one_of};

/// Which family, and so which addresses and tools.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    /// IPv6 in place of IPv4.
    pub(super) v6: bool,
}

fn owned(of: &[&str]) -> Vec<String> {
    of.iter().map(ToString::to_string).collect()
}

impl World {
    fn pick(self, v4: &[&str], v6: &[&str]) -> Vec<String> {
        owned(if self.v6 { v6 } else { v4 })
    }

    pub(super) fn iptables(self) -> &'static str {
        if self.v6 { "ip6tables" } else { "iptables" }
    }

    pub(super) fn icmp(self) -> &'static str {
        if self.v6 { "ipv6-icmp" } else { "icmp" }
    }

    /// Declarations and the settings that every lab has: time must not decide what is answered.
    pub(super) fn head(self) -> &'static str {
        if self.v6 {
            "wire client eth0=fd00:a::2/64,fd00:a::3/64 gw=fd00:a::1\n\
             wire server eth0=fd00:b::10/64,fd00:b::11/64 gw=fd00:b::1\n\
             host router eth0=fd00:a::1/64 eth1=fd00:b::1/64,fd00:b::2/64\n\
             link client:eth0 router:eth0\n\
             link server:eth0 router:eth1\n\
             router# sysctl -qw net.ipv6.icmp.ratelimit=0\n"
        } else {
            "wire client eth0=10.0.0.2/24,10.0.0.3/24 gw=10.0.0.1\n\
             wire server eth0=192.168.1.10/24,192.168.1.11/24 gw=192.168.1.1\n\
             host router eth0=10.0.0.1/24 eth1=192.168.1.1/24,192.168.1.2/24\n\
             link client:eth0 router:eth0\n\
             link server:eth0 router:eth1\n\
             router# sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=100000\n\
             router# sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0 \
             net.ipv4.conf.eth1.send_redirects=0\n"
        }
    }

    pub(super) fn forwarding(self) -> &'static str {
        if self.v6 {
            "router# sysctl -qw net.ipv6.conf.all.forwarding=1"
        } else {
            "router# sysctl -qw net.ipv4.ip_forward=1"
        }
    }

    pub(super) fn clients(self) -> Vec<String> {
        self.pick(&["10.0.0.2", "10.0.0.3"], &["fd00:a::2", "fd00:a::3"])
    }

    pub(super) fn servers(self) -> Vec<String> {
        self.pick(&["192.168.1.10", "192.168.1.11"], &["fd00:b::10", "fd00:b::11"])
    }

    pub(super) fn routers(self) -> Vec<String> {
        self.pick(&["10.0.0.1", "192.168.1.1", "192.168.1.2"], &["fd00:a::1", "fd00:b::1", "fd00:b::2"])
    }

    /// Addresses that lead nowhere: no route, or nobody there.
    pub(super) fn strangers(self) -> Vec<String> {
        self.pick(&["172.31.0.1", "8.8.8.8"], &["fd00:c::1", "2001:db8::1"])
    }

    pub(super) fn net(self) -> Text {
        one_of(self.pick(
            &[
                "10.0.0.0/24",
                "192.168.1.0/24",
                "10.0.0.2",
                "192.168.1.10",
                "10.0.0.1",
                "192.168.1.0/28",
                "0.0.0.0/0",
            ],
            &["fd00:a::/64", "fd00:b::/64", "fd00:a::2", "fd00:b::10", "fd00:a::1", "fd00::/16"],
        ))
    }

    pub(super) fn range(self) -> Text {
        one_of(self.pick(
            &["10.0.0.2-10.0.0.2", "10.0.0.1-10.0.0.9", "192.168.1.10-192.168.1.20"],
            &["fd00:a::2-fd00:a::2", "fd00:a::1-fd00:a::9", "fd00:b::10-fd00:b::20"],
        ))
    }

    pub(super) fn dnat_targets(self) -> Vec<String> {
        self.pick(
            &[
                "192.168.1.10",
                "192.168.1.11",
                "192.168.1.10-192.168.1.11",
                "192.168.1.1",
                "10.0.0.2",
                "127.0.0.1",
            ],
            &["fd00:b::10", "fd00:b::11", "fd00:b::10-fd00:b::11", "fd00:b::1", "fd00:a::2", "::1"],
        )
    }

    pub(super) fn snat_sources(self) -> Vec<String> {
        self.pick(
            &["192.168.1.1", "192.168.1.2", "192.168.1.1-192.168.1.2", "10.0.0.1"],
            &["fd00:b::1", "fd00:b::2", "fd00:b::1-fd00:b::2", "fd00:a::1"],
        )
    }

    pub(super) fn netmaps(self) -> Vec<String> {
        self.pick(&["192.168.1.0/24", "10.0.0.0/28", "192.168.1.10"], &["fd00:b::/64", "fd00:a::/64"])
    }

    /// `ADDR:PORT`, with the brackets of IPv6.
    pub(super) fn with_port(self, addr: &str, port: &str) -> String {
        if self.v6 { format!("[{addr}]:{port}") } else { format!("{addr}:{port}") }
    }
}
