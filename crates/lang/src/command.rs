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
use hookwalk_engine::Host;

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
    "cat",
];

/// Runs a root command on a host. What the tool would print comes back; the host changes as the tool would change it.
pub fn run(host: &mut Host, argv: &[Word], stdin: Option<&str>) -> Output {
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
        "cat" => files::cat(host, argv),
        "conntrack" => conntrack::run(host, argv),
        "dmesg" => klog::dmesg(host, argv),
        "nft" => nft::run(host, argv),
        "xtables-monitor" => trace::run(host, argv),
        "ss" => ss::run(host, argv),
        "ipset" => ipset::run(host, argv, stdin),
        "ip" => ip::run(host, argv),
        "sysctl" => sysctl::run(host, argv, stdin),
        _ => Output::refuse(format!("the command {} is not simulated", name.text), name.span.clone()),
    }
}
