//! What the local stack does with a delivered packet: sockets take it, or the kernel answers.

use crate::addr::{Addr, Family};
use crate::conntrack;
use crate::device::{DevId, IfAddr};
use crate::event::{DropBy, Emit, EventKind, KernelDrop, Observer, Origin, Receiver};
use crate::flight::{Flight, Out, PacketIds, Stage};
use crate::host::{Host, Net};
use crate::icmp_send::{self, IcmpError};
use crate::packet::{Icmp, L4, Owner, Packet, PacketId, Payload, Skb, Udp, proto, tcp_flags};
use crate::route::{DstKind, Flow, RouteKind};
use crate::socket::{Behaviour, Listener, SockEvent};
use crate::step::Spawned;
use crate::tcp_stack;
use std::collections::VecDeque;

/// `ip_local_deliver_finish`, `ip6_input_finish`: by transport protocol.
pub(crate) fn deliver<O: Observer>(
    host: &mut Host,
    flight: &mut Flight,
    out: &mut VecDeque<Out>,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
    emit: &mut Emit<'_, O>,
) {
    let skb = &mut flight.skb;
    let outcome = match (&skb.packet.l4, skb.packet.proto) {
        (L4::Tcp(_), _) if !is_unicast(skb) || tcp_ignores(&host.net, &skb.packet) => {
            Err(KernelDrop::StackIgnores)
        }
        (L4::Tcp(_), _) => {
            conntrack::release(&mut host.net, skb, emit);
            tcp_stack::receive(host, skb, out, spawned, ids)
        }
        (L4::Udp(_), proto::UDP) => {
            // nf_reset_ct: what is answered from here on is looked up anew.
            conntrack::release(&mut host.net, skb, emit);
            udp(host, skb, out, spawned, ids)
        }
        // The kernel speaks UDP-Lite, too; no program here does.
        (L4::Udp(header), _) => {
            if !skb.packet.bad_l4_checksum && !header.no_checksum {
                icmp_send::send(host, skb, IcmpError::PortUnreachable, spawned, ids);
            }
            Err(KernelDrop::NoSocket)
        }
        (L4::Icmp(_), _) => icmp(host, skb, spawned, ids),
        _ => {
            icmp_send::send(host, skb, IcmpError::ProtoUnreachable, spawned, ids);
            Err(KernelDrop::NoSocket)
        }
    };
    match outcome {
        Ok(to) => emit.event(EventKind::Deliver { to }),
        Err(drop) => {
            flight.at = Stage::Drop(DropBy::Kernel(drop));
            return;
        }
    }
    conntrack::release(&mut host.net, skb, emit);
}

/// Is the packet for this host alone? TCP knows no other: `tcp_v4_conn_request`, `tcp_v4_send_reset` and their IPv6 kin
/// leave broadcasts and multicasts without an answer.
fn is_unicast(skb: &Skb) -> bool {
    matches!(skb.dst.map(|d| d.to), Some(DstKind::Local))
}

/// Is the packet for an anycast address, which nobody answers from?
fn is_anycast(net: &Net, packet: &Packet) -> bool {
    packet.family == Family::V6 && net.addr_type(Family::V6, packet.dst, None) == RouteKind::Anycast
}

/// `ipv6_unicast_destination`: at an anycast address TCP neither accepts nor refuses; only a listener answers what can
/// belong to no connection.
fn tcp_ignores(net: &Net, packet: &Packet) -> bool {
    let Some(tcp) = packet.tcp().filter(|_| is_anycast(net, packet)) else { return false };
    let opens = tcp.flags & (tcp_flags::SYN | tcp_flags::ACK) == tcp_flags::SYN;
    opens || net.sockets.listener(proto::TCP, packet.family, packet.dst, tcp.dport).is_none()
}

/// Is the source an address of the device whose network the anycast destination stands for?
fn same_device(net: &Net, packet: &Packet) -> bool {
    net.devices.iter().any(|d| {
        let own = |a: &&IfAddr| a.family == Family::V6;
        d.addrs.iter().filter(own).any(|a| a.addr == packet.src)
            && d.addrs
                .iter()
                .filter(own)
                .any(|a| a.addr.and(Addr::prefix_mask(Family::V6, a.len)) == packet.dst)
    })
}

/// `__udp4_lib_rcv`: a socket, or "port unreachable".
fn udp(
    host: &mut Host,
    skb: &mut Skb,
    out: &mut VecDeque<Out>,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
) -> Result<Receiver, KernelDrop> {
    let packet = &skb.packet;
    let Some(&Udp { sport, dport, length, .. }) = packet.udp() else { return Err(KernelDrop::StackIgnores) };
    let said = length.map_or(8 + packet.payload.len(), u32::from);
    if packet.bad_l4_checksum || said < 8 || said > 8 + packet.payload.len() {
        return Err(KernelDrop::StackIgnores);
    }
    let (family, src) = (packet.family, packet.src);
    let (bound, port) = skb.socket_end();
    let from = (family, src, sport);
    // A socket for both families (`*:PORT` in `ss`) gets the IPv4 groups that it joined, and ours join none:
    // `inet6_create` leaves IP_MULTICAST_ALL off.
    let group = family == Family::V4 && matches!(skb.dst.map(|d| d.to), Some(DstKind::Multicast));
    let hears = |l: &Listener| (l.addr.is_some() || !group) && l.peer.is_none_or(|peer| peer == from);
    let Some(listener) =
        host.net.sockets.listener(proto::UDP, family, bound, port).filter(|l| hears(l)).cloned()
    else {
        if is_unicast(skb) {
            icmp_send::send(host, skb, IcmpError::PortUnreachable, spawned, ids);
        }
        return Err(KernelDrop::NoSocket);
    };
    host.net.sockets.received(dport, from, packet.payload.len());
    if listener.behaviour == Behaviour::Once {
        host.net.sockets.listeners.iter_mut().filter(|l| **l == listener).for_each(|l| l.peer = Some(from));
    }
    if listener.behaviour == Behaviour::Echo {
        // The socket is bound to any address, so routing chooses the source.
        let payload = packet.payload.clone();
        let answer = datagram(&host.net, family, listener.addr.map(|a| a.1), dport, src, sport, payload);
        let by = Origin::Socket;
        if let Ok(answer) = host.local_out(answer, PacketId::default(), by, skb.id) {
            let mut flight = answer;
            flight.skb.id = ids.next_id();
            out.push_back(Out::Process { flight: Box::new(flight) });
        }
    }
    Ok(Receiver::Listener(dport))
}

