//! What a person waits for: a dump is loaded, a long run is recorded and sought in, a rule is edited.

use crate::router::Router;
use hookwalk_lab::Session;
use std::fmt::Write as _;

const HEAD: &str = "\
wire client eth0=10.0.1.2/24 gw=10.0.1.1
wire server eth0=10.0.2.2/24 gw=10.0.2.1
host router eth0=10.0.1.1/24 eth1=10.0.2.1/24
link client:eth0 router:eth0
link server:eth0 router:eth1
router# sysctl -qw net.ipv4.ip_forward=1
";

/// A dump of about so many rules as `iptables-save` prints one, of the kinds that hosts with many have: chains by
/// subnet, addresses, ports, states, comments, NAT.
pub fn dump(rules: u32) -> String {
    let mut text = String::from("*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n");
    let chains = rules.div_ceil(100);
    for chain in 0..chains {
        let _ = writeln!(text, ":net-{chain} - [0:0]");
    }
    text.push_str("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n");
    for i in 0..rules {
        let (chain, a, b, port) = (i / 100, i / 250, i % 250, 1 + i % 60_000);
        let _ = match i % 5 {
            0 => writeln!(text, "-A FORWARD -s 10.{}.{}.0/24 -j net-{chain}", a % 250, b),
            1 => writeln!(
                text,
                "-A net-{chain} -s 172.16.{a}.{b}/32 -p tcp -m tcp --dport {port} -m comment --comment \"rule {i}\" -j ACCEPT"
            ),
            2 => writeln!(
                text,
                "-A net-{chain} -d 192.168.{a}.{b}/32 -i eth0 -p udp -m udp --dport {port} -j DROP"
            ),
            3 => writeln!(
                text,
                "-A net-{chain} -p tcp -m multiport --dports 80,443,{port} -m conntrack --ctstate NEW -j ACCEPT"
            ),
            _ => writeln!(text, "-A net-{chain} -s 10.0.{a}.{b}/32 -m mark --mark 0x{i:x} -j RETURN"),
        };
    }
    text.push_str("COMMIT\n");
    text
}

/// Loads a dump into a fresh host; gives the number of rules.
pub fn load(dump: &str) -> u32 {
    let Ok(router) = Router::new(dump) else { return 0 };
    router.host.rules.tables.iter().map(|t| t.rules().count() as u32).sum()
}

/// A recorded run of a long lab.
#[derive(Debug)]
pub struct Recorded(Session);

impl Recorded {
    /// Runs a lab of about so many events: flows through DNAT, MASQUERADE and a few rules.
    pub fn new(events: u32) -> Recorded {
        let mut text = String::from(HEAD);
        text.push_str(
            "router# iptables -t nat -A PREROUTING -i eth0 -j DNAT --to-destination 10.0.2.2\n\
             router# iptables -t nat -A POSTROUTING -o eth1 -j MASQUERADE\n\
             router# iptables -P FORWARD DROP\n\
             router# iptables -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n\
             router# iptables -A FORWARD -p udp -j ACCEPT\n",
        );
        // A packet through the router makes some forty events.
        for i in 0..events / 40 {
            let _ = writeln!(
                text,
                "client> udp 10.0.1.2:{} > 10.0.1.1:{} len=20",
                1024 + i % 5_000,
                8_000 + i / 5_000
            );
        }
        Recorded(Session::new(&text).expect("the lab is right"))
    }
    /// How many there are.
    pub fn events(&self) -> u32 {
        self.0.len() as u32
    }
    /// Goes to a position.
    pub fn seek(&mut self, at: u32) {
        self.0.seek(at as usize);
    }
}

/// A lab of many rules, and the one that is changed.
#[derive(Debug)]
pub struct Edited {
    session: Session,
    rules: u32,
    edits: u32,
}

impl Edited {
    /// Runs the lab for the first time.
    pub fn new(rules: u32) -> Edited {
        let session = Session::new(&Edited::text(rules, None)).expect("the lab is right");
        Edited { session, rules, edits: 0 }
    }
    /// Changes one rule, another each time, and runs again what has to run again.
    pub fn edit(&mut self) {
        self.edits += 1;
        let rule = self.edits * 337 % self.rules;
        self.session.edit(&Edited::text(self.rules, Some(rule))).expect("the lab is right");
    }
    fn text(rules: u32, changed: Option<u32>) -> String {
        let mut text = format!("{HEAD}router# iptables-restore <<EOF\n*filter\n:FORWARD ACCEPT [0:0]\n");
        for i in 0..rules {
            let verdict = if changed == Some(i) { "ACCEPT" } else { "DROP" };
            let _ = writeln!(
                text,
                "-A FORWARD -s 172.16.{}.{}/32 -p tcp -m tcp --dport {} -j {verdict}",
                i / 250,
                i % 250,
                1 + i
            );
        }
        text.push_str("COMMIT\nEOF\nclient> tcp 10.0.1.2:1024 > 10.0.2.2:80 S\nserver> reply S.\n");
        text
    }
}
