//! Routing: policy rules, tables, and the decisions on input and output.

use crate::addr::{Addr, AddrMask, Family};
use crate::device::DevId;
use crate::event::KernelDrop;
use crate::host::Net;
use crate::packet::{Packet, Skb};
use std::sync::Arc;

/// `RTN_*` (include/uapi/linux/rtnetlink.h).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum RouteKind {
    Unicast,
    Local,
    Broadcast,
    Anycast,
    Multicast,
    Blackhole,
    Unreachable,
    Prohibit,
    Throw,
}

/// Routing table numbers that have names.
pub mod table {
    #![allow(missing_docs)]
    pub const DEFAULT: u32 = 253;
    pub const MAIN: u32 = 254;
    pub const LOCAL: u32 = 255;
}

/// A route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// IPv4 or IPv6.
    pub family: Family,
    /// Table number.
    pub table: u32,
    /// What it does.
    pub kind: RouteKind,
    /// Destination.
    pub dst: AddrMask,
    /// Output device.
    pub dev: Option<DevId>,
    /// Gateway.
    pub via: Option<Addr>,
    /// Preferred source (`src`).
    pub src: Option<Addr>,
    /// Metric (priority); lower wins.
    pub metric: u32,
    /// TOS that the packet must have; 0: any.
    pub tos: u8,
    /// `proto` as in rtnetlink: 2 kernel, 3 boot, 4 static.
    pub protocol: u8,
    /// Scope: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// `onlink`.
    pub onlink: bool,
    /// Route MTU, if set.
    pub mtu: Option<u32>,
}

/// Protocol, and the first and last source and destination port, of a policy rule.
pub type RulePorts = (u8, (u16, u16), (u16, u16));

/// A policy rule, `ip rule`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyRule {
    /// IPv4 or IPv6.
    pub family: Family,
    /// Preference; lower first.
    pub pref: u32,
    /// Inverted as a whole (`not`).
    pub not: bool,
    /// `from`.
    pub src: AddrMask,
    /// `to`.
    pub dst: AddrMask,
    /// `iif`.
    pub iif: Option<String>,
    /// `oif`.
    pub oif: Option<String>,
    /// `fwmark MARK/MASK`.
    pub fwmark: Option<(u32, u32)>,
    /// `tos`.
    pub tos: u8,
    /// What it does.
    pub action: RuleAction,
    /// `suppress_prefixlength N`: routes of this prefix length or shorter do not count.
    pub suppress_prefixlength: Option<u8>,
    /// `ipproto`, `sport`, `dport`.
    pub ports: Option<RulePorts>,
}

/// What a policy rule does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum RuleAction {
    Table(u32),
    Goto(u32),
    Blackhole,
    Unreachable,
    Prohibit,
    Nop,
}

/// Routes and policy rules of a host.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Fib {
    /// All routes of all tables.
    pub routes: Vec<Route>,
    /// Policy rules, sorted by preference.
    pub rules: Vec<PolicyRule>,
    /// Tables that had a route once: they stay when their last route goes (`fib_new_table`).
    pub tables: Vec<(Family, u32)>,
}

/// The route attached to a packet, `struct rtable` / `struct rt6_info`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dst {
    /// What becomes of the packet.
    pub to: DstKind,
    /// Output device; for local delivery, the device that it came in by or `lo`.
    pub dev: DevId,
    /// Gateway; `None`: the destination is on link.
    pub via: Option<Addr>,
    /// Preferred source address of the route, for packets that have none yet.
    pub src: Option<Addr>,
    /// Path MTU in bytes.
    pub mtu: u32,
}

/// `dst->input`, `dst->output` and the route type, as one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DstKind {
    /// To this host; the flag says that it is a broadcast or multicast (`RTCF_BROADCAST`, `RTCF_MULTICAST`).
    Local,
    /// To this host, as a broadcast.
    Broadcast,
    /// To this host, as a multicast that it has joined.
    Multicast,
    /// Out by a device: `ip_forward` or `ip_output`.
    Unicast,
    /// No way: `ip_error` with this reason.
    Error(RouteError),
}

