//! One transition of a packet in a host: the path from `ip_rcv` or a local sender to the wire or a socket.
//!
//! [`Host::step`] moves the top packet of a processor by one transition. Where it stands is in its
//! [`Flight`]; nothing is on the call stack between two steps. Traversal of chains is in [`crate::traverse`], what the
//! local stack does with a delivered packet in [`crate::local`].

use crate::addr::{Addr, Family};
use crate::conntrack;
use crate::defrag;
use crate::device::DevId;
use crate::event::{DropBy, Emit, EventKind, KernelDrop, NoObserver, Observer, Origin, RouteTo};
use crate::flight::{AtHook, Cpu, Flight, Out, PacketIds, Stage};
use crate::hook::{Hook, HookFn};
use crate::host::Host;
use crate::icmp_send::{self, IcmpError};
use crate::local;
use crate::nat::{self, NatStep};
use crate::packet::{Owner, Packet, PacketId, PktType, Skb};
use crate::route::{DstKind, Flow, RouteError};
use crate::ruleset::TableKind;
use crate::socket::SockEvent;
use crate::traverse::{self, Walked};
use std::collections::VecDeque;

/// Why a local sender could not send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SendError {
    /// ENETUNREACH, EHOSTUNREACH, EACCES or EINVAL, by the route.
    Route(RouteError),
    /// EMSGSIZE: larger than the device's MTU with "don't fragment" or a raw header.
    MessageSize,
    /// EACCES: a broadcast, without SO_BROADCAST (`udp_sendmsg`).
    Broadcast,
    /// EINVAL: to port 0 (`udp_sendmsg`).
    NoPort,
}

/// New packets that a step gave birth to; they run before the packet that caused them goes on.
pub(crate) type Spawned = Vec<Flight>;

/// To the unspecified address means to this host: `ip_route_output_key_hash_rcu`, `udpv6_sendmsg`, `tcp_v6_connect`.
pub(crate) fn loopback_for_any(family: Family, dst: Addr) -> Addr {
    match family {
        _ if !dst.is_unspecified() => dst,
        Family::V4 => Addr::LOOPBACK_V4,
        Family::V6 => Addr::LOOPBACK_V6,
    }
}

impl Host {
    /// A frame has arrived at a device, addressed to this host.
    pub fn receive(&mut self, dev: DevId, mut skb: Skb, cpu: &mut Cpu) {
        skb.in_dev = Some(dev);
        cpu.stack.push(Flight { skb, at: Stage::Receive });
    }

    /// A raw socket with its own IP header (`raw_send_hdrinc`): routed by destination, then OUTPUT.
    pub fn send_raw(&mut self, packet: Packet, id: PacketId, cpu: &mut Cpu) -> Result<(), SendError> {
        let flight = self.local_out(packet, id, Origin::Raw, PacketId::default())?;
        cpu.stack.push(flight);
        Ok(())
    }

    /// A raw socket that leaves the IP header to the kernel (`ping`): a packet larger than the MTU is fragmented.
    pub fn send_ip(&mut self, packet: Packet, id: PacketId, cpu: &mut Cpu) -> Result<(), SendError> {
        let flight = self.local_out(packet, id, Origin::Socket, PacketId::default())?;
        cpu.stack.push(flight);
        Ok(())
    }

