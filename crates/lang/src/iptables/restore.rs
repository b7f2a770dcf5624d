//! `iptables-restore`: tables from text, each as a whole or not at all.

use super::exec::{self, Index};
use super::fault::Fault;
use super::getopt::{Arg, Getopt, Id, Item, Long};
use super::parse;
use super::request::{self, Command, Request, table_kind};
use super::{Tool, check, finish, number, save};
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::Host;
use hookwalk_engine::hook::Hook;
use hookwalk_engine::ruleset::{ChainId, Counters, Policy, Ruleset, Table, TableKind};

/// What the command line asks for.
#[derive(Clone, Default)]
struct Options {
    counters: bool,
    verbose: bool,
    test: bool,
    noflush: bool,
    only: Option<String>,
}

const LONGS: &[Long] = &[
    Long { name: "counters", arg: Arg::None, id: Id::Own('c') },
    Long { name: "verbose", arg: Arg::None, id: Id::Own('v') },
    Long { name: "version", arg: Arg::None, id: Id::Own('V') },
    Long { name: "test", arg: Arg::None, id: Id::Own('t') },
    Long { name: "help", arg: Arg::None, id: Id::Own('h') },
    Long { name: "noflush", arg: Arg::None, id: Id::Own('n') },
    Long { name: "modprobe", arg: Arg::Required, id: Id::Own('M') },
    Long { name: "table", arg: Arg::Required, id: Id::Own('T') },
    Long { name: "wait", arg: Arg::Optional, id: Id::Own('w') },
    Long { name: "wait-interval", arg: Arg::Required, id: Id::Own('W') },
    Long { name: "ipv4", arg: Arg::None, id: Id::Own('4') },
    Long { name: "ipv6", arg: Arg::None, id: Id::Own('6') },
];

/// A table that is being loaded.
struct Load {
    kind: TableKind,
    /// The table as it was before, if there was one.
    before: Option<Table>,
    index: Index,
    /// What to do, with the line that says so. Nothing is done before `COMMIT`.
    queue: Vec<(u32, Step)>,
}

/// A line of a table.
enum Step {
    /// `:CHAIN POLICY`, for a built-in chain with what it gets.
    Chain(String, Option<(Hook, Policy, Counters)>),
    /// A policy that there is not.
    BadPolicy,
    /// A command.
    Request(Box<Request>),
    /// A rule that the kernel refuses before anything else is looked at.
    Refused(&'static str, &'static str, String),
}

/// `iptables-restore`.
pub(crate) fn run(host: &mut Host, tool: &Tool, argv: &[Word], input: &str) -> Output {
    let mut words = Getopt::new(argv);
    let mut options = Options::default();
    let short = |c| match c {
        'c' | 'v' | 'V' | 't' | 'h' | 'n' | '4' | '6' => Some(Arg::None),
        'M' | 'T' | 'W' => Some(Arg::Required),
        'w' => Some(Arg::Optional),
        _ => None,
    };
    loop {
        let text = words.rest().first().map_or("", |w| w.text.as_str()).to_string();
        match words.item(short, LONGS.iter().copied()) {
            Item::End => break,
            Item::Word(word) => {
                return Output::fail(1, format!("Can't open {}: No such file or directory\n", word.text));
            }
            Item::Unknown | Item::Missing => {
                let hint = format!("Try `{} -h' for more information.", tool.name);
                return save::usage(tool, &text, &hint);
            }
            Item::Option(Id::Own('c'), _) => options.counters = true,
            Item::Option(Id::Own('v'), _) => options.verbose = true,
            Item::Option(Id::Own('V'), _) => return Output::ok(tool.version() + "\n"),
            Item::Option(Id::Own('t'), _) => options.test = true,
            Item::Option(Id::Own('n'), _) => options.noflush = true,
            Item::Option(Id::Own('T'), Some(name)) => options.only = Some(name.text),
            Item::Option(Id::Own('h'), _) => {
                return Fault::Refused("the help text is not simulated".into(), 0..0).output(tool, None);
            }
            Item::Option(Id::Own('w'), None) => {
                let _ = words.take_argument();
            }
            Item::Option(..) => {}
        }
    }
    lines(host, tool, &options, input)
}

