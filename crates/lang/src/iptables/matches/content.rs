//! Matches on a packet's bytes and the clock: string, u32, time.

use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, no_check, opt};
use crate::iptables::{number, put};
use hookwalk_engine::matches::string::StringAlgo;
use hookwalk_engine::matches::u32::{U32Op, U32Test};
use hookwalk_engine::matches::{Match, StringMatch, TimeMatch, U32Match};

const STRING_OPTS: &[Opt] = &[
    opt("from", 0, Ty::Num(0, 65535)),
    opt("to", 1, Ty::Num(0, 65535)),
    opt("algo", 2, Ty::Text).must(),
    opt("string", 3, Ty::Text).inv().not_with(&[4]),
    opt("hex-string", 4, Ty::Text).inv().not_with(&[3]),
    opt("icase", 5, Ty::Flag),
];

/// `-m string`.
pub(super) static STRING: Ext<Match> = Ext {
    name: "string",
    family: None,
    opts: STRING_OPTS,
    first: |args| {
        if args.has(3) || args.has(4) {
            return Ok(());
        }
        Err(Fault::param("STRING match: You must specify `--string' or `--hex-string'"))
    },
    build: build_string,
};

/// Text with `|AA BB|` for bytes in hexadecimal.
fn hex_string(text: &str) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    let mut in_hex = false;
    while let Some((&c, after)) = rest.split_first() {
        match c {
            b'\\' if !in_hex => {
                let Some((&escaped, after)) = after.split_first() else {
                    return Err(Fault::param("Bad literal placement at end of string"));
                };
                bytes.push(escaped);
                rest = after;
            }
            b'|' => {
                in_hex = !in_hex;
                rest = after;
            }
            b' ' if in_hex => rest = after,
            _ if in_hex => {
                let (Some(&high), Some(&low)) = (rest.first(), rest.get(1)) else {
                    return Err(Fault::param("Invalid hex block"));
                };
                if low == b'|' {
                    return Err(Fault::param("Invalid hex block"));
                }
                let digit = |b: u8| (b as char).to_digit(16);
                for b in [high, low] {
                    if digit(b).is_none() {
                        return Err(Fault::param(words!("Invalid hex char '{}'", b as char)));
                    }
                }
                let value = digit(high).unwrap_or(0) * 16 + digit(low).unwrap_or(0);
                bytes.push(value as u8);
                rest = &rest[2..];
            }
            _ => {
                bytes.push(c);
                rest = after;
            }
        }
    }
    if in_hex { Err(Fault::param("Invalid hex block")) } else { Ok(bytes) }
}

fn build_string(args: &Args<'_>) -> Result<Match, Fault> {
    let g = args.get(3).or_else(|| args.get(4)).ok_or(Fault::Incomplete)?;
    let pattern = if g.id == 3 { g.text.as_bytes().to_vec() } else { hex_string(&g.text)? };
    let algo = match args.get(2).map(|g| g.text.as_str()) {
        Some("bm") => StringAlgo::Bm,
        Some("kmp") => StringAlgo::Kmp,
        // The kernel looks for a module of this name.
        _ => {
            return Err(Fault::Kernel {
                op: "RULE_APPEND",
                why: crate::iptables::fault::ENOENT,
                about: String::new(),
            });
        }
    };
    if pattern.len() > 128 {
        return Err(Fault::param(words!("STRING too long \"{}\"", g.text)));
    }
    Ok(Match::String(
        StringMatch {
            pattern: pattern.into(),
            not: g.not,
            algo,
            from: args.num(0, 0) as u16,
            to: args.num(1, 65535) as u16,
            icase: args.has(5),
        }
        .into(),
    ))
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| (0x20..0x7f).contains(b))
}

fn put_pattern(out: &mut String, bytes: &[u8]) {
    if is_text(bytes) {
        out.push('"');
        for b in bytes {
            if matches!(b, b'"' | b'\\') {
                out.push('\\');
            }
            out.push(*b as char);
        }
        out.push('"');
    } else {
        out.push_str("\"|");
        for b in bytes {
            put!(out, "{b:02x}");
        }
        out.push_str("|\"");
    }
}

