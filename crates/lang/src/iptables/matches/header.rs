//! Matches on the packet's header and the kernel's side data: ttl, hl, tos, dscp, length, mac, mark, pkttype.

use super::Style;
use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, Val, no_check, opt};
use crate::iptables::{names, put};
use hookwalk_engine::Family;
use hookwalk_engine::matches::header::Relation;
use hookwalk_engine::matches::mark::MaskedMark;
use hookwalk_engine::matches::{
    DscpMatch, LengthMatch, MacMatch, MarkMatch, Match, PktTypeMatch, TosMatch, TtlMatch,
};
use hookwalk_engine::packet::PktType;
use hookwalk_engine::ruleset::Inv;

const TTL_OPTS: &[Opt] = &[
    opt("ttl-lt", 1, Ty::Num(0, 255)).not_with(&[0, 2]),
    opt("ttl-gt", 2, Ty::Num(0, 255)).not_with(&[0, 1]),
    opt("ttl-eq", 0, Ty::Num(0, 255)).inv().not_with(&[1, 2]),
    opt("ttl", 0, Ty::Num(0, 255)).inv().not_with(&[1, 2]),
];

/// `-m ttl`.
pub(super) static TTL: Ext<Match> = Ext {
    name: "ttl",
    family: Some(Family::V4),
    opts: TTL_OPTS,
    first: |args| one_of(args, "TTL match: You must specify one of `--ttl-eq', `--ttl-lt', `--ttl-gt"),
    build: |args| Ok(Match::Ttl(relation(args))),
};

const HL_OPTS: &[Opt] = &[
    opt("hl-lt", 1, Ty::Num(0, 255)).not_with(&[0, 2]),
    opt("hl-gt", 2, Ty::Num(0, 255)).not_with(&[0, 1]),
    opt("hl-eq", 0, Ty::Num(0, 255)).inv().not_with(&[1, 2]),
    opt("hl", 0, Ty::Num(0, 255)).inv().not_with(&[1, 2]),
];

/// `-m hl`.
pub(super) static HL: Ext<Match> = Ext {
    name: "hl",
    family: Some(Family::V6),
    opts: HL_OPTS,
    first: |args| one_of(args, "HL match: You must specify one of `--hl-eq', `--hl-lt', `--hl-gt'"),
    build: |args| Ok(Match::Hl(relation(args))),
};

fn one_of(args: &Args<'_>, message: &str) -> Result<(), Fault> {
    if args.given.is_empty() { Err(Fault::param(message)) } else { Ok(()) }
}

fn relation(args: &Args<'_>) -> TtlMatch {
    let (id, not, value) = args.given.last().map_or((0, false, 0), |g| (g.id, g.not, g.num() as u8));
    let relation = match (id, not) {
        (0, false) => Relation::Eq,
        (0, true) => Relation::Ne,
        (1, _) => Relation::Lt,
        _ => Relation::Gt,
    };
    TtlMatch { relation, value }
}

/// `-m ttl`'s and `-m hl`'s options.
pub(super) fn save_ttl(m: &TtlMatch, name: &str, out: &mut String) {
    let (not, kind) = match m.relation {
        Relation::Eq => ("", "eq"),
        Relation::Ne => (" !", "eq"),
        Relation::Lt => ("", "lt"),
        Relation::Gt => ("", "gt"),
    };
    put!(out, "{not} --{name}-{kind} {}", m.value);
}

/// `-m ttl` and `-m hl` in a listing.
pub(super) fn list_ttl(m: &TtlMatch, what: &str, out: &mut String) {
    let sign = match m.relation {
        Relation::Eq => "==",
        Relation::Ne => "!=",
        Relation::Lt => "<",
        Relation::Gt => ">",
    };
    put!(out, " {what} {sign} {}", m.value);
}