    /// A packet that begins here, routed and ready for OUTPUT.
    pub(crate) fn local_out(
        &mut self,
        mut packet: Packet,
        id: PacketId,
        by: Origin,
        answers: PacketId,
    ) -> Result<Flight, SendError> {
        if by == Origin::Socket {
            packet.dst = loopback_for_any(packet.family, packet.dst);
        }
        let mut flow = Flow::of(&packet, 0, None);
        if by == Origin::Raw {
            // A raw socket that is not bound looks up without a source.
            flow.src = Addr::UNSPECIFIED;
        }
        let dst = self.net.route_output(&flow).map_err(SendError::Route)?;
        // raw_send_hdrinc looks at the device, rawv6_send_hdrinc too; what a path allows is cut later.
        if by == Origin::Raw && packet.len() > self.net.mtu(dst.dev) {
            return Err(SendError::MessageSize);
        }
        if by == Origin::Socket && packet.udp().is_some() {
            match dst.to {
                DstKind::Broadcast => return Err(SendError::Broadcast),
                _ if packet.udp().is_some_and(|u| u.dport == 0) => return Err(SendError::NoPort),
                _ => {}
            }
        }
        // __ip_make_skb: what must be fragmented does not say that it must not.
        if by == Origin::Socket && packet.len() > dst.mtu {
            packet.df = false;
        }
        if packet.src.is_unspecified() {
            packet.src = dst.src.unwrap_or(packet.src);
        }
        let mut skb = Skb::new(id, packet);
        skb.dst = Some(dst);
        skb.owner = match by {
            Origin::Raw | Origin::Socket => Some(Owner::User { uid: 0, gid: 0 }),
            // tcp_v6_send_response leaves skb->sk empty, ip_send_unicast_reply does not.
            Origin::TcpReset if skb.packet.family == Family::V6 => None,
            _ => Some(Owner::Kernel),
        };
        Ok(Flight { skb, at: Stage::LocalOut { by, answers } })
    }

    /// Moves the top packet of the processor by one transition. False: it has none.
    pub fn step<O: Observer>(&mut self, cpu: &mut Cpu, ids: &mut PacketIds, observer: &mut O) -> bool {
        self.step_by::<false, O>(cpu, ids, observer)
    }

    /// Moves the packets of the processor until it has none, and nobody looks. The outcome is that of [`Host::step`] again
    /// and again; but chains are walked in one go, and rules that cannot match are passed over (see `index.rs`).
    pub fn run(&mut self, cpu: &mut Cpu, ids: &mut PacketIds) {
        while self.step_by::<true, NoObserver>(cpu, ids, &mut NoObserver) {}
    }

    fn step_by<const RUN: bool, O: Observer>(
        &mut self,
        cpu: &mut Cpu,
        ids: &mut PacketIds,
        observer: &mut O,
    ) -> bool {
        let Some(at) = cpu.stack.len().checked_sub(1) else { return false };
        let mut spawned = core::mem::take(&mut cpu.spawned);
        let flight = &mut cpu.stack[at];
        let emit = &mut Emit { observer, host: self.id, packet: flight.skb.id };
        self.advance::<RUN, O>(flight, &mut cpu.out, &mut spawned, ids, emit);
        if flight.at == Stage::Done {
            cpu.stack.remove(at);
        }
        // The first answer runs first, so it goes on top.
        cpu.stack.extend(spawned.drain(..).rev());
        cpu.spawned = spawned;
        true
    }

    fn advance<const RUN: bool, O: Observer>(
        &mut self,
        flight: &mut Flight,
        out: &mut VecDeque<Out>,
        spawned: &mut Spawned,
        ids: &mut PacketIds,
        emit: &mut Emit<'_, O>,
    ) {
        match &mut flight.at {
            Stage::Receive => self.receive_step(flight, emit),
            Stage::LocalOut { by, answers } => {
                let (by, answers) = (*by, *answers);
                emit.event(EventKind::Originate { by, answers });
                let dev = flight.skb.dst.map(|d| d.dev);
                flight.at = at_hook(Hook::Output, None, dev);
            }
            Stage::Hook(at) if !at.entered => {
                at.entered = true;
                emit.event(EventKind::Hook { hook: at.hook, in_dev: at.in_dev, out_dev: at.out_dev });
            }
            Stage::Hook(_) => self.hook_step::<RUN, O>(flight, spawned, ids, emit),
            Stage::InputRoute => self.input_route(flight, spawned, ids, emit),
            Stage::Forward => self.forward(flight, spawned, ids, emit),
            Stage::Deliver => {
                flight.at = Stage::Done;
                local::deliver(self, flight, out, spawned, ids, emit);
            }
            Stage::Transmit => self.transmit(flight, out, spawned, ids, emit),
            Stage::Drop(by) => {
                if let DropBy::Reject(_) = by {
                    self.net.klog.tell_waiting(flight.skb.id);
                    let skb = &flight.skb;
                    let own = matches!(skb.owner, Some(Owner::User { .. })) && skb.in_dev.is_none();
                    if let Some(icmp) = skb.packet.icmp().filter(|_| own) {
                        self.net.sockets.events.push(SockEvent::EchoRefused { id: icmp.id() });
                    }
                }
                emit.event(EventKind::Drop { by: *by });
                flight.at = Stage::Done;
                conntrack::release(&mut self.net, &mut flight.skb, emit);
            }
            Stage::Done => {}
        }
    }

