//! Rules as text: what the tools themselves print, cut into what the page shows.

use crate::view::{ChainView, RuleView, TableView};
use hookwalk_engine::Family;
use hookwalk_engine::host::Host;
use hookwalk_engine::ruleset::{RuleRef, TableKind};
use hookwalk_lang::command;
use hookwalk_lang::shell::Word;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Rules as `iptables -S` prints them, by table and chain.
type Listed = HashMap<(TableKind, String), Vec<String>>;

/// Rule texts that were asked for before. Rules change only with a line of the lab, so a line is the key.
#[derive(Default)]
pub(crate) struct Texts {
    known: RefCell<HashMap<(u16, u32, Family), Rc<Listed>>>,
}

impl Texts {
    /// The text of a rule, without `-A CHAIN`.
    pub(crate) fn rule(&self, host: &Host, line: u32, family: Family, rule: RuleRef) -> String {
        let key = (host.id.0, line, family);
        let known = self.known.borrow().get(&key).cloned();
        let listed = known.unwrap_or_else(|| {
            let listed = Rc::new(list(host, family));
            let mut known = self.known.borrow_mut();
            if known.len() > 64 {
                known.clear();
            }
            known.insert(key, listed.clone());
            listed
        });
        let chain = host.rules.table(family, rule.table).and_then(|t| t.chain(rule.chain));
        let rules = chain.and_then(|c| listed.get(&(rule.table, c.name.to_string())));
        rules.and_then(|r| r.get(usize::from(rule.rule))).cloned().unwrap_or_default()
    }
}

/// Runs a tool on a copy of the host.
fn output(host: &Host, words: &[&str]) -> String {
    let words: Vec<Word> = words.iter().map(|w| Word::new(*w)).collect();
    command::run(&mut host.clone(), &words, None).stdout
}

fn tool(family: Family) -> &'static str {
    if family == Family::V6 { "ip6tables" } else { "iptables" }
}

fn list(host: &Host, family: Family) -> Listed {
    let mut listed = Listed::new();
    for table in host.rules.tables.iter().filter(|t| t.family == family) {
        let text = output(host, &[tool(family), "-t", table.kind.name(), "-S"]);
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("-A ") else { continue };
            let (chain, rule) = rest.split_once(' ').unwrap_or((rest, ""));
            listed.entry((table.kind, chain.to_owned())).or_default().push(rule.to_owned());
        }
    }
    listed
}

/// All tables that exist, as `-nvL` lists them.
pub(crate) fn tables(host: &Host) -> Vec<TableView> {
    let mut views = Vec::new();
    for family in [Family::V4, Family::V6] {
        let texts = list(host, family);
        for kind in TableKind::ALL {
            if host.rules.table(family, kind).is_none() {
                continue;
            }
            let listing = output(host, &[tool(family), "-t", kind.name(), "-nvL"]);
            views.push(TableView {
                family: if family == Family::V6 { "ip6" } else { "ip" }.to_owned(),
                table: kind.name().to_owned(),
                chains: chains(&listing, kind, &texts),
            });
        }
    }
    views
}

/// Cuts a listing into chains, rules and columns.
fn chains(listing: &str, kind: TableKind, texts: &Listed) -> Vec<ChainView> {
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
        let text = texts.get(&(kind, chain.name.clone())).and_then(|t| t.get(chain.rules.len()));
        let text = text.cloned().unwrap_or_default();
        let has_target = text.split_whitespace().any(|w| matches!(w, "-j" | "-g"));
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
