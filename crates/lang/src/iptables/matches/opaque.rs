//! Matches that are kept and printed, and tell nothing here: cgroup, osf, bpf, nfacct, rateest, ipvs, and IPv6's dst,
//! hbh, rt, srh. Each becomes its saved text; the listing is made from that.

use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, Val, no_check, opt};
use crate::iptables::{address, number, put, put_quoted};
use hookwalk_engine::Family;
use hookwalk_engine::matches::{Match, OpaqueMatch};

/// What an option looks like when saved.
fn put_given(args: &Args<'_>, order: &[u8], out: &mut String) {
    for id in order {
        let Some(g) = args.get(*id) else { continue };
        put!(out, "{} --{}", if g.not { " !" } else { "" }, g.name);
        match &g.val {
            Val::None => {}
            Val::Num(n) => put!(out, " {n}"),
            Val::Range(low, high, _) if low == high => put!(out, " {low}"),
            Val::Range(low, high, _) => put!(out, " {low}:{high}"),
            Val::Net(net) => {
                // The address keeps the bits beyond its mask.
                let addr = g.text.split('/').next().and_then(|a| address::literal(a, args.family));
                out.push(' ');
                address::put(out, addr.unwrap_or(net.addr), args.family);
                address::put_mask(out, net, args.family);
            }
            // Option lists are numbers, printed in decimal.
            _ if g.name.ends_with("-opts") => {
                let number = |t: &str| number::whole(t, 0, 255).map_or(t.to_string(), |n| n.to_string());
                let parts: Vec<String> = g
                    .text
                    .split(',')
                    .map(|part| part.split(':').map(number).collect::<Vec<_>>().join(":"))
                    .collect();
                put!(out, " {}", parts.join(","));
            }
            _ => put!(out, " {}", g.text),
        }
    }
}

fn kept(args: &Args<'_>, text: String) -> Match {
    let text = text.strip_prefix(' ').unwrap_or(&text);
    Match::Opaque(OpaqueMatch { name: args.name.into(), args: text.into() }.into())
}

/// Lists of IPv6 options: numbers, with their lengths.
fn numbered(args: &Args<'_>) -> Result<Match, Fault> {
    if let Some(g) = args.get(1) {
        for part in g.text.split(',') {
            let kind = part.split(':').next().unwrap_or_default();
            if !kind.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(Fault::param(words!("{}: no valid digits in opt `{kind}'", args.name)));
            }
        }
    }
    Ok(in_order(args, &[0, 1]))
}

fn in_order(args: &Args<'_>, order: &[u8]) -> Match {
    let mut text = String::new();
    put_given(args, order, &mut text);
    kept(args, text)
}

const CGROUP_OPTS: &[Opt] =
    &[opt("path", 0, Ty::Text).inv(), opt("cgroup", 1, Ty::Num(0, u32::MAX as u64)).inv()];

/// `-m cgroup`.
pub(super) static CGROUP: Ext<Match> = Ext {
    name: "cgroup",
    family: None,
    opts: CGROUP_OPTS,
    first: no_check,
    build: |args| {
        let mut text = String::new();
        if let Some(g) = args.get(0) {
            put!(text, "{} --path", if g.not { " !" } else { "" });
            put!(text, " \"{}\"", g.text);
        }
        put_given(args, &[1], &mut text);
        Ok(kept(args, text))
    },
};

const OSF_OPTS: &[Opt] =
    &[opt("genre", 0, Ty::Text).inv().must(), opt("ttl", 1, Ty::Num(0, 2)), opt("log", 2, Ty::Num(0, 2))];

/// `-m osf`.
pub(super) static OSF: Ext<Match> = Ext {
    name: "osf",
    family: Some(Family::V4),
    opts: OSF_OPTS,
    first: no_check,
    build: |args| Ok(in_order(args, &[0, 1, 2])),
};

const BPF_OPTS: &[Opt] = &[opt("bytecode", 0, Ty::Text), opt("object-pinned", 1, Ty::Text)];

/// `-m bpf`.
pub(super) static BPF: Ext<Match> = Ext {
    name: "bpf",
    family: None,
    opts: BPF_OPTS,
    first: |args| {
        if args.has(1) {
            return Err(Fault::param("bpf: failed to get bpf object"));
        }
        if args.has(0) { Ok(()) } else { Err(Fault::param("bpf: one of --bytecode or --pinned is required")) }
    },
    build: |args| {
        let code = args.get(0).map_or("", |g| g.text.as_str());
        let mut parts = code.split(',').filter(|p| !p.is_empty());
        let count = parts.next().and_then(|n| n.trim().parse::<usize>().ok()).unwrap_or(0);
        let mut text = format!(" --bytecode \"{count}");
        let mut found = 0;
        for part in parts {
            let words: Vec<&str> = part.split_whitespace().collect();
            if words.len() != 4 || words.iter().any(|w| w.parse::<u32>().is_err()) {
                return Err(Fault::param(words!("bpf: error at instruction {found}")));
            }
            put!(text, ",{}", words.join(" "));
            found += 1;
        }
        if found != count || count == 0 || count > 64 {
            return Err(Fault::param(
                "bpf: parsed program length is inconsistent with its header".to_string(),
            ));
        }
        text.push('"');
        Ok(kept(args, text))
    },
};