/// A datagram as `udp_sendmsg` builds it; without a source address routing chooses one.
pub(crate) fn datagram(
    net: &Net,
    family: Family,
    src: Option<Addr>,
    sport: u16,
    dst: Addr,
    dport: u16,
    payload: Payload,
) -> Packet {
    let src = src.or_else(|| net.route_output(&Flow::to(family, dst)).ok().and_then(|d| d.src));
    Packet {
        family,
        src: src.unwrap_or_default(),
        dst,
        proto: proto::UDP,
        ttl: net.sysctl.ip_default_ttl,
        tos: 0,
        ip_id: 0x4857,
        df: true,
        frag: None,
        bad_l4_checksum: false,
        l4: L4::Udp(Udp { sport, dport, ..Udp::default() }),
        payload,
    }
}

/// `icmp_rcv`, `icmpv6_rcv`: requests are answered, errors go to the socket that they are about.
fn icmp(
    host: &mut Host,
    skb: &mut Skb,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
) -> Result<Receiver, KernelDrop> {
    let net = &mut host.net;
    let packet = &skb.packet;
    let Some(&icmp) = packet.icmp() else { return Err(KernelDrop::StackIgnores) };
    if packet.bad_l4_checksum {
        return Err(KernelDrop::StackIgnores);
    }
    let anycast = is_anycast(net, packet);
    let broadcast = anycast || !is_unicast(skb);
    if anycast && skb.in_dev == Some(DevId::LO) && !same_device(net, packet) {
        // Observed: a host answers its own echo request to an anycast address of the same device only.
        return Ok(Receiver::Icmp);
    }
    let reply = match (packet.family, icmp.kind) {
        (Family::V4, 8) => {
            if net.sysctl.icmp_echo_ignore_all {
                return Err(KernelDrop::StackIgnores);
            }
            if broadcast && net.sysctl.icmp_echo_ignore_broadcasts {
                return Err(KernelDrop::BroadcastIgnored);
            }
            Some((Icmp { kind: 0, code: 0, ..icmp }, packet.payload.clone()))
        }
        (Family::V4, 13) => {
            if broadcast && net.sysctl.icmp_echo_ignore_broadcasts {
                return Err(KernelDrop::BroadcastIgnored);
            }
            Some((Icmp { kind: 14, code: 0, ..icmp }, Payload::Zeros(12)))
        }
        (Family::V6, 128) => Some((Icmp { kind: 129, code: 0, ..icmp }, packet.payload.clone())),
        (Family::V4, 0) | (Family::V6, 129) => {
            let from = (packet.family, packet.src);
            let (id, seq, ttl, len) = (icmp.id(), icmp.seq(), packet.ttl, 8 + packet.payload.len());
            net.sockets.events.push(SockEvent::EchoReply { from, id, seq, ttl, len });
            None
        }
        (Family::V4, 14) => None,
        _ if packet.is_icmp_error() => {
            crate::pmtu::learn(net, packet);
            net.sockets.error(packet);
            None
        }
        _ => return Err(KernelDrop::StackIgnores),
    };
    let Some((header, payload)) = reply else { return Ok(Receiver::Icmp) };
    let (family, tos) = (packet.family, packet.tos);
    let mut flow = Flow::to(family, packet.src);
    // A broadcast is answered from the address that routing chooses.
    flow.src = if broadcast { Addr::UNSPECIFIED } else { packet.dst };
    flow.mark = if net.sysctl.fwmark_reflect { skb.mark } else { 0 };
    let Ok(route) = net.route_output(&flow) else { return Ok(Receiver::Icmp) };
    let answer = Packet {
        family,
        src: if broadcast { route.src.unwrap_or_default() } else { packet.dst },
        dst: packet.src,
        proto: packet.proto,
        ttl: net.sysctl.ip_default_ttl,
        tos,
        ip_id: net.rng.next_u16() | 1,
        df: false,
        frag: None,
        bad_l4_checksum: false,
        l4: L4::Icmp(header),
        payload,
    };
    let mut reply = Skb::new(ids.next_id(), answer);
    reply.dst = Some(route);
    reply.mark = flow.mark;
    reply.owner = Some(Owner::Kernel);
    spawned.push(Flight { skb: reply, at: Stage::LocalOut { by: Origin::IcmpReply, answers: skb.id } });
    Ok(Receiver::Icmp)
}
