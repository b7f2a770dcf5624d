//! What the tests of connection tracking and NAT share: a bare host whose hooks are called by hand, and packets written
//! as in a lab.
#![allow(dead_code, unreachable_pub)]

use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::conntrack::{self, CtInfo, Nfct};
use hookwalk_engine::event::{Emit, Event, EventKind, KernelDrop};
use hookwalk_engine::hook::Hook;
use hookwalk_engine::host::{Host, HostId, Net};
use hookwalk_engine::nat::{self, Manip, NatStep, Range};
use hookwalk_engine::packet::{
    Icmp, L4, Packet, PacketId, Payload, Skb, Tcp, TcpOpts, Udp, proto, tcp_flags,
};
use hookwalk_engine::time::Duration;

/// `10.0.1.2` or `fd00::2`.
pub fn addr(text: &str) -> Addr {
    Addr::from(text.parse::<std::net::IpAddr>().expect("an address"))
}

/// `10.0.1.2:80`, `[fd00::2]:80`, or an address alone.
fn end(text: &str) -> (Family, Addr, u16) {
    if let Ok(both) = text.parse::<std::net::SocketAddr>() {
        let family = if both.is_ipv4() { Family::V4 } else { Family::V6 };
        return (family, both.ip().into(), both.port());
    }
    let ip: std::net::IpAddr = text.parse().expect("an address");
    (if ip.is_ipv4() { Family::V4 } else { Family::V6 }, ip.into(), 0)
}

/// A packet: `tcp A:1 > B:2 S seq=1 ack=2 win=3 len=4`, `udp A:1 > B:2 len=3`, `icmp A > B 8/0 id=7 seq=1`.
pub fn packet(text: &str) -> Packet {
    let words: Vec<&str> = text.split_whitespace().collect();
    let ((family, src, sport), (_, dst, dport)) = (end(words[1]), end(words[3]));
    let field = |name: &str| {
        let found = words.iter().find_map(|w| w.strip_prefix(name)?.strip_prefix('='));
        found.map(|v| v.parse::<u32>().expect("a number"))
    };
    let flags = words.get(4).filter(|w| !w.contains('=')).map_or(0, |w| {
        w.chars().fold(0, |f, c| {
            f | match c {
                'F' => tcp_flags::FIN,
                'S' => tcp_flags::SYN,
                'R' => tcp_flags::RST,
                'P' => tcp_flags::PSH,
                '.' => tcp_flags::ACK,
                'U' => tcp_flags::URG,
                _ => 0,
            }
        })
    });
    let (proto, l4) = match words[0] {
        "tcp" => {
            let opts = TcpOpts {
                wscale: field("wscale").map(|w| w as u8),
                sack_permitted: field("sackok").is_some(),
                ..TcpOpts::NONE
            };
            let tcp = Tcp {
                sport,
                dport,
                seq: field("seq").unwrap_or(0),
                ack: field("ack").unwrap_or(0),
                flags,
                window: field("win").unwrap_or(64240) as u16,
                urgent: 0,
                opts,
            };
            (proto::TCP, L4::Tcp(tcp))
        }
        "udp" => (proto::UDP, L4::Udp(Udp { sport, dport, ..Udp::default() })),
        "icmp" | "icmp6" => {
            let (kind, code) = words[4].split_once('/').expect("type/code");
            let rest = field("id").unwrap_or(0) << 16 | field("seq").unwrap_or(0);
            let icmp = Icmp { kind: kind.parse().expect("type"), code: code.parse().expect("code"), rest };
            (if words[0] == "icmp" { proto::ICMP } else { proto::ICMPV6 }, L4::Icmp(icmp))
        }
        "ip" => (words[4].parse().expect("a protocol"), L4::Opaque),
        other => panic!("what is {other}?"),
    };
    let payload = Payload::Zeros(field("len").unwrap_or(0));
    Packet {
        family,
        src,
        dst,
        proto,
        ttl: 64,
        tos: 0,
        ip_id: 0,
        df: false,
        frag: None,
        bad_l4_checksum: false,
        l4,
        payload,
    }
}

