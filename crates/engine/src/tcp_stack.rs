//! The host's own TCP, as far as its answers can be seen on the wire: handshakes, acknowledgements, resets, closing,
//! and the retransmissions of what nobody acknowledged. No congestion control, no reassembly of data: a program here
//! sends little and reads everything.

use crate::addr::{Addr, Family};
use crate::device::DevId;
use crate::event::{KernelDrop, Origin, Receiver};
use crate::flight::{Cpu, Flight, Out, PacketIds};
use crate::host::Host;
use crate::icmp_send::rst_header;
use crate::packet::{L4, Packet, PacketId, Payload, Skb, Tcp, TcpOpts, proto, tcp_flags as f};
use crate::route::{DstKind, Flow, RouteError};
use crate::socket::{Behaviour, SockEvent, SockId};
use crate::step::{SendError, Spawned, loopback_for_any};
use crate::time::{Duration, Time};
use std::collections::VecDeque;

/// `enum` of include/net/tcp_states.h, without LISTEN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum TcpEnd {
    SynSent,
    /// A request socket: the listener's answer is out, the third segment is awaited.
    SynRecv,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
}

/// A TCP connection of this host.
#[derive(Clone, PartialEq, Debug)]
pub struct TcpSock {
    /// Its name.
    pub id: SockId,
    /// IPv4 or IPv6.
    pub family: Family,
    /// Own address and port.
    pub local: (Addr, u16),
    /// The peer's.
    pub remote: (Addr, u16),
    /// State.
    pub state: TcpEnd,
    /// IP_TRANSPARENT, as its listener has it.
    pub transparent: bool,
    /// What its listener does; a client's own connection is its program's.
    behaviour: Behaviour,
    /// Oldest unacknowledged sequence number.
    snd_una: u32,
    /// Next sequence number to send.
    snd_nxt: u32,
    /// Next sequence number that is expected.
    rcv_nxt: u32,
    /// Options that both sides agreed on or, before that, offer.
    opts: TcpOpts,
    /// The peer's last timestamp.
    ts_recent: u32,
    /// The peer's initial sequence number.
    peer_isn: u32,
    /// When the oldest unacknowledged segment is sent again, and how often it was.
    retransmit: Option<(Time, u8)>,
    /// When the last answer to an unacceptable segment went out.
    last_oow: Option<Time>,
    /// Has data come? From then on there is a time to delay acknowledgements by (`icsk_ack.ato`).
    heard_data: bool,
    /// When a delayed acknowledgement is sent (`icsk_ack`).
    delayed_ack: Option<Time>,
    /// Unacknowledged payload in bytes (FIN excluded).
    in_flight: u32,
}

/// The window that a socket with the default buffer announces.
const WINDOW: u32 = 64240;
/// `TCP_TIMEOUT_INIT`, and the tick (HZ=250) by which a timer of the kernel is never early: a program's own second is over before.
const RTO: Duration = Duration::millis(1004);
/// `TCP_ATO_MIN`: how long an acknowledgement is delayed.
const ATO: Duration = Duration::millis(40);
/// `sysctl_tcp_invalid_ratelimit`: 500 ms.
const OOW_RATE: Duration = Duration::millis(500);

