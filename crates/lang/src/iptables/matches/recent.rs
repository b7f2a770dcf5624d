//! `-m recent`, `-m quota`, `-m hashlimit`.

use super::rate;
use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, Val, no_check, opt};
use crate::iptables::{address, number, put};
use hookwalk_engine::matches::hashlimit::HashlimitMode;
use hookwalk_engine::matches::recent::RecentAction;
use hookwalk_engine::matches::{HashlimitMatch, Match, QuotaMatch, RecentMatch};
use hookwalk_engine::{Addr, Family};

const RECENT_OPTS: &[Opt] = &[
    opt("set", 0, Ty::Flag).inv().not_with(&[1, 2, 3]),
    opt("rcheck", 1, Ty::Flag).inv().not_with(&[0, 2, 3]),
    opt("update", 2, Ty::Flag).inv().not_with(&[0, 1, 3]),
    opt("remove", 3, Ty::Flag).inv().not_with(&[0, 1, 2]),
    opt("seconds", 4, Ty::Num(1, u32::MAX as u64)),
    opt("hitcount", 5, Ty::Num(0, u32::MAX as u64)),
    opt("rttl", 6, Ty::Flag).not_with(&[0, 3]),
    opt("name", 7, Ty::Text),
    opt("rsource", 8, Ty::Flag),
    opt("rdest", 9, Ty::Flag),
    opt("mask", 10, Ty::Text),
    opt("reap", 11, Ty::Flag).only_with(&[4]),
];

/// `-m recent`.
pub(super) static RECENT: Ext<Match> = Ext {
    name: "recent",
    family: None,
    opts: RECENT_OPTS,
    first: |args| {
        if args.given.iter().any(|g| g.id <= 3) {
            return Ok(());
        }
        Err(Fault::param("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'"))
    },
    build: build_recent,
};

fn build_recent(args: &Args<'_>) -> Result<Match, Fault> {
    let given = args.given.iter().find(|g| g.id <= 3);
    let action = match given.map(|g| g.id) {
        Some(0) => RecentAction::Set,
        Some(1) => RecentAction::Check,
        Some(2) => RecentAction::Update,
        _ => RecentAction::Remove,
    };
    let mask = match args.get(10) {
        Some(g) => address::literal(&g.text, args.family)
            .ok_or_else(|| Fault::param(words!("recent: Bad value for \"--mask\" option: \"{}\"", g.text)))?,
        None => Addr::prefix_mask(args.family, args.family.bits()),
    };
    // Of --rsource and --rdest the last one holds.
    let side = args.given.iter().rev().find(|g| matches!(g.id, 8 | 9)).map(|g| g.id);
    Ok(Match::Recent(
        RecentMatch {
            action,
            not: given.is_some_and(|g| g.not),
            seconds: args.num(4, 0) as u32,
            reap: args.has(11),
            hitcount: args.num(5, 0) as u32,
            rttl: args.has(6),
            name: args.get(7).map_or("DEFAULT", |g| g.text.as_str()).into(),
            mask,
            by_destination: side == Some(9),
        }
        .into(),
    ))
}

/// `-m recent`'s options.
pub(super) fn save_recent(m: &RecentMatch, family: Family, out: &mut String) {
    out.push_str(if m.not { " !" } else { "" });
    out.push_str(match m.action {
        RecentAction::Set => " --set",
        RecentAction::Check => " --rcheck",
        RecentAction::Update => " --update",
        RecentAction::Remove => " --remove",
    });
    if m.seconds != 0 {
        put!(out, " --seconds {}", m.seconds);
    }
    if m.reap {
        out.push_str(" --reap");
    }
    if m.hitcount != 0 {
        put!(out, " --hitcount {}", m.hitcount);
    }
    if m.rttl {
        out.push_str(" --rttl");
    }
    put!(out, " --name {} --mask ", m.name);
    address::put(out, m.mask, family);
    out.push_str(if m.by_destination { " --rdest" } else { " --rsource" });
}

/// `-m recent` in a listing.
pub(super) fn list_recent(m: &RecentMatch, family: Family, out: &mut String) {
    out.push_str(if m.not { " ! recent:" } else { " recent:" });
    out.push_str(match m.action {
        RecentAction::Set => " SET",
        RecentAction::Check => " CHECK",
        RecentAction::Update => " UPDATE",
        RecentAction::Remove => " REMOVE",
    });
    if m.seconds != 0 {
        put!(out, " seconds: {}", m.seconds);
    }
    if m.reap {
        out.push_str(" reap");
    }
    if m.hitcount != 0 {
        put!(out, " hit_count: {}", m.hitcount);
    }
    if m.rttl {
        out.push_str(" TTL-Match");
    }
    put!(out, " name: {} side: {} mask: ", m.name, if m.by_destination { "dest" } else { "source" });
    address::put(out, m.mask, family);
}

