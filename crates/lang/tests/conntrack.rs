//! `conntrack` against what conntrack-tools 1.4.7 printed on Linux 6.18.

mod common;

use common::{Order, replay};
use hookwalk_engine::{Host, HostId};

#[test]
fn as_the_tool_prints() {
    let mut host = Host::new(HostId(0), 1);
    // The recording took more than a second; here time stands still.
    let session = include_str!("data/conntrack.txt").replace(" 99998 ", " 99999 ");
    replay(&mut host, &session, Order::Free);
}

#[test]
fn with_accounting_and_timestamps() {
    let mut host = Host::new(HostId(0), 1);
    host.net.sysctl.ct_acct = true;
    host.net.sysctl.ct_timestamp = true;
    replay(&mut host, include_str!("data/conntrack-acct.txt"), Order::Free);
}
