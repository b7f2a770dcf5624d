//! What happened, as data: a key and what to fill in. The words are in `phrases/`, one file a language; the page and the
//! command line word facts from there, so that both say the same.

use crate::file::{End, Lab, Statement, StationId};
use crate::record::What;
use crate::world::World;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::conntrack::{Conn, ConnRef, CtInfo, Direction, TcpConntrack, Tuple};
use hookwalk_engine::device::DevId;
use hookwalk_engine::event::{
    ClashResolution, Condition, DropBy, Event, EventKind, Field, Gone, Invalid, KernelDrop, NatSkip, Origin,
    Outcome, Receiver, RouteTo,
};
use hookwalk_engine::hook::{Hook, HookFn};
use hookwalk_engine::host::Host;
use hookwalk_engine::nat::Manip;
use hookwalk_engine::packet::{L4, Packet, Skb, proto};
use hookwalk_engine::ruleset::{ChainId, Policy, RuleRef, TableKind};
use hookwalk_lang::frames::packet_line;
use hookwalk_lang::iptables;
use hookwalk_lang::names::{protocol_name, with_port};

/// A fact: a key into the phrases, and names with values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    /// The key.
    pub key: &'static str,
    /// What the phrase's `{name}`s stand for.
    pub args: Vec<(&'static str, String)>,
}

impl Fact {
    /// A fact with nothing to fill in yet.
    pub fn new(key: &'static str) -> Fact {
        Fact { key, args: Vec::new() }
    }
    /// With one more value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Fact {
        self.args.push((name, value.into()));
        self
    }
    /// Fills the values into a phrase: each `{name}` becomes the value of that name.
    pub fn fill(&self, phrase: &str) -> String {
        let mut text = String::new();
        let mut rest = phrase;
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            text.push_str(self.args.iter().rev().find(|a| a.0 == name).map_or("", |a| &a.1));
            rest = after;
        }
        text.push_str(rest);
        text
    }
    fn number(self, name: &'static str, value: impl ToString) -> Fact {
        self.with(name, value.to_string())
    }
}

/// What a fact is told from.
pub struct Scene<'a> {
    /// The lab.
    pub lab: &'a Lab,
    /// The world after the step that made the record.
    pub world: &'a World,
    /// The world before that step, where it is at hand: it still has the entry that the step took away.
    pub before: Option<&'a World>,
    /// The packet as it is after that step; as it was before, if the step ended it.
    pub skb: Option<&'a Skb>,
}

impl Scene<'_> {
    /// What a record says; `line` is the place of its line in the lab.
    pub fn tell(&self, what: &What, line: u32) -> Fact {
        match what {
            What::Line => self.line(line),
            What::Carry { packet, from, to } => Fact::new("carry")
                .number("packet", packet.0)
                .with("from", self.station(from.station))
                .with("to", self.station(to.station))
                .with("dev", self.iface(*from))
                .with("text", self.text()),
            What::Arrive { packet, at } => Fact::new("arrive")
                .number("packet", packet.0)
                .with("station", self.station(at.station))
                .with("text", self.text()),
            What::Lost { packet, from } => Fact::new("lost")
                .number("packet", packet.0)
                .with("station", self.station(from.station))
                .with("dev", self.iface(*from)),
            What::Host(event) => self.event(event),
        }
    }

    fn line(&self, line: u32) -> Fact {
        let Some(line) = self.lab.lines.get(line as usize) else { return Fact::new("line") };
        let key = match &line.what {
            Statement::Command { .. } => "line.command",
            Statement::Packet { .. } => "line.packet",
            Statement::Sleep(_) => "line.sleep",
            Statement::Say(_) => "line.say",
            Statement::Ask(_) => "line.ask",
            Statement::Expect { .. } => "line.expect",
        };
        Fact::new(key).with("text", self.lab.source(line)).number("n", line.number)
    }

    fn station(&self, id: StationId) -> &str {
        self.lab.stations.get(id.index()).map_or("?", |s| s.name.as_str())
    }
    fn iface(&self, end: End) -> &str {
        let station = self.lab.stations.get(end.station.index());
        station.and_then(|s| s.ifaces.get(usize::from(end.iface))).map_or("?", |i| i.name.as_str())
    }
    fn packet(&self) -> Option<&Packet> {
        self.skb.map(|s| &s.packet)
    }
    fn text(&self) -> String {
        self.packet().map(short_line).unwrap_or_default()
    }

    fn event(&self, event: &Event) -> Fact {
        let id = StationId(event.host.0);
        let Some(host) = self.world.host(id) else { return Fact::new("nothing") };
        let family = crate::met::family(self.skb);
        let told = Told { scene: self, host, host_id: id, family };
        told.kind(&event.kind).with("host", self.station(id)).number("packet", event.packet.0)
    }
}

