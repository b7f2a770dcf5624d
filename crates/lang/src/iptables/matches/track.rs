//! Matches on connections besides conntrack itself: connbytes, connlimit, connlabel, cluster, helper.

use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, Val, no_check, opt};
use crate::iptables::{number, put, put_quoted};
use hookwalk_engine::matches::connbytes::{ConnbytesDir, ConnbytesMode};
use hookwalk_engine::matches::{
    ClusterMatch, ConnbytesMatch, ConnlabelMatch, ConnlimitMatch, HelperMatch, Match,
};
use hookwalk_engine::{Addr, AddrMask, Family};

const CONNBYTES_OPTS: &[Opt] = &[
    opt("connbytes", 0, Ty::Range(0, u64::MAX)).inv().must(),
    opt("connbytes-dir", 1, Ty::Text).must(),
    opt("connbytes-mode", 2, Ty::Text).must(),
];

/// `-m connbytes`.
pub(super) static CONNBYTES: Ext<Match> =
    Ext { name: "connbytes", family: None, opts: CONNBYTES_OPTS, first: no_check, build: build_connbytes };

/// What is wrong with a value is said before what is missing.
fn values(args: &Args<'_>) -> Result<(), Fault> {
    for g in &args.given {
        match g.id {
            0 => {
                if let Val::Range(low, high, true) = g.val
                    && high < low
                {
                    return Err(Fault::param(words!("{low} should be less than {high}")));
                }
            }
            1 => {
                direction(&g.text)?;
            }
            _ => {
                mode(&g.text)?;
            }
        }
    }
    Ok(())
}

const DIRECTIONS: [(&str, ConnbytesDir); 3] =
    [("original", ConnbytesDir::Original), ("reply", ConnbytesDir::Reply), ("both", ConnbytesDir::Both)];

const MODES: [(&str, ConnbytesMode); 3] =
    [("packets", ConnbytesMode::Packets), ("bytes", ConnbytesMode::Bytes), ("avgpkt", ConnbytesMode::AvgPkt)];

fn direction(text: &str) -> Result<ConnbytesDir, Fault> {
    DIRECTIONS
        .iter()
        .find(|(n, _)| *n == text)
        .map(|(_, d)| *d)
        .ok_or_else(|| Fault::param(words!("Unknown --connbytes-dir `{text}'")))
}

fn mode(text: &str) -> Result<ConnbytesMode, Fault> {
    MODES
        .iter()
        .find(|(n, _)| *n == text)
        .map(|(_, m)| *m)
        .ok_or_else(|| Fault::param(words!("Unknown --connbytes-mode `{text}'")))
}

fn build_connbytes(args: &Args<'_>) -> Result<Match, Fault> {
    values(args)?;
    let missing = || Fault::Incomplete;
    let g = args.get(0).ok_or_else(missing)?;
    let range = match g.val {
        Val::Range(low, _, false) => (low, u64::MAX),
        Val::Range(low, high, true) => (low, high),
        _ => (0, u64::MAX),
    };
    let mut range = g.inv(range);
    // The kernel is told of an inversion by both ends swapped: of equal ends nothing remains.
    range.not &= range.value.0 != range.value.1;
    Ok(Match::Connbytes(ConnbytesMatch {
        range,
        mode: mode(&args.get(2).ok_or_else(missing)?.text)?,
        dir: direction(&args.get(1).ok_or_else(missing)?.text)?,
    }))
}

fn put_connbytes(m: &ConnbytesMatch, dashes: &str, words: [&str; 2], out: &mut String) {
    let (low, high) = m.range.value;
    put!(out, "{} {dashes}connbytes {low}", if m.range.not { " !" } else { "" });
    // An upper end of 0 counts as none here, though not in the kernel.
    if high != u64::MAX && high != 0 {
        put!(out, ":{high}");
    }
    let mode = MODES.iter().find(|(_, x)| *x == m.mode).map_or("", |(n, _)| n);
    let dir = DIRECTIONS.iter().find(|(_, x)| *x == m.dir).map_or("", |(n, _)| n);
    put!(out, " {} {mode} {} {dir}", words[0], words[1]);
}

