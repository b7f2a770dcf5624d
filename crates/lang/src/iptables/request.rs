//! What a command line asks for, as values: the command, the rules that it names, and what names may be.

use super::fault::Fault;
use super::{address, targets};
use crate::output::Output;
use hookwalk_engine::matches::tcp::PortRange;
use hookwalk_engine::matches::{Match, TcpMatch, UdpMatch};
use hookwalk_engine::ruleset::{Counters, HeaderMatch, Inv, TableKind};
use hookwalk_engine::targets::Target;
use hookwalk_engine::{AddrMask, Family};

/// Targets of the real tool that are not simulated.
pub(crate) const KNOWN_TARGETS: &[&str] = &["CLUSTERIP", "ULOG"];

/// What is asked for.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Request {
    /// The table.
    pub(crate) table: TableKind,
    /// The command.
    pub(crate) command: Command,
    /// The chain; only commands for all chains have none.
    pub(crate) chain: Option<String>,
    /// Rules to add or look for, one for each pair of addresses.
    pub(crate) rules: Vec<RuleSpec>,
    /// `-v`, how often.
    pub(crate) verbose: u32,
    /// `-n`.
    pub(crate) numeric: bool,
    /// `-x`.
    pub(crate) exact: bool,
    /// `--line-numbers`.
    pub(crate) line_numbers: bool,
    /// `-Z` together with `-L` or `-S`.
    pub(crate) zero: bool,
}

/// The commands. Numbers of rules count from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Command {
    /// `-A`.
    Append,
    /// `-I`.
    Insert(usize),
    /// `-R`.
    Replace(usize),
    /// `-D` with a rule.
    Delete,
    /// `-D` with a number.
    DeleteNumber(usize),
    /// `-C`.
    Check,
    /// `-L`, all rules or one.
    List(Option<usize>),
    /// `-S`, all rules or one.
    ListRules(Option<usize>),
    /// `-F`.
    Flush,
    /// `-Z`, all rules or one.
    Zero(Option<usize>),
    /// `-N`.
    NewChain,
    /// `-X`.
    DeleteChain,
    /// `-E`.
    Rename(String),
    /// `-P`.
    Policy(String),
    /// `-V`, `-h`: the text is printed already.
    Nothing,
}

/// A rule that is written but not in a chain yet.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct RuleSpec {
    /// Conditions without `-m`.
    pub(crate) header: HeaderMatch,
    /// `-m` conditions.
    pub(crate) matches: Vec<Match>,
    /// What happens.
    pub(crate) target: TargetSpec,
    /// `-c`, or what stood before the rule in a restore.
    pub(crate) counters: Counters,
}

/// `-j` and `-g` before chains are looked up.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum TargetSpec {
    /// A verdict or an extension, or none.
    Target(Target),
    /// `-j CHAIN`.
    Jump(String),
    /// `-g CHAIN`.
    Goto(String),
}

/// Ports without the protocol that has them.
pub(crate) fn ports_need(matched: &[Match], proto: Option<Inv<u8>>) -> Result<(), Fault> {
    for m in matched {
        let (wanted, name) = match m {
            Match::Tcp(m) if m.option.is_none() && *m != TcpMatch::default() => (6, "TCP"),
            Match::Udp(m) if *m != UdpMatch::default() => (17, "UDP"),
            _ => continue,
        };
        if proto.is_none_or(|p| p.value != wanted) {
            let lower = name.to_ascii_lowercase();
            return Err(Fault::param(words!("{name} match requires '-p {lower}'")));
        }
    }
    Ok(())
}

