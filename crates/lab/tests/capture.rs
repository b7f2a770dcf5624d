//! A capture becomes traffic: files of both formats, in both byte orders, as a lab replays them.

use hookwalk_lab::paste::Pasted;
use hookwalk_lab::{Run, capture, parse};
use std::sync::Arc;

/// 192.168.1.8:40000 asks 9.9.9.9:53, four bytes.
const ASK: [u8; 32] = [
    0x45, 0, 0, 32, 0, 1, 0x40, 0, 64, 17, 0x67, 0x0b, 192, 168, 1, 8, 9, 9, 9, 9, 0x9c, 0x40, 0, 53, 0, 12,
    0, 0, 0xde, 0xad, 0xbe, 0xef,
];

/// The same from the box's own address, 203.0.113.1.
fn own() -> Vec<u8> {
    let mut own = ASK.to_vec();
    own[12..16].copy_from_slice(&[203, 0, 113, 1]);
    own
}

fn ethernet(kind: u16, tag: bool, data: &[u8]) -> Vec<u8> {
    let tag: &[u8] = if tag { &[0x81, 0, 0, 7] } else { &[] };
    [&[2; 12], tag, &kind.to_be_bytes(), data].concat()
}

/// How a file writes numbers.
#[derive(Clone, Copy)]
struct Order(bool);

impl Order {
    fn long(self, n: u32) -> [u8; 4] {
        if self.0 { n.to_be_bytes() } else { n.to_le_bytes() }
    }
    fn short(self, n: u16) -> [u8; 2] {
        if self.0 { n.to_be_bytes() } else { n.to_le_bytes() }
    }
    fn pcap(self, magic: u32, link: u32, frames: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
        let version = [self.short(2), self.short(4)].concat();
        let mut out =
            [&self.long(magic)[..], &version, &[0; 8], &self.long(65535), &self.long(link)].concat();
        for (secs, part, data) in frames {
            let len = self.long(data.len() as u32);
            out.extend([&self.long(*secs)[..], &self.long(*part), &len, &len, data].concat());
        }
        out
    }
    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let body = [body, &[0; 3][..body.len().next_multiple_of(4) - body.len()]].concat();
        let len = self.long(12 + body.len() as u32);
        [&self.long(kind)[..], &len, &body, &len].concat()
    }
    /// One section and one interface with this resolution.
    fn pcapng(self, link: u16, resolution: Option<u8>) -> Vec<u8> {
        let section = [&self.long(0x1a2b_3c4d)[..], &self.short(1), &self.short(0), &[255; 8]].concat();
        let mut interface = [&self.short(link)[..], &[0; 6]].concat();
        // A name before what is looked for.
        interface.extend([&self.short(2)[..], &self.short(3), b"eth\0"].concat());
        if let Some(r) = resolution {
            interface.extend([&self.short(9)[..], &self.short(1), &[r, 0, 0, 0], &[0; 4]].concat());
        }
        [self.block(0x0a0d_0d0a, &section), self.block(1, &interface)].concat()
    }
    fn enhanced(self, ticks: u64, data: &[u8]) -> Vec<u8> {
        let len = self.long(data.len() as u32);
        let time = [self.long((ticks >> 32) as u32), self.long(ticks as u32)].concat();
        self.block(6, &[&self.long(0)[..], &time, &len, &len, data].concat())
    }
}

fn lab() -> String {
    let pasted = Pasted {
        addr: "2: eth0: <UP>\n    inet 203.0.113.1/24 scope global eth0\n\
               3: eth1: <UP>\n    inet 192.168.1.1/24 scope global eth1\n"
            .into(),
        route: "default via 203.0.113.254 dev eth0\n".into(),
        sysctl: "net.ipv4.ip_forward = 1\n".into(),
        ..Pasted::default()
    };
    pasted.lab().0.expect("a lab")
}

#[track_caller]
fn check(file: &[u8], expected: &[&str]) {
    let lab = lab();
    let lines = capture::replay(&capture::read(file).expect("a capture"), &lab);
    assert_eq!(lines.lines().filter(|l| !l.is_empty()).collect::<Vec<_>>(), expected);
    let (parsed, problems) = parse(&(lab + &lines));
    assert!(problems.is_empty(), "{problems:?}");
    let run = Run::to_end(Arc::new(parsed));
    // Each packet comes in by one interface of the box and is forwarded by another.
    let at = run.lab.stations.iter().position(|s| s.name == "box").expect("the box");
    let sent = expected.iter().filter(|l| **l == LINE).count();
    assert_eq!(run.world.stations[at].frames.len(), 2 * sent);
}

const LINE: &str = "net1_eth1> udp 192.168.1.8:40000 > 9.9.9.9:53 ttl=64 data=deadbeef df";

