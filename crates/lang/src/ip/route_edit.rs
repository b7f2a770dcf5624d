//! `ip route add|append|prepend|change|replace|delete` (net/ipv4/fib_trie.c:fib_table_insert, fib_table_delete;
//! net/ipv6/route.c:ip6_route_add, ip6_route_del).

use super::Options;
use super::args::{
    Args, Run, address, answers, device, fail, is_prefix, kernel, prefix, protocol_number, refuse,
    scope_number, table_number, wrong,
};
use super::route::kind_from;
use crate::names::parse_number;
use crate::output::Output;
use hookwalk_engine::Host;
use hookwalk_engine::addr::{Addr, AddrMask, Family};
use hookwalk_engine::device::DevId;
use hookwalk_engine::route::{Flow, Route, RouteKind, table};

/// A route as it was written; what was not is `None`.
#[derive(Default)]
struct Spec {
    family: Option<Family>,
    kind: Option<RouteKind>,
    dst: Option<AddrMask>,
    host_bits: bool,
    via: Option<(Family, Addr)>,
    dev: Option<DevId>,
    src: Option<Addr>,
    metric: Option<u32>,
    tos: u8,
    table: Option<u32>,
    protocol: Option<u8>,
    scope: Option<u8>,
    mtu: Option<u32>,
    onlink: bool,
}

pub(super) fn run(host: &mut Host, args: &mut Args<'_>, options: Options, command: &str) -> Run<Output> {
    if args.is_empty() {
        let last = args.last();
        return Err(refuse(&last, &format!("the help of ip route {command}")));
    }
    let spec = parse(host, args, options)?;
    let Some(family) = spec.family else { return Err(answers("Invalid argument")) };
    match command {
        "delete" => delete(host, &spec, family),
        _ => insert(host, &spec, family, command),
    }
}

fn parse(host: &Host, args: &mut Args<'_>, options: Options) -> Run<Spec> {
    let mut spec = Spec { family: options.family, ..Spec::default() };
    while let Some(word) = args.peek() {
        args.next("")?;
        let text = word.text.as_str();
        match text {
            "src" => {
                let (family, addr) = address(args.next("source")?, spec.family)?;
                spec.family = spec.family.or(Some(family));
                spec.src = Some(addr);
            }
            "via" => {
                let mut value = args.next("gateway")?;
                if matches!(value.text.as_str(), "inet" | "inet6") {
                    if value.text == "inet6" && spec.family != Some(Family::V6) {
                        return Err(refuse(value, "a gateway of the other family"));
                    }
                    value = args.next("gateway")?;
                }
                let (family, addr) = address(value, spec.family)?;
                spec.family = spec.family.or(Some(family));
                spec.via = Some((family, addr));
            }
            "dev" | "oif" => spec.dev = Some(device(host, args.next("device")?)?),
            "mtu" => {
                let mut value = args.next("mtu")?;
                if value.text == "lock" {
                    value = args.next("mtu")?;
                }
                spec.mtu = Some(number(&value.text).ok_or_else(|| wrong(value, "\"mtu\" value is invalid"))?);
            }
            "onlink" => spec.onlink = true,
            "scope" => {
                let value = args.next("scope")?;
                let scope =
                    scope_number(&value.text).ok_or_else(|| wrong(value, "invalid \"scope\" value"))?;
                spec.scope = Some(scope);
            }
            "tos" | "dsfield" => {
                let value = args.next("tos")?;
                let tos = parse_number(&value.text).and_then(|n| u8::try_from(n).ok());
                spec.tos = tos.ok_or_else(|| wrong(value, "\"tos\" value is invalid"))?;
            }
            "table" => {
                let value = args.next("table")?;
                let bad = || wrong(value, "\"table\" value is invalid");
                spec.table = Some(table_number(&value.text).ok_or_else(bad)?);
            }
            "metric" | "priority" | "preference" => {
                let value = args.next("metric")?;
                spec.metric =
                    Some(number(&value.text).ok_or_else(|| wrong(value, "\"metric\" value is invalid"))?);
            }
            _ if text.len() > 1 && is_prefix(text, "protocol") => {
                let value = args.next("protocol")?;
                let bad = || wrong(value, "\"protocol\" value is invalid");
                spec.protocol = Some(protocol_number(&value.text).ok_or_else(bad)?);
            }
            // Preference among IPv6 default routers; here all are alike.
            "pref" if args.peek().is_some_and(|w| w.text == "medium") => {
                args.next("")?;
            }
            "nexthop" | "nhid" | "encap" | "weight" | "realms" | "advmss" | "hoplimit" | "rtt" | "rttvar"
            | "window" | "cwnd" | "initcwnd" | "initrwnd" | "ssthresh" | "quickack" | "congctl"
            | "rto_min" | "features" | "as" | "pref" | "expires" | "pervasive" | "from" | "vrf"
            | "fastopen_no_cookie" | "ttl-propagate" | "reordering" | "offload" => {
                return Err(refuse(word, &format!("ip route … {text}")));
            }
            _ => {
                let mut value = word;
                if value.text == "to" {
                    value = args.next("prefix")?;
                }
                if let Some(kind) = kind_from(&value.text) {
                    spec.kind = Some(kind);
                    value = args.next("prefix")?;
                }
                if spec.dst.is_some() {
                    let message =
                        format!("Error: either \"to\" is duplicate, or \"{}\" is a garbage.", value.text);
                    return Err(fail(255, message));
                }
                let default = matches!(value.text.as_str(), "default" | "any" | "all");
                let dst = prefix(value, spec.family)?;
                // `default` alone says nothing about the family.
                if !default {
                    spec.family = spec.family.or(Some(dst.family));
                }
                spec.host_bits = dst.has_host_bits();
                spec.dst = Some(dst.network());
            }
        }
    }
    spec.family = spec.family.or(spec.via.map(|(family, _)| family)).or(Some(Family::V4));
    Ok(spec)
}

