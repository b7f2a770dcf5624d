//! Matches on devices, sockets, routes and IPsec: physdev, rpfilter, socket, cpu, devgroup, realm, policy, set.

use super::Style;
use crate::iptables::fault::Fault;
use crate::iptables::option::{self, Args, Ext, Given, Opt, Ty, no_check, opt};
use crate::iptables::{address, names, put};
use hookwalk_engine::Family;
use hookwalk_engine::matches::device::{CpuMatch, DevgroupMatch, RealmMatch};
use hookwalk_engine::matches::set::Compare;
use hookwalk_engine::matches::{
    Match, PhysdevMatch, PolicyMatch, RpfilterMatch, SetMatch, SetRef, SocketMatch,
};
use hookwalk_engine::ruleset::{IfName, Inv};
use hookwalk_engine::set::SetType;
use std::fmt::Write;

const PHYSDEV_OPTS: &[Opt] = &[
    opt("physdev-in", 0, Ty::Text).inv(),
    opt("physdev-out", 1, Ty::Text).inv(),
    opt("physdev-is-in", 2, Ty::Flag).inv(),
    opt("physdev-is-out", 3, Ty::Flag).inv(),
    opt("physdev-is-bridged", 4, Ty::Flag).inv(),
];

/// `-m physdev`.
pub(super) static PHYSDEV: Ext<Match> = Ext {
    name: "physdev",
    family: None,
    opts: PHYSDEV_OPTS,
    first: |args| {
        if args.given.is_empty() {
            return Err(Fault::param("PHYSDEV: no physdev option specified"));
        }
        Ok(())
    },
    build: |args| {
        let name = |id| args.get(id).map(|g| g.inv(IfName(g.text.as_str().into())));
        Ok(Match::Physdev(
            PhysdevMatch {
                physin: name(0),
                physout: name(1),
                is_in: args.flag(2),
                is_out: args.flag(3),
                is_bridged: args.flag(4),
            }
            .into(),
        ))
    },
};

/// `-m physdev`'s options.
pub(super) fn save_physdev(m: &PhysdevMatch, out: &mut String) {
    let mut flag = |name: &str, f: &Option<Inv<()>>, value: Option<&Inv<IfName>>| {
        let not = f.map_or(value.is_some_and(|v| v.not), |f| f.not);
        if f.is_some() || value.is_some() {
            put!(out, "{} --physdev-{name}", if not { " !" } else { "" });
        }
        if let Some(value) = value {
            put!(out, " {}", value.value.0);
        }
    };
    flag("is-in", &m.is_in, None);
    flag("in", &None, m.physin.as_ref());
    flag("is-out", &m.is_out, None);
    flag("out", &None, m.physout.as_ref());
    flag("is-bridged", &m.is_bridged, None);
}

/// `-m physdev` in a listing.
pub(super) fn list_physdev(m: &PhysdevMatch, out: &mut String) {
    out.push_str(" PHYSDEV match");
    save_physdev(m, out);
}

const RPFILTER_OPTS: &[Opt] = &[
    opt("loose", 0, Ty::Flag),
    opt("validmark", 1, Ty::Flag),
    opt("accept-local", 2, Ty::Flag),
    opt("invert", 3, Ty::Flag),
];

/// `-m rpfilter`.
pub(super) static RPFILTER: Ext<Match> = Ext {
    name: "rpfilter",
    family: None,
    opts: RPFILTER_OPTS,
    first: no_check,
    build: |args| {
        Ok(Match::Rpfilter(RpfilterMatch {
            loose: args.has(0),
            valid_mark: args.has(1),
            accept_local: args.has(2),
            invert: args.has(3),
        }))
    },
};

/// `-m rpfilter`'s options, with this before each.
pub(super) fn put_rpfilter(m: &RpfilterMatch, dashes: &str, out: &mut String) {
    let all = [
        (m.loose, "loose"),
        (m.valid_mark, "validmark"),
        (m.accept_local, "accept-local"),
        (m.invert, "invert"),
    ];
    for (_, name) in all.iter().filter(|(on, _)| *on) {
        put!(out, " {dashes}{name}");
    }
}

