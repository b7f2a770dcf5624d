//! Addresses of both families in one type, and address/mask pairs as rules write them.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `NFPROTO_IPV4` or `NFPROTO_IPV6` (include/uapi/linux/netfilter.h).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Length of an address in bits: 32 or 128.
    pub const fn bits(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }
    /// Length of the IP header without options, in bytes: 20 or 40.
    pub const fn header_len(self) -> u32 {
        match self {
            Family::V4 => 20,
            Family::V6 => 40,
        }
    }
}

/// An address of either family, `union nf_inet_addr`: four words in host order, the IPv4 address in the first.
///
/// The family is not in here: it is in the packet or tuple that holds the address, as in the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Addr(pub [u32; 4]);

impl Addr {
    /// 0.0.0.0 or ::.
    pub const UNSPECIFIED: Addr = Addr([0; 4]);
    /// The IPv4 loopback address 127.0.0.1.
    pub const LOOPBACK_V4: Addr = Addr([0x7f00_0001, 0, 0, 0]);
    /// The IPv6 loopback address ::1.
    pub const LOOPBACK_V6: Addr = Addr([0, 0, 0, 1]);

    /// From an IPv4 address as a number (10.0.0.1 is 0x0a000001).
    pub const fn v4(word: u32) -> Addr {
        Addr([word, 0, 0, 0])
    }
    /// The IPv4 address as a number.
    pub const fn as_v4(self) -> u32 {
        self.0[0]
    }
    /// As the standard library's address.
    pub fn ip(self, family: Family) -> IpAddr {
        match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from(self.0[0])),
            Family::V6 => {
                let mut bytes = [0u8; 16];
                for (chunk, word) in bytes.chunks_exact_mut(4).zip(self.0) {
                    chunk.copy_from_slice(&word.to_be_bytes());
                }
                IpAddr::V6(Ipv6Addr::from(bytes))
            }
        }
    }
    /// The mask of a prefix length; longer lengths than the family has give the full mask.
    pub fn prefix_mask(family: Family, len: u8) -> Addr {
        let mut words = [0u32; 4];
        let mut left = u32::from(len.min(family.bits()));
        for word in &mut words {
            let take = left.min(32);
            *word = if take == 0 { 0 } else { u32::MAX << (32 - take) };
            left -= take;
        }
        Addr(words)
    }
    /// Bitwise and.
    pub fn and(self, mask: Addr) -> Addr {
        Addr(core::array::from_fn(|i| self.0[i] & mask.0[i]))
    }
    /// Bitwise or.
    pub fn or(self, other: Addr) -> Addr {
        Addr(core::array::from_fn(|i| self.0[i] | other.0[i]))
    }
    /// Bitwise complement within the family's width.
    pub fn not(self, family: Family) -> Addr {
        let full = Addr::prefix_mask(family, family.bits());
        Addr(core::array::from_fn(|i| !self.0[i] & full.0[i]))
    }
    /// Is it 0.0.0.0 or ::?
    pub fn is_unspecified(self) -> bool {
        self == Addr::UNSPECIFIED
    }
    /// `ipv4_is_loopback` (127/8) or `::1`.
    pub fn is_loopback(self, family: Family) -> bool {
        match family {
            Family::V4 => self.0[0] >> 24 == 127,
            Family::V6 => self == Addr::LOOPBACK_V6,
        }
    }
    /// How far an IPv6 multicast reaches (RFC 4291, section 2.7): 1 is the interface itself, 2 the link.
    pub fn multicast_scope(self) -> u32 {
        self.0[0] >> 16 & 0xf
    }
    /// `ipv4_is_multicast` (224/4) or ff00::/8.
    pub fn is_multicast(self, family: Family) -> bool {
        match family {
            Family::V4 => self.0[0] >> 28 == 0xe,
            Family::V6 => self.0[0] >> 24 == 0xff,
        }
    }
}

impl From<Ipv4Addr> for Addr {
    fn from(a: Ipv4Addr) -> Addr {
        Addr::v4(u32::from(a))
    }
}

impl From<Ipv6Addr> for Addr {
    fn from(a: Ipv6Addr) -> Addr {
        let bytes = a.octets();
        Addr(core::array::from_fn(|i| {
            u32::from_be_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]])
        }))
    }
}

impl From<IpAddr> for Addr {
    fn from(a: IpAddr) -> Addr {
        match a {
            IpAddr::V4(a) => a.into(),
            IpAddr::V6(a) => a.into(),
        }
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = if self.0[1..] == [0, 0, 0] && self.0[0] != 0 { Family::V4 } else { Family::V6 };
        write!(f, "{}", self.ip(family))
    }
}

/// An address and its mask as a rule or a route writes them: `10.0.0.0/8`, and the odd `10.0.0.1/255.0.0.255` too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct AddrMask {
    /// The address; bits outside the mask are zero.
    pub addr: Addr,
    /// The mask; not always contiguous.
    pub mask: Addr,
}

impl AddrMask {
    /// Matches everything: `0.0.0.0/0`, `::/0`.
    pub const ANY: AddrMask = AddrMask { addr: Addr::UNSPECIFIED, mask: Addr::UNSPECIFIED };

    /// From a prefix length; bits beyond it are cleared.
    pub fn prefix(family: Family, addr: Addr, len: u8) -> AddrMask {
        let mask = Addr::prefix_mask(family, len);
        AddrMask { addr: addr.and(mask), mask }
    }
    /// One host.
    pub fn host(family: Family, addr: Addr) -> AddrMask {
        AddrMask::prefix(family, addr, family.bits())
    }
    /// Does the address lie in it?
    pub fn contains(&self, addr: Addr) -> bool {
        addr.and(self.mask) == self.addr
    }
    /// The prefix length, or `None` where the mask has holes.
    pub fn prefix_len(&self, family: Family) -> Option<u8> {
        let len: u32 = self.mask.0.iter().map(|w| w.count_ones()).sum();
        let len = len as u8;
        (Addr::prefix_mask(family, len) == self.mask).then_some(len)
    }
}
