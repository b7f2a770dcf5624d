//! Packets that the kernel makes about another packet: ICMP errors with their rate limits, RST from REJECT, redirects,
//! TEE's copies.

use crate::addr::{Addr, Family};
use crate::conntrack::{self, Nfct};
use crate::device::DevId;
use crate::event::Origin;
use crate::flight::{Cpu, Flight, PacketIds, Stage};
use crate::hook::Hook;
use crate::host::{Host, Net};
use crate::packet::{
    Icmp, L4, Owner, Packet, PacketId, Payload, PktType, Skb, Tcp, TcpOpts, proto, tcp_flags,
};
use crate::route::{Dst, DstKind, Flow, RouteError, RouteKind};
use crate::ruleset::RuleRef;
use crate::step::Spawned;
use crate::targets::Spawn;
use crate::time::HZ;

/// An ICMP or ICMPv6 error that the stack sends by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IcmpError {
    /// 11/0, ICMPv6 3/0.
    TtlExceeded,
    /// 3/4 with the next hop's MTU in bytes, ICMPv6 2/0.
    TooBig(u32),
    /// 3/3, ICMPv6 1/4.
    PortUnreachable,
    /// 3/2; ICMPv6 4/1.
    ProtoUnreachable,
    /// 3/1; ICMPv6 1/3.
    HostUnreachable,
    /// 3/0; ICMPv6 1/0.
    NetUnreachable,
    /// 3/13; ICMPv6 1/1.
    Prohibited,
    /// 11/1: reassembly took too long.
    FragmentTime,
    /// Any type and code (REJECT).
    Other(u8, u8),
}

impl IcmpError {
    fn header(self, family: Family) -> Icmp {
        let (kind, code, rest) = match (self, family) {
            (IcmpError::TtlExceeded, Family::V4) => (11, 0, 0),
            (IcmpError::TtlExceeded, Family::V6) => (3, 0, 0),
            (IcmpError::TooBig(mtu), Family::V4) => (3, 4, mtu),
            (IcmpError::TooBig(mtu), Family::V6) => (2, 0, mtu),
            (IcmpError::PortUnreachable, Family::V4) => (3, 3, 0),
            (IcmpError::PortUnreachable, Family::V6) => (1, 4, 0),
            (IcmpError::ProtoUnreachable, Family::V4) => (3, 2, 0),
            // The pointer says where the next-header field stands.
            (IcmpError::ProtoUnreachable, Family::V6) => (4, 1, 6),
            (IcmpError::HostUnreachable, Family::V4) => (3, 1, 0),
            (IcmpError::HostUnreachable, Family::V6) => (1, 3, 0),
            (IcmpError::NetUnreachable, Family::V4) => (3, 0, 0),
            (IcmpError::NetUnreachable, Family::V6) => (1, 0, 0),
            (IcmpError::Prohibited, Family::V4) => (3, 13, 0),
            (IcmpError::Prohibited, Family::V6) => (1, 1, 0),
            (IcmpError::FragmentTime, Family::V4) => (11, 1, 0),
            (IcmpError::FragmentTime, Family::V6) => (3, 1, 0),
            (IcmpError::Other(kind, code), _) => (kind, code, 0),
        };
        Icmp { kind, code, rest }
    }
}

/// What the host remembers about a peer, `struct inet_peer`: the token bucket of ICMP errors and redirects to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Tokens, in jiffies.
    rate_tokens: u64,
    /// When they were counted last, in jiffies.
    rate_last: u64,
    /// Redirects sent.
    redirects: u8,
}

/// Peers of a host, by address.
pub type Peers = crate::sorted::SortedMap<(Family, Addr), Peer>;

/// `XRLIM_BURST_FACTOR` (net/ipv4/inetpeer.c).
const BURST: u64 = 6;
/// Jiffies run from an arbitrary start so that a new peer's bucket is full.
const JIFFIES_START: u64 = 300 * HZ;

fn jiffies(net: &Net) -> u64 {
    JIFFIES_START + net.now.jiffies()
}

fn peer(net: &mut Net, family: Family, addr: Addr) -> &mut Peer {
    let now = jiffies(net);
    net.peers.get_or((family, addr), || Peer { rate_tokens: 0, rate_last: now - 60 * HZ, redirects: 0 })
}

/// `inet_peer_xrlim_allow`: one token of `timeout` jiffies.
fn allow(net: &mut Net, family: Family, addr: Addr, timeout: u64) -> bool {
    let now = jiffies(net);
    let peer = peer(net, family, addr);
    let mut tokens = peer.rate_tokens;
    // The cap is only looked at when time has passed: with a limit of 0 that empties the bucket, which then lacks for
    // "no route" errors.
    if now != peer.rate_last {
        tokens = (tokens + (now - peer.rate_last)).min(BURST * timeout);
        peer.rate_last = now;
    }
    let yes = tokens >= timeout;
    if yes {
        tokens -= timeout;
    }
    peer.rate_tokens = tokens;
    yes
}

