//! Looks at a run: what the page draws, made from a session at a position.
//!
//! A step of the engine may tell several events at once, and the world is only known after the whole step. Where that
//! shows (a packet already rewritten, an entry already made), what has not been told yet is taken back here.

use crate::view::*;
use hookwalk_engine::conntrack::{Conn, ConnRef, Nfct, Tuple, status};
use hookwalk_engine::event::{Event, EventKind, Outcome as Tested};
use hookwalk_engine::hook::{HOOK_LIST, Hook, HookFn};
use hookwalk_engine::host::Host;
use hookwalk_engine::nat::Manip;
use hookwalk_engine::packet::{L4, Packet, PacketId, Skb, proto};
use hookwalk_engine::ruleset::TableKind;
use hookwalk_engine::sorted::SortedMap;
use hookwalk_engine::{Addr, Family};
use hookwalk_lab::facts::{self, Scene};
use hookwalk_lab::file::{Statement, StationId, StationKind as Kind};
use hookwalk_lab::record::What;
use hookwalk_lab::session::{Record, Session};
use hookwalk_lab::world::World;

/// A step tells at most so many events about one packet.
const STEP: usize = 12;
/// Entries that a view holds at most; who wants more asks the terminal.
const ENTRIES: usize = 500;

/// A session and what was worked out about it.
pub(crate) struct Looker {
    pub(crate) session: Session,
}

/// The packet of an event with what the kernel keeps beside it.
type Held = Option<Skb>;

impl Looker {
    pub(crate) fn new(session: Session) -> Looker {
        Looker { session }
    }

    pub(crate) fn record(&self, n: usize) -> Option<Record> {
        self.session.records(n..n + 1).first().copied()
    }

    /// The packet of record `n` as it is after that record, or as it was last before.
    pub(crate) fn held(&mut self, n: usize, id: PacketId) -> Held {
        for back in 0..STEP {
            let at = (n + 1).checked_sub(back)?;
            self.session.seek(at);
            if let Some(skb) = in_world(&self.session, at, id) {
                return Some(skb);
            }
        }
        None
    }

    /// Events `from..to`.
    pub(crate) fn events(&mut self, from: usize, to: usize) -> Vec<EventView> {
        let to = to.min(self.session.len());
        let mut last: SortedMap<PacketId, Skb> = SortedMap::default();
        let mut out = Vec::with_capacity(to.saturating_sub(from));
        for n in from..to {
            let Some(record) = self.record(n) else { break };
            let id = record.what.packet();
            self.session.seek(n + 1);
            let mut held = id.and_then(|id| in_world(&self.session, n + 1, id));
            if let (Some(id), None) = (id, &held) {
                held = match last.get(&id) {
                    Some(skb) => Some(skb.clone()),
                    None => self.held(n, id),
                };
                self.session.seek(n + 1);
            }
            if let (Some(id), Some(skb)) = (id, &held) {
                last.insert(id, skb.clone());
            }
            out.push(self.tell(n, record, held.as_ref()));
        }
        out
    }

    /// One event; the session stands behind it.
    fn tell(&mut self, n: usize, record: Record, held: Option<&Skb>) -> EventView {
        let (hook, func) = self.whereabouts(n);
        let line = record.line;
        let before = self.before(n, &record.what);
        let lab = self.session.lab();
        let scene = Scene { lab, world: self.session.world(), before: before.as_ref(), skb: held };
        let fact = scene.tell(&record.what, line);
        let (kind, station) = match &record.what {
            What::Line => ("Line", line_station(&self.session, line)),
            What::Carry { from, .. } => ("Carry", from.station.0),
            What::Arrive { at, .. } => ("Arrive", at.station.0),
            What::Lost { from, .. } => ("Lost", from.station.0),
            What::Host(event) => (kind_name(&event.kind), event.host.0),
        };
        let (weight, tone) = weigh(&record.what);
        EventView {
            n: n as u32,
            packet: record.what.packet().map_or(0, |p| p.0),
            station: u32::from(station),
            kind: kind.to_owned(),
            hook: hook.map(|h| h.chain_name().to_owned()),
            func: func.map(|f| func_name(f).to_owned()),
            weight,
            tone,
            fact: fact.into(),
        }
    }

