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
        &[(
            "why.failed_match",
            &[("met", "10.0.0.1:8080 > 10.0.0.2:40000"), ("wanted", "-m tcp --sport 80")],
        )],
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