/// `ip_error`, `ip6_pkt_drop`: no way to go, and the sender is told, with a limit of its own in IPv4.
pub(crate) fn route_error(
    host: &mut Host,
    skb: &mut Skb,
    error: RouteError,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
) {
    let what = match error {
        RouteError::NetUnreachable => IcmpError::NetUnreachable,
        // ip6_pkt_discard does not tell an unreachable route from none.
        RouteError::HostUnreachable if skb.packet.family == Family::V6 => IcmpError::NetUnreachable,
        RouteError::HostUnreachable => IcmpError::HostUnreachable,
        RouteError::Prohibited => IcmpError::Prohibited,
        RouteError::Blackhole => return,
    };
    if skb.packet.family == Family::V4 {
        // ip_rt_error_burst 5 s, ip_rt_error_cost 1 s, from the same bucket as the errors themselves.
        let now = jiffies(&host.net);
        let peer = peer(&mut host.net, Family::V4, skb.packet.src);
        peer.rate_tokens = (peer.rate_tokens + (now - peer.rate_last)).min(5 * HZ);
        peer.rate_last = now;
        if peer.rate_tokens < HZ {
            return;
        }
        peer.rate_tokens -= HZ;
    }
    send(host, skb, what, spawned, ids);
}

/// `__icmp_send`, `icmp6_send`: an error about this packet, if one may be sent.
pub(crate) fn send(
    host: &mut Host,
    skb: &mut Skb,
    error: IcmpError,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
) {
    send_as(host, skb, error, Origin::IcmpError, spawned, ids);
}

impl Host {
    /// Neighbour discovery has failed for a packet that waited for it: its sender is told (`ipv4_link_failure`,
    /// `ip6_link_failure`). The answer is on the processor's stack afterwards.
    pub fn link_failure(&mut self, mut skb: Skb, ids: &mut PacketIds, cpu: &mut Cpu) {
        let mut spawned = Spawned::default();
        send(self, &mut skb, IcmpError::HostUnreachable, &mut spawned, ids);
        cpu.stack.extend(spawned.drain(..).rev());
    }
}

/// Is it an ICMP message that no error answers? IPv4 counts as errors all types that it does not know or only discards
/// (`icmp_pointers[].error`), and leaves echo, timestamp, information and address mask; IPv6 all below 128.
fn is_error_to_icmp(packet: &Packet) -> bool {
    match (packet.family, packet.icmp()) {
        (Family::V4, Some(icmp)) => !matches!(icmp.kind, 0 | 8 | 13..=18),
        _ => packet.is_icmp_error(),
    }
}

fn send_as(
    host: &mut Host,
    skb: &Skb,
    error: IcmpError,
    by: Origin,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
) {
    let net = &mut host.net;
    let about = &skb.packet;
    let family = about.family;
    let Some(dst) = skb.dst else { return };
    if skb.pkt_type != PktType::Host
        || matches!(dst.to, DstKind::Broadcast | DstKind::Multicast)
        || about.is_later_fragment()
        || is_error_to_icmp(about)
    {
        return;
    }
    if family == Family::V6 && (about.src.is_unspecified() || about.src.is_multicast(family)) {
        return;
    }
    // Its own answer to an echo request is still being sent: the one ICMP socket is busy (`icmp_xmit_lock`).
    if skb.owner == Some(Owner::Kernel) && skb.in_dev.is_none() && about.icmp().is_some() {
        return;
    }
    let icmp = error.header(family);
    // The packet's own destination speaks if it is ours; else routing chooses. Of a copy that TEE sent to ourselves it is
    // somebody else's, and no route has such a source.
    if family == Family::V4
        && dst.to == DstKind::Local
        && net.addr_type(family, about.dst, None) != RouteKind::Local
    {
        return;
    }
    let local = match family {
        Family::V4 => dst.to == DstKind::Local,
        Family::V6 => {
            // ::1 belongs to lo alone (`ipv6_chk_addr` with the device).
            let elsewhere = skb.in_dev.is_some_and(|dev| dev != DevId::LO) && about.dst.is_loopback(family);
            !elsewhere
                && matches!(net.addr_type(family, about.dst, None), RouteKind::Local | RouteKind::Anycast)
        }
    };
    let src = if local { about.dst } else { Addr::UNSPECIFIED };
    let mark = if net.sysctl.fwmark_reflect { skb.mark } else { 0 };
    let mut flow = Flow::to(family, about.src);
    (flow.src, flow.mark) = (src, mark);
    flow.ports.0 = if family == Family::V4 { proto::ICMP } else { proto::ICMPV6 };
    let Ok(route) = net.route_output(&flow) else { return };
    if !limit(net, &route, family, about.src, &icmp) {
        return;
    }
    let (proto_number, most) = match family {
        Family::V4 => (proto::ICMP, route.mtu.min(576) - 28),
        Family::V6 => (proto::ICMPV6, 1280 - 48),
    };
    let tos = match family {
        Family::V4 if matches!(icmp.kind, 3 | 4 | 5 | 11 | 12) => about.tos & 0x1c | 0xc0,
        _ => 0,
    };
    let packet = Packet {
        family,
        src: if local { src } else { route.src.unwrap_or_default() },
        dst: about.src,
        proto: proto_number,
        ttl: net.sysctl.ip_default_ttl,
        tos,
        ip_id: net.rng.next_u16() | 1,
        df: false,
        frag: None,
        bad_l4_checksum: false,
        l4: L4::Icmp(icmp),
        payload: Payload::Quote { len: about.len().min(most), packet: Box::new(quoted(about)) },
    };
    let mut answer = Skb::new(ids.next_id(), packet);
    answer.mark = mark;
    answer.dst = Some(route);
    answer.owner = Some(Owner::Kernel);
    answer.is_clone = skb.is_clone;
    conntrack::attach(net, &mut answer, skb);
    spawned.push(Flight { skb: answer, at: Stage::LocalOut { by, answers: skb.id } });
}

