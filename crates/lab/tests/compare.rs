//! What two transcripts may differ in, and what not.

use hookwalk_lab::{compare, parse};

/// The differences between two transcripts of one command, one a line: place, kernel's line, our line.
fn differences(command: &str, kernel: &str, ours: &str, lab: &str) -> Vec<String> {
    let text = format!("host r eth0=10.0.0.1/24\n{lab}\n{command}\n");
    let (lab, diagnostics) = parse(&text);
    assert_eq!(diagnostics, []);
    let with = |body: &str| format!("{command}\n{body}\n");
    compare(&with(kernel), &with(ours), Some(&lab)).iter().map(|d| d.place.clone()).collect()
}

#[track_caller]
fn check_agree(command: &str, kernel: &str, ours: &str) {
    assert_eq!(differences(command, kernel, ours, ""), [""; 0]);
}

#[track_caller]
fn check_differ(command: &str, kernel: &str, ours: &str, places: &[&str]) {
    assert_eq!(differences(command, kernel, ours, ""), places);
}

#[test]
fn order_of_tables_is_free() {
    let nat = "*nat\n:PREROUTING ACCEPT [0:0]\n[1:40] -A PREROUTING -j ACCEPT\nCOMMIT";
    let filter = "*filter\n:INPUT DROP [2:80]\n[3:1] -A INPUT\n[4:1] -A INPUT -p tcp\nCOMMIT";
    check_agree("r# iptables-save -c", &format!("{nat}\n{filter}"), &format!("{filter}\n{nat}"));
    let wrong = filter.replace("[4:1]", "[5:1]").replace("[2:80]", "[2:81]");
    check_differ(
        "r# iptables-save -c",
        &format!("{nat}\n{filter}"),
        &format!("{wrong}\n{nat}"),
        &["filter INPUT policy", "filter INPUT rule 2"],
    );
    let shorter = filter.replace("[4:1] -A INPUT -p tcp\n", "");
    check_differ("r# iptables-save -c", filter, &shorter, &["filter INPUT rule 2"]);
}

const ENTRY: &str = "tcp      6 119 SYN_SENT src=10.0.0.2 dst=10.0.0.1 sport=4000 dport=80 [UNREPLIED] src=10.0.0.1 dst=10.0.0.2 sport=80 dport=4000 mark=0";

#[test]
fn conntrack_lines() {
    let other = ENTRY.replace("4000", "4001");
    check_agree("r# conntrack -L", &format!("{ENTRY}\n{other}"), &format!("{other}\n{ENTRY}"));
    check_agree("r# conntrack -L", ENTRY, &ENTRY.replace(" 119 ", " 117 "));
    let place = "entry tcp src=10.0.0.2 dst=10.0.0.1 sport=4000 dport=80";
    check_differ("r# conntrack -L", ENTRY, &ENTRY.replace(" 119 ", " 116 "), &[place]);
    check_differ("r# conntrack -L", ENTRY, &ENTRY.replace("SYN_SENT", "ESTABLISHED"), &[place]);
    check_differ("r# conntrack -L", ENTRY, &format!("{ENTRY}\n{ENTRY}"), &[place]);
    check_differ("r# conntrack -L", ENTRY, &ENTRY.replace("mark=0", "mark=1"), &[place]);
}

#[test]
fn random_ports_are_renamed_as_one() {
    let entry = |a: u16, b: u16| {
        let one =
            |p: u16| ENTRY.replace("dport=4000", &format!("dport={p}")).replace("sport=4000", "sport=77");
        format!("{}\n{}", one(a), one(b))
    };
    check_agree("r# conntrack -L", &entry(31000, 42000), &entry(5000, 6000));
    // Two ports of the kernel cannot be one of ours.
    assert_ne!(differences("r# conntrack -L", &entry(31000, 42000), &entry(5000, 5000), ""), [""; 0]);
    // Where somebody wrote both ports, neither was drawn; one may be the end of a range.
    let numbers = "# 31000 42000 6000";
    assert_ne!(differences("r# conntrack -L", &entry(31000, 42000), &entry(5000, 6000), numbers), [""; 0]);
    check_agree("r# conntrack -L", &entry(31000, 42000), &entry(5000, 6000));
    // A port that is itself in one place is no other in another.
    assert_ne!(differences("r# conntrack -L", &entry(31000, 9), &entry(9, 9), ""), [""; 0]);
    let frame = |p: u16| format!("eth0 out tcp 10.0.0.1:{p} > 10.0.0.9:80 S seq=1 ack=0 len=0 ttl=63");
    let frames = |a, b| format!("{}\n{}", frame(a), frame(b));
    check_agree("r# frames", &frames(31000, 31000), &frames(5000, 5000));
    check_differ("r# frames", &frames(31000, 31000), &frames(5000, 6000), &["frame 2 of eth0"]);
}

