//! Elements of sets: `10.0.0.1,tcp:80`, with ranges, and with what they carry: `timeout 5 comment "x"`.

use super::header::{MAX_TIMEOUT, number};
use super::{Run, error, usage};
use crate::iptables::names;
use crate::names::{icmp_names, mac, parse_addr, parse_mac, parse_number};
use crate::shell::Word;
use hookwalk_engine::addr::{Addr, AddrMask, Family};
use hookwalk_engine::packet::proto;
use hookwalk_engine::set::{Dim, Elem, Ext, ListPlace, Set, SetType};
use std::fmt::Write as _;

/// More elements than this at once are refused.
const MOST: usize = 1 << 20;

/// What `add`, `del` and `test` are about.
pub(super) struct Operands {
    /// The elements; more than one where a range was written.
    pub elems: Vec<Elem>,
    /// What they carry, without the time when they expire.
    pub ext: Ext,
    /// `timeout`.
    pub timeout: Option<u32>,
    /// `before`, `after`.
    pub place: ListPlace,
    /// Were `packets` and `bytes` written?
    pub counts: (bool, bool),
}

impl Operands {
    /// Reads an element and its options, of which only `add` has all.
    pub(super) fn parse(set: &Set, command: &str, text: &Word, words: &[&Word]) -> Run<Operands> {
        let mut operands = Operands {
            elems: parse(set, &text.text)?,
            ext: Ext::default(),
            timeout: None,
            place: ListPlace::End,
            counts: (false, false),
        };
        let header = &set.header;
        let mut words = words.iter();
        let mut wildcard = false;
        let mut seen: Vec<&str> = Vec::new();
        while let Some(word) = words.next() {
            let name = word.text.as_str();
            let known = match name {
                "timeout" | "packets" | "bytes" | "comment" | "skbmark" | "skbprio" | "skbqueue" => {
                    command == "add"
                }
                "nomatch" => header.kind.has_nomatch() && command != "del",
                "wildcard" => header.kind == SetType::HashNetIface && command == "add",
                "before" | "after" => header.kind == SetType::ListSet,
                _ => false,
            };
            if !known {
                return Err(usage(format!("Unknown argument: `{name}'")));
            }
            if seen.contains(&name) {
                return Err(error(format!("Syntax error: {name} already specified")));
            }
            seen.push(name);
            if name == "nomatch" {
                operands.ext.nomatch = true;
                continue;
            }
            if name == "wildcard" {
                wildcard = true;
                continue;
            }
            let value = words
                .next()
                .map(|w| w.text.as_str())
                .ok_or_else(|| usage(format!("Missing mandatory argument of option `{name}'")))?;
            operands.option(name, value)?;
        }
        for name in seen {
            let without = match name {
                "timeout" if header.timeout.is_none() => {
                    "Timeout cannot be used: set was created without timeout support"
                }
                "packets" | "bytes" if !header.counters => {
                    "Packet/byte counters cannot be used: set was created without counter support"
                }
                "comment" if !header.comment => {
                    "Comment cannot be used: set was created without comment support"
                }
                "skbmark" | "skbprio" | "skbqueue" if !header.skbinfo => {
                    "Skbinfo mapping cannot be used: set was created without skbinfo support"
                }
                _ => continue,
            };
            return Err(error(without));
        }
        for elem in &mut operands.elems {
            elem.wildcard = wildcard;
        }
        Ok(operands)
    }

    fn option(&mut self, name: &str, value: &str) -> Run<()> {
        let pair = |separator: char| value.split_once(separator);
        let hex = |text: &str| u16::from_str_radix(text, 16).ok();
        match name {
            "timeout" => self.timeout = Some(number(value, 0, MAX_TIMEOUT)? as u32),
            "packets" => (self.ext.packets, self.counts.0) = (number(value, 0, u64::MAX)?, true),
            "bytes" => (self.ext.bytes, self.counts.1) = (number(value, 0, u64::MAX)?, true),
            "comment" => {
                if value.len() > 255 {
                    return Err(error(
                        "Syntax error: Comment is longer than the maximum allowed 255 characters",
                    ));
                }
                self.ext.comment = Some(value.into());
            }
            "skbmark" => {
                let (mark, mask) = pair('/').unwrap_or((value, "0xffffffff"));
                let word = u64::from(u32::MAX);
                self.ext.skbmark = Some((number(mark, 0, word)? as u32, number(mask, 0, word)? as u32));
            }
            "skbprio" => {
                let (major, minor) = pair(':').unwrap_or((value, "0"));
                let (Some(major), Some(minor)) = (hex(major), hex(minor)) else {
                    return Err(error(format!("Syntax error: Invalid skbprio: {value}")));
                };
                self.ext.skbprio = Some(u32::from(major) << 16 | u32::from(minor));
            }
            "skbqueue" => self.ext.skbqueue = Some(number(value, 0, 65535)? as u16),
            "before" => self.place = ListPlace::Before(value.into()),
            // What is left is `after`.
            _ => self.place = ListPlace::After(value.into()),
        }
        Ok(())
    }
}

