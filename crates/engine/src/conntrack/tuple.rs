//! The tuple: what makes packets one connection in one direction, `struct nf_conntrack_tuple`.

use crate::addr::{Addr, Family};

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
    /// The message type of an ICMP tuple.
    pub const fn icmp_type(&self) -> u8 {
        (self.dport >> 8) as u8
    }
    /// The code of an ICMP tuple.
    pub const fn icmp_code(&self) -> u8 {
        self.dport as u8
    }
}