/// `-m quota`.
pub(super) static QUOTA: Ext<Match> = Ext {
    name: "quota",
    family: None,
    opts: &[opt("quota", 0, Ty::Num(0, u64::MAX)).inv().must()],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        Ok(Match::Quota(QuotaMatch { quota: g.num(), not: g.not, left: g.num() }))
    },
};

/// `-m quota`'s option.
pub(super) fn save_quota(m: &QuotaMatch, out: &mut String) {
    put!(out, "{} --quota {}", if m.not { " !" } else { "" }, m.quota);
}

/// `-m quota` in a listing, which does not tell an inverted one.
pub(super) fn list_quota(m: &QuotaMatch, out: &mut String) {
    put!(out, " quota: {} bytes", m.quota);
}

const HASHLIMIT_OPTS: &[Opt] = &[
    opt("hashlimit-upto", 0, Ty::Text).inv().not_with(&[1]),
    opt("hashlimit", 0, Ty::Text).inv().not_with(&[1]),
    opt("hashlimit-above", 1, Ty::Text).inv().not_with(&[0]),
    opt("hashlimit-srcmask", 2, Ty::PlenMask),
    opt("hashlimit-dstmask", 3, Ty::PlenMask),
    opt("hashlimit-burst", 4, Ty::Text),
    opt("hashlimit-htable-size", 5, Ty::Num(0, u32::MAX as u64)),
    opt("hashlimit-htable-max", 6, Ty::Num(0, u32::MAX as u64)),
    opt("hashlimit-htable-gcinterval", 7, Ty::Num(0, u32::MAX as u64)),
    opt("hashlimit-htable-expire", 8, Ty::Num(0, u32::MAX as u64)),
    opt("hashlimit-mode", 9, Ty::Text),
    opt("hashlimit-name", 10, Ty::Text).must(),
    opt("hashlimit-rate-match", 11, Ty::Flag),
    opt("hashlimit-rate-interval", 12, Ty::Text).only_with(&[11]),
];

/// `-m hashlimit`.
pub(super) static HASHLIMIT: Ext<Match> = Ext {
    name: "hashlimit",
    family: None,
    opts: HASHLIMIT_OPTS,
    first: |args| {
        for g in &args.given {
            match g.id {
                0 | 1 => {
                    parse_rate(&g.text, g.name)?;
                }
                9 => {
                    modes(&g.text)?;
                }
                _ => {}
            }
        }
        if args.has(0) || args.has(1) { Ok(()) } else { Err(Fault::param("You have to specify --hashlimit")) }
    },
    build: build_hashlimit,
};

/// Parts of a second in a packet's price.
const SCALE: u64 = 1_000_000;
/// Bytes of a unit in byte mode.
const BYTE_UNIT: u64 = 16;

/// How long a bucket of bytes lives by default, in seconds, without and with a burst.
const BYTE_EXPIRE: (u64, u64) = (15, 60);

/// A rate as `--hashlimit-upto` writes it.
struct Rate {
    /// As the kernel gets it.
    avg: u64,
    /// Is it of bytes?
    bytes: bool,
    /// The unit that was written, in seconds: buckets live that long by default.
    unit: u64,
}

/// Units of bytes to what 2^32 - 1 divided by them is, and back.
fn reciprocal(n: u64) -> u64 {
    u64::from(u32::MAX).checked_div(n).unwrap_or(u64::from(u32::MAX))
}

fn parse_rate(text: &str, option: &str) -> Result<Rate, Fault> {
    let bad = || Fault::param(words!("hashlimit: Bad value for \"--{option}\" option: \"{text}\""));
    let lower = text.to_ascii_lowercase();
    if let Some(bytes) = lower.strip_suffix("b/s") {
        let (number, factor) = match bytes.as_bytes().last() {
            Some(b'k') => (&bytes[..bytes.len() - 1], 1 << 10),
            Some(b'm') => (&bytes[..bytes.len() - 1], 1 << 20),
            _ => (bytes, 1),
        };
        let rate = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(bad)?;
        if rate > u64::from(u32::MAX) {
            return Err(Fault::param("hashlimit: rate too fast".to_string()));
        }
        let units = rate / BYTE_UNIT;
        if units == 0 {
            return Err(bad());
        }
        return Ok(Rate { avg: reciprocal(units), bytes: true, unit: BYTE_EXPIRE.0 });
    }
    match rate::rate_and_unit(text, SCALE) {
        Ok((avg, unit)) => Ok(Rate { avg, bytes: false, unit }),
        Err(Fault::Parameter(message)) if message.starts_with("Rate too fast") => {
            Err(Fault::Parameter(message))
        }
        Err(_) => Err(bad()),
    }
}