/// Why a text that stands for many elements cannot be tested.
pub(super) fn range(set: &Set, text: &str) -> Option<String> {
    let kind = set.header.kind;
    let what = kind.dims().iter().zip(text.split(',')).find_map(|(dim, part)| match dim {
        Dim::Ip | Dim::Net if kind != SetType::BitmapIpMac && part.contains('-') => Some("FROM-TO IP"),
        // Where the set stores networks of one length, a network may be asked for.
        Dim::Ip if part.contains('/') && !part.ends_with("/32") && set.header.netmask.is_none() => {
            Some("IP/CIDR")
        }
        Dim::Port if part.contains('-') && !part.contains("icmp") => Some("FROM-TO port"),
        _ => None,
    })?;
    let family = match (kind, set.header.family) {
        (SetType::BitmapPort, _) => "unspec",
        (_, Family::V4) => "inet",
        (_, Family::V6) => "inet6",
    };
    let name = kind.name();
    Some(format!("{what} range is not allowed in command test with set type {name} and family {family}"))
}

/// The elements that a text stands for.
fn parse(set: &Set, text: &str) -> Run<Vec<Elem>> {
    let header = &set.header;
    let dims = header.kind.dims();
    let mut elems = vec![Elem { cidr: header.family.bits(), ..Elem::default() }];
    let parts = split(text, dims.len());
    for (at, dim) in dims.iter().enumerate() {
        let Some(part) = parts.get(at) else {
            // The hardware address of bitmap:ip,mac may be learnt later.
            if header.kind == SetType::BitmapIpMac && at == 1 {
                break;
            }
            let which = ["First", "Second", "Third"][at.min(2)];
            return Err(error(format!("Syntax error: {which} element is missing from {text}.")));
        };
        let second = dims[..at].iter().any(|d| matches!(d, Dim::Ip | Dim::Net));
        let choices = choices(set, *dim, part)?;
        if elems.len().saturating_mul(choices.len()) > MOST {
            return Err(error(format!("Syntax error: {text} are too many elements at once")));
        }
        elems = elems
            .iter()
            .flat_map(|elem| choices.iter().map(move |choice| choice.put(elem.clone(), second)))
            .collect();
    }
    if parts.len() > dims.len() {
        return Err(error(format!(
            "Syntax error: Elem separator in {text}, but settype {} supports none.",
            header.kind.name()
        )));
    }
    Ok(elems)
}

/// Splits at commas; IPv6 addresses may stand in brackets.
fn split(text: &str, dims: usize) -> Vec<&str> {
    match dims {
        1 => vec![text],
        _ => text.split(',').collect(),
    }
}

/// One part of an element.
enum Part {
    Net(Addr, u8),
    Port(u8, u16),
    Mac([u8; 6]),
    Mark(u32),
    Iface(String, bool),
    Set(String),
}

impl Part {
    fn put(&self, mut elem: Elem, second: bool) -> Elem {
        match self {
            Part::Net(addr, len) if second => (elem.ip2, elem.cidr2) = (*addr, *len),
            Part::Net(addr, len) => (elem.ip, elem.cidr) = (*addr, *len),
            Part::Port(proto, port) => (elem.proto, elem.port) = (*proto, *port),
            Part::Mac(mac) => elem.mac = Some(*mac),
            Part::Mark(mark) => elem.mark = *mark,
            Part::Iface(name, physdev) => {
                elem.name = Some(name.as_str().into());
                elem.physdev = *physdev;
            }
            Part::Set(name) => elem.name = Some(name.as_str().into()),
        }
        elem
    }
}

fn choices(set: &Set, dim: Dim, text: &str) -> Run<Vec<Part>> {
    let header = &set.header;
    Ok(match dim {
        Dim::Ip => addresses(header.family, text)?,
        Dim::Net => networks(header.family, text)?,
        Dim::Port if header.kind == SetType::BitmapPort => {
            let (_, ports) = text.split_once(':').unwrap_or(("", text));
            let (first, last) = port_range(ports, proto::TCP)?;
            (first..=last).map(|port| Part::Port(0, port)).collect()
        }
        Dim::Port => ports(header.family, text)?,
        Dim::Mac => match parse_mac(text) {
            Some(mac) => vec![Part::Mac(mac)],
            None => return Err(error(format!("Syntax error: cannot parse '{text}' as ethernet address"))),
        },
        Dim::Mark => vec![Part::Mark(number(text, 0, u64::from(u32::MAX))? as u32)],
        Dim::Iface => {
            let (name, physdev) = match text.strip_prefix("physdev:") {
                Some(name) => (name, true),
                None => (text, false),
            };
            if name.len() > 15 {
                return Err(error(format!(
                    "Syntax error: interface name '{name}' is longer than 15 characters"
                )));
            }
            vec![Part::Iface(name.to_string(), physdev)]
        }
        Dim::Set => vec![Part::Set(text.to_string())],
    })
}