/// `-m nfacct`: no accounting object exists, as nothing makes one.
pub(super) static NFACCT: Ext<Match> = Ext {
    name: "nfacct",
    family: None,
    opts: &[opt("nfacct-name", 0, Ty::Text).must()],
    first: no_check,
    build: |args| {
        let mut text = String::from(" --nfacct-name");
        put_quoted(&mut text, args.get(0).map_or("", |g| &g.text));
        Ok(kept(args, text))
    },
};

const RATEEST_OPTS: &[Opt] = &[
    opt("rateest1", 0, Ty::Text),
    opt("rateest", 0, Ty::Text),
    opt("rateest2", 1, Ty::Text),
    opt("rateest-bps", 2, Ty::Text),
    opt("rateest-bps1", 2, Ty::Text),
    opt("rateest-pps", 3, Ty::Text),
    opt("rateest-pps1", 3, Ty::Text),
    opt("rateest-bps2", 4, Ty::Text),
    opt("rateest-pps2", 5, Ty::Text),
    opt("rateest-delta", 6, Ty::Flag),
    opt("rateest-lt", 7, Ty::Flag).inv(),
    opt("rateest-gt", 8, Ty::Flag).inv(),
    opt("rateest-eq", 9, Ty::Flag).inv(),
];

/// `-m rateest`. `--rateest-bps` and its like may stand without a value: then the next word is an option.
pub(super) static RATEEST: Ext<Match> = Ext {
    name: "rateest",
    family: None,
    opts: RATEEST_OPTS,
    first: no_check,
    build: |args| Ok(in_order(args, &[6, 0, 2, 3, 7, 8, 9, 1, 4, 5])),
};

const IPVS_OPTS: &[Opt] = &[
    opt("ipvs", 0, Ty::Flag).inv(),
    opt("vproto", 1, Ty::Proto).inv(),
    opt("vaddr", 2, Ty::HostMask).inv(),
    opt("vport", 3, Ty::Ports).inv(),
    opt("vdir", 4, Ty::Text),
    opt("vmethod", 5, Ty::Text).inv(),
    opt("vportctl", 6, Ty::Ports).inv(),
];

/// `-m ipvs`.
pub(super) static IPVS: Ext<Match> = Ext {
    name: "ipvs",
    family: None,
    opts: IPVS_OPTS,
    first: |args| {
        args.warn("Warning: Extension ipvs revision 0 not supported, missing kernel module?");
        if args.given.is_empty() {
            Err(Fault::param("IPVS: At least one option is required"))
        } else {
            Ok(())
        }
    },
    build: |args| Ok(in_order(args, &[0, 1, 2, 3, 4, 5, 6])),
};

const DST_OPTS: &[Opt] =
    &[opt("dst-len", 0, Ty::Num(0, u32::MAX as u64)).inv(), opt("dst-opts", 1, Ty::Text)];

/// `-m dst`.
pub(super) static DST: Ext<Match> =
    Ext { name: "dst", family: Some(Family::V6), opts: DST_OPTS, first: no_check, build: numbered };

const HBH_OPTS: &[Opt] =
    &[opt("hbh-len", 0, Ty::Num(0, u32::MAX as u64)).inv(), opt("hbh-opts", 1, Ty::Text)];

/// `-m hbh`.
pub(super) static HBH: Ext<Match> =
    Ext { name: "hbh", family: Some(Family::V6), opts: HBH_OPTS, first: no_check, build: numbered };

const RT_OPTS: &[Opt] = &[
    opt("rt-type", 0, Ty::Num(0, u32::MAX as u64)).inv(),
    opt("rt-segsleft", 1, Ty::Range(0, u32::MAX as u64)).inv(),
    opt("rt-len", 2, Ty::Num(0, u32::MAX as u64)).inv(),
    opt("rt-0-res", 3, Ty::Flag),
    opt("rt-0-addrs", 4, Ty::Text),
    opt("rt-0-not-strict", 5, Ty::Flag).only_with(&[4]),
];

/// `-m rt`.
pub(super) static RT: Ext<Match> = Ext {
    name: "rt",
    family: Some(Family::V6),
    opts: RT_OPTS,
    first: no_check,
    build: |args| {
        for (i, g) in args.given.iter().enumerate().filter(|(_, g)| matches!(g.id, 3 | 4)) {
            if !args.given[..i].iter().any(|t| t.id == 0 && !t.not && t.num() == 0) {
                return Err(Fault::param(words!("`--rt-type 0' required before `--{}'", g.name)));
            }
        }
        let all = args.get(1).is_some_and(|g| g.range::<u32>() == (0, u32::MAX));
        Ok(in_order(args, if all { &[0, 2, 3, 4, 5] } else { &[0, 1, 2, 3, 4, 5] }))
    },
};