const SOCKET_OPTS: &[Opt] =
    &[opt("transparent", 0, Ty::Flag), opt("nowildcard", 1, Ty::Flag), opt("restore-skmark", 2, Ty::Flag)];

/// `-m socket`.
pub(super) static SOCKET: Ext<Match> = Ext {
    name: "socket",
    family: None,
    opts: SOCKET_OPTS,
    first: no_check,
    build: |args| {
        Ok(Match::Socket(SocketMatch {
            transparent: args.has(0),
            nowildcard: args.has(1),
            restore_skmark: args.has(2),
        }))
    },
};

/// `-m socket`'s options, in a listing too.
pub(super) fn save_socket(m: &SocketMatch, out: &mut String) {
    let all =
        [(m.transparent, "transparent"), (m.nowildcard, "nowildcard"), (m.restore_skmark, "restore-skmark")];
    for (_, name) in all.iter().filter(|(on, _)| *on) {
        put!(out, " --{name}");
    }
}

/// `-m cpu`.
pub(super) static CPU: Ext<Match> = Ext {
    name: "cpu",
    family: None,
    opts: &[opt("cpu", 0, Ty::Num(0, u32::MAX as u64)).inv().must()],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        Ok(Match::Cpu(CpuMatch { cpu: g.inv(g.num() as u32) }))
    },
};

/// `-m cpu`'s option.
pub(super) fn save_cpu(m: &CpuMatch, out: &mut String) {
    put!(out, "{} --cpu {}", if m.cpu.not { " !" } else { "" }, m.cpu.value);
}

/// `-m cpu` in a listing.
pub(super) fn list_cpu(m: &CpuMatch, out: &mut String) {
    put!(out, " cpu{} {}", if m.cpu.not { " !" } else { "" }, m.cpu.value);
}

/// The names that iproute2's `group` and `rt_realms` give to 0.
const GROUP_0: &str = "default";
const REALM_0: &str = "cosmos";

/// `VALUE[/MASK]`, or the name of 0, with the option's own sentence where it is none.
fn masked(g: &Given, what: &str, zero: &str) -> Result<Inv<(u32, u32)>, Fault> {
    if g.text == zero {
        return Ok(g.inv((0, u32::MAX)));
    }
    option::mark(&g.text)
        .map(|v| g.inv(v))
        .ok_or_else(|| Fault::param(words!("{what}: Bad value for \"--{}\" option: \"{}\"", g.name, g.text)))
}

fn put_hex(out: &mut String, (value, mask): (u32, u32), zero: Option<&str>) {
    if let (0, u32::MAX, Some(name)) = (value, mask, zero) {
        out.push_str(name);
        return;
    }
    put!(out, "0x{value:x}");
    if mask != u32::MAX {
        put!(out, "/0x{mask:x}");
    }
}

const DEVGROUP_OPTS: &[Opt] = &[opt("src-group", 0, Ty::Text).inv(), opt("dst-group", 1, Ty::Text).inv()];

/// `-m devgroup`.
pub(super) static DEVGROUP: Ext<Match> = Ext {
    name: "devgroup",
    family: None,
    opts: DEVGROUP_OPTS,
    first: |args| {
        if args.given.is_empty() {
            return Err(Fault::param(
                "devgroup match: You must specify either '--src-group' or '--dst-group'",
            ));
        }
        Ok(())
    },
    build: |args| {
        let group = |id| args.get(id).map(|g| masked(g, "devgroup", GROUP_0)).transpose();
        Ok(Match::Devgroup(DevgroupMatch { src: group(0)?, dst: group(1)? }))
    },
};

/// `-m devgroup`, with this before each option.
pub(super) fn put_devgroup(m: &DevgroupMatch, dashes: &str, numeric: bool, out: &mut String) {
    for (name, group) in [("src-group", &m.src), ("dst-group", &m.dst)] {
        if let Some(group) = group {
            put!(out, "{} {dashes}{name} ", if group.not { " !" } else { "" });
            put_hex(out, group.value, (!numeric).then_some(GROUP_0));
        }
    }
}

