//! The types of sets, and what an element of each consists of.

/// One part of an element, in the order in which it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dim {
    /// An address.
    Ip,
    /// An address with a prefix length.
    Net,
    /// Protocol and port.
    Port,
    /// A hardware address.
    Mac,
    /// A mark.
    Mark,
    /// An interface.
    Iface,
    /// The name of a set.
    Set,
}

/// A set's type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum SetType {
    BitmapIp,
    BitmapIpMac,
    BitmapPort,
    HashIp,
    HashMac,
    HashIpMac,
    HashIpMark,
    HashIpPort,
    HashIpPortIp,
    HashIpPortNet,
    HashNet,
    HashNetNet,
    HashNetPort,
    HashNetPortNet,
    HashNetIface,
    ListSet,
}

impl SetType {
    /// All types.
    pub const ALL: [SetType; 16] = [
        SetType::BitmapIp,
        SetType::BitmapIpMac,
        SetType::BitmapPort,
        SetType::HashIp,
        SetType::HashMac,
        SetType::HashIpMac,
        SetType::HashIpMark,
        SetType::HashIpPort,
        SetType::HashIpPortIp,
        SetType::HashIpPortNet,
        SetType::HashNet,
        SetType::HashNetNet,
        SetType::HashNetPort,
        SetType::HashNetPortNet,
        SetType::HashNetIface,
        SetType::ListSet,
    ];

    /// Its name: `hash:ip,port`.
    pub const fn name(self) -> &'static str {
        match self {
            SetType::BitmapIp => "bitmap:ip",
            SetType::BitmapIpMac => "bitmap:ip,mac",
            SetType::BitmapPort => "bitmap:port",
            SetType::HashIp => "hash:ip",
            SetType::HashMac => "hash:mac",
            SetType::HashIpMac => "hash:ip,mac",
            SetType::HashIpMark => "hash:ip,mark",
            SetType::HashIpPort => "hash:ip,port",
            SetType::HashIpPortIp => "hash:ip,port,ip",
            SetType::HashIpPortNet => "hash:ip,port,net",
            SetType::HashNet => "hash:net",
            SetType::HashNetNet => "hash:net,net",
            SetType::HashNetPort => "hash:net,port",
            SetType::HashNetPortNet => "hash:net,port,net",
            SetType::HashNetIface => "hash:net,iface",
            SetType::ListSet => "list:set",
        }
    }
    /// What an element consists of.
    pub const fn dims(self) -> &'static [Dim] {
        use Dim::*;
        match self {
            SetType::BitmapIp | SetType::HashIp => &[Ip],
            SetType::BitmapIpMac | SetType::HashIpMac => &[Ip, Mac],
            SetType::BitmapPort => &[Port],
            SetType::HashMac => &[Mac],
            SetType::HashIpMark => &[Ip, Mark],
            SetType::HashIpPort => &[Ip, Port],
            SetType::HashIpPortIp => &[Ip, Port, Ip],
            SetType::HashIpPortNet => &[Ip, Port, Net],
            SetType::HashNet => &[Net],
            SetType::HashNetNet => &[Net, Net],
            SetType::HashNetPort => &[Net, Port],
            SetType::HashNetPortNet => &[Net, Port, Net],
            SetType::HashNetIface => &[Net, Iface],
            SetType::ListSet => &[Set],
        }
    }
    /// The kinds of its first and second address.
    pub fn addr_dims(self) -> [Option<Dim>; 2] {
        let mut addrs = self.dims().iter().copied().filter(|d| matches!(d, Dim::Ip | Dim::Net));
        [addrs.next(), addrs.next()]
    }
    /// Is it kept in a hash?
    pub const fn is_hash(self) -> bool {
        !matches!(self, SetType::BitmapIp | SetType::BitmapIpMac | SetType::BitmapPort | SetType::ListSet)
    }
    /// Does it serve one family only (`family inet`, `inet6`)?
    pub const fn has_family(self) -> bool {
        self.is_hash() && !matches!(self, SetType::HashMac)
    }
    /// May elements be exceptions (`nomatch`; `IPSET_TYPE_NOMATCH`)?
    pub fn has_nomatch(self) -> bool {
        self.dims().contains(&Dim::Net)
    }
    /// Is a prefix length of 0 allowed?
    pub(super) const fn zero_prefix(self) -> bool {
        matches!(self, SetType::HashNetNet | SetType::HashNetPortNet | SetType::HashNetIface)
    }
    /// May two sets of these types be swapped? They must hold the same sorts of things, in the kernel's grouping
    /// (`ip_set_swap` compares features and family).
    pub fn same_features(self, other: SetType) -> bool {
        // Networks count as addresses here.
        let sort = |d: &Dim| if *d == Dim::Net { Dim::Ip } else { *d };
        self.has_nomatch() == other.has_nomatch()
            && self.dims().iter().map(sort).eq(other.dims().iter().map(sort))
    }
}
