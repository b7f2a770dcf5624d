//! What can stand at a place of a lab's text: statements, stations, and what the tools on a host take.
//!
//! Names come from the text as it is now; chains, sets and what a command printed from the run at hand, which is the
//! last text that had no mistakes.

use crate::file::{Lab, Line, Prompt, Statement, StationKind};
use crate::parse::{Head, KEYWORDS, head, parse};
use crate::programs::PROGRAMS;
use crate::session::Session;
use hookwalk_engine::Host;
use hookwalk_lang::complete::{self, Around, Choice, Kind, keep};
use hookwalk_lang::packet;
use hookwalk_lang::shell;

/// What can stand at a place.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Completion {
    /// The column, from 1, of what a choice replaces, up to the place itself.
    pub from: u32,
    /// The choices, the likeliest first.
    pub choices: Vec<Choice>,
}

/// What can stand in a text before column `col` (from 1, in characters) of line `line` (from 1).
pub fn complete(session: &Session, text: &str, line: u32, col: u32) -> Completion {
    let Some(whole) = text.lines().nth((line as usize).saturating_sub(1)) else {
        return Completion::default();
    };
    let cut = whole.char_indices().nth((col as usize).saturating_sub(1)).map_or(whole.len(), |(at, _)| at);
    let before = &whole[..cut];
    let lab = parse(text).0;
    let place = Place { session, lab: &lab, line };
    let (at, choices) = place.choices(before);
    Completion { from: before[..at].chars().count() as u32 + 1, choices }
}

/// Where somebody types.
struct Place<'a> {
    session: &'a Session,
    lab: &'a Lab,
    line: u32,
}

