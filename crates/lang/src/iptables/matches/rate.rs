//! Matches that count: limit, statistic.

use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, no_check, opt};
use crate::iptables::{number, put};
use hookwalk_engine::matches::statistic::StatisticMode;
use hookwalk_engine::matches::{LimitMatch, Match, StatisticMatch};

const LIMIT_OPTS: &[Opt] = &[opt("limit", 0, Ty::Text), opt("limit-burst", 1, Ty::Num(0, 10000))];

/// `-m limit`.
pub(super) static LIMIT: Ext<Match> =
    Ext { name: "limit", family: None, opts: LIMIT_OPTS, first: no_check, build: build_limit };

/// Units of a rate with their length in seconds.
const UNITS: [(&str, u64); 4] = [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400)];

/// `NUMBER[/UNIT]` as parts of `scale` a packet; how the sentence about a bad one goes is the caller's.
pub(super) fn rate(text: &str, scale: u64) -> Result<u64, Fault> {
    rate_and_unit(text, scale).map(|(period, _)| period)
}

/// The same with the unit in seconds that was written.
pub(super) fn rate_and_unit(text: &str, scale: u64) -> Result<(u64, u64), Fault> {
    let bad = || Fault::param(words!("bad rate \"{text}\"'"));
    let (number, unit) = match text.split_once('/') {
        Some((number, unit)) => (number, Some(unit)),
        None => (text, None),
    };
    let seconds = match unit {
        None => 1,
        Some(unit) => {
            let lower = unit.to_ascii_lowercase();
            UNITS.iter().find(|(n, _)| !unit.is_empty() && n.starts_with(&lower)).ok_or_else(bad)?.1
        }
    };
    // A negative number is a very large one.
    if number.starts_with("-") && number[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Fault::param(words!("Rate too fast \"{text}\"")));
    }
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    let count: u64 = number[..digits].parse().unwrap_or(0);
    if count == 0 {
        return Err(bad());
    }
    if count > scale * seconds {
        return Err(Fault::param(words!("Rate too fast \"{text}\"")));
    }
    Ok((scale * seconds / count, seconds))
}

fn build_limit(args: &Args<'_>) -> Result<Match, Fault> {
    // 3/hour, 5 at once, where nothing is said.
    let avg = match args.get(0) {
        Some(g) => rate(&g.text, 10_000)?,
        None => 10_000 * 3600 / 3,
    };
    let burst = match args.num(1, 5) {
        0 => 5,
        burst => burst,
    };
    Ok(Match::Limit(LimitMatch { avg: avg as u32, burst: burst as u32, bucket: None }))
}

/// How many in how many seconds a rate is: the smallest unit in which it is a whole number, or near enough. `period` is
/// in parts of a second, of which there are `scale`, and not zero.
pub(crate) fn rate_of(period: u64, scale: u64) -> (u64, u64) {
    let period = period.max(1);
    let mut best = UNITS[3].1;
    for (_, seconds) in UNITS.iter().rev().skip(1) {
        let unit = scale * seconds;
        if period > unit || unit / period < unit % period {
            break;
        }
        best = *seconds;
    }
    (scale * best / period, best)
}

/// A rate as the tools print it; says its unit in seconds.
pub(super) fn put_rate(out: &mut String, period: u64, scale: u64) -> u64 {
    if period == 0 {
        out.push_str(" inf");
        return 1;
    }
    let (count, seconds) = rate_of(period, scale);
    let name = match seconds {
        86400 => "day",
        3600 => "hour",
        60 => "min",
        _ => "sec",
    };
    put!(out, " {count}/{name}");
    seconds
}

/// `-m limit`'s options. nf_tables keeps the limit as a number and a unit, which is what comes back.
pub(super) fn save_limit(m: &LimitMatch, out: &mut String) {
    out.push_str(" --limit");
    put_rate(out, u64::from(m.avg), 10_000);
    if m.burst != 5 {
        put!(out, " --limit-burst {}", m.burst);
    }
}

