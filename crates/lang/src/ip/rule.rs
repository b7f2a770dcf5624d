//! `ip rule`: the policy rules (net/core/fib_rules.c).

use super::Options;
use super::args::{
    Args, Prefix, Run, answers, fail, is_prefix, kernel, prefix, refuse, table_name, table_number, wrong,
};
use super::json::Json;
use crate::names::{parse_number, protocol_name, protocol_number};
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::Host;
use hookwalk_engine::addr::{AddrMask, Family};
use hookwalk_engine::route::{PolicyRule, RuleAction, table};
use std::fmt::Write as _;

pub(super) fn run(host: &mut Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    let Some(word) = args.peek() else { return show(host, args, options) };
    let text = word.text.as_str();
    let commands = ["list", "lst", "show", "add", "delete", "flush", "save", "restore", "help"];
    let Some(command) = commands.into_iter().find(|c| is_prefix(text, c)) else {
        return Err(fail(255, format!("Command \"{text}\" is unknown, try \"ip rule help\".")));
    };
    args.next("")?;
    match command {
        "add" => add(host, args, options),
        "delete" => delete(host, args, options),
        "flush" => flush(host, options),
        "list" | "lst" | "show" => show(host, args, options),
        other => Err(refuse(word, &format!("ip rule {other}"))),
    }
}

/// A rule as it was written.
#[derive(Default)]
struct Spec {
    not: bool,
    pref: Option<u32>,
    src: Option<Prefix>,
    dst: Option<Prefix>,
    iif: Option<String>,
    oif: Option<String>,
    fwmark: Option<(u32, u32)>,
    tos: Option<u8>,
    action: Option<RuleAction>,
    suppress: Option<u8>,
    proto: Option<u8>,
    sport: Option<(u16, u16)>,
    dport: Option<(u16, u16)>,
}

fn parse(args: &mut Args<'_>, options: Options) -> Run<Spec> {
    let mut spec = Spec::default();
    while let Some(word) = args.peek() {
        args.next("")?;
        match word.text.as_str() {
            "not" => spec.not = true,
            "from" => spec.src = Some(prefix(args.next("from")?, options.family)?),
            "to" => spec.dst = Some(prefix(args.next("to")?, options.family)?),
            "preference" | "pref" | "order" | "priority" | "prio" => {
                let value = args.next("preference")?;
                spec.pref = Some(number(value, "preference value is invalid")?);
            }
            "tos" | "dsfield" => {
                let value = args.next("tos")?;
                let tos: u32 = number(value, "TOS value is invalid")?;
                spec.tos = Some(u8::try_from(tos).map_err(|_| wrong(value, "TOS value is invalid"))?);
            }
            "fwmark" => {
                let value = args.next("fwmark")?;
                let (mark, mask) = value.text.split_once('/').unwrap_or((&value.text, ""));
                let parse = |text: &str, why: &str| {
                    let parsed = parse_number(text).and_then(|n| u32::try_from(n).ok());
                    parsed.ok_or_else(|| {
                        let word = Word { text: text.to_string(), span: value.span.clone() };
                        wrong(&word, why)
                    })
                };
                let mask = match mask {
                    "" => u32::MAX,
                    mask => parse(mask, "fwmask value is invalid")?,
                };
                spec.fwmark = Some((parse(mark, "fwmark value is invalid")?, mask));
            }
            "table" | "lookup" => {
                let value = args.next("table")?;
                let table = table_number(&value.text).ok_or_else(|| wrong(value, "invalid table ID"))?;
                spec.action = Some(RuleAction::Table(table));
            }
            "goto" => {
                let value = args.next("goto")?;
                spec.action = Some(RuleAction::Goto(number(value, "invalid target")?));
            }
            "suppress_prefixlength" | "sup_pl" => {
                let value = args.next("suppress_prefixlength")?;
                let len: u32 = number(value, "suppress_prefixlength value is invalid")?;
                let bad = |_| wrong(value, "suppress_prefixlength value is invalid");
                spec.suppress = Some(u8::try_from(len).map_err(bad)?);
            }
            "dev" | "iif" => spec.iif = Some(args.next("iif")?.text.clone()),
            "oif" => spec.oif = Some(args.next("oif")?.text.clone()),
            "ipproto" => {
                let value = args.next("ipproto")?;
                let bad = || wrong(value, "Invalid \"ipproto\" value");
                spec.proto = Some(protocol_number(&value.text).ok_or_else(bad)?);
            }
            "sport" => spec.sport = Some(ports(args.next("sport")?, "sport")?),
            "dport" => spec.dport = Some(ports(args.next("dport")?, "dport")?),
            "realms" | "realm" | "suppress_ifgroup" | "sup_group" | "uidrange" | "tun_id" | "l3mdev"
            | "protocol" | "nat" | "map-to" => {
                return Err(refuse(word, &format!("ip rule … {}", word.text)));
            }
            text => {
                let value = if text == "type" { args.next("type")? } else { word };
                spec.action = Some(match value.text.as_str() {
                    "blackhole" => RuleAction::Blackhole,
                    "unreachable" => RuleAction::Unreachable,
                    "prohibit" => RuleAction::Prohibit,
                    "nop" => RuleAction::Nop,
                    other => {
                        let message =
                            format!("Error: argument \"{other}\" is wrong: Failed to parse rule type");
                        return Err(fail(255, message));
                    }
                });
            }
        }
    }
    Ok(spec)
}

