//! `-j` in nft's words.

use super::rule::{Kind, Statements, ip};
use crate::iptables::{address, put};
use crate::output::Output;
use hookwalk_engine::Family;
use hookwalk_engine::nat::Range;
use hookwalk_engine::ruleset::{Rule, Table};
use hookwalk_engine::targets::*;

/// Which of the targets that libxtables has once a family this nft has loaded: the family that came first keeps the name,
/// and with the first rule of the other family nobody finds it any more. (A flaw of the tool, in every listing of both.)
#[derive(Default, Debug)]
pub(super) struct Loaded {
    found: Vec<(String, Option<Family>)>,
    missed: Vec<String>,
}

impl Loaded {
    /// Says what was not found since the last time.
    pub(super) fn complain(&mut self, out: &mut Output) {
        for name in self.missed.drain(..) {
            out.error_line(&format!("XT target {name} not found"));
        }
    }
    fn find(&mut self, target: &Target, family: Family) -> bool {
        let by_family = matches!(
            target,
            Target::Masquerade(_)
                | Target::Snat(_)
                | Target::Dnat(_)
                | Target::Redirect(_)
                | Target::Dscp(_)
                | Target::Tee(_)
                | Target::Tcpmss(_)
                | Target::Tproxy(_)
                | Target::Tcpoptstrip(_)
        );
        if !by_family {
            return true;
        }
        match self.found.iter_mut().find(|(name, _)| *name == target.name()) {
            None => {
                self.found.push((target.name().to_string(), Some(family)));
                true
            }
            Some((_, owner)) => {
                if *owner != Some(family) {
                    *owner = None;
                    self.missed.push(target.name().to_string());
                }
                owner.is_some()
            }
        }
    }
}

/// Appends what the rule does.
pub(super) fn push(rule: &Rule, table: &Table, loaded: &mut Loaded, all: &mut Statements) {
    let chain = |id| table.chain(id).map_or("", |c| &*c.name);
    let text = match &rule.target {
        Target::None => return,
        Target::Accept => "accept".to_string(),
        Target::Drop => "drop".to_string(),
        Target::Return => "return".to_string(),
        Target::Jump(to) => format!("jump {}", chain(*to)),
        Target::Goto(to) => format!("goto {}", chain(*to)),
        target => {
            let text = match loaded.find(target, table.family) {
                true => translated(target, table.family),
                false => Some(String::new()),
            };
            return all.push_xtables("target", target.name(), text);
        }
    };
    all.push(Kind::Other, text);
}

/// What libxtables says; `None`: it has no words for it.
fn translated(target: &Target, family: Family) -> Option<String> {
    Some(match target {
        Target::Reject(with) => reject(*with),
        Target::Log(t) => log(t),
        Target::Nflog(t) => nflog(t),
        Target::Mark(t) => format!("meta mark set {}", mark("mark", t.value, t.mask)),
        Target::Connmark(t) => return connmark(t),
        Target::Dnat(t) if !t.range.flags.proto_offset => format!("dnat{}", nat(&t.range, family, " to ")),
        Target::Snat(t) => format!("snat{}", nat(&t.range, family, " to ")),
        Target::Masquerade(t) => format!("masquerade{}", nat(&t.range, family, " to ")),
        Target::Redirect(t) => format!("redirect{}", nat(&t.range, family, " to ")),
        Target::Ct(t) if t.notrack => "notrack".into(),
        Target::Notrack => "notrack".into(),
        Target::Tcpmss(TcpmssTarget::Set(mss)) => format!("tcp option maxseg size set {mss}"),
        Target::Tcpmss(TcpmssTarget::ClampToPmtu) => "tcp option maxseg size set rt mtu".into(),
        Target::Tos(t) => tos(t),
        Target::Dscp(value) => format!("{} dscp set {value:#04x}", ip(family)),
        Target::Classify(class) => format!("meta priority set {:x}:{:x}", class >> 16, class & 0xffff),
        Target::Tee(t) => {
            let mut text = String::from("dup to ");
            address::put(&mut text, t.gateway, family);
            if let Some(oif) = &t.oif {
                put!(text, " device {oif}");
            }
            text
        }
        Target::Trace => "meta nftrace set 1".into(),
        Target::Nfqueue(t) => nfqueue(t),
        Target::Audit(_) => "log level audit".into(),
        Target::Opaque(t) if &*t.name == "SYNPROXY" => {
            let words: Vec<&str> =
                t.args.split_whitespace().map(|w| w.strip_prefix("--").unwrap_or(w)).collect();
            let words: Vec<&str> = words.into_iter().filter(|w| *w != "ecn").collect();
            format!("synproxy{}{}", if words.is_empty() { "" } else { " " }, words.join(" "))
        }
        _ => return None,
    })
}

fn reject(with: RejectWith) -> String {
    let name = match with {
        RejectWith::IcmpPortUnreachable | RejectWith::Icmp6PortUnreachable => return "reject".into(),
        RejectWith::TcpReset => return "reject with tcp reset".into(),
        RejectWith::IcmpNetUnreachable => "icmp type net-unreachable",
        RejectWith::IcmpHostUnreachable => "icmp type host-unreachable",
        RejectWith::IcmpProtoUnreachable => "icmp type prot-unreachable",
        RejectWith::IcmpNetProhibited => "icmp type net-prohibited",
        RejectWith::IcmpHostProhibited => "icmp type host-prohibited",
        RejectWith::IcmpAdminProhibited => "icmp type admin-prohibited",
        RejectWith::Icmp6NoRoute => "icmpv6 type no-route",
        RejectWith::Icmp6AdmProhibited => "icmpv6 type admin-prohibited",
        RejectWith::Icmp6AddrUnreachable => "icmpv6 type addr-unreachable",
        RejectWith::Icmp6PolicyFail => "icmpv6 type policy-fail",
        RejectWith::Icmp6RejectRoute => "icmpv6 type reject-route",
    };
    format!("reject with {name}")
}