fn algo(m: &StringMatch) -> &'static str {
    match m.algo {
        StringAlgo::Bm => "bm",
        StringAlgo::Kmp => "kmp",
    }
}

/// `-m string`'s options.
pub(super) fn save_string(m: &StringMatch, out: &mut String) {
    let option = if is_text(&m.pattern) { "string" } else { "hex-string" };
    put!(out, "{} --{option} ", if m.not { " !" } else { "" });
    put_pattern(out, &m.pattern);
    put!(out, " --algo {}", algo(m));
    if m.from != 0 {
        put!(out, " --from {}", m.from);
    }
    if m.to != 65535 {
        put!(out, " --to {}", m.to);
    }
    if m.icase {
        out.push_str(" --icase");
    }
}

/// `-m string` in a listing.
pub(super) fn list_string(m: &StringMatch, out: &mut String) {
    out.push_str(if m.not { " STRING match ! " } else { " STRING match  " });
    put_pattern(out, &m.pattern);
    put!(out, " ALGO name {}", algo(m));
    if m.from != 0 {
        put!(out, " FROM {}", m.from);
    }
    if m.to != 65535 {
        put!(out, " TO {}", m.to);
    }
    if m.icase {
        out.push_str(" ICASE");
    }
}

/// `-m u32`.
pub(super) static U32: Ext<Match> = Ext {
    name: "u32",
    family: None,
    opts: &[opt("u32", 0, Ty::Text).inv().must()],
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        Ok(Match::U32(U32Match { tests: parse_u32(&g.text)?.into(), not: g.not }))
    },
};

/// Reads tests from left to right.
struct U32Parser<'a> {
    text: &'a str,
    at: usize,
}

impl U32Parser<'_> {
    fn blanks(&mut self) {
        while self.text[self.at..].starts_with(|c: char| c.is_ascii_whitespace()) {
            self.at += 1;
        }
    }
    fn take(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.text[self.at..].starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }
    fn number(&mut self) -> Result<u32, Fault> {
        self.blanks();
        let rest = &self.text[self.at..];
        match number::prefix(rest) {
            Some((value, after)) if value <= u64::from(u32::MAX) => {
                self.at += rest.len() - after.len();
                Ok(value as u32)
            }
            _ => Err(Fault::param(words!("u32: at char {}: not a number or out of range", self.at))),
        }
    }
}

fn parse_u32(text: &str) -> Result<Vec<U32Test>, Fault> {
    let mut p = U32Parser { text, at: 0 };
    let mut tests = Vec::new();
    loop {
        if tests.len() > 10 {
            return Err(Fault::param("u32: at char 0: too many \"&&\"s"));
        }
        let offset = p.number()?;
        let mut ops = Vec::new();
        loop {
            if p.take("=") {
                break;
            }
            let op: fn(u32) -> U32Op = if p.text[p.at..].starts_with("&&") {
                return Err(Fault::param(words!("u32: at char {}: operator expected", p.at)));
            } else if p.take("&") {
                U32Op::And
            } else if p.take("<<") {
                U32Op::Shl
            } else if p.take(">>") {
                U32Op::Shr
            } else if p.take("@") {
                U32Op::At
            } else if p.at >= text.len() {
                return Err(Fault::param("u32: abrupt end of input after location specifier"));
            } else {
                return Err(Fault::param(words!("u32: at char {}: operator expected", p.at)));
            };
            if ops.len() >= 10 {
                return Err(Fault::param(words!("u32: at char {}: too many operators", p.at)));
            }
            ops.push(op(p.number()?));
        }
        let mut ranges = Vec::new();
        loop {
            if ranges.len() >= 10 {
                return Err(Fault::param(words!("u32: at char {}: too many \",\"s", p.at)));
            }
            let low = p.number()?;
            let high = if p.take(":") { p.number()? } else { low };
            ranges.push((low, high));
            if !p.take(",") {
                break;
            }
        }
        tests.push(U32Test { offset, ops: ops.into(), ranges: ranges.into() });
        p.blanks();
        if p.at >= text.len() {
            return Ok(tests);
        }
        if !p.take("&&") {
            return Err(Fault::param(words!("u32: at char {}: \"&&\" was expected instead", p.at)));
        }
    }
}

