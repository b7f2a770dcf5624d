//! `-L` and `-S`.

use super::fault::Fault;
use super::matches::Style;
use super::request::{Request, RuleSpec, TargetSpec};
use super::{address, exec, matches, names, put, save, targets};
use crate::output::Output;
use hookwalk_engine::matches::Match;
use hookwalk_engine::ruleset::{Counters, HeaderMatch, IfName, Inv, Rule, Ruleset, Table};
use hookwalk_engine::targets::Target;
use hookwalk_engine::{AddrMask, Family};

/// A count in a cell of at most five characters, with K, M, G, T where it is long.
fn short_count(mut n: u64) -> (u64, &'static str) {
    if n <= 99_999 {
        return (n, "");
    }
    for suffix in ["K", "M", "G"] {
        n = n.wrapping_add(500) / 1000;
        if n <= 9999 {
            return (n, suffix);
        }
    }
    (n.wrapping_add(500) / 1000, "T")
}

fn put_count(out: &mut String, n: u64, exact: bool) {
    if exact {
        put!(out, "{n:>8} ");
        return;
    }
    match short_count(n) {
        (n, "") => put!(out, "{n:>5} "),
        (n, suffix) => put!(out, "{n:>4}{suffix} "),
    }
}

/// The text of matches and target at the end of a line.
fn details(out: &mut String, all: &[Match], target: &Target, goto: bool, style: Style) {
    if goto {
        out.push_str("[goto] ");
    }
    for m in all {
        matches::list(m, style, out);
    }
    targets::list(target, style, out);
}

fn protocol(h: &HeaderMatch) -> u8 {
    h.proto.map_or(0, |p| p.value)
}

fn flags(h: &HeaderMatch) -> &'static str {
    match h.fragment {
        None => "--",
        Some(f) if f.not => "!f",
        Some(_) => "-f",
    }
}

/// What `-v` prints of a rule that is added, deleted or looked for.
pub(crate) fn echo(spec: &RuleSpec, family: Family) -> String {
    let h = &spec.header;
    let none = Target::None;
    let (name, target, goto) = match &spec.target {
        TargetSpec::Target(t) => (shown_name(t), t, false),
        TargetSpec::Jump(to) => (to.as_str(), &none, false),
        TargetSpec::Goto(to) => (to.as_str(), &none, true),
    };
    let mut out = String::new();
    put!(out, "{name} ");
    out.push(if h.proto.is_some_and(|p| p.not) { '!' } else { ' ' });
    match names::protocol_name(protocol(h)) {
        Some(name) => put!(out, "{name} "),
        None => put!(out, "{} ", protocol(h)),
    }
    put!(out, "opt {} ", flags(h));
    let iface = |i: &Option<Inv<IfName>>| match i {
        Some(i) => format!("{}{}", if i.not { "!" } else { "" }, i.value.0),
        None => "*".to_string(),
    };
    put!(out, "in {} out {} ", iface(&h.in_iface), iface(&h.out_iface));
    let net = |n: &Option<Inv<AddrMask>>| {
        let inv = n.unwrap_or(Inv::yes(AddrMask::ANY));
        (if inv.not { '!' } else { ' ' }, address::listed(&inv.value, family, true))
    };
    let ((s, src), (d, dst)) = (net(&h.src), net(&h.dst));
    put!(out, "{s}{src} {d}-> {dst} ");
    let style = Style { numeric: true, family, proto: protocol(h) };
    out.push(' ');
    details(&mut out, &spec.matches, target, goto, style);
    out
}

/// The name in the target column.
fn shown_name(target: &Target) -> &str {
    match target {
        // CT and its old name are one target in the kernel; listings know only the new name.
        Target::Notrack => "CT",
        _ => target.name(),
    }
}

fn header(out: &mut String, request: &Request) {
    if request.line_numbers {
        out.push_str("num  ");
    }
    if request.verbose > 0 {
        if request.exact {
            out.push_str("    pkts      bytes ");
        } else {
            out.push_str(" pkts bytes ");
        }
    }
    out.push_str("target     prot opt");
    if request.verbose > 0 {
        out.push_str(" in     out    ");
    }
    out.push_str(" source               destination         \n");
}