    /// The world before the step of record `n`, if that took an entry away: who tells of it needs the entry.
    fn before(&mut self, n: usize, what: &What) -> Option<World> {
        let What::Host(Event { host, kind, .. }) = what else { return None };
        let conn = match kind {
            EventKind::EntryGone { entry, .. } => ConnRef::Confirmed(*entry),
            EventKind::UnconfirmedGone { unconfirmed } => ConnRef::Unconfirmed(*unconfirmed),
            _ => return None,
        };
        let station = StationId(host.0);
        // Many may expire in one step: none of their records can be the one before it.
        let gone = |at: &usize| {
            matches!(
                self.record(*at).map(|r| r.what),
                Some(What::Host(Event { kind: EventKind::EntryGone { .. }, .. }))
            )
        };
        let first = n - (0..n).rev().take_while(gone).count();
        let found = (0..=first.min(STEP)).find_map(|back| {
            let run = self.session.seek(first - back);
            run.world.host(station).filter(|h| h.net.ct.conn(conn).is_some())?;
            Some(run.world.clone())
        });
        self.session.seek(n + 1);
        found
    }

    /// The hook and function that record `n` happened in.
    fn whereabouts(&self, n: usize) -> (Option<Hook>, Option<HookFn>) {
        match self.place(n) {
            Some((Spot::Hook(hook, func), _)) => (Some(hook), func),
            _ => (None, None),
        }
    }

    /// Where the packet of record `n` is then, and in which station.
    fn place(&self, n: usize) -> Option<(Spot, StationId)> {
        let what = self.record(n)?.what;
        let id = what.packet()?;
        let host = match what {
            What::Carry { from, to, .. } => {
                return Some((Spot::Link(from.station, to.station), from.station));
            }
            What::Arrive { at, .. } => return Some((Spot::Local, at.station)),
            What::Lost { from, .. } => return Some((Spot::Out(from.iface + 2), from.station)),
            What::Line => return None,
            What::Host(event) => event.host,
        };
        let station = StationId(host.0);
        let mut func = None;
        let mut routed = false;
        for back in (0..=n).rev() {
            let Some(Record { what: What::Host(e), .. }) = self.record(back) else { continue };
            if e.packet != id || e.host != host {
                continue;
            }
            match e.kind {
                EventKind::Receive { dev } => return Some((Spot::In(dev.0), station)),
                EventKind::Originate { .. } => return Some((Spot::Local, station)),
                EventKind::Deliver { .. } if back == n => return Some((Spot::Local, station)),
                EventKind::Transmit { dev } if back == n => return Some((Spot::Out(dev.0), station)),
                EventKind::Route { again: false, .. } | EventKind::TtlDecrement if func.is_none() => {
                    routed = true
                }
                EventKind::Function { func: f, .. } if func.is_none() && !routed => func = Some(f),
                EventKind::Hook { hook, .. } if routed => {
                    return Some((Spot::Route { output: hook != Hook::Prerouting }, station));
                }
                EventKind::Hook { hook, .. } => return Some((Spot::Hook(hook, func), station)),
                _ => {}
            }
        }
        None
    }