/// `-m tos`.
pub(super) static TOS: Ext<Match> = Ext {
    name: "tos",
    family: None,
    opts: &[opt("tos", 0, Ty::Tos).inv().must()],
    first: no_check,
    build: |args| match args.get(0) {
        Some(g) => match g.val {
            Val::Tos(value, mask) => Ok(Match::Tos(TosMatch { tos: g.inv((value, mask)) })),
            _ => Err(Fault::Incomplete),
        },
        None => Err(Fault::Incomplete),
    },
};

/// `-m tos`'s option.
pub(super) fn save_tos(m: &TosMatch, out: &mut String) {
    let (value, mask) = m.tos.value;
    put!(out, "{} --tos 0x{value:02x}/0x{mask:02x}", if m.tos.not { " !" } else { "" });
}

/// `-m tos` in a listing.
pub(super) fn list_tos(m: &TosMatch, style: Style, out: &mut String) {
    let (value, mask) = m.tos.value;
    out.push_str(" tos match");
    if m.tos.not {
        out.push('!');
    }
    match if style.numeric { None } else { names::tos_name(value, mask) } {
        Some(name) => put!(out, " {name}"),
        None => put!(out, "0x{value:02x}/0x{mask:02x}"),
    }
}

/// A codepoint by number or class.
pub(crate) fn dscp_class(text: &str) -> Result<u8, Fault> {
    let upper = text.to_ascii_uppercase();
    names::DSCP
        .iter()
        .find(|(name, _)| *name == upper)
        .map(|(_, value)| *value)
        .ok_or_else(|| Fault::param(words!("Invalid DSCP value `{text}'")))
}

const DSCP_OPTS: &[Opt] = &[
    opt("dscp", 0, Ty::Num(0, 63)).inv().not_with(&[1]),
    opt("dscp-class", 1, Ty::Text).inv().not_with(&[0]),
];

/// `-m dscp`.
pub(super) static DSCP: Ext<Match> = Ext {
    name: "dscp",
    family: None,
    opts: DSCP_OPTS,
    first: |args| one_of(args, "DSCP match: Parameter --dscp is required"),
    build: |args| {
        let Some(g) = args.given.last() else { return Err(Fault::Incomplete) };
        let value = if g.id == 0 { g.num() as u8 } else { dscp_class(&g.text)? };
        Ok(Match::Dscp(DscpMatch { dscp: g.inv(value) }))
    },
};

/// `-m dscp`'s option.
pub(super) fn save_dscp(m: &DscpMatch, out: &mut String) {
    put!(out, "{} --dscp 0x{:02x}", if m.dscp.not { " !" } else { "" }, m.dscp.value);
}

/// `-m dscp` in a listing.
pub(super) fn list_dscp(m: &DscpMatch, out: &mut String) {
    put!(out, " DSCP match {}0x{:02x}", if m.dscp.not { "!" } else { "" }, m.dscp.value);
}

/// `-m length`.
pub(super) static LENGTH: Ext<Match> = Ext {
    name: "length",
    family: None,
    opts: &[opt("length", 0, Ty::Range(0, 65535)).inv().must()],
    first: no_check,
    build: |args| match args.range::<u16>(0) {
        Some(length) => Ok(Match::Length(LengthMatch { length })),
        None => Err(Fault::Incomplete),
    },
};

/// `-m length`'s option.
pub(super) fn save_length(m: &LengthMatch, out: &mut String) {
    let (low, high) = m.length.value;
    put!(out, "{} --length {low}", if m.length.not { " !" } else { "" });
    if low != high {
        put!(out, ":{high}");
    }
}

/// `-m length` in a listing.
pub(super) fn list_length(m: &LengthMatch, out: &mut String) {
    let (low, high) = m.length.value;
    put!(out, " length {}{low}", if m.length.not { "!" } else { "" });
    if low != high {
        put!(out, ":{high}");
    }
}

/// `-m mac`.
pub(super) static MAC: Ext<Match> = Ext {
    name: "mac",
    family: None,
    opts: &[opt("mac-source", 0, Ty::Mac).inv().must()],
    first: no_check,
    build: |args| match args.get(0) {
        Some(g) => match g.val {
            Val::Mac(mac) => Ok(Match::Mac(MacMatch { source: g.inv(mac) })),
            _ => Err(Fault::Incomplete),
        },
        None => Err(Fault::Incomplete),
    },
};

