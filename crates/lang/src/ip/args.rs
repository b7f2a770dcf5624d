//! Words of an `ip` command line, and the tool's ways to say that they are wrong.

use crate::names::parse_number;
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::Host;
use hookwalk_engine::addr::{Addr, AddrMask, Family};
use hookwalk_engine::device::DevId;
use std::net::Ipv6Addr;

/// The result of a step; an error is what the tool prints.
pub(super) type Run<T> = Result<T, Box<Output>>;

/// The words that are left.
pub(super) struct Args<'a> {
    words: &'a [Word],
    at: usize,
}

impl<'a> Args<'a> {
    /// All but the command's name.
    pub(super) fn new(argv: &'a [Word]) -> Args<'a> {
        Args { words: argv, at: 1 }
    }
    pub(super) fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.at)
    }
    pub(super) fn is_empty(&self) -> bool {
        self.peek().is_none()
    }
    /// The next word, which must be there.
    pub(super) fn next(&mut self, _what: &str) -> Run<&'a Word> {
        match self.words.get(self.at) {
            Some(word) => {
                self.at += 1;
                Ok(word)
            }
            None => Err(fail(255, "Command line is not complete. Try option \"help\"")),
        }
    }
    /// The last word, for a refusal.
    pub(super) fn last(&self) -> Word {
        self.words.last().cloned().unwrap_or_else(|| Word::new(""))
    }
}

/// Is the word an abbreviation (`matches()` of iproute2)?
pub(super) fn is_prefix(word: &str, full: &str) -> bool {
    !word.is_empty() && full.starts_with(word)
}

pub(super) fn fail(exit: i32, message: impl Into<String>) -> Box<Output> {
    Box::new(Output::fail(exit, message))
}

/// What the kernel answers.
pub(super) fn answers(error: &str) -> Box<Output> {
    fail(2, format!("RTNETLINK answers: {error}"))
}

/// What the kernel answers with words of its own.
pub(super) fn kernel(error: &str) -> Box<Output> {
    fail(2, format!("Error: {error}"))
}

/// `invarg()`: the value of an argument is wrong.
pub(super) fn wrong(word: &Word, why: &str) -> Box<Output> {
    fail(255, format!("Error: argument \"{}\" is wrong: {why}\n\n", word.text))
}

/// We do not simulate it.
pub(super) fn refuse(word: &Word, what: &str) -> Box<Output> {
    Box::new(Output::refuse(format!("{what} is not simulated"), word.span.clone()))
}

/// The device of this name, which must be there.
pub(super) fn device(host: &Host, word: &Word) -> Run<DevId> {
    find_device(host, word).ok_or_else(|| fail(1, format!("Cannot find device \"{}\"", word.text)))
}

pub(super) fn find_device(host: &Host, word: &Word) -> Option<DevId> {
    host.net.device_by_name(&word.text).map(|d| d.id)
}

/// `get_addr`: an address of the family that is asked for, IPv4 with fewer parts too.
pub(super) fn address(word: &Word, family: Option<Family>) -> Run<(Family, Addr)> {
    let name = match family {
        Some(Family::V6) => "inet6",
        _ => "inet",
    };
    match parse_address(&word.text, family) {
        Some(found) => Ok(found),
        None => Err(fail(1, format!("Error: {name} address is expected rather than \"{}\".", word.text))),
    }
}

fn parse_address(text: &str, family: Option<Family>) -> Option<(Family, Addr)> {
    if matches!(text, "default" | "any" | "all") {
        return Some((family.unwrap_or(Family::V4), Addr::UNSPECIFIED));
    }
    if text.contains(':') {
        let addr: Ipv6Addr = text.parse().ok()?;
        return (family != Some(Family::V4)).then(|| (Family::V6, addr.into()));
    }
    if family == Some(Family::V6) {
        return None;
    }
    let mut word = 0u32;
    let mut parts = 0;
    for part in text.split('.') {
        let value = parse_number(part).filter(|n| *n <= 255)?;
        word = word << 8 | value as u32;
        parts += 1;
        if parts > 4 {
            return None;
        }
    }
    Some((Family::V4, Addr::v4(word << (8 * (4 - parts)))))
}

/// An address and a prefix length, if one was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefix {
    pub family: Family,
    pub addr: Addr,
    pub len: u8,
    /// Was the length written?
    pub explicit: bool,
}

impl Prefix {
    /// As a network; bits beyond the length are cleared.
    pub(super) fn network(&self) -> AddrMask {
        AddrMask::prefix(self.family, self.addr, self.len)
    }
    /// Are there bits beyond the length?
    pub(super) fn has_host_bits(&self) -> bool {
        self.network().addr != self.addr
    }
}

