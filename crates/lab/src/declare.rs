//! The declarations of a lab file: `host`, `wire`, `link` and `machine` lines.

use crate::file::{End, Iface, Lab, Link, MachineSettings, Station, StationKind};
use crate::parse::{RawLine, shorten};
use hookwalk_engine::addr::{Addr, AddrMask, Family};
use hookwalk_lang::Diagnostic;
use hookwalk_lang::diagnostic::nearest;
use hookwalk_lang::words;
use std::net::IpAddr;
use std::ops::Range;

/// How many stations a lab may have: the hardware addresses carry 16 bits of their number, and nobody draws more.
const MAX_STATIONS: usize = 1000;
/// How many interfaces a station may have.
const MAX_IFACES: usize = 250;
/// The longest interface name, `IFNAMSIZ` without its final zero.
const MAX_IFNAME: usize = 15;

type Res<T> = Result<T, Box<Diagnostic>>;

/// The words of a line from an offset on, each with its bytes.
fn words(line: &str, from: usize) -> impl Iterator<Item = (Range<usize>, &str)> {
    line[from..].split([' ', '\t']).filter(|w| !w.is_empty()).map(move |w| {
        // Both are slices of the same line, so the difference of their addresses is the offset.
        let at = w.as_ptr() as usize - line.as_ptr() as usize;
        (at..at + w.len(), w)
    })
}

/// Is this a station's name, `[A-Za-z][A-Za-z0-9_]*`?
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Reads `machine KEY=VALUE…`; `rest` is the offset of what follows the keyword.
pub(crate) fn machine(line: &RawLine<'_>, rest: usize, machine: &mut MachineSettings) -> Res<()> {
    let usage = "for example: machine net.netfilter.nf_conntrack_max=100";
    let mut found = false;
    for (span, word) in words(line.text, rest) {
        found = true;
        let error = |message: String| Err(Box::new(line.diagnostic(span.clone(), message).hint(usage)));
        match word.split_once('=') {
            Some(("net.netfilter.nf_conntrack_max", value)) => match value.parse() {
                Ok(max) if max > 0 => machine.conntrack_max = Some(max),
                _ => return error(words!("{} is no number of entries", shorten(value))),
            },
            _ => return error(words!("{} is no setting of the machine", shorten(word))),
        }
    }
    if found {
        Ok(())
    } else {
        Err(Box::new(line.diagnostic(rest..rest, "the setting is missing").hint(usage)))
    }
}

/// Reads `host NAME IF=ADDR/LEN… [gw=…]`; `rest` is the offset of what follows the keyword.
pub(crate) fn station(line: &RawLine<'_>, kind: StationKind, rest: usize, lab: &Lab) -> Res<Station> {
    let error =
        |span: Range<usize>, message: String, hint: &str| Box::new(line.diagnostic(span, message).hint(hint));
    let usage = "for example: host server eth0=10.0.0.1/24 gw=10.0.0.254";
    let mut words = words(line.text, rest);
    let Some((span, name)) = words.next() else {
        return Err(error(rest..rest, "the name is missing".into(), usage));
    };
    if !is_name(name) {
        let hint = "letters, digits and _, a letter first";
        return Err(error(span, words!("{} is no name for a station", shorten(name)), hint));
    }
    if let Some(other) = lab.stations.iter().find(|s| s.name == name) {
        let hint = words!("line {} declares it", other.line);
        return Err(error(span, words!("a second station called {}", shorten(name)), &hint));
    }
    if lab.stations.len() >= MAX_STATIONS {
        return Err(error(span, words!("more than {MAX_STATIONS} stations"), "take some out"));
    }
    let mut station =
        Station { name: name.to_string(), kind, ifaces: Vec::new(), gateways: Vec::new(), line: line.number };
    for (span, word) in words {
        let (key, value) = word.split_once('=').map_or((word, None), |(k, v)| (k, Some(v)));
        let value_at = span.start + key.len() + 1;
        if key == "gw" {
            gateways(line, &mut station, value.unwrap_or_default(), value_at)?;
            continue;
        }
        if station.ifaces.len() >= MAX_IFACES {
            return Err(error(span, words!("more than {MAX_IFACES} interfaces"), "take some out"));
        }
        if key == "lo" {
            return Err(error(span, "lo is always there".into(), "leave it out"));
        }
        if key.is_empty() || key.len() > MAX_IFNAME || key.contains([':', '/']) || key == "." || key == ".." {
            let hint = "IF=ADDR/LEN; a name has at most 15 characters, without : and /";
            return Err(error(span, words!("{} is no interface", shorten(word)), hint));
        }
        if station.ifaces.iter().any(|i| i.name == key) {
            return Err(error(span, words!("a second interface {key}"), "give all its addresses at once"));
        }
        let mut iface = Iface { name: key.to_string(), addrs: Vec::new() };
        let mut at = value_at;
        for part in value.into_iter().flat_map(|v| v.split(',')) {
            let addr = address_len(part).ok_or_else(|| {
                let hint = "ADDR/LEN, for example 10.0.0.1/24 or fd00::1/64";
                error(at..at + part.len(), words!("{} is no address with length", shorten(part)), hint)
            })?;
            iface.addrs.push(addr);
            at += part.len() + 1;
        }
        station.ifaces.push(iface);
    }
    if kind == StationKind::Host {
        reachable(line, &station)?;
    }
    Ok(station)
}

