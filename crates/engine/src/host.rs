//! A host: one network namespace, everything that its packets can meet.

use crate::addr::{Addr, AddrMask, Family};
use crate::conntrack::Conntrack;
use crate::defrag::FragQueue;
use crate::device::{DevId, Device, IfAddr};
use crate::event::{Emit, Observer};
use crate::flight::{Cpu, PacketIds};
use crate::hook::{HOOK_LIST, Hook, HookEntry, HookFn};
use crate::icmp_send::Peers;
use crate::index::Cache;
use crate::klog::Klog;
use crate::matches::{HashlimitTables, Match, RecentLists};
use crate::pmtu::PathMtus;
use crate::rng::Rng;
use crate::route::{Fib, PolicyRule, Route, RouteKind, RuleAction, table};
use crate::ruleset::{Ruleset, TableKind};
use crate::set::SetTable;
use crate::socket::Sockets;
use crate::sysctl::{DevConf, Sysctl};
use crate::time::Time;

/// A host's number in its world, in order of declaration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct HostId(pub u16);

/// `struct net` with its rules.
///
/// The rules stand apart from the rest so that a rule with state of its own can be evaluated against the rest.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its number.
    pub id: HostId,
    /// Tables, chains, rules.
    pub rules: Ruleset,
    /// Everything else.
    pub net: Net,
    /// What is awake at each hook, kept by [`Host::refresh`]: by family, then by hook.
    hooks: [[Vec<HookEntry>; 5]; 2],
}

/// What a packet meets besides the rules.
#[derive(Clone, Debug)]
pub struct Net {
    /// Simulated time.
    pub now: Time,
    /// Devices by index; index 0 of the vector is `lo` ([`DevId::LO`]).
    pub devices: Vec<Device>,
    /// Routes.
    pub fib: Fib,
    /// Switches and timeouts.
    pub sysctl: Sysctl,
    /// Local sockets.
    pub sockets: Sockets,
    /// Randomness.
    pub rng: Rng,
    /// Connections.
    pub ct: Conntrack,
    /// ipset.
    pub sets: SetTable,
    /// Lists of `-m recent`.
    pub recent: RecentLists,
    /// Buckets of `-m hashlimit`.
    pub hashlimit: HashlimitTables,
    /// How many rules have `-m connbytes`.
    connbytes_rules: usize,
    /// The wall clock at time 0 in seconds since 1970 (UTC), for `-m time`; `None`: nobody said what time it is.
    pub wall_clock: Option<i64>,
    /// Rate limits of ICMP errors, by peer.
    pub peers: Peers,
    /// What is known about the ways to destinations.
    pub path_mtus: PathMtus,
    /// What LOG and TRACE wrote down.
    pub klog: Klog,
    /// Fragments that wait for the rest.
    pub frags: Vec<FragQueue>,
    /// Is conntrack awake, by family (IPv4, IPv6)? Kept by [`Host::refresh`].
    pub ct_awake: [bool; 2],
}

impl Net {
    /// The device of this index.
    pub fn device(&self, id: DevId) -> Option<&Device> {
        self.devices.get(usize::from(id.0).checked_sub(1)?)
    }
    /// The device of this index.
    pub fn device_mut(&mut self, id: DevId) -> Option<&mut Device> {
        self.devices.get_mut(usize::from(id.0).checked_sub(1)?)
    }
    /// The device of this name.
    pub fn device_by_name(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|d| *d.name == *name)
    }
}

/// Where in a device's list a new address goes: IPv4 primaries after the primaries of wider or the same scope, and
/// secondaries last (`__inet_insert_ifa`); IPv6 before those of the same scope (`ipv6_link_dev_addr`).
fn place_of(addrs: &[IfAddr], family: Family, secondary: bool, scope: u8) -> usize {
    let of_family = |a: &IfAddr| a.family == family;
    match (family, secondary) {
        (Family::V4, true) => addrs.iter().rposition(of_family).map_or(0, |i| i + 1),
        (Family::V4, false) => {
            addrs.iter().rposition(|a| of_family(a) && !a.secondary && scope <= a.scope).map_or(0, |i| i + 1)
        }
        (Family::V6, _) => addrs.iter().position(|a| of_family(a) && a.scope >= scope).unwrap_or(addrs.len()),
    }
}