    /// The view at a position.
    pub(crate) fn view(&mut self, at: usize, station: u32) -> View {
        let at = at.min(self.session.len());
        let event = at.checked_sub(1).and_then(|n| self.events(n, at).pop());
        let record = at.checked_sub(1).and_then(|n| self.record(n));
        let mut flights = Vec::new();
        if let Some(record) = record
            && let Some(id) = record.what.packet()
            && let Some(skb) = self.held(at - 1, id)
        {
            flights.extend(self.flight(at, &record.what, &skb));
        }
        self.session.seek(at);
        let main = flights.first().map_or(0, |f: &FlightView| f.packet);
        let others: Vec<(StationId, Skb)> = self
            .session
            .world()
            .flights()
            .filter(|(_, f)| f.skb.id.0 != main)
            .map(|(s, f)| (s, f.skb.clone()))
            .collect();
        for (_, skb) in others {
            // Where another packet stands is what its own last event said.
            let last = (0..at)
                .rev()
                .take(4096)
                .find(|n| self.record(*n).is_some_and(|r| r.what.packet() == Some(skb.id)));
            if let Some(n) = last
                && let Some(record) = self.record(n)
            {
                flights.extend(self.flight(n + 1, &record.what, &skb));
            }
        }
        let line =
            self.session.line_at(at).and_then(|l| self.session.lab().lines.get(l)).map_or(0, |l| l.number);
        let id = StationId(station as u16);
        let not_told = self.not_told(at);
        let world = self.session.world();
        let host = world.host(id);
        View {
            at: at as u32,
            time: world.now.0 as f64 / 1e9,
            line,
            event,
            flights,
            host: station,
            hooks: host.map(hooks).unwrap_or_default(),
            entries: host.map(|h| entries(h, &not_told)).unwrap_or_default(),
            tracking: host.is_some_and(|h| h.net.ct_awake.contains(&true)),
        }
    }

    /// Events of the step that the position is in which have not been told yet.
    fn not_told(&self, at: usize) -> Vec<Event> {
        let packet = at.checked_sub(1).and_then(|n| self.record(n)).and_then(|r| r.what.packet());
        let ahead = self.session.records(at..at + STEP).iter();
        let same = ahead.take_while(|r| r.what.packet() == packet).map_while(|r| match r.what {
            // A new transition begins with one of these.
            What::Host(Event { kind: EventKind::Function { .. } | EventKind::Hook { .. }, .. }) => None,
            What::Host(event) => Some(event),
            _ => None,
        });
        same.collect()
    }

    /// A packet as it is drawn at a position.
    fn flight(&self, at: usize, what: &What, skb: &Skb) -> Option<FlightView> {
        let n = at.checked_sub(1)?;
        let (spot, station) = self.place(n)?;
        let device = |dev: u16| {
            let host = self.session.world().host(station)?;
            Some(host.net.devices.get(usize::from(dev).checked_sub(1)?)?.name.to_string())
        };
        let place = match spot {
            Spot::Link(from, to) => Place::Link { from: u32::from(from.0), to: u32::from(to.0) },
            Spot::In(dev) => Place::Receive { dev: device(dev).unwrap_or_default() },
            Spot::Out(dev) => Place::Transmit { dev: device(dev).unwrap_or_default() },
            Spot::Local => Place::Local,
            Spot::Route { output } => Place::Route { output },
            Spot::Hook(hook, func) => {
                let mut funcs = HOOK_LIST.iter().filter(|e| e.hook == hook);
                let index = func.and_then(|f| funcs.position(|e| e.func == f));
                Place::Hook { hook: hook.chain_name().to_owned(), func: index.map_or(-1, |i| i as i32) }
            }
        };
        let p = &skb.packet;
        let (sport, dport) = facts::ports(p);
        let (mut src, mut dst) = (endpoint(p, p.src, sport), endpoint(p, p.dst, dport));
        // What this host rewrote so far, and what it is about to within this step.
        for event in self.rewrites(n, skb.id, station) {
            if let EventKind::Rewrite { manip, old } = event.kind {
                let end = if manip == Manip::Src { &mut src } else { &mut dst };
                strike(end, p, old);
            }
        }
        for event in self.not_told(at) {
            if let EventKind::Rewrite { manip, old } = event.kind
                && event.packet == skb.id
            {
                let end = if manip == Manip::Src { &mut src } else { &mut dst };
                *end = endpoint(p, old.0, old.1);
            }
        }
        let world = self.session.world();
        let host = world.host(station);
        let (state, entry) = standing(host, skb);
        let fate = match what {
            What::Host(e) => match e.kind {
                EventKind::Drop { .. } => Some(Fate::Dropped),
                EventKind::Deliver { .. } => Some(Fate::Delivered),
                _ => None,
            },
            What::Arrive { .. } => Some(Fate::Sent),
            What::Lost { .. } => Some(Fate::Dropped),
            _ => None,
        };
        Some(FlightView {
            packet: skb.id.0,
            station: u32::from(station.0),
            place,
            proto: facts::protocol(p.proto),
            short: facts::short_name(p),
            src,
            dst,
            fields: fields(skb),
            state,
            entry,
            fate,
        })
    }