/// One event of one host.
struct Told<'a> {
    scene: &'a Scene<'a>,
    host: &'a Host,
    host_id: StationId,
    family: Family,
}

impl Told<'_> {
    fn kind(&self, kind: &EventKind) -> Fact {
        match *kind {
            EventKind::Receive { dev } => {
                Fact::new("receive").with("dev", self.dev(dev)).with("text", self.scene.text())
            }
            EventKind::Originate { by, answers } => self.originate(by).number("answers", answers.0),
            EventKind::Hook { hook, in_dev, out_dev } => Fact::new(match hook {
                Hook::Prerouting => "hook.prerouting",
                Hook::Input => "hook.input",
                Hook::Forward => "hook.forward",
                Hook::Output => "hook.output",
                Hook::Postrouting => "hook.postrouting",
            })
            .with("in", self.maybe_dev(in_dev))
            .with("out", self.maybe_dev(out_dev)),
            EventKind::Function { priority, func } => self.function(func).number("priority", priority),
            EventKind::FragmentHeld => Fact::new("fragment.held"),
            EventKind::Reassembled { len } => Fact::new("fragment.whole").number("len", len),
            EventKind::Fragmented { pieces } => Fact::new("fragment.cut").number("pieces", pieces),

            EventKind::Chain { table, chain } => Fact::new(match self.rules(table, chain) {
                0 => "chain.empty",
                _ => "chain",
            })
            .with("table", table.name())
            .with("chain", self.chain(table, chain))
            .number("rules", self.rules(table, chain)),
            EventKind::Rule { rule, outcome } => self.outcome(rule, outcome),
            EventKind::Jump { to } => Fact::new("jump").with("to", self.any_chain(to)),
            EventKind::Goto { to } => Fact::new("goto").with("to", self.any_chain(to)),
            EventKind::Return { to, rule, explicit } => {
                Fact::new(if explicit { "return.rule" } else { "return.end" })
                    .with("to", self.any_chain(to))
                    .number("n", u32::from(rule) + 1)
            }
            EventKind::Policy { table, chain, policy } => Fact::new(match policy {
                Policy::Accept => "policy.accept",
                Policy::Drop => "policy.drop",
            })
            .with("table", table.name())
            .with("chain", self.chain(table, chain)),
            EventKind::Accept { rule } => self.at_rule("accept", rule),
            EventKind::Set { field, old, new } => Fact::new(match field {
                Field::Mark => "set.mark",
                Field::ConnMark => "set.connmark",
                Field::Ttl => "set.ttl",
                Field::Tos => "set.tos",
                Field::Priority => "set.priority",
                Field::Mss => "set.mss",
                Field::Checksum => "set.checksum",
                Field::Zone => "set.zone",
                Field::Helper => "set.helper",
                Field::Trace => "set.trace",
                Field::Set => "set.set",
                Field::Recent => "set.recent",
                Field::Label => "set.label",
                Field::SecMark => "set.secmark",
            })
            .with("old", value(field, old))
            .with("new", value(field, new)),
            EventKind::Logged { rule } => self.at_rule("logged", rule),
            EventKind::NotSimulated { rule } => self.at_rule("not_simulated", rule),

            EventKind::CtKept => Fact::new("ct.kept"),
            EventKind::CtFound { entry, info } => Fact::new(match info {
                CtInfo::New => "ct.found.new",
                CtInfo::Established => "ct.found.established",
                CtInfo::EstablishedReply => "ct.found.reply",
                CtInfo::Related => "ct.found.related",
                CtInfo::RelatedReply => "ct.found.related_reply",
            })
            .with("state", state_word(info))
            .with("entry", self.conn(ConnRef::Confirmed(entry), info)),
            EventKind::CtNew { unconfirmed, info } => {
                Fact::new(if info == CtInfo::Related { "ct.expected" } else { "ct.new" })
                    .with("state", state_word(info))
                    .with("entry", self.conn(ConnRef::Unconfirmed(unconfirmed), info))
            }
            EventKind::CtInvalid { why } => Fact::new(invalid(why)).with(
                "state",
                match why {
                    Invalid::TcpState { state } => tcp_state(state),
                    _ => "",
                },
            ),
            EventKind::CtUntracked => Fact::new("ct.untracked"),
            EventKind::TcpState { from, to, .. } => {
                Fact::new("ct.tcp_state").with("from", tcp_state(from)).with("to", tcp_state(to))
            }
            EventKind::SeenReply { .. } => Fact::new("ct.seen_reply"),
            EventKind::Assured { .. } => Fact::new("ct.assured"),
            EventKind::Timeout { secs, .. } => Fact::new("ct.timeout").number("secs", secs),
            EventKind::Confirmed { entry, .. } => {
                Fact::new("ct.confirmed").with("entry", self.conn(ConnRef::Confirmed(entry), CtInfo::New))
            }
            EventKind::Clash { how, .. } => Fact::new(match how {
                ClashResolution::Adopted => "ct.clash.adopted",
                ClashResolution::ReplyOnly => "ct.clash.reply_only",
                ClashResolution::Dropped => "ct.clash.dropped",
            }),
            EventKind::UnconfirmedGone { unconfirmed } => {
                Fact::new("ct.unconfirmed_gone").with("entry", self.gone(ConnRef::Unconfirmed(unconfirmed)))
            }
            EventKind::EntryGone { entry, why } => {
                Fact::new(gone(why)).with("entry", self.gone(ConnRef::Confirmed(entry)))
            }
            EventKind::Expect { .. } => Fact::new("ct.expect"),

            EventKind::NatConsulted { manip } => Fact::new(match manip {
                Manip::Dst => "nat.consulted.dst",
                Manip::Src => "nat.consulted.src",
            }),
            EventKind::NatSkipped { manip, why } => self.nat_skipped(manip, why),
            EventKind::NatBound { manip, rule, changed } => match (rule, changed) {
                (Some(rule), true) => self.at_rule("nat.bound.rule", rule),
                (Some(rule), false) => self.at_rule("nat.bound.rule_same", rule),
                (None, false) => Fact::new("nat.bound.null"),
                (None, true) => Fact::new("nat.bound.null_changed"),
            }
            .with("half", half(manip)),
            EventKind::Rewrite { manip, old } => self.rewrite(manip, old, false),
            EventKind::RewriteQuoted { manip, old } => self.rewrite(manip, old, true),

            EventKind::Route { to, again } => match to {
                RouteTo::Local => Fact::new(if again { "route.again.local" } else { "route.local" }),
                RouteTo::Out { dev, via } => Fact::new(match (again, via.is_some()) {
                    (false, false) => "route.out",
                    (false, true) => "route.via",
                    (true, _) => "route.again.out",
                })
                .with("dev", self.dev(dev))
                .with("via", via.map(|a| a.ip(self.family).to_string()).unwrap_or_default()),
                RouteTo::None => Fact::new("route.none"),
            }
            .with("dst", self.dst()),
            EventKind::TtlDecrement => Fact::new("ttl"),
            EventKind::Deliver { to } => match to {
                Receiver::Listener(port) => Fact::new("deliver.listener").number("port", port),
                Receiver::Connected(port) => Fact::new("deliver.connected").number("port", port),
                Receiver::Icmp => Fact::new("deliver.icmp"),
                Receiver::Nobody => Fact::new("deliver.nobody"),
            },
            EventKind::Transmit { dev } => {
                Fact::new("transmit").with("dev", self.dev(dev)).with("text", self.scene.text())
            }
            EventKind::Drop { by } => self.dropped(by),
            EventKind::Queued { queue } => Fact::new("queued").number("queue", queue),
        }
    }

    fn originate(&self, by: Origin) -> Fact {
        match by {
            Origin::Raw => Fact::new("originate.raw"),
            Origin::Socket => Fact::new("originate.socket"),
            Origin::TcpReset => Fact::new("originate.reset"),
            Origin::IcmpReply => Fact::new("originate.icmp_reply"),
            Origin::IcmpError => Fact::new("originate.icmp_error"),
            Origin::Reject(rule) => self.at_rule("originate.reject", rule),
            Origin::Tee(rule) => self.at_rule("originate.tee", rule),
            Origin::Copy => Fact::new("originate.copy"),
            Origin::Solicit => Fact::new("originate.solicit"),
        }
        .with("text", self.scene.text())
    }

    fn function(&self, func: HookFn) -> Fact {
        match func {
            HookFn::Defrag => Fact::new("func.defrag"),
            HookFn::Conntrack => Fact::new("func.conntrack"),
            HookFn::Nat => Fact::new("func.nat"),
            HookFn::Confirm => Fact::new("func.confirm"),
            HookFn::Table(table) => Fact::new("func.table").with("table", table.name()),
        }
    }

    fn outcome(&self, rule: RuleRef, outcome: Outcome) -> Fact {
        match outcome {
            Outcome::Matched => self.at_rule("rule.matched", rule),
            Outcome::Failed(c) => {
                let met = self.met(rule, c);
                let key = if met.is_empty() { "rule.failed.bare" } else { "rule.failed" };
                self.at_rule(key, rule).with("cond", self.condition(rule, c)).with("met", met)
            }
            Outcome::HotDrop(c) => self.at_rule("rule.hotdrop", rule).with("cond", self.condition(rule, c)),
        }
    }

    /// The condition as the rule has it.
    fn condition(&self, rule: RuleRef, condition: Condition) -> String {
        let table = self.host.rules.table(self.family, rule.table);
        let found = table.and_then(|t| t.chain(rule.chain)?.rules.get(usize::from(rule.rule)));
        found.map(|r| iptables::condition_text(r, condition, self.family)).unwrap_or_default()
    }

    /// The rule as `iptables -S` prints it, without its chain.
    fn rule(&self, rule: RuleRef) -> String {
        let Some(table) = self.host.rules.table(self.family, rule.table) else { return String::new() };
        let found = table.chain(rule.chain).and_then(|c| c.rules.get(usize::from(rule.rule)));
        let text = found.map(|r| iptables::rule_text(table, "", r)).unwrap_or_default();
        text.trim_start_matches("-A").trim_start().to_owned()
    }

    /// The value that the condition met.
    fn met(&self, rule: RuleRef, condition: Condition) -> String {
        let Some(skb) = self.scene.skb else { return String::new() };
        let flight = self.scene.world.flights().find(|(_, f)| f.skb.id == skb.id);
        let table = self.host.rules.table(self.family, rule.table);
        let found = table.and_then(|t| t.chain(rule.chain)?.rules.get(usize::from(rule.rule)));
        crate::met::Met::new(self.host, skb, flight.map(|(_, f)| &f.at)).value(found, condition)
    }

    fn nat_skipped(&self, manip: Manip, why: NatSkip) -> Fact {
        match why {
            NatSkip::NoEntry => Fact::new("nat.skipped.no_entry"),
            NatSkip::Decided { by } => self.decided("nat.skipped.decided", manip).number("by", by.0),
            NatSkip::AlreadyDone { by } => self.decided("nat.skipped.done", manip).number("by", by.0),
            NatSkip::IcmpError => Fact::new("nat.skipped.icmp_error"),
            NatSkip::Confirmed => Fact::new("nat.skipped.confirmed"),
        }
        .with("half", half(manip))
    }

    /// Says by which rule the packet's connection was bound.
    fn decided(&self, key: &'static str, _: Manip) -> Fact {
        Fact::new(key)
    }

    fn rewrite(&self, manip: Manip, old: (Addr, u16), quoted: bool) -> Fact {
        let key = match (manip, quoted) {
            (Manip::Src, false) => "rewrite.src",
            (Manip::Dst, false) => "rewrite.dst",
            (Manip::Src, true) => "rewrite.quoted_src",
            (Manip::Dst, true) => "rewrite.quoted_dst",
        };
        let new = self.scene.packet().filter(|_| !quoted).map(|p| {
            let (sport, dport) = ports(p);
            match manip {
                Manip::Src => self.end(p.src, sport),
                Manip::Dst => self.end(p.dst, dport),
            }
        });
        Fact::new(key).with("old", self.end(old.0, old.1)).with("new", new.unwrap_or_default())
    }

    fn dropped(&self, by: DropBy) -> Fact {
        match by {
            DropBy::Rule(rule) => self.at_rule("drop.rule", rule),
            DropBy::Reject(rule) => self.at_rule("drop.reject", rule),
            DropBy::Target(rule) => self.at_rule("drop.target", rule),
            DropBy::Match(rule) => self.at_rule("drop.match", rule),
            DropBy::Policy { table, chain } => {
                Fact::new("drop.policy").with("table", table.name()).with("chain", self.chain(table, chain))
            }
            DropBy::Kernel(why) => Fact::new(kernel_drop(why)).with("dst", self.dst()),
        }
    }

    fn at_rule(&self, key: &'static str, rule: RuleRef) -> Fact {
        Fact::new(key)
            .with("table", rule.table.name())
            .with("chain", self.chain(rule.table, rule.chain))
            .number("n", u32::from(rule.rule) + 1)
            .with("rule", self.rule(rule))
    }

    fn dev(&self, dev: DevId) -> String {
        self.host.net.device(dev).map_or_else(|| "?".to_owned(), |d| d.name.to_string())
    }
    fn maybe_dev(&self, dev: Option<DevId>) -> String {
        dev.map(|d| self.dev(d)).unwrap_or_default()
    }
    fn chain(&self, table: TableKind, chain: ChainId) -> String {
        let found = self.host.rules.table(self.family, table).and_then(|t| t.chain(chain));
        found.map_or_else(|| "?".to_owned(), |c| c.name.to_string())
    }
    /// The chain of a jump: events of jumps do not repeat the table, and the flight is in it.
    fn any_chain(&self, chain: ChainId) -> String {
        let id = self.scene.skb.map(|s| s.id);
        let mine = self.scene.world.flights().filter(|(_, f)| id.is_none_or(|id| f.skb.id == id));
        let walking = mine.into_iter().find_map(|(_, f)| match &f.at {
            hookwalk_engine::flight::Stage::Hook(at) => at.walk.as_ref().map(|w| w.table),
            _ => None,
        });
        walking.map_or_else(|| "?".to_owned(), |table| self.chain(table, chain))
    }
    fn rules(&self, table: TableKind, chain: ChainId) -> usize {
        self.host.rules.table(self.family, table).and_then(|t| t.chain(chain)).map_or(0, |c| c.rules.len())
    }
    fn dst(&self) -> String {
        self.scene.packet().map(|p| p.dst.ip(self.family).to_string()).unwrap_or_default()
    }
    fn conn(&self, conn: ConnRef, info: CtInfo) -> String {
        let found = self.host.net.ct.conn(conn);
        found.map(|c: &Conn| tuple_text(c.tuple(info.direction()))).unwrap_or_default()
    }
    /// An entry that the step took away, as it was before.
    fn gone(&self, conn: ConnRef) -> String {
        let net = self.scene.before.and_then(|w| w.host(self.host_id)).map(|h| &h.net);
        net.and_then(|n| n.ct.conn(conn))
            .map(|c| tuple_text(c.tuple(Direction::Original)))
            .unwrap_or_default()
    }
    fn end(&self, addr: Addr, port: u16) -> String {
        match self.scene.packet().map(|p| p.proto) {
            Some(proto::TCP | proto::UDP | proto::SCTP | proto::DCCP | proto::UDPLITE) => {
                with_port(self.family, addr, port)
            }
            _ => addr.ip(self.family).to_string(),
        }
    }
}