/// A line of the input.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// Without its newline.
    text: &'a str,
    /// Does a newline end it?
    newline: bool,
    /// Its number, from 1.
    number: u32,
    /// Where it begins in the input, in bytes.
    start: usize,
}

/// What stays the same from line to line, and what grows.
struct Reader<'a> {
    host: &'a mut Host,
    tool: &'a Tool,
    options: &'a Options,
    load: Option<Load>,
    /// In a table that was not asked for.
    passed_over: bool,
    out: Output,
}

fn lines(host: &mut Host, tool: &Tool, options: &Options, input: &str) -> Output {
    let mut r = Reader { host, tool, options, load: None, passed_over: false, out: Output::default() };
    let mut number = 0;
    let mut start = 0;
    for whole in input.split_inclusive('\n') {
        number += 1;
        let text = whole.strip_suffix('\n').unwrap_or(whole);
        let line = Line { text, newline: whole.len() > text.len(), number, start };
        start += whole.len();
        if let Err((fault, line)) = r.line(line) {
            if let Some(load) = r.load.take() {
                undo(&mut r.host.rules, tool, load);
            }
            return finish(r.out, fault, tool, line);
        }
    }
    if let Some(load) = r.load.take() {
        undo(&mut r.host.rules, tool, load);
        r.out.stderr.push_str(&format!("{}: COMMIT expected at line {}\n", tool.name, number + 1));
        r.out.exit = 1;
    }
    r.out
}

type Stop = (Fault, Option<u32>);

impl Reader<'_> {
    fn line(&mut self, line: Line<'_>) -> Result<(), Stop> {
        let Line { text, number, .. } = line;
        let at = |fault: Fault| (fault, Some(number));
        if text.is_empty() || text.starts_with('#') {
            if text.starts_with('#') && self.options.verbose {
                self.out.line(text);
            }
            return Ok(());
        }
        if self.passed_over {
            self.passed_over = text != "COMMIT";
            return Ok(());
        }
        if self.load.is_some() && text == "COMMIT" {
            let Some(done) = self.load.take() else { return Ok(()) };
            return commit(&mut self.host.rules, self.tool, self.options, done, number, &mut self.out);
        }
        if let Some(load) = self.load.as_mut() {
            if let Some(rest) = text.strip_prefix(':') {
                return chain_line(self.tool, self.options, rest, number, load).map_err(at);
            }
            return self.rule_line(line);
        }
        if let Some(rest) = text.strip_prefix('*') {
            let name = rest.split([' ', '\t', '\n']).find(|w| !w.is_empty()).unwrap_or_default();
            if self.options.only.as_deref().is_some_and(|only| only != name) {
                self.passed_over = true;
                return Ok(());
            }
            let Some(kind) = table_kind(name) else {
                let tool = &self.tool.name;
                return Err(at(Fault::param(words!("{tool}: line {number} table name '{name}' invalid"))));
            };
            let (rules, out) = (&mut self.host.rules, &mut self.out);
            self.load = Some(begin(rules, self.tool, self.options, kind, out));
            return Ok(());
        }
        Err((Fault::Plain(1, words!("{}: line {number} failed\n", self.tool.name)), None))
    }

    /// A command as on the command line, with counters before it perhaps.
    fn rule_line(&mut self, line: Line<'_>) -> Result<(), Stop> {
        let Line { text, number, .. } = line;
        let at = |fault: Fault| (fault, Some(number));
        let Some(load) = self.load.as_mut() else { return Ok(()) };
        let mut counters = None;
        let mut rest = text;
        if let Some(inner) = text.strip_prefix('[') {
            let Some((pair, after)) = inner.split_once(']') else {
                return Err(at(Fault::param(words!("Bad line {number}: need ]"))));
            };
            let Some((packets, bytes)) = pair.split_once(':') else {
                return Err(at(Fault::param(words!("Bad line {number}: need :"))));
            };
            if self.options.counters {
                let (packets, bytes) = (number::lenient(packets), number::lenient(bytes));
                counters = Some(Counters { packets, bytes });
            }
            rest = after;
        }
        let mut argv = vec![Word::new(self.tool.name.clone())];
        split(rest, line.start + text.len() - rest.len(), line.newline, &mut argv);
        let restore = Some((load.kind, counters));
        let step = match parse::command(&self.host.net, self.tool, &argv, restore, &mut self.out) {
            Ok(request) => Step::Request(Box::new(request)),
            Err(Fault::Kernel { op, why, about }) => Step::Refused(op, why, about),
            Err(fault) => return Err(at(fault)),
        };
        load.queue.push((number, step));
        Ok(())
    }
}