impl TcpSock {
    /// Is it waiting for the answer to its SYN?
    pub fn connecting(&self) -> bool {
        self.state == TcpEnd::SynSent
    }
    fn matches(&self, p: &Packet, t: &Tcp) -> bool {
        self.family == p.family && self.local == (p.dst, t.dport) && self.remote == (p.src, t.sport)
    }
    /// A segment from this socket. A SYN carries what is offered, later segments timestamps if agreed.
    fn segment(&self, now: Time, flags: u8, seq: u32, len: u32) -> Packet {
        let syn = flags & f::SYN != 0;
        let mut opts = if syn { self.opts } else { TcpOpts::NONE };
        opts.timestamps = self.opts.timestamps.map(|_| (now.0 as u32 / 1_000_000, self.ts_recent));
        let ack = if flags & f::ACK != 0 { self.rcv_nxt } else { 0 };
        let window = match self.opts.wscale {
            Some(scale) if !syn => WINDOW >> scale,
            _ => WINDOW,
        };
        Packet {
            family: self.family,
            src: self.local.0,
            dst: self.remote.0,
            proto: proto::TCP,
            ttl: 64,
            tos: 0,
            ip_id: 0,
            df: true,
            frag: None,
            bad_l4_checksum: false,
            l4: L4::Tcp(Tcp {
                sport: self.local.1,
                dport: self.remote.1,
                seq,
                ack,
                flags,
                window: window.min(65535) as u16,
                urgent: 0,
                opts,
            }),
            payload: Payload::Zeros(len),
        }
    }
    /// `tcp_send_fin`: the last segment of this side, which goes on in that state.
    fn fin(&mut self, now: Time, next: TcpEnd) -> Packet {
        let fin = self.segment(now, f::FIN | f::ACK, self.snd_nxt, 0);
        self.state = next;
        self.snd_nxt = self.snd_nxt.wrapping_add(1);
        self.arm(now);
        fin
    }
    fn ack(&self, now: Time) -> Packet {
        self.segment(now, f::ACK, self.snd_nxt, 0)
    }
    fn arm(&mut self, now: Time) {
        self.retransmit = Some((now + RTO, 0));
    }
    /// `tcp_oow_rate_limited`: may an unacceptable segment be answered?
    fn may_answer(&mut self, now: Time) -> bool {
        let yes = self.last_oow.is_none_or(|t| now.since(t) >= OOW_RATE);
        if yes {
            self.last_oow = Some(now);
        }
        yes
    }
}

fn before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

/// The MSS that a socket announces towards this device: MTU less the headers.
fn advertised_mss(host: &Host, family: Family, dst: Addr) -> u16 {
    let route = host.net.route_output(&Flow::to(family, dst));
    let (mtu, lo) = route.map_or((1500, false), |r| (r.mtu, r.dev == DevId::LO));
    let mss = mtu.saturating_sub(family.header_len() + 20);
    // The loopback device's MSS is kept below 64 KiB.
    if lo { mss.min(65495) as u16 } else { mss.min(65535) as u16 }
}

/// `tcp_v4_rcv`, `tcp_v6_rcv`.
pub(crate) fn receive(
    host: &mut Host,
    skb: &mut Skb,
    out: &mut VecDeque<Out>,
    spawned: &mut Spawned,
    ids: &mut PacketIds,
) -> Result<Receiver, KernelDrop> {
    let _ = out;
    let packet = skb.packet.clone();
    let Some(&tcp) = packet.tcp() else { return Err(KernelDrop::StackIgnores) };
    if packet.bad_l4_checksum {
        return Err(KernelDrop::StackIgnores);
    }
    let about = skb.id;
    let known = host.net.sockets.tcp.iter().position(|s| s.matches(&packet, &tcp));
    let mut answers = Vec::new();
    let result = match known {
        Some(at) => segment(host, at, &packet, &tcp, &mut answers),
        None => Err(Unknown),
    };
    let outcome = match result {
        Ok(outcome) => outcome,
        // No connection, or one that sends the segment back to its listener.
        Err(Unknown) => {
            let (bound, port) = skb.socket_end();
            let listener = host.net.sockets.listener(proto::TCP, packet.family, bound, port);
            match listener.map(|l| (l.transparent, l.behaviour)) {
                Some(how) => listen(host, &packet, &tcp, how, &mut answers),
                None => {
                    reset(&packet, &tcp, &mut answers);
                    Err(KernelDrop::NoSocket)
                }
            }
        }
    };
    for answer in answers {
        let by = match answer.tcp() {
            Some(t) if t.flags & f::RST != 0 => Origin::TcpReset,
            _ => Origin::Socket,
        };
        if by == Origin::TcpReset && !reset_finds_way(host, &answer) {
            continue;
        }
        if let Ok(mut flight) = host.local_out(answer, PacketId::default(), by, about) {
            flight.skb.id = ids.next_id();
            spawned.push(flight);
        }
    }
    outcome
}