/// The tests in double quotes.
fn put_u32(m: &U32Match, out: &mut String) {
    out.push('"');
    for (i, test) in m.tests.iter().enumerate() {
        if i > 0 {
            out.push_str("&&");
        }
        put!(out, "0x{:x}", test.offset);
        for op in test.ops.iter() {
            match op {
                U32Op::And(n) => put!(out, "&0x{n:x}"),
                U32Op::Shl(n) => put!(out, "<<0x{n:x}"),
                U32Op::Shr(n) => put!(out, ">>0x{n:x}"),
                U32Op::At(n) => put!(out, "@0x{n:x}"),
            }
        }
        out.push('=');
        for (i, (low, high)) in test.ranges.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            put!(out, "0x{low:x}");
            if low != high {
                put!(out, ":0x{high:x}");
            }
        }
    }
    out.push('"');
}

/// `-m u32`'s option.
pub(super) fn save_u32(m: &U32Match, out: &mut String) {
    out.push_str(if m.not { " ! --u32 " } else { " --u32 " });
    put_u32(m, out);
}

/// `-m u32` in a listing.
pub(super) fn list_u32(m: &U32Match, out: &mut String) {
    out.push_str(if m.not { " u32 ! " } else { " u32 " });
    put_u32(m, out);
}

const TIME_OPTS: &[Opt] = &[
    opt("datestart", 0, Ty::Text),
    opt("datestop", 1, Ty::Text),
    opt("timestart", 2, Ty::Text),
    opt("timestop", 3, Ty::Text),
    opt("contiguous", 4, Ty::Flag),
    opt("weekdays", 5, Ty::Text).inv(),
    opt("monthdays", 6, Ty::Text).inv(),
    opt("localtz", 9, Ty::Flag).not_with(&[8]),
    opt("kerneltz", 7, Ty::Flag).not_with(&[8]),
    opt("utc", 8, Ty::Flag).not_with(&[7]),
];

/// `-m time`.
pub(super) static TIME: Ext<Match> =
    Ext { name: "time", family: None, opts: TIME_OPTS, first: no_check, build: build_time };

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const ALL_MONTHDAYS: u32 = 0xffff_fffe;
const ALL_WEEKDAYS: u8 = 0xfe;
const LAST_SECOND: u32 = 86_399;
const NO_STOP: u32 = i32::MAX as u32;

/// A decimal number at the beginning, 0 where none stands, and what follows.
fn digits(text: &str) -> (u64, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (if end == 0 { 0 } else { text[..end].parse().unwrap_or(u64::MAX) }, &text[end..])
}

/// `HH:MM[:SS]`; a part that is left out is 0, and what is wrong is told from the part on that has it.
fn daytime(text: &str) -> Result<u32, Fault> {
    let mut seconds = 0;
    let mut rest = text;
    for (i, limit) in [23, 59, 59].into_iter().enumerate() {
        let (value, after) = digits(rest);
        let next = after.strip_prefix(':');
        let goes_on = match i {
            0 => next.is_some(),
            1 => next.is_some() || after.is_empty(),
            _ => after.is_empty(),
        };
        if value > limit || !goes_on {
            return Err(Fault::param(words!(
                "invalid time \"{rest}\" specified, should be hh:mm[:ss] format and within the boundaries"
            )));
        }
        seconds += value as u32 * [3600, 60, 1][i];
        match next {
            Some(next) => rest = next,
            None => break,
        }
    }
    Ok(seconds)
}

