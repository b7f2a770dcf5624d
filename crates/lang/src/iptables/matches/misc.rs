//! Matches of all kinds: comment, addrtype, iprange, owner.

use super::Style;
use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, no_check, opt};
use crate::iptables::{address, number, put, put_quoted};
use hookwalk_engine::matches::addrtype::AddrTypes;
use hookwalk_engine::matches::{AddrTypeMatch, IprangeMatch, Match, OwnerMatch};
use hookwalk_engine::ruleset::Inv;
use hookwalk_engine::{Addr, Family};

/// `-m comment`.
pub(super) static COMMENT: Ext<Match> = Ext {
    name: "comment",
    family: None,
    opts: &[opt("comment", 0, Ty::Text).must()],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        // What is longer is cut off.
        let mut end = g.text.len().min(255);
        while !g.text.is_char_boundary(end) {
            end -= 1;
        }
        Ok(Match::Comment(g.text[..end].into()))
    },
};

/// `-m comment`'s option.
pub(super) fn save_comment(text: &str, out: &mut String) {
    out.push_str(" --comment");
    put_quoted(out, text);
}

/// `-m comment` in a listing.
pub(super) fn list_comment(text: &str, out: &mut String) {
    put!(out, " /* {text} */");
}

const ADDRTYPE_OPTS: &[Opt] = &[
    opt("src-type", 0, Ty::Text).inv(),
    opt("dst-type", 1, Ty::Text).inv(),
    opt("limit-iface-in", 2, Ty::Flag).not_with(&[3]),
    opt("limit-iface-out", 3, Ty::Flag).not_with(&[2]),
];

/// `-m addrtype`.
pub(super) static ADDRTYPE: Ext<Match> = Ext {
    name: "addrtype",
    family: None,
    opts: ADDRTYPE_OPTS,
    first: |args| {
        if args.has(0) || args.has(1) {
            return Ok(());
        }
        Err(Fault::param("addrtype: you must specify --src-type or --dst-type"))
    },
    build: build_addrtype,
};

fn addr_types(text: &str) -> Result<AddrTypes, Fault> {
    let mut set = AddrTypes(0);
    for word in text.split(',') {
        let upper = word.to_ascii_uppercase();
        match AddrTypes::NAMES.iter().find(|(name, _)| !word.is_empty() && name.starts_with(&upper)) {
            Some((_, bit)) => set.0 |= bit.0,
            None => return Err(Fault::param(words!("addrtype: bad type \"{word}\""))),
        }
    }
    Ok(set)
}

fn build_addrtype(args: &Args<'_>) -> Result<Match, Fault> {
    let types = |id| match args.get(id) {
        Some(g) => addr_types(&g.text).map(|t| Some(g.inv(t))),
        None => Ok(None),
    };
    Ok(Match::Addrtype(AddrTypeMatch {
        src: types(0)?,
        dst: types(1)?,
        limit_iface_in: args.has(2),
        limit_iface_out: args.has(3),
    }))
}

fn put_types(out: &mut String, set: AddrTypes) {
    let names: Vec<&str> =
        AddrTypes::NAMES.iter().filter(|(_, bit)| set.0 & bit.0 != 0).map(|(name, _)| *name).collect();
    out.push_str(&names.join(","));
}

/// `-m addrtype`'s options.
pub(super) fn save_addrtype(m: &AddrTypeMatch, out: &mut String) {
    let mut types = |name: &str, types: &Option<Inv<AddrTypes>>| {
        if let Some(types) = types {
            put!(out, "{} --{name} ", if types.not { " !" } else { "" });
            put_types(out, types.value);
        }
    };
    types("src-type", &m.src);
    types("dst-type", &m.dst);
    if m.limit_iface_in {
        out.push_str(" --limit-iface-in");
    }
    if m.limit_iface_out {
        out.push_str(" --limit-iface-out");
    }
}

