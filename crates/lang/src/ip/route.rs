//! `ip route`: which routes are meant, and how they are listed. Changing them is in `route_edit`, `get` in `route_get`.

use super::args::{
    Args, Prefix, Run, answers, device, fail, is_prefix, kernel, network_text, prefix, protocol_name,
    protocol_number, refuse, scope_name, scope_number, table_name, table_number, wrong,
};
use super::json::Json;
use super::{Options, route_edit, route_get};
use crate::output::Output;
use hookwalk_engine::Host;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::device::DevId;
use hookwalk_engine::route::{Route, RouteKind, table};
use hookwalk_engine::sorted::sort_by;
use std::cmp::{Ordering, Reverse};
use std::fmt::Write as _;

pub(super) fn run(host: &mut Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    let Some(word) = args.peek() else { return show(host, args, options) };
    let text = word.text.as_str();
    let commands = [
        "list", "show", "lst", "get", "add", "append", "change", "chg", "replace", "prepend", "test",
        "delete", "flush", "save", "restore", "showdump", "help",
    ];
    let Some(command) = commands.into_iter().find(|c| is_prefix(text, c)) else {
        return Err(fail(255, format!("Command \"{text}\" is unknown, try \"ip route help\".")));
    };
    args.next("")?;
    match command {
        "list" | "show" | "lst" => show(host, args, options),
        "get" => route_get::run(host, args, options),
        "flush" => flush(host, args, options),
        "add" | "append" | "change" | "chg" | "replace" | "prepend" | "delete" => {
            route_edit::run(host, args, options, command)
        }
        _ => Err(refuse(word, &format!("ip route {command}"))),
    }
}

/// The names of what routes do.
pub(super) fn kind_name(kind: RouteKind) -> &'static str {
    match kind {
        RouteKind::Unicast => "unicast",
        RouteKind::Local => "local",
        RouteKind::Broadcast => "broadcast",
        RouteKind::Anycast => "anycast",
        RouteKind::Multicast => "multicast",
        RouteKind::Blackhole => "blackhole",
        RouteKind::Unreachable => "unreachable",
        RouteKind::Prohibit => "prohibit",
        RouteKind::Throw => "throw",
    }
}

/// What a route does, by name.
pub(super) fn kind_from(text: &str) -> Option<RouteKind> {
    use RouteKind::*;
    [Unicast, Local, Broadcast, Anycast, Multicast, Blackhole, Unreachable, Prohibit, Throw]
        .into_iter()
        .find(|kind| kind_name(*kind) == text)
}

/// Which routes a listing or a flush means.
struct Filter {
    family: Option<Family>,
    /// `None`: all tables.
    table: Option<u32>,
    dev: Option<DevId>,
    via: Option<Addr>,
    protocol: Option<u8>,
    scope: Option<u8>,
    kind: Option<RouteKind>,
    src: Option<Addr>,
    to: Option<(To, Prefix)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    /// This prefix itself.
    Exact,
    /// Prefixes within it.
    Root,
    /// Prefixes that hold it.
    Match,
}

impl Filter {
    fn parse(host: &Host, args: &mut Args<'_>, options: Options) -> Run<Filter> {
        let mut filter = Filter {
            family: options.family,
            table: Some(table::MAIN),
            dev: None,
            via: None,
            protocol: None,
            scope: None,
            kind: None,
            src: None,
            to: None,
        };
        while let Some(word) = args.peek() {
            args.next("")?;
            match word.text.as_str() {
                "table" => {
                    let value = args.next("table")?;
                    filter.table = match value.text.as_str() {
                        "all" => None,
                        "cache" => return Err(refuse(value, "the route cache")),
                        text => Some(
                            table_number(text).ok_or_else(|| wrong(value, "table id value is invalid"))?,
                        ),
                    };
                }
                "dev" | "oif" => filter.dev = Some(device(host, args.next("device")?)?),
                "via" => {
                    let value = args.next("gateway")?;
                    filter.via = Some(prefix(value, filter.family)?.addr);
                }
                "src" => filter.src = Some(prefix(args.next("source")?, filter.family)?.addr),
                text if is_prefix(text, "protocol") => {
                    let value = args.next("protocol")?;
                    filter.protocol = match value.text.as_str() {
                        "all" => None,
                        text => {
                            Some(protocol_number(text).ok_or_else(|| wrong(value, "invalid \"protocol\""))?)
                        }
                    };
                }
                "scope" => {
                    let value = args.next("scope")?;
                    filter.scope = match value.text.as_str() {
                        "all" => None,
                        text => Some(scope_number(text).ok_or_else(|| wrong(value, "invalid \"scope\""))?),
                    };
                }
                "type" => {
                    let value = args.next("type")?;
                    let bad = || wrong(value, "node type value is invalid");
                    filter.kind = Some(kind_from(&value.text).ok_or_else(bad)?);
                }
                "cached" | "cloned" | "tos" | "dsfield" | "metric" | "priority" | "realms" | "from"
                | "iif" | "vrf" | "mark" | "nhid" => {
                    return Err(refuse(word, &format!("ip route show {}", word.text)));
                }
                text => {
                    let (how, value) = match text {
                        "root" => (To::Root, args.next("prefix")?),
                        "match" => (To::Match, args.next("prefix")?),
                        "exact" => (To::Exact, args.next("prefix")?),
                        "to" => match args.peek().map(|w| w.text.as_str()) {
                            Some("root") => (To::Root, args.next("").and_then(|_| args.next("prefix"))?),
                            Some("match") => (To::Match, args.next("").and_then(|_| args.next("prefix"))?),
                            Some("exact") => (To::Exact, args.next("").and_then(|_| args.next("prefix"))?),
                            _ => (To::Exact, args.next("prefix")?),
                        },
                        _ => (To::Exact, word),
                    };
                    let to = prefix(value, filter.family)?;
                    filter.family = Some(to.family);
                    filter.to = Some((how, to));
                }
            }
        }
        // All tables means both families; one table that of IPv4 unless it is said.
        if filter.family.is_none() && filter.table.is_some() {
            filter.family = Some(Family::V4);
        }
        Ok(filter)
    }

