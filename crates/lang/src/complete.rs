//! What can stand at a place of a command line: the names that the tools here take, and those that a host has.
//!
//! The lists are the ones by which the tools read, so that nothing is offered that would be refused as unknown. Read
//! [`command()`] first; [`crate::iptables`] knows its own options.

use crate::{command, conntrack, ip, ipset, iptables, sysctl};
use hookwalk_engine::Host;

/// What a choice is, for a sign beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A statement of the lab language.
    Statement,
    /// A tool or a program.
    Command,
    /// An option of a tool.
    Option,
    /// A table of iptables.
    Table,
    /// A chain.
    Chain,
    /// An extension that `-m` names.
    Match,
    /// What `-j` names.
    Target,
    /// The name of something that is there: a station, an interface, a set, a setting.
    Name,
    /// An address.
    Address,
    /// A word that an option takes.
    Value,
}

/// Something that can stand there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The word.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// What it takes, in the field's notation; empty where the word says it.
    pub detail: &'static str,
}

impl Choice {
    /// A choice that the word alone explains.
    pub fn new(text: impl Into<String>, kind: Kind) -> Choice {
        Choice { text: text.into(), kind, detail: "" }
    }
}

/// What is known where a command is typed.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The host, as it is then.
    pub host: &'a Host,
    /// Addresses that the network has.
    pub addrs: &'a [String],
}

/// Makes choices of one kind of words.
pub(crate) fn of<T: Into<String>>(kind: Kind, words: impl IntoIterator<Item = T>) -> Vec<Choice> {
    words.into_iter().map(|w| Choice::new(w, kind)).collect()
}

/// What root can type after these words. `begun` is what stands there of the word: only choices that begin so are given.
pub fn command(around: Around<'_>, words: &[&str], begun: &str) -> Vec<Choice> {
    let Some(tool) = words.first() else {
        return keep(of(Kind::Command, command::NAMES.iter().copied()), begun);
    };
    let tool = tool.rsplit('/').next().unwrap_or_default();
    let all = match tool {
        "conntrack" => conntrack::choices(around, words),
        "ip" => ip::choices(around, words),
        "ipset" => ipset::choices(around, words),
        "sysctl" => of(Kind::Name, sysctl::names(around.host)),
        "cat" => of(
            Kind::Name,
            sysctl::names(around.host).iter().map(|n| format!("/proc/sys/{}", n.replace('.', "/"))),
        ),
        _ if tool.starts_with("iptables") || tool.starts_with("ip6tables") => {
            iptables::choices(around, None, words)
        }
        _ => Vec::new(),
    };
    keep(all, begun)
}

/// The same for a line of the input of `iptables-restore`, in this table.
pub fn restore(around: Around<'_>, tool: &str, table: &str, words: &[&str], begun: &str) -> Vec<Choice> {
    let mut line = vec![tool];
    line.extend_from_slice(words);
    keep(iptables::choices(around, Some(table), &line), begun)
}

/// Those that begin so, each once.
pub fn keep(choices: Vec<Choice>, begun: &str) -> Vec<Choice> {
    let mut kept: Vec<Choice> = Vec::new();
    for choice in choices {
        if choice.text.starts_with(begun) && kept.iter().all(|k| k.text != choice.text) {
            kept.push(choice);
        }
    }
    kept
}
