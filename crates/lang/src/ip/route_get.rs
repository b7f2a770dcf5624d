//! `ip route get`: the way that a packet would take.

use super::Options;
use super::args::{Args, Run, answers, device, fail, prefix, protocol_name, refuse, table_name, wrong};
use super::route::{kind_name, no_route};
use crate::names::{parse_number, protocol_number};
use crate::output::Output;
use hookwalk_engine::Host;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::device::DevId;
use hookwalk_engine::event::KernelDrop;
use hookwalk_engine::packet::{L4, Packet, Payload};
use hookwalk_engine::pmtu::PathMtu;
use hookwalk_engine::route::{Dst, DstKind, Flow, RouteKind, table};
use hookwalk_engine::time::Duration;
use std::fmt::Write as _;

pub(super) fn run(host: &mut Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    let mut to = None;
    let mut from = None;
    let mut iif = None;
    let mut oif = None;
    let mut mark_text = None;
    let mut flow = Flow::to(Family::V4, Addr::UNSPECIFIED);
    let mut warning = String::new();
    while let Some(word) = args.peek() {
        args.next("")?;
        let mut number = |what: &str, max: u64| -> Run<u64> {
            let value = args.next(what)?;
            let parsed = parse_number(&value.text).filter(|n| *n <= max);
            parsed.ok_or_else(|| wrong(value, &format!("invalid {what}")))
        };
        match word.text.as_str() {
            "from" => from = Some(prefix(args.next("from")?, options.family)?),
            "iif" => iif = Some(device(host, args.next("iif")?)?),
            "oif" | "dev" => oif = Some(device(host, args.next("oif")?)?),
            "mark" => {
                flow.mark = number("mark", u64::from(u32::MAX))? as u32;
                mark_text = Some(flow.mark);
            }
            "tos" | "dsfield" => flow.tos = number("tos", 255)? as u8,
            "sport" => flow.ports.1 = number("sport", 65535)? as u16,
            "dport" => flow.ports.2 = number("dport", 65535)? as u16,
            "ipproto" => {
                let value = args.next("ipproto")?;
                let bad = || wrong(value, "Invalid \"ipproto\" value");
                flow.ports.0 = protocol_number(&value.text).ok_or_else(bad)?;
            }
            "uid" | "vrf" | "fibmatch" | "notify" | "connected" => {
                return Err(refuse(word, &format!("ip route get {}", word.text)));
            }
            text => {
                let word = if text == "to" { args.next("to")? } else { word };
                let p = prefix(word, options.family)?;
                if p.explicit && p.len != p.family.bits() {
                    let _ = writeln!(
                        warning,
                        "Warning: /{} as prefix is invalid, only /{} (or none) is supported.",
                        p.len,
                        p.family.bits()
                    );
                }
                to = Some(p);
            }
        }
    }
    let Some(to) = to else { return Err(fail(1, "need at least a destination address")) };
    flow.family = to.family;
    flow.dst = to.addr;
    flow.oif = oif;
    flow.src = from.map_or(Addr::UNSPECIFIED, |p| p.addr);
    let mut out = match iif {
        Some(iif) => input(host, flow, iif)?,
        None => output(host, flow, mark_text)?,
    };
    out.stderr = warning;
    Ok(out)
}

fn name(host: &Host, dev: DevId) -> String {
    host.net.device(dev).map_or_else(String::new, |d| d.name.to_string())
}

fn output(host: &Host, flow: Flow, mark: Option<u32>) -> Run<Output> {
    let family = flow.family;
    let given = !flow.src.is_unspecified();
    // The source must be an address of this host.
    if given && host.net.addr_type(family, flow.src, None) != RouteKind::Local {
        return Err(answers(if family == Family::V4 {
            "Network is unreachable"
        } else {
            "Invalid argument"
        }));
    }
    let dst = match (host.net.route_output(&flow), flow.oif) {
        (Ok(dst), _) => dst,
        // With a device asked for, a destination without a route is taken to be on its link.
        (Err(_), Some(dev)) if family == Family::V4 => Dst {
            to: DstKind::Unicast,
            dev,
            via: None,
            src: host.net.select_addr(family, dev, flow.dst, 0),
            mtu: host.net.mtu(dev),
        },
        (Err(error), _) => return Err(no_route(error)),
    };
    let ip = |addr: Addr| addr.ip(family);
    let mut line = String::new();
    let kind = match dst.to {
        DstKind::Local => Some(RouteKind::Local),
        DstKind::Broadcast => Some(RouteKind::Broadcast),
        DstKind::Multicast => Some(RouteKind::Multicast),
        _ => None,
    };
    if let Some(kind) = kind {
        let _ = write!(line, "{} ", kind_name(kind));
    }
    let _ = write!(line, "{} ", ip(flow.dst));
    match (family, given) {
        (_, true) => {
            let _ = write!(line, "from {} ", ip(flow.src));
        }
        (Family::V6, false) => line.push_str("from :: "),
        (Family::V4, false) => {}
    }
    if let Some(via) = dst.via {
        let _ = write!(line, "via {} ", ip(via));
    }
    let _ = write!(line, "dev {} ", name(host, dst.dev));
    let source = dst.src.filter(|_| !given);
    // A table with a name of its own is told.
    if let Ok(route) = host.net.fib_lookup(&flow)
        && !matches!(route.table, table::MAIN | table::LOCAL)
    {
        let _ = write!(line, "table {} ", table_name(route.table));
    }
    if family == Family::V6 {
        // IPv6 shows the route itself.
        let route = host.net.fib_lookup(&flow).map_err(no_route)?;
        if route.table == table::LOCAL {
            line.push_str("table local ");
        }
        let known = host.net.path_mtu(family, flow.dst).filter(|_| dst.to == DstKind::Unicast);
        if route.protocol != 3 && known.is_none() {
            let _ = write!(line, "proto {} ", protocol_name(route.protocol));
        }
        if let Some(src) = source {
            let _ = write!(line, "src {} ", ip(src));
        }
        let _ = write!(line, "metric {} ", route.metric);
        if let Some(known) = known {
            let _ = write!(line, "{} ", path_mtu_text(host, known));
        }
        line.push_str("pref medium");
        return Ok(Output::ok(format!("{line}\n")));
    }
    if let Some(src) = source {
        let _ = write!(line, "src {} ", ip(src));
    }
    if let Some(mark) = mark.filter(|m| *m != 0) {
        // Numbers from 16 on are written in hexadecimal.
        let _ = if mark >= 16 { write!(line, "mark {mark:#x} ") } else { write!(line, "mark {mark} ") };
    }
    let flags = match dst.to {
        DstKind::Local => "<local> ",
        DstKind::Broadcast => "<local,brd> ",
        DstKind::Multicast => "<local,mc> ",
        _ => "",
    };
    line.push_str("uid 0 \n    cache ");
    line.push_str(flags);
    if let Some(known) = host.net.path_mtu(family, flow.dst).filter(|_| dst.to == DstKind::Unicast) {
        let _ = write!(line, "{} ", path_mtu_text(host, known));
    } else if dst.mtu != host.net.mtu(dst.dev) {
        let _ = write!(line, "mtu {} ", dst.mtu);
    }
    Ok(Output::ok(format!("{line}\n")))
}

