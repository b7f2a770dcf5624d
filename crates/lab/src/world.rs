//! The simulated world: hosts and wires, the frames between them, and simulated time. Deterministic: the same lab gives
//! the same world, step by step.
//!
//! Frames travel in the order in which they were sent, one queue for all (on a kernel they are all in one processor's
//! backlog); what a processor has begun it finishes before it takes the next frame. Packets that are in flight together
//! each have a processor of their own, and those take turns, one step each.

use crate::file::{End, Lab, MachineSettings, Station, StationId, StationKind};
use crate::programs::Machine;
use crate::record::{Sink, Watching, What};
use crate::topology::{To, Topology, end, mac};
use hookwalk_engine::addr::{Addr, AddrMask, Family};
use hookwalk_engine::device::DevId;
use hookwalk_engine::flight::{Cpu, Flight, Out, PacketIds};
use hookwalk_engine::host::{Host, HostId};
use hookwalk_engine::packet::{Packet, PktType, Skb};
use hookwalk_engine::route::{Route, RouteKind, table};
use hookwalk_engine::socket::SockEvent;
use hookwalk_engine::step::SendError;
use hookwalk_engine::time::{Duration, Time};
use hookwalk_lang::frames::Way;
use std::collections::VecDeque;
use std::sync::Arc;

/// A frame that a station's interface carried.
#[derive(Clone, PartialEq, Debug)]
pub struct Frame {
    /// The interface.
    pub iface: u16,
    /// In or out.
    pub way: Way,
    /// When.
    pub time: Time,
    /// Source and destination hardware address.
    pub macs: [[u8; 6]; 2],
    /// What it carried.
    pub packet: Arc<Packet>,
}

/// A station as it is now.
#[derive(Clone, Debug)]
pub struct StationState {
    /// Its stack; a wire has none. Shared with the checkpoints that were taken since it last changed.
    host: Option<Arc<Host>>,
    /// Its processors, one for each packet of a group in flight together.
    cpus: Vec<Cpu>,
    /// What its interfaces carried since the start.
    pub frames: Vec<Frame>,
    /// The last packet that it received from elsewhere.
    pub received: Option<Arc<Packet>>,
    /// The last packet that it sent because a line said so.
    pub sent: Option<Arc<Packet>>,
}

/// What one processor of every station works on.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// The station that has begun something and not finished.
    running: Option<StationId>,
    /// Frames under way, and packets that come back in from a loopback device.
    arrivals: VecDeque<Arrival>,
    /// Processes that woke up; they run when the frames are dealt with (softirqs come before them).
    processes: VecDeque<(StationId, Box<Flight>)>,
}

#[derive(Clone, Debug)]
struct Arrival {
    at: StationId,
    /// The interface; `None`: `lo`.
    iface: Option<u16>,
    skb: Box<Skb>,
}

/// Packets that wait for the answer to a question that nobody hears, `struct neighbour` in `NUD_INCOMPLETE`.
#[derive(Clone, Debug)]
struct Unresolved {
    /// Whose interface asks.
    at: End,
    /// For which address.
    next_hop: (Family, Addr),
    /// When it gives up.
    due: Time,
    /// IPv6: when it asks once more, and how often it has asked.
    again: Option<Time>,
    asked: u8,
    /// What waits.
    packets: Vec<Skb>,
}

/// Three questions, a second apart (`mcast_solicit`, `retrans_time_ms`), and what the kernel's timers add to that.
const NEIGHBOUR_FAILS: Duration = Duration::millis(3075);
const QUESTIONS: u8 = 3;
const BETWEEN_QUESTIONS: Duration = Duration::secs(1);

/// The world of a lab.
#[derive(Clone, Debug)]
pub struct World {
    /// Simulated time.
    pub now: Time,
    /// Stations in order of declaration.
    pub stations: Vec<StationState>,
    topology: Arc<Topology>,
    lanes: Vec<Lane>,
    turn: usize,
    ids: PacketIds,
    /// The moment that is waited for.
    until: Time,
    /// Hosts whose timers have run out.
    due: VecDeque<StationId>,
    /// Questions for neighbours that nobody answers, the oldest first.
    unresolved: VecDeque<Unresolved>,
    /// Packets that waited in vain.
    failed: VecDeque<(StationId, Skb)>,
}