/// A packet in a few words: protocol, ends, and what tells it from others of its flow.
pub fn short_line(packet: &Packet) -> String {
    let line = packet_line(packet);
    let mut ends = [" seq=", " ttl=", " len=", " id="].iter().filter_map(|w| line.find(w));
    let cut = ends.next().map_or(line.len(), |first| ends.fold(first, usize::min));
    let mut line = line[..cut].replace(" > ", " → ");
    if matches!(packet.l4, L4::Tcp(_)) {
        // The flags in words: tcpdump's single dot would be lost at the end of a sentence.
        line.truncate(line.rfind(' ').unwrap_or(line.len()));
        line.push(' ');
        line.push_str(&short_name(packet));
    }
    line
}

/// What a packet is in one word: `SYN`, `SYN ACK`, `echo-request`; empty where the protocol says it all.
pub fn short_name(packet: &Packet) -> String {
    match &packet.l4 {
        L4::Tcp(tcp) => {
            const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
            let set = NAMES.iter().enumerate().filter(|(i, _)| tcp.flags & (1 << i) != 0);
            let mut names: Vec<&str> = set.map(|(_, n)| *n).collect();
            // ACK goes without saying beside PSH.
            if names.contains(&"PSH") {
                names.retain(|n| *n != "ACK");
            }
            if !packet.payload.is_empty() && names == ["ACK"] {
                return format!("{} B", packet.payload.len());
            }
            names.join(" ")
        }
        L4::Icmp(icmp) => {
            let v6 = packet.family == Family::V6;
            match (v6, icmp.kind) {
                (false, 0) | (true, 129) => "reply".to_owned(),
                (false, 8) | (true, 128) => "echo".to_owned(),
                (false, 3) | (true, 1) => "unreach".to_owned(),
                (false, 11) | (true, 3) => "ttl".to_owned(),
                (true, 2) => "too big".to_owned(),
                (false, 5) | (true, 137) => "redirect".to_owned(),
                _ => format!("{}/{}", icmp.kind, icmp.code),
            }
        }
        _ if packet.is_later_fragment() => "frag".to_owned(),
        _ => String::new(),
    }
}