/// `-m realm`.
pub(super) static REALM: Ext<Match> = Ext {
    name: "realm",
    family: Some(hookwalk_engine::Family::V4),
    opts: &[opt("realm", 0, Ty::Text).inv().must()],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        Ok(Match::Realm(RealmMatch { realm: masked(g, "realm", REALM_0)? }))
    },
};

/// `-m realm`, with this before its option.
pub(super) fn put_realm(m: &RealmMatch, dashes: &str, numeric: bool, out: &mut String) {
    put!(out, "{} {dashes}realm ", if m.realm.not { " !" } else { "" });
    put_hex(out, m.realm.value, (!numeric).then_some(REALM_0));
}

const POLICY_OPTS: &[Opt] = &[
    opt("dir", 0, Ty::Text),
    opt("pol", 1, Ty::Text),
    opt("strict", 2, Ty::Flag),
    opt("reqid", 3, Ty::Num(0, u32::MAX as u64)).inv().multi(),
    opt("spi", 4, Ty::Num(0, u32::MAX as u64)).inv().multi(),
    opt("tunnel-src", 5, Ty::HostMask).inv().multi(),
    opt("tunnel-dst", 6, Ty::HostMask).inv().multi(),
    opt("proto", 7, Ty::Proto).inv().multi(),
    opt("mode", 8, Ty::Text).inv().multi(),
    opt("next", 9, Ty::Flag).multi(),
];

/// `-m policy`.
pub(super) static POLICY: Ext<Match> =
    Ext { name: "policy", family: None, opts: POLICY_OPTS, first: policy_check, build: build_policy };

fn elements<'a>(args: &'a Args<'_>) -> Vec<Vec<&'a Given>> {
    let mut all = vec![Vec::new()];
    for g in &args.given {
        match g.id {
            9 => all.push(Vec::new()),
            3..=8 => {
                if let Some(last) = all.last_mut() {
                    last.push(g);
                }
            }
            _ => {}
        }
    }
    all
}

fn policy_check(args: &Args<'_>) -> Result<(), Fault> {
    for g in &args.given {
        let known = match g.id {
            0 => matches!(g.text.as_str(), "in" | "out"),
            1 => matches!(g.text.as_str(), "none" | "ipsec"),
            8 => matches!(g.text.as_str(), "transport" | "tunnel"),
            _ => true,
        };
        if !known {
            return Err(Fault::param(match g.id {
                0 => format!("policy_match: invalid dir \"{}\"", g.text),
                1 => format!("policy match: invalid policy \"{}\"", g.text),
                _ => format!("policy match: invalid mode \"{}\"", g.text),
            }));
        }
    }
    if !args.has(0) {
        return Err(Fault::param("policy match: neither --dir in nor --dir out specified"));
    }
    let none = args.get(1).is_some_and(|g| g.text == "none");
    let all = elements(args);
    if none {
        if args.has(2) {
            return Err(Fault::param("policy match: policy none but --strict given"));
        }
        if all.iter().any(|e| !e.is_empty()) {
            return Err(Fault::param("policy match: policy none but policy given"));
        }
        return Ok(());
    }
    if all.len() > 1 && !args.has(2) {
        return Err(Fault::param("policy match: multiple elements but no --strict"));
    }
    for (i, e) in all.iter().enumerate() {
        let has = |id: u8| e.iter().any(|g| g.id == id);
        if args.has(2) && e.is_empty() {
            return Err(Fault::param(words!(
                "policy match: empty policy element {i}. --strict is in effect, but at least one of reqid, \
                 spi, tunnel-src, tunnel-dst, proto or mode is required."
            )));
        }
        let tunnel = e.iter().any(|g| g.id == 8 && g.text == "tunnel" && !g.not);
        if (has(5) || has(6)) && !tunnel {
            return Err(Fault::param("policy match: --tunnel-src/--tunnel-dst is only valid in tunnel mode"));
        }
    }
    Ok(())
}