const fn index(family: Family) -> usize {
    match family {
        Family::V4 => 0,
        Family::V6 => 1,
    }
}

impl Host {
    /// A fresh network namespace with `lo` up.
    pub fn new(id: HostId, seed: u64) -> Host {
        let rule = |family, pref, table| PolicyRule {
            family,
            pref,
            not: false,
            src: AddrMask::ANY,
            dst: AddrMask::ANY,
            iif: None,
            oif: None,
            fwmark: None,
            tos: 0,
            action: RuleAction::Table(table),
            suppress_prefixlength: None,
            ports: None,
        };
        let rules = vec![
            rule(Family::V4, 0, table::LOCAL),
            rule(Family::V4, 32766, table::MAIN),
            rule(Family::V4, 32767, table::DEFAULT),
            rule(Family::V6, 0, table::LOCAL),
            rule(Family::V6, 32766, table::MAIN),
        ];
        let mut host = Host {
            id,
            rules: Ruleset::default(),
            net: Net {
                now: Time::default(),
                devices: Vec::new(),
                fib: Fib { routes: Vec::new(), rules, ..Fib::default() },
                sysctl: Sysctl::default(),
                sockets: Sockets::default(),
                rng: Rng::new(seed),
                ct: Conntrack::default(),
                sets: SetTable::default(),
                recent: RecentLists::default(),
                hashlimit: HashlimitTables::default(),
                wall_clock: None,
                connbytes_rules: 0,
                peers: Peers::default(),
                path_mtus: PathMtus::default(),
                klog: Klog::default(),
                frags: Vec::new(),
                ct_awake: [false; 2],
            },
            hooks: Default::default(),
        };
        let lo = host.add_device("lo", [0; 6]);
        host.net.devices[0].mtu = 65536;
        host.add_addr(lo, Family::V4, Addr::LOOPBACK_V4, 8);
        host.add_addr(lo, Family::V6, Addr::LOOPBACK_V6, 128);
        host.refresh();
        host
    }

    /// A new device, up, with the settings of `conf.default`.
    pub fn add_device(&mut self, name: &str, mac: [u8; 6]) -> DevId {
        let id = DevId(self.net.devices.len() as u16 + 1);
        self.net.devices.push(Device { name: name.into(), id, mac, mtu: 1500, up: true, addrs: Vec::new() });
        let conf = self.net.sysctl.conf_default;
        self.net.sysctl.conf.resize(usize::from(id.0) + 1, DevConf::default());
        self.net.sysctl.conf[usize::from(id.0)] = conf;
        id
    }

    /// Adds an address with the routes that the kernel makes for it (`fib_add_ifaddr`, `addrconf_prefix_route`):
    /// local, broadcast, and the connected network.
    pub fn add_addr(&mut self, dev: DevId, family: Family, addr: Addr, len: u8) {
        let Some(device) = self.net.device_mut(dev) else { return };
        if device.addrs.iter().any(|a| a.family == family && a.addr == addr && a.len == len) {
            return;
        }
        let network = AddrMask::prefix(family, addr, len);
        let secondary = family == Family::V4
            && device.addrs.iter().any(|a| a.family == family && a.len == len && network.contains(a.addr));
        let scope = match family {
            Family::V4 if addr.is_loopback(family) => 254,
            Family::V6 if addr.is_loopback(family) => 254,
            Family::V6 if addr.0[0] >> 22 == 0xfe80_0000 >> 22 => 253,
            _ => 0,
        };
        let at = place_of(&device.addrs, family, secondary, scope);
        device.addrs.insert(at, IfAddr { family, addr, len, broadcast: None, secondary, scope });
        self.add_addr_routes(dev, family, addr, len, secondary);
    }

