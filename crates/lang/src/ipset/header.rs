//! What a set is created with: `family inet hashsize 1024 maxelem 65536 …`.

use super::{Run, error, usage};
use crate::names::{parse_addr, parse_number};
use crate::shell::Word;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::set::{SetHeader, SetType};
use std::fmt::Write as _;

/// The longest timeout in seconds.
pub(super) const MAX_TIMEOUT: u64 = 2_147_483;

/// The type by its name, or by a name of old.
fn kind(word: &Word) -> Run<SetType> {
    let name = match word.text.as_str() {
        "iphash" => "hash:ip",
        "nethash" => "hash:net",
        "ipporthash" => "hash:ip,port",
        "ipportiphash" => "hash:ip,port,ip",
        "ipportnethash" => "hash:ip,port,net",
        "netporthash" => "hash:net,port",
        "netifacehash" => "hash:net,iface",
        "ipmap" => "bitmap:ip",
        "macipmap" => "bitmap:ip,mac",
        "portmap" => "bitmap:port",
        "setlist" => "list:set",
        other => other,
    };
    let found = SetType::ALL.into_iter().find(|t| t.name() == name);
    found.ok_or_else(|| error(format!("Syntax error: typename '{}' is unknown", word.text)))
}

/// The revision of the type that the kernel has.
pub(super) const fn revision(kind: SetType) -> u8 {
    match kind {
        SetType::BitmapIp | SetType::BitmapIpMac | SetType::BitmapPort | SetType::ListSet => 3,
        SetType::HashIp | SetType::HashIpPortIp => 6,
        SetType::HashNet | SetType::HashIpPort => 7,
        SetType::HashIpPortNet | SetType::HashNetPort | SetType::HashNetIface => 8,
        SetType::HashMac | SetType::HashIpMac => 1,
        SetType::HashIpMark | SetType::HashNetPortNet => 3,
        SetType::HashNetNet => 4,
    }
}

/// A number, with the tool's words where it is none or too large.
pub(super) fn number(text: &str, min: u64, max: u64) -> Run<u64> {
    match parse_number(text) {
        Some(n) if (min..=max).contains(&n) => Ok(n),
        Some(_) => Err(error(format!("Syntax error: '{text}' is out of range {min}-{max}"))),
        None => Err(error(format!("Syntax error: '{text}' is invalid as number"))),
    }
}

/// Reads the options of `create`.
pub(super) fn parse(kind_word: &Word, words: &[&Word]) -> Run<SetHeader> {
    let kind = kind(kind_word)?;
    let mut header = SetHeader::new(kind, Family::V4);
    let mut range = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let name = word.text.as_str();
        let unknown = || usage(format!("Unknown argument: `{name}'"));
        let hash = kind.is_hash();
        let known = match name {
            "family" | "-4" | "-6" => kind.has_family(),
            "hashsize" | "maxelem" | "bucketsize" | "initval" | "forceadd" | "probes" | "resize" => hash,
            "range" | "from" | "to" => {
                matches!(kind, SetType::BitmapIp | SetType::BitmapIpMac | SetType::BitmapPort)
            }
            "netmask" => {
                matches!(
                    kind,
                    SetType::HashIp | SetType::BitmapIp | SetType::HashIpPort | SetType::HashNetNet
                )
            }
            "bitmask" => matches!(kind, SetType::HashIp | SetType::HashIpPort | SetType::HashNetNet),
            "markmask" => kind == SetType::HashIpMark,
            "size" => kind == SetType::ListSet,
            "timeout" | "counters" | "comment" | "skbinfo" => true,
            _ => false,
        };
        if !known {
            return Err(unknown());
        }
        match name {
            "-4" => header.family = Family::V4,
            "-6" => header.family = Family::V6,
            "counters" => header.counters = true,
            "comment" => header.comment = true,
            "skbinfo" => header.skbinfo = true,
            "forceadd" => header.forceadd = true,
            _ => {
                let value = words
                    .next()
                    .map(|w| w.text.as_str())
                    .ok_or_else(|| usage(format!("Missing mandatory argument of option `{name}'")))?;
                option(&mut header, &mut range, name, value)?;
            }
        }
    }
    if matches!(kind, SetType::BitmapIp | SetType::BitmapIpMac | SetType::BitmapPort) {
        let Some(range) = range else { return Err(usage("Mandatory option `range' is missing")) };
        header.range = range;
        let step = header.netmask.map_or(1, |len| 1u64 << (32 - u32::from(len)));
        if u64::from(range.1 - range.0) / step > 65535 {
            return Err(error("The range you specified exceeds the size limit of the set type"));
        }
    }
    Ok(header)
}

