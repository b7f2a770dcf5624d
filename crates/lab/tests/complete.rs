//! Completion: what is offered at a place of a text, and that no place of any text makes it panic.

use hookwalk_lab::Session;
use hookwalk_lab::complete::complete;
use std::fs;

const LAB: &str = "\
wire client eth0=10.0.0.2/24
host server eth0=10.0.0.1/24 eth1=fd00::1/64
link client:eth0 server:eth0
server# iptables -t nat -N WEB
server# ipset create blocked hash:ip
server# iptables -S
server# iptables-restore <<END
*nat
-A PREROUTING -p tcp --dport 80 -j WEB
COMMIT
END
";

/// `|` is where somebody types, in a last line; `offers` must be among the choices, `no` must not.
fn check(line: &str, offers: &[&str], no: &[&str]) {
    let session = Session::new(LAB).unwrap_or_else(|d| panic!("{d:?}"));
    let at = line.find('|').expect("a place");
    let text = format!("{LAB}{}\n", line.replacen('|', "", 1));
    let found = complete(&session, &text, LAB.lines().count() as u32 + 1, at as u32 + 1);
    let texts: Vec<&str> = found.choices.iter().map(|c| c.text.as_str()).collect();
    for offer in offers {
        assert!(texts.contains(offer), "{line}: {offer} is not in {texts:?}");
    }
    for no in no {
        assert!(!texts.contains(no), "{line}: {no} is in {texts:?}");
    }
    let begun = &line[found.from as usize - 1..at];
    assert!(texts.iter().all(|t| t.starts_with(begun)), "{line}: {begun} does not begin {texts:?}");
}

#[test]
fn what_is_offered() {
    check("|", &["server# ", "server$ ", "client> ", "expect ", "host "], &["client$ "]);
    check("ser|", &["server# "], &["client> "]);
    check("ho|", &["host "], &["wire "]);
    check("link |", &["server:eth1"], &["server:eth0", "client:eth0"]);
    check("host b eth0=10.0.0.3/24 g|", &["gw=10.0.0.1"], &[]);
    check("server# ip|", &["iptables", "ip6tables-save", "ipset", "ip"], &["conntrack"]);
    check("server# iptables -t |", &["raw", "nat", "filter"], &[]);
    check("server# iptables -t nat -A |", &["PREROUTING", "WEB"], &["FORWARD"]);
    check("server# iptables -A |", &["FORWARD"], &["PREROUTING", "WEB"]);
    check("server# iptables -A INPUT -p |", &["tcp", "udp"], &[]);
    check("server# iptables -A INPUT -p tcp --d|", &["--dport", "--destination-port"], &["--ctstate"]);
    check("server# iptables -A INPUT -m conn|", &["conntrack", "connlimit", "connmark"], &["tcp"]);
    check("server# iptables -A INPUT -m conntrack --ctstate |", &["NEW", "ESTABLISHED"], &[]);
    check("server# iptables -t nat -A PREROUTING -j |", &["DNAT", "WEB", "ACCEPT"], &[]);
    check("server# iptables -t nat -A PREROUTING -j REDIRECT --|", &["--to-ports"], &["--to-source"]);
    check("server# iptables -P FORWARD |", &["ACCEPT", "DROP"], &["REJECT"]);
    check("server# iptables -A INPUT -i |", &["lo", "eth0", "eth1"], &[]);
    check("server# iptables -A INPUT -s |", &["10.0.0.2"], &[]);
    check("server# iptables -A INPUT -j REJECT --reject-with |", &["tcp-reset"], &["icmp6-no-route"]);
    check("server# iptables -A INPUT -m set --match-set |", &["blocked"], &[]);
    check("server# iptables -A INPUT -p tcp --dport |", &[], &["--sport", "-j"]);
    check("server# conntrack -|", &["-L", "-D", "-E"], &["tcp"]);
    check("server# conntrack -D -p |", &["tcp"], &[]);
    check("server# sysctl -w net.ipv4.ip_f|", &["net.ipv4.ip_forward"], &["net.ipv4.ip_default_ttl"]);
    check("server# ip |", &["addr", "route"], &[]);
    check("server# ip link set |", &["eth0"], &[]);
    check("server# ipset add |", &["blocked"], &[]);
    check("server# ipset create x |", &["hash:ip,port"], &[]);
    check("server$ |", &["ping", "curl", "listen", "nc"], &["iptables"]);
    check("server$ ping -c 1 |", &["10.0.0.2"], &[]);
    check("client# |", &["frames"], &["iptables"]);
    check("client> |", &["tcp", "udp", "icmp", "reply"], &[]);
    check("client> tcp |", &["10.0.0.2:"], &["10.0.0.1:"]);
    check("client> tcp 10.0.0.2:4000 > |", &["10.0.0.1:", "[fd00::1]:"], &[]);
    check("client> tcp 10.0.0.2:4000 > 10.0.0.1:80 |", &["S", "seq="], &["vtag="]);
    check("client> icmp 10.0.0.2 > 10.0.0.1 echo|", &["echo-request"], &["ttl="]);
    check("expect |", &[], &["server# "]);
}

#[test]
fn inside_of_what_a_restore_reads() {
    let session = Session::new(LAB).unwrap_or_else(|d| panic!("{d:?}"));
    let found = complete(&session, LAB, 9, 4);
    assert_eq!(found.from, 4);
    assert!(
        found.choices.iter().any(|c| c.text == "WEB") && found.choices.iter().any(|c| c.text == "PREROUTING")
    );
    assert!(found.choices.iter().all(|c| c.text != "FORWARD"), "{:?}", found.choices);
}

#[test]
fn an_expectation_is_what_the_command_above_printed() {
    let text = format!("{LAB}server# iptables -S\nexpect -P F\n");
    let session = Session::new(&format!("{LAB}server# iptables -S\n")).unwrap_or_else(|d| panic!("{d:?}"));
    let found = complete(&session, &text, 13, 12);
    assert_eq!(found.choices.iter().map(|c| c.text.as_str()).collect::<Vec<_>>(), ["-P FORWARD ACCEPT"]);
    assert_eq!(found.from, 8);
}

#[test]
fn no_place_panics() {
    let mut texts =
        vec![LAB.to_string(), "host 数 eth0=\nx# iptables -A '\n\u{feff}a> tcp\n<<\n".to_string()];
    for name in ["redirect", "docker-ufw", "istio-sidecar"] {
        let path = format!("{}/../../labs/{name}/{name}.lab", env!("CARGO_MANIFEST_DIR"));
        texts.push(fs::read_to_string(path).unwrap_or_else(|e| panic!("{name}: {e}")));
    }
    let session = Session::new(LAB).unwrap_or_else(|d| panic!("{d:?}"));
    for text in &texts {
        for (n, line) in text.lines().enumerate() {
            for col in (0..line.chars().count() as u32 + 3).step_by(3) {
                complete(&session, text, n as u32 + 1, col);
            }
        }
    }
    complete(&session, "", 0, 0);
    complete(&session, "say x", 900, u32::MAX);
}
