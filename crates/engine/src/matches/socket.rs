//! `-m socket`: does a local socket want it (net/netfilter/xt_socket.c)?

use super::{MatchCx, Matched};
use crate::addr::{Addr, Family};
use crate::conntrack::{CtInfo, Direction, Nfct, status};
use crate::packet::{L4, Packet, Payload, proto};
use crate::socket::Sockets;
use crate::tcp_stack::TcpSock;

/// `-m socket`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SocketMatch {
    /// `--transparent`: only sockets with IP_TRANSPARENT.
    pub transparent: bool,
    /// `--nowildcard`: sockets bound to any address count too.
    pub nowildcard: bool,
    /// `--restore-skmark`: the socket's mark becomes the packet's.
    pub restore_skmark: bool,
}

/// A socket as this match sees it.
struct Found {
    /// Bound to no address (`inet_rcv_saddr` is zero).
    wildcard: bool,
    /// IP_TRANSPARENT.
    transparent: bool,
}

/// `nf_sk_lookup_slow_v4`: a connection before a listener.
fn lookup(
    sockets: &Sockets,
    proto: u8,
    family: Family,
    remote: (Addr, u16),
    local: (Addr, u16),
) -> Option<Found> {
    let connected = |s: &&TcpSock| s.family == family && s.local == local && s.remote == remote;
    if let Some(sock) = sockets.tcp.iter().filter(|_| proto == proto::TCP).find(connected) {
        return Some(Found { wildcard: false, transparent: sock.transparent });
    }
    let listener = sockets.listener(proto, family, local.0, local.1)?;
    Some(Found { wildcard: listener.addr.is_none(), transparent: listener.transparent })
}

/// An address with a port.
type End = (Addr, u16);

/// Protocol, remote end and local end as the packet, or the packet that an ICMP error quotes, has them.
fn ends(packet: &Packet) -> Option<(u8, End, End)> {
    match (&packet.l4, &packet.payload) {
        (L4::Tcp(_) | L4::Udp(_), _) if matches!(packet.proto, proto::TCP | proto::UDP) => {
            let (sport, dport) = packet.ports()?;
            Some((packet.proto, (packet.src, sport), (packet.dst, dport)))
        }
        // What it quotes was sent from here.
        (L4::Icmp(_), Payload::Quote { packet: quoted, .. }) if packet.is_icmp_error() => {
            let (sport, dport) = quoted.ports()?;
            matches!(quoted.proto, proto::TCP | proto::UDP).then_some((
                quoted.proto,
                (quoted.dst, dport),
                (quoted.src, sport),
            ))
        }
        _ => None,
    }
}

impl SocketMatch {
    /// Is there a socket for the packet? One that is bound to any address counts only with `--nowildcard`. Sockets
    /// here have no mark, so `--restore-skmark` sets it to 0.
    pub fn test(&self, cx: &mut MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        if packet.is_later_fragment() {
            return Matched::No;
        }
        let Some((proto, remote, mut local)) = ends(packet) else { return Matched::No };
        // An answer to a connection that was masqueraded: ask for the socket's own end.
        if let (Some(conn), Nfct::Conn { info, .. }) = (cx.conn(), cx.skb.nfct) {
            let reply = match packet.icmp() {
                None => info == CtInfo::EstablishedReply,
                Some(_) => info == CtInfo::RelatedReply,
            };
            if reply && conn.has(status::SRC_NAT_DONE) {
                let orig = conn.tuple(Direction::Original);
                local = (orig.src, orig.sport);
            }
        }
        let Some(found) = lookup(&cx.net.sockets, proto, packet.family, remote, local) else {
            return Matched::No;
        };
        let hit = (self.nowildcard || !found.wildcard) && (!self.transparent || found.transparent);
        if hit && self.restore_skmark {
            cx.skb.mark = 0;
        }
        hit.into()
    }
}
