//! `-j` targets: what each takes, and how it is printed. One file a subject; here the list of them.

mod mark;
mod nat;
mod simple;

use super::matches::Style;
use super::option::{Ext, no_check};
use hookwalk_engine::Family;
use hookwalk_engine::targets::Target;

static NOTRACK: Ext<Target> =
    Ext { name: "NOTRACK", family: None, opts: &[], first: no_check, build: |_| Ok(Target::Notrack) };
static TRACE: Ext<Target> =
    Ext { name: "TRACE", family: None, opts: &[], first: no_check, build: |_| Ok(Target::Trace) };

/// All targets with options, and those that are more than a verdict.
static ALL: &[&Ext<Target>] = &[
    &NOTRACK,
    &TRACE,
    &mark::MARK,
    &mark::CONNMARK,
    &nat::DNAT,
    &nat::SNAT,
    &nat::MASQUERADE,
    &nat::REDIRECT,
    &nat::NETMAP,
    &nat::NETMAP6,
    &simple::REJECT,
    &simple::REJECT6,
    &simple::TTL,
    &simple::HL,
    &simple::TOS,
    &simple::DSCP,
    &simple::CT,
];

/// The target of this name in this family.
pub(crate) fn find(name: &str, family: Family) -> Option<&'static Ext<Target>> {
    ALL.iter().copied().find(|e| e.name == name && e.family.is_none_or(|f| f == family))
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
        Target::Netmap(t) => nat::save_netmap(t, family, out),
        Target::Reject(with) => simple::save_reject(*with, out),
        Target::Ttl(t) => simple::save_ttl(t, "ttl", out),
        Target::Hl(t) => simple::save_ttl(t, "hl", out),
        Target::Tos(t) => simple::save_tos(t, out),
        Target::Dscp(value) => simple::save_dscp(*value, out),
        Target::Ct(t) => simple::save_ct(t, out),
        _ => {}
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
        _ => {}
    }
}
