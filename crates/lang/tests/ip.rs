//! `ip` against what iproute2 6.1 printed on Linux 6.18 in a network namespace with the veth devices `eth0` and `eth1`
//! (`addr_gen_mode` 1 and `accept_dad` 0; `@ifN` and `link-netns …`, which only a veth has, were cut off).

mod common;

use common::{Order, replay};
use hookwalk_engine::{Host, HostId};

fn check(session: &str) {
    let mut host = Host::new(HostId(0), 1);
    host.add_device("eth0", [2, 0, 0, 0, 0, 0x10]);
    host.add_device("eth1", [2, 0, 0, 0, 0, 0x11]);
    replay(&mut host, session, Order::Kept);
}

#[test]
fn addresses_links_routes_and_rules() {
    check(include_str!("data/ip-1.txt"));
}

#[test]
fn getting_changing_and_taking_down() {
    check(include_str!("data/ip-2.txt"));
}

#[test]
fn ipv6_and_json() {
    check(include_str!("data/ip-3.txt"));
}