fn number(text: &str) -> Option<u32> {
    parse_number(text).and_then(|n| u32::try_from(n).ok())
}

impl Spec {
    fn kind(&self) -> RouteKind {
        self.kind.unwrap_or(RouteKind::Unicast)
    }
    /// Routes that need no device.
    fn refuses(&self) -> bool {
        matches!(
            self.kind(),
            RouteKind::Blackhole | RouteKind::Unreachable | RouteKind::Prohibit | RouteKind::Throw
        )
    }
    fn table(&self) -> u32 {
        match (self.table, self.kind()) {
            (Some(table), _) => table,
            (None, RouteKind::Local | RouteKind::Broadcast | RouteKind::Anycast) => table::LOCAL,
            (None, _) => table::MAIN,
        }
    }
    fn scope(&self, family: Family) -> u8 {
        match (self.scope, self.kind()) {
            (Some(scope), _) => scope,
            _ if family == Family::V6 => 0,
            (None, RouteKind::Local) => 254,
            (None, RouteKind::Broadcast | RouteKind::Multicast | RouteKind::Anycast) => 253,
            (None, RouteKind::Unicast) if self.via.is_none() => 253,
            _ => 0,
        }
    }
    fn dst(&self) -> AddrMask {
        self.dst.unwrap_or(AddrMask::ANY)
    }
}

/// `fib_check_nh`: the device that the gateway is reached by, which must be directly.
fn next_hop(host: &Host, spec: &Spec, family: Family) -> Run<Option<DevId>> {
    let up = |dev: DevId| host.net.device(dev).is_some_and(|d| d.up);
    let down = || match family {
        Family::V4 => kernel("Device for nexthop is not up."),
        Family::V6 => kernel("Nexthop device is not up."),
    };
    let Some((via_family, via)) = spec.via else {
        return match spec.dev {
            Some(dev) if !up(dev) => Err(down()),
            Some(dev) => Ok(Some(dev)),
            None => Err(answers("No such device")),
        };
    };
    if via_family != family {
        return Err(kernel("Nexthop has invalid gateway."));
    }
    if spec.dev.is_some_and(|dev| !up(dev)) {
        return Err(down());
    }
    if family == Family::V6 && via.0[0] >> 22 == 0xfe80_0000 >> 22 {
        return spec.dev.map(Some).ok_or_else(|| kernel("Egress device not specified."));
    }
    if spec.onlink {
        return spec.dev.map(Some).ok_or_else(|| kernel("Nexthop device required for onlink."));
    }
    let flow = Flow { oif: spec.dev, ..Flow::to(family, via) };
    let route = host.net.fib_lookup(&flow).ok().filter(|r| r.via.is_none());
    match (route, family) {
        (Some(r), Family::V4)
            if matches!(r.kind, RouteKind::Unicast | RouteKind::Local) && r.scope > spec.scope(family) =>
        {
            Ok(r.dev)
        }
        (Some(r), Family::V6) if r.kind == RouteKind::Unicast => Ok(r.dev),
        (_, Family::V4) => Err(kernel("Nexthop has invalid gateway.")),
        (_, Family::V6) => Err(answers("No route to host")),
    }
}