/// Why there is no way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RouteError {
    /// ENETUNREACH: no route.
    NetUnreachable,
    /// EHOSTUNREACH: an `unreachable` route, or forwarding is off.
    HostUnreachable,
    /// EACCES: a `prohibit` route.
    Prohibited,
    /// EINVAL: a `blackhole` route, or a source that may not leave by the device.
    Blackhole,
}

/// What is looked up, `struct flowi4` / `struct flowi6`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
    /// Family.
    pub family: Family,
    /// Destination.
    pub dst: Addr,
    /// Source; unspecified if not chosen yet.
    pub src: Addr,
    /// `skb->mark`.
    pub mark: u32,
    /// Type of service.
    pub tos: u8,
    /// Input device; `None` for a packet that begins here (`iif lo`).
    pub iif: Option<DevId>,
    /// Output device that is asked for (`SO_BINDTODEVICE`, `oif`).
    pub oif: Option<DevId>,
    /// Protocol and ports, where rules ask for them.
    pub ports: (u8, u16, u16),
}

impl Flow {
    /// To this destination, nothing else said.
    pub fn to(family: Family, dst: Addr) -> Flow {
        Flow { family, dst, src: Addr::UNSPECIFIED, mark: 0, tos: 0, iif: None, oif: None, ports: (0, 0, 0) }
    }
    /// As `ip_route_input` builds it from a packet.
    pub fn of(packet: &Packet, mark: u32, iif: Option<DevId>) -> Flow {
        let (sport, dport) = packet.ports().unwrap_or((0, 0));
        Flow {
            family: packet.family,
            dst: packet.dst,
            src: packet.src,
            mark,
            tos: packet.tos & 0x1c,
            iif,
            oif: None,
            ports: (packet.proto, sport, dport),
        }
    }
}

impl Fib {
    /// `fib_table_lookup`: longest prefix, then lowest metric; a route with a TOS wants that TOS.
    pub fn table_lookup(&self, table: u32, flow: &Flow, up: impl Fn(DevId) -> bool) -> Option<&Route> {
        let mut best: Option<&Route> = None;
        let mut best_len = 0;
        for route in &self.routes {
            if route.table != table || route.family != flow.family || !route.dst.contains(flow.dst) {
                continue;
            }
            if route.tos != 0 && route.tos != flow.tos {
                continue;
            }
            if let (Some(want), Some(dev)) = (flow.oif, route.dev)
                && want != dev
            {
                continue;
            }
            // A route through a device that is down does not count (RTNH_F_DEAD).
            if route.dev.is_some_and(|d| !up(d)) {
                continue;
            }
            let len = route.dst.prefix_len(flow.family).unwrap_or(0);
            let better = match best {
                None => true,
                Some(b) => {
                    (len, route.tos != 0, core::cmp::Reverse(route.metric))
                        > (best_len, b.tos != 0, core::cmp::Reverse(b.metric))
                }
            };
            if better {
                best = Some(route);
                best_len = len;
            }
        }
        best
    }

    /// `fib_rules_lookup`: the first policy rule whose table has a route for the flow.
    pub fn lookup(
        &self,
        flow: &Flow,
        name: impl Fn(DevId) -> Option<Arc<str>>,
        up: impl Fn(DevId) -> bool + Copy,
    ) -> Result<&Route, RouteError> {
        let mut goto = 0;
        for rule in &self.rules {
            if rule.family != flow.family || rule.pref < goto || !rule.matches(flow, &name) {
                continue;
            }
            match rule.action {
                RuleAction::Table(table) => {
                    let Some(route) = self.table_lookup(table, flow, up) else { continue };
                    if let Some(suppress) = rule.suppress_prefixlength
                        && route.dst.prefix_len(flow.family).unwrap_or(0) <= suppress
                    {
                        continue;
                    }
                    match route.kind {
                        RouteKind::Throw => continue,
                        RouteKind::Blackhole => return Err(RouteError::Blackhole),
                        RouteKind::Unreachable => return Err(RouteError::HostUnreachable),
                        RouteKind::Prohibit => return Err(RouteError::Prohibited),
                        _ => return Ok(route),
                    }
                }
                RuleAction::Goto(pref) => goto = pref,
                RuleAction::Nop => {}
                RuleAction::Blackhole => return Err(RouteError::Blackhole),
                // Of a rule it is the network that cannot be reached (`fib4_rule_action`), of a route the host.
                RuleAction::Unreachable => return Err(RouteError::NetUnreachable),
                RuleAction::Prohibit => return Err(RouteError::Prohibited),
            }
        }
        Err(RouteError::NetUnreachable)
    }
}