/// `-m connbytes`'s options.
pub(super) fn save_connbytes(m: &ConnbytesMatch, out: &mut String) {
    put_connbytes(m, "--", ["--connbytes-mode", "--connbytes-dir"], out);
}

/// `-m connbytes` in a listing.
pub(super) fn list_connbytes(m: &ConnbytesMatch, out: &mut String) {
    put_connbytes(m, "", ["connbytes mode", "connbytes direction"], out);
}

const CONNLIMIT_OPTS: &[Opt] = &[
    opt("connlimit-upto", 0, Ty::Num(0, u32::MAX as u64)).inv().not_with(&[1]),
    opt("connlimit-above", 1, Ty::Num(0, u32::MAX as u64)).inv().not_with(&[0]),
    opt("connlimit-mask", 2, Ty::PlenMask),
    opt("connlimit-saddr", 3, Ty::Flag).not_with(&[4]),
    opt("connlimit-daddr", 4, Ty::Flag).not_with(&[3]),
];

/// `-m connlimit`.
pub(super) static CONNLIMIT: Ext<Match> = Ext {
    name: "connlimit",
    family: None,
    opts: CONNLIMIT_OPTS,
    first: |args| {
        if args.has(0) || args.has(1) {
            return Ok(());
        }
        Err(Fault::param("You must specify \"--connlimit-above\" or \"--connlimit-upto\"."))
    },
    build: |args| {
        let (limit, upto) = match (args.get(0), args.get(1)) {
            (Some(g), _) => (g.num(), !g.not),
            (_, Some(g)) => (g.num(), g.not),
            _ => (0, false),
        };
        let mask = match args.get(2).map(|g| &g.val) {
            Some(Val::Mask(mask)) => *mask,
            _ => Addr::prefix_mask(args.family, args.family.bits()),
        };
        Ok(Match::Connlimit(Box::new(ConnlimitMatch {
            limit: limit as u32,
            upto,
            mask,
            by_destination: args.has(4),
            counted: hookwalk_engine::matches::connlimit::ConnCount::default(),
        })))
    },
};

fn mask_len(m: &ConnlimitMatch, family: Family) -> u8 {
    let net = AddrMask { addr: Addr::UNSPECIFIED, mask: m.mask };
    net.prefix_len(family).unwrap_or_else(|| {
        // Not a prefix: what is set, as the tool counts it.
        m.mask.0.iter().map(|w| w.count_ones()).sum::<u32>() as u8
    })
}

/// `-m connlimit`'s options.
pub(super) fn save_connlimit(m: &ConnlimitMatch, family: Family, out: &mut String) {
    let kind = if m.upto { "upto" } else { "above" };
    put!(out, " --connlimit-{kind} {} --connlimit-mask {}", m.limit, mask_len(m, family));
    out.push_str(if m.by_destination { " --connlimit-daddr" } else { " --connlimit-saddr" });
}

/// `-m connlimit` in a listing.
pub(super) fn list_connlimit(m: &ConnlimitMatch, family: Family, out: &mut String) {
    let side = if m.by_destination { "dst" } else { "src" };
    let sign = if m.upto { "<=" } else { ">" };
    put!(out, " #conn {side}/{} {sign} {}", mask_len(m, family), m.limit);
}

/// `-m connlabel`. Label names are another machine's file; numbers are taken.
pub(super) static CONNLABEL: Ext<Match> = Ext {
    name: "connlabel",
    family: None,
    opts: &[opt("label", 0, Ty::Text).inv().must(), opt("set", 1, Ty::Flag)],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        let label = number::whole(&g.text, 0, 127).ok_or_else(|| {
            args.warn("Warning: cannot open /etc/xtables/connlabel.conf: No such file or directory");
            Fault::param(words!("label '{}' not found or invalid value", g.text))
        })?;
        Ok(Match::Connlabel(ConnlabelMatch { label: g.inv(label as u8), set: args.has(1) }))
    },
};

