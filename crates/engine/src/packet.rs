//! What travels: a packet's headers as values ([`Packet`]), and what the kernel keeps beside it ([`Skb`]).

use crate::addr::{Addr, Family};
use crate::conntrack::Nfct;
use crate::device::DevId;
use crate::route::Dst;
use std::sync::Arc;

/// IP protocol numbers.
pub mod proto {
    #![allow(missing_docs)]
    pub const ICMP: u8 = 1;
    pub const IGMP: u8 = 2;
    pub const IPIP: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const DCCP: u8 = 33;
    pub const IPV6: u8 = 41;
    pub const GRE: u8 = 47;
    pub const ESP: u8 = 50;
    pub const AH: u8 = 51;
    pub const ICMPV6: u8 = 58;
    pub const NONXT: u8 = 59;
    pub const SCTP: u8 = 132;
    pub const UDPLITE: u8 = 136;
}

/// TCP flag bits as they stand in the header.
pub mod tcp_flags {
    #![allow(missing_docs)]
    pub const FIN: u8 = 0x01;
    pub const SYN: u8 = 0x02;
    pub const RST: u8 = 0x04;
    pub const PSH: u8 = 0x08;
    pub const ACK: u8 = 0x10;
    pub const URG: u8 = 0x20;
    pub const ECE: u8 = 0x40;
    pub const CWR: u8 = 0x80;
}

/// A packet's number within a run, from 1, in order of birth. It stays the same through NAT and forwarding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct PacketId(pub u32);

/// An IPv4 or IPv6 packet: header fields as values, the payload as bytes or only as a length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// IPv4 or IPv6.
    pub family: Family,
    /// Source address.
    pub src: Addr,
    /// Destination address.
    pub dst: Addr,
    /// Transport protocol number ([`proto`]).
    pub proto: u8,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Type of service or traffic class: DSCP in the upper six bits, ECN in the lower two.
    pub tos: u8,
    /// IPv4 identification.
    pub ip_id: u16,
    /// IPv4 "don't fragment".
    pub df: bool,
    /// Set on a fragment. A non-first fragment has `l4 == L4::Opaque`.
    pub frag: Option<Frag>,
    /// The checksum of the transport header is wrong (as sent so by a wire).
    pub bad_l4_checksum: bool,
    /// Transport header.
    pub l4: L4,
    /// What follows the transport header.
    pub payload: Payload,
}

/// A fragment's place in its datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frag {
    /// Offset in bytes (a multiple of 8) of this fragment's data in the datagram's data.
    pub offset: u16,
    /// More fragments follow.
    pub more: bool,
    /// Identification: IPv4 uses [`Packet::ip_id`] too; IPv6 has 32 bits.
    pub id: u32,
}

/// A transport header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum L4 {
    /// TCP.
    Tcp(Tcp),
    /// UDP, and UDP-Lite (protocol 136).
    Udp(Udp),
    /// ICMP or ICMPv6, by the packet's protocol.
    Icmp(Icmp),
    /// Any protocol whose header we keep as bytes of the payload, and non-first fragments.
    Opaque,
}

/// A TCP header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tcp {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Flag bits, see [`tcp_flags`].
    pub flags: u8,
    /// Window as in the header, unscaled.
    pub window: u16,
    /// Urgent pointer.
    pub urgent: u16,
    /// Options.
    pub opts: TcpOpts,
}

/// TCP options that the tracker, the stack and the targets look at. Their bytes count in [`Packet::len`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TcpOpts {
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// Window scale.
    pub wscale: Option<u8>,
    /// SACK permitted.
    pub sack_permitted: bool,
    /// Timestamps: value and echo reply.
    pub timestamps: Option<(u32, u32)>,
    /// First SACK block: left and right edge.
    pub sack: Option<(u32, u32)>,
    /// Bytes of padding beyond Linux's own layout: what TCPOPTSTRIP leaves where an option stood, or another stack's.
    pub padding: u8,
}

impl TcpOpts {
    /// No options.
    pub const NONE: TcpOpts =
        TcpOpts { mss: None, wscale: None, sack_permitted: false, timestamps: None, sack: None, padding: 0 };