    /// Rewrites of a packet since it came to a station, the earliest of each half last.
    fn rewrites(&self, n: usize, id: PacketId, station: StationId) -> Vec<Event> {
        let mut found = Vec::new();
        for back in (0..=n).rev() {
            let Some(record) = self.record(back) else { break };
            if record.what.packet() != Some(id) {
                continue;
            }
            let What::Host(event) = record.what else {
                // On the wire the old values stay in view until the next host has it.
                if back == n {
                    continue;
                } else {
                    break;
                };
            };
            if event.host.0 != station.0 {
                break;
            }
            match event.kind {
                EventKind::Rewrite { .. } => found.push(event),
                EventKind::Receive { .. } | EventKind::Originate { .. } => break,
                _ => {}
            }
        }
        found
    }

    /// The run as a whole.
    pub(crate) fn lab(&mut self) -> LabView {
        let lab = self.session.lab().clone();
        let packets = self.packets();
        let text = |t: &hookwalk_lab::file::Text| Text { lang: t.lang.clone(), text: t.text.clone() };
        let stations = lab.stations.iter().map(|s| StationView {
            name: s.name.clone(),
            kind: if s.kind == Kind::Host { StationKind::Host } else { StationKind::Wire },
            ifaces: s
                .ifaces
                .iter()
                .map(|i| IfaceView {
                    name: i.name.clone(),
                    addrs: i.addrs.iter().map(|(f, a, len)| format!("{}/{len}", a.ip(*f))).collect(),
                })
                .collect(),
        });
        let links = lab.links.iter().map(|l| LinkView {
            ends: l
                .ends
                .iter()
                .map(|e| EndView {
                    station: u32::from(e.station.0),
                    iface: lab.stations[e.station.index()]
                        .ifaces
                        .get(usize::from(e.iface))
                        .map_or_else(String::new, |i| i.name.clone()),
                })
                .collect(),
        });
        let end = self.session.end();
        let mut blocks = end.blocks.iter().peekable();
        let mut lines = Vec::new();
        for (i, line) in lab.lines.iter().enumerate() {
            let Some(at) = self.session.position_of_line(i) else { break };
            let source = lab.source(line);
            let own = || vec![Text { lang: None, text: source.to_owned() }];
            let (mut output, mut later) = (None, false);
            let mut answers = Vec::new();
            let station = match &line.what {
                Statement::Command { station, .. } | Statement::Packet { station, .. } => {
                    i32::from(station.0)
                }
                _ => -1,
            };
            let (kind, texts) = match &line.what {
                Statement::Command { .. } => {
                    if blocks.peek().is_some_and(|b| b.command == source) {
                        let block = blocks.next();
                        later = block.is_some_and(|b| b.unprinted);
                        output = block.filter(|_| !later).map(|b| b.lines.join("\n"));
                    }
                    (LineKind::Command, own())
                }
                Statement::Packet { .. } => (LineKind::Packet, own()),
                Statement::Sleep(_) => (LineKind::Sleep, own()),
                Statement::Say(t) => (LineKind::Say, t.iter().map(text).collect()),
                Statement::Ask(q) => {
                    answers
                        .extend(q.iter().map(|q| Text { lang: q.text.lang.clone(), text: q.answer.clone() }));
                    (LineKind::Ask, q.iter().map(|q| text(&q.text)).collect())
                }
                Statement::Expect { .. } => (LineKind::Expect, own()),
            };
            let failed = end.failures.iter().any(|f| f.line == line.number);
            lines.push(LineView {
                line: line.number,
                at: at as u32,
                kind,
                text: texts,
                answers,
                station,
                output,
                later,
                failed,
            });
        }
        LabView {
            text: lab.text.to_string(),
            title: lab.titles.iter().map(text).collect(),
            about: lab.abouts.iter().map(text).collect(),
            stations: stations.collect(),
            links: links.collect(),
            len: self.session.len() as u32,
            packets,
            lines,
            failures: end.failures.iter().map(|f| Problem::from(&f.diagnostic)).collect(),
        }
    }