/// The protocol's name, or its number.
pub fn protocol(number: u8) -> String {
    protocol_name(number).map_or_else(|| number.to_string(), str::to_owned)
}

/// Ports, or zeros.
pub fn ports(packet: &Packet) -> (u16, u16) {
    match &packet.l4 {
        L4::Icmp(icmp) => (icmp.id(), icmp.id()),
        _ => packet.ports().unwrap_or((0, 0)),
    }
}

/// One direction of an entry, as in a sentence.
pub fn tuple_text(t: &Tuple) -> String {
    match t.proto {
        proto::ICMP | proto::ICMPV6 => {
            format!("{} → {} id={}", t.src.ip(t.family), t.dst.ip(t.family), t.sport)
        }
        _ if t.sport == 0 && t.dport == 0 => format!("{} → {}", t.src.ip(t.family), t.dst.ip(t.family)),
        _ => format!("{} → {}", with_port(t.family, t.src, t.sport), with_port(t.family, t.dst, t.dport)),
    }
}

/// What `--ctstate` calls it.
pub fn state_word(info: CtInfo) -> &'static str {
    match info {
        CtInfo::New => "NEW",
        CtInfo::Established | CtInfo::EstablishedReply => "ESTABLISHED",
        CtInfo::Related | CtInfo::RelatedReply => "RELATED",
    }
}