/// No connection takes the segment.
struct Unknown;

/// `tcp_v4_send_reset`.
fn reset(packet: &Packet, tcp: &Tcp, answers: &mut Vec<Packet>) {
    if tcp.flags & f::RST != 0 {
        return;
    }
    answers.push(Packet {
        src: packet.dst,
        dst: packet.src,
        ttl: 64,
        tos: packet.tos & !3,
        ip_id: 0,
        df: true,
        l4: L4::Tcp(rst_header(tcp, packet.payload.len())),
        payload: Payload::EMPTY,
        ..packet.clone()
    });
}

/// `tcp_v6_send_response` looks for the way to `::1` on the device alone that has the address that it answers from; the
/// segment came over `lo`, but is not counted as come from there.
fn reset_finds_way(host: &Host, answer: &Packet) -> bool {
    let owns = |addr: &crate::device::IfAddr| addr.addr == answer.src && addr.family == answer.family;
    answer.family == Family::V4
        || !answer.dst.is_loopback(Family::V6)
        || host.net.devices.iter().find(|d| d.addrs.iter().any(owns)).is_none_or(|d| d.id == DevId::LO)
}

/// A segment for a listener (`tcp_rcv_state_process` in LISTEN).
fn listen(
    host: &mut Host,
    packet: &Packet,
    tcp: &Tcp,
    (transparent, behaviour): (bool, Behaviour),
    answers: &mut Vec<Packet>,
) -> Result<Receiver, KernelDrop> {
    if tcp.flags & f::ACK != 0 {
        reset(packet, tcp, answers);
        return Err(KernelDrop::StackIgnores);
    }
    if tcp.flags & f::RST != 0 || tcp.flags & f::SYN == 0 || tcp.flags & f::FIN != 0 {
        return Err(KernelDrop::StackIgnores);
    }
    let now = host.net.now;
    let mss = advertised_mss(host, packet.family, packet.src);
    let offered = tcp.opts;
    let isn = host.net.rng.next_u32() | 0x0010_0000;
    let mut sock = TcpSock {
        id: host.net.sockets.fresh_id(),
        family: packet.family,
        local: (packet.dst, tcp.dport),
        remote: (packet.src, tcp.sport),
        state: TcpEnd::SynRecv,
        transparent,
        behaviour,
        snd_una: isn,
        snd_nxt: isn.wrapping_add(1),
        rcv_nxt: tcp.seq.wrapping_add(1),
        // What the peer did not offer is not answered.
        opts: TcpOpts {
            mss: Some(mss),
            wscale: offered.wscale.map(|_| 7),
            sack_permitted: offered.sack_permitted,
            timestamps: offered.timestamps,
            ..TcpOpts::NONE
        },
        ts_recent: offered.timestamps.map_or(0, |t| t.0),
        peer_isn: tcp.seq,
        retransmit: None,
        last_oow: None,
        delayed_ack: None,
        heard_data: false,
        in_flight: 0,
    };
    sock.arm(now);
    answers.push(sock.segment(now, f::SYN | f::ACK, isn, 0));
    host.net.sockets.tcp.push(sock);
    Ok(Receiver::Listener(tcp.dport))
}

