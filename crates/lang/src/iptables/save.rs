//! Rules as text: `iptables-save`, and the parts that `-S` shares.

use super::fault::Fault;
use super::getopt::{Arg, Getopt, Id, Item, Long};
use super::request::table_kind;
use super::{Tool, address, exec, matches, names, put, targets};
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::ruleset::{Counters, HeaderMatch, Policy, Rule, Table, TableKind};
use hookwalk_engine::targets::Target;
use hookwalk_engine::{Family, Host};

/// The conditions without `-m`, each word with a blank before it.
pub(crate) fn put_header(out: &mut String, h: &HeaderMatch, family: Family) {
    for (letter, net) in [('s', &h.src), ('d', &h.dst)] {
        if let Some(net) = net {
            put!(out, "{} -{letter} ", if net.not { " !" } else { "" });
            address::put_net(out, &net.value, family);
        }
    }
    for (letter, name) in [('i', &h.in_iface), ('o', &h.out_iface)] {
        if let Some(name) = name {
            put!(out, "{} -{letter} {}", if name.not { " !" } else { "" }, name.value.0);
        }
    }
    if let Some(proto) = &h.proto {
        out.push_str(if proto.not { " ! -p " } else { " -p " });
        match names::protocol_name(proto.value) {
            Some(name) => out.push_str(name),
            None => put!(out, "{}", proto.value),
        }
    }
    if let Some(fragment) = &h.fragment {
        out.push_str(if fragment.not { " ! -f" } else { " -f" });
    }
}

/// `-m` conditions.
pub(crate) fn put_matches(out: &mut String, all: &[hookwalk_engine::matches::Match], family: Family) {
    for m in all {
        put!(out, " -m {}", m.name());
        matches::save(m, family, out);
    }
}

/// `-j` or `-g`; `chain` is the name of the chain that it goes to, if it goes to one.
pub(crate) fn put_target(out: &mut String, target: &Target, chain: &str, family: Family) {
    match target {
        Target::None => {}
        Target::Jump(_) => put!(out, " -j {chain}"),
        Target::Goto(_) => put!(out, " -g {chain}"),
        _ => {
            put!(out, " -j {}", target.name());
            targets::save(target, family, out);
        }
    }
}

/// The name of the chain that a target goes to.
pub(crate) fn destination<'a>(target: &Target, table: &'a Table) -> &'a str {
    match target {
        Target::Jump(to) | Target::Goto(to) => table.chain(*to).map_or("", |c| &c.name),
        _ => "",
    }
}

/// A rule without `-A CHAIN`; with counters as `-S -v` puts them.
pub(crate) fn rule(rule: &Rule, table: &Table, family: Family, counters: Option<Counters>) -> String {
    let mut out = String::new();
    put_header(&mut out, &rule.header, family);
    put_matches(&mut out, &rule.matches, family);
    if let Some(c) = counters {
        put!(out, " -c {} {}", c.packets, c.bytes);
    }
    put_target(&mut out, &rule.target, destination(&rule.target, table), family);
    out
}

/// A policy's name.
pub(crate) fn policy_name(policy: Policy) -> &'static str {
    match policy {
        Policy::Accept => "ACCEPT",
        Policy::Drop => "DROP",
    }
}

/// The order in which tables are saved.
const TABLES: [TableKind; 5] =
    [TableKind::Mangle, TableKind::Security, TableKind::Raw, TableKind::Filter, TableKind::Nat];

