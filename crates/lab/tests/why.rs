//! Why a number is what it is: labs, questions, and the facts that must be among the answers.

use hookwalk_lab::{Session, why};

const REDIRECT: &str = "\
wire client eth0=10.0.0.2/24
host server eth0=10.0.0.1/24
link client:eth0 server:eth0
server# iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 8080
server# iptables -t nat -A OUTPUT
server# iptables -t nat -A POSTROUTING
server# iptables -A INPUT -p udp -j DROP
server# iptables -A OUTPUT -p tcp --sport 80
server$ listen tcp/8080
client> tcp 10.0.0.2:40000 > 10.0.0.1:80 S seq=1000
client> udp 10.0.0.2:5000 > 10.0.0.1:53 len=4
client> udp 10.0.0.2:5000 > 10.9.9.9:53 len=4
";

/// Asks, and looks for facts: a key, and values that it must carry.
#[track_caller]
fn check(lab: &str, question: &str, expected: &[(&str, &[(&str, &str)])]) {
    let mut session = Session::new(lab).expect("a lab");
    let asked = why::ask(&session, question).expect("a question");
    let answer = why::answer(&mut session, &asked);
    assert_eq!(session.position(), 0, "the position stays");
    let facts: Vec<_> = [&answer.headline]
        .into_iter()
        .chain(answer.reasons.iter().map(|r| &r.fact))
        .chain(&answer.remedies)
        .collect();
    for (key, values) in expected {
        let holds = facts
            .iter()
            .any(|f| f.key == *key && values.iter().all(|v| f.args.iter().any(|a| a.0 == v.0 && a.1 == v.1)));
        assert!(holds, "{question}: no {key} {values:?} in {facts:#?}");
    }
}

#[test]
fn nat_chains_stay_at_zero() {
    check(
        REDIRECT,
        "server nat POSTROUTING 1",
        &[
            ("why.rule_counts", &[("packets", "0")]),
            ("why.nat_decided", &[("by", "1"), ("packet_list", "2")]),
            ("remedy.count_elsewhere", &[("other", "mangle")]),
        ],
    );
}

#[test]
fn a_rule_that_counts() {
    check(
        REDIRECT,
        "server nat PREROUTING 1",
        &[("why.rule_counts", &[("packets", "1")]), ("why.counted", &[("packet_list", "1")])],
    );
}

#[test]
fn the_condition_that_failed() {
    check(
        REDIRECT,
        "server filter OUTPUT 1",
        &[("why.failed_match", &[("met", "sport 8080"), ("wanted", "-m tcp --sport 80")])],
    );
}

#[test]
fn dropped_before_nat_input() {
    check(
        REDIRECT,
        "server nat INPUT",
        &[("why.dropped_by_rule", &[("by_text", "-A INPUT -p udp -j DROP"), ("packet_list", "3")])],
    );
}

#[test]
fn forwarding_is_off() {
    check(
        REDIRECT,
        "packet 4",
        &[
            ("why.packet_dropped", &[]),
            ("drop.forwarding_off", &[]),
            ("remedy.forwarding", &[("command", "sysctl -w net.ipv4.ip_forward=1")]),
        ],
    );
}

#[test]
fn who_rewrote_it() {
    check(
        REDIRECT,
        "packet 1",
        &[("why.rewritten.destination", &[("old", "10.0.0.1:80"), ("new", "10.0.0.1:8080")])],
    );
    check(
        REDIRECT,
        "packet 2",
        &[("why.rewritten.source", &[("old", "10.0.0.1:8080"), ("new", "10.0.0.1:80")])],
    );
}

#[test]
fn questions_that_cannot_be_read() {
    let session = Session::new(REDIRECT).expect("a lab");
    for question in [
        "",
        "nobody nat OUTPUT",
        "server",
        "server nut",
        "server nat",
        "server nat NOWHERE",
        "server nat OUTPUT 9",
        "server nat OUTPUT x",
        "packet",
        "packet 0",
        "packet 99",
    ] {
        let asked = why::ask(&session, question).expect_err(question);
        assert!(!asked.message.is_empty(), "{question}");
    }
}

/// What each kind of condition met: the packet's own value for what the rule asks.
#[test]
fn the_value_that_was_met() {
    let rules = [
        ("-s 10.9.0.0/16", "why.failed_src", "10.0.0.2"),
        ("-d 10.9.0.0/16", "why.failed_dst", "10.0.0.1"),
        ("-i eth1", "why.failed_in", "eth0"),
        ("-p udp", "why.failed_proto", "tcp"),
        ("-p tcp --dport 443", "why.failed_match", "dport 80"),
        ("-p tcp --sport 1:1023 --dport 443", "why.failed_match", "sport 40000 dport 80"),
        ("-p tcp --tcp-flags SYN,ACK SYN,ACK", "why.failed_match", "flags SYN"),
        ("-p tcp -m multiport --dports 25,443", "why.failed_match", "dport 80"),
        ("-m conntrack --ctstate ESTABLISHED", "why.failed_match", "ctstate NEW"),
        ("-m conntrack --ctstate DNAT", "why.failed_match", "ctstate NEW"),
        ("-m conntrack --ctdir REPLY", "why.failed_match", "ctdir ORIGINAL"),
        ("-m mark --mark 7", "why.failed_match", "mark 0x0"),
        ("-m addrtype --src-type LOCAL", "why.failed_match", "src-type UNICAST"),
        ("-m ttl --ttl-lt 10", "why.failed_match", "ttl 64"),
        ("-m length --length 1000:2000", "why.failed_match", "length 40"),
        ("-m statistic --mode nth --every 2 --packet 1", "why.failed_bare", ""),
    ];
    for (rule, key, met) in rules {
        let lab = format!(
            "wire client eth0=10.0.0.2/24\nhost server eth0=10.0.0.1/24 eth1=10.1.0.1/24\nlink client:eth0 server:eth0\n\
             server# iptables -A INPUT {rule} -j DROP\nclient> tcp 10.0.0.2:40000 > 10.0.0.1:80 S seq=1000\n"
        );
        check(&lab, "server filter INPUT 1", &[(key, &[("met", met)])]);
    }
}

/// A number is explained as it stands at a position; what it becomes later is a fact with the place where it does.
#[test]
fn as_it_stands_at_a_position() {
    let mut session = Session::new(REDIRECT).expect("a lab");
    let asked = why::ask(&session, "server nat PREROUTING 1").expect("a question");
    let start = why::answer_at(&mut session, &asked, 0);
    let later = start.reasons.iter().find(|r| r.fact.key == "why.later").expect("it counts later");
    assert!(later.fact.args.contains(&("packets", "1".to_string())));
    let at = later.at.expect("a place");
    let then = why::answer_at(&mut session, &asked, at);
    assert!(then.headline.args.contains(&("packets", "1".to_string())), "{:?}", then.headline);
    assert!(then.reasons.iter().any(|r| r.fact.key == "why.counted"));
    let before = why::answer_at(&mut session, &asked, at - 1);
    assert!(before.headline.args.contains(&("packets", "0".to_string())), "{:?}", before.headline);
    assert!(why::answer(&mut session, &asked).reasons.iter().all(|r| r.fact.key != "why.later"));
}