/// `-m connlabel`'s options.
pub(super) fn save_connlabel(m: &ConnlabelMatch, out: &mut String) {
    put!(out, "{} --label \"{}\"", if m.label.not { " !" } else { "" }, m.label.value);
    if m.set {
        out.push_str(" --set");
    }
}

/// `-m connlabel` in a listing.
pub(super) fn list_connlabel(m: &ConnlabelMatch, out: &mut String) {
    put!(out, " connlabel{} {}", if m.label.not { " !" } else { "" }, m.label.value);
    if m.set {
        out.push_str(" set");
    }
}

const CLUSTER_OPTS: &[Opt] = &[
    opt("cluster-total-nodes", 0, Ty::Num(1, 32)).must(),
    opt("cluster-local-node", 1, Ty::Num(1, 32)).inv().not_with(&[2]),
    opt("cluster-local-nodemask", 2, Ty::Num(1, 32)).inv().not_with(&[1]),
    opt("cluster-hash-seed", 3, Ty::Num(0, u32::MAX as u64)).must(),
];

/// `-m cluster`.
pub(super) static CLUSTER: Ext<Match> = Ext {
    name: "cluster",
    family: None,
    opts: CLUSTER_OPTS,
    first: |args| {
        if args.has(1) || args.has(2) {
            return Ok(());
        }
        Err(Fault::param("cluster match: `--cluster-local-node' or`--cluster-local-nodemask' is missing"))
    },
    build: |args| {
        let total = args.num(0, 1);
        let (nodes, not) = match (args.get(1), args.get(2)) {
            (Some(g), _) => (1u32 << (g.num().clamp(1, 32) - 1), g.not),
            (_, Some(g)) => (g.num() as u32, g.not),
            _ => (0, false),
        };
        if u64::from(nodes) >= 1 << total {
            return Err(Fault::param(
                "cluster match: this node mask cannot be higher than the total number of nodes",
            ));
        }
        let nodes = hookwalk_engine::ruleset::Inv { value: nodes, not };
        Ok(Match::Cluster(ClusterMatch { total: total as u32, nodes, seed: args.num(3, 0) as u32 }))
    },
};

/// `-m cluster`'s options.
pub(super) fn save_cluster(m: &ClusterMatch, out: &mut String) {
    put!(
        out,
        "{} --cluster-local-nodemask 0x{:08x} --cluster-total-nodes {} --cluster-hash-seed 0x{:08x}",
        if m.nodes.not { " !" } else { "" },
        m.nodes.value,
        m.total,
        m.seed
    );
}

/// `-m cluster` in a listing.
pub(super) fn list_cluster(m: &ClusterMatch, out: &mut String) {
    let not = if m.nodes.not { "!" } else { "" };
    put!(
        out,
        " cluster {not}node_mask=0x{:08x} total_nodes={} hash_seed=0x{:08x}",
        m.nodes.value,
        m.total,
        m.seed
    );
}

/// `-m helper`.
pub(super) static HELPER: Ext<Match> = Ext {
    name: "helper",
    family: None,
    opts: &[opt("helper", 0, Ty::Text).inv().must()],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        Ok(Match::Helper(HelperMatch { name: g.inv(g.text.as_str().into()) }))
    },
};

/// `-m helper`'s option.
pub(super) fn save_helper(m: &HelperMatch, out: &mut String) {
    out.push_str(if m.name.not { " ! --helper" } else { " --helper" });
    put_quoted(out, &m.name.value);
}

/// `-m helper` in a listing.
pub(super) fn list_helper(m: &HelperMatch, out: &mut String) {
    put!(out, " helper match {}\"{}\"", if m.name.not { "! " } else { "" }, m.name.value);
}
