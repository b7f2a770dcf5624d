//! The first packet that takes another way after a change.

use hookwalk_lab::Session;
use hookwalk_lab::diverge::diverge;
use hookwalk_lab::facts::Scene;

const LAB: &str = "\
wire client eth0=10.0.0.2/24
host server eth0=10.0.0.1/24
link client:eth0 server:eth0
server$ listen tcp/80
server# iptables -A INPUT -m conntrack --ctstate INVALID -j DROP
client> tcp 10.0.0.2:40000 > 10.0.0.1:80 S seq=1000
client> reply .
client> tcp 10.0.0.2:40001 > 10.0.0.1:81 S seq=1000
";

/// Replaces a piece of the lab; what is told of the two events, or `nothing`.
fn check(from: &str, to: &str, expected: &str) {
    assert!(LAB.contains(from));
    let before = Session::new(LAB).unwrap_or_else(|d| panic!("{d:?}"));
    let after = Session::new(&LAB.replacen(from, to, 1)).unwrap_or_else(|d| panic!("{d:?}"));
    let told = diverge(&before, &after).map_or("nothing".to_string(), |d| {
        let key = |session: &Session, at: Option<usize>| match at
            .and_then(|n| session.records(n..n + 1).first().copied())
        {
            None => "–".to_string(),
            Some(r) => {
                let world = session.world();
                Scene { lab: session.lab(), world, before: None, skb: None }
                    .tell(&r.what, r.line)
                    .key
                    .to_string()
            }
        };
        let number = |p: Option<hookwalk_engine::packet::PacketId>| p.map_or(0, |p| p.0);
        format!("{} {} {} {}", number(d.was), number(d.is), key(&before, d.before), key(&after, d.after))
    });
    assert_eq!(told, expected, "{from} -> {to}");
}

#[test]
fn what_took_another_way() {
    check("seq=1000\n", "seq=1000\n", "nothing");
    // A rule more that does nothing, a line above, a comment.
    check("server# ", "server# iptables -A INPUT -p udp -j DROP\nserver# ", "nothing");
    check("wire", "# for you\nwire", "nothing");
    check(
        "server# ",
        "server# iptables -A INPUT -p tcp --dport 80 -j DROP\nserver# ",
        "1 1 deliver.listener drop.rule",
    );
    // The second connection alone.
    check(
        "server# ",
        "server# iptables -A INPUT -p tcp --dport 81 -j DROP\nserver# ",
        "4 4 drop.no_socket drop.rule",
    );
    // One packet more, one less.
    check("client> reply .\n", "client> reply .\nclient> reply P. len=5\n", "0 4 – carry");
    check("client> reply .\n", "", "3 0 carry –");
}