const SRH_OPTS: &[Opt] = &[
    opt("srh-next-hdr", 0, Ty::Proto).inv(),
    opt("srh-hdr-len-eq", 1, Ty::Num(0, 255)).inv(),
    opt("srh-hdr-len-gt", 2, Ty::Num(0, 255)).inv(),
    opt("srh-hdr-len-lt", 3, Ty::Num(0, 255)).inv(),
    opt("srh-segs-left-eq", 4, Ty::Num(0, 255)).inv(),
    opt("srh-segs-left-gt", 5, Ty::Num(0, 255)).inv(),
    opt("srh-segs-left-lt", 6, Ty::Num(0, 255)).inv(),
    opt("srh-last-entry-eq", 7, Ty::Num(0, 255)).inv(),
    opt("srh-last-entry-gt", 8, Ty::Num(0, 255)).inv(),
    opt("srh-last-entry-lt", 9, Ty::Num(0, 255)).inv(),
    opt("srh-tag", 10, Ty::Num(0, 65535)).inv(),
    opt("srh-psid", 11, Ty::HostMask).inv(),
    opt("srh-nsid", 12, Ty::HostMask).inv(),
    opt("srh-lsid", 13, Ty::HostMask).inv(),
];

/// `-m srh`.
pub(super) static SRH: Ext<Match> = Ext {
    name: "srh",
    family: Some(Family::V6),
    opts: SRH_OPTS,
    first: no_check,
    build: |args| Ok(in_order(args, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])),
};

/// The saved text.
pub(super) fn save(m: &OpaqueMatch, out: &mut String) {
    if !m.args.is_empty() {
        put!(out, " {}", m.args);
    }
}

/// In a listing: the names lose their dashes and, for IPv6's headers, their prefix.
pub(super) fn list(m: &OpaqueMatch, out: &mut String) {
    let words: Vec<&str> = m.args.split(' ').filter(|w| !w.is_empty()).collect();
    match &*m.name {
        // bpf and nfacct print what was given.
        "bpf" | "nfacct" => {
            let text = m.args.strip_prefix("--bytecode ").or(m.args.strip_prefix("--nfacct-name "));
            put!(
                out,
                "{}{}",
                if &*m.name == "bpf" { "match bpf " } else { " nfacct-name  " },
                text.unwrap_or("")
            );
        }
        "osf" => {
            out.push_str(" OS fingerprint match");
            let not = words.first() == Some(&"!");
            let genre = words.get(if not { 2 } else { 1 }).unwrap_or(&"");
            put!(out, "{} {genre}", if not { " !" } else { "" });
        }
        "dst" | "hbh" | "rt" | "srh" => {
            put!(out, " {}", m.name);
            let mut i = 0;
            while i < words.len() {
                let not = words[i] == "!";
                if not {
                    i += 1;
                }
                let Some(name) = words.get(i).and_then(|w| w.strip_prefix("--")) else { break };
                let short = name.split_once('-').map_or(name, |(_, short)| short);
                let value = words.get(i + 1).filter(|w| !w.starts_with("--") && **w != "!");
                let mark = if not { "!" } else { "" };
                match (short, value) {
                    ("opts" | "0-addrs", Some(v)) => put!(out, " {short} {v}"),
                    ("len", Some(v)) => put!(out, " length:{mark}{v}"),
                    ("segsleft", Some(v)) => {
                        put!(out, " segsleft{}:{mark}{v}", if v.contains(':') { "s" } else { "" });
                    }
                    ("psid" | "nsid" | "lsid", Some(v)) => put!(out, " {short} {mark} {v}"),
                    ("0-res", _) => out.push_str(" reserved"),
                    (_, Some(v)) => put!(out, " {short}:{mark}{v}"),
                    (_, None) => put!(out, " {short}"),
                }
                i += if value.is_some() { 2 } else { 1 };
            }
        }
        _ => {
            let prefixed = &*m.name == "cgroup";
            for word in &words {
                match word.strip_prefix("--") {
                    Some("cgroup") if prefixed => {}
                    Some("path") if prefixed => {}
                    Some(name) => put!(out, " {name}"),
                    None => put!(out, " {word}"),
                }
            }
            if prefixed {
                let text = std::mem::take(out);
                let cut = text.len()
                    - words.iter().filter(|w| !w.starts_with("--")).map(|w| w.len() + 1).sum::<usize>();
                put!(out, "{} cgroup{}", &text[..cut], &text[cut..]);
            }
        }
    }
}