    /// The routes of an address; on a device that is down, only the one to the address itself.
    pub(crate) fn add_addr_routes(
        &mut self,
        dev: DevId,
        family: Family,
        addr: Addr,
        len: u8,
        secondary: bool,
    ) {
        let up = self.net.device(dev).is_some_and(|d| d.up);
        let broadcast = match family {
            Family::V4 if len < 31 && dev != DevId::LO => {
                Some(addr.or(Addr::prefix_mask(family, len).not(family)))
            }
            _ => None,
        };
        let network = AddrMask::prefix(family, addr, len);
        let primary = match secondary {
            true => self
                .net
                .device(dev)
                .and_then(|d| {
                    d.addrs.iter().find(|a| {
                        a.family == family && !a.secondary && a.len == len && network.contains(a.addr)
                    })
                })
                .map_or(addr, |a| a.addr),
            false => addr,
        };
        let base = Route {
            family,
            table: table::LOCAL,
            kind: RouteKind::Local,
            dst: AddrMask::host(family, addr),
            dev: Some(dev),
            via: None,
            src: Some(primary),
            metric: 0,
            tos: 0,
            protocol: 2,
            scope: 254,
            onlink: false,
            mtu: None,
        };
        let mut add = |route: Route| {
            if !self.net.fib.routes.contains(&route) {
                self.net.fib.routes.push(route);
            }
        };
        match family {
            Family::V4 => {
                add(base.clone());
                if len < 32 && !secondary && up {
                    if dev == DevId::LO {
                        add(Route { dst: network, ..base.clone() });
                    } else {
                        let main = Route {
                            table: table::MAIN,
                            kind: RouteKind::Unicast,
                            dst: network,
                            scope: 253,
                            ..base.clone()
                        };
                        add(main);
                    }
                    if let Some(broadcast) = broadcast {
                        add(Route {
                            kind: RouteKind::Broadcast,
                            dst: AddrMask::host(family, broadcast),
                            scope: 253,
                            ..base.clone()
                        });
                    } else if len < 31 {
                        let last = addr.or(Addr::prefix_mask(family, len).not(family));
                        add(Route {
                            kind: RouteKind::Broadcast,
                            dst: AddrMask::host(family, last),
                            scope: 253,
                            ..base.clone()
                        });
                    }
                }
            }
            Family::V6 => {
                add(Route { src: None, scope: 0, ..base.clone() });
                if addr.is_loopback(family) {
                    return;
                }
                let main = Route {
                    table: table::MAIN,
                    kind: RouteKind::Unicast,
                    dst: network,
                    src: None,
                    scope: 0,
                    metric: 256,
                    ..base
                };
                add(main);
            }
        }
    }

    /// Brings what is derived from the rules up to date: which hook functions are awake. Whoever changes rules or
    /// devices calls it afterwards.
    pub fn refresh(&mut self) {
        for chain in self.rules.tables.iter_mut().flat_map(|t| t.chains.iter_mut().flatten()) {
            chain.index = Cache::default();
        }
        self.anycast_routes();
        self.group_routes();
        self.net.recent.sync(&self.rules);
        self.net.hashlimit.sync(&self.rules, self.net.now);
        // connbytes_mt_check: loading such a rule switches accounting on; it may be switched off again afterwards.
        let counting = self.rules.matches().filter(|m| matches!(m, Match::Connbytes(_))).count();
        if counting > self.net.connbytes_rules {
            self.net.sysctl.ct_acct = true;
        }
        self.net.connbytes_rules = counting;
        let mut was = self.net.ct_awake;
        for family in [Family::V4, Family::V6] {
            let f = index(family);
            let tables = || self.rules.tables.iter().filter(move |t| t.family == family);
            let rules = || tables().flat_map(|t| t.chains.iter().flatten()).flat_map(|c| &c.rules);
            // nf_ct_netns_get: conntrack sleeps until a rule holds it.
            let conntrack = rules().any(|r| r.needs_conntrack());
            let defrag = conntrack || rules().any(|r| r.needs_defrag());
            // nf_nat_register_fn: one nat chain registers all four hooks.
            let nat = tables()
                .any(|t| t.kind == TableKind::Nat && t.chains.iter().flatten().any(|c| c.base.is_some()));
            self.net.ct_awake[f] = conntrack;
            for hook in Hook::ALL {
                let awake = |e: &&HookEntry| {
                    e.hook == hook
                        && match e.func {
                            HookFn::Defrag => defrag,
                            HookFn::Conntrack | HookFn::Confirm => conntrack,
                            HookFn::Nat => nat,
                            HookFn::Table(kind) => tables().any(|t| t.kind == kind && t.base(hook).is_some()),
                        }
                };
                self.hooks[f][hook as usize] = HOOK_LIST.iter().filter(awake).copied().collect();
            }
            if was[f] != conntrack {
                was[f] = conntrack;
                if conntrack {
                    self.conntrack_woke(family);
                }
            }
        }
    }