fn line(out: &mut String, number: usize, rule: &Rule, table: &Table, request: &Request, family: Family) {
    let h = &rule.header;
    if request.line_numbers {
        put!(out, "{number:<4} ");
    }
    if request.verbose > 0 {
        put_count(out, rule.counters.packets, request.exact);
        put_count(out, rule.counters.bytes, request.exact);
    }
    let name = match &rule.target {
        Target::Jump(_) | Target::Goto(_) => save::destination(&rule.target, table),
        other => shown_name(other),
    };
    put!(out, "{name:<9} ");
    out.push(if h.proto.is_some_and(|p| p.not) { '!' } else { ' ' });
    match names::protocol_name(protocol(h)).filter(|_| !request.numeric) {
        Some(name) => put!(out, "{name:<4} "),
        None => put!(out, "{:<4} ", protocol(h)),
    }
    put!(out, "{} ", flags(h));
    if request.verbose > 0 {
        for iface in [&h.in_iface, &h.out_iface] {
            let text = match iface {
                Some(i) => format!("{}{}", if i.not { "!" } else { "" }, i.value.0),
                None if request.numeric => "*".to_string(),
                None => "any".to_string(),
            };
            put!(out, " {text:<6}");
        }
        out.push(' ');
    }
    for net in [&h.src, &h.dst] {
        let inv = net.unwrap_or(Inv::yes(AddrMask::ANY));
        out.push(if inv.not { '!' } else { ' ' });
        put!(out, "{:<19} ", address::listed(&inv.value, family, request.numeric));
    }
    let style = Style { numeric: request.numeric, family, proto: protocol(h) };
    let goto = matches!(rule.target, Target::Goto(_));
    details(out, &rule.matches, &rule.target, goto, style);
    out.push('\n');
}

/// `-L`.
pub(crate) fn chains(
    rules: &Ruleset,
    family: Family,
    request: &Request,
    number: Option<usize>,
    output: &mut Output,
) -> Result<(), Fault> {
    let kind = request.table;
    let table = rules.table(family, kind);
    let order = selected(table, request)?;
    let out = &mut output.stdout;
    let count = table.map(exec::references).unwrap_or_default();
    let empty = Table { kind, family, chains: Vec::new(), next_handle: 1 };
    let table = table.unwrap_or(&empty);
    for (i, (name, id)) in order.iter().enumerate() {
        let chain = id.and_then(|id| table.chain(id));
        if number.is_none() {
            if i > 0 {
                out.push('\n');
            }
            put!(out, "Chain {name}");
            let is_base = exec::builtin(kind, name).is_some() && chain.is_none_or(|c| c.base.is_some());
            if is_base {
                let base = chain.and_then(|c| c.base);
                let policy = base.map_or("ACCEPT", |b| save::policy_name(b.policy));
                put!(out, " (policy {policy}");
                if request.verbose > 0 {
                    let c = base.and_then(|b| b.counters).unwrap_or_default();
                    let cell = |n: u64| {
                        let (n, suffix) = if request.exact { (n, "") } else { short_count(n) };
                        format!("{n}{suffix}")
                    };
                    put!(out, " {} packets, {} bytes", cell(c.packets), cell(c.bytes));
                }
                out.push_str(")\n");
            } else {
                let refs = id.and_then(|id| count.get(usize::from(id.0))).copied().unwrap_or(0);
                put!(out, " ({refs} references)\n");
            }
            header(out, request);
        }
        let Some(chain) = chain else { continue };
        for (n, rule) in chain.rules.iter().enumerate() {
            if number.is_none_or(|wanted| wanted == n + 1) {
                line(out, n + 1, rule, table, request, family);
            }
        }
    }
    Ok(())
}

fn selected(
    table: Option<&Table>,
    request: &Request,
) -> Result<Vec<(String, Option<hookwalk_engine::ruleset::ChainId>)>, Fault> {
    let kind = request.table;
    match request.chain.as_deref() {
        None => Ok(exec::chain_order(table, kind)),
        Some(name) => {
            let id = table.and_then(|t| t.find(name));
            if id.is_none() && exec::builtin(kind, name).is_none() {
                return Err(Fault::Other(
                    1,
                    format!("chain `{name}' in table `{}' is incompatible, use 'nft' tool.", kind.name()),
                ));
            }
            Ok(vec![(name.to_string(), id)])
        }
    }
}

/// `-S`.
pub(crate) fn rules(
    rules: &Ruleset,
    family: Family,
    request: &Request,
    number: Option<usize>,
    output: &mut Output,
) -> Result<(), Fault> {
    let kind = request.table;
    let table = rules.table(family, kind);
    let order = selected(table, request)?;
    let out = &mut output.stdout;
    let verbose = request.verbose > 0;
    if number.is_none() {
        for (name, id) in &order {
            let chain = id.and_then(|id| table?.chain(id));
            if exec::builtin(kind, name).is_some() && chain.is_none_or(|c| c.base.is_some()) {
                let base = chain.and_then(|c| c.base);
                put!(out, "-P {name} {}", base.map_or("ACCEPT", |b| save::policy_name(b.policy)));
                if verbose {
                    let c = base.and_then(|b| b.counters).unwrap_or(Counters::default());
                    put!(out, " -c {} {}", c.packets, c.bytes);
                }
                out.push('\n');
            } else {
                put!(out, "-N {name}\n");
            }
        }
    }
    let Some(table) = table else { return Ok(()) };
    for (name, id) in &order {
        let Some(chain) = id.and_then(|id| table.chain(id)) else { continue };
        for (n, rule) in chain.rules.iter().enumerate() {
            if number.is_none_or(|wanted| wanted == n + 1) {
                let counters = verbose.then_some(rule.counters);
                put!(out, "-A {name}{}\n", save::rule(rule, table, family, counters));
            }
        }
    }
    Ok(())
}
