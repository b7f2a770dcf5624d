//! `nft` (1.0.6) on a host whose rules iptables-nft wrote: the listings, and `nft monitor trace`. Every other command is
//! refused: rules are written with iptables here.

mod matches;
mod rule;
mod targets;
mod trace;

use crate::iptables::put;
use crate::output::Output;
use crate::shell::Word;
use crate::trace::listen;
use hookwalk_engine::Host;
use hookwalk_engine::ruleset::{Base, Chain, Policy, Table, TableKind};
use rule::{Style, ip};
use targets::Loaded;

/// Runs `nft`.
pub fn run(host: &mut Host, argv: &[Word]) -> Output {
    let mut style = Style::default();
    let mut words = argv.get(1..).unwrap_or_default();
    while let Some(word) = words.first().filter(|w| w.text.starts_with('-')) {
        match word.text.as_str() {
            "-a" | "--handle" => style.handles = true,
            "-s" | "--stateless" => style.stateless = true,
            "-y" | "--numeric-priority" => style.numeric = true,
            "-v" | "--version" => return Output::ok("nftables v1.0.6 (Lester Gooch #5)\n"),
            other => return Output::refuse(format!("nft {other} is not simulated"), word.span.clone()),
        }
        words = &words[1..];
    }
    if words.is_empty() {
        return Output::fail(1, "nft: no command specified");
    }
    // The tool reads all its words as one line.
    let line = words.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ");
    let parts: Vec<&str> = line.split_whitespace().collect();
    match parts.as_slice() {
        ["monitor", "trace"] => match listen(host) {
            Some(heard) => trace::print(host, &heard, style),
            None => Output::default(),
        },
        ["list", "ruleset"] => tables(host, None, style, Show::Rules),
        ["list", "ruleset", f] if family(f).is_some() => tables(host, family(f), style, Show::Rules),
        ["list", "tables"] => tables(host, None, style, Show::Names),
        ["list", "tables", f] if family(f).is_some() => tables(host, family(f), style, Show::Names),
        ["list", "chains"] => tables(host, None, style, Show::Chains),
        ["list", "chains", f] if family(f).is_some() => tables(host, family(f), style, Show::Chains),
        ["list", "table", f, name] if family(f).is_some() => one(host, &line, family(f), name, None, style),
        ["list", "table", name] => one(host, &line, Some("ip"), name, None, style),
        ["list", "chain", f, table, chain] if family(f).is_some() => {
            one(host, &line, family(f), table, Some(chain), style)
        }
        ["list", "chain", table, chain] => one(host, &line, Some("ip"), table, Some(chain), style),
        _ => {
            let span = words[0].span.start..words[words.len() - 1].span.end;
            let message = "of nft, only `list ruleset`, `list tables`, `list chains`, `list table`, `list chain` and \
                           `monitor trace` are simulated; write rules with iptables";
            Output::refuse(message, span)
        }
    }
}

/// A family's name; those of tables that iptables never makes are known, and empty.
fn family(word: &str) -> Option<&'static str> {
    ["ip", "ip6", "inet", "arp", "bridge", "netdev"].into_iter().find(|f| *f == word)
}

/// What a listing of many tables shows of each.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    Names,
    Chains,
    Rules,
}

/// ` # handle N` where handles are wanted.
fn handle(style: Style, n: u32) -> String {
    if style.handles { format!(" # handle {n}") } else { String::new() }
}

fn tables(host: &Host, only: Option<&str>, style: Style, show: Show) -> Output {
    let mut out = Output::default();
    let mut loaded = Loaded::default();
    for (n, table) in host.rules.tables.iter().enumerate() {
        if only.is_some_and(|f| f != ip(table.family)) {
            continue;
        }
        // The tool takes no table away, so that its handle is its place.
        let handle = handle(style, n as u32 + 1);
        match show {
            Show::Names => {
                out.line(&format!("table {} {}", ip(table.family), table.kind.name()));
            }
            Show::Chains => {
                let start = format!("table {} {} {{", ip(table.family), table.kind.name());
                out.line(&start);
                for chain in table.chains.iter().flatten() {
                    put_chain_head(&mut out.stdout, table.kind, chain, style);
                    out.stdout.push_str("\t}\n");
                }
                out.line("}");
            }
            Show::Rules => put_table(&mut out, table, &handle, None, style, &mut loaded),
        }
    }
    out
}