/// As `conntrack -L` prints it.
pub fn tcp_state(state: TcpConntrack) -> &'static str {
    match state {
        TcpConntrack::None => "NONE",
        TcpConntrack::SynSent => "SYN_SENT",
        TcpConntrack::SynRecv => "SYN_RECV",
        TcpConntrack::Established => "ESTABLISHED",
        TcpConntrack::FinWait => "FIN_WAIT",
        TcpConntrack::CloseWait => "CLOSE_WAIT",
        TcpConntrack::LastAck => "LAST_ACK",
        TcpConntrack::TimeWait => "TIME_WAIT",
        TcpConntrack::Close => "CLOSE",
        TcpConntrack::SynSent2 => "SYN_SENT2",
    }
}

/// A key of its own for each half would double the phrases; the half is a word that phrases hold, too.
fn half(manip: Manip) -> &'static str {
    match manip {
        Manip::Dst => "dst",
        Manip::Src => "src",
    }
}

fn value(field: Field, value: u32) -> String {
    match field {
        Field::Mark | Field::ConnMark | Field::Tos | Field::SecMark => format!("{value:#x}"),
        _ => value.to_string(),
    }
}

/// The phrase key for why an entry left the table.
pub fn gone(why: Gone) -> &'static str {
    match why {
        Gone::Expired => "ct.gone.expired",
        Gone::Deleted => "ct.gone.deleted",
        Gone::RstReply => "ct.gone.rst",
        Gone::Reopened => "ct.gone.reopened",
        Gone::EarlyDrop => "ct.gone.early_drop",
        Gone::MasqueradeDevice => "ct.gone.masquerade",
        Gone::PortReused => "ct.gone.port_reused",
        Gone::Master => "ct.gone.master",
    }
}