fn option(header: &mut SetHeader, range: &mut Option<(u32, u32)>, name: &str, value: &str) -> Run<()> {
    let word = u64::from(u32::MAX);
    match name {
        "family" => {
            header.family = match value {
                "inet" | "ipv4" | "-4" => Family::V4,
                "inet6" | "ipv6" | "-6" => Family::V6,
                _ => return Err(error(format!("Syntax error: unknown inet family {value}"))),
            }
        }
        // Hashes have a power of two of buckets, 64 at least.
        "hashsize" => {
            header.hashsize = (number(value, 0, word)? as u32).clamp(64, 1 << 31).next_power_of_two();
        }
        "maxelem" => header.maxelem = number(value, 0, word)? as u32,
        "bucketsize" => header.bucketsize = number(value, 2, 14)? as u8 & !1,
        "initval" => header.initval = number(value, 0, word)? as u32,
        "timeout" => header.timeout = Some(number(value, 0, MAX_TIMEOUT)? as u32),
        "size" => header.size = number(value, 0, word)?.max(4) as u32,
        "markmask" => header.markmask = number(value, 1, word)? as u32,
        // Options of old that mean nothing any more.
        "probes" | "resize" => {
            number(value, 0, word)?;
        }
        "netmask" => {
            let bits = header.family.bits();
            let len = number(value, 1, u64::from(bits)).map_err(|mut e| {
                let more = format!("Syntax error: netmask is out of the inclusive range of 1-{bits}\n");
                e.stderr.push_str(&more);
                e
            })?;
            header.netmask = Some(len as u8);
        }
        "bitmask" => match parse_addr(value) {
            Some((family, addr)) if family == header.family => header.bitmask = Some(addr),
            _ => return Err(error(format!("Syntax error: bitmask is not valid for family: {value}"))),
        },
        // What is left is `range`.
        _ => *range = Some(parse_range(header.kind, value)?),
    }
    Ok(())
}

/// `FROM-TO` or `ADDR/LEN`; the ends in either order.
fn parse_range(kind: SetType, value: &str) -> Run<(u32, u32)> {
    let (a, b) = if kind == SetType::BitmapPort {
        let (a, b) = value.split_once('-').unwrap_or((value, value));
        (number(a, 0, 65535)? as u32, number(b, 0, 65535)? as u32)
    } else {
        super::elem::ipv4_range(value)?
    };
    Ok((a.min(b), a.max(b)))
}

/// The header as `list` and `save` write it.
pub(super) fn text(header: &SetHeader) -> String {
    let mut out = String::new();
    let kind = header.kind;
    if kind.has_family() {
        out.push_str(if header.family == Family::V4 { "family inet " } else { "family inet6 " });
    }
    if kind == SetType::HashIpMark {
        let _ = write!(out, "markmask {:#010x} ", header.markmask);
    }
    if kind.is_hash() {
        let _ = write!(out, "hashsize {} maxelem {} ", header.hashsize, header.maxelem);
    }
    match kind {
        SetType::BitmapPort => {
            let _ = write!(out, "range {}-{} ", header.range.0, header.range.1);
        }
        SetType::BitmapIp | SetType::BitmapIpMac => {
            let ip = |word| Addr::v4(word).ip(Family::V4);
            let _ = write!(out, "range {}-{} ", ip(header.range.0), ip(header.range.1));
        }
        SetType::ListSet => {
            let _ = write!(out, "size {} ", header.size);
        }
        _ => {}
    }
    // hash:ip,port learnt of masks late, and writes them last.
    let last = kind == SetType::HashIpPort;
    if !last {
        put_masks(header, &mut out);
    }
    if let Some(timeout) = header.timeout {
        let _ = write!(out, "timeout {timeout} ");
    }
    for (name, on) in
        [("counters", header.counters), ("comment", header.comment), ("skbinfo", header.skbinfo)]
    {
        if on {
            let _ = write!(out, "{name} ");
        }
    }
    if kind.is_hash() {
        let _ = write!(out, "bucketsize {} initval {:#010x} ", header.bucketsize, header.initval);
    }
    if last {
        put_masks(header, &mut out);
    }
    out.truncate(out.trim_end().len());
    out
}

fn put_masks(header: &SetHeader, out: &mut String) {
    if let Some(len) = header.netmask {
        let _ = write!(out, "netmask {len} ");
    }
    if let Some(mask) = header.bitmask {
        let _ = write!(out, "bitmask {} ", mask.ip(header.family));
    }
}
