//! Targets with few options: REJECT, TTL, HL, TOS, DSCP, CT.

use crate::iptables::fault::Fault;
use crate::iptables::matches::Style;
use crate::iptables::option::{Args, Ext, Given, Opt, Ty, Val, no_check, opt};
use crate::iptables::{names, number, put};
use hookwalk_engine::Family;
use hookwalk_engine::targets::{CtTarget, RejectWith, Target, TosTarget, TtlTarget, ZoneDir, ZoneId};

/// Short names that `--reject-with` takes besides.
const REJECT_ALIASES: &[(&str, RejectWith)] = &[
    ("net-unreach", RejectWith::IcmpNetUnreachable),
    ("host-unreach", RejectWith::IcmpHostUnreachable),
    ("proto-unreach", RejectWith::IcmpProtoUnreachable),
    ("port-unreach", RejectWith::IcmpPortUnreachable),
    ("net-prohib", RejectWith::IcmpNetProhibited),
    ("host-prohib", RejectWith::IcmpHostProhibited),
    ("tcp-rst", RejectWith::TcpReset),
    ("admin-prohib", RejectWith::IcmpAdminProhibited),
];

const REJECT6_ALIASES: &[(&str, RejectWith)] = &[
    ("no-route", RejectWith::Icmp6NoRoute),
    ("adm-prohibited", RejectWith::Icmp6AdmProhibited),
    ("addr-unreach", RejectWith::Icmp6AddrUnreachable),
    ("port-unreach", RejectWith::Icmp6PortUnreachable),
    ("policy-fail", RejectWith::Icmp6PolicyFail),
    ("reject-route", RejectWith::Icmp6RejectRoute),
];

/// `-j REJECT` of IPv4.
pub(super) static REJECT: Ext<Target> = Ext {
    name: "REJECT",
    family: Some(Family::V4),
    opts: &[opt("reject-with", 0, Ty::Text)],
    first: no_check,
    build: build_reject,
};

/// `-j REJECT` of IPv6.
pub(super) static REJECT6: Ext<Target> = Ext {
    name: "REJECT",
    family: Some(Family::V6),
    opts: &[opt("reject-with", 0, Ty::Text)],
    first: no_check,
    build: build_reject,
};

fn build_reject(args: &Args<'_>) -> Result<Target, Fault> {
    let v4 = args.family == Family::V4;
    let Some(g) = args.get(0) else {
        let default = if v4 { RejectWith::IcmpPortUnreachable } else { RejectWith::Icmp6PortUnreachable };
        return Ok(Target::Reject(default));
    };
    let lower = g.text.to_ascii_lowercase();
    let of_family =
        |with: RejectWith, name: &str| with == RejectWith::TcpReset || name.starts_with("icmp6-") != v4;
    // The tool compares as far as what was written goes.
    let long = RejectWith::NAMES
        .iter()
        .filter(|(with, name)| of_family(*with, name))
        .map(|(with, name)| (*name, *with));
    // The one that both families have comes last but for the short names.
    let reset = |with: &(&str, RejectWith)| with.1 == RejectWith::TcpReset;
    let icmp = long.clone().filter(|w| !reset(w));
    let short = if v4 { REJECT_ALIASES } else { REJECT6_ALIASES }.iter().copied();
    icmp.chain(long.filter(reset))
        .chain(short)
        .find(|(name, _)| name.starts_with(&lower))
        .map(|(_, with)| Target::Reject(with))
        .ok_or_else(|| Fault::param(words!("unknown reject type \"{}\"", g.text)))
}

fn reject_name(with: RejectWith) -> &'static str {
    RejectWith::NAMES.iter().find(|(w, _)| *w == with).map_or("", |(_, name)| name)
}

/// `-j REJECT`'s option.
pub(super) fn save_reject(with: RejectWith, out: &mut String) {
    put!(out, " --reject-with {}", reject_name(with));
}

/// `-j REJECT` in a listing.
pub(super) fn list_reject(with: RejectWith, out: &mut String) {
    put!(out, " reject-with {}", reject_name(with));
}

const TTL_OPTS: &[Opt] = &[
    opt("ttl-set", 0, Ty::Num(0, 255)).not_with(&[1, 2]),
    opt("ttl-dec", 2, Ty::Num(1, 255)).not_with(&[0, 1]),
    opt("ttl-inc", 1, Ty::Num(1, 255)).not_with(&[0, 2]),
];

/// `-j TTL`.
pub(super) static TTL: Ext<Target> = Ext {
    name: "TTL",
    family: Some(Family::V4),
    opts: TTL_OPTS,
    first: |args| hop_action(args, "TTL: You must specify an action"),
    build: |args| Ok(Target::Ttl(hop(args))),
};

