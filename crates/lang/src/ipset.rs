//! `ipset` (7.17): named sets as text, and what the tool does to them.
//!
//! `header` reads what a set is created with, `elem` its elements; here are the commands and the listings.

mod elem;
mod header;
mod size;

use crate::complete::{self, Around, Choice, of};
use crate::output::Output;
use crate::shell::{self, Word};
use elem::Operands;
use hookwalk_engine::Host;
use hookwalk_engine::set::{Elem, Ext, Set, SetError, SetType};
use hookwalk_engine::time::{Duration, Time};
use std::fmt::Write as _;

/// The result of a step; an error is what the tool prints.
type Run<T> = Result<T, Box<Output>>;

/// Options that may stand anywhere.
#[derive(Clone, Copy, Default)]
struct Options {
    /// `-exist`, `-!`.
    exist: bool,
    /// `-q`.
    quiet: bool,
    /// `-s`: elements sorted. They always are here.
    sorted: bool,
    /// `-n`: names only.
    names: bool,
    /// `-t`: headers only.
    terse: bool,
    /// `-o save`.
    save: bool,
}

/// An error of the command line: exit status 1.
fn error(message: impl std::fmt::Display) -> Box<Output> {
    Box::new(Output::fail(1, format!("ipset v7.17: {message}")))
}

/// An error of usage: exit status 2, and a pointer to the help.
fn usage(message: impl std::fmt::Display) -> Box<Output> {
    Box::new(Output::fail(2, format!("ipset v7.17: {message}\nTry `ipset help' for more information.")))
}

/// What the kernel says, in the tool's words.
fn kernel(e: SetError) -> Box<Output> {
    error(match e {
        SetError::NoSet => "The set with the given name does not exist",
        SetError::NameTaken => "Set cannot be created: set with the same name already exists",
        SetError::InUse => "Set cannot be destroyed: it is in use by a kernel component",
        SetError::Exists => "Element cannot be added to the set: it's already added",
        SetError::Missing => "Element cannot be deleted from the set: it's not added",
        SetError::HashFull => "Hash is full, cannot add more elements",
        SetError::ListFull => "Set is full, more elements cannot be added.",
        SetError::OutOfRange => "Element is out of the range of the set",
        SetError::Cidr => "The value of the CIDR parameter of the IP address is invalid",
        SetError::NoMemberSet => "Set to be added/deleted/tested as element does not exist.",
        SetError::ListInList => "Sets with list:set type cannot be added to the set.",
        SetError::SwapTypes => "The sets cannot be swapped: their type does not match",
        SetError::NoExtension => "Kernel error received: Invalid argument",
        SetError::NullElement => "Null-valued element, cannot be stored in a hash type of set",
        SetError::Invalid => "Kernel error received: Invalid argument",
    })
}

/// Commands by their names: long, short, and as an option of old.
const COMMANDS: [(&str, &str, &str); 14] = [
    ("create", "n", "-N"),
    ("add", "a", "-A"),
    ("del", "d", "-D"),
    ("test", "t", "-T"),
    ("destroy", "x", "-X"),
    ("list", "l", "-L"),
    ("save", "s", "-S"),
    ("restore", "r", "-R"),
    ("flush", "f", "-F"),
    ("rename", "e", "-E"),
    ("swap", "w", "-W"),
    ("help", "h", "-H"),
    ("version", "v", "-V"),
    ("quit", "q", "-Q"),
];

/// What can stand after these words of an `ipset` command.
pub(crate) fn choices(around: Around<'_>, words: &[&str]) -> Vec<Choice> {
    let operands: Vec<&str> = words.iter().skip(1).filter(|w| !w.starts_with('-')).copied().collect();
    match (operands.as_slice(), words.last()) {
        ([], _) => of(complete::Kind::Option, COMMANDS.iter().map(|(name, ..)| *name)),
        (["create", _], _) => of(complete::Kind::Value, SetType::ALL.map(SetType::name)),
        (["create", ..], Some(&"family")) => of(complete::Kind::Value, ["inet", "inet6"]),
        (["create", _, _, ..], _) => of(
            complete::Kind::Option,
            [
                "family", "timeout", "counters", "comment", "skbinfo", "hashsize", "maxelem", "netmask",
                "range",
            ],
        ),
        (["add" | "del" | "test", _], _) => of(complete::Kind::Address, around.addrs.iter().cloned()),
        ([_], _) => of(complete::Kind::Name, around.host.net.sets.iter().map(|s| s.name.to_string())),
        _ => Vec::new(),
    }
}