/// A segment for a known connection.
fn segment(
    host: &mut Host,
    at: usize,
    packet: &Packet,
    tcp: &Tcp,
    answers: &mut Vec<Packet>,
) -> Result<Result<Receiver, KernelDrop>, Unknown> {
    let now = host.net.now;
    let sockets = &mut host.net.sockets;
    let sock = &mut sockets.tcp[at];
    let (id, port) = (sock.id, sock.local.1);
    let len = packet.payload.len();
    let has = |flag| tcp.flags & flag != 0;
    let end = tcp.seq.wrapping_add(len + u32::from(has(f::SYN)) + u32::from(has(f::FIN)));
    let ignored = Ok(Err(KernelDrop::StackIgnores));
    let taken = Ok(Ok(Receiver::Connected(port)));
    match sock.state {
        TcpEnd::SynSent => {
            if has(f::ACK) && tcp.ack != sock.snd_nxt {
                if !has(f::RST) {
                    reset(packet, tcp, answers);
                }
                return ignored;
            }
            if has(f::RST) {
                if has(f::ACK) {
                    sockets.tcp.remove(at);
                    sockets.events.push(SockEvent::Reset(id));
                    return taken;
                }
                return ignored;
            }
            if !has(f::SYN) || !has(f::ACK) {
                return ignored;
            }
            sock.rcv_nxt = end;
            sock.peer_isn = tcp.seq;
            sock.snd_una = tcp.ack;
            sock.retransmit = None;
            sock.state = TcpEnd::Established;
            sock.opts.timestamps = sock.opts.timestamps.and(tcp.opts.timestamps);
            sock.opts.wscale = sock.opts.wscale.and(tcp.opts.wscale.map(|_| 7));
            sock.ts_recent = tcp.opts.timestamps.map_or(0, |t| t.0);
            answers.push(sock.ack(now));
            sockets.events.push(SockEvent::Connected(id));
            return taken;
        }
        TcpEnd::SynRecv => {
            // tcp_check_req.
            if has(f::SYN) && !has(f::ACK) && !has(f::RST) && tcp.seq == sock.peer_isn {
                if sock.may_answer(now) {
                    answers.push(sock.segment(now, f::SYN | f::ACK, sock.snd_una, 0));
                }
                return taken;
            }
            if has(f::ACK) && tcp.ack != sock.snd_nxt {
                return Err(Unknown);
            }
            if !in_window(tcp.seq, end, sock.rcv_nxt) {
                if !has(f::RST) && sock.may_answer(now) {
                    answers.push(sock.ack(now));
                }
                return ignored;
            }
            if has(f::RST) || has(f::SYN) {
                if !has(f::RST) {
                    reset(packet, tcp, answers);
                }
                sockets.tcp.remove(at);
                return taken;
            }
            if !has(f::ACK) {
                return ignored;
            }
            sock.state = TcpEnd::Established;
            sock.snd_una = tcp.ack;
            sock.retransmit = None;
            sock.last_oow = None;
        }
        TcpEnd::TimeWait => {
            // A new SYN beyond the old sequence space reopens; anything else is acknowledged again.
            if has(f::SYN) && !has(f::ACK) && before(sock.rcv_nxt, tcp.seq) {
                sockets.tcp.remove(at);
                return Err(Unknown);
            }
            if !has(f::RST) && (len > 0 || has(f::FIN) || has(f::SYN)) {
                answers.push(sock.ack(now));
            }
            return taken;
        }
        _ => {}
    }
    established(host, at, packet, tcp, end, answers)
}

/// `tcp_in_window`: does any of the segment lie in the window?
fn in_window(seq: u32, end: u32, next: u32) -> bool {
    let last = next.wrapping_add(WINDOW);
    if seq == next {
        return true;
    }
    if !before(end, next.wrapping_add(1)) && before(seq, last) {
        return true;
    }
    seq == last && seq == end
}

