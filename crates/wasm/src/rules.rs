//! Rules as text: what the tools themselves print, cut into what the page shows.

use crate::view::{ChainView, RuleView, TableView};
use hookwalk_engine::Family;
use hookwalk_engine::host::Host;
use hookwalk_engine::ruleset::{Table, TableKind};
use hookwalk_engine::targets::Target;
use hookwalk_lang::command;
use hookwalk_lang::iptables::rule_text;
use hookwalk_lang::shell::Word;

/// Runs a tool on a copy of the host.
fn output(host: &Host, words: &[&str]) -> String {
    let words: Vec<Word> = words.iter().map(|w| Word::new(*w)).collect();
    command::run(&mut host.clone(), &words, None).stdout
}

fn tool(family: Family) -> &'static str {
    if family == Family::V6 { "ip6tables" } else { "iptables" }
}

/// All tables that exist, as `-nvL` lists them.
pub(crate) fn tables(host: &Host) -> Vec<TableView> {
    let mut views = Vec::new();
    for family in [Family::V4, Family::V6] {
        for kind in TableKind::ALL {
            let Some(table) = host.rules.table(family, kind) else { continue };
            let listing = output(host, &[tool(family), "-t", kind.name(), "-nvL"]);
            views.push(TableView {
                family: if family == Family::V6 { "ip6" } else { "ip" }.to_owned(),
                table: kind.name().to_owned(),
                chains: chains(&listing, table),
            });
        }
    }
    views
}

/// Cuts a listing into chains, rules and columns.
fn chains(listing: &str, table: &Table) -> Vec<ChainView> {
    let mut chains: Vec<ChainView> = Vec::new();
    for line in listing.lines() {
        if let Some(rest) = line.strip_prefix("Chain ") {
            let name = rest.split(' ').next().unwrap_or(rest).to_owned();
            chains.push(ChainView { name, head: line.to_owned(), rules: Vec::new() });
            continue;
        }
        if line.trim().is_empty() || line.trim_start().starts_with("pkts ") {
            continue;
        }
        let Some(chain) = chains.last_mut() else { continue };
        let rule = table.find(&chain.name).and_then(|id| table.chain(id)?.rules.get(chain.rules.len()));
        let text = rule.map(|r| rule_text(table, &chain.name, r)).unwrap_or_default();
        let has_target = rule.is_none_or(|r| r.target != Target::None);
        chain.rules.push(RuleView { cells: cells(line, has_target), text, outcome: None });
    }
    chains
}

/// The columns of a rule's line; one without a target leaves that column blank.
fn cells(line: &str, has_target: bool) -> Vec<String> {
    let mut cells = Vec::new();
    let mut rest = line.trim_start();
    while cells.len() < 9 {
        if cells.len() == 2 && !has_target {
            cells.push(String::new());
            continue;
        }
        let end = rest.find(' ').unwrap_or(rest.len());
        cells.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    cells.push(rest.trim_end().to_owned());
    cells
}

#[cfg(test)]
mod tests {
    use super::cells;

    #[test]
    fn cuts_columns() {
        let line = "    1    60 REDIRECT   tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:80 redir ports 8080";
        let got = cells(line, true);
        assert_eq!(got[..4], ["1", "60", "REDIRECT", "tcp"]);
        assert_eq!(got[8..], ["0.0.0.0/0", "tcp dpt:80 redir ports 8080"]);
        let got = cells(
            "    0     0            all  --  *      *       0.0.0.0/0            0.0.0.0/0           ",
            false,
        );
        assert_eq!(got[..4], ["0", "0", "", "all"]);
        assert_eq!(got[8..], ["0.0.0.0/0", ""]);
    }
}