fn put_mac(out: &mut String, mac: [u8; 6]) {
    for (i, byte) in mac.iter().enumerate() {
        put!(out, "{}{byte:02x}", if i == 0 { "" } else { ":" });
    }
}

/// `-m mac`'s option.
pub(super) fn save_mac(m: &MacMatch, out: &mut String) {
    out.push_str(if m.source.not { " ! --mac-source " } else { " --mac-source " });
    put_mac(out, m.source.value);
}

/// `-m mac` in a listing.
pub(super) fn list_mac(m: &MacMatch, out: &mut String) {
    out.push_str(if m.source.not { " MAC ! " } else { " MAC " });
    put_mac(out, m.source.value);
}

/// `-m mark`.
pub(super) static MARK: Ext<Match> = Ext {
    name: "mark",
    family: None,
    opts: &[opt("mark", 0, Ty::Mark).inv().must()],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        let (value, mask) = g.mark();
        Ok(Match::Mark(MarkMatch { mark: g.inv(MaskedMark { value, mask }) }))
    },
};

fn put_masked(out: &mut String, mark: &MaskedMark) {
    put!(out, "0x{:x}", mark.value);
    if mark.mask != u32::MAX {
        put!(out, "/0x{:x}", mark.mask);
    }
}

/// `--mark` of mark and connmark.
pub(super) fn save_mark(mark: &Inv<MaskedMark>, out: &mut String) {
    out.push_str(if mark.not { " ! --mark " } else { " --mark " });
    put_masked(out, &mark.value);
}

/// `-m mark` in a listing.
pub(super) fn list_mark(mark: &Inv<MaskedMark>, out: &mut String) {
    out.push_str(if mark.not { " mark match ! " } else { " mark match " });
    put_masked(out, &mark.value);
}

/// `-m connmark` in a listing.
pub(super) fn list_connmark(mark: &Inv<MaskedMark>, out: &mut String) {
    out.push_str(if mark.not { " connmark match ! " } else { " connmark match  " });
    put_masked(out, &mark.value);
}

const PKT_TYPES: [(&str, PktType); 5] = [
    ("unicast", PktType::Host),
    ("broadcast", PktType::Broadcast),
    ("multicast", PktType::Multicast),
    ("bcast", PktType::Broadcast),
    ("host", PktType::Host),
];

/// `-m pkttype`.
pub(super) static PKTTYPE: Ext<Match> = Ext {
    name: "pkttype",
    family: None,
    opts: &[opt("pkt-type", 0, Ty::Text).inv().must()],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        let lower = g.text.to_ascii_lowercase();
        let kind = match lower.as_str() {
            "mcast" => Some(PktType::Multicast),
            _ => PKT_TYPES.iter().find(|(name, _)| *name == lower).map(|(_, kind)| *kind),
        };
        match kind {
            Some(kind) => Ok(Match::Pkttype(PktTypeMatch { kind: g.inv(kind) })),
            None => Err(Fault::param(words!("Bad packet type '{}'", g.text))),
        }
    },
};

fn pkt_name(kind: PktType) -> &'static str {
    PKT_TYPES.iter().find(|(_, k)| *k == kind).map_or("otherhost", |(name, _)| name)
}

/// `-m pkttype`'s option.
pub(super) fn save_pkttype(m: &PktTypeMatch, out: &mut String) {
    put!(out, "{} --pkt-type {}", if m.kind.not { " !" } else { "" }, pkt_name(m.kind.value));
}

/// `-m pkttype` in a listing.
pub(super) fn list_pkttype(m: &PktTypeMatch, out: &mut String) {
    put!(out, " PKTTYPE {} {}", if m.kind.not { "!=" } else { "=" }, pkt_name(m.kind.value));
}