fn modes(text: &str) -> Result<HashlimitMode, Fault> {
    let mut mode = HashlimitMode::default();
    for word in text.split(',') {
        match word.to_ascii_lowercase().as_str() {
            "dstip" => mode.dst_ip = true,
            "srcip" => mode.src_ip = true,
            "srcport" => mode.src_port = true,
            "dstport" => mode.dst_port = true,
            _ => {
                return Err(Fault::param(words!(
                    "hashlimit: Bad value for \"--hashlimit-mode\" option: \"{text}\""
                )));
            }
        }
    }
    Ok(mode)
}

fn build_hashlimit(args: &Args<'_>) -> Result<Match, Fault> {
    for g in args.given.iter().filter(|g| g.id <= 1) {
        parse_rate(&g.text, g.name)?;
    }
    if args.get(10).is_some_and(|g| g.text.is_empty()) {
        return Err(Fault::param("Argument must have a minimum length of 1 characters\n"));
    }
    let Some(g) = args.get(0).or_else(|| args.get(1)) else { return Err(Fault::Incomplete) };
    let Rate { avg, bytes, mut unit } = parse_rate(&g.text, g.name)?;
    let mut mode = match args.get(9) {
        Some(m) => modes(&m.text)?,
        None => HashlimitMode::default(),
    };
    mode.above = (g.id == 1) != g.not;
    mode.bytes = bytes;
    mode.rate_match = args.has(11);
    let mut burst = if bytes { 0 } else { 5 };
    if let Some(b) = args.get(4) {
        if bytes {
            unit = BYTE_EXPIRE.1;
        }
        let bad = || Fault::param("bad value for option \"--hashlimit-burst\", or out of range (1-1000000).");
        let lower = b.text.to_ascii_lowercase();
        let plain = lower.strip_suffix('b').unwrap_or(&lower);
        let (number, factor) = match plain.as_bytes().last() {
            Some(b'k') => (&plain[..plain.len() - 1], 1 << 10),
            Some(b'm') => (&plain[..plain.len() - 1], 1 << 20),
            _ => (plain, 1),
        };
        let total = number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(bad)?;
        burst = if bytes {
            // How many rates the burst is, rounded up.
            let rate = reciprocal(avg) * BYTE_UNIT;
            if total < rate {
                return Err(Fault::param(words!("burst cannot be smaller than {rate}b")));
            }
            total.div_ceil(rate.max(1))
        } else if (1..=1_000_000).contains(&total) {
            total
        } else {
            return Err(bad());
        };
    }
    let interval = args.get(12).and_then(|i| number::whole(&i.text, 1, u64::from(u32::MAX)));
    let interval = interval.unwrap_or(u64::from(mode.rate_match));
    let len = |id| match args.get(id).map(|g| &g.val) {
        Some(Val::Mask(mask)) => mask.0.iter().map(|w| w.count_ones()).sum::<u32>() as u8,
        _ => args.family.bits(),
    };
    Ok(Match::Hashlimit(
        HashlimitMatch {
            name: args.get(10).map_or("", |n| n.text.as_str()).into(),
            mode,
            avg,
            burst,
            size: args.num(5, 0) as u32,
            max: args.num(6, 0) as u32,
            gc_interval: args.num(7, 1000) as u32,
            expire: args.num(8, unit * 1000) as u32,
            src_len: len(2),
            dst_len: len(3),
            interval: interval as u32,
        }
        .into(),
    ))
}

/// Bytes in the largest unit that makes the same price of a unit.
fn put_bytes(out: &mut String, avg: u64, suffix: &str) {
    let bytes = reciprocal(avg) * BYTE_UNIT;
    for (size, name) in [(1 << 20, "m"), (1 << 10, "k")] {
        if bytes >= size && reciprocal((bytes & !(size - 1)) / BYTE_UNIT) == avg {
            put!(out, " {}{name}b{suffix}", bytes / size);
            return;
        }
    }
    put!(out, " {bytes}b{suffix}");
}

/// The rate; says how long buckets live by default, in milliseconds.
fn put_limit(m: &HashlimitMatch, out: &mut String) -> u64 {
    1000 * if m.mode.bytes {
        put_bytes(out, m.avg, "/s");
        if m.burst == 0 { BYTE_EXPIRE.0 } else { BYTE_EXPIRE.1 }
    } else if m.mode.rate_match {
        put!(out, " {}/sec", SCALE / m.avg.max(1));
        1
    } else {
        rate::put_rate(out, m.avg, SCALE)
    }
}