/// `tcp_rcv_established` and its like for the closing states.
fn established(
    host: &mut Host,
    at: usize,
    packet: &Packet,
    tcp: &Tcp,
    end: u32,
    answers: &mut Vec<Packet>,
) -> Result<Result<Receiver, KernelDrop>, Unknown> {
    let now = host.net.now;
    let sockets = &mut host.net.sockets;
    let (id, port) = (sockets.tcp[at].id, sockets.tcp[at].local.1);
    // `nc -l` serves one connection at a time; the others wait to be accepted.
    let open = |s: &TcpSock| matches!(s.state, TcpEnd::Established | TcpEnd::CloseWait);
    let served = !sockets.tcp[..at].iter().any(|s| s.local.1 == port && open(s));
    let sock = &mut sockets.tcp[at];
    let len = packet.payload.len();
    let has = |flag| tcp.flags & flag != 0;
    let ignored = Ok(Err(KernelDrop::StackIgnores));
    let taken = Ok(Ok(Receiver::Connected(port)));
    let last = sock.rcv_nxt.wrapping_add(WINDOW);
    let acceptable = !before(end, sock.rcv_nxt) && !before(last, tcp.seq);
    if !acceptable {
        if !has(f::RST) {
            // Payload is answered each time, anything else at a limited rate.
            if (len > 0 && !has(f::SYN)) || sock.may_answer(now) {
                answers.push(sock.ack(now));
            }
        }
        return ignored;
    }
    if has(f::RST) && tcp.seq == sock.rcv_nxt {
        sockets.tcp.remove(at);
        sockets.events.push(SockEvent::Reset(id));
        return taken;
    }
    // RFC 5961: a RST that is not exact, a SYN, and an acknowledgement of what is long past or was never sent are
    // challenged.
    let (past, sent) = (sock.snd_una.wrapping_sub(WINDOW), sock.snd_nxt);
    let stray = has(f::ACK) && (before(tcp.ack, past) || before(sent, tcp.ack));
    if has(f::RST) || has(f::SYN) || stray {
        if sock.may_answer(now) {
            answers.push(sock.ack(now));
        }
        return ignored;
    }
    if !has(f::ACK) {
        return ignored;
    }
    if before(sock.snd_una, tcp.ack) {
        sock.snd_una = tcp.ack;
        sock.in_flight = 0;
        if sock.snd_una == sock.snd_nxt {
            sock.retransmit = None;
        }
    }
    let all_acked = sock.snd_una == sock.snd_nxt;
    match sock.state {
        TcpEnd::FinWait1 if all_acked => sock.state = TcpEnd::FinWait2,
        TcpEnd::Closing if all_acked => sock.state = TcpEnd::TimeWait,
        TcpEnd::LastAck if all_acked => {
            sockets.tcp.remove(at);
            return taken;
        }
        _ => {}
    }
    let sock = &mut sockets.tcp[at];
    if let Some((value, _)) = tcp.opts.timestamps
        && tcp.seq == sock.rcv_nxt
    {
        sock.ts_recent = value;
    }
    if len == 0 && !has(f::FIN) {
        return taken;
    }
    if tcp.seq != sock.rcv_nxt && !(before(tcp.seq, sock.rcv_nxt) && before(sock.rcv_nxt, end)) {
        // Old or ahead of what is expected: a duplicate acknowledgement.
        answers.push(sock.ack(now));
        return taken;
    }
    sock.rcv_nxt = end;
    let fin = has(f::FIN);
    if fin {
        sock.state = match sock.state {
            TcpEnd::Established => TcpEnd::CloseWait,
            TcpEnd::FinWait1 => TcpEnd::Closing,
            TcpEnd::FinWait2 => TcpEnd::TimeWait,
            other => other,
        };
    }
    // tcp_fin ends the quick acknowledgements that data had.
    sock.heard_data |= len > 0;
    let behaviour = sock.behaviour;
    let closes = fin && served && sock.state == TcpEnd::CloseWait && behaviour.closes();
    if closes {
        // The program closes at once: its FIN acknowledges the peer's.
        sock.delayed_ack = None;
        answers.push(sock.fin(now, TcpEnd::LastAck));
    } else if fin && sock.heard_data {
        sock.delayed_ack = Some(now + ATO);
    } else {
        sock.delayed_ack = None;
        answers.push(sock.ack(now));
    }
    if len > 0 {
        sockets.events.push(SockEvent::Data(id, len));
    }
    if fin {
        sockets.events.push(SockEvent::PeerClosed(id));
    }
    if closes && behaviour == Behaviour::Once {
        sockets
            .listeners
            .retain(|l| !(l.proto == proto::TCP && l.port == port && l.behaviour == Behaviour::Once));
    }
    taken
}

