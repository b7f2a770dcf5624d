//! `-m icmp` and `-m icmp6`.

use super::Style;
use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, no_check, opt};
use crate::iptables::{number, put};
use hookwalk_engine::Family;
use hookwalk_engine::matches::icmp::IcmpType;
use hookwalk_engine::matches::{IcmpMatch, Match};

/// Name, type, first and last code. The first that fits is the one that is printed.
type Name = (&'static str, u8, u8, u8);

const V4: &[Name] = &[
    ("any", 255, 0, 255),
    ("echo-reply", 0, 0, 255),
    ("pong", 0, 0, 255),
    ("destination-unreachable", 3, 0, 255),
    ("network-unreachable", 3, 0, 0),
    ("host-unreachable", 3, 1, 1),
    ("protocol-unreachable", 3, 2, 2),
    ("port-unreachable", 3, 3, 3),
    ("fragmentation-needed", 3, 4, 4),
    ("source-route-failed", 3, 5, 5),
    ("network-unknown", 3, 6, 6),
    ("host-unknown", 3, 7, 7),
    ("network-prohibited", 3, 9, 9),
    ("host-prohibited", 3, 10, 10),
    ("TOS-network-unreachable", 3, 11, 11),
    ("TOS-host-unreachable", 3, 12, 12),
    ("communication-prohibited", 3, 13, 13),
    ("host-precedence-violation", 3, 14, 14),
    ("precedence-cutoff", 3, 15, 15),
    ("source-quench", 4, 0, 255),
    ("redirect", 5, 0, 255),
    ("network-redirect", 5, 0, 0),
    ("host-redirect", 5, 1, 1),
    ("TOS-network-redirect", 5, 2, 2),
    ("TOS-host-redirect", 5, 3, 3),
    ("echo-request", 8, 0, 255),
    ("ping", 8, 0, 255),
    ("router-advertisement", 9, 0, 255),
    ("router-solicitation", 10, 0, 255),
    ("time-exceeded", 11, 0, 255),
    ("ttl-exceeded", 11, 0, 255),
    ("ttl-zero-during-transit", 11, 0, 0),
    ("ttl-zero-during-reassembly", 11, 1, 1),
    ("parameter-problem", 12, 0, 255),
    ("ip-header-bad", 12, 0, 0),
    ("required-option-missing", 12, 1, 1),
    ("timestamp-request", 13, 0, 255),
    ("timestamp-reply", 14, 0, 255),
    ("address-mask-request", 17, 0, 255),
    ("address-mask-reply", 18, 0, 255),
];

const V6: &[Name] = &[
    ("destination-unreachable", 1, 0, 255),
    ("no-route", 1, 0, 0),
    ("communication-prohibited", 1, 1, 1),
    ("beyond-scope", 1, 2, 2),
    ("address-unreachable", 1, 3, 3),
    ("port-unreachable", 1, 4, 4),
    ("failed-policy", 1, 5, 5),
    ("reject-route", 1, 6, 6),
    ("packet-too-big", 2, 0, 255),
    ("time-exceeded", 3, 0, 255),
    ("ttl-exceeded", 3, 0, 255),
    ("ttl-zero-during-transit", 3, 0, 0),
    ("ttl-zero-during-reassembly", 3, 1, 1),
    ("parameter-problem", 4, 0, 255),
    ("bad-header", 4, 0, 0),
    ("unknown-header-type", 4, 1, 1),
    ("unknown-option", 4, 2, 2),
    ("echo-request", 128, 0, 255),
    ("ping", 128, 0, 255),
    ("echo-reply", 129, 0, 255),
    ("pong", 129, 0, 255),
    ("router-solicitation", 133, 0, 255),
    ("router-advertisement", 134, 0, 255),
    ("neighbour-solicitation", 135, 0, 255),
    ("neighbor-solicitation", 135, 0, 255),
    ("neighbour-advertisement", 136, 0, 255),
    ("neighbor-advertisement", 136, 0, 255),
    ("redirect", 137, 0, 255),
];

/// `-m icmp`.
pub(super) static ICMP: Ext<Match> = Ext {
    name: "icmp",
    family: Some(Family::V4),
    opts: &[opt("icmp-type", 0, Ty::Text).inv().must()],
    first: no_check,
    build: |args| build(args, V4, "ICMP").map(Match::Icmp),
};

const ICMP6_OPTS: &[Opt] = &[opt("icmpv6-type", 0, Ty::Text).inv().must()];

/// `-m icmp6`.
pub(super) static ICMP6: Ext<Match> = Ext {
    name: "icmp6",
    family: Some(Family::V6),
    opts: ICMP6_OPTS,
    first: no_check,
    build: |args| build(args, V6, "ICMPv6").map(Match::Icmp6),
};

fn build(args: &Args<'_>, table: &[Name], what: &str) -> Result<IcmpMatch, Fault> {
    let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
    Ok(IcmpMatch { kind: g.inv(parse(&g.text, table, what)?) })
}

fn parse(text: &str, table: &[Name], what: &str) -> Result<IcmpType, Fault> {
    let wanted = text.to_ascii_lowercase();
    let mut hits =
        table.iter().filter(|(name, ..)| name.to_ascii_lowercase().starts_with(&wanted)).peekable();
    if let Some(first) = hits.next() {
        if let Some(second) = hits.peek() {
            return Err(Fault::param(words!(
                "Ambiguous {what} type `{text}': `{}' or `{}'?",
                first.0,
                second.0
            )));
        }
        return Ok(IcmpType { kind: first.1, codes: (first.2, first.3) });
    }
    let unknown = || Fault::param(words!("Unknown {what} type `{text}'"));
    let (kind, rest) = number::prefix(text).filter(|(kind, _)| *kind <= 255).ok_or_else(unknown)?;
    let code = rest.strip_prefix('/');
    if let (None, Some(odd)) = (code, rest.chars().next()) {
        return Err(Fault::param(words!("unknown character {odd}")));
    }
    let codes = match code {
        Some(code) => {
            let code = number::whole(code, 0, 255)
                .ok_or_else(|| Fault::param(words!("Unknown {what} code `{text}'")))?;
            (code as u8, code as u8)
        }
        None => (0, 255),
    };
    Ok(IcmpType { kind: kind as u8, codes })
}

/// The option.
pub(super) fn save(m: &IcmpMatch, option: &str, out: &mut String) {
    let IcmpType { kind, codes } = m.kind.value;
    put!(out, "{} --{option} ", if m.kind.not { " !" } else { "" });
    if kind == 255 && option == "icmp-type" {
        out.push_str("any");
        return;
    }
    put!(out, "{kind}");
    if codes != (0, 255) {
        put!(out, "/{}", codes.0);
    }
}

fn named(table: &'static [Name], t: IcmpType) -> Option<&'static str> {
    table.iter().find(|(_, kind, low, high)| *kind == t.kind && (*low, *high) == t.codes).map(|(n, ..)| *n)
}

fn codes(out: &mut String, t: IcmpType) {
    put!(out, " {}", t.kind);
    if t.codes.0 == t.codes.1 {
        put!(out, " code {}", t.codes.0);
    } else if t.codes != (0, 255) {
        put!(out, " codes {}-{}", t.codes.0, t.codes.1);
    }
}

/// `-m icmp` in a listing.
pub(super) fn list_icmp(m: &IcmpMatch, style: Style, out: &mut String) {
    let not = if m.kind.not { "!" } else { "" };
    match if style.numeric { None } else { named(V4, m.kind.value) } {
        Some(name) => put!(out, " icmp {not}{name}"),
        None => {
            put!(out, " icmp{}type", if m.kind.not { " !" } else { "" });
            codes(out, m.kind.value);
        }
    }
}

/// `-m icmp6` in a listing.
pub(super) fn list_icmp6(m: &IcmpMatch, style: Style, out: &mut String) {
    let not = if m.kind.not { "!" } else { "" };
    match if style.numeric { None } else { named(V6, m.kind.value) } {
        Some(name) => put!(out, " ipv6-icmp {not}{name}"),
        None => {
            put!(out, " ipv6-icmp{}type", if m.kind.not { " !" } else { "" });
            codes(out, m.kind.value);
        }
    }
}
