//! Addresses and masks as rules write them, and as listings print them.

use super::fault::Fault;
use super::{names, number};
use hookwalk_engine::{Addr, AddrMask, Family};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// `inet_pton` of the family.
pub(crate) fn literal(text: &str, family: Family) -> Option<Addr> {
    match family {
        Family::V4 => text.parse::<Ipv4Addr>().ok().map(Addr::from),
        Family::V6 => text.parse::<Ipv6Addr>().ok().map(Addr::from),
    }
}

/// Up to four numbers with dots; what is missing at the end is zero (`10.1` is 10.1.0.0).
fn short_v4(text: &str) -> Option<Addr> {
    let mut word = 0u32;
    for (count, part) in text.split('.').enumerate() {
        if count == 4 || !part.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        // A leading zero makes it octal.
        word |= (number::whole(part, 0, 255)? as u32) << (24 - 8 * count);
    }
    Some(Addr::v4(word))
}

/// `inet_aton`: one to four numbers with dots, the last of which fills what is left.
pub(crate) fn aton(text: &str) -> Option<Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 4 || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (last, first) = parts.split_last()?;
    let mut word = 0u32;
    for (i, part) in first.iter().enumerate() {
        word |= (number::whole(part, 0, 255)? as u32) << (24 - 8 * i);
    }
    let left = 32 - 8 * first.len() as u32;
    Some(Addr::v4(word | number::whole(last, 0, (1u64 << left) - 1)? as u32))
}

/// One address: a number, or a name that every machine knows. Other names are not looked up: a rule set that hangs on
/// a name server is not one that can be simulated.
pub(crate) fn host(text: &str, family: Family) -> Result<Addr, Fault> {
    let found = literal(text, family).or_else(|| match family {
        Family::V4 => {
            short_v4(text).or_else(|| names::ipv4_by_name(text).map(Addr::v4)).or_else(|| aton(text))
        }
        Family::V6 => None,
    });
    found.ok_or_else(|| Fault::param(words!("host/network `{text}' not found")))
}

/// A mask: a prefix length or an address.
pub(crate) fn mask(text: &str, family: Family) -> Option<Addr> {
    if let Some(mask) = literal(text, family) {
        return Some(mask);
    }
    let len = number::whole(text, 0, u64::from(family.bits()))?;
    Some(Addr::prefix_mask(family, u8::try_from(len).ok()?))
}

/// `ADDRESS[/MASK]`.
pub(crate) fn one(text: &str, family: Family) -> Result<AddrMask, Fault> {
    let (addr, mask_text) = match text.rsplit_once('/') {
        Some((addr, mask)) => (addr, Some(mask)),
        None => (text, None),
    };
    let mask = match mask_text {
        Some(m) => mask(m, family).ok_or_else(|| Fault::param(words!("invalid mask `{m}' specified")))?,
        None => Addr::prefix_mask(family, family.bits()),
    };
    // With mask 0 the address does not matter and is not looked up.
    if mask.is_unspecified() {
        return Ok(AddrMask::ANY);
    }
    Ok(AddrMask { addr: host(addr, family)?.and(mask), mask })
}

/// An address in numbers.
pub(crate) fn put(out: &mut String, addr: Addr, family: Family) {
    // The C library writes an address that begins with six zero groups as an IPv4 address (but not ::1 and the like).
    let compatible = family == Family::V6 && addr.0[..3] == [0; 3] && addr.0[3] > 0xffff;
    let _ = match compatible {
        true => write!(out, "::{}", Ipv4Addr::from(addr.0[3])),
        false => write!(out, "{}", addr.ip(family)),
    };
}

/// `/LEN` where the mask is a prefix, `/MASK` else.
pub(crate) fn put_mask(out: &mut String, net: &AddrMask, family: Family) {
    match net.prefix_len(family) {
        Some(len) => {
            let _ = write!(out, "/{len}");
        }
        None => {
            out.push('/');
            put(out, net.mask, family);
        }
    }
}

/// As iptables-save prints it: always with a mask.
pub(crate) fn put_net(out: &mut String, net: &AddrMask, family: Family) {
    put(out, net.addr, family);
    put_mask(out, net, family);
}

/// Without the mask where it is a single host.
pub(crate) fn put_short(out: &mut String, net: &AddrMask, family: Family) {
    put(out, net.addr, family);
    if net.prefix_len(family) != Some(family.bits()) {
        put_mask(out, net, family);
    }
}

/// By name where it has one, without the mask where it is a single host.
pub(crate) fn put_named(out: &mut String, net: &AddrMask, family: Family) {
    match if family == Family::V4 { names::ipv4_name(net.addr.as_v4()) } else { None } {
        Some(name) => {
            out.push_str(name);
            if net.prefix_len(family) != Some(family.bits()) {
                put_mask(out, net, family);
            }
        }
        None => put_short(out, net, family),
    }
}

/// As a listing prints it: by name where that is wanted and known.
pub(crate) fn listed(net: &AddrMask, family: Family, numeric: bool) -> String {
    let mut out = String::new();
    if numeric {
        put_short(&mut out, net, family);
        return out;
    }
    // IPv6 networks that begin with :: are all told so, whatever their length.
    if net.mask.is_unspecified() || (family == Family::V6 && net.addr.is_unspecified()) {
        return "anywhere".to_string();
    }
    put_named(&mut out, net, family);
    out
}