impl crate::socket::Sockets {
    fn fresh_id(&mut self) -> SockId {
        self.next_id += 1;
        SockId(self.next_id)
    }
}

impl Host {
    /// `connect` of a TCP socket: the SYN is on the processor's stack afterwards.
    pub fn tcp_connect(
        &mut self,
        family: Family,
        dst: Addr,
        port: u16,
        ids: &mut PacketIds,
        cpu: &mut Cpu,
    ) -> Result<SockId, SendError> {
        let dst = loopback_for_any(family, dst);
        let route = self.net.route_output(&Flow::to(family, dst)).map_err(SendError::Route)?;
        if matches!(route.to, DstKind::Broadcast | DstKind::Multicast) {
            return Err(SendError::Route(RouteError::NetUnreachable));
        }
        let local_port = self.ephemeral_port();
        let mss = advertised_mss(self, family, dst);
        let isn = self.net.rng.next_u32() | 0x0010_0000;
        let now = self.net.now;
        let mut sock = TcpSock {
            id: self.net.sockets.fresh_id(),
            family,
            local: (route.src.unwrap_or_default(), local_port),
            remote: (dst, port),
            state: TcpEnd::SynSent,
            transparent: false,
            behaviour: Behaviour::Silent,
            snd_una: isn,
            snd_nxt: isn.wrapping_add(1),
            rcv_nxt: 0,
            opts: TcpOpts {
                mss: Some(mss),
                wscale: Some(7),
                sack_permitted: true,
                timestamps: Some((0, 0)),
                ..TcpOpts::NONE
            },
            ts_recent: 0,
            peer_isn: 0,
            retransmit: None,
            last_oow: None,
            delayed_ack: None,
            heard_data: false,
            in_flight: 0,
        };
        sock.arm(now);
        let syn = sock.segment(now, f::SYN, isn, 0);
        let id = sock.id;
        self.net.sockets.tcp.push(sock);
        self.emit_segment(syn, ids, cpu);
        Ok(id)
    }

    /// `write` on a connection, of at most one segment's length in bytes.
    pub fn tcp_write(&mut self, id: SockId, len: u32, ids: &mut PacketIds, cpu: &mut Cpu) {
        let now = self.net.now;
        let Some(sock) = self.net.sockets.tcp.iter_mut().find(|s| s.id == id) else { return };
        if !matches!(sock.state, TcpEnd::Established | TcpEnd::CloseWait) {
            return;
        }
        let segment = sock.segment(now, f::PSH | f::ACK, sock.snd_nxt, len);
        sock.snd_nxt = sock.snd_nxt.wrapping_add(len);
        sock.in_flight += len;
        sock.arm(now);
        self.emit_segment(segment, ids, cpu);
    }

    /// `close` of a connection: FIN.
    pub fn tcp_close(&mut self, id: SockId, ids: &mut PacketIds, cpu: &mut Cpu) {
        let now = self.net.now;
        let Some(sock) = self.net.sockets.tcp.iter_mut().find(|s| s.id == id) else { return };
        let next = match sock.state {
            TcpEnd::Established => TcpEnd::FinWait1,
            TcpEnd::CloseWait => TcpEnd::LastAck,
            TcpEnd::SynSent | TcpEnd::SynRecv => {
                self.net.sockets.tcp.retain(|s| s.id != id);
                return;
            }
            _ => return,
        };
        let fin = sock.fin(now, next);
        self.emit_segment(fin, ids, cpu);
    }