    /// `ip_rcv`, `ipv6_rcv`.
    fn receive_step<O: Observer>(&mut self, flight: &mut Flight, emit: &mut Emit<'_, O>) {
        let dev = flight.skb.in_dev.unwrap_or(DevId::LO);
        emit.event(EventKind::Receive { dev });
        let other = flight.skb.pkt_type == PktType::OtherHost;
        // ip6_rcv_core looks at the addresses before any hook; ip_rcv leaves them to the routing decision.
        let packet = &flight.skb.packet;
        let martian = packet.family == Family::V6
            && (packet.src.is_multicast(Family::V6)
                || dev != DevId::LO
                    && packet.dst.is_multicast(Family::V6)
                    && packet.dst.multicast_scope() < 2
                || dev != DevId::LO && [packet.src, packet.dst].iter().any(|a| a.is_loopback(Family::V6)));
        flight.at = if other {
            Stage::Drop(DropBy::Kernel(KernelDrop::OtherHost))
        } else if martian {
            Stage::Drop(DropBy::Kernel(KernelDrop::MartianSource))
        } else {
            at_hook(Hook::Prerouting, Some(dev), None)
        };
    }

    /// One function of the hook, or one step inside a table's chains.
    fn hook_step<const RUN: bool, O: Observer>(
        &mut self,
        flight: &mut Flight,
        spawned: &mut Spawned,
        ids: &mut PacketIds,
        emit: &mut Emit<'_, O>,
    ) {
        let Flight { skb, at } = flight;
        let Stage::Hook(hook) = at else { return };
        if hook.walk.is_some() {
            let walked = match RUN {
                true => traverse::run(self, skb, hook, spawned, ids, emit),
                false => traverse::walk(self, skb, hook, spawned, ids, emit),
            };
            match walked {
                Walked::Going => {}
                Walked::Drop(by) => *at = Stage::Drop(by),
                Walked::Stolen => *at = Stage::Done,
                Walked::Accepted => self.table_done(flight, emit),
            }
            return;
        }
        let family = skb.packet.family;
        let Some(entry) = self.hook_list(family, hook.hook).get(usize::from(hook.next)).copied() else {
            self.hook_done(flight, spawned, ids, emit);
            return;
        };
        hook.next += 1;
        let which = hook.hook;
        emit.event(EventKind::Function { priority: entry.priority, func: entry.func });
        let result = match entry.func {
            HookFn::Defrag => match defrag::gather(&mut self.net, skb, which, emit) {
                defrag::Gathered::Whole => Ok(()),
                defrag::Gathered::Held => {
                    *at = Stage::Done;
                    return;
                }
            },
            HookFn::Conntrack => conntrack::track(&mut self.net, skb, which, emit),
            HookFn::Confirm => conntrack::confirm(&mut self.net, skb, which, hook.out_dev, emit),
            HookFn::Table(kind) => {
                traverse::enter(self, skb, hook, kind, emit);
                Ok(())
            }
            HookFn::Nat => match nat::begin(&mut self.net, skb, which, hook.in_dev, hook.out_dev, emit) {
                Ok(NatStep::Pass) => Ok(()),
                Ok(NatStep::Translate) => self.nat_apply(skb, which, emit),
                Ok(NatStep::Consult) => {
                    if traverse::enter(self, skb, hook, TableKind::Nat, emit) {
                        Ok(())
                    } else {
                        nat::null_binding(&mut self.net, skb, which, emit)
                            .and_then(|()| self.nat_apply(skb, which, emit))
                    }
                }
                Err(drop) => Err(drop),
            },
        };
        if let Err(drop) = result {
            flight.at = Stage::Drop(DropBy::Kernel(drop));
        }
    }