/// The largest packet that a wire sends, in bytes.
const WIRE_MTU: u32 = 1500;
/// `VLAN_HLEN`: a frame may always be longer by a VLAN's tag.
const VLAN_HLEN: u32 = 4;

impl World {
    /// The world as the declarations of a lab make it.
    pub fn new(lab: &Lab) -> World {
        let states = lab.stations.iter().enumerate().map(|(i, s)| {
            let id = StationId(i as u16);
            StationState {
                host: (s.kind == StationKind::Host).then(|| Arc::new(host(id, s, lab.machine))),
                cpus: Vec::new(),
                frames: Vec::new(),
                received: None,
                sent: None,
            }
        });
        World {
            now: Time::default(),
            stations: states.collect(),
            topology: Arc::new(Topology::new(lab)),
            lanes: vec![Lane::default()],
            turn: 0,
            ids: PacketIds::default(),
            until: Time::default(),
            due: VecDeque::new(),
            unresolved: VecDeque::new(),
            failed: VecDeque::new(),
        }
    }

    /// The stack of a host; `None` for a wire.
    pub fn host(&self, id: StationId) -> Option<&Host> {
        self.stations.get(id.index())?.host.as_deref()
    }

    /// The stack of a host, to change it.
    pub fn host_mut(&mut self, id: StationId) -> Option<&mut Host> {
        self.stations.get_mut(id.index())?.host.as_mut().map(Arc::make_mut)
    }

    /// How many packets were born so far.
    pub fn packets(&self) -> u32 {
        self.ids.0
    }

    /// Packets that are in hosts now, with the station that each is in, in the order in which processors work on them.
    pub fn flights(&self) -> impl Iterator<Item = (StationId, &Flight)> {
        self.stations.iter().enumerate().flat_map(|(i, s)| {
            s.cpus.iter().flat_map(move |c| c.stack.iter().map(move |f| (StationId(i as u16), f)))
        })
    }

    /// Sets how many packets are in flight together from now on; only while nothing is.
    pub(crate) fn set_lanes(&mut self, n: usize) {
        self.lanes.resize_with(n.max(1), Lane::default);
        self.turn = 0;
    }

    /// Takes away all that is under way.
    pub(crate) fn clear(&mut self) {
        self.lanes.iter_mut().for_each(|l| *l = Lane::default());
        self.stations.iter_mut().for_each(|s| s.cpus.clear());
        self.due.clear();
        self.unresolved.clear();
        self.failed.clear();
        self.until = self.now;
    }

    /// Puts a wire's packet on its link, on this lane.
    pub(crate) fn send_from_wire<S: Sink>(&mut self, from: End, packet: Packet, lane: usize, sink: &mut S) {
        let to = self.topology.wire_frame(from, packet.family, packet.dst);
        let skb = Skb::new(self.ids.next_id(), packet);
        self.stations[from.station.index()].sent = Some(Arc::new(skb.packet.clone()));
        if skb.packet.len() > WIRE_MTU {
            sink.record(What::Lost { packet: skb.id, from });
            return;
        }
        self.transmit(from, to, skb, lane, sink);
    }

    /// Sends a packet through a host's raw socket, on this lane.
    ///
    /// # Errors
    /// As `sendto` fails.
    pub(crate) fn send_from_host(
        &mut self,
        station: StationId,
        packet: Packet,
        lane: usize,
    ) -> Result<(), SendError> {
        let id = self.ids.next_id();
        let state = &mut self.stations[station.index()];
        state.sent = Some(Arc::new(packet.clone()));
        let (Some(host), Some(cpu)) = (state.host.as_mut(), cpu(&mut state.cpus, lane)) else {
            return Ok(());
        };
        Arc::make_mut(host).send_raw(packet, id, cpu)?;
        self.lanes[lane].running = Some(station);
        Ok(())
    }

    /// A frame leaves a station: captured there, and on its way to whoever hears it.
    fn transmit<S: Sink>(&mut self, from: End, to: To, mut skb: Skb, lane: usize, sink: &mut S) {
        let Some(mac_dst) = to.mac() else {
            sink.record(What::Lost { packet: skb.id, from });
            return;
        };
        self.capture(from, Way::Out, [mac(from), mac_dst], &skb.packet);
        skb.mac_src = Some(mac(from));
        skb.mac_dst = Some(mac_dst);
        skb.pkt_type = match to {
            To::All([0xff, ..]) => PktType::Broadcast,
            To::All(_) => PktType::Multicast,
            _ => PktType::Host,
        };
        let ends: Vec<End> = match to {
            To::One(end) => vec![end],
            _ => self.topology.others(from).collect(),
        };
        for to in ends {
            sink.record(What::Carry { packet: skb.id, from, to });
            let skb = Box::new(on_the_wire(&skb));
            self.lanes[lane].arrivals.push_back(Arrival { at: to.station, iface: Some(to.iface), skb });
        }
    }