    fn matches(&self, r: &Route) -> bool {
        let to = |(how, p): (To, Prefix)| {
            let len = r.dst.prefix_len(r.family).unwrap_or(0);
            match how {
                To::Exact => r.dst == p.network() && len == p.len,
                To::Root => len >= p.len && p.network().contains(r.dst.addr),
                To::Match => len <= p.len && r.dst.contains(p.addr),
            }
        };
        self.family.is_none_or(|f| f == r.family)
            && self.table.is_none_or(|t| t == r.table)
            && self.dev.is_none_or(|d| r.dev == Some(d))
            && self.via.is_none_or(|v| r.via == Some(v))
            && self.src.is_none_or(|s| r.src == Some(s))
            && self.protocol.is_none_or(|p| p == r.protocol)
            && self.scope.is_none_or(|s| s == r.scope)
            && self.kind.is_none_or(|k| k == r.kind)
            && self.to.is_none_or(to)
    }
}

/// The order in which the kernel lists routes. IPv4 walks a trie: by address, and of one address the longest prefix, then
/// TOS, then metric (`fib_table_dump`). IPv6 walks its tree so that what lies within a prefix comes before it.
fn order(a: &Route, b: &Route) -> Ordering {
    let len = |r: &Route| r.dst.prefix_len(r.family).unwrap_or(0);
    // The main table was there first.
    let table = |r: &Route| match r.table {
        table::MAIN => 0,
        table::LOCAL => 2,
        _ => 1,
    };
    let key = |r: &Route| (r.family == Family::V6, table(r), r.table);
    key(a).cmp(&key(b)).then_with(|| match a.family {
        Family::V4 => (a.dst.addr, Reverse(len(a)), Reverse(a.tos), a.metric).cmp(&(
            b.dst.addr,
            Reverse(len(b)),
            Reverse(b.tos),
            b.metric,
        )),
        Family::V6 if a.dst == b.dst => a.metric.cmp(&b.metric),
        Family::V6 if a.dst.contains(b.dst.addr) && len(a) <= len(b) => Ordering::Greater,
        Family::V6 if b.dst.contains(a.dst.addr) && len(b) <= len(a) => Ordering::Less,
        Family::V6 => a.dst.addr.cmp(&b.dst.addr),
    })
}

/// A table is there from its first route on.
fn missing_table(host: &Host, filter: &Filter, verb: &str) -> Option<Box<Output>> {
    let (wanted, family) = (filter.table?, filter.family?);
    if matches!(wanted, table::MAIN | table::LOCAL | table::DEFAULT)
        || host.net.fib.tables.contains(&(family, wanted))
    {
        return None;
    }
    let name = if family == Family::V4 { "ipv4" } else { "ipv6" };
    let mut out = *kernel(&format!("{name}: FIB table does not exist."));
    out.stderr.push_str(&format!("{verb} terminated\n"));
    Some(Box::new(out))
}

fn show(host: &Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    if !options.json && args.peek().is_some_and(|w| matches!(w.text.as_str(), "cache" | "cached")) {
        args.next("")?;
        return match args.peek() {
            None => Ok(route_get::cache(host, options.family.unwrap_or(Family::V4))),
            Some(word) => Err(refuse(word, "ip route show cache with a selector")),
        };
    }
    let filter = Filter::parse(host, args, options)?;
    if let Some(missing) = missing_table(host, &filter, "Dump") {
        return Err(missing);
    }
    let mut routes: Vec<&Route> = host.net.fib.routes.iter().filter(|r| filter.matches(r)).collect();
    sort_by(&mut routes, |a, b| order(a, b));
    let mut out = Output::default();
    let mut objects = Vec::new();
    for route in routes {
        match options.json {
            true => objects.push(json(host, route, &filter)),
            false => out.line(&line(host, route, &filter)),
        }
    }
    if options.json {
        out.line(&Json::array(objects));
    }
    Ok(out)
}