/// Several tcp matches (or udp) in one rule become one, at the place of the first, when the rule comes back from
/// nf_tables, which keeps ports and flags as loads and comparisons.
pub(crate) fn normalize(matched: &mut Vec<Match>) {
    let mut i = 0;
    while i < matched.len() {
        let mut j = i + 1;
        while j < matched.len() {
            let (head, tail) = matched.split_at_mut(j);
            let merged = match (&mut head[i], &tail[0]) {
                (Match::Tcp(a), Match::Tcp(b)) if a.option.is_none() && b.option.is_none() => {
                    a.sport = b.sport.or(a.sport);
                    a.dport = b.dport.or(a.dport);
                    a.flags = b.flags.or(a.flags);
                    true
                }
                (Match::Udp(a), Match::Udp(b)) => {
                    a.sport = b.sport.or(a.sport);
                    a.dport = b.dport.or(a.dport);
                    true
                }
                _ => false,
            };
            if merged {
                matched.remove(j);
            } else {
                j += 1;
            }
        }
        i += 1;
    }
    // "Not any port" is no condition to this release, and where nothing else is left the match goes with it.
    let never = |range: &mut Option<Inv<PortRange>>| {
        let found = range.is_some_and(|r| r.not && r.value == (0, 65535));
        if found {
            *range = None;
        }
        found
    };
    matched.retain_mut(|m| match m {
        Match::Tcp(m) => !(never(&mut m.sport) | never(&mut m.dport)) || *m != TcpMatch::default(),
        Match::Udp(m) => !(never(&mut m.sport) | never(&mut m.dport)) || *m != UdpMatch::default(),
        _ => true,
    });
}

/// A decimal number.
pub(crate) fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// The table of this name.
pub(crate) fn table_kind(name: &str) -> Option<TableKind> {
    TableKind::ALL.into_iter().find(|t| t.name() == name)
}

/// `-s` and `-d`: a list with commas, each with its inversion; one without condition where nothing was given.
pub(crate) fn addresses(
    list: &Option<(String, bool)>,
    family: Family,
) -> Result<Vec<Option<Inv<AddrMask>>>, Fault> {
    let Some((list, not)) = list else { return Ok(vec![None]) };
    let mut all = Vec::new();
    for part in list.split(',') {
        let net = address::one(part.trim_start(), family)?;
        let any = net == AddrMask::ANY && !not;
        all.push((!any).then_some(Inv { value: net, not: *not }));
    }
    Ok(all)
}

/// An interface name, with a warning where it is odd.
pub(crate) fn interface(name: &str, out: &mut Output) -> Result<String, Fault> {
    if name.is_empty() {
        return Err(Fault::param("Empty interface is likely to be undesired"));
    }
    if name.len() > 15 {
        return Err(Fault::param(words!("interface name `{name}' must be shorter than IFNAMSIZ (15)")));
    }
    if name.contains(['/', ' ']) {
        out.error_line(&words!(
            "Warning: weird character in interface `{name}' ('/' and ' ' are not allowed by the kernel)."
        ));
    }
    Ok(name.to_string())
}

/// What a new chain may be called.
pub(crate) fn new_name(name: &str, family: Family) -> Result<(), Fault> {
    if name.starts_with('-') || name.starts_with('!') {
        return Err(Fault::param(words!("chain name not allowed to start with `{}'", &name[..1])));
    }
    if name.len() >= 29 {
        return Err(Fault::param(words!("chain name `{name}' too long (must be under 29 chars)")));
    }
    if name.contains(|c: char| c.is_ascii_whitespace()) || name.is_empty() {
        return Err(Fault::param(words!("Invalid chain name `{name}'")));
    }
    let target = matches!(name, "ACCEPT" | "DROP" | "RETURN" | "QUEUE")
        || targets::find(name, family).is_some()
        || KNOWN_TARGETS.contains(&name);
    if target {
        return Err(Fault::param("chain name may not clash with target name"));
    }
    Ok(())
}

/// What may stand after `-j` and `-g`.
pub(crate) fn target_name(name: &str, _jump: bool) -> Result<(), Fault> {
    if name.is_empty() {
        return Err(Fault::param("Invalid target name (too short)"));
    }
    if name.len() >= 29 {
        return Err(Fault::param(words!("Invalid target name `{name}' (28 chars max)")));
    }
    if name.contains(|c: char| c.is_ascii_whitespace()) {
        return Err(Fault::param(words!("Invalid target name `{name}'")));
    }
    Ok(())
}
