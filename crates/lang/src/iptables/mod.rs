//! `iptables`, `ip6tables`, and their `-save` and `-restore`, as release 1.8.9 with nf_tables behaves: what it takes,
//! what it prints, and how it fails, byte for byte.
//!
//! Read in this order: [`getopt`] (words to options), [`parse`] (options to a [`request`]), [`exec`] (a command to changed
//! tables), [`check`] (what the kernel refuses), [`list`] and [`save`] (tables to text), [`restore`]. An extension is
//! one entry in `matches` or `targets`: its options, how they become a value of the engine, how it is printed.
//! Facts are from the real tool's answers, which the tests hold.

pub(crate) mod address;
mod check;
mod complete;
mod exec;
mod fault;
mod getopt;
mod list;
pub(crate) mod matches;
pub(crate) mod names;
mod number;
mod option;
mod own;
mod parse;
mod request;
mod restore;
mod save;
mod targets;

pub(crate) use complete::choices;

use crate::output::Output;
use crate::shell::Word;
use fault::Fault;
use hookwalk_engine::event::Condition;
use hookwalk_engine::ruleset::{HeaderMatch, Rule, Table};
use hookwalk_engine::{FULL, Family, Host};

/// Appends formatted text to a string.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {{
        use std::fmt::Write as _;
        let _ = write!($out, $($arg)*);
    }};
}
pub(crate) use put;

/// The tool that runs: its name as it was called, and the family.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tool {
    /// As it was called, without directories.
    pub(crate) name: String,
    /// IPv4 or IPv6.
    pub(crate) family: Family,
}

impl Tool {
    /// `NAME v1.8.9 (nf_tables)`.
    pub(crate) fn version(&self) -> String {
        format!("{} v1.8.9 (nf_tables)", self.name)
    }
}

/// Runs one command of the iptables family.
///
/// `argv[0]` names the tool; `stdin` is what a restore reads. Nothing that is given can panic; what is not simulated
/// comes back as [`Output::refused`].
pub fn run(host: &mut Host, argv: &[Word], stdin: Option<&str>) -> Output {
    let name = argv.first().map_or("", |w| w.text.rsplit('/').next().unwrap_or_default());
    let family = if name.starts_with("ip6") { Family::V6 } else { Family::V4 };
    let tool = Tool { name: name.to_string(), family };
    if name.ends_with("-save") && !FULL {
        return Output::unprinted();
    }
    if name.ends_with("-save") {
        return save::run(host, &tool, argv);
    }
    if name.ends_with("-restore") {
        return restore::run(host, &tool, argv, stdin.unwrap_or_default());
    }
    let mut output = Output::default();
    let result = parse::command(&host.net, &tool, argv, None, &mut output)
        .and_then(|request| exec::run(host, &tool, request, &mut output));
    match result {
        Ok(()) => output,
        Err(fault) => finish(output, fault, &tool, None),
    }
}

/// A rule as `iptables -S` prints it: `-A CHAIN …`.
pub fn rule_text(table: &Table, chain: &str, rule: &Rule) -> String {
    format!("-A {chain}{}", save::rule(rule, table, table.family, None))
}

/// One condition of a rule, as `iptables -S` prints it.
pub fn condition_text(rule: &Rule, condition: Condition, family: Family) -> String {
    let all = &rule.header;
    let mut one = HeaderMatch::default();
    let mut out = String::new();
    match condition {
        Condition::Src => one.src = all.src,
        Condition::Dst => one.dst = all.dst,
        Condition::InIface => one.in_iface = all.in_iface.clone(),
        Condition::OutIface => one.out_iface = all.out_iface.clone(),
        Condition::Proto => one.proto = all.proto,
        Condition::Fragment => one.fragment = all.fragment,
        Condition::Match(n) => {
            let n = usize::from(n);
            save::put_matches(&mut out, rule.matches.get(n..n + 1).unwrap_or_default(), family);
        }
    }
    save::put_header(&mut out, &one, family);
    out.trim_start().to_string()
}

/// What was printed so far, and then the fault.
fn finish(so_far: Output, fault: Fault, tool: &Tool, line: Option<u32>) -> Output {
    let end = fault.output(tool, line);
    Output {
        stdout: so_far.stdout + &end.stdout,
        stderr: so_far.stderr + &end.stderr,
        exit: end.exit,
        refused: end.refused,
        unprinted: so_far.unprinted,
    }
}

/// `YYYY-MM-DD` of so many seconds since 1970.
pub(crate) fn date(seconds: u64) -> String {
    let (year, month, day) = matches::civil((seconds / 86_400) as i64);
    format!("{year}-{month:02}-{day:02}")
}

/// A string as iptables-save writes it: bare where it is letters, digits, `_` and `-`; else in double quotes.
pub(crate) fn put_quoted(out: &mut String, text: &str) {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    out.push(' ');
    if !text.is_empty() && text.chars().all(bare) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '\'') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}
