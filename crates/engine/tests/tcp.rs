//! The TCP tracker, conversation by conversation: each line is a packet, what `--ctstate` says of it, and the entry's
//! state and timeout afterwards. Expectations were observed on Linux 6.18 where a comment does not say otherwise.

mod common;

use common::Bare;
use hookwalk_engine::conntrack::Direction::{self, Original, Reply};
use hookwalk_engine::conntrack::TcpConntrack::{self, *};
use hookwalk_engine::conntrack::tcp::{Class, Next, next};

/// One line: `c ...` from the client or `s ...` from the server, ` -> STATE ENTRY`, where the entry is as
/// `ESTABLISHED 432000 [ASSURED]`, or `none`.
#[track_caller]
fn check(script: &str) {
    check_on(Bare::new(), script);
}

#[track_caller]
fn check_on(mut host: Bare, script: &str) {
    for line in script.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("//")) {
        if let Some(seconds) = line.strip_prefix("sleep ") {
            host.sleep((seconds.parse::<f64>().expect("seconds") * 1000.0) as u64);
            continue;
        }
        let (packet, expected) = line.split_once(" -> ").expect("an expectation");
        let (who, rest) = packet.split_at(1);
        let ends = match who {
            "c" => "10.0.1.2:1000 > 10.0.2.2:80",
            _ => "10.0.2.2:80 > 10.0.1.2:1000",
        };
        let seen = host.forward(&format!("tcp {ends}{rest}"));
        let entry = match host.table().first() {
            Some(line) => {
                let words: Vec<&str> = line.split(' ').collect();
                let assured = if line.ends_with("[ASSURED]") { " [ASSURED]" } else { "" };
                format!("{} {}{assured}", words[2], words[1])
            }
            Option::None => "none".to_owned(),
        };
        assert_eq!(format!("{} {entry}", seen.state), expected, "after: {line}");
    }
}

const HANDSHAKE: &str = "
    c S seq=100 -> NEW SynSent 120
    s S. seq=500 ack=101 -> ESTABLISHED SynRecv 60
    c . seq=101 ack=501 -> ESTABLISHED Established 432000 [ASSURED]
";

#[test]
fn a_connection_opens_talks_and_closes() {
    check(&format!(
        "{HANDSHAKE}
        c P. seq=101 ack=501 len=10 -> ESTABLISHED Established 300 [ASSURED]
        s . seq=501 ack=111 -> ESTABLISHED Established 432000 [ASSURED]
        c F. seq=111 ack=501 -> ESTABLISHED FinWait 120 [ASSURED]
        s . seq=501 ack=112 -> ESTABLISHED CloseWait 60 [ASSURED]
        s F. seq=501 ack=112 -> ESTABLISHED LastAck 30 [ASSURED]
        c . seq=112 ack=502 -> ESTABLISHED TimeWait 120 [ASSURED]
        c S seq=9000 -> NEW SynSent 120"
    ));
}

#[test]
fn a_syn_sent_again_does_not_prolong_the_wait() {
    check(
        "c S seq=100 -> NEW SynSent 120
        sleep 5
        c S seq=100 -> NEW SynSent 115
        s S. seq=500 ack=101 -> ESTABLISHED SynRecv 60
        sleep 5
        s S. seq=500 ack=101 -> ESTABLISHED SynRecv 55",
    );
}

#[test]
fn a_first_packet_must_be_one_that_can_begin() {
    check("c . seq=1 ack=1 -> NEW Established 300");
    check("c P. seq=1 ack=1 len=5 -> NEW Established 300");
    for flags in ["F.", "R", "R.", "S.", "FS", "F", "U", "P", "FPU", "SR"] {
        check(&format!("c {flags} seq=1 ack=1 -> INVALID none"));
    }
    check("c seq=1 -> INVALID none");
    let mut strict = Bare::new();
    strict.net.sysctl.ct_tcp_loose = false;
    check_on(strict, "c . seq=1 ack=1 -> INVALID none");
}

