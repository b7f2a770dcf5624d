//! Lines of LOG against those that Linux 6.18 wrote for the same packets.

use hookwalk_engine::hook::Hook;
use hookwalk_engine::klog::{LogLine, Seen};
use hookwalk_engine::packet::{PacketId, Skb};
use hookwalk_engine::targets::LogTarget;
use hookwalk_engine::{Host, HostId, Time};
use hookwalk_lang::klog::line;
use hookwalk_lang::packet::{Seen as Station, parse};
use std::sync::Arc;

/// `PACKET LINE [/ PACKET LINE] => OPTIONS => LINE`; after `/` is the packet that the first one quotes.
fn check(row: &str) {
    let mut parts = row.split(" => ");
    let (packets, options, expected) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let (line_text, quoted) = packets.split_once(" / ").map_or((packets, None), |(a, b)| (a, Some(b)));
    let build =
        |text: &str, seen| parse(text, 0, 1).unwrap_or_else(|d| panic!("{text}: {d}")).build(seen).unwrap();
    let quoted = quoted.map(|text| build(text, Station::default()));
    let packet = build(line_text, Station { received: quoted.as_ref(), sent: None });

    let mut host = Host::new(HostId(0), 1);
    let dev = host.add_device("cmdv1", [0x5e, 0x12, 0xab, 0x17, 0x41, 0x68]);
    let mut skb = Skb::new(PacketId(1), packet);
    skb.mac_dst = Some([0x5e, 0x12, 0xab, 0x17, 0x41, 0x68]);
    skb.mac_src = Some([0x62, 0xf9, 0xb4, 0xa0, 0x62, 0xb5]);
    let has = |option: &str| options.split(' ').any(|o| o == option);
    if has("mark") {
        skb.mark = 0x10;
    }
    let target = LogTarget {
        level: 4,
        prefix: "cmd ".into(),
        tcp_sequence: has("sequence"),
        tcp_options: has("options"),
        ip_options: false,
        uid: false,
        mac_decode: has("macdecode"),
    };
    let (hook, in_dev, out_dev) =
        if has("out") { (Hook::Output, None, Some(dev)) } else { (Hook::Input, Some(dev), None) };
    let seen = Seen::of(&skb, hook, in_dev, out_dev);
    let entry = LogLine { at: Time::default(), seen, target: Arc::new(target) };
    assert_eq!(format!("{}|", line(&host.net, &entry)), format!("{expected}|"), "{row}");
}

#[test]
fn as_the_kernel_writes_them() {
    for row in include_str!("data/log.txt").lines().filter(|l| !l.starts_with('#')) {
        check(row);
    }
}