    fn packets(&mut self) -> Vec<PacketSpan> {
        let mut spans: SortedMap<u32, PacketSpan> = SortedMap::default();
        for n in 0..self.session.len() {
            let Some(record) = self.record(n) else { break };
            let Some(id) = record.what.packet() else { continue };
            let station = match record.what {
                What::Host(e) => e.host.0,
                What::Carry { from, .. } | What::Lost { from, .. } => from.station.0,
                What::Arrive { at, .. } => at.station.0,
                What::Line => 0,
            };
            let span = spans.get_or(id.0, || PacketSpan {
                id: id.0,
                text: String::new(),
                short: String::new(),
                first: n as u32,
                last: n as u32,
                fate: Fate::Open,
                answers: 0,
                line: record.line,
                station: u32::from(station),
            });
            span.last = n as u32 + 1;
            match record.what {
                What::Arrive { .. } => span.fate = Fate::Sent,
                What::Lost { .. } => span.fate = Fate::Dropped,
                What::Host(Event { kind: EventKind::Drop { .. }, .. }) => span.fate = Fate::Dropped,
                What::Host(Event { kind: EventKind::Deliver { .. }, .. }) => span.fate = Fate::Delivered,
                What::Host(Event { kind: EventKind::Originate { answers, .. }, .. }) => {
                    span.answers = answers.0
                }
                _ => {}
            }
        }
        let mut spans: Vec<PacketSpan> = spans.into_values().collect();
        let lab = self.session.lab().clone();
        for span in &mut spans {
            if let Some(skb) = self.held(span.first as usize, PacketId(span.id)) {
                span.text = facts::short_line(&skb.packet);
                span.short = facts::short_name(&skb.packet);
            }
            span.line = lab.lines.get(span.line as usize).map_or(0, |l| l.number);
        }
        spans
    }
}

/// Where a packet is.
#[derive(Clone, Copy)]
enum Spot {
    Link(StationId, StationId),
    In(u16),
    Out(u16),
    Local,
    Route { output: bool },
    Hook(Hook, Option<HookFn>),
}

/// The packet of this number in the world at the position: in a host, or as the frame that was captured last.
fn in_world(session: &Session, at: usize, id: PacketId) -> Held {
    let world = session.world();
    if let Some((_, flight)) = world.flights().find(|(_, f)| f.skb.id == id) {
        return Some(flight.skb.clone());
    }
    let record = session.records(at.checked_sub(1)?..at).first()?;
    let station = match record.what {
        What::Carry { from, .. } | What::Lost { from, .. } => from.station,
        What::Arrive { at, .. } => at.station,
        What::Host(Event { host, kind: EventKind::Transmit { .. }, .. }) => StationId(host.0),
        _ => return None,
    };
    if record.what.packet() != Some(id) {
        return None;
    }
    let frame = world.stations.get(station.index())?.frames.last()?;
    Some(Skb::new(id, Packet::clone(&frame.packet)))
}

pub(crate) fn line_station(session: &Session, line: u32) -> u16 {
    match session.lab().lines.get(line as usize).map(|l| &l.what) {
        Some(Statement::Command { station, .. } | Statement::Packet { station, .. }) => station.0,
        _ => 0,
    }
}

fn endpoint(packet: &Packet, addr: Addr, port: u16) -> EndpointView {
    let port = match (&packet.l4, packet.proto) {
        (L4::Icmp(_), _) => String::new(),
        (L4::Tcp(_) | L4::Udp(_), _) | (_, proto::SCTP | proto::DCCP) => port.to_string(),
        _ => String::new(),
    };
    EndpointView { addr: addr.ip(packet.family).to_string(), port, old_addr: None, old_port: None }
}