    fn capture(&mut self, at: End, way: Way, macs: [[u8; 6]; 2], packet: &Packet) {
        let frame = Frame { iface: at.iface, way, time: self.now, macs, packet: Arc::new(packet.clone()) };
        let station = &mut self.stations[at.station.index()];
        if way == Way::In {
            station.received = Some(frame.packet.clone());
        }
        station.frames.push(frame);
    }

    /// Lets time pass up to this moment; [`World::step`] does it, timer by timer.
    pub(crate) fn wait_until(&mut self, until: Time) {
        self.until = until;
    }

    /// One step of whoever has something to do. False: all is quiet, and the time that was waited for has come.
    pub fn step<S: Sink>(&mut self, sink: &mut S) -> bool {
        self.work(sink) || self.pass_time()
    }

    /// One step, while time stands still. False: all is quiet.
    pub(crate) fn work<S: Sink>(&mut self, sink: &mut S) -> bool {
        let lanes = self.lanes.len();
        for _ in 0..lanes {
            let lane = self.turn % lanes;
            self.turn = (lane + 1) % lanes;
            if self.lane_step(lane, sink) {
                return true;
            }
        }
        false
    }

    /// Lets a program of a host do something; what its sockets heard since comes along.
    pub(crate) fn on_host<T>(
        &mut self,
        station: StationId,
        act: impl FnOnce(&mut Machine<'_>, &[SockEvent]) -> T,
    ) -> Option<T> {
        let state = self.stations.get_mut(station.index())?;
        let host = Arc::make_mut(state.host.as_mut()?);
        let cpu = cpu(&mut state.cpus, 0)?;
        let events = std::mem::take(&mut host.net.sockets.events);
        let done = act(&mut Machine { host, ids: &mut self.ids, cpu }, &events);
        self.lanes[0].running = Some(station);
        Some(done)
    }

    /// The next moment at which a host does something by itself.
    pub(crate) fn next_timer(&self) -> Option<Time> {
        let hosts = self.stations.iter().filter_map(|s| s.host.as_ref()?.next_timer());
        let questions = self.unresolved.iter().filter_map(|u| u.again);
        hosts.chain(questions).chain(self.unresolved.front().map(|u| u.due)).min()
    }

    fn lane_step<S: Sink>(&mut self, lane: usize, sink: &mut S) -> bool {
        if let Some(id) = self.lanes[lane].running {
            let state = &mut self.stations[id.index()];
            if let (Some(host), Some(cpu)) = (state.host.as_mut(), state.cpus.get_mut(lane))
                && !cpu.stack.is_empty()
            {
                Arc::make_mut(host).step(cpu, &mut self.ids, &mut Watching(sink));
                self.collect(id, lane, sink);
                return true;
            }
            self.collect(id, lane, sink);
            self.lanes[lane].running = None;
        }
        if let Some(arrival) = self.lanes[lane].arrivals.pop_front() {
            self.arrive(arrival, lane, sink);
            return true;
        }
        if lane == 0
            && let Some((id, skb)) = self.failed.pop_front()
        {
            let state = &mut self.stations[id.index()];
            if let (Some(host), Some(cpu)) = (state.host.as_mut(), cpu(&mut state.cpus, lane)) {
                Arc::make_mut(host).link_failure(skb, &mut self.ids, cpu);
                self.lanes[lane].running = Some(id);
            }
            return true;
        }
        if lane == 0
            && let Some(which) = self.unresolved.iter().position(|u| u.again.is_some_and(|t| t <= self.now))
        {
            self.question(which, lane);
            return true;
        }
        if lane == 0
            && let Some(id) = self.due.pop_front()
        {
            let state = &mut self.stations[id.index()];
            if let (Some(host), Some(cpu)) = (state.host.as_mut(), cpu(&mut state.cpus, lane)) {
                Arc::make_mut(host).run_timers(cpu, &mut self.ids, &mut Watching(sink));
                self.lanes[lane].running = Some(id);
            }
            return true;
        }
        if let Some((id, flight)) = self.lanes[lane].processes.pop_front() {
            let state = &mut self.stations[id.index()];
            if let Some(cpu) = cpu(&mut state.cpus, lane) {
                cpu.stack.push(*flight);
                self.lanes[lane].running = Some(id);
            }
            return true;
        }
        false
    }

    /// Takes what left a processor.
    fn collect<S: Sink>(&mut self, id: StationId, lane: usize, sink: &mut S) {
        while let Some(out) = self.stations[id.index()].cpus.get_mut(lane).and_then(|c| c.out.pop_front()) {
            match out {
                Out::Loopback { skb } => {
                    self.lanes[lane].arrivals.push_back(Arrival { at: id, iface: None, skb: Box::new(skb) });
                }
                Out::Process { flight } => self.lanes[lane].processes.push_back((id, flight)),
                Out::Wire { dev, next_hop, skb } => {
                    // `lo` is device 1, so the interfaces that the lab declares begin at 2.
                    let Some(iface) = dev.0.checked_sub(2) else { continue };
                    let from = end(id, iface);
                    let next_hop = (skb.packet.family, next_hop);
                    let to = self.neighbour(from, next_hop.0, next_hop.1);
                    if to == To::Nobody && self.ask(from, next_hop, skb.clone()) {
                        self.question(self.unresolved.len() - 1, lane);
                    }
                    self.transmit(from, to, skb, lane, sink);
                }
            }
        }
    }

    /// A packet waits for a neighbour that does not exist (`neigh_resolve_output`). Is it the first?
    fn ask(&mut self, at: End, next_hop: (Family, Addr), skb: Skb) -> bool {
        if let Some(waiting) = self.unresolved.iter_mut().find(|u| u.at == at && u.next_hop == next_hop) {
            waiting.packets.push(skb);
            return false;
        }
        self.unresolved.push_back(Unresolved {
            at,
            next_hop,
            due: self.now + NEIGHBOUR_FAILS,
            again: None,
            asked: 0,
            packets: vec![skb],
        });
        true
    }

    /// Asks who has the address that a packet waits for. In IPv6 that is a packet which rules see.
    fn question(&mut self, which: usize, lane: usize) {
        let Some(waiting) = self.unresolved.get_mut(which).filter(|u| u.next_hop.0 == Family::V6) else {
            return;
        };
        waiting.asked += 1;
        waiting.again = (waiting.asked < QUESTIONS).then_some(self.now + BETWEEN_QUESTIONS);
        let Some(about) = waiting.packets.first().map(|skb| skb.packet.src) else { return };
        let (at, target) = (waiting.at, waiting.next_hop.1);
        let state = &mut self.stations[at.station.index()];
        if let (Some(host), Some(cpu)) = (state.host.as_mut(), cpu(&mut state.cpus, lane)) {
            Arc::make_mut(host).solicit(DevId(at.iface + 2), target, about, &mut self.ids, cpu);
            self.lanes[lane].running = Some(at.station);
        }
    }

    /// Who answers for an address on a link: whoever the lab gave it to, or a host that has taken it since (a host
    /// answers for every address of its own, whatever device it is on: `arp_ignore` is 0).
    fn neighbour(&self, from: End, family: Family, addr: Addr) -> To {
        let declared = self.topology.host_frame(from, family, addr);
        if declared != To::Nobody {
            return declared;
        }
        let has = |end: &End| {
            self.host(end.station).is_some_and(|h| {
                h.net.devices.iter().flat_map(|d| &d.addrs).any(|a| a.family == family && a.addr == addr)
            })
        };
        self.topology.others(from).find(has).map_or(To::Nobody, To::One)
    }

    fn arrive<S: Sink>(&mut self, arrival: Arrival, lane: usize, sink: &mut S) {
        let Arrival { at, iface, skb } = arrival;
        let dev = match iface {
            None => skb.in_dev.unwrap_or(DevId::LO),
            Some(iface) => {
                let at = end(at, iface);
                // A device that is down hears nothing, not even its capture; nor does it take what is too long for it
                // (`__is_skb_forwardable`).
                let state = &self.stations[at.station.index()];
                let fits = |mtu| skb.packet.len() <= mtu + VLAN_HLEN;
                let hears =
                    |h: &Arc<Host>| h.net.device(DevId(iface + 2)).is_some_and(|d| d.up && fits(d.mtu));
                if !state.host.as_ref().map_or(fits(WIRE_MTU), hears) {
                    sink.record(What::Lost { packet: skb.id, from: at });
                    return;
                }
                let macs = [skb.mac_src, skb.mac_dst].map(Option::unwrap_or_default);
                self.capture(at, Way::In, macs, &skb.packet);
                DevId(iface + 2)
            }
        };
        let state = &mut self.stations[at.index()];
        match (state.host.as_mut(), cpu(&mut state.cpus, lane)) {
            (Some(host), Some(cpu)) => {
                Arc::make_mut(host).receive(dev, *skb, cpu);
                self.lanes[lane].running = Some(at);
            }
            _ => sink.record(What::Arrive { packet: skb.id, at: end(at, iface.unwrap_or(0)) }),
        }
    }

    /// All is quiet: the clock goes on to the next timer, or to the end of the wait.
    pub(crate) fn pass_time(&mut self) -> bool {
        if self.now >= self.until {
            return false;
        }
        let next = self.next_timer().filter(|t| *t <= self.until);
        let now = next.unwrap_or(self.until).max(self.now);
        self.now = now;
        for (i, state) in self.stations.iter_mut().enumerate() {
            let Some(host) = state.host.as_mut() else { continue };
            if host.next_timer().is_some_and(|t| t <= now) {
                self.due.push_back(StationId(i as u16));
            }
            Arc::make_mut(host).net.now = now;
        }
        while self.unresolved.front().is_some_and(|u| u.due <= now) {
            let Some(given_up) = self.unresolved.pop_front() else { break };
            let at = given_up.at.station;
            self.failed.extend(given_up.packets.into_iter().map(|skb| (at, skb)));
        }
        true
    }
}

/// The processor of a lane, made now if there was none.
fn cpu(cpus: &mut Vec<Cpu>, lane: usize) -> Option<&mut Cpu> {
    if cpus.len() <= lane {
        cpus.resize_with(lane + 1, Cpu::default);
    }
    cpus.get_mut(lane)
}

/// What of a packet travels: the packet, and nothing that a kernel kept beside it.
fn on_the_wire(skb: &Skb) -> Skb {
    let mut frame = Skb::new(skb.id, skb.packet.clone());
    frame.mac_src = skb.mac_src;
    frame.mac_dst = skb.mac_dst;
    frame.pkt_type = skb.pkt_type;
    frame
}

/// What clocks show when a lab begins, for `-m time`: noon UTC on the first of January 2026, a Thursday. A run must be
/// the same whenever it is made.
pub const START_OF_TIME: i64 = 1_767_268_800;

/// A host as its line declares it.
fn host(id: StationId, station: &Station, machine: MachineSettings) -> Host {
    // Any number will do, as long as it is another one for each host and the same in each run.
    let mut host = Host::new(HostId(id.0), 0x686f_6f6b_0000_0000 | u64::from(id.0));
    if let Some(max) = machine.conntrack_max {
        host.net.sysctl.ct_max = max;
    }
    host.net.wall_clock = Some(START_OF_TIME);
    for (i, iface) in station.ifaces.iter().enumerate() {
        let dev = host.add_device(&iface.name, mac(end(id, i as u16)));
        for (family, addr, len) in &iface.addrs {
            host.add_addr(dev, *family, *addr, *len);
        }
    }
    for (family, gateway) in &station.gateways {
        let on_link = |addr: &(Family, Addr, u8)| {
            addr.0 == *family && AddrMask::prefix(*family, addr.1, addr.2).contains(*gateway)
        };
        let Some(i) = station.ifaces.iter().position(|i| i.addrs.iter().any(on_link)) else { continue };
        host.net.fib.routes.push(Route {
            family: *family,
            table: table::MAIN,
            kind: RouteKind::Unicast,
            dst: AddrMask::ANY,
            dev: Some(DevId(i as u16 + 2)),
            via: Some(*gateway),
            src: None,
            // `ip route add` leaves IPv4 at 0 and gives IPv6 routes 1024.
            metric: if *family == Family::V6 { 1024 } else { 0 },
            tos: 0,
            // RTPROT_BOOT, as iproute2 marks what it adds.
            protocol: 3,
            scope: 0,
            onlink: false,
            mtu: None,
        });
    }
    host.refresh();
    host
}