    /// Bytes on the wire, laid out and padded as Linux does (net/ipv4/tcp_output.c:tcp_options_write).
    pub fn len(&self) -> u32 {
        let mut n = 0;
        if self.mss.is_some() {
            n += 4;
        }
        // SACK-permitted shares its four bytes with the timestamps where both are there.
        n += match (self.timestamps.is_some(), self.sack_permitted) {
            (true, _) => 12,
            (false, true) => 4,
            (false, false) => 0,
        };
        if self.wscale.is_some() {
            n += 4;
        }
        if self.sack.is_some() {
            n += 12;
        }
        n + u32::from(self.padding)
    }
    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Is the option of this kind there (`--tcp-option`)?
    pub fn has(&self, kind: u8) -> bool {
        match kind {
            // Padding: beside a lone window scale, a lone SACK-permitted, timestamps without it, a SACK block.
            1 => {
                self.padding > 0
                    || self.wscale.is_some()
                    || self.sack.is_some()
                    || self.sack_permitted != self.timestamps.is_some()
            }
            2 => self.mss.is_some(),
            3 => self.wscale.is_some(),
            4 => self.sack_permitted,
            5 => self.sack.is_some(),
            8 => self.timestamps.is_some(),
            _ => false,
        }
    }
}

/// A UDP header; the length field says 8 + payload unless `length` overrides it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Udp {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// A length field that does not agree with the payload (a malformed datagram).
    pub length: Option<u16>,
    /// The checksum field is zero (none was computed).
    pub no_checksum: bool,
}

/// An ICMP or ICMPv6 header: type, code and the four bytes after the checksum.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Icmp {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Echo: `id << 16 | sequence`. Frag-needed: next-hop MTU in the lower half; packet-too-big: the MTU.
    /// Redirect (IPv4): the gateway.
    pub rest: u32,
}

impl Icmp {
    /// The identifier of an echo or timestamp message.
    pub const fn id(&self) -> u16 {
        (self.rest >> 16) as u16
    }
    /// The sequence number of an echo or timestamp message.
    pub const fn seq(&self) -> u16 {
        self.rest as u16
    }
}

/// What follows the transport header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Payload {
    /// So many bytes whose values nobody wrote down; they read as zeros.
    Zeros(u32),
    /// Real bytes.
    Bytes(Arc<[u8]>),
    /// The packet that an ICMP error quotes, of which `len` bytes (its IP header included) are there.
    Quote {
        /// The quoted packet, headers as they were when it was quoted.
        packet: Box<Packet>,
        /// Bytes of it that were copied.
        len: u32,
    },
}

impl Payload {
    /// No payload.
    pub const EMPTY: Payload = Payload::Zeros(0);
    /// Length in bytes.
    pub fn len(&self) -> u32 {
        match self {
            Payload::Zeros(n) => *n,
            Payload::Bytes(b) => b.len() as u32,
            Payload::Quote { len, .. } => *len,
        }
    }
    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Packet {
    /// Bytes of the transport header.
    pub fn l4_header_len(&self) -> u32 {
        match &self.l4 {
            L4::Tcp(t) => 20 + t.opts.len(),
            L4::Udp(_) => 8,
            // Timestamp messages carry three 32-bit times after the header; they are payload here.
            L4::Icmp(_) => 8,
            L4::Opaque => 0,
        }
    }
    /// The whole packet in bytes, IP header included: what iptables counters and conntrack accounting add.
    pub fn len(&self) -> u32 {
        let ext = match (self.family, self.frag) {
            (Family::V6, Some(_)) => 8,
            _ => 0,
        };
        self.family.header_len() + ext + self.l4_header_len() + self.payload.len()
    }
    /// Never: a packet has a header.
    pub fn is_empty(&self) -> bool {
        false
    }
    /// The TCP header, if it is one.
    pub fn tcp(&self) -> Option<&Tcp> {
        match &self.l4 {
            L4::Tcp(t) => Some(t),
            _ => None,
        }
    }
    /// The UDP header, if it is one.
    pub fn udp(&self) -> Option<&Udp> {
        match &self.l4 {
            L4::Udp(u) => Some(u),
            _ => None,
        }
    }
    /// The ICMP or ICMPv6 header, if it is one.
    pub fn icmp(&self) -> Option<&Icmp> {
        match &self.l4 {
            L4::Icmp(i) => Some(i),
            _ => None,
        }
    }
    /// Source and destination port, where the protocol has ports and they can be seen.
    pub fn ports(&self) -> Option<(u16, u16)> {
        match &self.l4 {
            L4::Tcp(t) => Some((t.sport, t.dport)),
            L4::Udp(u) => Some((u.sport, u.dport)),
            L4::Icmp(_) => None,
            // SCTP and DCCP keep their header in the payload; ports come first in both.
            L4::Opaque => match (&self.payload, self.proto, self.frag.map_or(0, |f| f.offset)) {
                (Payload::Bytes(b), proto::SCTP | proto::DCCP, 0) if b.len() >= 4 => {
                    Some((u16::from_be_bytes([b[0], b[1]]), u16::from_be_bytes([b[2], b[3]])))
                }
                _ => None,
            },
        }
    }
    /// Is it a fragment that is not the first (so that no transport header can be read)?
    pub fn is_later_fragment(&self) -> bool {
        self.frag.is_some_and(|f| f.offset != 0)
    }
    /// Is it an ICMP or ICMPv6 error message?
    pub fn is_icmp_error(&self) -> bool {
        match (self.family, self.icmp()) {
            (Family::V4, Some(i)) => matches!(i.kind, 3 | 4 | 5 | 11 | 12),
            (Family::V6, Some(i)) => i.kind < 128,
            _ => false,
        }
    }
}

/// How the frame was addressed on its link, `skb->pkt_type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PktType {
    /// To this host.
    #[default]
    Host,
    /// Broadcast.
    Broadcast,
    /// Multicast.
    Multicast,
    /// To another host (a promiscuous device): dropped by ip_rcv.
    OtherHost,
}

