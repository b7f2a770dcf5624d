//! The tuple: what makes packets one connection in one direction, `struct nf_conntrack_tuple`.

use crate::addr::{Addr, Family};
use crate::packet::proto;

/// `enum ip_conntrack_dir`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Direction {
    /// As the first packet that was seen.
    Original,
    /// The other way.
    Reply,
}

impl Direction {
    /// The other direction.
    pub const fn flip(self) -> Direction {
        match self {
            Direction::Original => Direction::Reply,
            Direction::Reply => Direction::Original,
        }
    }
}

/// Addresses, protocol, and what stands for ports, of one direction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Tuple {
    /// Source address.
    pub src: Addr,
    /// Destination address.
    pub dst: Addr,
    /// TCP, UDP, SCTP: source port. ICMP: identifier. GRE: key. Else 0.
    pub sport: u16,
    /// TCP, UDP, SCTP: destination port. ICMP: `type << 8 | code`. GRE: key. Else 0.
    pub dport: u16,
    /// Protocol number.
    pub proto: u8,
    /// Address family.
    pub family: Family,
}

impl Tuple {
    /// `nf_ct_invert_tuple`: the tuple of the answers. An ICMP message to which no answer exists has none.
    pub fn invert(&self) -> Option<Tuple> {
        let (sport, dport) = match (self.family, self.proto) {
            (Family::V4, proto::ICMP) | (Family::V6, proto::ICMPV6) => {
                let kind = answer_type(self.family, self.icmp_type())?;
                (self.sport, u16::from(kind) << 8 | u16::from(self.icmp_code()))
            }
            _ => (self.dport, self.sport),
        };
        Some(Tuple { src: self.dst, dst: self.src, sport, dport, ..*self })
    }
    /// Does the protocol carry an ICMP identifier in place of a source port?
    pub const fn is_icmp(&self) -> bool {
        matches!((self.family, self.proto), (Family::V4, proto::ICMP) | (Family::V6, proto::ICMPV6))
    }
    /// The message type of an ICMP tuple.
    pub const fn icmp_type(&self) -> u8 {
        (self.dport >> 8) as u8
    }
    /// The code of an ICMP tuple.
    pub const fn icmp_code(&self) -> u8 {
        self.dport as u8
    }
}

/// The type of message that answers one of this type, either way round (`invmap` of the ICMP and ICMPv6 trackers).
pub(crate) const fn answer_type(family: Family, kind: u8) -> Option<u8> {
    Some(match (family, kind) {
        (Family::V4, 0) => 8,
        (Family::V4, 8) => 0,
        (Family::V4, 13) => 14,
        (Family::V4, 14) => 13,
        (Family::V4, 15) => 16,
        (Family::V4, 16) => 15,
        (Family::V4, 17) => 18,
        (Family::V4, 18) => 17,
        (Family::V6, 128) => 129,
        (Family::V6, 129) => 128,
        (Family::V6, 139) => 140,
        (Family::V6, 140) => 139,
        _ => return None,
    })
}