fn address(family: Family, text: &str) -> Run<Addr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    match parse_addr(bare) {
        Some((found, addr)) if found == family => Ok(addr),
        _ => {
            let name = if family == Family::V4 { "IPv4" } else { "IPv6" };
            Err(error(format!("Syntax error: cannot parse {text}: resolving to {name} address failed")))
        }
    }
}

fn length(family: Family, text: &str) -> Run<u8> {
    Ok(number(text, 0, u64::from(family.bits()))? as u8)
}

/// First and last address of `A-B` or `A/LEN`; IPv4 only.
pub(super) fn ipv4_range(text: &str) -> Run<(u32, u32)> {
    if let Some((first, last)) = text.split_once('-') {
        return Ok((address(Family::V4, first)?.as_v4(), address(Family::V4, last)?.as_v4()));
    }
    if let Some((addr, len)) = text.split_once('/') {
        let len = length(Family::V4, len)?;
        let mask = Addr::prefix_mask(Family::V4, len).as_v4();
        let first = address(Family::V4, addr)?.as_v4() & mask;
        return Ok((first, first | !mask));
    }
    let one = address(Family::V4, text)?.as_v4();
    Ok((one, one))
}

/// An address, or every address of a range.
fn addresses(family: Family, text: &str) -> Run<Vec<Part>> {
    if family == Family::V4 && text.contains(['-', '/']) {
        let (a, b) = ipv4_range(text)?;
        let (first, last) = (a.min(b), a.max(b));
        if (last - first) as usize >= MOST {
            return Err(error(format!("Syntax error: {text} are too many elements at once")));
        }
        return Ok((first..=last).map(|ip| Part::Net(Addr::v4(ip), 32)).collect());
    }
    let (addr, len) = text.split_once('/').unwrap_or((text, ""));
    if !len.is_empty() && length(family, len)? != family.bits() {
        return Err(error(format!("Syntax error: {text}: IPv6 networks are no elements of this type")));
    }
    Ok(vec![Part::Net(address(family, addr)?, family.bits())])
}

/// A network, or the networks that make up a range.
fn networks(family: Family, text: &str) -> Run<Vec<Part>> {
    if let (Family::V4, Some((first, last))) = (family, text.split_once('-')) {
        let (a, b) = (address(family, first)?.as_v4(), address(family, last)?.as_v4());
        return Ok(cover(a.min(b), a.max(b)));
    }
    let (addr, len) = match text.split_once('/') {
        Some((addr, len)) => (addr, length(family, len)?),
        None => (text, family.bits()),
    };
    let network = AddrMask::prefix(family, address(family, addr)?, len);
    Ok(vec![Part::Net(network.addr, len)])
}

/// The fewest networks that hold exactly these addresses.
fn cover(first: u32, last: u32) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = u64::from(first);
    let end = u64::from(last) + 1;
    while at < end {
        let mut size = if at == 0 { 1 << 32 } else { 1u64 << at.trailing_zeros().min(32) };
        while at + size > end {
            size /= 2;
        }
        parts.push(Part::Net(Addr::v4(at as u32), 32 - size.trailing_zeros() as u8));
        at += size;
    }
    parts
}

/// `[PROTO:]PORT[-PORT]`, `icmp:TYPE/CODE`, `PROTO:0`.
fn ports(family: Family, text: &str) -> Run<Vec<Part>> {
    let (name, rest) = match text.split_once(':') {
        Some((name, rest)) => (name, rest),
        None => ("tcp", text),
    };
    let number = names::protocol(&name.to_ascii_lowercase())
        .or_else(|| crate::names::protocol_number(name))
        .ok_or_else(|| error(format!("Syntax error: cannot parse '{name}' as a protocol")))?;
    match number {
        0 => Err(error("Invalid protocol specified")),
        proto::TCP | proto::UDP | proto::SCTP | proto::UDPLITE => {
            let (first, last) = port_range(rest, number)?;
            Ok((first..=last).map(|port| Part::Port(number, port)).collect())
        }
        proto::ICMP | proto::ICMPV6 => {
            let own = if number == proto::ICMP { Family::V4 } else { Family::V6 };
            let label = if own == Family::V4 { "ICMP" } else { "ICMPv6" };
            if own != family {
                let inet = if own == Family::V4 { "inet" } else { "inet6" };
                return Err(error(format!(
                    "Syntax error: Protocol {label} can be used with family {inet} only\n\
                     Invalid add command: missing setname"
                )));
            }
            let message = icmp(own, rest)
                .ok_or_else(|| error(format!("Cannot parse {rest} as an {label} type/code.")))?;
            Ok(vec![Part::Port(number, message)])
        }
        _ if rest == "0" => Ok(vec![Part::Port(number, 0)]),
        _ => Err(error(format!("Syntax error: Protocol {name} can be used with pseudo port value 0 only."))),
    }
}