/// `get_prefix`: `ADDR[/LEN]`, or `default`, `any`, `all`.
pub(super) fn prefix(word: &Word, family: Option<Family>) -> Run<Prefix> {
    let name = match family {
        Some(Family::V6) => "inet6",
        Some(Family::V4) => "inet",
        None => "any valid",
    };
    let bad = || fail(1, format!("Error: {name} prefix is expected rather than \"{}\".", word.text));
    let text = word.text.as_str();
    let (addr, len) = match text.split_once('/') {
        Some((addr, len)) => (addr, Some(len)),
        None => (text, None),
    };
    let everything = matches!(text, "default" | "any" | "all");
    let (family, addr) = parse_address(addr, family).ok_or_else(bad)?;
    let explicit = len.is_some() || everything;
    let len = match len {
        None if everything => 0,
        None => family.bits(),
        Some(len) => prefix_len(len, family).ok_or_else(bad)?,
    };
    Ok(Prefix { family, addr, len, explicit })
}

/// A prefix length as a number, or IPv4's as a mask.
fn prefix_len(text: &str, family: Family) -> Option<u8> {
    if text.contains('.') {
        let (_, mask) = parse_address(text, Some(Family::V4))?;
        return AddrMask { addr: mask, mask }.prefix_len(Family::V4).filter(|_| family == Family::V4);
    }
    parse_number(text).and_then(|n| u8::try_from(n).ok()).filter(|n| *n <= family.bits())
}

/// `default`, an address alone where the prefix is a host's, or with its length.
pub(super) fn network_text(family: Family, network: AddrMask) -> String {
    let len = network.prefix_len(family).unwrap_or(family.bits());
    match len {
        0 if network.addr.is_unspecified() => "default".to_string(),
        _ if len == family.bits() => network.addr.ip(family).to_string(),
        _ => format!("{}/{len}", network.addr.ip(family)),
    }
}

/// Routing tables that have names.
pub(super) fn table_name(table: u32) -> String {
    match table {
        0 => "unspec".to_string(),
        253 => "default".to_string(),
        254 => "main".to_string(),
        255 => "local".to_string(),
        other => other.to_string(),
    }
}

/// A routing table by its name or its number.
pub(super) fn table_number(text: &str) -> Option<u32> {
    match text {
        "unspec" => Some(0),
        "default" => Some(253),
        "main" => Some(254),
        "local" => Some(255),
        other => parse_number(other).and_then(|n| u32::try_from(n).ok()),
    }
}

/// Scopes of addresses and routes.
pub(super) fn scope_name(scope: u8) -> String {
    match scope {
        0 => "global".to_string(),
        200 => "site".to_string(),
        253 => "link".to_string(),
        254 => "host".to_string(),
        255 => "nowhere".to_string(),
        other => other.to_string(),
    }
}

/// A scope by its name or its number.
pub(super) fn scope_number(text: &str) -> Option<u8> {
    match text {
        "global" => Some(0),
        "site" => Some(200),
        "link" => Some(253),
        "host" => Some(254),
        "nowhere" => Some(255),
        other => parse_number(other).and_then(|n| u8::try_from(n).ok()),
    }
}

/// Who made a route (/etc/iproute2/rt_protos).
const PROTOCOLS: [(&str, u8); 20] = [
    ("unspec", 0),
    ("redirect", 1),
    ("kernel", 2),
    ("boot", 3),
    ("static", 4),
    ("gated", 8),
    ("ra", 9),
    ("mrt", 10),
    ("zebra", 11),
    ("bird", 12),
    ("dnrouted", 13),
    ("xorp", 14),
    ("ntk", 15),
    ("dhcp", 16),
    ("keepalived", 18),
    ("babel", 42),
    ("openr", 99),
    ("bgp", 186),
    ("isis", 187),
    ("ospf", 188),
];

/// The name of who made a route.
pub(super) fn protocol_name(number: u8) -> String {
    match PROTOCOLS.iter().find(|(_, n)| *n == number) {
        Some((name, _)) => (*name).to_string(),
        None => number.to_string(),
    }
}

/// Who made a route, by name or number.
pub(super) fn protocol_number(text: &str) -> Option<u8> {
    match PROTOCOLS.iter().find(|(name, _)| *name == text) {
        Some((_, number)) => Some(*number),
        None => parse_number(text).and_then(|n| u8::try_from(n).ok()),
    }
}
