//! Looking a packet up in a set, and adding or deleting what it carries (`ip_set_test`, `ip_set_add`, `ip_set_del`, and
//! the `kadt` function of each type).

use super::{Dim, Elem, Ext, Search, Set, SetError, SetTable, SetType, expired};
use crate::addr::Family;
use crate::matches::{Compare, SetRef};
use crate::packet::{L4, Packet, proto};
use crate::time::{Duration, Time};
use std::sync::Arc;

/// What sets may look at in a packet.
#[derive(Clone, Debug)]
pub struct PacketFields<'a> {
    /// The packet.
    pub packet: &'a Packet,
    /// Its mark.
    pub mark: u32,
    /// Source hardware address, where it came in a frame.
    pub mac_src: Option<[u8; 6]>,
    /// Destination hardware address.
    pub mac_dst: Option<[u8; 6]>,
    /// Input device.
    pub in_dev: Option<Arc<str>>,
    /// Output device.
    pub out_dev: Option<Arc<str>>,
}

/// How a look-up goes about extensions (`struct ip_set_adt_opt`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Test {
    /// `--return-nomatch`.
    pub return_nomatch: bool,
    /// Counters of a hit are left alone.
    pub no_update_counters: bool,
    /// Counters of the member sets of a list are left alone.
    pub no_update_subcounters: bool,
    /// Comparison of the packet counter.
    pub packets: Option<Compare>,
    /// Comparison of the byte counter.
    pub bytes: Option<Compare>,
}

impl Compare {
    fn holds(self, value: u64) -> bool {
        match self {
            Compare::Eq(n) => value == n,
            Compare::Ne(n) => value != n,
            Compare::Lt(n) => value < n,
            Compare::Gt(n) => value > n,
        }
    }
}

/// `ip_set_get_ip4_port`: the protocol and what stands for a port; 0 for protocols without any. `None` where it cannot
/// be read.
fn port_of(packet: &Packet, src: bool) -> Option<(u8, u16)> {
    if packet.is_later_fragment() {
        // Ports cannot be read; other protocols do not need them.
        return match packet.proto {
            proto::TCP | proto::UDP | proto::SCTP | proto::UDPLITE | proto::ICMP | proto::ICMPV6 => None,
            other => Some((other, 0)),
        };
    }
    let port = match (&packet.l4, packet.proto) {
        (L4::Icmp(i), _) => u16::from(i.kind) << 8 | u16::from(i.code),
        (_, proto::TCP | proto::UDP | proto::UDPLITE | proto::SCTP) => {
            let (sport, dport) = packet.ports()?;
            if src { sport } else { dport }
        }
        (_, proto::ICMP | proto::ICMPV6) => return None,
        _ => 0,
    };
    Some((packet.proto, port))
}

impl Set {
    /// The element that a packet stands for, `None` where the packet lacks a part of it.
    fn elem_of(&self, fields: &PacketFields<'_>, set: &SetRef) -> Option<Elem> {
        let packet = fields.packet;
        let family = packet.family;
        let mut elem = Elem::default();
        let mut second = false;
        for (dim, &src) in self.header.kind.dims().iter().zip(&set.src) {
            match dim {
                Dim::Ip | Dim::Net => {
                    let addr = if src { packet.src } else { packet.dst };
                    if second {
                        (elem.ip2, elem.cidr2) = (addr, family.bits());
                    } else {
                        (elem.ip, elem.cidr) = (addr, family.bits());
                    }
                    second = true;
                }
                Dim::Port => {
                    let (proto, port) = port_of(packet, src)?;
                    if self.header.kind == SetType::BitmapPort && !matches!(proto, proto::TCP | proto::UDP) {
                        return None;
                    }
                    (elem.proto, elem.port) = (proto, port);
                }
                Dim::Mac => {
                    let mac = if src { fields.mac_src } else { fields.mac_dst };
                    elem.mac = Some(mac.filter(|m| *m != [0; 6])?);
                }
                Dim::Mark => elem.mark = fields.mark,
                Dim::Iface => {
                    let dev = if src { &fields.in_dev } else { &fields.out_dev };
                    elem.name = Some(dev.clone()?);
                }
                Dim::Set => {}
            }
        }
        Some(elem)
    }