/// Runs `ipset`.
pub fn run(host: &mut Host, argv: &[Word], stdin: Option<&str>) -> Output {
    run_line(host, argv, stdin).unwrap_or_else(|output| *output)
}

fn run_line(host: &mut Host, argv: &[Word], stdin: Option<&str>) -> Run<Output> {
    let mut options = Options::default();
    let mut words: Vec<&Word> = Vec::new();
    let mut rest = argv.iter().skip(1);
    while let Some(word) = rest.next() {
        match word.text.as_str() {
            "-exist" | "--exist" | "-!" => options.exist = true,
            "-q" | "-quiet" | "--quiet" => options.quiet = true,
            "-s" | "-sorted" | "--sorted" => options.sorted = true,
            "-n" | "-name" | "--name" => options.names = true,
            "-t" | "-terse" | "--terse" => options.terse = true,
            "-r" | "-resolve" | "--resolve" | "-f" | "-file" | "--file" => {
                return Err(refuse(word, &format!("ipset {}", word.text)));
            }
            "-o" | "-output" | "--output" => match rest.next() {
                Some(kind) if kind.text == "save" => options.save = true,
                Some(kind) if kind.text == "plain" => options.save = false,
                Some(kind) => return Err(refuse(kind, &format!("ipset -o {}", kind.text))),
                None => return Err(usage("Missing mandatory argument of option `-o'")),
            },
            "-v" | "-version" | "--version" => return Ok(Output::ok("ipset v7.17, protocol version: 7\n")),
            _ => words.push(word),
        }
    }
    let Some(first) = words.first() else {
        return Err(match options.terse || options.names {
            true => usage("Command-line option without a command"),
            false => usage("No command specified."),
        });
    };
    let text = first.text.as_str();
    let found = COMMANDS.iter().find(|(long, short, old)| {
        text == *long || text == *short || text == *old || text.strip_prefix("--") == Some(*long)
    });
    let Some((command, ..)) = found else {
        return Err(usage(format!("No command specified: unknown argument {text}")));
    };
    let operands = &words[1..];
    let mut out = match *command {
        "create" => create(host, operands, options),
        "add" | "del" | "test" => element(host, command, operands, options),
        "destroy" => destroy(host, operands),
        "list" => list(host, operands, options),
        "save" => list(host, operands, Options { save: true, ..options }),
        "restore" => return restore(host, stdin.unwrap_or_default(), options),
        "flush" => flush(host, operands),
        "rename" => rename(host, operands),
        "swap" => swap(host, operands),
        "version" => Ok(Output::ok("ipset v7.17, protocol version: 7\n")),
        other => Err(refuse(first, &format!("ipset {other}"))),
    };
    if options.quiet {
        let output = match &mut out {
            Ok(output) => output,
            Err(output) => &mut **output,
        };
        output.stderr.clear();
    }
    out
}

fn refuse(word: &Word, what: &str) -> Box<Output> {
    Box::new(Output::refuse(format!("{what} is not simulated"), word.span.clone()))
}

/// The operand at a place, which the command needs.
fn operand<'a>(operands: &[&'a Word], at: usize, command: &str) -> Run<&'a Word> {
    operands.get(at).copied().ok_or_else(|| {
        let which = if at == 0 { "" } else { "second " };
        usage(format!("Missing {which}mandatory argument to command {command}"))
    })
}

/// No more operands than these.
fn no_more(operands: &[&Word], at: usize) -> Run<()> {
    match operands.get(at) {
        Some(word) => Err(usage(format!("Unknown argument {}", word.text))),
        None => Ok(()),
    }
}

fn create(host: &mut Host, operands: &[&Word], options: Options) -> Run<Output> {
    let name = &operand(operands, 0, "create")?.text;
    let kind = operand(operands, 1, "create")?;
    if name.len() > 31 {
        return Err(error(format!("Syntax error: setname '{name}' is longer than 31 characters")));
    }
    let mut header = header::parse(kind, &operands[2..])?;
    if header.initval == 0 && header.kind.is_hash() {
        header.initval = host.net.rng.next_u32();
    }
    host.net.sets.create(name, header, options.exist).map_err(kernel)?;
    Ok(Output::default())
}