fn number(word: &Word, why: &str) -> Run<u32> {
    parse_number(&word.text).and_then(|n| u32::try_from(n).ok()).ok_or_else(|| wrong(word, why))
}

/// `80` or `1000-2000`.
fn ports(word: &Word, what: &str) -> Run<(u16, u16)> {
    let bad = || wrong(word, &format!("invalid {what}"));
    let port = |text: &str| parse_number(text).and_then(|n| u16::try_from(n).ok());
    let (first, last) = word.text.split_once('-').unwrap_or((&word.text, &word.text));
    Ok((port(first).ok_or_else(bad)?, port(last).ok_or_else(bad)?))
}

/// The families that a command without `-4` or `-6` means: IPv4.
fn family(options: Options) -> Family {
    options.family.unwrap_or(Family::V4)
}

fn add(host: &mut Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    if args.is_empty() {
        return Err(fail(1, "\"ip rule add\" requires arguments."));
    }
    let spec = parse(args, options)?;
    let family = family(options);
    for (end, name) in [(spec.src, "source"), (spec.dst, "destination")] {
        if end.is_some_and(|p| p.family != family && p.len > 0) {
            return Err(kernel(&format!("Invalid {name} address.")));
        }
    }
    let rules = &mut host.net.fib.rules;
    let pref = match spec.pref {
        Some(pref) => pref,
        // fib_default_rule_pref: before the second rule.
        None => {
            let second = rules.iter().filter(|r| r.family == family).nth(1).map_or(0, |r| r.pref);
            second.saturating_sub(1)
        }
    };
    // Without an action the main table is meant.
    let action = spec.action.unwrap_or(RuleAction::Table(table::MAIN));
    if let RuleAction::Goto(target) = action
        && target <= pref
    {
        return Err(kernel("Backward goto not supported."));
    }
    let network = |p: Option<Prefix>| p.filter(|p| p.len > 0).map_or(AddrMask::ANY, |p| p.network());
    let ports = match (spec.proto, spec.sport, spec.dport) {
        (None, None, None) => None,
        (proto, s, d) => Some((proto.unwrap_or(0), s.unwrap_or((0, 0)), d.unwrap_or((0, 0)))),
    };
    let rule = PolicyRule {
        family,
        pref,
        not: spec.not,
        src: network(spec.src),
        dst: network(spec.dst),
        iif: spec.iif,
        oif: spec.oif,
        fwmark: spec.fwmark,
        tos: spec.tos.unwrap_or(0),
        action,
        suppress_prefixlength: spec.suppress,
        ports,
    };
    if rules.contains(&rule) {
        return Err(answers("File exists"));
    }
    let at = rules.iter().position(|r| r.family == family && r.pref > pref);
    // The list holds both families; each is sorted by itself.
    let end = rules.iter().rposition(|r| r.family == family).map_or(rules.len(), |i| i + 1);
    rules.insert(at.unwrap_or(end), rule);
    host.refresh();
    Ok(Output::default())
}