/// How long what is known about a path lasts, and what it is: `expires 599sec mtu 1000`.
fn path_mtu_text(host: &Host, known: &PathMtu) -> String {
    // Some ticks have gone by when anyone looks.
    let secs = Duration(known.expires.since(host.net.now).0.saturating_sub(1)).as_secs();
    let lock = if known.locked { "lock " } else { "" };
    format!("expires {secs}sec mtu {lock}{}", known.mtu)
}

/// `ip route show cache`: the ways that differ from the routes' own, because of what was learnt.
pub(super) fn cache(host: &Host, family: Family) -> Output {
    let mut out = String::new();
    for (to, dst, known) in host.net.known_paths(family) {
        let _ = write!(out, "{} ", to.ip(family));
        if let Some(via) = dst.via {
            let _ = write!(out, "via {} ", via.ip(family));
        }
        let text = path_mtu_text(host, known);
        let _ = match family {
            Family::V4 => writeln!(out, "dev {} \n    cache {text} ", name(host, dst.dev)),
            Family::V6 => {
                let metric = host.net.fib_lookup(&Flow::to(family, to)).map_or(0, |r| r.metric);
                writeln!(out, "dev {} metric {metric} {text} pref medium", name(host, dst.dev))
            }
        };
    }
    Output::ok(out)
}

fn input(host: &Host, flow: Flow, iif: DevId) -> Run<Output> {
    if flow.family == Family::V6 {
        return Err(Box::new(Output::refuse("ip -6 route get … iif is not simulated", 0..0)));
    }
    let packet = Packet {
        family: flow.family,
        src: flow.src,
        dst: flow.dst,
        proto: flow.ports.0,
        ttl: 64,
        tos: flow.tos,
        ip_id: 0,
        df: false,
        frag: None,
        bad_l4_checksum: false,
        l4: L4::Opaque,
        payload: Payload::EMPTY,
    };
    let dst = match host.net.route_input(&packet, flow.mark, iif) {
        Ok(Dst { to: DstKind::Error(error), .. }) => return Err(no_route(error)),
        Ok(dst) => dst,
        // A source that cannot be (`-EINVAL`), or one that would not come this way (`-EXDEV`).
        Err(KernelDrop::ReversePath) => return Err(answers("Invalid cross-device link")),
        Err(KernelDrop::ForwardingOff) => return Err(answers("No route to host")),
        Err(_) => return Err(answers("Invalid argument")),
    };
    let ip = |addr: Addr| addr.ip(flow.family);
    let mut line = String::new();
    let local = dst.to == DstKind::Local;
    if local {
        line.push_str("local ");
    }
    let _ = write!(line, "{} from {} ", ip(flow.dst), ip(flow.src));
    if let Some(via) = dst.via {
        let _ = write!(line, "via {} ", ip(via));
    }
    let dev = if local { DevId::LO } else { dst.dev };
    let lookup = Flow { iif: Some(iif), ..flow };
    let table = match host.net.fib_lookup(&lookup) {
        Ok(route) if !matches!(route.table, table::MAIN | table::LOCAL) => {
            format!("table {} ", table_name(route.table))
        }
        _ => String::new(),
    };
    let flags = if local { "<local> " } else { "" };
    let _ = write!(line, "dev {} {table}\n    cache {flags}iif {} ", name(host, dev), name(host, iif));
    Ok(Output::ok(format!("{line}\n")))
}