/// One table as iptables-save prints it, without the comment lines.
pub(crate) fn table(table: &Table, family: Family, counters: bool) -> String {
    let mut out = String::new();
    put!(out, "*{}\n", table.kind.name());
    let order = exec::chain_order(Some(table), table.kind);
    for (name, id) in &order {
        let chain = id.and_then(|id| table.chain(id));
        let base = chain.and_then(|c| c.base);
        let is_base = exec::builtin(table.kind, name).is_some();
        let c = base.and_then(|b| b.counters).unwrap_or_default();
        let policy = match base {
            Some(base) => policy_name(base.policy),
            None if is_base && id.is_none() => "ACCEPT",
            None => "-",
        };
        put!(out, ":{name} {policy} [{}:{}]\n", c.packets, c.bytes);
    }
    for (name, id) in &order {
        let Some(chain) = id.and_then(|id| table.chain(id)) else { continue };
        for r in &chain.rules {
            if counters {
                put!(out, "[{}:{}] ", r.counters.packets, r.counters.bytes);
            }
            put!(out, "-A {name}");
            put_header(&mut out, &r.header, family);
            put_matches(&mut out, &r.matches, family);
            put_target(&mut out, &r.target, destination(&r.target, table), family);
            out.push('\n');
        }
    }
    out.push_str("COMMIT\n");
    out
}

const LONGS: &[Long] = &[
    Long { name: "counters", arg: Arg::None, id: Id::Own('c') },
    Long { name: "version", arg: Arg::None, id: Id::Own('V') },
    Long { name: "dump", arg: Arg::None, id: Id::Own('d') },
    Long { name: "table", arg: Arg::Required, id: Id::Own('t') },
    Long { name: "modprobe", arg: Arg::Required, id: Id::Own('M') },
    Long { name: "file", arg: Arg::Required, id: Id::Own('f') },
    Long { name: "ipv4", arg: Arg::None, id: Id::Own('4') },
    Long { name: "ipv6", arg: Arg::None, id: Id::Own('6') },
];

/// `iptables-save`.
pub(crate) fn run(host: &Host, tool: &Tool, argv: &[Word]) -> Output {
    let mut words = Getopt::new(argv);
    let mut counters = false;
    let mut only = None;
    let short = |c| match c {
        'c' | 'V' | 'd' | '4' | '6' => Some(Arg::None),
        't' | 'M' | 'f' => Some(Arg::Required),
        _ => None,
    };
    loop {
        let text = words.rest().first().map_or("", |w| w.text.as_str()).to_string();
        match words.item(short, LONGS.iter().copied()) {
            Item::End => break,
            Item::Word(_) => return Output::fail(1, "Unknown arguments found on commandline"),
            Item::Unknown => {
                return usage(tool, &text, "Look at manual page `iptables-save.8' for more information.");
            }
            Item::Missing => {
                return Output::fail(
                    1,
                    format!(
                        "{0}: option requires an argument -- '{1}'\nLook at manual page `iptables-save.8' for more information.",
                        tool.name,
                        text.trim_start_matches('-')
                    ),
                );
            }
            Item::Option(Id::Own('c'), _) => counters = true,
            Item::Option(Id::Own('V'), _) => return Output::ok(tool.version() + "\n"),
            Item::Option(Id::Own('t'), Some(name)) => only = Some(name.text),
            Item::Option(Id::Own('f'), Some(name)) => {
                return Fault::Refused("writing to a file is not simulated".into(), name.span)
                    .output(tool, None);
            }
            Item::Option(..) => {}
        }
    }
    let mut out = Output::default();
    let family = tool.family;
    match only {
        Some(name) => match table_kind(&name) {
            Some(kind) => {
                if let Some(t) = host.rules.table(family, kind) {
                    out.stdout.push_str(&table(t, family, counters));
                } else {
                    // A table that was never used is shown as it would be made.
                    let empty = Table { kind, family, chains: Vec::new(), next_handle: 1 };
                    out.stdout.push_str(&table(&empty, family, counters));
                }
            }
            None => return Output::fail(1, format!("Table `{name}' does not exist\n")),
        },
        None => {
            for kind in TABLES {
                if let Some(t) = host.rules.table(family, kind) {
                    out.stdout.push_str(&table(t, family, counters));
                }
            }
        }
    }
    out
}

/// An option that these tools do not have.
pub(crate) fn usage(tool: &Tool, word: &str, hint: &str) -> Output {
    let what = match word.strip_prefix("--") {
        Some(_) => format!("unrecognized option '{word}'"),
        None => format!("invalid option -- '{}'", word.chars().nth(1).unwrap_or('-')),
    };
    Output::fail(1, format!("{}: {what}\n{hint}", tool.name))
}