/// `*TABLE`: without `-n` the table begins empty.
fn begin(rules: &mut Ruleset, tool: &Tool, options: &Options, kind: TableKind, out: &mut Output) -> Load {
    let family = tool.family;
    let before = rules.table(family, kind).cloned();
    if !options.noflush {
        if options.verbose {
            for (name, _) in exec::chain_order(before.as_ref(), kind) {
                out.line(&format!("Flushing chain `{name}'"));
            }
            for (name, _) in exec::chain_order(before.as_ref(), kind) {
                if exec::builtin(kind, &name).is_none() {
                    out.line(&format!("Deleting chain `{name}'"));
                }
            }
        }
        if let Some(table) = rules.table_mut(family, kind) {
            table.chains.clear();
            table.next_handle = 1;
        }
    }
    let table = rules.table_or_new(family, kind);
    let index = table
        .chains
        .iter()
        .enumerate()
        .filter_map(|(i, c)| c.as_ref().map(|c| (c.name.clone(), ChainId(i as u16))))
        .collect();
    Load { kind, before, index, queue: Vec::new() }
}

fn undo(rules: &mut Ruleset, tool: &Tool, load: Load) {
    let at = rules.tables.iter().position(|t| t.family == tool.family && t.kind == load.kind);
    match (at, load.before) {
        (Some(at), Some(before)) => rules.tables[at] = before,
        (Some(at), None) => {
            rules.tables.remove(at);
        }
        (None, _) => {}
    }
}

/// `:CHAIN POLICY [PACKETS:BYTES]`.
fn chain_line(tool: &Tool, options: &Options, text: &str, number: u32, load: &mut Load) -> Result<(), Fault> {
    let mut words = text.split([' ', '\t', '\n']).filter(|w| !w.is_empty());
    let Some(name) = words.next() else {
        return Err(Fault::param(words!("{}: line {number} chain name invalid", tool.name)));
    };
    request::new_name(name, tool.family)?;
    let Some(policy) = words.next() else {
        return Err(Fault::param(words!("{}: line {number} policy invalid", tool.name)));
    };
    // A user's chain has no policy, whatever is written.
    let Some(hook) = exec::builtin(load.kind, name) else {
        load.queue.push((number, Step::Chain(name.to_string(), None)));
        return Ok(());
    };
    let mut counters = Counters::default();
    if options.counters {
        counters = words
            .next()
            .and_then(bracketed)
            .ok_or_else(|| Fault::param(words!("invalid policy counters for chain '{name}'")))?;
    }
    let policy = match policy {
        "ACCEPT" | "-" => Policy::Accept,
        "DROP" => Policy::Drop,
        _ => {
            load.queue.push((number, Step::BadPolicy));
            return Ok(());
        }
    };
    load.queue.push((number, Step::Chain(name.to_string(), Some((hook, policy, counters)))));
    Ok(())
}

/// `[PACKETS:BYTES]`.
fn bracketed(text: &str) -> Option<Counters> {
    let (packets, bytes) = text.strip_prefix('[')?.split_once(':')?;
    // What follows the numbers is not looked at.
    let number = |t: &str| -> Option<u64> {
        let end = t.find(|c: char| !c.is_ascii_digit()).unwrap_or(t.len());
        t[..end].parse().ok()
    };
    Some(Counters { packets: number(packets)?, bytes: number(bytes)? })
}

/// Words of a line: blanks separate, double quotes join, a backslash in quotes escapes. `start` is where the text
/// begins in the input.
fn split(text: &str, start: usize, newline: bool, argv: &mut Vec<Word>) {
    let mut word: Option<Word> = None;
    let mut open = false;
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        let here = start + i;
        if !open && matches!(c, ' ' | '\t') {
            if let Some(mut done) = word.take() {
                done.span.end = here;
                argv.push(done);
            }
            continue;
        }
        let word = word.get_or_insert_with(|| Word { text: String::new(), span: here..here });
        match c {
            '"' if open && !escaped => open = false,
            '\\' if open && !escaped => escaped = true,
            '"' if !open => open = true,
            _ => {
                word.text.push(c);
                escaped = false;
            }
        }
    }
    if let Some(mut done) = word {
        // A quote that is not closed runs to the end of the line, its newline included.
        if open && newline {
            done.text.push('\n');
        }
        done.span.end = start + text.len();
        argv.push(done);
    }
}