fn log(t: &LogTarget) -> String {
    let mut text = String::from("log");
    if !t.prefix.is_empty() {
        put!(text, " prefix \"{}\"", t.prefix);
    }
    if t.level != 4 {
        let name = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"];
        put!(text, " level {}", name[usize::from(t.level & 7)]);
    }
    if t.tcp_sequence && t.tcp_options && t.ip_options && t.uid && t.mac_decode {
        text.push_str(" flags all");
        return text;
    }
    match (t.tcp_sequence, t.tcp_options) {
        (true, true) => text.push_str(" flags tcp sequence,options"),
        (true, false) => text.push_str(" flags tcp sequence"),
        (false, true) => text.push_str(" flags tcp options"),
        (false, false) => {}
    }
    for (on, name) in [(t.ip_options, "ip options"), (t.uid, "skuid"), (t.mac_decode, "ether")] {
        if on {
            put!(text, " flags {name}");
        }
    }
    text
}

fn nflog(t: &NflogTarget) -> String {
    let mut text = String::from("log");
    if !t.prefix.is_empty() {
        put!(text, " prefix \"{}\"", t.prefix);
    }
    put!(text, " group {}", t.group);
    if let Some(size) = t.size {
        put!(text, " snaplen {size}");
    }
    if t.threshold > 1 {
        put!(text, " queue-threshold {}", t.threshold);
    }
    text
}

/// What `--set-xmark VALUE/MASK` does to a mark, in the fewest words.
fn mark(name: &str, value: u32, mask: u32) -> String {
    match (value, mask) {
        (value, u32::MAX) => format!("{value:#x}"),
        (0, mask) => format!("{name} and {:#x}", !mask),
        (value, mask) if value == mask => format!("{name} or {value:#x}"),
        (value, 0) => format!("{name} xor {value:#x}"),
        (value, mask) => format!("{name} and {:#x} xor {value:#x}", !mask),
    }
}

fn connmark(t: &ConnmarkTarget) -> Option<String> {
    // Bits are moved to the left by a positive number, to the right by a negative one.
    let shifted = |text: String| match t.shift {
        0 => text,
        n if n > 0 => format!("( {text} ) << {n}"),
        n => format!("( {text} ) >> {}", -n),
    };
    let with_mask = |name: &str| match t.nfmask {
        u32::MAX => name.to_string(),
        mask => format!("{name} and {mask:#x}"),
    };
    Some(match t.mode {
        ConnmarkMode::Set => {
            let text = match (t.ctmark, t.ctmask) {
                // A constant keeps a blank too many before the shift.
                (value, u32::MAX) if t.shift != 0 => format!("{value:#x} "),
                (value, mask) if value != 0 && value != mask && mask != 0 && mask != u32::MAX => {
                    format!("ct mark xor {value:#x} and {:#x}", !mask)
                }
                (value, mask) => mark("ct mark", value, mask),
            };
            format!("ct mark set {}", shifted(text))
        }
        _ if t.nfmask != t.ctmask => return None,
        ConnmarkMode::Save => format!("ct mark set {}", shifted(with_mask("mark"))),
        ConnmarkMode::Restore => format!("meta mark set {}", shifted(with_mask("ct mark"))),
    })
}

fn nat(range: &Range, family: Family, to: &str) -> String {
    let flags = &range.flags;
    let mut text = String::new();
    if flags.map_ips || flags.proto_specified {
        text.push_str(to);
    }
    if flags.map_ips {
        let brackets = family == Family::V6 && flags.proto_specified;
        if brackets {
            text.push('[');
        }
        address::put(&mut text, range.min_addr, family);
        if range.max_addr != range.min_addr {
            text.push('-');
            address::put(&mut text, range.max_addr, family);
        }
        if brackets {
            text.push(']');
        }
    }
    if flags.proto_specified {
        put!(text, ":{}", range.min_port);
        if range.max_port != range.min_port {
            put!(text, "-{}", range.max_port);
        }
    }
    let set: Vec<&str> =
        [(flags.random, "random"), (flags.random_fully, "fully-random"), (flags.persistent, "persistent")]
            .iter()
            .filter(|(on, _)| *on)
            .map(|(_, name)| *name)
            .collect();
    if !set.is_empty() {
        put!(text, " {}", set.join(","));
    }
    text
}

/// The tool speaks of IPv6 in IPv4's rules too, and of the upper six bits.
fn tos(t: &TosTarget) -> String {
    let (value, mask) = (t.value >> 2, t.mask >> 2);
    let text = match (t.value, t.mask) {
        (_, 0xff | 0x3f) => format!("{value:#04x}"),
        (0, _) => format!("ip6 dscp and {:#04x}", !mask & 0x3f),
        (v, m) if v == m => format!("ip6 dscp or {value:#04x}"),
        (_, 0) => format!("ip6 dscp xor {value:#04x}"),
        _ => format!("ip6 dscp and {:#04x} xor {value:#04x}", !mask & 0x3f),
    };
    format!("ip6 dscp set {text}")
}

fn nfqueue(t: &NfqueueTarget) -> String {
    let mut text = format!("queue num {}", t.queue);
    if t.total > 1 {
        put!(text, "-{}", u32::from(t.queue) + u32::from(t.total) - 1);
    }
    match (t.bypass, t.cpu_fanout) {
        (true, true) => text.push_str(" bypass,fanout"),
        (true, false) => text.push_str(" bypass"),
        (false, true) => text.push_str(" fanout"),
        (false, false) => {}
    }
    text
}