fn one(
    host: &Host,
    line: &str,
    family: Option<&str>,
    name: &str,
    chain: Option<&str>,
    style: Style,
) -> Output {
    let absent = |word: &str| {
        // The last place at which the word stands is the one that is meant.
        let at = line.rfind(word).unwrap_or(0);
        let marks = "^".repeat(word.chars().count());
        Output::fail(1, format!("Error: No such file or directory\n{line}\n{:at$}{marks}", ""))
    };
    let found = host
        .rules
        .tables
        .iter()
        .enumerate()
        .find(|(_, t)| family == Some(ip(t.family)) && t.kind.name() == name);
    let Some((n, table)) = found else {
        let at = line.split(' ').nth(if line.split(' ').nth(2) == Some(name) { 2 } else { 3 });
        return match (chain, at) {
            // The table's name is marked, which may also be the chain's.
            (Some(_), Some(_)) => {
                let at = line.find(&format!(" {name} ")).map_or(0, |at| at + 1);
                let marks = "^".repeat(name.chars().count());
                Output::fail(1, format!("Error: No such file or directory\n{line}\n{:at$}{marks}", ""))
            }
            _ => absent(name),
        };
    };
    let mut out = Output::default();
    if let Some(chain) = chain
        && table.find(chain).is_none()
    {
        return absent(chain);
    }
    let handle = handle(style, n as u32 + 1);
    put_table(&mut out, table, &handle, chain, style, &mut Loaded::default());
    out
}

/// A table with its chains, or with one of them.
fn put_table(
    out: &mut Output,
    table: &Table,
    handle: &str,
    only: Option<&str>,
    style: Style,
    loaded: &mut Loaded,
) {
    // A listing of one chain does not tell the table's handle.
    let handle = if only.is_some() { "" } else { handle };
    put!(out.stdout, "table {} {} {{{handle}\n", ip(table.family), table.kind.name());
    let mut xtables = false;
    let mut first = true;
    for chain in table.chains.iter().flatten().filter(|c| only.is_none_or(|o| o == &*c.name)) {
        if !first {
            out.stdout.push('\n');
        }
        first = false;
        put_chain_head(&mut out.stdout, table.kind, chain, style);
        for r in &chain.rules {
            let (text, of_xtables) = rule::text(r, table, style, loaded);
            xtables |= of_xtables;
            put!(out.stdout, "\t\t{text}{}\n", self::handle(style, r.handle));
        }
        out.stdout.push_str("\t}\n");
    }
    out.stdout.push_str("}\n");
    if xtables {
        out.error_line(&format!(
            "# Warning: table {} {} is managed by iptables-nft, do not touch!",
            ip(table.family),
            table.kind.name()
        ));
    }
    loaded.complain(out);
}

/// `chain NAME {`, and for a base chain where it hangs.
fn put_chain_head(out: &mut String, table: TableKind, chain: &Chain, style: Style) {
    put!(out, "\tchain {} {{{}\n", chain.name, handle(style, chain.handle));
    let Some(base) = &chain.base else { return };
    let kind = match (table, base.hook.chain_name()) {
        (TableKind::Nat, _) => "nat",
        (TableKind::Mangle, "OUTPUT") => "route",
        _ => "filter",
    };
    let policy = match base.policy {
        Policy::Accept => "accept",
        Policy::Drop => "drop",
    };
    let hook = base.hook.chain_name().to_ascii_lowercase();
    put!(out, "\t\ttype {kind} hook {hook} priority {}; policy {policy};\n", priority(table, base, style));
}

/// A priority by its name, where it has one at that hook.
fn priority(table: TableKind, base: &Base, style: Style) -> &'static str {
    let (name, number) = match (table, base.hook.chain_name()) {
        (TableKind::Raw, _) => ("raw", "-300"),
        (TableKind::Mangle, _) => ("mangle", "-150"),
        (TableKind::Filter, _) => ("filter", "0"),
        (TableKind::Security, _) => ("150", "150"),
        (TableKind::Nat, "PREROUTING") => ("dstnat", "-100"),
        (TableKind::Nat, "POSTROUTING") => ("srcnat", "100"),
        (TableKind::Nat, "OUTPUT") => ("-100", "-100"),
        (TableKind::Nat, _) => ("100", "100"),
    };
    if style.numeric { number } else { name }
}
