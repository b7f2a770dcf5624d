//! Which tool runs: the root commands of a host, by name.

use crate::conntrack;
use crate::files;
use crate::ip;
use crate::ipset;
use crate::iptables;
use crate::klog;
use crate::nft;
use crate::output::Output;
use crate::shell::Word;
use crate::ss;
use crate::sysctl;
use crate::trace;
use hookwalk_engine::event::{NoObserver, Observer};
use hookwalk_engine::{FULL, Host};

/// The tools by the names under which people call them.
pub const NAMES: &[&str] = &[
    "iptables",
    "iptables-save",
    "iptables-restore",
    "ip6tables",
    "ip6tables-save",
    "ip6tables-restore",
    "conntrack",
    "ip",
    "ipset",
    "sysctl",
    "ss",
    "dmesg",
    "xtables-monitor",
    "nft",
    "cat",
];

/// Runs a root command on a host. What the tool would print comes back; the host changes as the tool would change it.
pub fn run(host: &mut Host, argv: &[Word], stdin: Option<&str>) -> Output {
    run_observed(host, argv, stdin, &mut NoObserver)
}

/// As [`run`]; entries that `conntrack` takes out of the table are told to the observer.
pub fn run_observed<O: Observer>(
    host: &mut Host,
    argv: &[Word],
    stdin: Option<&str>,
    observer: &mut O,
) -> Output {
    let Some(name) = argv.first() else { return Output::default() };
    // A tool may be named with its directory.
    let base = name.text.rsplit('/').next().unwrap_or_default();
    match base {
        "iptables"
        | "iptables-save"
        | "iptables-restore"
        | "ip6tables"
        | "ip6tables-save"
        | "ip6tables-restore"
        | "iptables-nft"
        | "iptables-nft-save"
        | "iptables-nft-restore"
        | "ip6tables-nft"
        | "ip6tables-nft-save"
        | "ip6tables-nft-restore" => iptables::run(host, argv, stdin),
        "sysctl" => sysctl::run(host, argv, stdin),
        _ if !FULL => without(base, argv),
        "cat" => files::cat(host, argv),
        "conntrack" => conntrack::run_observed(host, argv, observer),
        "dmesg" => klog::dmesg(host, argv),
        "nft" => nft::run(host, argv),
        "xtables-monitor" => trace::run(host, argv),
        "ss" => ss::run(host, argv),
        "ipset" => ipset::run(host, argv, stdin),
        "ip" => ip::run(host, argv),
        _ => Output::refuse(format!("the command {} is not simulated", name.text), name.span.clone()),
    }
}

/// The player's answer for a tool that it has not got. What only prints changes nothing, so that a lab goes on without it.
fn without(tool: &str, argv: &[Word]) -> Output {
    let word = |n: usize| argv.get(n).map(|w| w.text.as_str());
    let only_prints = match tool {
        "cat" | "ss" | "dmesg" => true,
        // `-E` listens, `-z` resets counters; short options may be written together.
        "conntrack" => {
            matches!(word(1), Some("-L" | "--dump" | "-G" | "--get" | "-C" | "--count" | "-S" | "--stats"))
                && argv[2..].iter().all(|w| !w.text.starts_with('-') || w.text.len() == 2 && w.text != "-z")
        }
        "ip" => {
            let at = 1 + argv[1..].iter().take_while(|w| w.text.starts_with('-')).count();
            matches!(word(at + 1), None | Some("show" | "list" | "ls" | "lst" | "get"))
        }
        _ => false,
    };
    if only_prints { Output::unprinted() } else { Output::refuse("", 0..0) }
}