impl PolicyRule {
    /// `fib_rule_match`.
    fn matches(&self, flow: &Flow, name: impl Fn(DevId) -> Option<Arc<str>>) -> bool {
        // A packet that begins here has the input device lo.
        let iif = flow.iif.unwrap_or(DevId::LO);
        let named = |want: &Option<String>, dev: Option<DevId>| match want {
            None => true,
            Some(want) => dev.and_then(&name).is_some_and(|n| *n == **want),
        };
        let ports = match self.ports {
            None => true,
            Some((proto, s, d)) => {
                (proto == 0 || proto == flow.ports.0)
                    && (s == (0, 0) || (s.0..=s.1).contains(&flow.ports.1))
                    && (d == (0, 0) || (d.0..=d.1).contains(&flow.ports.2))
            }
        };
        let plain = self.src.contains(flow.src)
            && self.dst.contains(flow.dst)
            && named(&self.iif, Some(iif))
            && named(&self.oif, flow.oif)
            && self.fwmark.is_none_or(|(mark, mask)| flow.mark & mask == mark)
            && (self.tos == 0 || self.tos == flow.tos)
            && ports;
        plain != self.not
    }
}

impl Net {
    /// The route for a flow, by rules and tables.
    pub fn fib_lookup(&self, flow: &Flow) -> Result<&Route, RouteError> {
        self.fib.lookup(
            flow,
            |d| self.device(d).map(|d| d.name.clone()),
            |d| self.device(d).is_some_and(|d| d.up),
        )
    }

    /// What kind of address it is, asking the local table alone (`inet_addr_type`, `ipv6_addr_type`): `LOCAL` on
    /// whichever device it is, or on `dev` alone.
    pub fn addr_type(&self, family: Family, addr: Addr, dev: Option<DevId>) -> RouteKind {
        if family == Family::V4 {
            // ipv4_is_zeronet is 0.0.0.0 alone; the rest of 0/8 is like any other address.
            if addr.is_unspecified() || addr.as_v4() == u32::MAX {
                return RouteKind::Broadcast;
            }
            if addr.is_multicast(family) {
                return RouteKind::Multicast;
            }
        } else if addr.is_multicast(family) {
            return RouteKind::Multicast;
        }
        let flow = Flow::to(family, addr);
        match self.fib.table_lookup(table::LOCAL, &flow, |_| true) {
            Some(r) if dev.is_none() || r.dev == dev || self.addr_on(family, addr, dev) => r.kind,
            _ => RouteKind::Unicast,
        }
    }

    fn addr_on(&self, family: Family, addr: Addr, dev: Option<DevId>) -> bool {
        dev.and_then(|d| self.device(d))
            .is_some_and(|d| d.addrs.iter().any(|a| a.family == family && a.addr == addr))
    }

    /// `ip_route_input_slow` / `ip6_route_input`: what becomes of a received packet. `Err` is a silent drop.
    pub fn route_input(&self, packet: &Packet, mark: u32, iif: DevId) -> Result<Dst, KernelDrop> {
        match packet.family {
            Family::V4 => self.route_input4(packet, mark, iif),
            Family::V6 => self.route_input6(packet, mark, iif),
        }
    }

