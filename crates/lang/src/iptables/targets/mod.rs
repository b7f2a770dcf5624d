//! `-j` targets: what each takes, and how it is printed. One file a subject; here the list of them.

mod divert;
mod log;
mod mark;
mod nat;
mod opaque;
mod simple;

use super::matches::Style;
use super::option::{Ext, no_check};
use super::put;
use hookwalk_engine::targets::Target;
use hookwalk_engine::{FULL, Family};

static NOTRACK: Ext<Target> =
    Ext { name: "NOTRACK", family: None, opts: &[], first: no_check, build: |_| Ok(Target::Notrack) };
static TRACE: Ext<Target> =
    Ext { name: "TRACE", family: None, opts: &[], first: no_check, build: |_| Ok(Target::Trace) };

/// The targets, with options or more than a verdict, that most rules have; the player reads these only.
static COMMON: &[&Ext<Target>] = &[
    &NOTRACK,
    &mark::MARK,
    &mark::CONNMARK,
    &nat::DNAT,
    &nat::SNAT,
    &nat::MASQUERADE,
    &nat::REDIRECT,
    &simple::REJECT,
    &simple::REJECT6,
    &simple::CT,
    &log::LOG,
];

/// The others.
static RARE: &[&Ext<Target>] = &[
    &TRACE,
    &nat::NETMAP,
    &nat::NETMAP6,
    &simple::TTL,
    &simple::HL,
    &simple::TOS,
    &simple::DSCP,
    &log::NFLOG,
    &log::AUDIT,
    &divert::TPROXY,
    &divert::TEE,
    &divert::NFQUEUE,
    &divert::SET,
    &divert::TCPMSS,
    &divert::TCPOPTSTRIP,
    &divert::ECN,
    &divert::CHECKSUM,
    &divert::CLASSIFY,
    &divert::SNPT,
    &divert::DNPT,
    &opaque::SECMARK,
    &opaque::CONNSECMARK,
    &opaque::HMARK,
    &opaque::IDLETIMER,
    &opaque::LED,
    &opaque::RATEEST,
    &opaque::SYNPROXY,
];

/// All that can be read.
fn all() -> impl Iterator<Item = &'static Ext<Target>> {
    let rare = if FULL { RARE } else { &[] };
    COMMON.iter().chain(rare).copied()
}

/// The target of this name in this family.
pub(crate) fn find(name: &str, family: Family) -> Option<&'static Ext<Target>> {
    all().find(|e| e.name == name && e.family.is_none_or(|f| f == family))
}

/// The names of a family's targets.
pub(crate) fn names(family: Family) -> impl Iterator<Item = &'static str> {
    all().filter(move |e| e.family.is_none_or(|f| f == family)).map(|e| e.name)
}

/// The options as iptables-save prints them, each word with a blank before it.
pub(crate) fn save(t: &Target, family: Family, out: &mut String) {
    match t {
        Target::Mark(t) => mark::save_mark(t, out),
        Target::Connmark(t) => mark::save_connmark(t, out),
        Target::Dnat(t) => nat::save_dnat(t, family, out),
        Target::Snat(t) => nat::save_snat(t, family, out),
        Target::Masquerade(t) => nat::save_masquerade(t, out),
        Target::Redirect(t) => nat::save_redirect(t, out),
        Target::Reject(with) => simple::save_reject(*with, out),
        Target::Ct(t) => simple::save_ct(t, out),
        Target::Log(t) => log::save_log(t, out),
        _ if !FULL => {}
        Target::Netmap(t) => nat::save_netmap(t, family, out),
        Target::Ttl(t) => simple::save_ttl(t, "ttl", out),
        Target::Hl(t) => simple::save_ttl(t, "hl", out),
        Target::Tos(t) => simple::save_tos(t, out),
        Target::Dscp(value) => simple::save_dscp(*value, out),
        Target::Nflog(t) => log::put_nflog(t, "--", out),
        Target::Audit(t) => put!(out, " --type {}", log::audit_name(*t)),
        Target::Tproxy(t) => divert::save_tproxy(t, family, out),
        Target::Tee(t) => divert::save_tee(t, family, out),
        Target::Nfqueue(t) => divert::save_nfqueue(t, out),
        Target::Set(t) => divert::put_set_target(t, "--", out),
        Target::Tcpmss(t) => divert::save_tcpmss(t, out),
        Target::Tcpoptstrip(t) => divert::save_tcpoptstrip(t, out),
        Target::Ecn(t) => divert::save_ecn(t, out),
        Target::Checksum => out.push_str(" --checksum-fill"),
        Target::Classify(class) => put!(out, " --set-class {:04x}:{:04x}", class >> 16, class & 0xffff),
        Target::Snpt(t) | Target::Dnpt(t) => divert::put_npt(t, "--", out),
        Target::Opaque(t) => opaque::save(t, out),
        Target::None
        | Target::Accept
        | Target::Drop
        | Target::Return
        | Target::Jump(_)
        | Target::Goto(_)
        | Target::Notrack
        | Target::Trace => {}
    }
}

/// What the target does as a listing prints it, with a blank before it.
pub(crate) fn list(t: &Target, style: Style, out: &mut String) {
    match t {
        Target::Mark(t) => mark::list_mark(t, out),
        Target::Connmark(t) => mark::list_connmark(t, out),
        Target::Dnat(t) => nat::list_dnat(t, style.family, out),
        Target::Snat(t) => nat::list_snat(t, style.family, out),
        Target::Masquerade(t) => nat::list_masquerade(t, out),
        Target::Redirect(t) => nat::list_redirect(t, out),
        Target::Netmap(t) => nat::list_netmap(t, style.family, out),
        Target::Reject(with) => simple::list_reject(*with, out),
        Target::Ttl(t) => simple::list_ttl(t, "TTL", out),
        Target::Hl(t) => simple::list_ttl(t, "HL", out),
        Target::Tos(t) => simple::list_tos(t, style, out),
        Target::Dscp(value) => simple::list_dscp(*value, out),
        Target::Ct(t) => simple::list_ct(t, out),
        Target::Notrack => out.push_str(" NOTRACK"),
        Target::Log(t) => log::list_log(t, style, out),
        Target::Nflog(t) => log::put_nflog(t, "", out),
        Target::Audit(t) => put!(out, " AUDIT {}", log::audit_name(*t)),
        Target::Tproxy(t) => divert::list_tproxy(t, style.family, out),
        Target::Tee(t) => divert::list_tee(t, style.family, out),
        Target::Nfqueue(t) => divert::list_nfqueue(t, out),
        Target::Set(t) => {
            divert::put_set_target(t, "", out);
        }
        Target::Tcpmss(t) => divert::list_tcpmss(t, out),
        Target::Tcpoptstrip(t) => divert::list_tcpoptstrip(t, style, out),
        Target::Ecn(t) => divert::list_ecn(t, out),
        Target::Checksum => out.push_str(" CHECKSUM fill"),
        Target::Classify(class) => put!(out, " CLASSIFY set {:x}:{:x}", class >> 16, class & 0xffff),
        Target::Snpt(t) => {
            out.push_str(" SNPT");
            divert::put_npt(t, "", out);
        }
        Target::Dnpt(t) => {
            out.push_str(" DNPT");
            divert::put_npt(t, "", out);
        }
        Target::Opaque(t) => opaque::list(t, out),
        Target::None
        | Target::Accept
        | Target::Drop
        | Target::Return
        | Target::Jump(_)
        | Target::Goto(_)
        | Target::Trace => {}
    }
}