/// `COMMIT`: now it is done, all or nothing.
fn commit(
    rules: &mut Ruleset,
    tool: &Tool,
    options: &Options,
    mut load: Load,
    last: u32,
    out: &mut Output,
) -> Result<(), Stop> {
    let family = tool.family;
    // A test only reads.
    if options.test {
        undo(rules, tool, load);
        return Ok(());
    }
    // Rules in the order in which they were added: input line, chain and operation.
    let mut added: Vec<(u32, ChainId, &'static str)> = Vec::new();
    let mut refused: Vec<(u32, String)> = Vec::new();
    let sentence = |op: &str, why: &str, about: &str| format!("{op} failed ({why}): {about}");
    let queue = std::mem::take(&mut load.queue);
    for (number, step) in queue {
        let mut request = match step {
            Step::Chain(name, base) => {
                chain(rules, tool, &mut load, &name, base);
                continue;
            }
            Step::BadPolicy => {
                undo(rules, tool, load);
                return Err((Fault::Operation("Bad policy name."), Some(number)));
            }
            Step::Refused(op, why, about) => {
                refused.push((number, sentence(op, why, &about)));
                continue;
            }
            Step::Request(request) => *request,
        };
        if options.verbose {
            request.verbose = request.verbose.max(1);
        }
        match exec::apply(rules, family, &request, Some(&mut load.index), out) {
            Ok(()) => {
                let op = match request.command {
                    Command::Append => "RULE_APPEND",
                    Command::Insert(_) => "RULE_INSERT",
                    Command::Replace(_) => "RULE_REPLACE",
                    _ => continue,
                };
                if let Some(id) = request.chain.as_deref().and_then(|c| load.index.get(c)) {
                    added.push((number, *id, op));
                }
            }
            Err(Fault::Kernel { op, why, about }) => refused.push((number, sentence(op, why, &about))),
            Err(fault) => {
                let line = if matches!(fault, Fault::Operation(_)) { number } else { last };
                undo(rules, tool, load);
                return Err((fault, Some(line)));
            }
        }
    }
    if refused.is_empty() {
        let Some(table) = rules.table_mut(family, load.kind) else { return Ok(()) };
        let Err(why) = check::table(table) else {
            // A table in which nothing was made is not made itself.
            if table.chains.is_empty() && (!options.noflush || load.before.is_none()) {
                load.before = None;
                undo(rules, tool, load);
            }
            return Ok(());
        };
        // From which line on? The last that has to go for the table to be in order; all that come after it fail too.
        for (number, id, op) in added.iter().rev() {
            let Some(chain) = table.chain_mut(*id) else { continue };
            chain.rules.pop();
            refused.push((*number, sentence(op, why, &format!("rule in chain {}", chain.name))));
            if check::table(table).is_ok() {
                break;
            }
        }
        refused.reverse();
    }
    undo(rules, tool, load);
    Err((Fault::KernelLines(refused), None))
}

/// A chain comes into being, or is emptied where it was there (`-n`); a built-in one gets its policy.
fn chain(
    rules: &mut Ruleset,
    tool: &Tool,
    load: &mut Load,
    name: &str,
    base: Option<(Hook, Policy, Counters)>,
) {
    let table = rules.table_or_new(tool.family, load.kind);
    let Some((hook, policy, counters)) = base else {
        match load.index.get(name) {
            Some(id) => {
                if let Some(chain) = table.chain_mut(*id) {
                    chain.rules.clear();
                }
            }
            None => {
                let id = table.add_chain(name);
                load.index.insert(name.into(), id);
            }
        }
        return;
    };
    let id = table.base_or_new(hook);
    load.index.insert(hook.chain_name().into(), id);
    if let Some(base) = table.chain_mut(id).and_then(|c| c.base.as_mut()) {
        base.policy = policy;
        base.counters = Some(counters);
    }
}