fn invalid(why: Invalid) -> &'static str {
    match why {
        Invalid::Malformed => "ct.invalid.malformed",
        Invalid::Checksum => "ct.invalid.checksum",
        Invalid::Fragment => "ct.invalid.fragment",
        Invalid::TcpFlags => "ct.invalid.tcp_flags",
        Invalid::TcpState { .. } => "ct.invalid.tcp_state",
        Invalid::TcpFirst => "ct.invalid.tcp_first",
        Invalid::TcpWindow => "ct.invalid.tcp_window",
        Invalid::TcpRst => "ct.invalid.tcp_rst",
        Invalid::IcmpUnsolicited => "ct.invalid.icmp_unsolicited",
        Invalid::IcmpUnknownFlow => "ct.invalid.icmp_unknown_flow",
        Invalid::IcmpWrongTarget => "ct.invalid.icmp_wrong_target",
        Invalid::Sctp => "ct.invalid.sctp",
    }
}

/// The phrase key for a reason of the kernel's own to drop.
pub(crate) fn kernel_drop(why: KernelDrop) -> &'static str {
    match why {
        KernelDrop::OtherHost => "drop.other_host",
        KernelDrop::IpHeader => "drop.ip_header",
        KernelDrop::FragmentTimeout => "drop.fragment_timeout",
        KernelDrop::ConntrackFull => "drop.conntrack_full",
        KernelDrop::ConfirmClash => "drop.confirm_clash",
        KernelDrop::Nat => "drop.nat",
        KernelDrop::MasqueradeDevice => "drop.masquerade_device",
        KernelDrop::MartianSource => "drop.martian_source",
        KernelDrop::MartianDestination => "drop.martian_destination",
        KernelDrop::OwnSource => "drop.own_source",
        KernelDrop::ReversePath => "drop.reverse_path",
        KernelDrop::ForwardingOff => "drop.forwarding_off",
        KernelDrop::NoRoute => "drop.no_route",
        KernelDrop::BadRoute => "drop.bad_route",
        KernelDrop::TtlExceeded => "drop.ttl",
        KernelDrop::TooBig => "drop.too_big",
        KernelDrop::NoSocket => "drop.no_socket",
        KernelDrop::StackIgnores => "drop.stack_ignores",
        KernelDrop::Multicast => "drop.multicast",
        KernelDrop::BroadcastIgnored => "drop.broadcast",
        KernelDrop::DeviceDown => "drop.device_down",
        KernelDrop::JumpStack => "drop.jump_stack",
        KernelDrop::NoQueueListener => "drop.no_queue_listener",
        KernelDrop::Helper => "drop.helper",
    }
}
