//! Lab files that are right, and lab files that are wrong in every way that we could think of.

use hookwalk_lab::file::{Statement, StationKind, Text};
use hookwalk_lab::{parse, parse_bytes};

const NETWORK: &str =
    "wire client eth0=10.0.0.2/24\nhost server eth0=10.0.0.1/24\nlink client:eth0 server:eth0\n";

/// The messages for a text, one a line.
fn messages(text: &str) -> String {
    let (_, diagnostics) = parse(text);
    diagnostics.iter().map(|d| format!("{d}\n")).collect()
}

#[track_caller]
fn check_error(text: &str, expected: &str) {
    assert_eq!(messages(text).trim_end(), expected, "{text}");
}

/// With the usual network above, whose three lines make the text's first line number 4.
#[track_caller]
fn check_line(line: &str, expected: &str) {
    check_error(&format!("{NETWORK}{line}\n"), expected);
}

#[test]
fn a_whole_lab() {
    let text = "\u{feff}title T\r\ntitle[zh] 题\n# comment\n\n  about one\nabout two\n\
        host r eth0=10.0.0.1/24,fd00::1/64 br-1=10.1.0.1/16 gw=10.0.0.254,fd00::fe\n\
        wire c eth0=10.0.0.2/24\nlink c:eth0 r:eth0\n\
        r# iptables-restore -c <<'E F'\n*filter\n# kept\nCOMMIT\nE F\n\
        c> udp 10.0.0.2:1 > 10.0.0.1:2 &\nc> reply . \nsleep 1.5\nsay a\nsay[zh] b\nsay c\n\
        ask 1 + 1 = 2 ? = yes\nask[zh] x = 是\nr# iptables-save\nexpect ! -A  x\nexpect !x\n";
    let (lab, diagnostics) = parse(text);
    assert_eq!(diagnostics, []);
    assert_eq!((lab.title("zh-Hant"), lab.title("en")), (Some("题"), Some("T")));
    assert_eq!(lab.abouts.len(), 2);
    assert_eq!(lab.stations[0].kind, StationKind::Host);
    assert_eq!(lab.stations[0].ifaces[0].addrs.len(), 2);
    assert_eq!(lab.stations[0].gateways.len(), 2);
    assert_eq!(lab.links[0].ends.len(), 2);
    let source: Vec<&str> = lab.lines.iter().map(|l| lab.source(l)).collect();
    assert_eq!(source[0], "r# iptables-restore -c <<'E F'");
    assert_eq!(source[2], "c> reply .");
    match &lab.lines[0].what {
        Statement::Command { words, stdin, .. } => {
            assert_eq!(stdin.as_deref(), Some("*filter\n# kept\nCOMMIT\n"));
            assert_eq!(&source[0][words[1].span.clone()], "-c");
        }
        other => panic!("{other:?}"),
    }
    let whats: Vec<&Statement> = lab.lines[1..].iter().map(|l| &l.what).collect();
    assert!(matches!(whats[0], Statement::Packet { together: true, .. }));
    assert!(matches!(whats[1], Statement::Packet { together: false, .. }));
    assert!(matches!(whats[2], Statement::Sleep(d) if d.0 == 1_500_000_000));
    assert!(matches!(whats[3], Statement::Say(t) if t.len() == 2 && Text::pick(t, "zh") == Some("b")));
    assert!(matches!(whats[4], Statement::Say(t) if t.len() == 1));
    assert!(
        matches!(whats[5], Statement::Ask(q) if q.len() == 2 && q[0].text.text == "1 + 1 = 2 ?" && q[0].answer == "yes")
    );
    assert!(matches!(whats[7], Statement::Expect { not: true, line } if line == "-A  x"));
    assert!(matches!(whats[8], Statement::Expect { not: false, line } if line == "!x"));
    assert_eq!(&*lab.text, text);
}

#[test]
fn statements() {
    check_line("sey hello", "4:1: unknown statement sey (did you mean say?)");
    check_line("client > udp", "4:1: unknown statement client (no blank between client and its # or $ or >)");
    check_line(
        "  !x",
        "4:3: unknown statement !x (a line begins with a keyword, or with NAME#, NAME$ or NAME>)",
    );
    check_line("say", "4:4: the text is missing");
    check_line("say[z!] x", "4:5: not a language tag (BCP 47, as in say[zh] or say[pt-BR])");
    check_line("sleep[zh] 1", "4:1: sleep has no language (title, about, say and ask may have one)");
    check_line(
        "say[zh x",
        "4:1: unknown statement say[ (a line begins with a keyword, or with NAME#, NAME$ or NAME>)",
    );
    check_line("sleep", "4:6: not a number of seconds (for example: sleep 30, or sleep 0.5)");
    check_line("sleep -1", "4:7: not a number of seconds (for example: sleep 30, or sleep 0.5)");
    check_line(
        "sleep 9999999999",
        "4:7: at most nine digits before and after the point (for example: sleep 30, or sleep 0.5)",
    );
    check_line("ask why", "4:4: the answer is missing (ask QUESTION = ANSWER)");
    check_line(
        "expect x",
        "4:1: no command stands above this expect (expect speaks of the output of the nearest command above it)",
    );
    check_line(
        "server# frames\nexpect !",
        "5:7: expect needs a line (the output of the command above must contain it)",
    );
    check_line("title a\ntitle b", "5:1: a second title (use about for more text)");
}