    /// A table let the packet pass: what mangle and nat do afterwards.
    fn table_done<O: Observer>(&mut self, flight: &mut Flight, emit: &mut Emit<'_, O>) {
        let Flight { skb, at } = flight;
        let Stage::Hook(hook) = at else { return };
        let Some(walk) = hook.walk.take() else { return };
        let result = match walk.table {
            TableKind::Nat => nat::null_binding(&mut self.net, skb, hook.hook, emit)
                .and_then(|()| self.nat_apply(skb, hook.hook, emit)),
            // ipt_mangle_out, nf_route_table_hook4: a change of what routing looks at routes anew.
            TableKind::Mangle if hook.hook == Hook::Output && traverse::routing_key(skb) != walk.before => {
                self.reroute(skb, emit)
            }
            _ => Ok(()),
        };
        if let Err(drop) = result {
            flight.at = Stage::Drop(DropBy::Kernel(drop));
        }
    }

    /// `nf_nat_packet` and what the hook's own function does around it.
    fn nat_apply<O: Observer>(
        &mut self,
        skb: &mut Skb,
        hook: Hook,
        emit: &mut Emit<'_, O>,
    ) -> Result<(), KernelDrop> {
        let before = skb.packet.dst;
        nat::translate(&mut self.net, skb, hook, emit)?;
        match hook {
            // nf_nat_ipv4_pre_routing: a new destination forgets the route.
            Hook::Prerouting if skb.packet.dst != before => skb.dst = None,
            Hook::Output if nat::wants_reroute(&self.net, skb) => self.reroute(skb, emit)?,
            _ => {}
        }
        Ok(())
    }

    /// `ip_route_me_harder`.
    fn reroute<O: Observer>(&mut self, skb: &mut Skb, emit: &mut Emit<'_, O>) -> Result<(), KernelDrop> {
        match self.net.route_me_harder(skb) {
            Ok(dst) => {
                skb.dst = Some(dst);
                emit.event(EventKind::Route { to: route_to(&dst), again: true });
                Ok(())
            }
            Err(_) => Err(KernelDrop::NoRoute),
        }
    }

    /// All functions of the hook let the packet pass: `okfn`.
    fn hook_done<O: Observer>(
        &mut self,
        flight: &mut Flight,
        spawned: &mut Spawned,
        ids: &mut PacketIds,
        emit: &mut Emit<'_, O>,
    ) {
        let Flight { skb, at } = flight;
        let Stage::Hook(hook) = at else { return };
        let dst_dev = skb.dst.map(|d| d.dev);
        // ip_mc_output copies before POSTROUTING, ip6_finish_output2 after it.
        let copies = match skb.packet.family {
            Family::V4 => Hook::Output,
            Family::V6 => Hook::Postrouting,
        };
        if hook.hook == copies && hook.in_dev.is_none() && self.hears_itself(skb) {
            let mut copy = skb.clone();
            copy.id = ids.next_id();
            copy.loops_back = true;
            if let conntrack::Nfct::Conn { conn, .. } = copy.nfct {
                self.net.ct.hold(conn);
            }
            let emit = &mut Emit { observer: &mut *emit.observer, host: emit.host, packet: copy.id };
            emit.event(EventKind::Originate { by: Origin::Copy, answers: skb.id });
            spawned.push(Flight { skb: copy, at: at_hook(Hook::Postrouting, None, dst_dev) });
        }
        *at = match hook.hook {
            Hook::Prerouting => Stage::InputRoute,
            Hook::Input => Stage::Deliver,
            // ip_forward_finish → ip_output: the input device stays known.
            Hook::Forward => at_hook(Hook::Postrouting, hook.in_dev, dst_dev),
            Hook::Output => at_hook(Hook::Postrouting, None, dst_dev),
            Hook::Postrouting => Stage::Transmit,
        };
    }

