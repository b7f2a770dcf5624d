//! The transcript: what the commands of a lab printed, command by command. The project's golden format.

use crate::file::{Lab, Statement};
use hookwalk_engine::sorted::sort_by;
use std::fmt;

/// What a lab printed when it ran, in the simulator or on a kernel.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Transcript {
    /// The commands that printed something, in order.
    pub blocks: Vec<Block>,
}

/// A command with what it printed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Block {
    /// The command's line in the lab, `NAME# COMMAND`.
    pub command: String,
    /// What it printed, line by line; `[exit N]` last where it failed.
    pub lines: Vec<String>,
    /// The player ran it, and does not know what it printed.
    pub unprinted: bool,
}

impl Transcript {
    /// Reads a transcript. The lab says which lines are commands; without it, every line that looks like one is.
    pub fn parse(text: &str, lab: Option<&Lab>) -> Transcript {
        let commands: Option<Vec<&str>> = lab.map(|lab| {
            let is_command = |l: &&crate::file::Line| matches!(l.what, Statement::Command { .. });
            lab.lines.iter().filter(is_command).map(|l| lab.source(l)).collect()
        });
        let mut next = 0;
        let mut is_command = |line: &str| match &commands {
            None => looks_like_command(line),
            Some(all) => match all[next..].iter().position(|c| *c == line) {
                Some(i) => {
                    next += i + 1;
                    true
                }
                None => false,
            },
        };
        let mut transcript = Transcript::default();
        for line in text.lines() {
            let line = line.trim_end();
            if is_command(line) {
                transcript.blocks.push(Block { command: line.to_string(), ..Block::default() });
                continue;
            }
            if transcript.blocks.is_empty() {
                if line.is_empty() {
                    continue;
                }
                // Output before any command: kept under an empty command, so that a comparison shows it.
                transcript.blocks.push(Block::default());
            }
            if let Some(block) = transcript.blocks.last_mut() {
                block.lines.push(line.to_string());
            }
        }
        for block in &mut transcript.blocks {
            while block.lines.last().is_some_and(String::is_empty) {
                block.lines.pop();
            }
        }
        transcript
    }
}

fn looks_like_command(line: &str) -> bool {
    let name = line.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    line.starts_with(|c: char| c.is_ascii_alphabetic())
        && line[name..].starts_with(['#', '$'])
        && line[name + 1..].starts_with(' ')
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.blocks.iter().try_for_each(|b| b.fmt(f))
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.command)?;
        self.lines.iter().try_for_each(|l| writeln!(f, "{l}"))
    }
}

/// What kind of output a command prints, as far as it decides what a kernel leaves free in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `iptables-save`, `ip6tables-save`: tables in any order.
    Save,
    /// A listing of conntrack entries or expectations: lines in any order, timeouts that run.
    Entries,
    /// `conntrack -S`: a line a processor; which processor a packet met is up to the machine.
    Stats,
    /// `conntrack -E`: in order, with timeouts.
    Events,
    /// `xtables-monitor --trace`, `nft monitor trace`: in order, with numbers of packets that the kernel draws.
    Trace,
    /// `frames`.
    Frames,
    /// `ipset`: elements of a hash in any order, timeouts that run, the seed of a hash and its size in memory.
    Sets,
    /// `ping`: with measured times.
    Ping,
    /// Anything else: as it is.
    Plain,
}

impl Kind {
    /// By the command, with or without its `NAME# `.
    pub fn of(command: &str) -> Kind {
        let command = match command.split_once(['#', '$']) {
            Some((name, rest)) if looks_like_command(&format!("{name}# ")) => rest,
            _ => command,
        };
        let mut words = command.split_whitespace();
        let tool = words.next().unwrap_or_default();
        let tool = tool.rsplit('/').next().unwrap_or_default();
        let has = |options: &[&str]| command.split_whitespace().any(|w| options.contains(&w));
        match tool {
            "frames" | "tcpdump" => Kind::Frames,
            "ipset" => Kind::Sets,
            "ping" | "ping6" => Kind::Ping,
            "conntrack" if has(&["-E", "--event"]) => Kind::Events,
            "conntrack" if has(&["-S", "--stats"]) => Kind::Stats,
            "conntrack" => Kind::Entries,
            "xtables-monitor" => Kind::Trace,
            "nft" if has(&["monitor"]) => Kind::Trace,
            "cat" if command.contains("nf_conntrack") => Kind::Entries,
            _ if tool.ends_with("tables-save") || tool.ends_with("tables-nft-save") => Kind::Save,
            _ => Kind::Plain,
        }
    }
}

/// A command's output as transcripts keep it: comments of `iptables-save` dropped, `use=` dropped, listings of conntrack
/// sorted, blanks at line ends gone, `[exit N]` after a failure. Standard error is kept of failures only.
pub fn normalise(command: &str, stdout: &str, stderr: &str, exit: i32) -> Vec<String> {
    let kind = Kind::of(command);
    let mut lines: Vec<String> = stdout
        .lines()
        .map(str::trim_end)
        .filter(|l| !(kind == Kind::Save && l.starts_with('#')))
        .map(|l| match kind {
            Kind::Entries => without_use(l),
            Kind::Events => without_port_id(&without_use(l)),
            Kind::Plain if tool(command) == "ip" => without_peer_device(l),
            _ => l.to_string(),
        })
        .collect();
    if kind == Kind::Entries {
        sort_by(&mut lines, String::cmp);
    }
    if exit != 0 {
        lines.extend(stderr.lines().map(|l| l.trim_end().to_string()));
        lines.push(format!("[exit {exit}]"));
    }
    lines
}

/// The tool that a command runs, without its directory; the command with or without its `NAME# `.
fn tool(command: &str) -> &str {
    let words = command.split_once("# ").map_or(command, |(_, words)| words);
    let first = words.split_whitespace().next().unwrap_or_default();
    first.rsplit('/').next().unwrap_or_default()
}

/// A conntrack event without the process that asked for it: its number is arbitrary, and its name is there only if it
/// still runs when the event is printed.
fn without_port_id(line: &str) -> String {
    line.find(" portid=").map_or(line, |at| &line[..at]).to_string()
}

/// A line of `ip` without what only a veth device has: `@if2`, ` link-netnsid 0`, ` link-netns NAME`.
fn without_peer_device(line: &str) -> String {
    let line = line.find(" link-netns").map_or(line, |at| &line[..at]);
    let Some(at) = line.find("@if") else { return line.to_string() };
    let rest = line[at + 3..].trim_start_matches(|c: char| c.is_ascii_digit());
    let gone = line.len() - at - rest.len();
    // Columns keep their place.
    let pad = if rest.starts_with("  ") { gone } else { 0 };
    format!("{}{:pad$}{rest}", &line[..at], "")
}

/// A conntrack line without its ` use=N`, which counts who looks at the entry just now.
fn without_use(line: &str) -> String {
    let Some(at) = line.find(" use=") else { return line.to_string() };
    let rest = line[at + 5..].trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{}{rest}", &line[..at]).trim_end().to_string()
}