#[test]
fn stations_and_links() {
    check_line("sever# frames", "4:1: no station is called sever (did you mean server?)");
    check_line("x# frames", "4:1: no station is called x (declare it with host or wire)");
    check_line("server#", "4:8: the command is missing");
    check_line("client>", "4:8: the packet is missing (for example: tcp 10.0.0.2:40000 > 10.0.0.1:80 S)");
    check_line(
        "client$ ping 10.0.0.1",
        "4:9: client is a wire: it runs no programs (a wire knows frames and tcpdump; declare it as a host to run more)",
    );
    check_line(
        "server# echo a | b",
        "4:16: one simple command a line: no pipes, lists or redirections (quote it if it belongs to a word)",
    );
    check_line(
        "client> udp 10.0.0.2:1 > 10.0.0.1:2 &",
        "4:37: no packet follows that could be in flight with this one (& joins a packet line to the packet line after it)",
    );
    check_line("host", "4:5: the name is missing (for example: host server eth0=10.0.0.1/24 gw=10.0.0.254)");
    check_line("host 9a", "4:6: 9a is no name for a station (letters, digits and _, a letter first)");
    check_line("wire server", "4:6: a second station called server (line 2 declares it)");
    check_line(
        "wire a eth0=10.0.0.1",
        "4:13: 10.0.0.1 is no address with length (ADDR/LEN, for example 10.0.0.1/24 or fd00::1/64)",
    );
    check_line(
        "wire a eth0=10.0.0.1/24,",
        "4:25:  is no address with length (ADDR/LEN, for example 10.0.0.1/24 or fd00::1/64)",
    );
    check_line(
        "wire a eth0=10.0.0.1/33",
        "4:13: 10.0.0.1/33 is no address with length (ADDR/LEN, for example 10.0.0.1/24 or fd00::1/64)",
    );
    check_line("wire a lo=10.0.0.1/33", "4:8: lo is always there (leave it out)");
    check_line(
        "wire a abcdefghijklmnop=10.0.0.1/8",
        "4:8: abcdefghijklmnop=10.0.0.1/8 is no interface (IF=ADDR/LEN; a name has at most 15 characters, without : and /)",
    );
    check_line(
        "wire a e=10.0.0.1/8 e=10.0.0.2/8",
        "4:21: a second interface e (give all its addresses at once)",
    );
    check_line("wire a gw=x", "4:11: x is no address (gw=ADDR[,ADDR], for example gw=10.0.0.1)");
    check_line(
        "wire a gw=1.1.1.1,1.1.1.2",
        "4:19: a second default gateway of this family (add further routes with ip route)",
    );
    check_line("link client:eth0", "4:6: client:eth0 has a link already (line 3 links it)");
    check_line(
        "wire a e0=10.9.0.1/8\nlink a:e0",
        "5:5: a link needs two interfaces or more (link A:IF B:IF [C:IF …])",
    );
    check_line(
        "link a",
        "4:6: a names no interface (link A:IF B:IF, for example: link client:eth0 server:eth0)",
    );
    check_line("link clent:eth0 b:eth0", "4:6: no station is called clent (did you mean client?)");
    check_line("link client:eth1 b:eth0", "4:6: client has no interface eth1 (client has eth0)");
}

#[test]
fn hopeless_files() {
    check_line(
        "server# iptables-restore <<EOF\n*filter\n",
        "4:28: the file ends before the line EOF (standard input ends with a line that is only EOF)",
    );
    check_error("say a\0b", "1:6: control character U+0000 (a lab is plain text)");
    check_error(
        &format!("say {}", "x".repeat(10 << 20)),
        "1:1048577: a line of 10485764 bytes (a line has at most 1048576 bytes)",
    );
    let d = parse_bytes(b"say \xe6\x95\xb0\nsay \xe6\x95\xb0\xff").unwrap_err();
    assert_eq!(d[0].to_string(), "2:6: byte 0xff is not UTF-8 (save the file as UTF-8)");
    assert_eq!(parse_bytes(&b"x y\n".repeat(100_000)).unwrap_err().len(), 50);
    let long = "x".repeat(5000);
    assert!(messages(&format!("{long} y\n{long}# a\n=\u{1F600}{long}")).len() < 600);
}

/// Cuts and small damages of a good lab: whatever comes out, nothing panics.
#[test]
fn damage_never_panics() {
    let text = format!(
        "title[zh] 题\n{NETWORK}server# iptables-restore <<E\n*nat\nE\nclient> reply S. &\nclient> reply .\n\
        sleep 1.5\nask[zh] 问 = 答\nserver# frames \"é\"\nexpect ! é\n"
    );
    for cut in 0..text.len() {
        let _ = parse_bytes(&text.as_bytes()[..cut]);
        for bad in [b'\0', b'\n', b' ', b'[', b'=', b':', b'"', b'<', b'&', b'#', 0xff] {
            let mut bytes = text.clone().into_bytes();
            bytes[cut] = bad;
            let _ = parse_bytes(&bytes);
        }
    }
}
