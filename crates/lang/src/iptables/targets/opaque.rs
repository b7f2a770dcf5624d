//! Targets that are kept and printed, and do nothing here: SECMARK, CONNSECMARK, HMARK, IDLETIMER, LED, RATEEST,
//! SYNPROXY. Each becomes its saved text; the listing is made from that.

use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, no_check, opt};
use crate::iptables::{number, put};
use hookwalk_engine::targets::{OpaqueTarget, Target};

fn kept(args: &Args<'_>, text: &str) -> Target {
    let text = text.strip_prefix(' ').unwrap_or(text);
    Target::Opaque(OpaqueTarget { name: args.name.into(), args: text.into() }.into())
}

/// `-j SECMARK`.
pub(super) static SECMARK: Ext<Target> = Ext {
    name: "SECMARK",
    family: None,
    opts: &[opt("selctx", 0, Ty::Text).must()],
    first: no_check,
    build: |args| Ok(kept(args, &format!("--selctx {}", args.get(0).map_or("", |g| &g.text)))),
};

const CONNSECMARK_OPTS: &[Opt] =
    &[opt("save", 0, Ty::Flag).not_with(&[1]), opt("restore", 1, Ty::Flag).not_with(&[0])];

/// `-j CONNSECMARK`.
pub(super) static CONNSECMARK: Ext<Target> = Ext {
    name: "CONNSECMARK",
    family: None,
    opts: CONNSECMARK_OPTS,
    first: |args| {
        if args.given.is_empty() {
            return Err(Fault::param("CONNSECMARK target: parameter required"));
        }
        Ok(())
    },
    build: |args| Ok(kept(args, if args.has(0) { "--save" } else { "--restore" })),
};

const HMARK_OPTS: &[Opt] = &[
    opt("hmark-tuple", 0, Ty::Text),
    opt("hmark-src-prefix", 1, Ty::Plen),
    opt("hmark-dst-prefix", 2, Ty::Plen),
    opt("hmark-sport-mask", 3, Ty::Num(0, 65535)).not_with(&[5]),
    opt("hmark-dport-mask", 4, Ty::Num(0, 65535)).not_with(&[5]),
    opt("hmark-spi-mask", 5, Ty::Num(0, u32::MAX as u64)),
    opt("hmark-sport", 6, Ty::Num(0, 65535)),
    opt("hmark-dport", 7, Ty::Num(0, 65535)),
    opt("hmark-spi", 8, Ty::Num(0, u32::MAX as u64)),
    opt("hmark-proto-mask", 9, Ty::Num(0, 65535)),
    opt("hmark-rnd", 10, Ty::Num(0, u32::MAX as u64)),
    opt("hmark-mod", 11, Ty::Num(1, u32::MAX as u64)),
    opt("hmark-offset", 12, Ty::Num(0, u32::MAX as u64)),
];

/// `-j HMARK`.
pub(super) static HMARK: Ext<Target> = Ext {
    name: "HMARK",
    family: None,
    opts: HMARK_OPTS,
    first: |args| {
        if !args.has(11) {
            return Err(Fault::param("--hmark-mod is mandatory"));
        }
        if !args.has(10) {
            return Err(Fault::param("--hmark-rnd is mandatory"));
        }
        if args.has(5) && (args.has(3) || args.has(4)) {
            return Err(Fault::param(
                "you cannot use --hmark-spi-mask and --hmark-?port-mask,at the same time",
            ));
        }
        Ok(())
    },
    build: build_hmark,
};