#[test]
fn a_connection_picked_up_in_the_middle_is_assured_by_the_third_packet() {
    check(
        "c . seq=1000 ack=2000 -> NEW Established 300
        s P. seq=2000 ack=1000 len=10 -> ESTABLISHED Established 300
        c . seq=1000 ack=2010 -> ESTABLISHED Established 432000 [ASSURED]",
    );
}

#[test]
fn a_reset_is_believed_by_its_number() {
    // Data was exchanged, so each side has acknowledged something.
    let talk = format!(
        "{HANDSHAKE}
        c P. seq=101 ack=501 len=10 -> ESTABLISHED Established 300 [ASSURED]
        s . seq=501 ack=111 -> ESTABLISHED Established 432000 [ASSURED]"
    );
    check(&format!("{talk}\n c R seq=111 -> ESTABLISHED Close 10 [ASSURED]"));
    check(&format!("{talk}\n c R seq=211 -> ESTABLISHED Established 10 [ASSURED]"));
    check(&format!("{talk}\n c R seq=11 -> INVALID Established 432000 [ASSURED]"));
    let mut lenient = Bare::new();
    lenient.net.sysctl.ct_tcp_ignore_invalid_rst = true;
    check_on(lenient, &format!("{talk}\n c R seq=110 -> ESTABLISHED Established 10 [ASSURED]"));
}

#[test]
fn a_reset_before_any_other_answer_ends_the_entry() {
    check("c S seq=100 -> NEW SynSent 120\n s R. seq=0 ack=101 -> ESTABLISHED none");
    check("c S seq=100 -> NEW SynSent 120\n c R seq=101 -> NEW none");
}

#[test]
fn a_reset_may_answer_a_challenge() {
    check(
        "c S seq=1000 -> NEW SynSent 120
        s P. seq=4961 ack=1101 len=20 -> ESTABLISHED SynSent 120
        c R seq=1101 -> ESTABLISHED Close 10",
    );
}

#[test]
fn a_closed_connection_reopens_only_if_it_was_surely_closed() {
    let close = format!(
        "{HANDSHAKE}
        c R seq=101 -> ESTABLISHED Close 10 [ASSURED]"
    );
    check(&format!("{close}\n c S seq=9000 -> NEW SynSent 120"));
    // Late data from the server: the last packet is no longer the client's RST.
    check(&format!(
        "{close}
        s P. seq=501 ack=101 len=5 -> ESTABLISHED Close 10 [ASSURED]
        c S seq=9000 -> ESTABLISHED Close 10 [ASSURED]"
    ));
}

#[test]
fn both_ends_may_begin() {
    check(
        "c S seq=100 -> NEW SynSent 120
        s S seq=500 -> ESTABLISHED SynSent2 120
        c S. seq=100 ack=501 -> ESTABLISHED SynRecv 60
        s . seq=501 ack=101 -> ESTABLISHED Established 432000 [ASSURED]",
    );
}

#[test]
fn a_syn_that_was_ignored_may_turn_out_to_be_true() {
    check(&format!(
        "{HANDSHAKE}
        c S seq=9000 win=1000 -> ESTABLISHED Established 432000 [ASSURED]
        s S. seq=7000 ack=9001 -> ESTABLISHED SynRecv 60 [ASSURED]
        c . seq=9001 ack=7001 -> ESTABLISHED Established 432000 [ASSURED]"
    ));
}

#[test]
fn a_challenge_says_nothing_about_the_fin() {
    check(&format!(
        "{HANDSHAKE}
        s F. seq=501 ack=101 -> ESTABLISHED FinWait 120 [ASSURED]
        c F. seq=101 ack=502 -> ESTABLISHED LastAck 30 [ASSURED]
        c S seq=9000 -> ESTABLISHED LastAck 30 [ASSURED]
        s . seq=502 ack=102 -> ESTABLISHED LastAck 30 [ASSURED]
        s . seq=502 ack=102 -> ESTABLISHED TimeWait 120 [ASSURED]"
    ));
}

