//! The packet lines of a lab: text to [`PacketSpec`], and that to a packet, given what the station saw before.
//!
//! ```text
//! [dev IF] tcp  SRC:PORT > DST:PORT [FLAGS] [seq= ack= win= len= mss= …]
//! [dev IF] udp  SRC:PORT > DST:PORT [len=]
//! [dev IF] icmp SRC > DST NAME|TYPE/CODE [id= seq= len= mtu= gw= re=last|sent]       (icmp6 for ICMPv6)
//! [dev IF] sctp SRC:PORT > DST:PORT CHUNK[,CHUNK…] [vtag= itag= len=]                (names as `-m sctp --chunk-types`)
//! [dev IF] ip   SRC > DST proto=N [len=|data=HEX]                                     (ip6 for IPv6)
//! [dev IF] reply [FLAGS] [len= seq= ack=]
//! ```
//!
//! Every packet takes `ttl= tos= df ipid= frag=OFFSET[+] badsum`; `id=` is the IP identification but for ICMP, where it
//! is the message's own.

mod build;
mod parse;
pub(crate) mod sctp;

pub use build::Seen;
pub use parse::{choices, parse};

use crate::shell::Word;
use hookwalk_engine::addr::{Addr, Family};

/// A packet as a lab asks for it.
#[derive(Clone, PartialEq, Debug)]
pub struct PacketSpec {
    /// `dev IF`: the interface that it is sent from; `None`: the station's first.
    pub dev: Option<Word>,
    /// What it is.
    pub kind: Kind,
    /// The options that were written.
    pub fields: Fields,
}

/// The kinds of packet lines.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// `tcp`.
    Tcp {
        /// Addresses and ports.
        ends: Ends,
        /// Flag bits; a lone SYN where none are written.
        flags: u8,
    },
    /// `udp`, and `udplite`.
    Udp {
        /// Addresses and ports.
        ends: Ends,
        /// Protocol 136 in place of 17.
        lite: bool,
    },
    /// `icmp`, `icmp6`.
    Icmp {
        /// Addresses; the ports are zero.
        ends: Ends,
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
        /// `re=`: which packet it quotes.
        quote: Option<Re>,
    },
    /// `sctp`.
    Sctp {
        /// Addresses and ports.
        ends: Ends,
        /// Types of the chunks, in order.
        chunks: Vec<u8>,
    },
    /// `ip`, `ip6`: another protocol, or a later fragment, by its bytes.
    Ip {
        /// Addresses; the ports are zero.
        ends: Ends,
        /// Protocol number.
        proto: u8,
    },
    /// `reply`.
    Reply {
        /// TCP flags; SYN and ACK where none are written.
        flags: Option<u8>,
    },
}

/// Source and destination of a packet line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ends {
    /// Of both addresses.
    pub family: Family,
    /// Source address.
    pub src: Addr,
    /// Source port, where the protocol has one.
    pub sport: u16,
    /// Destination address.
    pub dst: Addr,
    /// Destination port, where the protocol has one.
    pub dport: u16,
}

/// `re=`: the packet that an ICMP error is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Re {
    /// The last one that the station received.
    Last,
    /// The last one that it sent.
    Sent,
}

/// The `name=value` options of a packet line, as far as they were written.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Fields {
    /// Sequence number, of TCP or of an ICMP message.
    pub seq: Option<u32>,
    /// Acknowledgement number.
    pub ack: Option<u32>,
    /// Window.
    pub win: Option<u16>,
    /// Payload bytes.
    pub len: Option<u32>,
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// Window scale.
    pub wscale: Option<u8>,
    /// SACK permitted.
    pub sack_permitted: bool,
    /// Timestamps: value and echo reply.
    pub timestamps: Option<(u32, u32)>,
    /// Time to live or hop limit.
    pub ttl: Option<u8>,
    /// Type of service or traffic class.
    pub tos: Option<u8>,
    /// Don't fragment.
    pub df: bool,
    /// Identifier of an ICMP message.
    pub icmp_id: Option<u16>,
    /// IP identification (`id=`, for ICMP `ipid=`).
    pub ip_id: Option<u32>,
    /// Next-hop MTU of frag-needed and packet-too-big.
    pub mtu: Option<u32>,
    /// Gateway of a redirect.
    pub gateway: Option<Addr>,
    /// Fragment: offset in bytes, and whether more follow.
    pub frag: Option<(u16, bool)>,
    /// The transport checksum is wrong.
    pub bad_checksum: bool,
    /// SCTP: verification tag.
    pub vtag: Option<u32>,
    /// SCTP: the tag that INIT and INIT ACK announce.
    pub itag: Option<u32>,
    /// Payload as bytes.
    pub data: Option<Vec<u8>>,
}