fn build_hmark(args: &Args<'_>) -> Result<Target, Fault> {
    let full = u64::from(args.family.bits());
    let (mut src, mut dst) = (args.get(1).map(|g| g.num()), args.get(2).map(|g| g.num()));
    let (mut sport, mut dport) = (args.get(3).map(|g| g.num()), args.get(4).map(|g| g.num()));
    let (mut spi, mut proto) = (args.get(5).map(|g| g.num()), args.get(9).map(|g| g.num()));
    let mut ct = false;
    if let Some(g) = args.get(0) {
        for word in g.text.split(',') {
            match word {
                "ct" => ct = true,
                "src" => src = Some(full),
                "dst" => dst = Some(full),
                "sport" => sport = Some(0xffff),
                "dport" => dport = Some(0xffff),
                "spi" => spi = Some(0xffff_ffff),
                "proto" => proto = Some(0xff),
                _ => return Err(Fault::param(words!("bad value for option \"--hmark-tuple\": `{word}'"))),
            }
        }
    }
    let mut out = String::new();
    for (name, value) in [("src-prefix", src), ("dst-prefix", dst)] {
        if let Some(value) = value {
            put!(out, " --hmark-{name} {value}");
        }
    }
    for (name, value) in [("sport-mask", sport), ("dport-mask", dport)] {
        if let Some(value) = value {
            put!(out, " --hmark-{name} 0x{value:04x}");
        }
    }
    if let Some(value) = spi {
        put!(out, " --hmark-spi-mask 0x{value:08x}");
    }
    if let Some(value) = args.get(6) {
        put!(out, " --hmark-sport 0x{:04x}", value.num());
    }
    if let Some(value) = args.get(7) {
        put!(out, " --hmark-dport 0x{:04x}", value.num());
    }
    if let Some(value) = args.get(8) {
        put!(out, " --hmark-spi 0x{:08x}", value.num());
    }
    if let Some(value) = proto {
        put!(out, " --hmark-proto-mask 0x{value:02x}");
    }
    put!(out, " --hmark-rnd 0x{:08x} --hmark-mod {}", args.num(10, 0), args.num(11, 1));
    if args.num(12, 0) != 0 {
        put!(out, " --hmark-offset {}", args.num(12, 0));
    }
    if ct {
        out.push_str(" --hmark-tuple ct");
    }
    Ok(kept(args, &out))
}

const IDLETIMER_OPTS: &[Opt] = &[
    opt("timeout", 0, Ty::Num(0, u32::MAX as u64)).must(),
    opt("label", 1, Ty::Text).must(),
    opt("alarm", 2, Ty::Flag),
];

/// `-j IDLETIMER`.
pub(super) static IDLETIMER: Ext<Target> = Ext {
    name: "IDLETIMER",
    family: None,
    opts: IDLETIMER_OPTS,
    first: no_check,
    build: |args| {
        let mut out = format!("--timeout {} --label {}", args.num(0, 0), args.get(1).map_or("", |g| &g.text));
        if args.has(2) {
            out.push_str(" --alarm");
        }
        Ok(kept(args, &out))
    },
};

const LED_OPTS: &[Opt] = &[
    opt("led-trigger-id", 0, Ty::Text).must(),
    opt("led-delay", 1, Ty::Text),
    opt("led-always-blink", 2, Ty::Flag),
];

/// `-j LED`.
pub(super) static LED: Ext<Target> = Ext {
    name: "LED",
    family: None,
    opts: LED_OPTS,
    first: |args| {
        args.warn("Warning: Extension LED revision 0 not supported, missing kernel module?");
        Ok(())
    },
    build: |args| {
        let mut out = format!("--led-trigger-id \"{}\"", args.get(0).map_or("", |g| &g.text));
        if let Some(delay) = args.get(1) {
            put!(out, " --led-delay {}", delay.text);
        }
        if args.has(2) {
            out.push_str(" --led-always-blink");
        }
        Ok(kept(args, &out))
    },
};

const RATEEST_OPTS: &[Opt] = &[
    opt("rateest-name", 0, Ty::Late).must(),
    opt("rateest-interval", 1, Ty::Late),
    opt("rateest-ewmalog", 2, Ty::Late),
];

/// `-j RATEEST`.
pub(super) static RATEEST: Ext<Target> =
    Ext { name: "RATEEST", family: None, opts: RATEEST_OPTS, first: no_check, build: build_rateest };

/// A time with its unit, in microseconds.
fn micros(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, places) = number::decimal(&text[..end])?;
    let unit: u128 = match &text[end..] {
        "" | "us" | "usec" | "usecs" => 1,
        "s" | "sec" | "secs" => 1_000_000,
        "ms" | "msec" | "msecs" => 1000,
        _ => return None,
    };
    u64::try_from(u128::from(digits) * unit / 10u128.pow(places)).ok()
}

fn put_time(out: &mut String, us: u64) {
    let (unit, name) = match us {
        1_000_000.. => (1_000_000, "s"),
        1000.. => (1000, "ms"),
        _ => {
            put!(out, " {us}us");
            return;
        }
    };
    let tenths = (us * 10 + unit / 2) / unit;
    put!(out, " {}.{}{name}", tenths / 10, tenths % 10);
}

