//! Small labs and what they print.

use hookwalk_lab::{Run, parse};
use std::sync::Arc;

const NETWORK: &str = "\
wire client eth0=10.0.0.2/24 gw=10.0.0.1
wire server eth0=10.1.0.2/24
host router eth0=10.0.0.1/24 eth1=10.1.0.1/24
link client:eth0 router:eth0
link server:eth0 router:eth1
";

#[track_caller]
fn run(text: &str) -> Run {
    let (lab, diagnostics) = parse(text);
    assert_eq!(diagnostics, [], "{text}");
    Run::to_end(Arc::new(lab))
}

/// The transcript of these lines on the usual network.
#[track_caller]
fn check(lines: &str, expected: &str) {
    let run = run(&format!("{NETWORK}{lines}"));
    assert_eq!(run.failures, []);
    assert_eq!(run.transcript().to_string(), expected, "{lines}");
}

#[test]
fn a_host_answers_an_echo_request() {
    check(
        "client> icmp 10.0.0.2 > 10.0.0.1 echo-request id=7 seq=1 len=8\nclient# frames\nrouter# frames eth0\n",
        "client# frames\n\
         eth0 out icmp 10.0.0.2 > 10.0.0.1 8/0 id=7 seq=1 ttl=64\n\
         eth0 in  icmp 10.0.0.1 > 10.0.0.2 0/0 id=7 seq=1 ttl=64\n\
         router# frames eth0\n\
         eth0 in  icmp 10.0.0.2 > 10.0.0.1 8/0 id=7 seq=1 ttl=64\n\
         eth0 out icmp 10.0.0.1 > 10.0.0.2 0/0 id=7 seq=1 ttl=64\n",
    );
}

#[test]
fn wires_reply_and_quote() {
    check(
        "client> reply\n\
         router# sysctl -qw net.ipv4.ip_forward=1\n\
         client> tcp 10.0.0.2:4000 > 10.1.0.2:80 S seq=9\n\
         server> reply S.\n\
         server> icmp 10.1.0.2 > 10.0.0.2 port-unreachable re=last\n\
         client# frames\n",
        "client# frames\n\
         eth0 out tcp 10.0.0.2:4000 > 10.1.0.2:80 S seq=9 ack=0 len=0 ttl=64\n\
         eth0 in  tcp 10.1.0.2:80 > 10.0.0.2:4000 S. seq=5000 ack=10 len=0 ttl=63\n\
         eth0 in  icmp 10.1.0.2 > 10.0.0.2 3/3 ttl=63 (tcp 10.0.0.2:4000 > 10.1.0.2:80)\n",
    );
}

#[test]
fn hosts_listen_and_send() {
    check(
        "router$ listen udp/53 echo\n\
         client> udp 10.0.0.2:4000 > 10.0.0.1:53 len=3\n\
         router> udp 10.0.0.1:9 > 10.0.0.2:9 len=1\n\
         router> icmp 10.0.0.1 > 10.0.0.77 echo-request\n\
         client# frames\n",
        "client# frames\n\
         eth0 out udp 10.0.0.2:4000 > 10.0.0.1:53 len=3 ttl=64\n\
         eth0 in  udp 10.0.0.1:53 > 10.0.0.2:4000 len=3 ttl=64\n\
         eth0 in  udp 10.0.0.1:9 > 10.0.0.2:9 len=1 ttl=64\n",
    );
}

#[test]
fn commands_that_fail() {
    let run = run(&format!("{NETWORK}router# nosuch --tool\nclient# frames eth7\n"));
    assert_eq!(run.failures.len(), 1);
    assert_eq!((run.failures[0].line, run.failures[0].diagnostic.col), (6, 9));
    let transcript = run.transcript().to_string();
    assert!(transcript.contains("[exit 125]"), "{transcript}");
    assert!(transcript.ends_with("frames: there is no interface eth7\n[exit 1]\n"), "{transcript}");
}

#[test]
fn expectations() {
    let text = "client> icmp 10.0.0.2 > 10.0.0.1 echo-request id=7 seq=1\nclient# frames\n\
        expect eth0 in icmp 10.0.0.1 > 10.0.0.2 0/0 id=7 seq=1 ttl=64\n\
        expect eth0 in icmp 10.0.0.1 > 10.0.0.2 0/0 id=7 seq=1 ttl=63\n\
        expect ! eth0 in icmp 10.0.0.1 > 10.0.0.2 0/0 id=7 seq=1 ttl=63\n\
        expect ! eth0 in icmp 10.0.0.1 > 10.0.0.2 0/0 id=7 seq=1 ttl=64\n";
    let run = run(&format!("{NETWORK}{text}"));
    let messages: Vec<String> = run.failures.iter().map(|f| f.diagnostic.to_string()).collect();
    assert_eq!(
        messages,
        [
            "9:8: no such line (nearest is: eth0 in  icmp 10.0.0.1 > 10.0.0.2 0/0 id=7 seq=1 ttl=64)",
            "11:10: this line is there, and should not be"
        ]
    );
}

