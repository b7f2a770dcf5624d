//! `ip` (iproute2 6.1): addresses, links, routes and policy rules of a host.
//!
//! Read `args` first: how words are taken, and how the tool complains.

mod addr;
mod args;
mod json;
mod link;
mod route;
mod route_edit;
mod route_get;
mod rule;

use crate::complete::{Around, Choice, Kind, of};
use crate::output::Output;
use crate::shell::Word;
use args::{Args, Run, is_prefix, refuse};
use hookwalk_engine::Host;
use hookwalk_engine::addr::Family;

/// Options before the object.
#[derive(Clone, Copy, Default)]
pub(crate) struct Options {
    /// `-4`, `-6`.
    family: Option<Family>,
    /// `-o`.
    oneline: bool,
    /// `-br`.
    brief: bool,
    /// `-j`.
    json: bool,
    /// `-0`: links only.
    link_only: bool,
    /// `-N`: numbers for names.
    numeric: bool,
}

/// The objects that are known, in the order in which an abbreviation is resolved.
/// What can stand after these words of an `ip` command.
pub(crate) fn choices(around: Around<'_>, words: &[&str]) -> Vec<Choice> {
    let devices = || {
        let others = around.host.net.devices.iter().map(|d| d.name.to_string());
        of(Kind::Name, std::iter::once("lo".to_string()).chain(others))
    };
    let operands: Vec<&str> = words.iter().skip(1).filter(|w| !w.starts_with('-')).copied().collect();
    let Some((object, rest)) = operands.split_first() else {
        return of(Kind::Command, ["addr", "route", "rule", "link", "neigh", "-4", "-6", "-j", "-br"]);
    };
    if matches!(words.last(), Some(&("dev" | "iif" | "oif"))) {
        return devices();
    }
    let is = |full: &str| is_prefix(object, full);
    let verbs: &[&str] = match rest {
        [] if is("address") => &["show", "add", "del", "replace", "flush"],
        [] if is("link") => &["show", "set", "add", "del"],
        [] if is("route") => &["show", "get", "add", "del", "replace", "append", "flush"],
        [] if is("rule") => &["show", "add", "del", "flush"],
        [] => &["show"],
        [verb] if is("route") && *verb == "get" => return of(Kind::Address, around.addrs.iter().cloned()),
        ["set"] if is("link") => return devices(),
        ["set", _] if is("link") => &["up", "down", "mtu", "address"],
        ["show" | "list" | "flush"] if is("link") || is("address") => return devices(),
        [_, ..] if is("address") => &["dev", "brd", "scope"],
        [_, ..] if is("route") => &[
            "default",
            "via",
            "dev",
            "src",
            "metric",
            "table",
            "onlink",
            "blackhole",
            "unreachable",
            "prohibit",
        ],
        [_, ..] if is("rule") => {
            &["from", "to", "fwmark", "iif", "oif", "lookup", "pref", "ipproto", "dport", "sport"]
        }
        _ => &[],
    };
    of(Kind::Option, verbs.iter().copied())
}

const OBJECTS: [&str; 30] = [
    "address",
    "addrlabel",
    "maddress",
    "route",
    "rule",
    "neighbor",
    "neighbour",
    "ntable",
    "ntbl",
    "link",
    "l2tp",
    "fou",
    "ila",
    "macsec",
    "tunnel",
    "tunl",
    "tuntap",
    "tap",
    "token",
    "tcpmetrics",
    "tcp_metrics",
    "monitor",
    "xfrm",
    "mroute",
    "mrule",
    "netns",
    "netconf",
    "vrf",
    "sr",
    "nexthop",
];

/// Runs `ip`.
pub fn run(host: &mut Host, argv: &[Word]) -> Output {
    match dispatch(host, argv) {
        Ok(output) => output,
        Err(output) => *output,
    }
}

fn dispatch(host: &mut Host, argv: &[Word]) -> Run<Output> {
    let mut args = Args::new(argv);
    let mut options = Options::default();
    while let Some(word) = args.peek() {
        let Some(option) = word.text.strip_prefix('-') else { break };
        let word = args.next("")?;
        match option {
            "4" => options.family = Some(Family::V4),
            "6" => options.family = Some(Family::V6),
            "0" => options.link_only = true,
            "V" | "Version" => return Ok(Output::ok("ip utility, iproute2-6.1.0, libbpf 1.1.2\n")),
            "f" | "family" => {
                options.family = Some(match args.next("family")?.text.as_str() {
                    "inet" => Family::V4,
                    "inet6" => Family::V6,
                    other => return Err(refuse(word, &format!("the family {other}"))),
                });
            }
            "N" | "Numeric" => options.numeric = true,
            "c" | "color" | "color=never" | "color=auto" | "c=never" | "c=auto" => {}
            _ if is_prefix(option, "oneline") => options.oneline = true,
            _ if option.len() > 1 && is_prefix(option, "brief") => options.brief = true,
            _ if is_prefix(option, "json") => options.json = true,
            _ => return Err(refuse(word, &format!("ip -{option}"))),
        }
    }
    let Some(object) = args.peek() else {
        let span = argv.first().map_or(0..0, |w| w.span.clone());
        return Err(Box::new(Output::refuse(
            "ip without an object prints its help, which is not simulated",
            span,
        )));
    };
    let object = object.clone();
    let Some(full) = OBJECTS.iter().find(|o| is_prefix(&object.text, o)) else {
        let message = format!("Object \"{}\" is unknown, try \"ip help\".", object.text);
        return Err(Box::new(Output::fail(1, message)));
    };
    args.next("")?;
    match *full {
        "address" => addr::run(host, &mut args, options),
        "link" => link::run(host, &mut args, options),
        "route" => route::run(host, &mut args, options),
        "rule" => rule::run(host, &mut args, options),
        other => Err(refuse(&object, &format!("ip {other}"))),
    }
}