/// Whose socket a packet was sent through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A socket of the kernel's own, which belongs to no file: ICMP, and TCP's RST for a closed port.
    Kernel,
    /// A program's.
    User {
        /// User id.
        uid: u32,
        /// Group id.
        gid: u32,
    },
}

/// A packet inside a host with what the kernel keeps beside it, `struct sk_buff`.
#[derive(Clone, PartialEq, Debug)]
pub struct Skb {
    /// The packet's number in this run.
    pub id: PacketId,
    /// The packet.
    pub packet: Packet,
    /// `skb->mark`.
    pub mark: u32,
    /// `skb->priority` (CLASSIFY).
    pub priority: u32,
    /// `skb->_nfct`: its conntrack entry, and how it stands to it.
    pub nfct: Nfct,
    /// How the frame was addressed.
    pub pkt_type: PktType,
    /// Source hardware address, where it came in a frame.
    pub mac_src: Option<[u8; 6]>,
    /// Destination hardware address, where it came in a frame.
    pub mac_dst: Option<[u8; 6]>,
    /// The device that it came in through last, `skb->dev`/`iif`.
    pub in_dev: Option<DevId>,
    /// `skb->_skb_refdst`: the route, once there is one.
    pub dst: Option<Dst>,
    /// `skb->sk` as TPROXY assigns it: the address and port at which the socket was found.
    pub tproxy: Option<(Addr, u16)>,
    /// `skb->nf_trace`: TRACE was hit; every later rule reports.
    pub traced: bool,
    /// Whose socket sent it (`skb->sk`); `None` for a packet that came in, and for REJECT's RST.
    pub owner: Option<Owner>,
    /// `nf_skb_duplicated`: a copy that TEE made, or what the host says about one, is not copied again while it is on its
    /// way to a device.
    pub is_clone: bool,
    /// The copy of a broadcast or multicast that comes back to this host (`dev_loopback_xmit`).
    pub loops_back: bool,
    /// Largest fragment that it was put together from (`IPCB->frag_max_size`), in bytes of IP length; 0: none.
    pub frag_max_size: u16,
}

impl Skb {
    /// The address and port at which a socket is looked up: the packet's destination, or what TPROXY chose instead.
    pub fn socket_end(&self) -> (Addr, u16) {
        self.tproxy.unwrap_or((self.packet.dst, self.packet.ports().map_or(0, |p| p.1)))
    }
    /// A packet with nothing beside it.
    pub fn new(id: PacketId, packet: Packet) -> Skb {
        Skb {
            id,
            packet,
            mark: 0,
            priority: 0,
            nfct: Nfct::None,
            pkt_type: PktType::Host,
            mac_src: None,
            mac_dst: None,
            in_dev: None,
            dst: None,
            tproxy: None,
            traced: false,
            owner: None,
            is_clone: false,
            loops_back: false,
            frag_max_size: 0,
        }
    }
}