#[test]
fn endless_labs_end() {
    let text = "host a eth0=10.0.0.1/24\nhost b eth0=10.0.0.2/24\nlink a:eth0 b:eth0\n\
        a$ listen udp/7 echo\nb$ listen udp/7 echo\na> udp 10.0.0.1:7 > 10.0.0.2:7 len=1\nsay on\n";
    let run = run(text);
    assert_eq!(run.failures.len(), 1);
    assert_eq!(run.failures[0].diagnostic.message, "this does not come to rest");
    assert!(run.is_over());
    // Many such lines share what a whole lab may take; those after it do not run.
    let many = format!("{text}{}", "a> udp 10.0.0.1:7 > 10.0.0.2:7 len=1\n".repeat(9));
    let run = self::run(&many);
    assert!(run.failures.len() <= 4 && run.is_over(), "{:?}", run.failures);
}

#[test]
fn packets_together_take_turns() {
    let text = format!(
        "{NETWORK}router$ listen udp/53 echo\nclient> udp 10.0.0.2:1 > 10.0.0.1:53 len=1 &\n\
         client> udp 10.0.0.2:2 > 10.0.0.1:53 len=2 &\nclient> udp 10.0.0.2:3 > 10.0.0.1:53 len=3\nclient# frames\n"
    );
    let (lab, _) = parse(&text);
    let mut run = Run::new(Arc::new(lab));
    let mut most = 0;
    let mut sink = Vec::new();
    while run.step(&mut sink) {
        most = most.max(run.world.flights().count());
    }
    assert_eq!(most, 3, "three packets are in the router at once");
    assert_eq!(run.transcript().blocks[0].lines.len(), 6);
}

#[test]
fn clients_on_hosts() {
    let text = "host a eth0=10.0.0.1/24 gw=10.0.0.2\nhost b eth0=10.0.0.2/24\nlink a:eth0 b:eth0\n\
        a$ ping -c 2 10.0.0.2\nb$ listen tcp/22\na$ nc -z 10.0.0.2 22\na$ nc -zv 10.0.0.2 23\n\
        a$ curl -m 2 http://10.0.0.2:22/\na$ ping -c 1 -W 1 10.9.0.9\n";
    let run = run(text);
    assert_eq!(run.failures, []);
    assert_eq!(
        run.transcript().to_string(),
        "a$ ping -c 2 10.0.0.2\n\
         PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.\n\
         64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.000 ms\n\
         64 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=0.000 ms\n\
         \n\
         --- 10.0.0.2 ping statistics ---\n\
         2 packets transmitted, 2 received, 0% packet loss, time 1000ms\n\
         rtt min/avg/max/mdev = 0.000/0.000/0.000/0.000 ms\n\
         a$ nc -zv 10.0.0.2 23\n\
         nc: connect to 10.0.0.2 port 23 (tcp) failed: Connection refused\n\
         [exit 1]\n\
         a$ curl -m 2 http://10.0.0.2:22/\n\
         curl: (28) Operation timed out after 2000 milliseconds with 0 bytes received\n\
         [exit 28]\n\
         a$ ping -c 1 -W 1 10.9.0.9\n\
         PING 10.9.0.9 (10.9.0.9) 56(84) bytes of data.\n\
         \n\
         --- 10.9.0.9 ping statistics ---\n\
         1 packets transmitted, 0 received, 100% packet loss, time 0ms\n\
         \n\
         [exit 1]\n"
    );
}

#[test]
fn packets_together_clash_at_confirm() {
    let text = format!(
        "{NETWORK}router$ listen udp/53\nrouter# iptables -A INPUT -m conntrack --ctstate NEW\n\
         client> udp 10.0.0.2:5000 > 10.0.0.1:53 len=1 &\nclient> udp 10.0.0.2:5000 > 10.0.0.1:53 len=2\n\
         router# conntrack -S\n\
         client> tcp 10.0.0.2:5000 > 10.0.0.1:53 S &\nclient> tcp 10.0.0.2:5000 > 10.0.0.1:53 S\n\
         router# conntrack -S\nrouter# iptables-save -c\n"
    );
    let run = run(&text);
    let printed: Vec<String> = run.transcript().blocks.iter().map(|b| b.lines[0].clone()).collect();
    // UDP: the second adopts the first one's entry. TCP: the second is dropped.
    assert!(
        printed[0].contains(" insert_failed=0 drop=0 ") && printed[0].contains(" clash_resolve=1 "),
        "{printed:?}"
    );
    assert!(printed[1].contains(" insert_failed=1 drop=1 "), "{printed:?}");
    assert!(run.transcript().to_string().contains("[4:139] -A INPUT"), "all four were NEW");
}

#[test]
fn a_neighbour_that_does_not_exist() {
    let lines = "router# sysctl -qw net.ipv4.ip_forward=1\n\
        client> udp 10.0.0.2:1 > 10.1.0.77:9 len=1\nsleep 2\nclient> udp 10.0.0.2:2 > 10.1.0.77:9 len=1\n\
        sleep 1\nclient# frames\nsleep 1\nclient# frames\n";
    let asked = "client# frames\n\
        eth0 out udp 10.0.0.2:1 > 10.1.0.77:9 len=1 ttl=64\neth0 out udp 10.0.0.2:2 > 10.1.0.77:9 len=1 ttl=64\n";
    check(
        lines,
        &format!(
            "{asked}{asked}eth0 in  icmp 10.0.0.1 > 10.0.0.2 3/1 ttl=64 (udp 10.0.0.2:1 > 10.1.0.77:9)\n\
             eth0 in  icmp 10.0.0.1 > 10.0.0.2 3/1 ttl=64 (udp 10.0.0.2:2 > 10.1.0.77:9)\n"
        ),
    );
}