/// Does a rule have everything that was written?
fn matches(spec: &Spec, r: &PolicyRule) -> bool {
    let network = |p: &Option<Prefix>, have: AddrMask| p.is_none_or(|p| p.len == 0 || p.network() == have);
    spec.pref.is_none_or(|p| p == r.pref)
        && network(&spec.src, r.src)
        && network(&spec.dst, r.dst)
        && spec.iif.as_ref().is_none_or(|i| r.iif.as_ref() == Some(i))
        && spec.oif.as_ref().is_none_or(|o| r.oif.as_ref() == Some(o))
        && spec.fwmark.is_none_or(|m| r.fwmark == Some(m))
        && spec.tos.is_none_or(|t| t == r.tos)
        && spec.action.is_none_or(|a| a == r.action)
        && spec.suppress.is_none_or(|s| r.suppress_prefixlength == Some(s))
        && spec.proto.is_none_or(|p| r.ports.is_some_and(|ports| ports.0 == p))
        && spec.sport.is_none_or(|s| r.ports.is_some_and(|ports| ports.1 == s))
        && spec.dport.is_none_or(|d| r.ports.is_some_and(|ports| ports.2 == d))
}

fn delete(host: &mut Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    if args.is_empty() {
        return Err(fail(1, "\"ip rule del\" requires arguments."));
    }
    let spec = parse(args, options)?;
    let family = family(options);
    let rules = &mut host.net.fib.rules;
    match rules.iter().position(|r| r.family == family && matches(&spec, r)) {
        Some(at) => {
            rules.remove(at);
            host.refresh();
            Ok(Output::default())
        }
        None => Err(answers("No such file or directory")),
    }
}

/// All rules go but the one with preference 0.
fn flush(host: &mut Host, options: Options) -> Run<Output> {
    let family = family(options);
    host.net.fib.rules.retain(|r| r.family != family || r.pref == 0);
    host.refresh();
    Ok(Output::default())
}

fn show(host: &Host, args: &mut Args<'_>, options: Options) -> Run<Output> {
    let spec = parse(args, options)?;
    let family = family(options);
    let mut out = Output::default();
    let mut objects = Vec::new();
    for rule in host.net.fib.rules.iter().filter(|r| r.family == family && matches(&spec, r)) {
        match options.json {
            true => objects.push(json(rule)),
            false => out.line(&line(host, rule)),
        }
    }
    if options.json {
        out.line(&Json::array(objects));
    }
    Ok(out)
}

/// `all`, or a network.
fn network(family: Family, network: AddrMask) -> String {
    match network.prefix_len(family) {
        Some(0) => "all".to_string(),
        _ => super::args::network_text(family, network),
    }
}