/// `-m limit` in a listing.
pub(super) fn list_limit(m: &LimitMatch, out: &mut String) {
    out.push_str(" limit: avg");
    put_rate(out, u64::from(m.avg), 10_000);
    put!(out, " burst {}", m.burst);
}

const STATISTIC_OPTS: &[Opt] = &[
    opt("mode", 0, Ty::Text).must(),
    opt("probability", 1, Ty::Text).inv().not_with(&[2, 3]),
    opt("every", 2, Ty::Num(1, u32::MAX as u64)).inv().not_with(&[1]).only_with(&[3]),
    opt("packet", 3, Ty::Num(0, u32::MAX as u64)).not_with(&[1]).only_with(&[2]),
];

/// `-m statistic`.
pub(super) static STATISTIC: Ext<Match> = Ext {
    name: "statistic",
    family: None,
    opts: STATISTIC_OPTS,
    first: |args| {
        let random = args.get(0).is_none_or(|g| g.text == "random");
        if random && !args.has(1) {
            return Err(Fault::param("--probability must be specified when using random mode"));
        }
        if !random && !args.has(2) && !args.has(3) {
            return Err(Fault::param("--every and --packet must be specified when using nth mode"));
        }
        Ok(())
    },
    build: build_statistic,
};

fn build_statistic(args: &Args<'_>) -> Result<Match, Fault> {
    let Some(mode) = args.get(0) else { return Err(Fault::Incomplete) };
    let (mode, not) = match mode.text.as_str() {
        "random" => {
            let g = args.get(1);
            let Some(text) = g.map(|g| g.text.as_str()) else { return Err(Fault::Incomplete) };
            // The kernel's fraction is of 2^31, rounded.
            let fraction = number::decimal(text).and_then(|(digits, places)| {
                let one = 10u128.pow(places);
                let part = (u128::from(digits) * (1 << 32) + one) / (2 * one);
                (u128::from(digits) <= one).then_some(part as u32)
            });
            let probability = fraction.ok_or_else(|| {
                Fault::param("statistic: bad value for option \"--probability\", or out of range (0-1).\n")
            })?;
            (StatisticMode::Random { probability }, g.is_some_and(|g| g.not))
        }
        "nth" => {
            let g = args.get(2);
            let every = args.num(2, 1) - 1;
            let packet = args.num(3, 0);
            if packet > every {
                return Err(Fault::param("the --packet p must be 0 <= p <= n-1"));
            }
            let mode = StatisticMode::Nth { every: every as u32, packet: packet as u32, count: 0 };
            (mode, g.is_some_and(|g| g.not))
        }
        other => return Err(Fault::param(words!("Bad mode \"{other}\""))),
    };
    Ok(Match::Statistic(StatisticMatch { mode, not }))
}

/// A fraction of 2^31 with eleven decimals, the last rounded to even.
fn put_chance(out: &mut String, probability: u32) {
    let scaled = u128::from(probability) * 100_000_000_000;
    let (mut n, rest) = (scaled >> 31, scaled & 0x7fff_ffff);
    let half = 1 << 30;
    if rest > half || (rest == half && n & 1 == 1) {
        n += 1;
    }
    put!(out, "{}.{:011}", n / 100_000_000_000, n % 100_000_000_000);
}

fn put_statistic(m: &StatisticMatch, dashes: &str, out: &mut String) {
    let not = if m.not { " !" } else { "" };
    match m.mode {
        StatisticMode::Random { probability } => {
            put!(out, " {dashes}mode random{not} {dashes}probability ");
            put_chance(out, probability);
        }
        StatisticMode::Nth { every, packet, .. } => {
            let every = u64::from(every) + 1;
            put!(out, " {dashes}mode nth{not} {dashes}every {every}");
            if packet != 0 || !dashes.is_empty() {
                put!(out, " {dashes}packet {packet}");
            }
        }
    }
}

/// `-m statistic`'s options.
pub(super) fn save_statistic(m: &StatisticMatch, out: &mut String) {
    put_statistic(m, "--", out);
}

/// `-m statistic` in a listing.
pub(super) fn list_statistic(m: &StatisticMatch, out: &mut String) {
    out.push_str(" statistic");
    put_statistic(m, "", out);
}