fn element(host: &mut Host, command: &str, operands: &[&Word], options: Options) -> Run<Output> {
    let name = operand(operands, 0, command)?.text.clone();
    let text = operand(operands, 1, command)?;
    let now = host.net.now;
    let Some(set) = host.net.sets.get(&name) else { return Err(kernel(SetError::NoSet)) };
    if command == "test"
        && let Some(message) = elem::range(set, &text.text)
    {
        return Err(error(message));
    }
    let parsed = Operands::parse(set, command, text, &operands[2..])?;
    match command {
        "test" => {
            let elem = match &parsed.elems[..] {
                [one] => one,
                _ => return Err(error("Syntax error: a range cannot be tested")),
            };
            // The tool forgets `physdev:` here.
            let written = elem::text(set, &Elem { physdev: false, ..elem.clone() }, &Ext::default());
            // What the set could never hold is not in it.
            let found = match set.contains(elem, parsed.ext.nomatch, now) {
                Err(SetError::OutOfRange) => false,
                found => found.map_err(kernel)?,
            };
            let mut out = Output::default();
            match found {
                true => out.error_line(&format!("Warning: {written} is in set {name}.")),
                false => {
                    out.error_line(&format!("{written} is NOT in set {name}."));
                    out.exit = 1;
                }
            }
            Ok(out)
        }
        "add" => {
            let expires = set.expiry(parsed.timeout, now);
            for elem in &parsed.elems {
                let mut ext = Ext { expires, ..parsed.ext.clone() };
                // Counters that are not written stay as they are.
                if let Some(old) = host.net.sets.get(&name).and_then(|s| s.stored(elem)) {
                    ext.packets = if parsed.counts.0 { ext.packets } else { old.packets };
                    ext.bytes = if parsed.counts.1 { ext.bytes } else { old.bytes };
                }
                let place = parsed.place.clone();
                host.net.sets.add_at(&name, elem, ext, place, options.exist, now).map_err(kernel)?;
            }
            Ok(Output::default())
        }
        _ => {
            let Some(set) = host.net.sets.get_mut(&name) else { return Err(kernel(SetError::NoSet)) };
            for elem in &parsed.elems {
                match set.del(elem, now) {
                    Err(SetError::Missing) if options.exist => {}
                    other => other.map_err(kernel)?,
                }
            }
            Ok(Output::default())
        }
    }
}

fn destroy(host: &mut Host, operands: &[&Word]) -> Run<Output> {
    no_more(operands, 1)?;
    let rules = &host.rules;
    match operands.first() {
        Some(name) => host.net.sets.destroy(&name.text, rules.set_references(&name.text)),
        None => host.net.sets.destroy_all(|name| rules.set_references(name)),
    }
    .map_err(kernel)?;
    Ok(Output::default())
}

fn flush(host: &mut Host, operands: &[&Word]) -> Run<Output> {
    no_more(operands, 1)?;
    match operands.first() {
        Some(name) => match host.net.sets.get_mut(&name.text) {
            Some(set) => set.flush(),
            None => return Err(kernel(SetError::NoSet)),
        },
        None => {
            let names: Vec<_> = host.net.sets.iter().map(|s| s.name.clone()).collect();
            for name in names {
                if let Some(set) = host.net.sets.get_mut(&name) {
                    set.flush();
                }
            }
        }
    }
    Ok(Output::default())
}

fn rename(host: &mut Host, operands: &[&Word]) -> Run<Output> {
    let from = &operand(operands, 0, "rename")?.text;
    let to = &operand(operands, 1, "rename")?.text;
    no_more(operands, 2)?;
    let rules = host.rules.set_references(from);
    host.net.sets.rename(from, to, rules).map_err(|e| match e {
        SetError::InUse => error("Set cannot be renamed: it is in use by another system"),
        SetError::NameTaken => error("Set cannot be renamed: a set with the new name already exists"),
        other => kernel(other),
    })?;
    Ok(Output::default())
}

fn swap(host: &mut Host, operands: &[&Word]) -> Run<Output> {
    let a = &operand(operands, 0, "swap")?.text;
    let b = &operand(operands, 1, "swap")?.text;
    no_more(operands, 2)?;
    if host.net.sets.get(a).is_some() && host.net.sets.get(b).is_none() {
        return Err(error("Sets cannot be swapped: the second set does not exist"));
    }
    host.net.sets.swap(a, b).map_err(kernel)?;
    Ok(Output::default())
}