    /// Does the host hear what it sends to everyone or to a group that it is in?
    fn hears_itself(&self, skb: &Skb) -> bool {
        let Some(dst) = skb.dst.filter(|d| d.dev != DevId::LO && !skb.loops_back) else { return false };
        match dst.to {
            DstKind::Broadcast => true,
            DstKind::Multicast => self.net.joined(skb.packet.family, dst.dev, skb.packet.dst),
            _ => false,
        }
    }

    /// `ip_rcv_finish`: the decision between INPUT and FORWARD.
    fn input_route<O: Observer>(
        &mut self,
        flight: &mut Flight,
        spawned: &mut Spawned,
        ids: &mut PacketIds,
        emit: &mut Emit<'_, O>,
    ) {
        let skb = &mut flight.skb;
        let dev = skb.in_dev.unwrap_or(DevId::LO);
        let dst = match skb.dst {
            // Loopback keeps the route of the way out.
            Some(dst) => dst,
            None => match self.net.route_input(&skb.packet, skb.mark, dev) {
                Ok(dst) => dst,
                Err(drop) => {
                    emit.event(EventKind::Route { to: RouteTo::None, again: false });
                    flight.at = Stage::Drop(DropBy::Kernel(drop));
                    return;
                }
            },
        };
        skb.dst = Some(dst);
        let to = if skb.loops_back { RouteTo::Local } else { route_to(&dst) };
        emit.event(EventKind::Route { to, again: false });
        flight.at = match dst.to {
            DstKind::Local | DstKind::Broadcast | DstKind::Multicast => {
                // ip_local_deliver puts fragments together where nothing did so before.
                if skb.packet.frag.is_some()
                    && matches!(defrag::gather(&mut self.net, skb, Hook::Input, emit), defrag::Gathered::Held)
                {
                    Stage::Done
                } else {
                    at_hook(Hook::Input, Some(dev), None)
                }
            }
            DstKind::Unicast => Stage::Forward,
            DstKind::Error(error) => {
                icmp_send::route_error(self, skb, error, spawned, ids);
                let why = match error {
                    RouteError::NetUnreachable => KernelDrop::NoRoute,
                    _ => KernelDrop::BadRoute,
                };
                Stage::Drop(DropBy::Kernel(why))
            }
        };
    }

    /// `ip_forward`, `ip6_forward`: the hop limit, the MTU, redirects; then FORWARD.
    fn forward<O: Observer>(
        &mut self,
        flight: &mut Flight,
        spawned: &mut Spawned,
        ids: &mut PacketIds,
        emit: &mut Emit<'_, O>,
    ) {
        let skb = &mut flight.skb;
        let in_dev = skb.in_dev.unwrap_or(DevId::LO);
        let Some(dst) = skb.dst else {
            flight.at = Stage::Drop(DropBy::Kernel(KernelDrop::NoRoute));
            return;
        };
        let family = skb.packet.family;
        // A packet that a socket has taken is not forwarded (ip_forward looks at skb->sk): its mark led elsewhere.
        if skb.tproxy.is_some() {
            flight.at = Stage::Drop(DropBy::Kernel(KernelDrop::StackIgnores));
            return;
        }
        if family == Family::V6 && !self.net.sysctl.ip6_forward {
            flight.at = Stage::Drop(DropBy::Kernel(KernelDrop::ForwardingOff));
            return;
        }
        if skb.packet.ttl <= 1 {
            icmp_send::send(self, skb, IcmpError::TtlExceeded, spawned, ids);
            flight.at = Stage::Drop(DropBy::Kernel(KernelDrop::TtlExceeded));
            return;
        }
        let too_big = match family {
            Family::V4 => skb.packet.df && skb.packet.len() > dst.mtu && skb.frag_max_size == 0,
            Family::V6 => match skb.frag_max_size {
                0 => skb.packet.len() > dst.mtu,
                max => u32::from(max) > dst.mtu,
            },
        };
        if too_big {
            icmp_send::send(self, skb, IcmpError::TooBig(dst.mtu), spawned, ids);
            flight.at = Stage::Drop(DropBy::Kernel(KernelDrop::TooBig));
            return;
        }
        icmp_send::redirect(self, skb, &dst, spawned, ids);
        skb.packet.ttl -= 1;
        emit.event(EventKind::TtlDecrement);
        flight.at = at_hook(Hook::Forward, Some(in_dev), Some(dst.dev));
    }