/// `-m addrtype` in a listing.
pub(super) fn list_addrtype(m: &AddrTypeMatch, out: &mut String) {
    out.push_str(" ADDRTYPE match");
    let mut types = |name: &str, types: &Option<Inv<AddrTypes>>| {
        if let Some(types) = types {
            put!(out, " {name} {}", if types.not { "!" } else { "" });
            put_types(out, types.value);
        }
    };
    types("src-type", &m.src);
    types("dst-type", &m.dst);
    if m.limit_iface_in {
        out.push_str(" limit-in");
    }
    if m.limit_iface_out {
        out.push_str(" limit-out");
    }
}

const IPRANGE_OPTS: &[Opt] = &[opt("src-range", 0, Ty::Text).inv(), opt("dst-range", 1, Ty::Text).inv()];

/// `-m iprange`.
pub(super) static IPRANGE: Ext<Match> = Ext {
    name: "iprange",
    family: None,
    opts: IPRANGE_OPTS,
    first: |args| {
        if args.given.is_empty() {
            return Err(Fault::param("iprange match: You must specify `--src-range' or `--dst-range'"));
        }
        Ok(())
    },
    build: |args| {
        let range = |id| match args.get(id) {
            Some(g) => {
                let range = addr_range(&g.text, args.family, g.name)?;
                if range.0 > range.1 {
                    args.warn(&format!("xt_iprange: range {} is reversed and will never match", g.text));
                }
                Ok(Some(g.inv(range)))
            }
            None => Ok(None),
        };
        Ok(Match::Iprange(IprangeMatch { src: range(0)?, dst: range(1)? }.into()))
    },
};

fn addr_range(text: &str, family: Family, option: &str) -> Result<(Addr, Addr), Fault> {
    let addr = |part: &str| {
        address::literal(part, family)
            .ok_or_else(|| Fault::param(words!("iprange: Bad value for \"--{option}\" option: \"{part}\"")))
    };
    match text.split_once('-') {
        Some((low, high)) => {
            // A reversed range holds nothing; the tool only warns.
            Ok((addr(low)?, addr(high)?))
        }
        None => addr(text).map(|a| (a, a)),
    }
}

fn put_addr_range(out: &mut String, range: (Addr, Addr), family: Family) {
    address::put(out, range.0, family);
    out.push('-');
    address::put(out, range.1, family);
}

/// `-m iprange`'s options.
pub(super) fn save_iprange(m: &IprangeMatch, family: Family, out: &mut String) {
    for (name, range) in [("src-range", &m.src), ("dst-range", &m.dst)] {
        if let Some(range) = range {
            put!(out, "{} --{name} ", if range.not { " !" } else { "" });
            put_addr_range(out, range.value, family);
        }
    }
}

/// `-m iprange` in a listing.
pub(super) fn list_iprange(m: &IprangeMatch, family: Family, out: &mut String) {
    for (name, range) in [("source", &m.src), ("destination", &m.dst)] {
        if let Some(range) = range {
            put!(out, " {name} IP range{} ", if range.not { " !" } else { "" });
            put_addr_range(out, range.value, family);
        }
    }
}

const OWNER_OPTS: &[Opt] = &[
    opt("uid-owner", 0, Ty::Text).inv(),
    opt("gid-owner", 1, Ty::Text).inv(),
    opt("socket-exists", 2, Ty::Flag).inv(),
    opt("suppl-groups", 3, Ty::Flag),
];

/// `-m owner`.
pub(super) static OWNER: Ext<Match> = Ext {
    name: "owner",
    family: None,
    opts: OWNER_OPTS,
    first: |args| {
        let gid = args.given.iter().position(|g| g.id == 1);
        let groups = args.given.iter().position(|g| g.id == 3);
        if groups.is_some_and(|s| gid.is_none_or(|g| g > s)) {
            return Err(Fault::param(
                "owner: Bad value for \"--suppl-groups\" option: \"you need to use --gid-owner first\"",
            ));
        }
        if args.given.is_empty() {
            return Err(Fault::param(
                "owner: At least one of --uid-owner, --gid-owner or --socket-exists is required",
            ));
        }
        Ok(())
    },
    build: |args| {
        let ids = |id| match args.get(id) {
            Some(g) => id_range(&g.text, g.name).map(|r| Some(g.inv(r))),
            None => Ok(None),
        };
        Ok(Match::Owner(OwnerMatch {
            uid: ids(0)?,
            gid: ids(1)?,
            socket_exists: args.flag(2),
            suppl_groups: args.has(3),
        }))
    },
};

