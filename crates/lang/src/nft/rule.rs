//! A rule as `nft list` prints what iptables-nft made of it. The tool writes header conditions, ports, TCP flags, marks
//! and limits in nf_tables' own language, and everything else in xtables'; nft prints the first in its own words, and
//! the second as libxtables translates them, or by their bare names.

use super::{matches, targets};
use crate::iptables::{address, names, put};
use hookwalk_engine::Family;
use hookwalk_engine::ruleset::{Counters, HeaderMatch, IfName, Inv, Rule, Table};

/// How a statement of a rule is made, on which hangs what may be left out before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A comparison of nf_tables' own.
    Own,
    /// The same, of a field of the transport header: it implies the protocol.
    Transport,
    /// Any other statement.
    Other,
    /// `meta l4proto`, which a [`Kind::Transport`] makes needless.
    Protocol,
}

/// A rule's statements, in order.
#[derive(Default, Debug)]
pub(super) struct Statements {
    list: Vec<(Kind, String)>,
    /// A part that is xtables' own: the table belongs to iptables.
    pub(super) xtables: bool,
}

impl Statements {
    /// Appends one.
    pub(super) fn push(&mut self, kind: Kind, text: String) {
        if kind == Kind::Transport {
            // The comparison with the protocol goes, unless a statement stands between that is no comparison.
            let before = self.list.iter().rposition(|(k, _)| matches!(k, Kind::Other | Kind::Protocol));
            if let Some(at) = before
                && self.list[at].0 == Kind::Protocol
            {
                self.list.remove(at);
            }
        }
        self.list.push((kind, text));
    }
    /// Appends what xtables does; `None`: there is no translation, and the name stands for it.
    pub(super) fn push_xtables(&mut self, what: &str, name: &str, text: Option<String>) {
        self.xtables = true;
        let text = text.unwrap_or_else(|| format!("xt {what} {name}"));
        self.push(Kind::Other, text);
    }
}

/// What a listing shows besides the rules.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Style {
    /// `-a`: handles.
    pub(super) handles: bool,
    /// `-s`: no counters.
    pub(super) stateless: bool,
    /// `-y`: priorities in numbers.
    pub(super) numeric: bool,
}

/// The rule's text, and whether xtables has a part in it.
pub(super) fn text(rule: &Rule, table: &Table, style: Style, loaded: &mut targets::Loaded) -> (String, bool) {
    let mut all = Statements::default();
    header(&rule.header, table.family, &mut all);
    for m in &rule.matches {
        matches::push(m, rule, table.family, &mut all);
    }
    all.push(Kind::Other, counter(rule.counters, style.stateless));
    targets::push(rule, table, loaded, &mut all);
    let texts: Vec<&str> = all.list.iter().map(|(_, text)| text.as_str()).collect();
    (texts.join(" "), all.xtables)
}

fn counter(c: Counters, stateless: bool) -> String {
    match stateless {
        true => "counter".into(),
        false => format!("counter packets {} bytes {}", c.packets, c.bytes),
    }
}

/// `!=` with a blank before it, where the condition is inverted.
pub(super) fn not<T>(inv: &Inv<T>) -> &'static str {
    if inv.not { " !=" } else { "" }
}

fn header(h: &HeaderMatch, family: Family, all: &mut Statements) {
    for (key, name) in [("iifname", &h.in_iface), ("oifname", &h.out_iface)] {
        if let Some(name) = name
            && let Some(text) = device(key, name)
        {
            all.push(Kind::Own, text);
        }
    }
    if let Some(proto) = &h.proto {
        let mut text = format!("meta l4proto{} ", not(proto));
        match names::protocol_name(proto.value) {
            Some(name) => text.push_str(name),
            None => put!(text, "{}", proto.value),
        }
        // Only a plain comparison is implied by a field of the header.
        all.push(if proto.not { Kind::Own } else { Kind::Protocol }, text);
    }
    for (key, net) in [("saddr", &h.src), ("daddr", &h.dst)] {
        let Some(net) = net else { continue };
        let ip = ip(family);
        let mut text = format!("{ip} {key}");
        match net.value.prefix_len(family) {
            Some(_) => {
                put!(text, "{} ", not(net));
                address::put_short(&mut text, &net.value, family);
            }
            None => {
                text.push_str(" & ");
                address::put(&mut text, net.value.mask, family);
                text.push_str(if net.not { " != " } else { " == " });
                address::put(&mut text, net.value.addr, family);
            }
        }
        all.push(Kind::Own, text);
    }
    if let Some(fragment) = &h.fragment {
        let sign = if fragment.not { "==" } else { "!=" };
        all.push(Kind::Own, format!("ip frag-off & 8191 {sign} 0"));
    }
}

/// `ip` or `ip6`.
pub(super) fn ip(family: Family) -> &'static str {
    if family == Family::V4 { "ip" } else { "ip6" }
}

/// A name of a device in nft's notation; a lone `+` is no condition.
fn device(key: &str, name: &Inv<IfName>) -> Option<String> {
    let text = &*name.value.0;
    if text == "+" {
        // What can never be is written as a name that no device can have.
        return name.not.then(|| format!("{key} \"INVAL/D\""));
    }
    let shown = match text.strip_suffix('+') {
        Some(stem) => format!("{stem}*"),
        None => match text.strip_suffix('*') {
            Some(stem) => format!("{stem}\\*"),
            None => text.to_string(),
        },
    };
    Some(format!("{key}{} \"{shown}\"", not(name)))
}
