//! Addresses that go and devices that come and go: what of routes and connections goes with them
//! (net/ipv4/devinet.c, net/ipv4/fib_frontend.c, net/ipv6/addrconf.c, net/netfilter/nf_nat_masquerade.c).

use crate::addr::{Addr, Family};
use crate::conntrack::{Conn, Direction, EntryId, kill};
use crate::device::{DevId, IfAddr};
use crate::event::{Emit, Gone, Observer};
use crate::host::Host;
use crate::packet::PacketId;
use crate::route::RouteKind;

impl Host {
    /// Takes an address away, with its routes and with the MASQUERADE entries that use it. IPv4: the secondary
    /// addresses of its subnet go too (`promote_secondaries` is off). False: there is no such address.
    pub fn del_addr<O: Observer>(
        &mut self,
        dev: DevId,
        family: Family,
        addr: Addr,
        len: u8,
        observer: &mut O,
    ) -> bool {
        let Some(device) = self.net.device_mut(dev) else { return false };
        let Some(at) = device.addrs.iter().position(|a| a.family == family && a.addr == addr && a.len == len)
        else {
            return false;
        };
        let first = device.addrs.remove(at);
        let mut gone = vec![first];
        if family == Family::V4 && !first.secondary {
            let mask = Addr::prefix_mask(family, len);
            let follows = |a: &IfAddr| {
                a.family == family && a.secondary && a.len == len && a.addr.and(mask) == first.addr.and(mask)
            };
            gone.extend(device.addrs.iter().copied().filter(follows));
            device.addrs.retain(|a| !follows(a));
        }
        let left = device.addrs.iter().filter(|a| a.family == family).count();
        for address in &gone {
            self.drop_masquerade(dev, Some((family, address.addr)), observer);
        }
        if family == Family::V4 && left == 0 {
            // fib_disable_ip: a device without an address has no routes.
            self.net.fib.routes.retain(|r| r.family != family || r.dev != Some(dev));
        }
        self.rebuild_addr_routes(family, &gone);
        true
    }

    /// `inet_addr_onlink` and its kin: of the routes that the kernel made for addresses, those stay that some address
    /// still stands for; routes with a preferred source that is gone go (`fib_sync_down_addr`).
    fn rebuild_addr_routes(&mut self, family: Family, gone: &[IfAddr]) {
        let have = |addr: Addr| {
            self.net.devices.iter().flat_map(|d| &d.addrs).any(|a| a.family == family && a.addr == addr)
        };
        let lost: Vec<IfAddr> = gone.iter().copied().filter(|a| !have(a.addr)).collect();
        for address in &lost {
            self.net.fib.routes.retain(|r| {
                let own = r.kind == RouteKind::Local
                    && r.dst.addr == address.addr
                    && r.dst.prefix_len(family) == Some(family.bits())
                    && r.protocol == 2;
                r.family != family || (r.src != Some(address.addr) && !own)
            });
        }
        // The connected IPv6 network goes with its last address.
        for address in gone.iter().filter(|_| family == Family::V6) {
            let mask = Addr::prefix_mask(family, address.len);
            let network = address.addr.and(mask);
            let others = self.net.devices.iter().any(|d| {
                d.addrs
                    .iter()
                    .any(|a| a.family == family && a.len == address.len && a.addr.and(mask) == network)
            });
            if !others {
                self.net.fib.routes.retain(|r| {
                    let connected = r.family == family
                        && r.protocol == 2
                        && r.kind == RouteKind::Unicast
                        && r.dst.addr == network
                        && r.dst.mask == mask;
                    !connected
                });
            }
        }
    }

    /// `ip link set up|down`. Down: the device's routes go but for those to its own IPv4 addresses, its IPv6 addresses
    /// go, and so do the MASQUERADE entries that leave by it. Up: the routes of its addresses are made again.
    pub fn set_up<O: Observer>(&mut self, dev: DevId, up: bool, observer: &mut O) {
        let Some(device) = self.net.device_mut(dev) else { return };
        if device.up == up {
            return;
        }
        device.up = up;
        if up {
            let addrs = device.addrs.clone();
            for a in addrs {
                self.add_addr_routes(dev, a.family, a.addr, a.len, a.secondary);
            }
            return;
        }
        device.addrs.retain(|a| a.family == Family::V4);
        self.net.fib.routes.retain(|r| {
            let own = r.family == Family::V4 && r.kind == RouteKind::Local;
            r.dev != Some(dev) || own
        });
        self.drop_masquerade(dev, None, observer);
    }

    /// `addrconf_disable_change`: IPv6 is switched off on a device: its addresses and routes go.
    pub fn disable_ipv6<O: Observer>(&mut self, dev: DevId, observer: &mut O) {
        let Some(device) = self.net.device_mut(dev) else { return };
        device.addrs.retain(|a| a.family == Family::V4);
        self.net.fib.routes.retain(|r| r.family == Family::V4 || r.dev != Some(dev));
        self.drop_masquerade6(dev, observer);
    }

    fn drop_masquerade6<O: Observer>(&mut self, dev: DevId, observer: &mut O) {
        let ours = |c: &Conn| c.masq_dev == Some(dev) && c.tuple(Direction::Original).family == Family::V6;
        self.drop_entries(ours, observer);
    }

    /// `masq_device_event`, `masq_inet_event`: entries that MASQUERADE bound to the device, or to its address.
    fn drop_masquerade<O: Observer>(&mut self, dev: DevId, addr: Option<(Family, Addr)>, observer: &mut O) {
        let ours = |c: &Conn| {
            let reply = c.tuple(Direction::Reply);
            c.masq_dev == Some(dev) && addr.is_none_or(|a| (reply.family, reply.dst) == a)
        };
        self.drop_entries(ours, observer);
    }

    fn drop_entries<O: Observer>(&mut self, which: impl Fn(&Conn) -> bool, observer: &mut O) {
        let ids: Vec<EntryId> =
            self.net.ct.iter().filter(|(_, e)| which(&e.conn)).map(|(id, _)| id).collect();
        let mut emit = Emit { observer, host: self.id, packet: PacketId::default() };
        for id in ids {
            kill(&mut self.net, id, Gone::MasqueradeDevice, None, &mut emit);
        }
    }
}