/// Days since 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month, day.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn date(text: &str) -> Result<u32, Fault> {
    let bad =
        || Fault::param(words!("Invalid date \"{text}\" specified. Should be YYYY[-MM[-DD[Thh[:mm[:ss]]]]]"));
    let (ymd, hms) = match text.split_once('T') {
        Some((ymd, hms)) => (ymd, Some(hms)),
        None => (text, None),
    };
    let number = |part: &str| part.parse::<i64>().map_err(|_| bad());
    let mut parts = ymd.split('-');
    let year = number(parts.next().unwrap_or_default())?;
    let month = parts.next().map_or(Ok(1), number)?;
    let day = parts.next().map_or(Ok(1), number)?;
    if parts.next().is_some()
        || !(1970..=2038).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
    {
        return Err(bad());
    }
    let mut clock = [0i64; 3];
    if hms.is_some() && ymd.split('-').count() != 3 {
        return Err(bad());
    }
    if let Some(hms) = hms.filter(|t| !t.is_empty()) {
        for (i, part) in hms.split(':').enumerate() {
            let limit = [23, 59, 59].get(i).ok_or_else(bad)?;
            clock[i] = number(part)?;
            if !(0..=*limit).contains(&clock[i]) {
                return Err(bad());
            }
        }
    }
    let seconds = days(year, month, day) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2];
    u32::try_from(seconds).map_err(|_| bad())
}

fn build_time(args: &Args<'_>) -> Result<Match, Fault> {
    if args.has(9) {
        args.warn(
            "WARNING: --localtz is being replaced by --kerneltz, since \"local\" is ambiguous. \
             Note the kernel timezone has caveats - see manpage for details.",
        );
    }
    let mut m = TimeMatch {
        date_start: 0,
        date_stop: NO_STOP,
        daytime_start: 0,
        daytime_stop: LAST_SECOND,
        monthdays: ALL_MONTHDAYS,
        weekdays: ALL_WEEKDAYS,
        kernel_tz: args.has(7) || args.has(9),
        contiguous: args.has(4),
        weekdays_not: false,
        monthdays_not: false,
    };
    for g in &args.given {
        match g.id {
            0 => m.date_start = date(&g.text)?,
            1 => m.date_stop = date(&g.text)?,
            2 => m.daytime_start = daytime(&g.text)?,
            3 => m.daytime_stop = daytime(&g.text)?,
            5 => {
                let mut set = 0u8;
                for word in g.text.split(',') {
                    // A number that is no day counts for nothing.
                    let day = match word.parse::<i64>() {
                        Ok(number) => u32::try_from(number).unwrap_or(u32::MAX),
                        Err(_) => {
                            let known = DAYS.iter().position(|d| word.starts_with(&d[..2]));
                            let bad = || Fault::param(words!("{word} is not a valid day specifier"));
                            known.ok_or_else(bad)? as u32 + 1
                        }
                    };
                    set |= 1u8.checked_shl(day).unwrap_or(0);
                }
                m.weekdays = if g.not { ALL_WEEKDAYS & !set } else { set };
            }
            6 => {
                let mut set = 0u32;
                for word in g.text.split(',') {
                    let (day, after) = digits(word);
                    if day > 31 || !after.is_empty() {
                        let shown = word.len() - after.len() + after.chars().next().map_or(0, char::len_utf8);
                        return Err(Fault::param(words!(
                            "{} is not a valid day for --monthdays",
                            &word[..shown]
                        )));
                    }
                    set |= 1 << day;
                }
                m.monthdays = if g.not { ALL_MONTHDAYS & !set } else { set };
            }
            _ => {}
        }
    }
    Ok(Match::Time(m.into()))
}