/// The same packet as text, addresses and ports only.
pub fn ends(packet: &Packet) -> String {
    let ip = |a: Addr| a.ip(packet.family);
    match (&packet.l4, packet.ports()) {
        (L4::Icmp(i), _) => {
            format!("{} > {} {}/{} id={}", ip(packet.src), ip(packet.dst), i.kind, i.code, i.id())
        }
        (_, Some((sport, dport))) => format!(
            "{} > {}",
            std::net::SocketAddr::new(ip(packet.src), sport),
            std::net::SocketAddr::new(ip(packet.dst), dport)
        ),
        _ => format!("{} > {}", ip(packet.src), ip(packet.dst)),
    }
}

/// A bare host: packets are put through conntrack, nat and confirm as a forwarding host does, without rules or routes.
pub struct Bare {
    pub net: Net,
    pub events: Vec<Event>,
    next: u32,
    /// What a rule would ask for, by half.
    pub snat: Option<Range>,
    pub dnat: Option<Range>,
    /// What a CT rule in raw attaches.
    pub template: Option<conntrack::Template>,
}

/// What became of a packet.
pub struct Seen {
    /// How it stood to its connection.
    pub state: &'static str,
    /// As it left, unless it was dropped.
    pub left: Result<Packet, KernelDrop>,
    /// What happened.
    pub events: Vec<EventKind>,
}