fn range((first, last): (u16, u16)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn protocol(number: u8) -> String {
    protocol_name(number).map_or_else(|| number.to_string(), str::to_string)
}

fn line(host: &Host, r: &PolicyRule) -> String {
    let mut out = format!("{}:\t", r.pref);
    if r.not {
        out.push_str("not ");
    }
    let _ = write!(out, "from {} ", network(r.family, r.src));
    if r.dst != AddrMask::ANY {
        let _ = write!(out, "to {} ", network(r.family, r.dst));
    }
    if r.tos != 0 {
        let _ = write!(out, "tos {:#04x} ", r.tos);
    }
    match r.fwmark {
        Some((mark, u32::MAX)) => {
            let _ = write!(out, "fwmark {mark:#x} ");
        }
        Some((mark, mask)) => {
            let _ = write!(out, "fwmark {mark:#x}/{mask:#x} ");
        }
        None => {}
    }
    for (word, name) in [("iif", &r.iif), ("oif", &r.oif)] {
        if let Some(name) = name {
            let detached = if host.net.device_by_name(name).is_none() { "[detached] " } else { "" };
            let _ = write!(out, "{word} {name} {detached}");
        }
    }
    if let Some((proto, sport, dport)) = r.ports {
        if proto != 0 {
            let _ = write!(out, "ipproto {} ", protocol(proto));
        }
        for (word, ports) in [("sport", sport), ("dport", dport)] {
            if ports != (0, 0) {
                let _ = write!(out, "{word} {} ", range(ports));
            }
        }
    }
    let _ = match r.action {
        RuleAction::Table(table) => write!(out, "lookup {} ", table_name(table)),
        RuleAction::Goto(pref) => {
            let known = host.net.fib.rules.iter().any(|o| o.family == r.family && o.pref == pref);
            write!(out, "goto {pref} {}", if known { "" } else { "[unresolved] " })
        }
        RuleAction::Blackhole => write!(out, "blackhole "),
        RuleAction::Unreachable => write!(out, "unreachable "),
        RuleAction::Prohibit => write!(out, "prohibit "),
        RuleAction::Nop => write!(out, "nop "),
    };
    if let Some(len) = r.suppress_prefixlength {
        let _ = write!(out, "suppress_prefixlength {len} ");
    }
    // Rules end without a blank.
    out.truncate(out.trim_end().len());
    out
}

fn json(r: &PolicyRule) -> Json {
    let mut out = Json::object();
    out.number("priority", u64::from(r.pref));
    if r.not {
        out.null("not");
    }
    let end = |out: &mut Json, name: &str, network: AddrMask| {
        let len = network.prefix_len(r.family).unwrap_or(0);
        out.text(name, &network.addr.ip(r.family).to_string());
        if len != r.family.bits() {
            out.number(&format!("{name}len"), u64::from(len));
        }
    };
    match r.src == AddrMask::ANY {
        true => out.text("src", "all"),
        false => end(&mut out, "src", r.src),
    }
    if r.dst != AddrMask::ANY {
        end(&mut out, "dst", r.dst);
    }
    if r.tos != 0 {
        out.text("tos", &format!("{:#04x}", r.tos));
    }
    if let Some((mark, mask)) = r.fwmark {
        out.text("fwmark", &format!("{mark:#x}"));
        if mask != u32::MAX {
            out.text("fwmask", &format!("{mask:#x}"));
        }
    }
    for (word, name) in [("iif", &r.iif), ("oif", &r.oif)] {
        if let Some(name) = name {
            out.text(word, name);
        }
    }
    if let Some((proto, sport, dport)) = r.ports {
        if proto != 0 {
            out.text("ipproto", &protocol(proto));
        }
        for (word, (first, last)) in [("sport", sport), ("dport", dport)] {
            match (first, last) {
                (0, 0) => {}
                _ if first == last => out.number(word, u64::from(first)),
                _ => {
                    out.number(&format!("{word}_start"), u64::from(first));
                    out.number(&format!("{word}_end"), u64::from(last));
                }
            }
        }
    }
    match r.action {
        RuleAction::Table(table) => out.text("table", &table_name(table)),
        RuleAction::Goto(pref) => out.number("goto", u64::from(pref)),
        RuleAction::Blackhole => out.text("action", "blackhole"),
        RuleAction::Unreachable => out.text("action", "unreachable"),
        RuleAction::Prohibit => out.text("action", "prohibit"),
        RuleAction::Nop => out.null("nop"),
    }
    if let Some(len) = r.suppress_prefixlength {
        out.number("suppress_prefixlen", u64::from(len));
    }
    out
}