fn put_clock(out: &mut String, seconds: u32) {
    put!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

fn put_date(out: &mut String, seconds: u32, between: char) {
    let (year, month, day) = civil(i64::from(seconds / 86_400));
    put!(out, "{year}-{month:02}-{day:02}{between}");
    put_clock(out, seconds % 86_400);
}

fn weekday_names(set: u8) -> String {
    let names: Vec<&str> =
        DAYS.iter().enumerate().filter(|(i, _)| set & 1 << (i + 1) != 0).map(|(_, d)| *d).collect();
    names.join(",")
}

/// `-m time`'s options. The last day is printed even where none was given.
pub(super) fn save_time(m: &TimeMatch, out: &mut String) {
    if m.daytime_start != 0 || m.daytime_stop != LAST_SECOND {
        out.push_str(" --timestart ");
        put_clock(out, m.daytime_start);
        out.push_str(" --timestop ");
        put_clock(out, m.daytime_stop);
    }
    if m.monthdays != ALL_MONTHDAYS {
        let days: Vec<String> =
            (1..=31).filter(|d| m.monthdays & 1 << d != 0).map(|d| d.to_string()).collect();
        put!(out, " --monthdays {}", days.join(","));
    }
    if m.weekdays != ALL_WEEKDAYS {
        put!(out, " --weekdays {}", weekday_names(m.weekdays));
    }
    if m.date_start != 0 {
        out.push_str(" --datestart ");
        put_date(out, m.date_start, 'T');
    }
    out.push_str(" --datestop ");
    put_date(out, m.date_stop, 'T');
    if m.kernel_tz {
        out.push_str(" --kerneltz");
    }
    if m.contiguous {
        out.push_str(" --contiguous");
    }
}

/// `-m time` in a listing.
pub(super) fn list_time(m: &TimeMatch, out: &mut String) {
    out.push_str(" TIME");
    if m.daytime_start != 0 || m.daytime_stop != LAST_SECOND {
        out.push_str(" from ");
        put_clock(out, m.daytime_start);
        out.push_str(" to ");
        put_clock(out, m.daytime_stop);
    }
    if m.weekdays != ALL_WEEKDAYS {
        put!(out, " on {}", weekday_names(m.weekdays));
    }
    if m.monthdays != ALL_MONTHDAYS {
        let days: Vec<String> = (1..=31u32)
            .filter(|d| m.monthdays & 1 << d != 0)
            .map(|d| {
                // The tool's own idea of ordinals.
                let suffix = match d % 10 {
                    1 => "st",
                    2 => "nd",
                    3 => "rd",
                    _ => "th",
                };
                format!("{d}{suffix}")
            })
            .collect();
        put!(out, " on {}", days.join(","));
    }
    if m.date_start != 0 {
        out.push_str(" starting from ");
        put_date(out, m.date_start, ' ');
    }
    if m.date_stop != NO_STOP {
        out.push_str(" until date ");
        put_date(out, m.date_stop, ' ');
    }
    if !m.kernel_tz {
        out.push_str(" UTC");
    }
    if m.contiguous {
        out.push_str(" contiguous");
    }
}

/// `-m time` as nft lists it; `None`: days of the month have no words. Times and days begin with a blank.
pub(crate) fn nft_time(m: &TimeMatch) -> Option<String> {
    if m.monthdays != ALL_MONTHDAYS {
        return None;
    }
    let mut out = String::new();
    if m.date_start != 0 || m.date_stop != NO_STOP {
        out.push_str("meta time \"");
        put_date(&mut out, m.date_start, ' ');
        out.push_str("\"-\"");
        put_date(&mut out, m.date_stop, ' ');
        out.push('"');
    }
    if m.daytime_start != 0 || m.daytime_stop != LAST_SECOND {
        out.push_str(" meta hour \"");
        put_clock(&mut out, m.daytime_start);
        out.push_str("\"-\"");
        put_clock(&mut out, m.daytime_stop);
        out.push('"');
    }
    if m.weekdays != ALL_WEEKDAYS {
        // Sunday is day 0, and still comes last.
        let days: Vec<String> =
            (1..=7).filter(|d| m.weekdays & 1 << d != 0).map(|d| (d % 7).to_string()).collect();
        match days.as_slice() {
            [one] => put!(out, " meta day {one}"),
            many => put!(out, " meta day {{ {} }}", many.join(", ")),
        }
    }
    Some(out)
}