impl Place<'_> {
    /// The choices, and the byte at which what they replace begins.
    fn choices(&self, before: &str) -> (usize, Vec<Choice>) {
        let start = before.len() - before.trim_start().len();
        if let Some((line, stdin)) = self.input() {
            return self.input_line(line, stdin, before);
        }
        let at = last_word(before);
        let begun = &before[at..];
        let words: Vec<&str> = before[..at].split_whitespace().collect();
        match head(before).0 {
            Head::Station { name, sign, rest } => self.prompt(name, sign, before, rest),
            Head::Keyword { rest, .. } if rest >= before.len() => {
                (start, keep(self.statements(), &before[start..]))
            }
            Head::Nothing => (start, if before[start..].is_empty() { self.statements() } else { Vec::new() }),
            Head::Keyword { word: "host" | "wire", .. } => {
                let all = if words.len() < 2 {
                    Vec::new()
                } else {
                    let others: Vec<_> = self.lab.stations.iter().filter(|s| s.line != self.line).collect();
                    let used = words.iter().filter(|w| w.starts_with("eth")).count();
                    let mut all = complete_names([format!("eth{used}=")]);
                    let hosts = others.iter().filter(|s| s.kind == StationKind::Host);
                    let ips = hosts.flat_map(|s| &s.ifaces).flat_map(|i| &i.addrs);
                    all.extend(complete_names(ips.map(|(f, a, _)| format!("gw={}", a.ip(*f)))));
                    all
                };
                (at, keep(all, begun))
            }
            Head::Keyword { word: "link", .. } => {
                let linked = |s: usize, i: usize| {
                    let taken = |l: &crate::file::Link| {
                        l.line != self.line
                            && l.ends.iter().any(|e| e.station.index() == s && usize::from(e.iface) == i)
                    };
                    self.lab.links.iter().any(taken)
                };
                let ends = self.lab.stations.iter().enumerate().flat_map(|(s, station)| {
                    let free = station.ifaces.iter().enumerate().filter(move |(i, _)| !linked(s, *i));
                    free.map(|(_, iface)| format!("{}:{}", station.name, iface.name))
                });
                let free = ends.filter(|e| !words.contains(&e.as_str()));
                (at, keep(complete_names(free), begun))
            }
            Head::Keyword { word: "machine", .. } => {
                (at, keep(complete_names(["net.netfilter.nf_conntrack_max=".to_string()]), begun))
            }
            Head::Keyword { word: "expect", lang: None, rest } => {
                let from =
                    rest + (before[rest..].len() - before[rest..].trim_start_matches(['!', ' ', '\t']).len());
                (from, keep(self.printed(), &before[from..]))
            }
            _ => (at, Vec::new()),
        }
    }

    /// Statements, and the prompts of the stations.
    fn statements(&self) -> Vec<Choice> {
        let mut all = Vec::new();
        for station in &self.lab.stations {
            let signs: &[char] = if station.kind == StationKind::Host { &['#', '$', '>'] } else { &['>'] };
            all.extend(complete_names(signs.iter().map(|sign| format!("{}{sign} ", station.name))));
        }
        all.extend(KEYWORDS.iter().map(|word| Choice {
            text: format!("{word} "),
            kind: Kind::Statement,
            detail: match *word {
                "host" => "NAME IF=ADDR/LEN … [gw=ADDR]",
                "wire" => "NAME IF=ADDR/LEN … [gw=ADDR]",
                "link" => "A:IF B:IF [C:IF …]",
                "machine" => "KEY=N",
                "sleep" => "SECONDS",
                "ask" => "TEXT = ANSWER",
                "expect" => "LINE | ! LINE",
                _ => "TEXT",
            },
        }));
        all
    }

    /// After a station's prompt, whose sign ends at byte `rest`.
    fn prompt(&self, name: &str, sign: char, before: &str, rest: usize) -> (usize, Vec<Choice>) {
        let addrs = self.addrs();
        let Some(id) = self.lab.station(name) else { return (before.len(), Vec::new()) };
        let station = &self.lab.stations[id.index()];
        if sign == '>' {
            let at = last_word(before).max(rest);
            let words: Vec<&str> = before[rest..at].split_whitespace().collect();
            let own: Vec<String> =
                station.ifaces.iter().flat_map(|i| &i.addrs).map(|(f, a, _)| a.ip(*f).to_string()).collect();
            let all = match words.as_slice() {
                ["dev"] => complete_names(station.ifaces.iter().map(|i| i.name.clone())),
                words => packet::choices(words, &own, &addrs),
            };
            return (at, keep(all, &before[at..]));
        }
        let (at, line) = split(before, rest);
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        let begun = &before[at..];
        if words.is_empty() && sign == '$' {
            let programs = PROGRAMS.iter().map(|(name, detail)| Choice {
                text: (*name).into(),
                kind: Kind::Command,
                detail,
            });
            return (at, keep(programs.collect(), begun));
        }
        if sign == '$' {
            return (at, keep(complete::keep(complete_addrs(&addrs), begun), begun));
        }
        let captures = [("frames", "[IF…]"), ("tcpdump", "-n [-i IF] [-v] [FILTER]")]
            .map(|(text, detail)| Choice { text: text.into(), kind: Kind::Command, detail });
        if station.kind == StationKind::Wire {
            return (at, if words.is_empty() { keep(captures.into(), begun) } else { Vec::new() });
        }
        if words.first() == Some(&"frames") {
            return (at, keep(complete_names(station.ifaces.iter().map(|i| i.name.clone())), begun));
        }
        let Some(host) = self.host(name) else { return (at, Vec::new()) };
        let mut all = complete::command(Around { host, addrs: &addrs }, &words, begun);
        if words.is_empty() {
            all.extend(keep(captures.into(), begun));
        }
        (at, all)
    }

    /// Is the line part of a command's standard input?
    fn input(&self) -> Option<(&Line, &str)> {
        self.lab.lines.iter().find_map(|l| match &l.what {
            Statement::Command { stdin: Some(stdin), .. } => {
                let lines = u32::try_from(stdin.lines().count()).unwrap_or(u32::MAX);
                (l.number < self.line && self.line <= l.number.saturating_add(lines)).then_some((l, &**stdin))
            }
            _ => None,
        })
    }

    /// A line of what `iptables-restore` reads; of other tools' input nothing is known.
    fn input_line(&self, line: &Line, stdin: &str, before: &str) -> (usize, Vec<Choice>) {
        let (at, typed) = split(before, 0);
        let Statement::Command { station, prompt: Prompt::Root, words, .. } = &line.what else {
            return (at, Vec::new());
        };
        let tool = words.first().map_or("", |w| w.text.as_str());
        let name = self.lab.stations.get(station.index()).map_or("", |s| s.name.as_str());
        let Some(host) = self.host(name).filter(|_| tool.contains("tables-")) else {
            return (at, Vec::new());
        };
        let above = stdin.lines().take((self.line - line.number - 1) as usize);
        let table = above.filter_map(|l| l.strip_prefix('*')).last().unwrap_or("filter").trim().to_string();
        let words: Vec<&str> = typed.iter().map(String::as_str).collect();
        let tool = if tool.starts_with("ip6") { "ip6tables" } else { "iptables" };
        let addrs = self.addrs();
        (at, complete::restore(Around { host, addrs: &addrs }, tool, &table, &words, &before[at..]))
    }

    /// The host of this name as the run left it.
    fn host(&self, name: &str) -> Option<&Host> {
        let end = self.session.end();
        end.world.host(end.lab.station(name)?)
    }

    /// All addresses of the network, each once.
    fn addrs(&self) -> Vec<String> {
        let ifaces = self.lab.stations.iter().flat_map(|s| &s.ifaces);
        ifaces.flat_map(|i| &i.addrs).map(|(f, a, _)| a.ip(*f).to_string()).collect()
    }

    /// What the nearest command above printed in the run.
    fn printed(&self) -> Vec<Choice> {
        let commands = || self.lab.lines.iter().filter(|l| matches!(l.what, Statement::Command { .. }));
        let Some(above) = commands().rfind(|l| l.number < self.line) else { return Vec::new() };
        let source = self.lab.source(above);
        // The same command may have run more than once.
        let nth = commands().filter(|l| l.number < above.number && self.lab.source(l) == source).count();
        let block = self.session.end().blocks.iter().filter(|b| b.command == source).nth(nth);
        let lines = block.map_or(&[][..], |b| b.lines.as_slice());
        let used = lines.iter().filter(|l| !l.trim().is_empty());
        used.map(|l| Choice::new(l.trim(), Kind::Value)).collect()
    }
}

fn complete_names(names: impl IntoIterator<Item = String>) -> Vec<Choice> {
    names.into_iter().map(|n| Choice::new(n, Kind::Name)).collect()
}

fn complete_addrs(addrs: &[String]) -> Vec<Choice> {
    addrs.iter().map(|a| Choice::new(a.clone(), Kind::Address)).collect()
}

/// Where the last word of a text begins.
fn last_word(text: &str) -> usize {
    text.rfind([' ', '\t']).map_or(0, |at| at + 1)
}

/// The whole words from byte `from` on, and where the word begins that is being typed.
fn split(before: &str, from: usize) -> (usize, Vec<String>) {
    let at = last_word(before).max(from);
    // An open quote, or what only a shell could do: then words are what blanks part.
    let words = match shell::split_from(&before[..at], from, 1) {
        Ok(line) => line.words.into_iter().map(|w| w.text).collect(),
        Err(_) => before[from..at].split_whitespace().map(str::to_string).collect(),
    };
    (at, words)
}