    fn route_input4(&self, packet: &Packet, mark: u32, iif: DevId) -> Result<Dst, KernelDrop> {
        let (src, dst) = (packet.src.as_v4(), packet.dst.as_v4());
        let conf = self.sysctl.dev(iif);
        let all = self.sysctl.all();
        let localnet = conf.route_localnet || all.route_localnet;
        let here = |to| Dst { to, dev: iif, via: None, src: None, mtu: self.mtu(iif) };
        if packet.dst.is_multicast(Family::V4) {
            if packet.src.is_multicast(Family::V4) || src == u32::MAX || src >> 24 == 127 && !localnet {
                return Err(KernelDrop::MartianSource);
            }
            return if self.joined(Family::V4, iif, packet.dst) {
                Ok(here(DstKind::Multicast))
            } else {
                Err(KernelDrop::Multicast)
            };
        }
        if packet.src.is_multicast(Family::V4) || src == u32::MAX {
            return Err(KernelDrop::MartianSource);
        }
        if dst == u32::MAX || (src == 0 && dst == 0) {
            return Ok(here(DstKind::Broadcast));
        }
        if src == 0 {
            return Err(KernelDrop::MartianSource);
        }
        if dst == 0 {
            return Err(KernelDrop::MartianDestination);
        }
        if dst >> 24 == 127 && !localnet {
            return Err(KernelDrop::MartianDestination);
        }
        if src >> 24 == 127 && !localnet {
            return Err(KernelDrop::MartianSource);
        }
        let flow = Flow::of(packet, mark, Some(iif));
        let route = match self.fib_lookup(&flow) {
            Ok(route) => route,
            Err(RouteError::Blackhole) => return Err(KernelDrop::BadRoute),
            Err(error) => {
                if !conf.forwarding {
                    return Err(KernelDrop::ForwardingOff);
                }
                return Ok(here(DstKind::Error(error)));
            }
        };
        match route.kind {
            // IN_DEV_BFORWARD: the broadcasts of other networks are handed on.
            RouteKind::Broadcast if conf.bc_forwarding && all.bc_forwarding && conf.forwarding => {
                self.check_source(packet, mark, iif)?;
                let dev = route.dev.ok_or(KernelDrop::BadRoute)?;
                Ok(Dst { to: DstKind::Unicast, dev, via: None, src: route.src, mtu: self.mtu(dev) })
            }
            RouteKind::Local | RouteKind::Broadcast => {
                self.check_source(packet, mark, iif)?;
                // A broadcast address is delivered as such; so is a unicast frame to it.
                let to = if route.kind == RouteKind::Local { DstKind::Local } else { DstKind::Broadcast };
                if to == DstKind::Broadcast && packet.dst.as_v4() == 0 {
                    return Err(KernelDrop::MartianDestination);
                }
                Ok(here(to))
            }
            RouteKind::Unicast => {
                if !conf.forwarding {
                    return Err(KernelDrop::ForwardingOff);
                }
                self.check_source(packet, mark, iif)?;
                let dev = route.dev.ok_or(KernelDrop::BadRoute)?;
                let mut mtu = route.mtu.unwrap_or(self.mtu(dev));
                // ip_dst_mtu_maybe_forward: what this host learnt for itself does not concern others.
                if let Some(known) = self.path_mtu(Family::V4, packet.dst).filter(|p| p.locked) {
                    mtu = known.mtu.min(mtu);
                }
                Ok(Dst { to: DstKind::Unicast, dev, via: route.via, src: route.src, mtu })
            }
            _ => Err(KernelDrop::MartianDestination),
        }
    }

    /// `fib_validate_source`: the source must not be ours, and with rp_filter the way back must be this device.
    fn check_source(&self, packet: &Packet, mark: u32, iif: DevId) -> Result<(), KernelDrop> {
        let conf = self.sysctl.dev(iif);
        let all = self.sysctl.all();
        let accept_local = conf.accept_local || all.accept_local;
        let rp_filter = conf.rp_filter.max(all.rp_filter);
        if iif == DevId::LO {
            return Ok(());
        }
        if rp_filter == 0
            && self.fib.rules.iter().filter(|r| r.family == Family::V4).count() <= 3
            && !accept_local
        {
            // The fast path asks only whether the source is one of ours.
            return match self.addr_type(Family::V4, packet.src, None) {
                RouteKind::Local if !packet.src.is_loopback(Family::V4) => Err(KernelDrop::OwnSource),
                _ => Ok(()),
            };
        }
        let mut flow = Flow::of(packet, 0, Some(iif));
        (flow.dst, flow.src) = (packet.src, packet.dst);
        if conf.src_valid_mark || all.src_valid_mark {
            flow.mark = mark;
        }
        match self.fib_lookup(&flow) {
            Err(_) if rp_filter != 0 => Err(KernelDrop::ReversePath),
            Err(_) => Ok(()),
            Ok(route) => match route.kind {
                RouteKind::Local if !accept_local => Err(KernelDrop::OwnSource),
                RouteKind::Unicast | RouteKind::Local => {
                    if rp_filter == 1 && route.dev != Some(iif) && route.kind == RouteKind::Unicast {
                        Err(KernelDrop::ReversePath)
                    } else {
                        Ok(())
                    }
                }
                _ => Err(KernelDrop::MartianSource),
            },
        }
    }