fn build_rateest(args: &Args<'_>) -> Result<Target, Fault> {
    let time = |id, name: &str| match args.get(id) {
        Some(g) => micros(&g.text)
            .map(Some)
            .ok_or_else(|| Fault::param(words!("RATEEST: bad {name} value \"{}\"", g.text))),
        None => Ok(None),
    };
    let interval = time(1, "interval")?.unwrap_or(0);
    let ewma = time(2, "ewmalog")?.unwrap_or(0);
    // The kernel takes 2^n quarters of a second, and an average that lasts 2^m intervals.
    let step = (0..=5).find(|n| interval <= 250_000 << n);
    let Some(step) = step else { return Err(Fault::param("RATEEST: interval value is too large")) };
    let span = 250_000u64 << step;
    // How long such an average looks back: -1 / ln(1 - 2^-log) intervals, which is near 2^log - 1/2.
    let average =
        |log: u32| (u128::from(span) << log) - u128::from(span) / 2 - (u128::from(span / 10) >> log);
    let Some(log) =
        (1..31).find(|log| average(*log) > u128::from(ewma)).map(|log| log - 1).filter(|log| *log > 0)
    else {
        return Err(Fault::param("RATEEST: ewmalog value is out of range"));
    };
    let mut out = format!("--rateest-name {} --rateest-interval", args.get(0).map_or("", |g| &g.text));
    put_time(&mut out, span);
    out.push_str(" --rateest-ewmalog");
    put_time(&mut out, span << log);
    Ok(kept(args, &out))
}

const SYNPROXY_OPTS: &[Opt] = &[
    opt("sack-perm", 0, Ty::Flag),
    opt("timestamp", 1, Ty::Flag),
    opt("wscale", 2, Ty::Num(0, u32::MAX as u64)),
    opt("mss", 3, Ty::Text),
    opt("ecn", 4, Ty::Flag),
];

/// `-j SYNPROXY`.
pub(super) static SYNPROXY: Ext<Target> = Ext {
    name: "SYNPROXY",
    family: None,
    opts: SYNPROXY_OPTS,
    first: no_check,
    build: |args| {
        let mut out = String::new();
        if args.has(0) {
            out.push_str(" --sack-perm");
        }
        if args.has(1) {
            out.push_str(" --timestamp");
        }
        if let Some(g) = args.get(2) {
            put!(out, " --wscale {}", g.num() as u8);
        }
        if let Some(g) = args.get(3) {
            let mss = number::whole(&g.text, 0, u64::from(u32::MAX)).ok_or_else(|| {
                Fault::param("SYNPROXY: bad value for option \"--mss\", or out of range (0-65535).\n")
            })?;
            // Only 16 bits are kept.
            put!(out, " --mss {}", mss as u16);
        }
        if args.has(4) {
            out.push_str(" --ecn");
        }
        Ok(kept(args, &out))
    },
};

/// The saved text.
pub(super) fn save(t: &OpaqueTarget, out: &mut String) {
    if !t.args.is_empty() {
        put!(out, " {}", t.args);
    }
}

/// In a listing: names lose their dashes and prefix.
pub(super) fn list(t: &OpaqueTarget, out: &mut String) {
    let words: Vec<&str> = t.args.split(' ').filter(|w| !w.is_empty()).collect();
    let value = |name: &str| words.iter().position(|w| *w == name).and_then(|i| words.get(i + 1));
    match &*t.name {
        "HMARK" => {
            out.push_str(" HMARK ");
            if words.contains(&"--hmark-tuple") {
                out.push_str("ct, ");
            }
            put!(out, "mod {}", value("--hmark-mod").unwrap_or(&""));
            if let Some(offset) = value("--hmark-offset").and_then(|o| o.parse::<u32>().ok()) {
                put!(out, " + 0x{offset:x}");
            }
            out.push(' ');
            for name in [
                "src-prefix",
                "dst-prefix",
                "sport-mask",
                "dport-mask",
                "spi-mask",
                "sport",
                "dport",
                "spi",
                "proto-mask",
            ] {
                if let Some(v) = value(&format!("--hmark-{name}")) {
                    put!(out, "{name} {v} ");
                }
            }
            if let Some(rnd) = value("--hmark-rnd").and_then(|r| number::u32_whole(r)) {
                put!(out, "rnd 0x{rnd:x} ");
            }
        }
        "IDLETIMER" => {
            put!(
                out,
                " timeout:{} label:{}",
                value("--timeout").unwrap_or(&""),
                value("--label").unwrap_or(&"")
            );
            if words.contains(&"--alarm") {
                out.push_str(" alarm");
            }
        }
        "SECMARK" => put!(out, " SECMARK selctx {}", value("--selctx").unwrap_or(&"")),
        "SYNPROXY" => {
            out.push_str(" SYNPROXY ");
            for word in &words {
                put!(out, "{} ", word.strip_prefix("--").unwrap_or(word));
            }
        }
        _ => {
            if &*t.name == "CONNSECMARK" {
                out.push_str(" CONNSECMARK");
            }
            for word in &words {
                let short = word.strip_prefix("--").unwrap_or(word);
                put!(out, " {}", short.strip_prefix("rateest-").unwrap_or(short));
            }
        }
    }
}