/// Keeps what was there before NAT in view.
fn strike(end: &mut EndpointView, packet: &Packet, old: (Addr, u16)) {
    let before = endpoint(packet, old.0, old.1);
    end.old_addr = (before.addr != end.addr).then_some(before.addr);
    end.old_port = (before.port != end.port).then_some(before.port);
}

/// What `--ctstate` says of the packet, and its entry's number.
fn standing(host: Option<&Host>, skb: &Skb) -> (Option<String>, u32) {
    match skb.nfct {
        Nfct::Conn { conn, info } => {
            let serial = host.and_then(|h| h.net.ct.conn(conn)).map_or(0, |c| c.serial);
            (Some(facts::state_word(info).to_owned()), serial)
        }
        Nfct::Untracked => (Some("UNTRACKED".to_owned()), 0),
        _ => (None, 0),
    }
}

fn fields(skb: &Skb) -> Vec<(String, String)> {
    let p = &skb.packet;
    let mut out = vec![("len".to_owned(), p.len().to_string()), ("ttl".to_owned(), p.ttl.to_string())];
    let mut put = |k: &str, v: String| out.push((k.to_owned(), v));
    match &p.l4 {
        L4::Tcp(t) => {
            put("seq", t.seq.to_string());
            put("ack", t.ack.to_string());
            put("win", t.window.to_string());
        }
        L4::Icmp(i) => {
            put("type", format!("{}/{}", i.kind, i.code));
            put("id", i.id().to_string());
            put("seq", i.seq().to_string());
        }
        _ => {}
    }
    if p.tos != 0 {
        put("tos", format!("{:#04x}", p.tos));
    }
    if skb.mark != 0 {
        put("mark", format!("{:#x}", skb.mark));
    }
    out
}

fn hooks(host: &Host) -> Vec<HookView> {
    Hook::ALL
        .iter()
        .map(|hook| HookView {
            hook: hook.chain_name().to_owned(),
            funcs: HOOK_LIST
                .iter()
                .filter(|e| e.hook == *hook)
                .map(|e| func(host, *hook, e.priority, e.func))
                .collect(),
        })
        .collect()
}

fn func(host: &Host, hook: Hook, priority: i32, func: HookFn) -> FuncView {
    let table = match func {
        HookFn::Table(kind) => Some(kind),
        HookFn::Nat => Some(TableKind::Nat),
        _ => None,
    };
    let (mut rules, mut packets) = (0, 0);
    for family in [Family::V4, Family::V6] {
        let Some(table) = table.and_then(|k| host.rules.table(family, k)) else { continue };
        if let Some(chain) = table.base(hook).and_then(|id| table.chain(id)) {
            rules += chain.rules.len() as u32;
            packets += chain.rules.iter().map(|r| r.counters.packets as u32).sum::<u32>();
        }
    }
    let awake =
        [Family::V4, Family::V6].iter().any(|f| host.hook_list(*f, hook).iter().any(|e| e.func == func));
    FuncView { name: func_name(func).to_owned(), priority, awake, rules, packets }
}

fn func_name(func: HookFn) -> &'static str {
    match func {
        HookFn::Defrag => "defrag",
        HookFn::Conntrack => "conntrack",
        HookFn::Nat => "nat",
        HookFn::Confirm => "confirm",
        HookFn::Table(kind) => kind.name(),
    }
}