    fn route_input6(&self, packet: &Packet, mark: u32, iif: DevId) -> Result<Dst, KernelDrop> {
        let here = |to| Dst { to, dev: iif, via: None, src: None, mtu: self.mtu(iif) };
        if packet.src.is_multicast(Family::V6) || iif != DevId::LO && packet.src.is_loopback(Family::V6) {
            return Err(KernelDrop::MartianSource);
        }
        // Only lo leads to ::1: a packet from elsewhere that a rule sent there finds no route.
        if iif != DevId::LO && packet.dst.is_loopback(Family::V6) {
            return Ok(here(DstKind::Error(RouteError::NetUnreachable)));
        }
        if packet.dst.is_multicast(Family::V6) {
            return if self.joined6(packet.dst, iif) {
                Ok(here(DstKind::Multicast))
            } else {
                Err(KernelDrop::Multicast)
            };
        }
        let flow = Flow::of(packet, mark, Some(iif));
        match self.fib_lookup(&flow) {
            Ok(route) => match (route.kind, route.dev) {
                (RouteKind::Local | RouteKind::Anycast, _) => Ok(here(DstKind::Local)),
                (_, Some(dev)) => {
                    let mtu = route.mtu.unwrap_or(self.mtu(dev));
                    // Unlike IPv4, what the host has learnt holds for what it forwards, too.
                    let mtu = self.path_mtu(Family::V6, packet.dst).map_or(mtu, |p| p.mtu.min(mtu));
                    Ok(Dst { to: DstKind::Unicast, dev, via: route.via, src: route.src, mtu })
                }
                _ => Err(KernelDrop::BadRoute),
            },
            Err(RouteError::Blackhole) => Err(KernelDrop::BadRoute),
            Err(error) => Ok(here(DstKind::Error(error))),
        }
    }

    /// `ipv6_chk_mcast_addr`: is it a group that the kernel joined on the device by itself? All nodes, the nodes solicited
    /// for each address, and all routers and the anycast addresses' nodes while forwarding (`addrconf_join_solict`,
    /// `dev_forward_change`).
    pub(crate) fn joined6(&self, group: Addr, dev: DevId) -> bool {
        let forwards = self.sysctl.dev(dev).forwarding6;
        let [first, second, third, last] = group.0;
        match (first, second, third) {
            (0xff02_0000, 0, 0) => last == 1 || last == 2 && forwards,
            (0xff05_0000, 0, 0) => last == 2 && forwards,
            (0xff02_0000, 0, 1) if last >> 24 == 0xff => {
                self.device(dev).into_iter().flat_map(|d| &d.addrs).any(|a| {
                    let network = a.addr.and(Addr::prefix_mask(a.family, a.len));
                    let solicits = |addr: Addr| addr.0[3] & 0xff_ffff == last & 0xff_ffff;
                    a.family == Family::V6 && (solicits(a.addr) || forwards && solicits(network))
                })
            }
            _ => false,
        }
    }