fn put_burst(m: &HashlimitMatch, name: &str, out: &mut String) {
    if m.mode.bytes {
        if m.burst > 0 {
            put!(out, " {name}");
            put_burst_bytes(out, m.burst * reciprocal(m.avg) * BYTE_UNIT);
        }
    } else {
        put!(out, " {name} {}", m.burst);
    }
}

/// A burst is rounded to the unit that it is printed in.
fn put_burst_bytes(out: &mut String, bytes: u64) {
    if bytes >= 1 << 20 {
        put!(out, " {}mb", bytes >> 20);
    } else if bytes >= 1 << 10 {
        put!(out, " {}kb", bytes >> 10);
    } else {
        put!(out, " {bytes}b");
    }
}

fn mode_names(mode: &HashlimitMode, between: &str) -> String {
    let all = [
        (mode.src_ip, "srcip"),
        (mode.src_port, "srcport"),
        (mode.dst_ip, "dstip"),
        (mode.dst_port, "dstport"),
    ];
    all.iter().filter(|(on, _)| *on).map(|(_, n)| *n).collect::<Vec<_>>().join(between)
}

/// What has defaults, with this before each name.
fn put_table(m: &HashlimitMatch, default_expire: u64, prefix: &str, family: Family, out: &mut String) {
    if m.size != 0 {
        put!(out, " {prefix}htable-size {}", m.size);
    }
    if m.max != 0 {
        put!(out, " {prefix}htable-max {}", m.max);
    }
    if m.gc_interval != 1000 {
        put!(out, " {prefix}htable-gcinterval {}", m.gc_interval);
    }
    if u64::from(m.expire) != default_expire {
        put!(out, " {prefix}htable-expire {}", m.expire);
    }
    if m.src_len != family.bits() {
        put!(out, " {prefix}srcmask {}", m.src_len);
    }
    if m.dst_len != family.bits() {
        put!(out, " {prefix}dstmask {}", m.dst_len);
    }
    if m.mode.rate_match {
        put!(out, " {prefix}rate-match");
        if m.interval != 0 && m.interval != 1 {
            put!(out, " {prefix}rate-interval {}", m.interval);
        }
    }
}

/// `-m hashlimit`'s options.
pub(super) fn save_hashlimit(m: &HashlimitMatch, family: Family, out: &mut String) {
    out.push_str(if m.mode.above { " --hashlimit-above" } else { " --hashlimit-upto" });
    let expire = put_limit(m, out);
    put_burst(m, "--hashlimit-burst", out);
    let mode = mode_names(&m.mode, ",");
    if !mode.is_empty() {
        put!(out, " --hashlimit-mode {mode}");
    }
    put!(out, " --hashlimit-name {}", m.name);
    put_table(m, expire, "--hashlimit-", family, out);
}

/// `-m hashlimit` in a listing.
pub(super) fn list_hashlimit(m: &HashlimitMatch, family: Family, out: &mut String) {
    out.push_str(if m.mode.above { " limit: above" } else { " limit: up to" });
    let expire = if m.mode.rate_match && !m.mode.bytes {
        // A listing shows the rate of one second.
        put!(out, " {}/sec", SCALE / m.avg.max(1) / u64::from(m.interval.max(1)));
        1000
    } else {
        put_limit(m, out)
    };
    put_burst(m, "burst", out);
    let mode = mode_names(&m.mode, "-");
    if !mode.is_empty() {
        put!(out, " mode {mode}");
    }
    put_table(m, expire, "", family, out);
}

/// The rate and the burst of `-m hashlimit` as nft lists them.
pub(crate) fn nft_hashlimit(m: &HashlimitMatch) -> String {
    if !m.mode.bytes {
        let (count, seconds) = match m.mode.rate_match {
            true => (SCALE / m.avg.max(1), 1),
            false => rate::rate_of(m.avg, SCALE),
        };
        let unit = match seconds {
            86_400 => "day",
            3600 => "hour",
            60 => "minute",
            _ => "second",
        };
        let mut text = format!("{count}/{unit}");
        if m.burst != 5 {
            put!(text, " burst {} packets", m.burst);
        }
        return text;
    }
    let named = |text: &str| {
        let (number, unit) =
            text.trim().split_at(text.trim().find(|c: char| !c.is_ascii_digit()).unwrap_or(0));
        let unit = match unit.as_bytes().first() {
            Some(b'm') => "mbytes",
            Some(b'k') => "kbytes",
            _ => "bytes",
        };
        format!("{number} {unit}")
    };
    let mut rate = String::new();
    put_bytes(&mut rate, m.avg, "");
    let mut text = format!("{}/second", named(&rate));
    if m.burst > 0 {
        let mut burst = String::new();
        put_burst_bytes(&mut burst, m.burst * reciprocal(m.avg) * BYTE_UNIT);
        put!(text, " burst {}", named(&burst));
    }
    text
}