#[test]
fn both_formats_in_both_orders() {
    let arp = ethernet(0x0806, false, &[0; 28]);
    let expected = [LINE, "sleep 1.5", LINE, "# Left out: 1 frames without a whole IP packet."];
    for order in [Order(false), Order(true)] {
        let (one, two) = (ethernet(0x800, false, &ASK), ethernet(0x800, true, &ASK));
        for (magic, half) in [(0xa1b2_c3d4, 500_000), (0xa1b2_3c4d, 500_000_000)] {
            let frames = [
                (7, 0, one.clone()),
                (7, 9, arp.clone()),
                (8, 0, ethernet(0x800, false, &own())),
                (8, half, two.clone()),
            ];
            check(&order.pcap(magic, 1, &frames), &expected);
        }
        for (resolution, second) in [(None, 1_000_000), (Some(9), 1_000_000_000), (Some(0x8a), 1024)] {
            let mut file = order.pcapng(1, resolution);
            file.extend(order.enhanced(7 * second, &one));
            file.extend(order.enhanced(7 * second, &arp));
            // A block of statistics is nothing to replay.
            file.extend(order.block(5, &[0; 12]));
            file.extend(order.enhanced(8 * second + second / 2, &two));
            check(&file, &expected);
        }
    }
}

#[test]
fn a_capture_on_any_interface_says_what_was_sent() {
    let sll = |kind: u8| [&[0, kind, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0, 8, 0], &ASK[..]].concat();
    check(&Order(false).pcap(0xa1b2_c3d4, 113, &[(1, 0, sll(0)), (1, 0, sll(4))]), &[LINE]);
    let sll2 =
        |kind: u8| [&[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, kind, 6, 2, 2, 2, 2, 2, 2, 0, 0], &ASK[..]].concat();
    check(&Order(false).pcap(0xa1b2_c3d4, 276, &[(1, 0, sll2(0)), (1, 0, sll2(4))]), &[LINE]);
    let mut raw = Order(true).pcapng(101, None);
    raw.extend(Order(true).block(3, &[&Order(true).long(32)[..], &ASK].concat()));
    check(&raw, &[LINE]);
}

#[track_caller]
fn refused(file: &[u8], expected: &str) {
    let said = capture::read(file).expect_err("a refusal");
    assert!(said.contains(expected), "{said}");
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let frames = |n: usize| vec![(1, 0, ASK.to_vec()); n];
    refused(b"", "empty");
    refused(b"PK", "neither pcap nor pcapng");
    refused(b"\x1f\x8b\x08\0\0\0", "gunzip");
    refused(&vec![0; capture::MAX_BYTES + 1], "larger than 16 MB");
    refused(
        &Order(false).pcap(0xa1b2_c3d4, 101, &frames(capture::MAX_PACKETS + 1)),
        "more than 20000 packets",
    );
    refused(&Order(false).pcap(0xa1b2_c3d4, 105, &frames(1)), "link type 105");
    refused(
        &Order(false).pcap(0xa1b2_c3d4, 1, &[(1, 0, ethernet(0x0806, false, &[0; 28]))]),
        "no whole IP packet",
    );
    let three = Order(false).pcap(0xa1b2_c3d4, 101, &frames(3));
    refused(&three[..three.len() - 1], "cut off after packet 2");
    let mut ng = Order(false).pcapng(101, None);
    ng.extend(Order(false).enhanced(0, &ASK));
    ng.extend(Order(false).enhanced(0, &ASK));
    refused(&ng[..ng.len() - 4], "cut off after packet 1");
}

/// No file panics: each byte of two files takes each of a few values, and the files end at each place.
#[test]
fn no_file_panics() {
    let mut ng = Order(true).pcapng(1, Some(0x8a));
    ng.extend(Order(true).enhanced(1 << 40, &ethernet(0x800, true, &ASK)));
    ng.extend(Order(true).block(2, &[0; 60]));
    ng.extend(Order(true).block(3, &[0; 60]));
    let pcap = Order(false).pcap(0xa1b2_c3d4, 1, &[(u32::MAX, u32::MAX, ethernet(0x800, false, &ASK))]);
    let lab = lab();
    for file in [ng, pcap] {
        for at in 0..file.len() {
            let _ = capture::read(&file[..at]);
            for value in [0, 1, 4, 7, 0x7f, 0x80, 0xff] {
                let mut file = file.clone();
                file[at] = value;
                if let Ok(capture) = capture::read(&file) {
                    let text = capture::replay(&capture, &lab);
                    let problems = parse(&(lab.clone() + &text)).1;
                    assert!(problems.is_empty(), "{problems:?} of byte {at} = {value}: {text}");
                }
            }
        }
    }
}