/// A host's gateway must lie on a network of its own: `ip route add default via` refuses any other.
fn reachable(line: &RawLine<'_>, station: &Station) -> Res<()> {
    let on_link = |family: Family, gateway: Addr| {
        station
            .ifaces
            .iter()
            .flat_map(|i| &i.addrs)
            .any(|(f, addr, len)| *f == family && AddrMask::prefix(family, *addr, *len).contains(gateway))
    };
    match station.gateways.iter().find(|(family, gateway)| !on_link(*family, *gateway)) {
        None => Ok(()),
        Some((family, gateway)) => {
            let at = line.text.find("gw=").unwrap_or(0);
            let d = line.diagnostic(
                at..line.text.trim_end().len(),
                words!("the gateway {} is on no network of {}", gateway.ip(*family), station.name),
            );
            Err(Box::new(d.hint("a gateway is a neighbour")))
        }
    }
}

/// `gw=ADDR[,ADDR]`, one a family.
fn gateways(line: &RawLine<'_>, station: &mut Station, value: &str, mut at: usize) -> Res<()> {
    for part in value.split(',') {
        let span = at..at + part.len();
        at += part.len() + 1;
        let Ok(ip) = part.parse::<IpAddr>() else {
            let d = line.diagnostic(span, words!("{} is no address", shorten(part)));
            return Err(Box::new(d.hint("gw=ADDR[,ADDR], for example gw=10.0.0.1")));
        };
        let family = family_of(ip);
        if station.gateways.iter().any(|(f, _)| *f == family) {
            let d = line.diagnostic(span, "a second default gateway of this family");
            return Err(Box::new(d.hint("add further routes with ip route")));
        }
        station.gateways.push((family, ip.into()));
    }
    Ok(())
}

fn family_of(ip: IpAddr) -> Family {
    if ip.is_ipv4() { Family::V4 } else { Family::V6 }
}

fn address_len(text: &str) -> Option<(Family, Addr, u8)> {
    let (addr, len) = text.split_once('/')?;
    let ip: IpAddr = addr.parse().ok()?;
    let family = family_of(ip);
    // `parse` alone would take a sign.
    let len: u8 = if len.bytes().all(|b| b.is_ascii_digit()) { len.parse().ok()? } else { return None };
    (len <= family.bits()).then_some((family, ip.into(), len))
}

/// Reads `link A:IF B:IF …`.
pub(crate) fn link(line: &RawLine<'_>, lab: &Lab) -> Res<Link> {
    let keyword = line.text.len() - line.text.trim_start().len() + "link".len();
    let mut ends: Vec<End> = Vec::new();
    for (span, word) in words(line.text, keyword) {
        let error =
            |message: String, hint: String| Box::new(line.diagnostic(span.clone(), message).hint(hint));
        let Some((name, iface)) = word.split_once(':') else {
            let hint = "link A:IF B:IF, for example: link client:eth0 server:eth0";
            return Err(error(words!("{} names no interface", shorten(word)), hint.into()));
        };
        let Some(station) = lab.station(name) else {
            let near = nearest(name, lab.stations.iter().map(|s| s.name.as_str()));
            let hint = near.map_or("declare it with host or wire".into(), |n| words!("did you mean {n}?"));
            return Err(error(words!("no station is called {}", shorten(name)), hint));
        };
        let ifaces = &lab.stations[station.index()].ifaces;
        let Some(at) = ifaces.iter().position(|i| i.name == iface) else {
            let all: Vec<&str> = ifaces.iter().map(|i| i.name.as_str()).collect();
            let hint = match all.as_slice() {
                [] => words!("{name} has no interfaces"),
                all => words!("{name} has {}", all.join(", ")),
            };
            return Err(error(words!("{name} has no interface {}", shorten(iface)), hint));
        };
        let end = End { station, iface: at as u16 };
        let taken = lab.links.iter().find(|l| l.ends.contains(&end));
        if ends.contains(&end) || taken.is_some() {
            let hint = taken.map_or("name it once".into(), |l| words!("line {} links it", l.line));
            return Err(error(words!("{word} has a link already"), hint));
        }
        ends.push(end);
    }
    if ends.len() < 2 {
        let d = line.diagnostic(keyword..line.text.trim_end().len(), "a link needs two interfaces or more");
        return Err(Box::new(d.hint("link A:IF B:IF [C:IF …]")));
    }
    Ok(Link { ends, line: line.number })
}