const HL_OPTS: &[Opt] = &[
    opt("hl-set", 0, Ty::Num(0, 255)).not_with(&[1, 2]),
    opt("hl-dec", 2, Ty::Num(1, 255)).not_with(&[0, 1]),
    opt("hl-inc", 1, Ty::Num(1, 255)).not_with(&[0, 2]),
];

/// `-j HL`.
pub(super) static HL: Ext<Target> = Ext {
    name: "HL",
    family: Some(Family::V6),
    opts: HL_OPTS,
    first: |args| hop_action(args, "HL: You must specify an action"),
    build: |args| Ok(Target::Hl(hop(args))),
};

fn hop_action(args: &Args<'_>, message: &str) -> Result<(), Fault> {
    if args.given.is_empty() { Err(Fault::param(message)) } else { Ok(()) }
}

fn hop(args: &Args<'_>) -> TtlTarget {
    let (id, value) = args.given.last().map_or((0, 0), |g| (g.id, g.num() as u8));
    match id {
        0 => TtlTarget::Set(value),
        1 => TtlTarget::Inc(value),
        _ => TtlTarget::Dec(value),
    }
}

/// `-j TTL`'s and `-j HL`'s option.
pub(super) fn save_ttl(t: &TtlTarget, name: &str, out: &mut String) {
    match t {
        TtlTarget::Set(v) => put!(out, " --{name}-set {v}"),
        TtlTarget::Inc(v) => put!(out, " --{name}-inc {v}"),
        TtlTarget::Dec(v) => put!(out, " --{name}-dec {v}"),
    }
}

/// `-j TTL` and `-j HL` in a listing.
pub(super) fn list_ttl(t: &TtlTarget, name: &str, out: &mut String) {
    match t {
        TtlTarget::Set(v) => put!(out, " {name} set to {v}"),
        TtlTarget::Inc(v) => put!(out, " {name} increment by {v}"),
        TtlTarget::Dec(v) => put!(out, " {name} decrement by {v}"),
    }
}

const TOS_OPTS: &[Opt] = &[
    opt("set-xtos", 0, Ty::Tos).not_with(&[1, 2, 3, 4]),
    opt("set-tos", 1, Ty::Tos).not_with(&[0, 2, 3, 4]),
    opt("and-tos", 2, Ty::Num(0, 255)).not_with(&[0, 1, 3, 4]),
    opt("or-tos", 3, Ty::Num(0, 255)).not_with(&[0, 1, 2, 4]),
    opt("xor-tos", 4, Ty::Num(0, 255)).not_with(&[0, 1, 2, 3]),
];

/// `-j TOS`.
pub(super) static TOS: Ext<Target> = Ext {
    name: "TOS",
    family: None,
    opts: TOS_OPTS,
    first: |args| {
        if args.given.is_empty() { Err(Fault::param("TOS: An action is required")) } else { Ok(()) }
    },
    build: |args| {
        let Some(g) = args.given.last() else { return Err(Fault::param("TOS: An action is required")) };
        let number = g.num() as u8;
        let (value, mask) = match (g.id, &g.val) {
            (0, Val::Tos(v, m)) => (*v, *m),
            (1, Val::Tos(v, m)) => (*v, *v | *m),
            (2, _) => (0, !number),
            (3, _) => (number, number),
            _ => (number, 0),
        };
        Ok(Target::Tos(TosTarget { value, mask }))
    },
};

/// `-j TOS`'s option.
pub(super) fn save_tos(t: &TosTarget, out: &mut String) {
    put!(out, " --set-tos 0x{:02x}/0x{:02x}", t.value, t.mask);
}

/// `-j TOS` in a listing.
pub(super) fn list_tos(t: &TosTarget, style: Style, out: &mut String) {
    let TosTarget { value, mask } = *t;
    if style.numeric {
        put!(out, " TOS set 0x{value:02x}/0x{mask:02x}");
        return;
    }
    if let Some(name) = names::tos_name(value, mask) {
        put!(out, "  TOS set{name}");
    } else if value == 0 {
        put!(out, " TOS and 0x{:02x}", !mask);
    } else if value == mask {
        put!(out, " TOS or 0x{value:02x}");
    } else if mask == 0 {
        put!(out, " TOS xor 0x{value:02x}");
    } else {
        put!(out, " TOS set 0x{value:02x}/0x{mask:02x}");
    }
}

const DSCP_OPTS: &[Opt] =
    &[opt("set-dscp", 0, Ty::Num(0, 63)).not_with(&[1]), opt("set-dscp-class", 1, Ty::Text).not_with(&[0])];

/// `-j DSCP`.
pub(super) static DSCP: Ext<Target> = Ext {
    name: "DSCP",
    family: None,
    opts: DSCP_OPTS,
    first: |args| {
        if args.given.is_empty() {
            return Err(Fault::param("DSCP target: Parameter --set-dscp is required"));
        }
        Ok(())
    },
    build: |args| match args.given.last() {
        Some(g) if g.id == 1 => Ok(Target::Dscp(crate::iptables::matches::dscp_class(&g.text)?)),
        Some(g) => Ok(Target::Dscp(g.num() as u8)),
        None => Err(Fault::param("DSCP target: Parameter --set-dscp is required")),
    },
};