    /// `addrconf_join_anycast`: a device that forwards IPv6 answers to the network's own address, the subnet-router
    /// anycast address, of each of its networks.
    fn anycast_routes(&mut self) {
        let net = &mut self.net;
        let is_own = |r: &Route| r.kind == RouteKind::Anycast && r.family == Family::V6 && r.protocol == 2;
        let mut wanted: Vec<(DevId, Addr)> = Vec::new();
        for device in net.devices.iter().filter(|d| d.up && d.id != DevId::LO) {
            if !net.sysctl.dev(device.id).forwarding6 {
                continue;
            }
            for a in device.addrs.iter().filter(|a| a.family == Family::V6 && a.len < 127) {
                let network = (device.id, a.addr.and(Addr::prefix_mask(Family::V6, a.len)));
                if !network.1.is_unspecified() && !wanted.contains(&network) {
                    wanted.push(network);
                }
            }
        }
        let there = |r: &Route| r.dev.is_some_and(|dev| wanted.contains(&(dev, r.dst.addr)));
        net.fib.routes.retain(|r| !is_own(r) || there(r));
        for (dev, addr) in wanted {
            let has = |r: &Route| is_own(r) && r.dev == Some(dev) && r.dst.addr == addr;
            if !net.fib.routes.iter().any(has) {
                net.fib.routes.push(Route {
                    family: Family::V6,
                    table: table::LOCAL,
                    kind: RouteKind::Anycast,
                    dst: AddrMask::host(Family::V6, addr),
                    dev: Some(dev),
                    via: None,
                    src: None,
                    metric: 0,
                    tos: 0,
                    protocol: 2,
                    scope: 0,
                    onlink: false,
                    mtu: None,
                });
            }
        }
    }

    /// `addrconf_add_mroute`: each device that is up and speaks IPv6 leads to all groups.
    fn group_routes(&mut self) {
        const ALL_GROUPS: Addr = Addr([0xff00_0000, 0, 0, 0]);
        let net = &mut self.net;
        let is_group = |r: &Route| {
            r.family == Family::V6
                && r.table == table::LOCAL
                && r.kind == RouteKind::Multicast
                && r.protocol == 2
        };
        let speaks = |d: &Device| d.up && d.id != DevId::LO && !net.sysctl.dev(d.id).disable_ipv6;
        let wanted: Vec<DevId> = net.devices.iter().filter(|d| speaks(d)).map(|d| d.id).collect();
        net.fib.routes.retain(|r| !is_group(r) || r.dev.is_some_and(|d| wanted.contains(&d)));
        for dev in wanted {
            if !net.fib.routes.iter().any(|r| is_group(r) && r.dev == Some(dev)) {
                net.fib.routes.push(Route {
                    family: Family::V6,
                    table: table::LOCAL,
                    kind: RouteKind::Multicast,
                    dst: AddrMask::prefix(Family::V6, ALL_GROUPS, 8),
                    dev: Some(dev),
                    via: None,
                    src: None,
                    metric: 256,
                    tos: 0,
                    protocol: 2,
                    scope: 0,
                    onlink: false,
                    mtu: None,
                });
            }
        }
    }

    /// `nf_ct_tcp_fixup`: when the hooks are registered again, established TCP entries learn their windows anew.
    fn conntrack_woke(&mut self, family: Family) {
        crate::conntrack::wake(&mut self.net, family);
    }

    /// What is awake at a hook, in order: the engine walks this very list.
    pub fn hook_list(&self, family: Family, hook: Hook) -> &[HookEntry] {
        &self.hooks[index(family)][hook as usize]
    }

    /// The next moment at which the host does something by itself: a retransmission.
    pub fn next_timer(&self) -> Option<Time> {
        let both = [self.tcp_next_timer(), crate::conntrack::next_timer(&self.net)];
        both.into_iter().flatten().min()
    }

    /// Does what is due at `net.now`; packets that are sent are on the processor's stack afterwards.
    pub fn run_timers<O: Observer>(&mut self, cpu: &mut Cpu, ids: &mut PacketIds, observer: &mut O) {
        let emit = &mut Emit { observer, host: self.id, packet: Default::default() };
        crate::conntrack::run_timers(&mut self.net, emit);
        let flights = self.tcp_timers(ids);
        cpu.stack.extend(flights.into_iter().rev());
    }
}