impl Bare {
    pub fn new() -> Bare {
        let mut host = Host::new(HostId(0), 7);
        let left = host.add_device("eth0", [2, 0, 0, 0, 0, 1]);
        let right = host.add_device("eth1", [2, 0, 0, 0, 0, 2]);
        host.add_addr(left, Family::V4, addr("10.0.1.1"), 24);
        host.add_addr(right, Family::V4, addr("10.0.2.1"), 24);
        Bare { net: host.net, events: Vec::new(), next: 0, snat: None, dnat: None, template: None }
    }
    /// Time passes.
    pub fn sleep(&mut self, millis: u64) {
        self.net.now += Duration::millis(millis);
    }
    /// Forwards one packet.
    pub fn forward(&mut self, text: &str) -> Seen {
        self.forward_packet(packet(text), true)
    }
    /// Forwards one packet that a rule drops before POSTROUTING.
    pub fn forward_and_drop(&mut self, text: &str) -> Seen {
        self.forward_packet(packet(text), false)
    }
    /// The packet through PREROUTING and, unless a rule drops it, POSTROUTING.
    pub fn forward_packet(&mut self, packet: Packet, passes: bool) -> Seen {
        self.next += 1;
        let mut skb = Skb::new(PacketId(self.next), packet);
        if let Some(template) = self.template {
            skb.nfct = Nfct::Template(template);
        }
        let from = self.events.len();
        let left = self.pass(&mut skb, passes);
        let state = state_of(&skb.nfct);
        let mut emit = Emit { observer: &mut self.events, host: HostId(0), packet: skb.id };
        conntrack::release(&mut self.net, &mut skb, &mut emit);
        let events = self.events[from..].iter().map(|e| e.kind).collect();
        Seen { state, left: left.map(|()| skb.packet), events }
    }
    /// The packet through everything but confirm: it is in flight.
    pub fn launch(&mut self, text: &str) -> Skb {
        self.next += 1;
        let mut skb = Skb::new(PacketId(self.next), packet(text));
        self.before_confirm(&mut skb, true).expect("nothing drops it");
        skb
    }
    /// The same for a packet that something may drop before it gets so far.
    pub fn try_launch(&mut self, packet: Packet) -> Option<Skb> {
        self.next += 1;
        let mut skb = Skb::new(PacketId(self.next), packet);
        if self.before_confirm(&mut skb, true).is_ok() {
            return Some(skb);
        }
        let mut emit = Emit { observer: &mut self.events, host: HostId(0), packet: skb.id };
        conntrack::release(&mut self.net, &mut skb, &mut emit);
        None
    }
    /// The last step of a packet in flight.
    pub fn land(&mut self, mut skb: Skb) -> Seen {
        let from = self.events.len();
        let mut emit = Emit { observer: &mut self.events, host: HostId(0), packet: skb.id };
        let left = conntrack::confirm(&mut self.net, &mut skb, Hook::Postrouting, None, &mut emit);
        let state = state_of(&skb.nfct);
        conntrack::release(&mut self.net, &mut skb, &mut emit);
        let events = self.events[from..].iter().map(|e| e.kind).collect();
        Seen { state, left: left.map(|()| skb.packet), events }
    }
    fn pass(&mut self, skb: &mut Skb, passes: bool) -> Result<(), KernelDrop> {
        self.before_confirm(skb, passes)?;
        if !passes {
            return Ok(());
        }
        let mut emit = Emit { observer: &mut self.events, host: HostId(0), packet: skb.id };
        conntrack::confirm(&mut self.net, skb, Hook::Postrouting, None, &mut emit)
    }
    fn before_confirm(&mut self, skb: &mut Skb, passes: bool) -> Result<(), KernelDrop> {
        let mut emit = Emit { observer: &mut self.events, host: HostId(0), packet: skb.id };
        conntrack::track(&mut self.net, skb, Hook::Prerouting, &mut emit)?;
        for (hook, range) in [(Hook::Prerouting, self.dnat), (Hook::Postrouting, self.snat)] {
            let step = nat::begin(&mut self.net, skb, hook, None, None, &mut emit)?;
            if step == NatStep::Consult {
                match range {
                    Some(range) => {
                        nat::setup(&mut self.net, skb, &range, Manip::at(hook), hook, None, &mut emit)?;
                    }
                    None => nat::null_binding(&mut self.net, skb, hook, &mut emit)?,
                }
            }
            if step != NatStep::Pass {
                nat::translate(&mut self.net, skb, hook, &mut emit)?;
            }
            if !passes {
                return Ok(());
            }
        }
        Ok(())
    }
    /// The table as `conntrack -L` shows it, less its padding, sorted.
    pub fn table(&mut self) -> Vec<String> {
        let mut silent = hookwalk_engine::event::NoObserver;
        let mut emit = Emit { observer: &mut silent, host: HostId(0), packet: PacketId(0) };
        conntrack::collect(&mut self.net, &mut emit);
        let mut lines: Vec<String> = self.net.ct.iter().map(|(_, e)| self.line(e)).collect();
        lines.sort();
        lines
    }
    fn line(&self, entry: &conntrack::Entry) -> String {
        let conn = &entry.conn;
        let mut line = format!("{} {}", conn.tuples[0].proto, (entry.expires - self.net.now).as_secs());
        if let Some(state) = conn.tcp_state() {
            line += &format!(" {state:?}");
        }
        for (i, t) in conn.tuples.iter().enumerate() {
            let ip = |a: Addr| a.ip(t.family);
            line += &format!(" {}:{}>{}:{}", ip(t.src), t.sport, ip(t.dst), t.dport);
            if i == 0 && !conn.has(conntrack::status::SEEN_REPLY) {
                line += " [UNREPLIED]";
            }
        }
        if conn.has(conntrack::status::ASSURED) {
            line += " [ASSURED]";
        }
        line
    }
}

/// What `--ctstate` says.
pub fn state_of(nfct: &Nfct) -> &'static str {
    match nfct {
        Nfct::None | Nfct::Template(_) => "INVALID",
        Nfct::Untracked => "UNTRACKED",
        Nfct::Conn { info, .. } => match info {
            CtInfo::New => "NEW",
            CtInfo::Established | CtInfo::EstablishedReply => "ESTABLISHED",
            CtInfo::Related | CtInfo::RelatedReply => "RELATED",
        },
    }
}
