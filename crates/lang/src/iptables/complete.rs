//! What can stand at a place of an iptables command line.

use super::getopt::{Arg, Id};
use super::option::Ty;
use super::own::{LONGS, short};
use super::request::table_kind;
use super::{exec, matches, names, targets};
use crate::complete::{Around, Choice, Kind, of};
use crate::names::icmp_names;
use hookwalk_engine::Family;
use hookwalk_engine::ruleset::TableKind;
use hookwalk_engine::targets::RejectWith;

/// Commands of the tool, as people write them.
const COMMANDS: [(&str, &str); 13] = [
    ("-A", "CHAIN RULE"),
    ("-I", "CHAIN [N] RULE"),
    ("-D", "CHAIN RULE|N"),
    ("-C", "CHAIN RULE"),
    ("-R", "CHAIN N RULE"),
    ("-L", "[CHAIN]"),
    ("-S", "[CHAIN]"),
    ("-F", "[CHAIN]"),
    ("-Z", "[CHAIN]"),
    ("-N", "NAME"),
    ("-X", "[CHAIN]"),
    ("-P", "CHAIN ACCEPT|DROP"),
    ("-E", "OLD NEW"),
];

/// Conditions and other options of the tool's own.
const OPTIONS: [(&str, &str); 10] = [
    ("-p", "PROTOCOL"),
    ("-s", "ADDRESS[/LEN]"),
    ("-d", "ADDRESS[/LEN]"),
    ("-i", "INTERFACE"),
    ("-o", "INTERFACE"),
    ("-m", "MATCH"),
    ("-j", "TARGET"),
    ("-g", "CHAIN"),
    ("-n", ""),
    ("-v", ""),
];

/// What can stand after these words; `table` is the one of a restore's input.
pub(crate) fn choices(around: Around<'_>, table: Option<&str>, words: &[&str]) -> Vec<Choice> {
    let tool = words.first().copied().unwrap_or_default();
    let family = if tool.contains("ip6") { Family::V6 } else { Family::V4 };
    if table.is_none() && tool.ends_with("-save") {
        return described(&[("-c", ""), ("-t", "TABLE")], Kind::Option);
    }
    if table.is_none() && tool.ends_with("-restore") {
        return described(&[("-c", ""), ("-n", ""), ("-t", "TABLE"), ("--test", "")], Kind::Option);
    }
    let after = |names: &[&str]| words.iter().position(|w| names.contains(w)).and_then(|i| words.get(i + 1));
    let kind = table_kind(table.or(after(&["-t", "--table"]).copied()).unwrap_or("filter"));
    let kind = kind.unwrap_or(TableKind::Filter);
    let last = words.last().copied().unwrap_or_default();
    let before = words.len().checked_sub(2).map_or("", |i| words[i]);
    // What the last option's own argument may be.
    match last {
        "-t" | "--table" => return of(Kind::Table, TableKind::ALL.map(|t| t.name())),
        "-A" | "-I" | "-D" | "-C" | "-R" | "-F" | "-L" | "-S" | "-Z" | "--append" | "--insert" => {
            return chains(around, family, kind, true);
        }
        "-P" | "--policy" => return of(Kind::Chain, kind.hooks().iter().map(|h| h.chain_name())),
        "-X" | "-E" | "-g" | "--goto" => return chains(around, family, kind, false),
        "-N" | "-c" => return Vec::new(),
        "-p" | "--protocol" => return of(Kind::Value, names::protocols()),
        "-i" | "-o" | "--in-interface" | "--out-interface" => {
            let devices = std::iter::once("lo".to_string());
            let others = around.host.net.devices.iter().map(|d| d.name.to_string());
            return of(Kind::Name, devices.chain(others));
        }
        "-s" | "-d" | "--source" | "--destination" | "--src" | "--dst" | "--to-destination"
        | "--to-source" | "--on-ip" | "--gateway" => return of(Kind::Address, around.addrs.iter().cloned()),
        "-m" | "--match" => return of(Kind::Match, matches::names(family)),
        "-j" | "--jump" => {
            let mut all = of(Kind::Target, ["ACCEPT", "DROP", "RETURN"]);
            all.extend(chains(around, family, kind, false));
            all.extend(of(Kind::Target, targets::names(family)));
            return all;
        }
        "--ctstate" | "--state" => return of(Kind::Value, matches::state_names(last == "--ctstate")),
        "--reject-with" => {
            let fits =
                |name: &&str| *name == "tcp-reset" || name.starts_with("icmp6-") == (family == Family::V6);
            return of(Kind::Value, RejectWith::NAMES.iter().map(|(_, name)| *name).filter(fits));
        }
        "--icmp-type" | "--icmpv6-type" => {
            return of(Kind::Value, icmp_names(family).iter().map(|(name, ..)| *name));
        }
        "--match-set" | "--add-set" | "--del-set" => {
            return of(Kind::Name, around.host.net.sets.iter().map(|s| s.name.to_string()));
        }
        _ if before == "-P" || before == "--policy" => return of(Kind::Target, ["ACCEPT", "DROP"]),
        _ => {}
    }
    let extensions = loaded(words, family);
    if takes_word(last, &extensions) {
        return Vec::new();
    }
    let mut all: Vec<Choice> = Vec::new();
    for opt in extensions.iter().flat_map(|(_, opts)| opts.iter()) {
        let text = format!("--{}", opt.name);
        if opt.multi || !words.contains(&text.as_str()) {
            all.push(Choice { text, kind: Kind::Option, detail: notation(opt.ty) });
        }
    }
    let given = |w: &str| COMMANDS.iter().any(|(c, _)| *c == w) || w.starts_with("--append");
    if !words.iter().skip(1).any(|w| given(w)) {
        all.extend(described(&COMMANDS, Kind::Option));
        if table.is_none() && !words.contains(&"-t") {
            all.insert(0, Choice { text: "-t".into(), kind: Kind::Option, detail: "TABLE" });
        }
    }
    all.extend(described(&OPTIONS, Kind::Option));
    all.extend(LONGS.iter().map(|l| Choice::new(format!("--{}", l.name), Kind::Option)));
    all
}