    /// May this packet be looked up here at all: enough dimensions written, and the right family?
    fn fits(&self, family: Family, set: &SetRef) -> bool {
        let kind = self.header.kind;
        usize::from(set.dims) >= kind.dims().len()
            && (self.header.family == family
                || matches!(kind, SetType::BitmapPort | SetType::HashMac | SetType::ListSet))
    }

    /// The key that a packet's element is looked up by: masked as stored elements are, with whole addresses.
    fn probe(&self, elem: Elem) -> Option<Elem> {
        self.canonical(&elem).ok()
    }

    /// The prefix length that an element made from a packet gets: the longest in the set (`INIT_CIDR`).
    fn packet_cidr(&self, elem: &mut Elem) {
        let dims = self.header.kind.addr_dims();
        for (i, cidr) in [&mut elem.cidr, &mut elem.cidr2].into_iter().enumerate() {
            if dims[i] == Some(Dim::Net)
                && let Some(&(len, _)) = self.prefixes[i].first()
            {
                *cidr = len;
            }
        }
    }
}

/// `ip_set_match_extensions`: the counters go up first, and are compared then.
fn match_extensions(ext: &mut Ext, counters: bool, test: &Test, update: bool, len: u32) -> bool {
    if !counters {
        return true;
    }
    if update {
        ext.packets += 1;
        ext.bytes += u64::from(len);
    }
    test.packets.is_none_or(|c| c.holds(ext.packets)) && test.bytes.is_none_or(|c| c.holds(ext.bytes))
}

impl SetTable {
    /// `ip_set_test`: is the packet in the set? Counters of the element that was hit go up. A set that does not exist
    /// holds nothing.
    pub fn test(&mut self, set: &SetRef, fields: &PacketFields<'_>, test: Test, now: Time) -> Option<Ext> {
        self.test_in(&set.name, set, fields, test, now)
    }

    /// Could [`SetTable::test`] find the packet in the set? Says no only where the look-up would leave no trace.
    pub(crate) fn may_hold(&self, set: &SetRef, fields: &PacketFields<'_>, now: Time) -> bool {
        let Some(this) = self.get(&set.name) else { return false };
        // A look-up without a hit may still count, in the members of a list or where counters are compared.
        if this.header.counters || this.header.kind == SetType::ListSet {
            return true;
        }
        let probe = this.elem_of(fields, set).and_then(|elem| this.probe(elem));
        probe.is_some_and(|probe| this.next_find(&probe, &mut Search::default(), now).is_some())
    }

    fn test_in(
        &mut self,
        name: &str,
        set: &SetRef,
        fields: &PacketFields<'_>,
        test: Test,
        now: Time,
    ) -> Option<Ext> {
        let this = self.get_mut(name)?;
        if !this.fits(fields.packet.family, set) {
            return None;
        }
        let len = fields.packet.len();
        let counters = this.header.counters;
        if this.header.kind == SetType::ListSet {
            return self.test_list(name, set, fields, test, now);
        }
        let elem = this.elem_of(fields, set)?;
        let mac = elem.mac;
        let probe = this.probe(elem)?;
        let mut search = Search::default();
        loop {
            let key = this.next_find(&probe, &mut search, now)?;
            let nomatch_type = this.header.kind.has_nomatch();
            let bitmap_mac = this.header.kind == SetType::BitmapIpMac;
            let ext = this.elems.get_mut(&key)?;
            match ext.mac {
                _ if !bitmap_mac => {}
                // An element without a hardware address is added anew with that of the first packet.
                None => {
                    let counted = |n: u64| if counters { n } else { 0 };
                    let (packets, bytes) = (counted(1), counted(u64::from(len)));
                    let expires = ext.waiting.map(|secs| now + Duration::secs(u64::from(secs)));
                    *ext = Ext { expires, mac, packets, bytes, ..Ext::default() };
                    return Some(ext.clone());
                }
                Some(known) if Some(known) != mac => return None,
                Some(_) => {}
            }
            // Where the counters do not fit, the next larger network is tried.
            if match_extensions(ext, counters, &test, !test.no_update_counters, len) {
                // --return-nomatch turns the answer round for types that know exceptions.
                let hit = ext.nomatch == (test.return_nomatch && nomatch_type);
                return hit.then(|| ext.clone());
            }
        }
    }

