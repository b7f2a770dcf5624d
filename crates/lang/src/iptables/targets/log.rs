//! Targets that tell: LOG, NFLOG, AUDIT.

use crate::iptables::fault::Fault;
use crate::iptables::matches::Style;
use crate::iptables::option::{Ext, Opt, Ty, no_check, opt};
use crate::iptables::{names, put, put_quoted};
use hookwalk_engine::targets::{AuditType, LogTarget, NflogTarget, Target};

const LOG_OPTS: &[Opt] = &[
    opt("log-level", 0, Ty::Level),
    opt("log-prefix", 1, Ty::Text),
    opt("log-tcp-sequence", 2, Ty::Flag),
    opt("log-tcp-options", 3, Ty::Flag),
    opt("log-ip-options", 4, Ty::Flag),
    opt("log-uid", 5, Ty::Flag),
    opt("log-macdecode", 6, Ty::Flag),
];

/// `-j LOG`.
pub(super) static LOG: Ext<Target> = Ext {
    name: "LOG",
    family: None,
    opts: LOG_OPTS,
    first: no_check,
    build: |args| {
        let prefix = args.get(1).map(|g| text(&g.text, 29)).transpose()?.unwrap_or_default();
        if prefix.contains('\n') {
            return Err(Fault::param("Newlines not allowed in --log-prefix"));
        }
        Ok(Target::Log(
            LogTarget {
                level: args.num(0, 4) as u8,
                prefix: prefix.into(),
                tcp_sequence: args.has(2),
                tcp_options: args.has(3),
                ip_options: args.has(4),
                uid: args.has(5),
                mac_decode: args.has(6),
            }
            .into(),
        ))
    },
};

/// At least one character; what is longer is cut off.
fn text(text: &str, max: usize) -> Result<String, Fault> {
    if text.is_empty() {
        return Err(Fault::param("Argument must have a minimum length of 1 characters\n"));
    }
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Ok(text[..end].to_string())
}

fn flags(t: &LogTarget) -> [(bool, &'static str, u8); 5] {
    [
        (t.tcp_sequence, "tcp-sequence", 1),
        (t.tcp_options, "tcp-options", 2),
        (t.ip_options, "ip-options", 4),
        (t.uid, "uid", 8),
        (t.mac_decode, "macdecode", 32),
    ]
}

/// `-j LOG`'s options.
pub(super) fn save_log(t: &LogTarget, out: &mut String) {
    if !t.prefix.is_empty() {
        out.push_str(" --log-prefix");
        put_quoted(out, &t.prefix);
    }
    if t.level != 4 {
        put!(out, " --log-level {}", t.level);
    }
    for (on, name, _) in flags(t) {
        if on {
            put!(out, " --log-{name}");
        }
    }
}

/// `-j LOG` in a listing.
pub(super) fn list_log(t: &LogTarget, style: Style, out: &mut String) {
    out.push_str(" LOG");
    if style.numeric {
        let bits: u8 = flags(t).iter().filter(|f| f.0).map(|f| f.2).sum();
        put!(out, " flags {bits} level {}", t.level);
    } else {
        match names::LEVELS.iter().find(|(_, l)| *l == t.level) {
            Some((name, _)) => put!(out, " level {name}"),
            None => put!(out, " UNKNOWN level {}", t.level),
        }
        for (on, name, _) in flags(t) {
            if on {
                put!(out, " {name}");
            }
        }
    }
    if !t.prefix.is_empty() {
        put!(out, " prefix \"{}\"", t.prefix);
    }
}

const NFLOG_OPTS: &[Opt] = &[
    opt("nflog-group", 0, Ty::Num(0, 65535)),
    opt("nflog-prefix", 1, Ty::Text),
    opt("nflog-range", 2, Ty::Num(0, u32::MAX as u64)),
    opt("nflog-size", 3, Ty::Num(0, u32::MAX as u64)),
    opt("nflog-threshold", 4, Ty::Num(0, 65535)),
];

/// `-j NFLOG`.
pub(super) static NFLOG: Ext<Target> = Ext {
    name: "NFLOG",
    family: None,
    opts: NFLOG_OPTS,
    first: no_check,
    build: |args| {
        if args.has(2) {
            args.warn(
                "warn: --nflog-range has never worked and is no longer supported, please use --nflog-size instead",
            );
        }
        let prefix = args.get(1).map(|g| text(&g.text, 127)).transpose()?.unwrap_or_default();
        if prefix.contains('\n') {
            return Err(Fault::param("Newlines not allowed in --log-prefix"));
        }
        Ok(Target::Nflog(
            NflogTarget {
                group: args.num(0, 0) as u16,
                prefix: prefix.into(),
                range: None,
                size: args.get(3).map(|g| g.num() as u32),
                threshold: args.num(4, 0) as u16,
            }
            .into(),
        ))
    },
};

/// `-j NFLOG`'s options, with this before each.
pub(super) fn put_nflog(t: &NflogTarget, dashes: &str, out: &mut String) {
    if !t.prefix.is_empty() {
        put!(out, " {dashes}nflog-prefix");
        put_quoted(out, &t.prefix);
    }
    if t.group != 0 {
        put!(out, " {dashes}nflog-group {}", t.group);
    }
    if let Some(size) = t.size {
        put!(out, " {dashes}nflog-size {size}");
    }
    if t.threshold != 0 && t.threshold != 1 {
        put!(out, " {dashes}nflog-threshold {}", t.threshold);
    }
}

const AUDIT_TYPES: [(&str, AuditType); 3] =
    [("accept", AuditType::Accept), ("drop", AuditType::Drop), ("reject", AuditType::Reject)];

/// `-j AUDIT`.
pub(super) static AUDIT: Ext<Target> = Ext {
    name: "AUDIT",
    family: None,
    opts: &[opt("type", 0, Ty::Text).must()],
    first: no_check,
    build: |args| {
        let word = args.get(0).map_or("", |g| g.text.as_str());
        AUDIT_TYPES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
            .map(|(_, t)| Target::Audit(*t))
            .ok_or_else(|| Fault::param(words!("Bad action type value \"{word}\"")))
    },
};

/// The type's name.
pub(super) fn audit_name(t: AuditType) -> &'static str {
    AUDIT_TYPES.iter().find(|(_, x)| *x == t).map_or("", |(name, _)| name)
}