fn insert(host: &mut Host, spec: &Spec, family: Family, command: &str) -> Run<Output> {
    // IPv6 clears the bits beyond the length; IPv4 complains.
    if spec.host_bits && family == Family::V4 {
        return Err(kernel("Invalid prefix for given prefix length."));
    }
    let dev = match (spec.refuses(), family) {
        (true, Family::V4) => None,
        (true, Family::V6) => Some(DevId::LO),
        (false, _) => next_hop(host, spec, family)?,
    };
    if let Some(src) = spec.src
        && host.net.addr_type(family, src, None) != RouteKind::Local
    {
        return Err(match family {
            Family::V4 => kernel("Invalid prefsrc address."),
            Family::V6 => kernel("Invalid source address."),
        });
    }
    let route = Route {
        family,
        table: spec.table(),
        kind: spec.kind(),
        dst: spec.dst(),
        dev,
        via: spec.via.map(|(_, addr)| addr),
        src: spec.src,
        metric: match (spec.metric, family) {
            (None | Some(0), Family::V6) => 1024,
            (metric, _) => metric.unwrap_or(0),
        },
        tos: spec.tos,
        protocol: spec.protocol.unwrap_or(3),
        scope: spec.scope(family),
        onlink: spec.onlink,
        mtu: spec.mtu,
    };
    let same = |r: &Route| {
        r.family == family
            && r.table == route.table
            && r.dst == route.dst
            && r.tos == route.tos
            && r.metric == route.metric
    };
    let known = (family, route.table);
    let routes = &mut host.net.fib.routes;
    let first = routes.iter().position(same);
    let last = routes.iter().rposition(same);
    match (command, first, last) {
        ("add", Some(_), _) => return Err(answers("File exists")),
        ("append" | "prepend", ..) if routes.contains(&route) => return Err(answers("File exists")),
        ("change" | "chg", None, _) => return Err(answers("No such file or directory")),
        ("change" | "chg" | "replace", Some(at), _) => routes[at] = route,
        ("append", _, Some(at)) => routes.insert(at + 1, route),
        ("prepend", Some(at), _) => routes.insert(at, route),
        _ => routes.push(route),
    }
    if !host.net.fib.tables.contains(&known) {
        host.net.fib.tables.push(known);
    }
    host.refresh();
    Ok(Output::default())
}

fn delete(host: &mut Host, spec: &Spec, family: Family) -> Run<Output> {
    if spec.host_bits && family == Family::V4 {
        return Err(kernel("Invalid prefix for given prefix length."));
    }
    let dst = spec.dst();
    let wanted = |r: &Route| {
        r.family == family
            && r.table == spec.table()
            && r.dst == dst
            && (family == Family::V6 || r.tos == spec.tos)
            && spec.kind.is_none_or(|k| k == r.kind)
            && spec.scope.is_none_or(|s| s == r.scope)
            && spec.src.is_none_or(|s| r.src == Some(s))
            && spec.protocol.is_none_or(|p| p == r.protocol)
            && spec.metric.is_none_or(|m| m == 0 || m == r.metric)
            && spec.dev.is_none_or(|d| r.dev == Some(d))
            && spec.via.is_none_or(|(_, v)| r.via == Some(v))
    };
    let routes = &mut host.net.fib.routes;
    // Of several the one that is listed first.
    let found = (0..routes.len()).filter(|i| wanted(&routes[*i])).min_by_key(|i| routes[*i].metric);
    match found {
        Some(at) => {
            routes.remove(at);
            host.refresh();
            Ok(Output::default())
        }
        None => Err(answers("No such process")),
    }
}