    fn test_list(
        &mut self,
        name: &str,
        set: &SetRef,
        fields: &PacketFields<'_>,
        test: Test,
        now: Time,
    ) -> Option<Ext> {
        let members: Vec<Arc<str>> = self
            .get(name)?
            .list
            .iter()
            .filter(|(_, x)| !expired(x, now))
            .filter_map(|(e, _)| e.name.clone())
            .collect();
        let inner = Test {
            packets: None,
            bytes: None,
            no_update_counters: test.no_update_counters || test.no_update_subcounters,
            ..test
        };
        for member in members {
            if let Some(found) = self.test_in(&member, set, fields, inner, now) {
                let this = self.get_mut(name)?;
                let counters = this.header.counters;
                let skbinfo = this.header.skbinfo;
                let (_, ext) = this.list.iter_mut().find(|(e, _)| e.name.as_ref() == Some(&member))?;
                let update = !test.no_update_counters;
                if match_extensions(ext, counters, &test, update, fields.packet.len()) {
                    return Some(if skbinfo { ext.clone() } else { found });
                }
            }
        }
        None
    }

    /// `ip_set_add`: the packet's element goes into the set; a list passes it to its members until one takes it.
    /// `timeout` in seconds stands for the set's own.
    pub fn add_packet(
        &mut self,
        set: &SetRef,
        fields: &PacketFields<'_>,
        exist: bool,
        timeout: Option<u32>,
        now: Time,
    ) -> Result<(), SetError> {
        self.change(&set.name.clone(), set, fields, now, &mut |this, elem| {
            // In a hash a comment that is there stays.
            let old = this.stored(elem).filter(|_| this.header.kind.is_hash());
            let ext = Ext {
                comment: old.and_then(|old| old.comment.clone()),
                expires: this.header.timeout.and_then(|_| this.expiry(timeout, now)),
                packets: u64::from(this.header.counters),
                bytes: if this.header.counters { u64::from(fields.packet.len()) } else { 0 },
                ..Ext::default()
            };
            this.add(elem, ext, exist, now)
        })
    }

    /// `ip_set_del`: the packet's element leaves the set.
    pub fn del_packet(&mut self, set: &SetRef, fields: &PacketFields<'_>, now: Time) -> Result<(), SetError> {
        self.change(&set.name.clone(), set, fields, now, &mut |this, elem| this.del(elem, now))
    }

    fn change(
        &mut self,
        name: &str,
        set: &SetRef,
        fields: &PacketFields<'_>,
        now: Time,
        act: &mut dyn FnMut(&mut Set, &Elem) -> Result<(), SetError>,
    ) -> Result<(), SetError> {
        let this = self.get_mut(name).ok_or(SetError::NoSet)?;
        if !this.fits(fields.packet.family, set) {
            return Err(SetError::Invalid);
        }
        if this.header.kind == SetType::ListSet {
            let alive = this.list.iter().filter(|(_, x)| !expired(x, now));
            let members: Vec<Arc<str>> = alive.filter_map(|(e, _)| e.name.clone()).collect();
            for member in members {
                if self.change(&member, set, fields, now, act).is_ok() {
                    return Ok(());
                }
            }
            return Err(SetError::Missing);
        }
        let mut elem = this.elem_of(fields, set).ok_or(SetError::Invalid)?;
        this.packet_cidr(&mut elem);
        act(this, &elem)
    }
}