/// Users with the same number on every Debian.
const USERS: &[(&str, u32)] = &[
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("sync", 4),
    ("games", 5),
    ("man", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("proxy", 13),
    ("www-data", 33),
    ("backup", 34),
    ("list", 38),
    ("irc", 39),
    ("nobody", 65534),
];

/// Groups with the same number on every Debian.
const GROUPS: &[(&str, u32)] = &[
    ("root", 0),
    ("daemon", 1),
    ("bin", 2),
    ("sys", 3),
    ("adm", 4),
    ("tty", 5),
    ("disk", 6),
    ("lp", 7),
    ("mail", 8),
    ("news", 9),
    ("uucp", 10),
    ("man", 12),
    ("proxy", 13),
    ("kmem", 15),
    ("dialout", 20),
    ("cdrom", 24),
    ("floppy", 25),
    ("tape", 26),
    ("sudo", 27),
    ("audio", 29),
    ("dip", 30),
    ("www-data", 33),
    ("backup", 34),
    ("operator", 37),
    ("list", 38),
    ("irc", 39),
    ("src", 40),
    ("shadow", 42),
    ("utmp", 43),
    ("video", 44),
    ("sasl", 45),
    ("plugdev", 46),
    ("staff", 50),
    ("games", 60),
    ("users", 100),
    ("nogroup", 65534),
];

/// User or group ids, or one name.
fn id_range(text: &str, option: &str) -> Result<(u32, u32), Fault> {
    let table = if option == "uid-owner" { USERS } else { GROUPS };
    if let Some((_, id)) = table.iter().find(|(name, _)| *name == text) {
        return Ok((*id, *id));
    }
    let bad = || Fault::param(words!("owner: Bad value for \"--{option}\" option: \"{text}\""));
    // The largest number stands for "no id".
    let id = |part: &str| number::u32_whole(part).filter(|v| *v != u32::MAX).ok_or_else(bad);
    match text.split_once('-') {
        Some((low, high)) => Ok((id(low)?, id(high)?)),
        None => id(text).map(|v| (v, v)),
    }
}

fn put_ids(out: &mut String, (low, high): (u32, u32), names: &[(&str, u32)]) {
    if low == high {
        match names.iter().find(|(_, id)| *id == low) {
            Some((name, _)) => out.push_str(name),
            None => put!(out, "{low}"),
        }
    } else {
        put!(out, "{low}-{high}");
    }
}

/// `-m owner`'s options.
pub(super) fn save_owner(m: &OwnerMatch, out: &mut String) {
    if let Some(exists) = &m.socket_exists {
        put!(out, "{} --socket-exists", if exists.not { " !" } else { "" });
    }
    for (name, ids) in [("uid-owner", &m.uid), ("gid-owner", &m.gid)] {
        if let Some(ids) = ids {
            put!(out, "{} --{name} ", if ids.not { " !" } else { "" });
            put_ids(out, ids.value, &[]);
        }
    }
    if m.suppl_groups {
        out.push_str(" --suppl-groups");
    }
}

/// `-m owner` in a listing.
pub(super) fn list_owner(m: &OwnerMatch, style: Style, out: &mut String) {
    if let Some(exists) = &m.socket_exists {
        put!(out, "{} owner socket exists", if exists.not { " !" } else { "" });
    }
    for (name, ids, names) in [("UID", &m.uid, USERS), ("GID", &m.gid, GROUPS)] {
        if let Some(ids) = ids {
            put!(out, "{} owner {name} match ", if ids.not { " !" } else { "" });
            put_ids(out, ids.value, if style.numeric { &[] } else { names });
        }
    }
    if m.suppl_groups {
        out.push_str(" incl. suppl. groups");
    }
}
