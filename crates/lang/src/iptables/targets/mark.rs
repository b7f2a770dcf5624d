//! MARK and CONNMARK.

use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, opt};
use crate::iptables::put;
use hookwalk_engine::targets::{ConnmarkMode, ConnmarkTarget, MarkTarget, Target};

const MARK_OPTS: &[Opt] = &[
    opt("set-xmark", 0, Ty::Mark).not_with(&[1, 2, 3, 4]),
    opt("set-mark", 1, Ty::Mark).not_with(&[0, 2, 3, 4]),
    opt("and-mark", 2, Ty::Num(0, u32::MAX as u64)).not_with(&[0, 1, 3, 4]),
    opt("or-mark", 3, Ty::Num(0, u32::MAX as u64)).not_with(&[0, 1, 2, 4]),
    opt("xor-mark", 4, Ty::Num(0, u32::MAX as u64)).not_with(&[0, 1, 2, 3]),
];

/// `-j MARK`.
pub(super) static MARK: Ext<Target> = Ext {
    name: "MARK",
    family: None,
    opts: MARK_OPTS,
    first: |args| {
        if args.given.is_empty() {
            return Err(Fault::param(
                "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required",
            ));
        }
        Ok(())
    },
    build: |args| {
        let (value, mask) = set_mark(args).unwrap_or_default();
        Ok(Target::Mark(MarkTarget { value, mask }))
    },
};

/// The five ways to say which bits are cleared and which are flipped.
fn set_mark(args: &Args<'_>) -> Option<(u32, u32)> {
    args.given.iter().rev().find_map(|g| {
        let (value, mask) = g.mark();
        let number = g.num() as u32;
        Some(match g.id {
            0 => (value, mask),
            1 => (value, value | mask),
            2 => (0, !number),
            3 => (number, number),
            4 => (number, 0),
            _ => return None,
        })
    })
}

/// `-j MARK`'s option.
pub(super) fn save_mark(t: &MarkTarget, out: &mut String) {
    put!(out, " --set-xmark 0x{:x}/0x{:x}", t.value, t.mask);
}

fn put_set(name: &str, value: u32, mask: u32, out: &mut String) {
    put!(out, " {name}");
    if value == 0 {
        put!(out, " and 0x{:x}", !mask);
    } else if value == mask {
        put!(out, " or 0x{value:x}");
    } else if mask == 0 {
        put!(out, " xor 0x{value:x}");
    } else if mask == u32::MAX {
        put!(out, " set 0x{value:x}");
    } else {
        put!(out, " xset 0x{value:x}/0x{mask:x}");
    }
}

/// `-j MARK` in a listing.
pub(super) fn list_mark(t: &MarkTarget, out: &mut String) {
    put_set("MARK", t.value, t.mask, out);
}

const CONNMARK_OPTS: &[Opt] = &[
    opt("set-xmark", 0, Ty::Mark).not_with(&[1, 2, 3, 4, 5, 6]),
    opt("set-mark", 1, Ty::Mark).not_with(&[0, 2, 3, 4, 5, 6]),
    opt("and-mark", 2, Ty::Num(0, u32::MAX as u64)).not_with(&[0, 1, 3, 4, 5, 6]),
    opt("or-mark", 3, Ty::Num(0, u32::MAX as u64)).not_with(&[0, 1, 2, 4, 5, 6]),
    opt("xor-mark", 4, Ty::Num(0, u32::MAX as u64)).not_with(&[0, 1, 2, 3, 5, 6]),
    opt("save-mark", 6, Ty::Flag).not_with(&[0, 1, 2, 3, 4, 5]),
    opt("restore-mark", 5, Ty::Flag).not_with(&[0, 1, 2, 3, 4, 6]),
    opt("ctmask", 7, Ty::Num(0, u32::MAX as u64)),
    opt("nfmask", 8, Ty::Num(0, u32::MAX as u64)),
    opt("mask", 9, Ty::Num(0, u32::MAX as u64)),
    opt("left-shift-mark", 10, Ty::Num(0, 32)).not_with(&[11]),
    opt("right-shift-mark", 11, Ty::Num(0, 32)).not_with(&[10]),
];

/// `-j CONNMARK`.
pub(super) static CONNMARK: Ext<Target> = Ext {
    name: "CONNMARK",
    family: None,
    opts: CONNMARK_OPTS,
    first: |args| {
        if !args.given.iter().any(|g| g.id <= 6) {
            return Err(Fault::param("CONNMARK target: No operation specified"));
        }
        Ok(())
    },
    build: |args| {
        let shift = match (args.get(10), args.get(11)) {
            (Some(left), _) => left.num() as i8,
            (_, Some(right)) => -(right.num() as i8),
            _ => 0,
        };
        let t = match set_mark(args) {
            Some((ctmark, ctmask)) => {
                // A separate mask replaces the one of the value.
                let ctmask = args.get(9).map_or(ctmask, |g| g.num() as u32);
                ConnmarkTarget { mode: ConnmarkMode::Set, ctmark, ctmask, nfmask: u32::MAX, shift }
            }
            None => {
                let mode = if args.has(5) { ConnmarkMode::Restore } else { ConnmarkMode::Save };
                let both = args.num(9, u64::from(u32::MAX));
                ConnmarkTarget {
                    mode,
                    ctmark: 0,
                    ctmask: args.num(7, both) as u32,
                    nfmask: args.num(8, both) as u32,
                    shift,
                }
            }
        };
        Ok(Target::Connmark(t))
    },
};

/// `-j CONNMARK`'s options.
pub(super) fn save_connmark(t: &ConnmarkTarget, out: &mut String) {
    match t.mode {
        ConnmarkMode::Set => put!(out, " --set-xmark 0x{:x}/0x{:x}", t.ctmark, t.ctmask),
        ConnmarkMode::Save => {
            put!(out, " --save-mark --nfmask 0x{:x} --ctmask 0x{:x}", t.nfmask, t.ctmask);
        }
        ConnmarkMode::Restore => {
            put!(out, " --restore-mark --nfmask 0x{:x} --ctmask 0x{:x}", t.nfmask, t.ctmask);
        }
    }
    if t.shift > 0 {
        put!(out, " --left-shift-mark {}", t.shift);
    } else if t.shift < 0 {
        put!(out, " --right-shift-mark {}", -t.shift);
    }
}

/// `-j CONNMARK` in a listing.
pub(super) fn list_connmark(t: &ConnmarkTarget, out: &mut String) {
    let (nf, ct) = (t.nfmask, t.ctmask);
    match t.mode {
        ConnmarkMode::Set => put_set("CONNMARK", t.ctmark, t.ctmask, out),
        ConnmarkMode::Save if nf == u32::MAX && ct == u32::MAX => out.push_str(" CONNMARK save"),
        ConnmarkMode::Save if nf == ct => put!(out, " CONNMARK save mask 0x{nf:x}"),
        ConnmarkMode::Save => put!(out, " CONNMARK save nfmask 0x{nf:x} ctmask ~0x{ct:x}"),
        ConnmarkMode::Restore if nf == u32::MAX && ct == u32::MAX => out.push_str(" CONNMARK restore"),
        ConnmarkMode::Restore if nf == ct => put!(out, " CONNMARK restore mask 0x{nf:x}"),
        ConnmarkMode::Restore => put!(out, " CONNMARK restore ctmask 0x{ct:x} nfmask ~0x{nf:x}"),
    }
    if t.shift > 0 {
        put!(out, " left-shift-mark {}", t.shift);
    } else if t.shift < 0 {
        put!(out, " right-shift-mark {}", -t.shift);
    }
}