    /// A datagram from this local port; without one, the kernel chooses and returns it.
    pub fn udp_send(
        &mut self,
        family: Family,
        from: Option<u16>,
        to: (Addr, u16),
        payload: Payload,
        ids: &mut PacketIds,
        cpu: &mut Cpu,
    ) -> Result<u16, SendError> {
        let sport = from.unwrap_or_else(|| self.ephemeral_port());
        let packet = crate::local::datagram(&self.net, family, None, sport, to.0, to.1, payload);
        let mut flight = self.local_out(packet, PacketId::default(), Origin::Socket, PacketId::default())?;
        flight.skb.id = ids.next_id();
        cpu.stack.push(flight);
        Ok(sport)
    }

    /// A free port of `ip_local_port_range`; the kernel draws it at random.
    fn ephemeral_port(&mut self) -> u16 {
        let (low, high) = self.net.sysctl.ip_local_port_range;
        let span = u32::from(high.saturating_sub(low)) + 1;
        low + (self.net.rng.next_u32() % span) as u16
    }

    fn emit_segment(&mut self, packet: Packet, ids: &mut PacketIds, cpu: &mut Cpu) {
        if let Ok(mut flight) =
            self.local_out(packet, PacketId::default(), Origin::Socket, PacketId::default())
        {
            flight.skb.id = ids.next_id();
            cpu.stack.push(flight);
        }
    }

    /// When a segment is due to be sent again, or a delayed acknowledgement.
    pub(crate) fn tcp_next_timer(&self) -> Option<Time> {
        let due = |s: &TcpSock| s.retransmit.map(|r| r.0).into_iter().chain(s.delayed_ack).min();
        self.net.sockets.tcp.iter().filter_map(due).min()
    }

    /// Sends again what is due.
    pub(crate) fn tcp_timers(&mut self, ids: &mut PacketIds) -> Vec<Flight> {
        let now = self.net.now;
        let (syn_retries, synack_retries) =
            (self.net.sysctl.tcp_syn_retries, self.net.sysctl.tcp_synack_retries);
        let mut segments = Vec::new();
        let sockets = &mut self.net.sockets;
        let mut gone = Vec::new();
        for sock in &mut sockets.tcp {
            if sock.delayed_ack.is_some_and(|due| due <= now) {
                sock.delayed_ack = None;
                segments.push(sock.ack(now));
            }
            let Some((due, count)) = sock.retransmit else { continue };
            if due > now {
                continue;
            }
            let count = count + 1;
            let most = match sock.state {
                TcpEnd::SynSent => syn_retries,
                TcpEnd::SynRecv => synack_retries,
                _ => 15,
            };
            if count > most {
                gone.push((sock.id, sock.state));
                continue;
            }
            // tcp_syn_linear_timeouts: the first four retries of a SYN are a second apart.
            let doublings = match sock.state {
                TcpEnd::SynSent => count.saturating_sub(4),
                _ => count,
            };
            let wait = Duration((RTO.0 << doublings.min(7)).min(Duration::secs(120).0));
            sock.retransmit = Some((now + wait, count));
            segments.push(match sock.state {
                TcpEnd::SynSent => sock.segment(now, f::SYN, sock.snd_una, 0),
                TcpEnd::SynRecv => sock.segment(now, f::SYN | f::ACK, sock.snd_una, 0),
                TcpEnd::FinWait1 | TcpEnd::LastAck | TcpEnd::Closing if sock.in_flight == 0 => {
                    sock.segment(now, f::FIN | f::ACK, sock.snd_una, 0)
                }
                _ => sock.segment(now, f::PSH | f::ACK, sock.snd_una, sock.in_flight),
            });
        }
        for (id, state) in gone {
            sockets.tcp.retain(|s| s.id != id);
            if state == TcpEnd::SynSent {
                sockets.events.push(SockEvent::TimedOut(id));
            }
        }
        let mut flights = Vec::new();
        for segment in segments {
            let none = PacketId::default();
            if let Ok(mut flight) = self.local_out(segment, none, Origin::Socket, none) {
                flight.skb.id = ids.next_id();
                flights.push(flight);
            }
        }
        flights
    }
}
