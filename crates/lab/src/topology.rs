//! Who hears a frame: hardware addresses, links and neighbours. Neighbours are known to all; nothing is asked (ARP, ND).
//!
//! Whoever runs a lab elsewhere (on a kernel) must give out the same addresses and choose the same neighbours: it asks
//! here.

use crate::file::{End, Lab, StationId, StationKind};
use hookwalk_engine::addr::{Addr, AddrMask, Family};

/// The Ethernet broadcast address.
const BROADCAST: [u8; 6] = [0xff; 6];

/// The hardware address of an interface: `02:00:00`, the station's number from 1 in two bytes, the interface's from 0.
pub fn mac(end: End) -> [u8; 6] {
    let [high, low] = (end.station.0.wrapping_add(1)).to_be_bytes();
    [0x02, 0, 0, high, low, end.iface as u8]
}

/// The links of a lab, ready for questions.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Topology {
    /// For each station and interface, the other ends of its link.
    peers: Vec<Vec<Vec<Neighbour>>>,
    /// For each station: its gateways.
    gateways: Vec<Vec<(Family, Addr)>>,
    /// For each station and interface: its networks.
    networks: Vec<Vec<Vec<(Family, Addr, u8)>>>,
}

/// The other end of a link.
#[derive(Clone, PartialEq, Debug)]
struct Neighbour {
    end: End,
    kind: StationKind,
    addrs: Vec<(Family, Addr)>,
}

/// Where a frame goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// To one interface.
    One(End),
    /// To all on the link, with this destination address (broadcast or multicast).
    All([u8; 6]),
    /// Nobody has the address: neighbour discovery fails.
    Nobody,
    /// The interface has no link.
    NoLink,
}

impl To {
    /// The frame's destination address.
    pub fn mac(&self) -> Option<[u8; 6]> {
        match self {
            To::One(end) => Some(mac(*end)),
            To::All(mac) => Some(*mac),
            To::Nobody | To::NoLink => None,
        }
    }
}

impl Topology {
    /// The links of a lab.
    pub fn new(lab: &Lab) -> Topology {
        let neighbour = |end: End| {
            let station = &lab.stations[end.station.index()];
            let addrs = station.ifaces[usize::from(end.iface)].addrs.iter().map(|(f, a, _)| (*f, *a));
            Neighbour { end, kind: station.kind, addrs: addrs.collect() }
        };
        let mut peers: Vec<Vec<Vec<Neighbour>>> =
            lab.stations.iter().map(|s| vec![Vec::new(); s.ifaces.len()]).collect();
        for link in &lab.links {
            for end in &link.ends {
                let others = link.ends.iter().filter(|e| *e != end).map(|e| neighbour(*e));
                peers[end.station.index()][usize::from(end.iface)] = others.collect();
            }
        }
        Topology {
            peers,
            gateways: lab.stations.iter().map(|s| s.gateways.clone()).collect(),
            networks: lab
                .stations
                .iter()
                .map(|s| s.ifaces.iter().map(|i| i.addrs.clone()).collect())
                .collect(),
        }
    }

    fn peers(&self, end: End) -> &[Neighbour] {
        let station = self.peers.get(end.station.index());
        station.and_then(|s| s.get(usize::from(end.iface))).map_or(&[], Vec::as_slice)
    }

    /// The interfaces at the other ends of the link, in the order of the `link` line.
    pub fn others(&self, end: End) -> impl Iterator<Item = End> {
        self.peers(end).iter().map(|n| n.end)
    }

    fn owner(&self, end: End, family: Family, addr: Addr) -> Option<End> {
        self.peers(end).iter().find(|n| n.addrs.contains(&(family, addr))).map(|n| n.end)
    }

    /// The destination of a host's frame to this next hop (`neigh_resolve_output`).
    pub fn host_frame(&self, end: End, family: Family, next_hop: Addr) -> To {
        self.to_address(end, family, next_hop)
    }

    /// The destination of a wire's frame: whoever owns the address on the link; else the wire's gateway; else the first
    /// host on the link, or the first station at all, so that a wire can send anything to anybody.
    pub fn wire_frame(&self, end: End, family: Family, dst: Addr) -> To {
        let known = self.to_address(end, family, dst);
        if known != To::Nobody {
            return known;
        }
        let gateway = self.gateways[end.station.index()]
            .iter()
            .filter(|(f, _)| *f == family)
            .find_map(|(f, addr)| self.owner(end, *f, *addr));
        let first_host = || self.peers(end).iter().find(|n| n.kind == StationKind::Host).map(|n| n.end);
        match gateway.or_else(first_host).or_else(|| self.others(end).next()) {
            Some(end) => To::One(end),
            None => To::NoLink,
        }
    }

    fn to_address(&self, end: End, family: Family, addr: Addr) -> To {
        if self.peers(end).is_empty() {
            return To::NoLink;
        }
        if let Some(owner) = self.owner(end, family, addr) {
            return To::One(owner);
        }
        if addr.is_multicast(family) {
            return To::All(multicast_mac(family, addr));
        }
        let mine = &self.networks[end.station.index()][usize::from(end.iface)];
        if family == Family::V4 && is_broadcast(addr, mine) { To::All(BROADCAST) } else { To::Nobody }
    }
}

/// 255.255.255.255, or the last address of one of these networks.
fn is_broadcast(addr: Addr, networks: &[(Family, Addr, u8)]) -> bool {
    let is_last = |(family, own, len): &(Family, Addr, u8)| {
        *family == Family::V4 && *len < 31 && {
            let mask = Addr::prefix_mask(Family::V4, *len);
            AddrMask { addr: own.and(mask), mask }.contains(addr) && addr == own.or(mask.not(Family::V4))
        }
    };
    addr == Addr::v4(u32::MAX) || networks.iter().any(is_last)
}

/// `ip_eth_mc_map`, `ipv6_eth_mc_map`.
fn multicast_mac(family: Family, addr: Addr) -> [u8; 6] {
    match family {
        Family::V4 => {
            let [_, b, c, d] = addr.as_v4().to_be_bytes();
            [0x01, 0x00, 0x5e, b & 0x7f, c, d]
        }
        Family::V6 => {
            let [a, b, c, d] = addr.0[3].to_be_bytes();
            [0x33, 0x33, a, b, c, d]
        }
    }
}

/// A station's interface by number.
pub fn end(station: StationId, iface: u16) -> End {
    End { station, iface }
}