/// An ICMP message by name or as `TYPE/CODE`.
fn icmp(family: Family, text: &str) -> Option<u16> {
    if let Some((_, kind, code)) = icmp_names(family).iter().find(|(n, ..)| n.eq_ignore_ascii_case(text)) {
        return Some(u16::from(*kind) << 8 | u16::from(*code));
    }
    let (kind, code) = text.split_once('/')?;
    let byte = |t: &str| parse_number(t).and_then(|n| u8::try_from(n).ok());
    Some(u16::from(byte(kind)?) << 8 | u16::from(byte(code)?))
}

fn port_range(text: &str, proto: u8) -> Run<(u16, u16)> {
    let port = |text: &str| {
        names::port(text, Some(proto)).ok_or_else(|| {
            let name = names::protocol_name(proto).unwrap_or("tcp");
            let first = match parse_number(text) {
                Some(_) => format!("'{text}' is out of range 0-65535"),
                None => format!("'{text}' is invalid as number"),
            };
            error(format!(
                "Syntax error: {first}\nSyntax error: '{name}' is invalid as number\ncannot parse '{text}' as a {name} port"
            ))
        })
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (port(first)?, port(last)?),
        None => (port(text)?, port(text)?),
    };
    Ok((first.min(last), first.max(last)))
}

/// An element as it is written.
pub(super) fn text(set: &Set, elem: &Elem, ext: &Ext) -> String {
    let header = &set.header;
    let family = header.family;
    let mut out = String::new();
    let mut second = false;
    for (at, dim) in header.kind.dims().iter().enumerate() {
        let hardware = elem.mac.or(ext.mac);
        if *dim == Dim::Mac && hardware.is_none() {
            continue;
        }
        if at > 0 {
            out.push(',');
        }
        match dim {
            Dim::Ip | Dim::Net => {
                let (addr, len) = if second { (elem.ip2, elem.cidr2) } else { (elem.ip, elem.cidr) };
                let _ = write!(out, "{}", addr.ip(family));
                if *dim == Dim::Net && len != family.bits() {
                    let _ = write!(out, "/{len}");
                }
                second = true;
            }
            Dim::Port if header.kind == SetType::BitmapPort => {
                let _ = write!(out, "{}", elem.port);
            }
            Dim::Port => out.push_str(&port_text(family, elem.proto, elem.port)),
            Dim::Mac => out.push_str(&mac(hardware.unwrap_or_default()).to_ascii_uppercase()),
            Dim::Mark => {
                let _ = write!(out, "{:#010x}", elem.mark);
            }
            Dim::Iface => {
                let name = elem.name.as_deref().unwrap_or_default();
                let _ = write!(out, "{}{name}", if elem.physdev { "physdev:" } else { "" });
            }
            Dim::Set => out.push_str(elem.name.as_deref().unwrap_or_default()),
        }
    }
    out
}

fn port_text(family: Family, proto_number: u8, port: u16) -> String {
    let name = names::protocol_name(proto_number).map_or_else(|| proto_number.to_string(), str::to_string);
    if !matches!(proto_number, proto::ICMP | proto::ICMPV6) {
        return format!("{name}:{port}");
    }
    let (kind, code) = ((port >> 8) as u8, port as u8);
    // Names that stand for a whole type, and those that only labs use, are not printed.
    const OTHERS: [&str; 16] = [
        "destination-unreachable",
        "net-unreachable",
        "proto-unreachable",
        "frag-needed",
        "net-prohibited",
        "admin-prohibited",
        "redirect",
        "time-exceeded",
        "ttl-exceeded",
        "parameter-problem",
        "ping",
        "pong",
        "addr-unreachable",
        "policy-fail",
        "neighbor-solicitation",
        "neighbor-advertisement",
    ];
    let message = icmp_names(family)
        .iter()
        .find(|(n, k, c)| *k == kind && *c == code && !OTHERS.contains(n))
        .map(|(n, ..)| *n);
    match message {
        Some(message) => format!("{name}:{message}"),
        None => format!("{name}:{kind}/{code}"),
    }
}