/// The options of an extension, with its name.
type Options = (&'static str, &'static [super::option::Opt]);

/// The extensions that a rule has loaded so far: by `-m`, `-p` and `-j`.
fn loaded(words: &[&str], family: Family) -> Vec<Options> {
    let mut found: Vec<Options> = Vec::new();
    let mut add = |options: Options| {
        if found.iter().all(|(name, _)| *name != options.0) {
            found.push(options);
        }
    };
    for pair in words.windows(2) {
        match pair[0] {
            "-m" | "--match" => matches::find(pair[1], family).map(|e| (e.name, e.opts)),
            "-p" | "--protocol" => names::protocol(&pair[1].to_ascii_lowercase())
                .and_then(matches::of_protocol)
                .and_then(|name| matches::find(name, family))
                .map(|e| (e.name, e.opts)),
            "-j" | "--jump" => targets::find(pair[1], family).map(|e| (e.name, e.opts)),
            _ => None,
        }
        .into_iter()
        .for_each(&mut add);
    }
    // The last one that was named is what people go on with.
    found.reverse();
    found
}

/// Does this option want a word of its own that nobody can list?
fn takes_word(option: &str, extensions: &[Options]) -> bool {
    let Some(name) = option.strip_prefix("--") else {
        let mut letters = option.strip_prefix('-').unwrap_or_default().chars();
        return match (letters.next(), letters.next()) {
            (Some(letter), None) => short(letter) == Some(Arg::Required),
            _ => false,
        };
    };
    let own = LONGS.iter().any(|l| l.name == name && l.arg == Arg::Required && matches!(l.id, Id::Own(_)));
    own || extensions.iter().flat_map(|(_, opts)| opts.iter()).any(|o| o.name == name && o.ty != Ty::Flag)
}

/// What an option takes, as manuals write it.
fn notation(ty: Ty) -> &'static str {
    match ty {
        Ty::Flag => "",
        Ty::Num(..) => "N",
        Ty::Range(..) => "N[:N]",
        Ty::Mark | Ty::Tos => "VALUE[/MASK]",
        Ty::Level => "LEVEL",
        Ty::Ports => "PORT[:PORT]",
        Ty::Proto => "PROTOCOL",
        Ty::Host => "ADDRESS",
        Ty::HostMask => "ADDRESS[/MASK]",
        Ty::Plen | Ty::PlenMask => "LEN",
        Ty::Mac => "MAC",
        Ty::Text | Ty::Late | Ty::Two(_) => "…",
    }
}

fn described(list: &[(&'static str, &'static str)], kind: Kind) -> Vec<Choice> {
    list.iter().map(|(text, detail)| Choice { text: (*text).into(), kind, detail }).collect()
}

/// The chains of a table: built-in ones, where wanted, and those that were made.
fn chains(around: Around<'_>, family: Family, kind: TableKind, all: bool) -> Vec<Choice> {
    let mut names: Vec<String> = Vec::new();
    if all {
        names.extend(kind.hooks().iter().map(|h| h.chain_name().to_string()));
    }
    if let Some(table) = around.host.rules.table(family, kind) {
        let own = table.chains.iter().flatten().filter(|c| exec::builtin(kind, &c.name).is_none());
        names.extend(own.map(|c| c.name.to_string()));
    }
    of(Kind::Chain, names)
}
