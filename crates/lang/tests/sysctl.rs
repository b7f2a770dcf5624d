//! `sysctl` against what procps 4.0.2 printed on Linux 6.18 in a fresh network namespace with the devices `eth0` and
//! `eth0.1`.

mod common;

use common::{Order, replay};
use hookwalk_engine::{Host, HostId};

fn check(session: &str) {
    let mut host = Host::new(HostId(0), 1);
    host.add_device("eth0", [2, 0, 0, 0, 0, 1]);
    host.add_device("eth0.1", [2, 0, 0, 0, 0, 2]);
    replay(&mut host, session, Order::Kept);
}

#[test]
fn as_the_tool_prints() {
    check(include_str!("data/sysctl.txt"));
}

#[test]
fn forwarding_reaches_every_device() {
    check(
        "$ sysctl -qw net.ipv4.ip_forward=1
$ sysctl net.ipv4.conf.eth0.forwarding net.ipv4.conf.default.forwarding net.ipv4.conf.all.forwarding
net.ipv4.conf.eth0.forwarding = 1
net.ipv4.conf.default.forwarding = 1
net.ipv4.conf.all.forwarding = 1
$ sysctl -qw net.ipv4.conf.eth0.forwarding=0
$ sysctl net.ipv4.ip_forward net.ipv4.conf.lo.forwarding
net.ipv4.ip_forward = 1
net.ipv4.conf.lo.forwarding = 1
$ sysctl -qw net.ipv6.conf.all.forwarding=1
$ sysctl net.ipv6.conf.eth0.forwarding net.ipv4.conf.all.rp_filter
net.ipv6.conf.eth0.forwarding = 1
net.ipv4.conf.all.rp_filter = 0
",
    );
}

#[test]
fn what_is_not_simulated_is_refused() {
    check(
        "$ sysctl -w net.ipv4.tcp_syncookies=0
2> hookwalk: net.ipv4.tcp_syncookies is not simulated
[exit 125]
$ sysctl kernel.hostname
2> hookwalk: kernel.hostname is not simulated
[exit 125]
$ sysctl -w net.netfilter.nf_conntrack_udp_timeout=-1
2> hookwalk: the value -1 of net.netfilter.nf_conntrack_udp_timeout is not simulated
[exit 125]
",
    );
}

#[test]
fn ipv6_switched_off_takes_the_addresses_along() {
    check(
        "$ ip addr add fd00::1/64 dev eth0
$ sysctl -qw net.ipv6.conf.all.disable_ipv6=1
$ ip -6 addr
$ ip -6 route
$ ip addr add fd00::1/64 dev eth0
2> Error: ipv6: IPv6 is disabled on this device.
[exit 2]
$ sysctl -qw net.ipv6.conf.all.disable_ipv6=0
$ ip -6 -o addr
1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever
",
    );
}