fn entries(host: &Host, not_told: &[Event]) -> Vec<EntryView> {
    let ct = &host.net.ct;
    let hidden = |serial: u32| {
        not_told.iter().any(|e| match e.kind {
            EventKind::CtNew { unconfirmed, .. } => {
                ct.conn(ConnRef::Unconfirmed(unconfirmed)).is_some_and(|c| c.serial == serial)
            }
            _ => false,
        })
    };
    let waiting = |serial: u32| {
        not_told.iter().any(|e| match e.kind {
            EventKind::Confirmed { entry, .. } => {
                ct.conn(ConnRef::Confirmed(entry)).is_some_and(|c| c.serial == serial)
            }
            _ => false,
        })
    };
    let left = |conn| ct.remaining(conn, host.net.now).as_secs() as u32;
    let free = ct
        .iter_unconfirmed()
        .filter(|(_, u)| !hidden(u.conn.serial))
        .map(|(_, u)| entry(host, &u.conn, false, u.timeout.as_secs() as u32));
    let table =
        ct.iter().map(|(id, e)| entry(host, &e.conn, !waiting(e.conn.serial), left(ConnRef::Confirmed(id))));
    free.chain(table).take(ENTRIES).collect()
}

fn entry(host: &Host, conn: &Conn, confirmed: bool, timeout: u32) -> EntryView {
    const FLAGS: [(u32, &str); 7] = [
        (status::SEEN_REPLY, "SEEN_REPLY"),
        (status::ASSURED, "ASSURED"),
        (status::SRC_NAT, "SRC_NAT"),
        (status::DST_NAT, "DST_NAT"),
        (status::EXPECTED, "EXPECTED"),
        (status::DYING, "DYING"),
        (status::FIXED_TIMEOUT, "FIXED_TIMEOUT"),
    ];
    let mirror = conn.tuples[0].invert();
    let tuples = conn.tuples.iter().enumerate().map(|(i, t)| {
        let packets = conn.acct.map(|a| a[i].packets as u32);
        tuple(t, if i == 1 { mirror.as_ref() } else { None }, packets)
    });
    let bindings = [(Manip::Dst, "dst"), (Manip::Src, "src")].into_iter().filter_map(|(manip, name)| {
        let b = conn.bindings[manip as usize]?;
        let family = conn.tuples[0].family;
        let rule = b.rule.map(|r| {
            let chain = host.rules.table(family, r.table).and_then(|t| t.chain(r.chain));
            format!("{} {}", chain.map_or("?", |c| &c.name), r.rule + 1)
        });
        Some(BindingView {
            manip: name.to_owned(),
            packet: b.packet.0,
            hook: b.hook.chain_name().to_owned(),
            rule,
            changed: b.changed,
        })
    });
    EntryView {
        serial: conn.serial,
        confirmed,
        carrier: conn.born.0,
        proto: facts::protocol(conn.tuples[0].proto),
        state: conn.tcp_state().map_or("", facts::tcp_state).to_owned(),
        timeout,
        tuples: tuples.collect(),
        flags: FLAGS.iter().filter(|(bit, _)| conn.has(*bit)).map(|(_, n)| (*n).to_owned()).collect(),
        bindings: bindings.collect(),
        mark: conn.mark,
        text: facts::tuple_text(&conn.tuples[0]),
    }
}

fn tuple(t: &Tuple, mirror: Option<&Tuple>, packets: Option<u32>) -> TupleView {
    let (sport, dport) = match t.proto {
        proto::ICMP | proto::ICMPV6 => {
            (format!("id {}", t.sport), format!("{}/{}", t.icmp_type(), t.icmp_code()))
        }
        _ if t.sport == 0 && t.dport == 0 => (String::new(), String::new()),
        _ => (t.sport.to_string(), t.dport.to_string()),
    };
    let mut changed = Vec::new();
    if let Some(m) = mirror {
        let pairs = [
            ("src", m.src != t.src),
            ("dst", m.dst != t.dst),
            ("sport", m.sport != t.sport),
            ("dport", m.dport != t.dport),
        ];
        changed.extend(pairs.iter().filter(|(_, differs)| *differs).map(|(n, _)| (*n).to_owned()));
    }
    TupleView {
        src: t.src.ip(t.family).to_string(),
        dst: t.dst.ip(t.family).to_string(),
        sport,
        dport,
        packets,
        changed,
    }
}