/// An error that is quoted is quoted without what it quotes itself: nobody looks that deep.
fn quoted(about: &Packet) -> Packet {
    about.clone()
}

/// `icmpv4_xrlim_allow`, `icmpv6_xrlim_allow`. The global budget has a random part and is left out.
fn limit(net: &mut Net, route: &Dst, family: Family, to: Addr, icmp: &Icmp) -> bool {
    if route.dev == DevId::LO {
        return true;
    }
    match family {
        Family::V4 => {
            let limited = icmp.kind < 32 && net.sysctl.icmp_ratemask >> icmp.kind & 1 == 1;
            // Path MTU discovery must not suffer.
            if !limited || (icmp.kind, icmp.code) == (3, 4) {
                return true;
            }
            let timeout = u64::from(net.sysctl.icmp_ratelimit) * HZ / 1000;
            allow(net, family, to, timeout)
        }
        Family::V6 => {
            // Packet-too-big is not in the default icmp.ratemask.
            if icmp.kind >= 128 || icmp.kind == 2 {
                return true;
            }
            let mut timeout = u64::from(net.sysctl.icmp6_ratelimit) * HZ / 1000;
            let len = net
                .fib_lookup(&Flow::to(family, to))
                .ok()
                .and_then(|r| r.dst.prefix_len(family))
                .unwrap_or(0);
            if len < 128 {
                timeout >>= (128 - u32::from(len)) >> 5;
            }
            allow(net, family, to, timeout)
        }
    }
}

/// `ip_rt_send_redirect`: the packet leaves by the device that it came in by, and its sender is on link.
pub(crate) fn redirect(
    host: &mut Host,
    skb: &mut Skb,
    dst: &Dst,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
) {
    let net = &mut host.net;
    let Some(in_dev) = skb.in_dev.filter(|d| *d == dst.dev) else { return };
    let (family, src) = (skb.packet.family, skb.packet.src);
    if family == Family::V6 {
        return;
    }
    if !(net.sysctl.dev(in_dev).send_redirects || net.sysctl.all().send_redirects) {
        return;
    }
    let mut back = Flow::of(&skb.packet, 0, Some(in_dev));
    (back.dst, back.src) = (src, skb.packet.dst);
    let on_link = net
        .fib_lookup(&back)
        .is_ok_and(|r| r.kind == RouteKind::Unicast && r.dev == Some(in_dev) && r.via.is_none());
    if !on_link {
        return;
    }
    // The limiter shares its state with the errors': ip_rt_redirect_silence 20 s, _number 9, _load 20 ms doubled each
    // time. Whoever was silent that long loses the tokens, too.
    let now = jiffies(net);
    let peer = peer(net, family, src);
    if now > peer.rate_last + ((HZ / 50) << 10) {
        (peer.rate_tokens, peer.redirects) = (0, 0);
    }
    if peer.redirects >= 9 {
        peer.rate_last = now;
        return;
    }
    if peer.redirects != 0 && now <= peer.rate_last + ((HZ / 50) << peer.redirects) {
        return;
    }
    peer.rate_last = now;
    peer.redirects += 1;
    let gateway = dst.via.unwrap_or(skb.packet.dst);
    let before = spawned.len();
    send_as(host, skb, IcmpError::Other(5, 1), Origin::IcmpError, spawned, ids);
    if let Some(L4::Icmp(icmp)) = spawned.get_mut(before).map(|f| &mut f.skb.packet.l4) {
        icmp.rest = gateway.as_v4();
    }
}

