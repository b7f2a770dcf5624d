//! Lines of tcpdump 4.99 for the same packets.

use hookwalk_lang::packet::{Seen, parse};
use hookwalk_lang::tcpdump::Tcpdump;

#[test]
fn as_the_tool_prints() {
    let mut dump = Tcpdump::default();
    for row in include_str!("data/tcpdump.txt").lines().filter(|l| !l.starts_with('#')) {
        let (packets, expected) = row.split_once(" => ").unwrap();
        let (line, quoted) = packets.split_once(" / ").map_or((packets, None), |(a, b)| (a, Some(b)));
        let build = |text: &str, seen| {
            parse(text, 0, 1).unwrap_or_else(|d| panic!("{text}: {d}")).build(seen).unwrap()
        };
        let quoted = quoted.map(|text| build(text, Seen::default()));
        let packet = build(line, Seen { received: quoted.as_ref(), sent: None });
        assert_eq!(dump.line(&packet), expected, "{row}");
    }
}