fn build_policy(args: &Args<'_>) -> Result<Match, Fault> {
    let mut rest = String::new();
    if args.has(2) {
        rest.push_str("--strict");
    }
    for (i, e) in elements(args).iter().enumerate() {
        if i > 0 {
            rest.push_str(" --next");
        }
        for id in [3, 4, 7, 8, 6, 5] {
            let Some(g) = e.iter().rev().find(|g| g.id == id) else { continue };
            if !rest.is_empty() {
                rest.push(' ');
            }
            put!(rest, "{}--{} ", if g.not { "! " } else { "" }, g.name);
            match id {
                3 => put!(rest, "{}", g.num()),
                4 => put!(rest, "0x{:x}", g.num()),
                7 => match names::protocol_name(g.num() as u8) {
                    Some(name) => rest.push_str(name),
                    None => put!(rest, "{}", g.num()),
                },
                8 => rest.push_str(&g.text),
                _ => address::put_short(&mut rest, &g.net(), args.family),
            }
        }
    }
    let out = args.get(0).is_some_and(|g| g.text == "out");
    let none = args.get(1).is_some_and(|g| g.text == "none");
    Ok(Match::Policy(PolicyMatch { out, none, rest: rest.into() }.into()))
}

fn put_policy(m: &PolicyMatch, dashes: &str, out: &mut String) {
    put!(
        out,
        " {dashes}dir {} {dashes}pol {}",
        if m.out { "out" } else { "in" },
        if m.none { "none" } else { "ipsec" }
    );
}

/// `-m policy`'s options.
pub(super) fn save_policy(m: &PolicyMatch, out: &mut String) {
    put_policy(m, "--", out);
    if !m.rest.is_empty() {
        put!(out, " {}", m.rest);
    }
}

/// `-m policy` in a listing.
pub(super) fn list_policy(m: &PolicyMatch, style: Style, out: &mut String) {
    out.push_str(" policy match");
    put_policy(m, "", out);
    let several = m.rest.contains("--next");
    let mut n = 0;
    let mut number_next = false;
    for word in m.rest.split(' ').filter(|w| !w.is_empty()) {
        match word.strip_prefix("--") {
            Some("strict") => {
                out.push_str(" strict");
                if several {
                    out.push_str(" [0]");
                }
            }
            Some("next") => {
                n += 1;
                put!(out, " [{n}]");
            }
            Some(name) => {
                put!(out, " {name}");
                number_next = name == "proto" && style.numeric;
            }
            None if number_next && word != "!" => {
                match names::protocol(word) {
                    Some(proto) => put!(out, " {proto}"),
                    None => put!(out, " {word}"),
                }
                number_next = false;
            }
            None => put!(out, " {word}"),
        }
    }
}

const SET_OPTS: &[Opt] = &[
    opt("match-set", 0, Ty::Two("--match-set requires two args.")).inv(),
    opt("set", 0, Ty::Two("--match-set requires two args.")).inv(),
    opt("return-nomatch", 1, Ty::Flag),
    opt("update-counters", 2, Ty::Flag).inv(),
    opt("packets-eq", 3, Ty::Num(0, u64::MAX)).inv().not_with(&[4, 5]),
    opt("packets-lt", 4, Ty::Num(0, u64::MAX)).not_with(&[3, 5]),
    opt("packets-gt", 5, Ty::Num(0, u64::MAX)).not_with(&[3, 4]),
    opt("bytes-eq", 6, Ty::Num(0, u64::MAX)).inv().not_with(&[7, 8]),
    opt("bytes-lt", 7, Ty::Num(0, u64::MAX)).not_with(&[6, 8]),
    opt("bytes-gt", 8, Ty::Num(0, u64::MAX)).not_with(&[6, 7]),
    opt("update-subcounters", 9, Ty::Flag).inv(),
];

/// `-m set`.
pub(super) static SET: Ext<Match> = Ext {
    name: "set",
    family: None,
    opts: SET_OPTS,
    first: |args| {
        if args.has(0) {
            return Ok(());
        }
        Err(Fault::param("You must specify `--match-set' with proper arguments"))
    },
    build: build_set,
};