    /// `ip_finish_output`, `dev_queue_xmit`: fragments if need be, and the device takes it.
    fn transmit<O: Observer>(
        &mut self,
        flight: &mut Flight,
        out: &mut VecDeque<Out>,
        spawned: &mut Spawned,
        ids: &mut PacketIds,
        emit: &mut Emit<'_, O>,
    ) {
        let skb = &mut flight.skb;
        let Some(dst) = skb.dst else {
            flight.at = Stage::Drop(DropBy::Kernel(KernelDrop::NoRoute));
            return;
        };
        let Some(device) = self.net.device(dst.dev).filter(|d| d.up) else {
            flight.at = Stage::Drop(DropBy::Kernel(KernelDrop::DeviceDown));
            return;
        };
        let mtu = device.mtu.min(dst.mtu);
        let next_hop = dst.via.unwrap_or(skb.packet.dst);
        if dst.dev == DevId::LO || skb.loops_back {
            flight.at = Stage::Done;
            emit.event(EventKind::Transmit { dev: dst.dev });
            let mut skb = skb.clone();
            skb.in_dev = Some(dst.dev);
            if skb.loops_back {
                // PACKET_LOOPBACK, which `-m pkttype` takes for what its destination is.
                let group = skb.packet.dst.is_multicast(skb.packet.family);
                skb.pkt_type = if group { PktType::Multicast } else { PktType::Broadcast };
            }
            skb.is_clone = false;
            // The entry goes along: it is the copy's now.
            flight.skb.nfct = conntrack::Nfct::None;
            out.push_back(Out::Loopback { skb });
            return;
        }
        let whole = skb.packet.len() <= mtu && skb.frag_max_size == 0;
        if whole {
            flight.at = Stage::Done;
            emit.event(EventKind::Transmit { dev: dst.dev });
            let mut sent = skb.clone();
            sent.nfct = conntrack::Nfct::None;
            conntrack::release(&mut self.net, skb, emit);
            out.push_back(Out::Wire { dev: dst.dev, next_hop, skb: sent });
            return;
        }
        match defrag::split(skb, mtu) {
            Some(pieces) => {
                flight.at = Stage::Done;
                if pieces.len() > 1 {
                    emit.event(EventKind::Fragmented { pieces: pieces.len() as u16 });
                }
                emit.event(EventKind::Transmit { dev: dst.dev });
                for packet in pieces {
                    let mut piece = skb.clone();
                    piece.packet = packet;
                    piece.nfct = conntrack::Nfct::None;
                    piece.frag_max_size = 0;
                    out.push_back(Out::Wire { dev: dst.dev, next_hop, skb: piece });
                }
                conntrack::release(&mut self.net, skb, emit);
            }
            None => {
                icmp_send::send(self, skb, IcmpError::TooBig(mtu), spawned, ids);
                flight.at = Stage::Drop(DropBy::Kernel(KernelDrop::TooBig));
            }
        }
    }
}

/// The packet is about to enter a hook with these devices.
pub(crate) fn at_hook(hook: Hook, in_dev: Option<DevId>, out_dev: Option<DevId>) -> Stage {
    Stage::Hook(AtHook { hook, in_dev, out_dev, entered: false, next: 0, walk: None })
}

fn route_to(dst: &crate::route::Dst) -> RouteTo {
    match dst.to {
        DstKind::Local => RouteTo::Local,
        DstKind::Broadcast | DstKind::Multicast if dst.src.is_none() => RouteTo::Local,
        DstKind::Unicast | DstKind::Broadcast | DstKind::Multicast => {
            RouteTo::Out { dev: dst.dev, via: dst.via }
        }
        DstKind::Error(_) => RouteTo::None,
    }
}