/// What a target asked for.
pub(crate) fn spawn(
    host: &mut Host,
    skb: &mut Skb,
    rule: RuleRef,
    hook: Hook,
    what: Spawn,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
) {
    match what {
        Spawn::Reject { with } => match with.icmp() {
            Some((kind, code)) => {
                if !skb.packet.bad_l4_checksum {
                    let by = Origin::Reject(rule);
                    send_as(host, skb, IcmpError::Other(kind, code), by, spawned, ids);
                }
            }
            None => reset(host, skb, rule, spawned, ids),
        },
        Spawn::Tee { gateway, oif } => tee(host, skb, rule, hook, gateway, oif, spawned, ids),
    }
}

/// The header of a RST that answers this segment (RFC 9293 3.10.7.1): `nf_reject_ip_tcphdr_put`,
/// `tcp_v4_send_reset`.
pub(crate) fn rst_header(to: &Tcp, payload: u32) -> Tcp {
    let base = Tcp { sport: to.dport, dport: to.sport, opts: TcpOpts::NONE, ..Tcp::default() };
    if to.flags & tcp_flags::ACK != 0 {
        Tcp { seq: to.ack, flags: tcp_flags::RST, ..base }
    } else {
        let bit = |flag| u32::from(to.flags & flag != 0);
        let ack = to.seq.wrapping_add(bit(tcp_flags::SYN) + bit(tcp_flags::FIN) + payload);
        Tcp { ack, flags: tcp_flags::RST | tcp_flags::ACK, ..base }
    }
}

/// `nf_send_reset`, `nf_send_reset6`.
fn reset(host: &mut Host, skb: &mut Skb, rule: RuleRef, spawned: &mut Spawned, ids: &mut PacketIds) {
    let net = &mut host.net;
    let about = &skb.packet;
    let Some(tcp) = about.tcp() else { return };
    let broadcast = skb.dst.is_some_and(|d| matches!(d.to, DstKind::Broadcast | DstKind::Multicast));
    if tcp.flags & tcp_flags::RST != 0 || about.bad_l4_checksum || about.is_later_fragment() || broadcast {
        return;
    }
    let packet = Packet {
        family: about.family,
        src: about.dst,
        dst: about.src,
        proto: proto::TCP,
        ttl: net.sysctl.ip_default_ttl,
        tos: 0,
        ip_id: 0,
        df: true,
        frag: None,
        bad_l4_checksum: false,
        l4: L4::Tcp(rst_header(tcp, about.payload.len())),
        payload: Payload::EMPTY,
    };
    let mut answer = Skb::new(PacketId::default(), packet);
    if net.sysctl.fwmark_reflect {
        answer.mark = skb.mark;
    }
    let Ok(route) = net.route_me_harder(&answer) else { return };
    answer.id = ids.next_id();
    answer.dst = Some(route);
    answer.is_clone = skb.is_clone;
    conntrack::attach(net, &mut answer, skb);
    conntrack::set_closing(net, skb);
    spawned.push(Flight { skb: answer, at: Stage::LocalOut { by: Origin::Reject(rule), answers: skb.id } });
}

/// `nf_dup_ipv4`: the copy is untracked, and leaves through OUTPUT and POSTROUTING.
#[allow(clippy::too_many_arguments)]
fn tee(
    host: &mut Host,
    skb: &Skb,
    rule: RuleRef,
    hook: Hook,
    gateway: Addr,
    oif: Option<DevId>,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
) {
    if skb.is_clone {
        return;
    }
    let mut flow = Flow::to(skb.packet.family, gateway);
    (flow.oif, flow.tos) = (oif, skb.packet.tos & 0x1c);
    let Ok(mut route) = host.net.route_output(&flow) else { return };
    // The copy goes to the gateway whatever its destination says.
    route.via = route.via.or(Some(gateway));
    let mut copy = skb.clone();
    copy.nfct = if host.net.ct_awake != [false; 2] { Nfct::Untracked } else { Nfct::None };
    copy.id = ids.next_id();
    copy.is_clone = true;
    copy.owner = None;
    copy.dst = Some(route);
    copy.packet.df = true;
    if matches!(hook, Hook::Prerouting | Hook::Input) {
        copy.packet.ttl = copy.packet.ttl.wrapping_sub(1);
    }
    spawned.push(Flight { skb: copy, at: Stage::LocalOut { by: Origin::Tee(rule), answers: skb.id } });
}
