//! What a condition of a rule met: the packet's own value for what the rule asks, in the words of the rule's options.
//!
//! A match may ask for several things; named are those that did not hold. Where there is no value to show (a bucket that
//! is empty, a draw that went the other way) the answer is empty, and the caller words it without one.

use crate::facts::{protocol, state_word};
use hookwalk_engine::Family;
use hookwalk_engine::addr::Addr;
use hookwalk_engine::conntrack::{Direction, Nfct, status};
use hookwalk_engine::device::DevId;
use hookwalk_engine::event::Condition;
use hookwalk_engine::flight::Stage;
use hookwalk_engine::host::Host;
use hookwalk_engine::matches::{AddrTypes, ConntrackMatch, Match, PortSide, TcpMatch};
use hookwalk_engine::packet::{L4, PktType, Skb, proto};
use hookwalk_engine::ruleset::{Inv, Rule};

/// A packet where rules look at it.
pub(crate) struct Met<'a> {
    /// The host whose rules they are.
    pub(crate) host: &'a Host,
    /// The packet as it is there.
    pub(crate) skb: &'a Skb,
    /// The devices that `-i` and `-o` see.
    pub(crate) devices: (Option<DevId>, Option<DevId>),
}

impl<'a> Met<'a> {
    /// The packet in this host; the devices are those of the hook that it is at.
    pub(crate) fn new(host: &'a Host, skb: &'a Skb, stage: Option<&Stage>) -> Met<'a> {
        let devices = match stage {
            Some(Stage::Hook(at)) => (at.in_dev, at.out_dev),
            _ => (skb.in_dev, None),
        };
        Met { host, skb, devices }
    }

    /// The value that this condition of the rule met; empty if there is none to show.
    pub(crate) fn value(&self, rule: Option<&Rule>, condition: Condition) -> String {
        let p = &self.skb.packet;
        match condition {
            Condition::Src => self.addr(p.src),
            Condition::Dst => self.addr(p.dst),
            Condition::Proto => protocol(p.proto),
            Condition::InIface => self.device(self.devices.0),
            Condition::OutIface => self.device(self.devices.1),
            Condition::Fragment => String::new(),
            Condition::Match(n) => {
                rule.and_then(|r| r.matches.get(usize::from(n))).map(|m| self.of(m)).unwrap_or_default()
            }
        }
    }

    fn addr(&self, addr: Addr) -> String {
        addr.ip(self.skb.packet.family).to_string()
    }
    fn device(&self, dev: Option<DevId>) -> String {
        dev.and_then(|d| self.host.net.device(d)).map(|d| d.name.to_string()).unwrap_or_default()
    }

    fn of(&self, m: &Match) -> String {
        let p = &self.skb.packet;
        match m {
            Match::Tcp(_) if p.proto != proto::TCP => protocol(p.proto),
            Match::Udp(_) if p.proto != proto::UDP => protocol(p.proto),
            Match::Tcp(m) => self.tcp(m),
            Match::Udp(m) => self.ports(m.sport, m.dport).join(" "),
            Match::Multiport(m) => p.ports().map_or_else(
                || protocol(p.proto),
                |(s, d)| match m.side {
                    PortSide::Source => format!("sport {s}"),
                    PortSide::Destination => format!("dport {d}"),
                    PortSide::Either => format!("sport {s} dport {d}"),
                },
            ),
            Match::Icmp(_) | Match::Icmp6(_) => match &p.l4 {
                L4::Icmp(i) => format!("type {}/{}", i.kind, i.code),
                _ => protocol(p.proto),
            },
            Match::Conntrack(m) => self.conntrack(m),
            Match::State(_) => format!("ctstate {}", self.state()),
            Match::Addrtype(m) => {
                let dev = match (m.limit_iface_in, m.limit_iface_out) {
                    (true, _) => self.devices.0,
                    (_, true) => self.devices.1,
                    _ => None,
                };
                let kind = |addr| {
                    let bit = AddrTypes::of(self.host.net.addr_type(p.family, addr, dev));
                    AddrTypes::NAMES.iter().find(|(_, b)| *b == bit).map_or("", |(name, _)| name)
                };
                let side = |wanted: bool, name: &str, addr| wanted.then(|| format!("{name} {}", kind(addr)));
                join([side(m.src.is_some(), "src-type", p.src), side(m.dst.is_some(), "dst-type", p.dst)])
            }
            Match::Mark(_) => format!("mark {:#x}", self.skb.mark),
            Match::Connmark(_) => {
                self.host.net.conn_of(self.skb).map(|c| format!("connmark {:#x}", c.mark)).unwrap_or_default()
            }
            Match::Iprange(m) => {
                join([m.src.is_some().then(|| self.addr(p.src)), m.dst.is_some().then(|| self.addr(p.dst))])
            }
            Match::Set(_) => match p.ports() {
                Some((s, d)) => format!("{}:{s} → {}:{d}", self.addr(p.src), self.addr(p.dst)),
                None => format!("{} → {}", self.addr(p.src), self.addr(p.dst)),
            },
            Match::Length(_) => format!("length {}", p.len()),
            Match::Ttl(_) => format!("ttl {}", p.ttl),
            Match::Hl(_) => format!("hl {}", p.ttl),
            Match::Tos(_) => format!("tos {:#04x}", p.tos),
            Match::Dscp(_) => format!("dscp {:#04x}", p.tos >> 2),
            Match::Pkttype(_) => format!(
                "pkt-type {}",
                match self.skb.pkt_type {
                    PktType::Broadcast => "broadcast",
                    PktType::Multicast => "multicast",
                    _ => "unicast",
                }
            ),
            _ => String::new(),
        }
    }

    /// The ports that do not fit.
    fn ports(&self, sport: Option<Inv<(u16, u16)>>, dport: Option<Inv<(u16, u16)>>) -> Vec<String> {
        let Some((s, d)) = self.skb.packet.ports() else { return Vec::new() };
        let fits = |r: Option<Inv<(u16, u16)>>, port: u16| {
            r.is_none_or(|r| r.test(r.value.0 <= port && port <= r.value.1))
        };
        let mut named = Vec::new();
        if !fits(sport, s) {
            named.push(format!("sport {s}"));
        }
        if !fits(dport, d) {
            named.push(format!("dport {d}"));
        }
        named
    }

    fn tcp(&self, m: &TcpMatch) -> String {
        let Some(tcp) = self.skb.packet.tcp() else { return String::new() };
        let mut named = self.ports(m.sport, m.dport);
        if !m.flags.is_none_or(|f| f.test(tcp.flags & f.value.0 == f.value.1)) {
            const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
            let set = NAMES.iter().enumerate().filter(|(i, _)| tcp.flags & (1 << i) != 0).map(|(_, n)| *n);
            let set: Vec<&str> = set.collect();
            named.push(format!("flags {}", if set.is_empty() { "NONE".to_owned() } else { set.join(",") }));
        }
        named.join(" ")
    }

    /// What `--ctstate` would have to name.
    fn state(&self) -> &'static str {
        match self.skb.nfct {
            Nfct::None => "INVALID",
            Nfct::Untracked => "UNTRACKED",
            Nfct::Template(_) => "NEW",
            Nfct::Conn { info, .. } => state_word(info),
        }
    }

    fn conntrack(&self, m: &ConntrackMatch) -> String {
        let net = &self.host.net;
        let Some(conn) = net.conn_of(self.skb) else { return format!("ctstate {}", self.state()) };
        let [orig, repl] = &conn.tuples;
        let mut named = Vec::new();
        if m.state.is_some() {
            let mut state = self.state().to_owned();
            for (bit, name) in [(status::SRC_NAT, ",SNAT"), (status::DST_NAT, ",DNAT")] {
                if conn.has(bit) {
                    state.push_str(name);
                }
            }
            named.push(format!("ctstate {state}"));
        }
        for (asked, name, addr) in [
            (m.orig_src.is_some(), "ctorigsrc", orig.src),
            (m.orig_dst.is_some(), "ctorigdst", orig.dst),
            (m.repl_src.is_some(), "ctreplsrc", repl.src),
            (m.repl_dst.is_some(), "ctrepldst", repl.dst),
        ] {
            if asked {
                named.push(format!("{name} {}", self.addr(addr)));
            }
        }
        for (asked, name, port) in [
            (m.orig_sport.is_some(), "ctorigsrcport", orig.sport),
            (m.orig_dport.is_some(), "ctorigdstport", orig.dport),
            (m.repl_sport.is_some(), "ctreplsrcport", repl.sport),
            (m.repl_dport.is_some(), "ctrepldstport", repl.dport),
        ] {
            if asked {
                named.push(format!("{name} {port}"));
            }
        }
        if m.proto.is_some() {
            named.push(format!("ctproto {}", protocol(orig.proto)));
        }
        if m.expire.is_some() {
            named.push(format!("ctexpire {}", net.ct_expires(self.skb)));
        }
        if m.direction.is_some()
            && let Nfct::Conn { info, .. } = self.skb.nfct
        {
            named.push(
                if info.direction() == Direction::Original { "ctdir ORIGINAL" } else { "ctdir REPLY" }
                    .to_owned(),
            );
        }
        if m.status.is_some() {
            let bits = [
                (status::EXPECTED, "EXPECTED"),
                (status::SEEN_REPLY, "SEEN_REPLY"),
                (status::ASSURED, "ASSURED"),
                (status::CONFIRMED, "CONFIRMED"),
            ];
            let set: Vec<&str> = bits.iter().filter(|(b, _)| conn.has(*b)).map(|(_, n)| *n).collect();
            named
                .push(format!("ctstatus {}", if set.is_empty() { "NONE".to_owned() } else { set.join(",") }));
        }
        named.join(" ")
    }
}

fn join(parts: [Option<String>; 2]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The family of a packet that may be missing.
pub(crate) fn family(skb: Option<&Skb>) -> Family {
    skb.map_or(Family::V4, |s| s.packet.family)
}