fn device_name(host: &Host, dev: DevId) -> String {
    host.net.device(dev).map_or_else(|| format!("if{}", dev.0), |d| d.name.to_string())
}

/// One route. What the filter fixes is left out, as the tool does.
fn line(host: &Host, r: &Route, filter: &Filter) -> String {
    let mut out = String::new();
    if r.kind != RouteKind::Unicast {
        let _ = write!(out, "{} ", kind_name(r.kind));
    }
    let _ = write!(out, "{} ", network_text(r.family, r.dst));
    if r.tos != 0 {
        let _ = write!(out, "tos {:#04x} ", r.tos);
    }
    if let Some(via) = r.via.filter(|_| filter.via.is_none()) {
        let _ = write!(out, "via {} ", via.ip(r.family));
    }
    if let Some(dev) = r.dev.filter(|_| filter.dev.is_none()) {
        let _ = write!(out, "dev {} ", device_name(host, dev));
    }
    if filter.table.is_none() && r.table != table::MAIN {
        let _ = write!(out, "table {} ", table_name(r.table));
    }
    if r.protocol != 3 && filter.protocol.is_none() {
        let _ = write!(out, "proto {} ", protocol_name(r.protocol));
    }
    if r.family == Family::V4 && r.scope != 0 && filter.scope.is_none() {
        let _ = write!(out, "scope {} ", scope_name(r.scope));
    }
    if let Some(src) = r.src.filter(|_| filter.src.is_none()) {
        let _ = write!(out, "src {} ", src.ip(r.family));
    }
    if r.metric != 0 || r.family == Family::V6 {
        let _ = write!(out, "metric {} ", r.metric);
    }
    if r.onlink {
        out.push_str("onlink ");
    }
    if let Some(mtu) = r.mtu {
        let _ = write!(out, "mtu {mtu} ");
    }
    if r.family == Family::V6 {
        out.push_str("pref medium");
    }
    out
}

fn json(host: &Host, r: &Route, filter: &Filter) -> Json {
    let mut out = Json::object();
    if r.kind != RouteKind::Unicast {
        out.text("type", kind_name(r.kind));
    }
    out.text("dst", &network_text(r.family, r.dst));
    if r.tos != 0 {
        out.text("tos", &format!("{:#04x}", r.tos));
    }
    if let Some(via) = r.via.filter(|_| filter.via.is_none()) {
        out.text("gateway", &via.ip(r.family).to_string());
    }
    if let Some(dev) = r.dev.filter(|_| filter.dev.is_none()) {
        out.text("dev", &device_name(host, dev));
    }
    if filter.table.is_none() && r.table != table::MAIN {
        out.text("table", &table_name(r.table));
    }
    if r.protocol != 3 && filter.protocol.is_none() {
        out.text("protocol", &protocol_name(r.protocol));
    }
    if r.family == Family::V4 && r.scope != 0 && filter.scope.is_none() {
        out.text("scope", &scope_name(r.scope));
    }
    if let Some(src) = r.src.filter(|_| filter.src.is_none()) {
        out.text("prefsrc", &src.ip(r.family).to_string());
    }
    if r.metric != 0 || r.family == Family::V6 {
        out.number("metric", u64::from(r.metric));
    }
    out.list("flags", if r.onlink { &["onlink"] } else { &[] });
    if let Some(mtu) = r.mtu {
        let mut metrics = Json::object();
        metrics.number("mtu", u64::from(mtu));
        out.objects("metrics", vec![metrics]);
    }
    if r.family == Family::V6 {
        out.text("pref", "medium");
    }
    out
}

fn flush(host: &mut Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    if args.is_empty() {
        return Err(fail(1, "\"ip route flush\" requires arguments."));
    }
    if args.peek().is_some_and(|w| w.text == "cache") {
        let flushed = |family: Family| options.family.is_none_or(|asked| asked == family);
        host.net.path_mtus.retain(|(family, _), _| !flushed(*family));
        return Ok(Output::default());
    }
    let filter = Filter::parse(host, args, options)?;
    if let Some(missing) = missing_table(host, &filter, "Flush") {
        return Err(missing);
    }
    host.net.fib.routes.retain(|r| !filter.matches(r));
    host.refresh();
    Ok(Output::default())
}

/// What the kernel answers where there is no way.
pub(super) fn no_route(error: hookwalk_engine::route::RouteError) -> Box<Output> {
    use hookwalk_engine::route::RouteError;
    answers(match error {
        RouteError::NetUnreachable => "Network is unreachable",
        RouteError::HostUnreachable => "No route to host",
        RouteError::Prohibited => "Permission denied",
        RouteError::Blackhole => "Invalid argument",
    })
}