    /// `ip_route_output_key` / `ip6_route_output`: the way out, and with it the source address where none is given.
    pub fn route_output(&self, flow: &Flow) -> Result<Dst, RouteError> {
        let family = flow.family;
        let everyone = family == Family::V4 && flow.dst.as_v4() == u32::MAX;
        let group = family == Family::V4 && flow.dst.is_multicast(family);
        if everyone || group {
            // Out by the device that is asked for, or the one of the source; else a route must lead somewhere.
            let of_source = || {
                let has = |d: &&crate::device::Device| {
                    d.addrs.iter().any(|a| a.family == family && a.addr == flow.src)
                };
                self.devices.iter().find(has).map(|d| d.id)
            };
            if let Some(dev) = flow.oif.or_else(of_source) {
                let to = if everyone { DstKind::Broadcast } else { DstKind::Multicast };
                let src = self.select_addr(family, dev, flow.dst, 253);
                return Ok(Dst { to, dev, via: None, src, mtu: self.mtu(dev) });
            }
        }
        let mut key = *flow;
        key.iif = None;
        if key.dst.is_unspecified() {
            key.dst = if family == Family::V4 { Addr::LOOPBACK_V4 } else { Addr::LOOPBACK_V6 };
        }
        let route = self.fib_lookup(&key)?;
        match route.kind {
            RouteKind::Local | RouteKind::Anycast => Ok(Dst {
                to: DstKind::Local,
                dev: DevId::LO,
                via: None,
                src: route.src.or(Some(key.dst)),
                mtu: self.mtu(DevId::LO),
            }),
            kind => {
                let dev = route.dev.ok_or(RouteError::NetUnreachable)?;
                // __mkroute_output: 127/8 does not leave the machine.
                if family == Family::V4 && key.src.is_loopback(family) && dev != DevId::LO {
                    let localnet = self.sysctl.dev(dev).route_localnet || self.sysctl.all().route_localnet;
                    if !localnet {
                        return Err(RouteError::Blackhole);
                    }
                }
                let to = match kind {
                    RouteKind::Broadcast => DstKind::Broadcast,
                    _ if everyone => DstKind::Broadcast,
                    _ if key.dst.is_multicast(family) => DstKind::Multicast,
                    _ => DstKind::Unicast,
                };
                // IPv6 chooses by the destination (`ipv6_dev_get_saddr`), IPv4 by the next hop.
                let next_hop = route.via.filter(|_| family == Family::V4).unwrap_or(key.dst);
                let src = route.src.or_else(|| self.select_addr(family, dev, next_hop, route.scope));
                // To a group it goes directly, whatever gateway a default route names.
                let via = route.via.filter(|_| to == DstKind::Unicast);
                let mtu = route.mtu.unwrap_or(self.mtu(dev));
                let mtu = self.path_mtu(family, key.dst).map_or(mtu, |p| p.mtu.min(mtu));
                Ok(Dst { to, dev, via, src, mtu })
            }
        }
    }

    /// `inet_select_addr` / `ipv6_dev_get_saddr`: a source address on the device for this next hop: the first whose
    /// subnet holds it, else the first, else one of another device.
    pub fn select_addr(&self, family: Family, dev: DevId, next_hop: Addr, _scope: u8) -> Option<Addr> {
        let of = |d: &crate::device::Device, any: bool| {
            let mut first = None;
            for a in d.addrs.iter().filter(|a| a.family == family && !a.secondary) {
                if family == Family::V4 && a.scope > 253 {
                    continue;
                }
                if family == Family::V6 && a.scope != 0 && !next_hop_is_link_local(next_hop) {
                    continue;
                }
                if AddrMask::prefix(family, a.addr, a.len).contains(next_hop) && !any {
                    return Some(a.addr);
                }
                first = first.or(Some(a.addr));
            }
            first
        };
        let own = self.device(dev).filter(|d| d.up || family == Family::V4).and_then(|d| of(d, false));
        own.or_else(|| self.devices.iter().filter(|d| d.up).find_map(|d| of(d, true)))
    }

    /// The device's MTU in bytes.
    pub fn mtu(&self, dev: DevId) -> u32 {
        self.device(dev).map_or(1500, |d| d.mtu)
    }

    /// `ip_route_me_harder` / `ip6_route_me_harder`: a new route for a packet that changed in OUTPUT, or for one that
    /// the kernel made. The source is not chosen again.
    pub fn route_me_harder(&self, skb: &Skb) -> Result<Dst, RouteError> {
        let mut flow = Flow::of(&skb.packet, skb.mark, None);
        let own = self.addr_type(flow.family, flow.src, None);
        if !matches!(own, RouteKind::Local | RouteKind::Unicast) {
            flow.src = Addr::UNSPECIFIED;
        }
        self.route_output(&flow)
    }
}

fn next_hop_is_link_local(addr: Addr) -> bool {
    addr.0[0] >> 22 == 0xfe80_0000 >> 22
}
