//! What a box printed becomes a lab: the texts of the tools, and what must stand in the lab or come of it.

use hookwalk_lab::paste::{Paste, Pasted};
use hookwalk_lab::{Run, parse};
use std::sync::Arc;

const ADDR: &str = "\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 1000
    inet 203.0.113.1/24 brd 203.0.113.255 scope global eth0
    inet6 fe80::1/64 scope link
3: br-lan@eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500
    inet 192.168.1.1/24 brd 192.168.1.255 scope global br-lan
4: veth1@if4: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500
";

fn pasted() -> Pasted {
    Pasted {
        addr: ADDR.into(),
        route: "default via 203.0.113.254 dev eth0 proto dhcp metric 100\n\
                192.168.1.0/24 dev br-lan proto kernel scope link src 192.168.1.1\n\
                10.8.0.0/16 via 192.168.1.8 dev br-lan\n\
                unreachable 10.9.0.0/16\n"
            .into(),
        iptables: "*nat\n-A PREROUTING -d 203.0.113.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 192.168.1.8:8080\nCOMMIT\n".into(),
        sysctl: "net.ipv4.ip_forward = 1\nnet.ipv4.tcp_rmem = 4096 131072 6291456\n".into(),
        sockets: "Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port\n\
                  tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\n\
                  udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\n"
            .into(),
        rule: "0:\tfrom all lookup local\n100:\tfrom all fwmark 0x1 lookup 7\n32766:\tfrom all lookup main\n".into(),
        conntrack: "udp      17 25 src=192.168.1.9 dst=9.9.9.9 sport=5000 dport=53 [UNREPLIED] src=9.9.9.9 dst=203.0.113.1 sport=53 dport=5000 mark=0 use=1\n".into(),
        talks: vec!["tcp 198.51.100.9 -> 203.0.113.1:80".into()],
        ..Pasted::default()
    }
}

/// The lab of a paste, run to its end, with everything that it printed.
#[track_caller]
fn run(pasted: &Pasted) -> (String, String) {
    let (lab, notes) = pasted.lab();
    assert!(notes.is_empty(), "{notes:?}");
    let text = lab.expect("a lab");
    let (lab, problems) = parse(&text);
    assert!(problems.is_empty(), "{problems:?} in\n{text}");
    let run = Run::to_end(Arc::new(lab));
    assert!(run.failures.is_empty(), "{:?} in\n{text}", run.failures);
    (text, run.transcript().to_string())
}

#[test]
fn a_box_in_three_pastes() {
    let (lab, printed) = run(&pasted());
    for line in [
        "host box eth0=203.0.113.1/24 br-lan=192.168.1.1/24",
        "wire net0_eth0 eth0=203.0.113.254/24 gw=203.0.113.1",
        "wire net1_br_lan eth0=192.168.1.8/24 gw=192.168.1.1",
        "box# sysctl -qw net.ipv4.ip_forward=1",
        "box# ip route add default via 203.0.113.254 dev eth0 metric 100",
        "box# ip route add 10.8.0.0/16 via 192.168.1.8 dev br-lan",
        "box# ip route add unreachable 10.9.0.0/16",
        "box# ip rule add pref 100 from all fwmark 0x1 lookup 7",
        "box$ listen tcp/22",
        // The rules decide who answers: the wire behind DNAT.
        "net1_br_lan> reply",
        "net0_eth0> reply P. len=100",
    ] {
        assert!(lab.lines().any(|l| l == line), "{line} is not in\n{lab}");
    }
    for part in [
        "src=198.51.100.9 dst=203.0.113.1 sport=40000 dport=80 src=192.168.1.8 dst=198.51.100.9 sport=8080 dport=40000 [ASSURED]",
        "src=192.168.1.9 dst=9.9.9.9 sport=5000 dport=53 [UNREPLIED]",
    ] {
        assert!(printed.contains(part), "{part} is not in\n{printed}");
    }
}

#[test]
fn what_cannot_be_used_is_said() {
    let mut pasted = pasted();
    pasted.talks = vec![
        "tcp 1.2.3.4 to 5.6.7.8".into(),
        "sctp 1.2.3.4 -> 5.6.7.8:9".into(),
        "tcp 1.2.3.4 -> 5.6.7.8".into(),
    ];
    pasted.route = "10.0.0.0/8 via 1.1.1.1 dev tun9\n".into();
    let (lab, notes) = pasted.lab();
    assert!(lab.is_some());
    let places: Vec<(Paste, u32)> = notes.iter().map(|n| (n.paste, n.diagnostic.line)).collect();
    assert_eq!(places, [(Paste::Route, 1), (Paste::Talk, 1), (Paste::Talk, 2), (Paste::Talk, 3)]);
}

#[test]
fn no_address_no_lab() {
    let (lab, notes) = Pasted { iptables: "*filter\nCOMMIT\n".into(), ..Pasted::default() }.lab();
    assert!(lab.is_none());
    assert_eq!(notes[0].paste, Paste::Addr);
}

/// What a terminal leaves around the output changes nothing: prompts, colours, line ends of other systems.
#[test]
fn as_copied_from_a_terminal() {
    let clean = pasted();
    let messy = |text: &str, command: &str| {
        let lines: Vec<String> = text.lines().map(|l| format!("\u{1b}[32m{l}\u{1b}[0m\r\n")).collect();
        format!("root@box:~# {command}\r\n{}root@box:~# ", lines.concat())
    };
    let copied = Pasted {
        iptables: messy(&clean.iptables, "iptables-save -c"),
        addr: messy(&clean.addr, "ip addr"),
        route: messy(&clean.route, "sudo ip route"),
        sockets: messy(&clean.sockets, "ss -lntu"),
        sysctl: messy(&clean.sysctl, "sysctl -a"),
        ..clean.clone()
    };
    let lines = |pasted: &Pasted| -> Vec<String> {
        let (lab, notes) = pasted.lab();
        assert_eq!(notes, []);
        lab.unwrap_or_default().lines().filter(|l| !l.trim().is_empty()).map(str::to_string).collect()
    };
    assert_eq!(lines(&copied), lines(&clean));
}