fn list(host: &mut Host, operands: &[&Word], options: Options) -> Run<Output> {
    no_more(operands, 1)?;
    let now = host.net.now;
    let wanted = operands.first().map(|w| w.text.as_str());
    if let Some(name) = wanted
        && host.net.sets.get(name).is_none()
    {
        return Err(kernel(SetError::NoSet));
    }
    // Lists of sets come last, so that what they hold is there when a saved text is loaded.
    let is_list = |s: &&Set| s.header.kind == SetType::ListSet;
    let all = || host.net.sets.iter().filter(|s| wanted.is_none_or(|w| *s.name == *w));
    let sets = all().filter(|s| !is_list(s)).chain(all().filter(is_list));
    let mut out = Output::default();
    for (at, set) in sets.enumerate() {
        if options.names {
            out.line(&set.name);
            continue;
        }
        let options_text = header::text(&set.header);
        if options.save {
            out.line(&format!("create {} {} {options_text}", set.name, set.header.kind.name()));
        } else {
            if at > 0 {
                out.line("");
            }
            let references = host.rules.set_references(&set.name) + host.net.sets.memberships(&set.name);
            let _ = write!(
                out.stdout,
                "Name: {}\nType: {}\nRevision: {}\nHeader: {options_text}\nSize in memory: {}\n\
                 References: {references}\nNumber of entries: {}\n",
                set.name,
                set.header.kind.name(),
                header::revision(set.header.kind),
                size::in_memory(set, now),
                set.iter(now).count(),
            );
            if !options.terse {
                out.line("Members:");
            }
        }
        if options.terse {
            continue;
        }
        for (elem, ext) in set.iter(now) {
            let line = member(set, elem, ext, now);
            match options.save {
                true => out.line(&format!("add {} {line}", set.name)),
                false => out.line(&line),
            }
        }
    }
    Ok(out)
}

/// An element with what it carries.
fn member(set: &Set, elem: &Elem, ext: &Ext, now: Time) -> String {
    let mut out = elem::text(set, elem, ext);
    if set.header.timeout.is_some() {
        // The kernel rounds ticks down, and a tick or more has gone by when anyone looks.
        let left = ext.expires.map(|at| Duration(at.since(now).0.saturating_sub(1)));
        // 0 stands for ever, so what is nearly over has a second.
        let left = left.map_or(ext.waiting.unwrap_or(0).into(), |left| left.as_secs().max(1));
        let _ = write!(out, " timeout {left}");
    }
    if ext.nomatch {
        out.push_str(" nomatch");
    }
    if elem.wildcard {
        out.push_str(" wildcard");
    }
    if set.header.counters {
        let _ = write!(out, " packets {} bytes {}", ext.packets, ext.bytes);
    }
    if let Some(comment) = &ext.comment {
        let _ = write!(out, " comment \"{comment}\"");
    }
    if let Some((mark, mask)) = ext.skbmark {
        let _ = match mask {
            u32::MAX => write!(out, " skbmark {mark:#x}"),
            mask => write!(out, " skbmark {mark:#x}/{mask:#x}"),
        };
    }
    if let Some(prio) = ext.skbprio {
        let _ = write!(out, " skbprio {:x}:{:x}", prio >> 16, prio & 0xffff);
    }
    if let Some(queue) = ext.skbqueue {
        let _ = write!(out, " skbqueue {queue}");
    }
    out
}

/// `restore`: a command a line. What came before the line that fails stays.
fn restore(host: &mut Host, text: &str, options: Options) -> Run<Output> {
    let mut out = Output::default();
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') || trimmed == "COMMIT" {
            continue;
        }
        let words = shell::split(&format!("ipset {trimmed}"), number as u32)
            .map_err(|d| error(format!("Error in line {number}: {}", d.message)))?
            .words;
        let mut words = words;
        if options.exist {
            words.push(Word::new("-exist"));
        }
        if words.get(1).is_some_and(|w| matches!(w.text.as_str(), "restore" | "-R" | "r")) {
            return Err(error(format!("Error in line {number}: restore within restore")));
        }
        match run_line(host, &words, None) {
            Ok(done) => out.stdout.push_str(&done.stdout),
            Err(mut failed) => {
                // Errors of usage do not name the line; those of the kernel and of values do.
                if failed.exit == 1 {
                    let mark = format!("ipset v7.17: Error in line {number}: ");
                    failed.stderr = failed.stderr.replacen("ipset v7.17: ", &mark, 1);
                }
                return Err(failed);
            }
        }
    }
    Ok(out)
}