#[test]
fn segments_must_fit_the_window() {
    let talk = format!(
        "{HANDSHAKE}
        c P. seq=101 ack=501 len=10 -> ESTABLISHED Established 300 [ASSURED]
        s . seq=501 ack=111 win=1000 -> ESTABLISHED Established 432000 [ASSURED]"
    );
    // Acknowledges what was never sent.
    check(&format!("{talk}\n c . seq=111 ack=90000 -> INVALID Established 432000 [ASSURED]"));
    // Far beyond what the server allows.
    check(&format!("{talk}\n c P. seq=900000 ack=501 len=5 -> INVALID Established 432000 [ASSURED]"));
    // An old segment again: passes, refreshes nothing.
    check(&format!(
        "{talk}
        sleep 3
        c P. seq=4294900000 ack=501 len=5 -> ESTABLISHED Established 431997 [ASSURED]"
    ));
    let mut liberal = Bare::new();
    liberal.net.sysctl.ct_tcp_be_liberal = true;
    check_on(liberal, &format!("{talk}\n c . seq=111 ack=90000 -> ESTABLISHED Established 432000 [ASSURED]"));
}

#[test]
fn a_window_of_zero_and_repeated_acknowledgements_shorten_the_wait() {
    check(&format!("{HANDSHAKE}\n s . seq=501 ack=101 win=0 -> ESTABLISHED Established 300 [ASSURED]"));
    check(&format!(
        "{HANDSHAKE}
        s . seq=501 ack=101 -> ESTABLISHED Established 432000 [ASSURED]
        s . seq=501 ack=101 -> ESTABLISHED Established 432000 [ASSURED]
        s . seq=501 ack=101 -> ESTABLISHED Established 432000 [ASSURED]
        s . seq=501 ack=101 -> ESTABLISHED Established 300 [ASSURED]"
    ));
}

#[test]
fn an_entry_expires_and_the_next_packet_begins_anew() {
    check(
        "c S seq=100 -> NEW SynSent 120
        sleep 119.9
        s S. seq=500 ack=101 -> ESTABLISHED SynRecv 60
        sleep 60
        c . seq=101 ack=501 -> NEW Established 300",
    );
}

/// One line of the state machine as the netfilter documents draw it: `sXX` by old state, IG ignored, IV invalid.
#[track_caller]
fn check_row(dir: Direction, class: Class, row: &str) {
    let states =
        [None, SynSent, SynRecv, Established, FinWait, CloseWait, LastAck, TimeWait, Close, SynSent2];
    let name = |s: TcpConntrack| ["NO", "SS", "SR", "ES", "FW", "CW", "LA", "TW", "CL", "S2"][s as usize];
    let ours: Vec<&str> = states
        .iter()
        .map(|from| match next(dir, class, *from) {
            Next::To(state) => name(state),
            Next::Ignore => "IG",
            Next::Invalid => "IV",
        })
        .collect();
    assert_eq!(ours.join(" "), row, "{dir:?} {class:?}");
}

#[test]
fn the_state_machine_is_the_kernels() {
    check_row(Original, Class::Syn, "SS SS IG IG IG IG IG SS SS S2");
    check_row(Original, Class::SynAck, "IV IV SR IV IV IV IV IV IV SR");
    check_row(Original, Class::Fin, "IV IV FW FW LA LA LA TW CL IV");
    check_row(Original, Class::Ack, "ES IV ES ES CW CW TW TW CL IV");
    check_row(Original, Class::Rst, "IV CL CL CL CL CL CL CL CL CL");
    check_row(Original, Class::None, "IV IV IV IV IV IV IV IV IV IV");
    check_row(Reply, Class::Syn, "IV S2 IV IV IV IV IV SS IV S2");
    check_row(Reply, Class::SynAck, "IV SR IG IG IG IG IG IG IG SR");
    check_row(Reply, Class::Fin, "IV IV FW FW LA LA LA TW CL IV");
    check_row(Reply, Class::Ack, "IV IG SR ES CW CW TW TW CL IG");
    check_row(Reply, Class::Rst, "IV CL CL CL CL CL CL CL CL CL");
    check_row(Reply, Class::None, "IV IV IV IV IV IV IV IV IV IV");
}
