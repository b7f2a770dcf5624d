//! Network devices and their addresses.

use crate::addr::{Addr, Family};
use std::sync::Arc;

/// A device's index in its host, `ifindex`: 1 is always `lo`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct DevId(pub u16);

impl DevId {
    /// The loopback device.
    pub const LO: DevId = DevId(1);
}

/// An address on a device, `struct in_ifaddr` / `struct inet6_ifaddr`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IfAddr {
    /// Family of the address.
    pub family: Family,
    /// The address.
    pub addr: Addr,
    /// Prefix length.
    pub len: u8,
    /// IPv4 broadcast address, where one is set (`brd`).
    pub broadcast: Option<Addr>,
    /// IFA_F_SECONDARY: an earlier address of the device has the same subnet.
    pub secondary: bool,
    /// Scope as in rtnetlink: 0 global, 253 link, 254 host.
    pub scope: u8,
}

/// A network device, `struct net_device`.
#[derive(Clone, PartialEq, Debug)]
pub struct Device {
    /// Name, at most 15 bytes.
    pub name: Arc<str>,
    /// Index.
    pub id: DevId,
    /// Hardware address.
    pub mac: [u8; 6],
    /// Maximum transmission unit in bytes.
    pub mtu: u32,
    /// IFF_UP.
    pub up: bool,
    /// Addresses in the order in which they were added (what `REDIRECT` and `MASQUERADE` choose from).
    pub addrs: Vec<IfAddr>,
}
