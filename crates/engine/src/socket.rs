//! Local sockets, as far as netfilter and the answers of the stack can see them.

use crate::addr::{Addr, Family};
use crate::packet::{L4, Packet, Payload, proto};
use crate::tcp_stack::TcpSock;

/// What a program does with what it gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behaviour {
    /// Takes everything and says nothing (`listen tcp/…`, `listen udp/…`).
    Silent,
    /// Sends every datagram back (`listen udp/… echo`).
    Echo,
    /// Takes everything, closes a connection when its peer does, and ends with its first one; as a UDP socket it hears only
    /// the first sender (`nc -l`).
    Once,
    /// The same, one connection after the other, and every sender (`nc -lk`).
    Again,
}

impl Behaviour {
    /// Does it close when its peer has closed?
    pub(crate) fn closes(self) -> bool {
        matches!(self, Behaviour::Once | Behaviour::Again)
    }
}

/// A socket that waits for packets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// TCP or UDP ([`crate::packet::proto`]).
    pub proto: u8,
    /// The address that it is bound to; the unspecified one: any of that family; `None`: any, of both families.
    pub addr: Option<(Family, Addr)>,
    /// The only sender that it hears: where `connect` has taken a UDP socket.
    pub peer: Option<(Family, Addr, u16)>,
    /// Port.
    pub port: u16,
    /// What it does.
    pub behaviour: Behaviour,
    /// IP_TRANSPARENT.
    pub transparent: bool,
}

/// Names a TCP connection of this host.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SockId(pub u32);

/// What a program learns from its sockets.
#[derive(Clone, PartialEq, Debug)]
pub enum SockEvent {
    /// `connect` succeeded.
    Connected(SockId),
    /// `connect` or the connection failed: RST (ECONNREFUSED, ECONNRESET).
    Reset(SockId),
    /// `connect` gave up (ETIMEDOUT).
    TimedOut(SockId),
    /// Data came on a connection.
    Data(SockId, u32),
    /// The peer closed.
    PeerClosed(SockId),
    /// A datagram came: local port, sender, payload length in bytes.
    Datagram(u16, (Family, Addr, u16), u32),
    /// An answer to an echo request (`ping_rcv`, raw sockets).
    EchoReply {
        /// Who answers.
        from: (Family, Addr),
        /// Identifier.
        id: u16,
        /// Sequence number.
        seq: u16,
        /// Hop limit as received.
        ttl: u8,
        /// Bytes from the ICMP header on.
        len: u32,
    },
    /// `sendmsg` failed (EPERM): a REJECT rule refused an echo request on its way out.
    EchoRefused {
        /// Identifier.
        id: u16,
    },
    /// An ICMP error about a packet of ours.
    IcmpError {
        /// Who sent it.
        from: (Family, Addr),
        /// Protocol of our packet.
        proto: u8,
        /// Its local port, or its ICMP identifier and sequence number.
        port: (u16, u16),
        /// Type and code of the error.
        kind: (u8, u8),
    },
}

/// All sockets of a host.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sockets {
    /// Sockets that wait.
    pub listeners: Vec<Listener>,
    /// TCP connections, complete and half-open.
    pub tcp: Vec<TcpSock>,
    /// What programs have not been told yet.
    pub events: Vec<SockEvent>,
    pub(crate) next_id: u32,
}

impl Sockets {
    /// The listener that takes a packet to this address and port: one bound to the address before one bound to any, and
    /// one for the family before one for both.
    pub fn listener(&self, proto: u8, family: Family, addr: Addr, port: u16) -> Option<&Listener> {
        let fits = |l: &&Listener| l.proto == proto && l.port == port;
        let bound = |to: Option<(Family, Addr)>| self.listeners.iter().filter(fits).find(|l| l.addr == to);
        bound(Some((family, addr)))
            .or_else(|| bound(Some((family, Addr::UNSPECIFIED))))
            .or_else(|| bound(None))
    }

    pub(crate) fn received(&mut self, port: u16, from: (Family, Addr, u16), len: u32) {
        self.events.push(SockEvent::Datagram(port, from, len));
    }

    /// An ICMP error has come: the socket whose packet it quotes learns of it.
    pub(crate) fn error(&mut self, packet: &Packet) {
        let (Some(icmp), Payload::Quote { packet: quoted, .. }) = (packet.icmp(), &packet.payload) else {
            return;
        };
        let (port, seq) = match &quoted.l4 {
            L4::Tcp(t) => (t.sport, 0),
            L4::Udp(u) => (u.sport, 0),
            L4::Icmp(i) => (i.id(), i.seq()),
            L4::Opaque => (0, 0),
        };
        // A connection attempt ends at once on a hard error (tcp_v4_err with SYN_SENT).
        if quoted.proto == proto::TCP && icmp.kind == 3 && matches!(icmp.code, 1 | 2 | 3 | 9 | 10 | 13) {
            self.tcp.retain(|s| !(s.connecting() && s.local.1 == port && s.remote.0 == quoted.dst));
        }
        self.events.push(SockEvent::IcmpError {
            from: (packet.family, packet.src),
            proto: quoted.proto,
            port: (port, seq),
            kind: (icmp.kind, icmp.code),
        });
    }
}