/// `-j DSCP`'s option.
pub(super) fn save_dscp(value: u8, out: &mut String) {
    put!(out, " --set-dscp 0x{value:02x}");
}

/// `-j DSCP` in a listing.
pub(super) fn list_dscp(value: u8, out: &mut String) {
    put!(out, " DSCP set 0x{value:02x}");
}

const CT_OPTS: &[Opt] = &[
    opt("notrack", 0, Ty::Flag),
    opt("helper", 1, Ty::Text),
    opt("timeout", 2, Ty::Text),
    opt("ctevents", 3, Ty::Text),
    opt("expevents", 4, Ty::Text),
    opt("zone-orig", 5, Ty::Text),
    opt("zone-reply", 6, Ty::Text),
    opt("zone", 7, Ty::Text),
];

/// `-j CT`.
pub(super) static CT: Ext<Target> =
    Ext { name: "CT", family: None, opts: CT_OPTS, first: no_check, build: build_ct };

/// `enum ip_conntrack_events` by its names here.
const CT_EVENTS: [(&str, u32); 12] = [
    ("new", 0),
    ("related", 1),
    ("destroy", 2),
    ("reply", 3),
    ("assured", 4),
    ("protoinfo", 5),
    ("helper", 6),
    ("mark", 7),
    ("natseqinfo", 8),
    ("secmark", 9),
    ("label", 10),
    ("synproxy", 11),
];

fn events(text: &str, table: &[(&str, u32)]) -> Result<u32, Fault> {
    let mut bits = 0;
    for word in text.split(',') {
        match table.iter().find(|(name, _)| *name == word) {
            Some((_, bit)) => bits |= 1 << bit,
            None => return Err(Fault::param(words!("Unknown event type \"{word}\""))),
        }
    }
    Ok(bits)
}

fn zone(g: &Given) -> Result<ZoneId, Fault> {
    if g.text == "mark" {
        return Ok(ZoneId::Mark);
    }
    match number::whole(&g.text, 0, 65535) {
        Some(id) => Ok(ZoneId::Number(id as u16)),
        None => Err(Fault::param(words!("Cannot parse {} as a zone ID", g.text))),
    }
}

fn build_ct(args: &Args<'_>) -> Result<Target, Fault> {
    let mut t = CtTarget { notrack: args.has(0), ..CtTarget::default() };
    for g in &args.given {
        match g.id {
            1 => t.helper = Some(g.text.as_str().into()),
            2 => t.timeout = Some(g.text.as_str().into()),
            3 => t.ctevents = Some(events(&g.text, &CT_EVENTS)?),
            4 => t.expevents = Some(events(&g.text, &CT_EVENTS[..1])?),
            5 => t.zone = Some((ZoneDir::Original, zone(g)?)),
            6 => t.zone = Some((ZoneDir::Reply, zone(g)?)),
            7 => t.zone = Some((ZoneDir::Both, zone(g)?)),
            _ => {}
        }
    }
    // One direction and the other make both, with the last number.
    if args.has(5)
        && args.has(6)
        && let Some((dir, _)) = &mut t.zone
    {
        *dir = ZoneDir::Both;
    }
    Ok(Target::Ct(t.into()))
}

fn put_ct(t: &CtTarget, dashes: &str, out: &mut String) {
    if t.notrack {
        put!(out, " {dashes}notrack");
    }
    if let Some(helper) = &t.helper {
        put!(out, " {dashes}helper {helper}");
    }
    if let Some(timeout) = &t.timeout {
        put!(out, " {dashes}timeout {timeout}");
    }
    for (name, events) in [("ctevents", t.ctevents), ("expevents", t.expevents)] {
        if let Some(events) = events {
            let names: Vec<&str> =
                CT_EVENTS.iter().filter(|(_, bit)| events & 1 << bit != 0).map(|(n, _)| *n).collect();
            put!(out, " {dashes}{name} {}", names.join(","));
        }
    }
    if let Some((dir, id)) = &t.zone {
        let name = match dir {
            ZoneDir::Both => "zone",
            ZoneDir::Original => "zone-orig",
            ZoneDir::Reply => "zone-reply",
        };
        match id {
            ZoneId::Mark => put!(out, " {dashes}{name} mark"),
            ZoneId::Number(id) => put!(out, " {dashes}{name} {id}"),
        }
    }
}

/// `-j CT`'s options.
pub(super) fn save_ct(t: &CtTarget, out: &mut String) {
    put_ct(t, "--", out);
}

/// `-j CT` in a listing.
pub(super) fn list_ct(t: &CtTarget, out: &mut String) {
    out.push_str(" CT");
    put_ct(t, "", out);
}