#[test]
fn elements_of_sets() {
    let save = "create a hash:ip family inet initval 0x11111111 bitmask 255.0.0.0\nadd a 1.1.1.1 timeout 9\nadd a 2.2.2.2\n\
                create l list:set size 8\nadd l a\nadd l b";
    let other = "create a hash:ip family inet initval 0x2 bitmask 255.0.0.0\nadd a 2.2.2.2\nadd a 1.1.1.1 timeout 8\n\
                 create l list:set size 8\nadd l a\nadd l b";
    check_agree("r# ipset save", save, other);
    // A list has an order; for ever is not nearly over; an element more is one.
    assert_ne!(
        differences("r# ipset save", save, &other.replace("l a\nadd l b", "l b\nadd l a"), ""),
        [""; 0]
    );
    assert_ne!(differences("r# ipset save", save, &other.replace("timeout 8", "timeout 0"), ""), [""; 0]);
    assert_ne!(differences("r# ipset save", save, &other.replace("timeout 8", "timeout 5"), ""), [""; 0]);
    assert_ne!(differences("r# ipset save", save, &other.replace("bitmask", "netmask"), ""), [""; 0]);
    check_differ("r# ipset save", save, &other.replace("2.2.2.2", "2.2.2.3"), &["line 3"]);
    let list = "Name: a\nType: hash:ip\nHeader: family inet initval 0x1\nSize in memory: 5\nNumber of entries: 2\nMembers:\nx\ny";
    check_agree(
        "r# ipset list",
        list,
        &list.replace("x\ny", "y\nx").replace(": 5", ": 6").replace("0x1", "0x2"),
    );
    assert_ne!(differences("r# ipset list", list, &list.replace("entries: 2", "entries: 3"), ""), [""; 0]);
}

#[test]
fn sequence_numbers_of_a_stack() {
    let frame = |seq: u32, ack: u32| {
        format!("eth0 in  tcp 10.0.0.1:80 > 10.0.0.9:5 S. seq={seq} ack={ack} len=0 ttl=64 mss=1460")
    };
    check_agree("r# frames", &frame(1_238_967_739, 1001), &frame(887_766, 1001));
    check_differ("r# frames", &frame(1_238_967_739, 1001), &frame(0, 1001), &["frame 1 of eth0"]);
    check_differ("r# frames", &frame(1_238_967_739, 1001), &frame(887_766, 1002), &["frame 1 of eth0"]);
    check_differ("r# frames", &frame(1, 2), &frame(1, 2).replace("ttl=64", "ttl=63"), &["frame 1 of eth0"]);
}

#[test]
fn other_outputs_are_as_they_are() {
    check_agree("r# ip addr", "a  b", "a  b");
    check_differ("r# ip addr", "a  b", "a b", &["line 1"]);
    check_differ("r# ip addr", "a\nb", "a\nc\nb", &["line 2"]);
    let (lab, _) = parse("host r eth0=10.0.0.1/24\nr# ip addr\n");
    let one_side = compare("r# ip addr\nx\n", "", Some(&lab));
    assert_eq!(
        one_side[0].to_string(),
        "r# ip addr: printed on one side only\n  kernel x\n  ours   (nothing)\n"
    );
}

#[test]
fn ping_measures() {
    let ping = |ms: &str| {
        format!(
            "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time={ms} ms\n\n--- 10.0.0.2 ping statistics ---\n1 packets transmitted, 1 received, 0% packet loss, time {ms}ms\nrtt min/avg/max/mdev = {ms}/0/0/0 ms"
        )
    };
    check_agree("r$ ping -c 1 10.0.0.2", &ping("0.05"), &ping("0.1"));
    check_differ(
        "r$ ping -c 1 10.0.0.2",
        &ping("0.05"),
        &ping("0.1").replace("ttl=64", "ttl=63"),
        &["line 1"],
    );
}

#[test]
fn statistics_of_all_processors() {
    let kernel = "cpu=0   \tfound=0 invalid=2 insert=1\ncpu=1   \tfound=0 invalid=1 insert=0";
    check_agree("r# conntrack -S", kernel, "cpu=0   \tfound=0 invalid=3 insert=1");
    check_differ("r# conntrack -S", kernel, "cpu=0   \tfound=0 invalid=2 insert=1", &["line 1"]);
    check_differ("r# conntrack -S", kernel, "oops", &["line 1"]);
}