/// `NAME DIRECTIONS`; the set must be there.
pub(crate) fn set_ref(args: &Args<'_>, g: &Given) -> Result<SetRef, Fault> {
    if g.text.len() > 31 {
        return Err(Fault::param(words!("setname `{}' too long, max 31 characters.", g.text)));
    }
    let Some(found) = args.net.sets.get(&g.text) else {
        return Err(Fault::param(words!("Set {} doesn't exist.\n", g.text)));
    };
    let both = matches!(found.header.kind, SetType::BitmapPort | SetType::HashMac | SetType::ListSet);
    if !both && found.header.family != args.family {
        let family = match found.header.family {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        };
        return Err(Fault::param(words!(
            "The protocol family of set {} is {family}, which is not applicable.\n",
            g.text
        )));
    }
    let mut set = SetRef { name: g.text.as_str().into(), src: [false; 6], dims: 0 };
    for word in g.second.split(',') {
        let at = usize::from(set.dims);
        if at >= set.src.len() {
            return Err(Fault::param("Can't be more src/dst options than 6."));
        }
        match word {
            "src" => set.src[at] = true,
            "dst" => {}
            _ => return Err(Fault::param("You must spefify (the comma separated list of) 'src' or 'dst'.")),
        }
        set.dims += 1;
    }
    Ok(set)
}

fn build_set(args: &Args<'_>) -> Result<Match, Fault> {
    let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
    let compare = |ids: [u8; 3]| {
        let found = args.given.iter().find(|g| ids.contains(&g.id))?;
        let n = found.num();
        Some(match (found.id - ids[0], found.not) {
            (0, false) => Compare::Eq(n),
            (0, true) => Compare::Ne(n),
            (1, _) => Compare::Lt(n),
            _ => Compare::Gt(n),
        })
    };
    Ok(Match::Set(
        SetMatch {
            set: g.inv(set_ref(args, g)?),
            return_nomatch: args.has(1),
            no_update_counters: args.get(2).is_some_and(|g| g.not),
            no_update_subcounters: args.get(9).is_some_and(|g| g.not),
            packets: compare([3, 4, 5]),
            bytes: compare([6, 7, 8]),
        }
        .into(),
    ))
}

/// `NAME src,dst`.
pub(crate) fn put_set(out: &mut String, set: &SetRef) {
    let _ = write!(out, " {} ", set.name);
    for (i, src) in set.src.iter().take(usize::from(set.dims)).enumerate() {
        put!(out, "{}{}", if i == 0 { "" } else { "," }, if *src { "src" } else { "dst" });
    }
}

fn put_set_match(m: &SetMatch, dashes: &str, out: &mut String) {
    put!(out, "{} {dashes}match-set", if m.set.not { " !" } else { "" });
    put_set(out, &m.set.value);
    if m.return_nomatch {
        put!(out, " {dashes}return-nomatch");
    }
    if m.no_update_counters {
        put!(out, " ! {dashes}update-counters");
    }
    if m.no_update_subcounters {
        put!(out, " ! {dashes}update-subcounters");
    }
    for (name, compare) in [("packets", m.packets), ("bytes", m.bytes)] {
        match compare {
            Some(Compare::Eq(n)) => put!(out, " {dashes}{name}-eq {n}"),
            Some(Compare::Ne(n)) => put!(out, " ! {dashes}{name}-eq {n}"),
            Some(Compare::Lt(n)) => put!(out, " {dashes}{name}-lt {n}"),
            Some(Compare::Gt(n)) => put!(out, " {dashes}{name}-gt {n}"),
            None => {}
        }
    }
}

/// `-m set`'s options.
pub(super) fn save_set(m: &SetMatch, out: &mut String) {
    put_set_match(m, "--", out);
}

/// `-m set` in a listing.
pub(super) fn list_set(m: &SetMatch, out: &mut String) {
    put_set_match(m, "", out);
}