/// How much an event matters and how it is to look.
pub(crate) fn weigh(what: &What) -> (u8, Tone) {
    let event = match what {
        What::Host(event) => event,
        What::Lost { .. } => return (2, Tone::Bad),
        What::Arrive { .. } => return (1, Tone::Good),
        What::Carry { .. } => return (1, Tone::Plain),
        What::Line => return (1, Tone::Plain),
    };
    match event.kind {
        EventKind::Drop { .. } => (2, Tone::Bad),
        EventKind::Deliver { .. } => (2, Tone::Good),
        EventKind::CtInvalid { .. } | EventKind::Clash { .. } => (2, Tone::Bad),
        EventKind::UnconfirmedGone { .. } | EventKind::EntryGone { .. } => (2, Tone::Bad),
        EventKind::NatSkipped { .. } => (2, Tone::Skip),
        EventKind::NotSimulated { .. } => (2, Tone::Skip),
        EventKind::CtUntracked => (2, Tone::Skip),
        EventKind::Rewrite { .. } | EventKind::RewriteQuoted { .. } => (2, Tone::Change),
        EventKind::CtNew { .. } | EventKind::Confirmed { .. } | EventKind::NatBound { .. } => {
            (2, Tone::Change)
        }
        EventKind::CtFound { .. } => (2, Tone::Plain),
        EventKind::Set { .. } => (1, Tone::Change),
        EventKind::Rule { outcome: Tested::Matched, .. } => (2, Tone::Plain),
        EventKind::NatConsulted { .. }
        | EventKind::SeenReply { .. }
        | EventKind::Assured { .. }
        | EventKind::TcpState { .. }
        | EventKind::Hook { .. }
        | EventKind::Receive { .. }
        | EventKind::Originate { .. }
        | EventKind::Transmit { .. }
        | EventKind::Route { .. } => (1, Tone::Plain),
        _ => (0, Tone::Plain),
    }
}

pub(crate) fn kind_name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Receive { .. } => "Receive",
        EventKind::Originate { .. } => "Originate",
        EventKind::Hook { .. } => "Hook",
        EventKind::Function { .. } => "Function",
        EventKind::FragmentHeld => "FragmentHeld",
        EventKind::Reassembled { .. } => "Reassembled",
        EventKind::Fragmented { .. } => "Fragmented",
        EventKind::Chain { .. } => "Chain",
        EventKind::Rule { .. } => "Rule",
        EventKind::Jump { .. } => "Jump",
        EventKind::Goto { .. } => "Goto",
        EventKind::Return { .. } => "Return",
        EventKind::Policy { .. } => "Policy",
        EventKind::Accept { .. } => "Accept",
        EventKind::Set { .. } => "Set",
        EventKind::Logged { .. } => "Logged",
        EventKind::NotSimulated { .. } => "NotSimulated",
        EventKind::CtKept => "CtKept",
        EventKind::CtFound { .. } => "CtFound",
        EventKind::CtNew { .. } => "CtNew",
        EventKind::CtInvalid { .. } => "CtInvalid",
        EventKind::CtUntracked => "CtUntracked",
        EventKind::TcpState { .. } => "TcpState",
        EventKind::SeenReply { .. } => "SeenReply",
        EventKind::Assured { .. } => "Assured",
        EventKind::Timeout { .. } => "Timeout",
        EventKind::Confirmed { .. } => "Confirmed",
        EventKind::Clash { .. } => "Clash",
        EventKind::UnconfirmedGone { .. } => "UnconfirmedGone",
        EventKind::EntryGone { .. } => "EntryGone",
        EventKind::Expect { .. } => "Expect",
        EventKind::NatConsulted { .. } => "NatConsulted",
        EventKind::NatSkipped { .. } => "NatSkipped",
        EventKind::NatBound { .. } => "NatBound",
        EventKind::Rewrite { .. } => "Rewrite",
        EventKind::RewriteQuoted { .. } => "RewriteQuoted",
        EventKind::Route { .. } => "Route",
        EventKind::TtlDecrement => "TtlDecrement",
        EventKind::Deliver { .. } => "Deliver",
        EventKind::Transmit { .. } => "Transmit",
        EventKind::Drop { .. } => "Drop",
        EventKind::Queued { .. } => "Queued",
    }
}
