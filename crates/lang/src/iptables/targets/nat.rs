//! DNAT, SNAT, MASQUERADE, REDIRECT, NETMAP.

use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Given, Opt, Ty, no_check, opt};
use crate::iptables::{address, names, number, put};
use hookwalk_engine::nat::Range;
use hookwalk_engine::targets::{NatTarget, Target};
use hookwalk_engine::{Addr, AddrMask, Family};

const DNAT_OPTS: &[Opt] =
    &[opt("to-destination", 0, Ty::Text).must(), opt("random", 1, Ty::Flag), opt("persistent", 2, Ty::Flag)];

/// `-j DNAT`.
pub(super) static DNAT: Ext<Target> = Ext {
    name: "DNAT",
    family: None,
    opts: DNAT_OPTS,
    first: no_check,
    build: |args| {
        let mut range = parse(args, true)?;
        range.flags.random = args.has(1);
        range.flags.persistent = args.has(2);
        Ok(Target::Dnat(NatTarget { range }.into()))
    },
};

const SNAT_OPTS: &[Opt] = &[
    opt("to-source", 0, Ty::Text).must(),
    opt("random", 1, Ty::Flag),
    opt("random-fully", 3, Ty::Flag),
    opt("persistent", 2, Ty::Flag),
];

/// `-j SNAT`.
pub(super) static SNAT: Ext<Target> = Ext {
    name: "SNAT",
    family: None,
    opts: SNAT_OPTS,
    first: no_check,
    build: |args| {
        let mut range = parse(args, false)?;
        range.flags.random = args.has(1);
        range.flags.random_fully = args.has(3);
        range.flags.persistent = args.has(2);
        Ok(Target::Snat(NatTarget { range }.into()))
    },
};

/// Only protocols with ports may have ports rewritten.
fn has_ports(g: &Given) -> bool {
    g.proto.is_some_and(|p| matches!(p.value, 1 | 6 | 17 | 33 | 58 | 132 | 136))
}

fn need_ports() -> Fault {
    Fault::param("Need TCP, UDP, SCTP or DCCP with port specification")
}

/// `LOW[-HIGH][/BASE]`.
fn ports(text: &str, range: &mut Range, shifted: bool) -> Result<(), Fault> {
    let bad = |text: &str| Fault::param(words!("Port `{text}' not valid"));
    let port = |text: &str| names::port(text, None);
    if text.contains(':') {
        return Err(Fault::param("Invalid port:port syntax - use dash"));
    }
    let (span, base) = match text.split_once('/') {
        Some((span, base)) => (span, Some(base)),
        None => (text, None),
    };
    // A name may hold a dash itself; as numbers, a dash is a range.
    let (low, high) = match port(span) {
        Some(p) => (p, p),
        None => {
            let (low, high) = span.split_once('-').ok_or_else(|| bad(span))?;
            let number = |t: &str| number::whole(t, 0, 65535).map(|v| v as u16);
            match (number(low), number(high)) {
                (Some(low), Some(high)) => (low, high),
                (Some(_), None) => return Err(bad(high)),
                (None, _) => return Err(bad(span)),
            }
        }
    };
    if low > high {
        return Err(Fault::param(words!("Port range `{high}' funky")));
    }
    (range.min_port, range.max_port) = (low, high);
    range.flags.proto_specified = true;
    if let Some(base) = base {
        if !shifted {
            return Err(Fault::param("Shifted portmap ranges not supported with this kernel"));
        }
        if low == high && !span.contains('-') {
            return Err(Fault::param(words!("Garbage after port value: `/{base}'")));
        }
        range.base_port = port(base).ok_or_else(|| bad(base))?;
        range.flags.proto_offset = true;
    }
    Ok(())
}

/// `[ADDR[-ADDR]][:PORT[-PORT]]`, IPv6 addresses in brackets where a port follows.
fn parse(args: &Args<'_>, shifted: bool) -> Result<Range, Fault> {
    let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
    let mut range = Range::default();
    let text = g.text.as_str();
    let (addrs, port_text) = match args.family {
        Family::V4 => match text.split_once(':') {
            Some((addrs, ports)) => (addrs, Some(ports)),
            None => (text, None),
        },
        Family::V6 => match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((addrs, after)) => {
                    if !after.is_empty() && !after.starts_with(':') {
                        return Err(Fault::param("Invalid address format"));
                    }
                    (addrs, after.strip_prefix(':'))
                }
                None => return Err(Fault::param("Invalid address format")),
            },
            // One colon parts address and port; with more of them it is all address (`::1`).
            None => match text.split_once(':') {
                Some((addrs, ports)) if !ports.contains(':') => (addrs, Some(ports)),
                _ => (text, None),
            },
        },
    };
    if let Some(text) = port_text {
        if !has_ports(g) {
            return Err(need_ports());
        }
        ports(text, &mut range, shifted)?;
        if addrs.is_empty() {
            return Ok(range);
        }
    }
    let addr = |text: &str| {
        address::literal(text, args.family).ok_or_else(|| Fault::param(words!("Bad IP address \"{text}\"")))
    };
    let (low, high) = match addrs.split_once('-') {
        Some((low, high)) => (addr(low)?, addr(high)?),
        None => {
            let one = addr(addrs)?;
            (one, one)
        }
    };
    range.flags.map_ips = true;
    (range.min_addr, range.max_addr) = (low, high);
    Ok(range)
}

fn put_range(range: &Range, family: Family, out: &mut String) {
    if range.flags.map_ips {
        let brackets = family == Family::V6 && range.flags.proto_specified;
        if brackets {
            out.push('[');
        }
        address::put(out, range.min_addr, family);
        if range.max_addr != range.min_addr {
            out.push('-');
            address::put(out, range.max_addr, family);
        }
        if brackets {
            out.push(']');
        }
    }
    if range.flags.proto_specified {
        out.push(':');
        put_ports(range, out);
    }
}

fn put_ports(range: &Range, out: &mut String) {
    put!(out, "{}", range.min_port);
    if range.max_port != range.min_port {
        put!(out, "-{}", range.max_port);
    }
    if range.flags.proto_offset {
        put!(out, "/{}", range.base_port);
    }
}

fn put_flags(range: &Range, dashes: &str, out: &mut String) {
    let flags = &range.flags;
    for (on, name) in
        [(flags.random, "random"), (flags.random_fully, "random-fully"), (flags.persistent, "persistent")]
    {
        if on {
            put!(out, " {dashes}{name}");
        }
    }
}

/// `-j DNAT`'s options.
pub(super) fn save_dnat(t: &NatTarget, family: Family, out: &mut String) {
    out.push_str(" --to-destination ");
    put_range(&t.range, family, out);
    put_flags(&t.range, "--", out);
}

/// `-j DNAT` in a listing.
pub(super) fn list_dnat(t: &NatTarget, family: Family, out: &mut String) {
    out.push_str(" to:");
    put_range(&t.range, family, out);
    put_flags(&t.range, "", out);
}

/// `-j SNAT`'s options.
pub(super) fn save_snat(t: &NatTarget, family: Family, out: &mut String) {
    out.push_str(" --to-source ");
    put_range(&t.range, family, out);
    put_flags(&t.range, "--", out);
}

/// `-j SNAT` in a listing.
pub(super) fn list_snat(t: &NatTarget, family: Family, out: &mut String) {
    list_dnat(t, family, out);
}

const MASQUERADE_OPTS: &[Opt] =
    &[opt("to-ports", 0, Ty::Text), opt("random", 1, Ty::Flag), opt("random-fully", 2, Ty::Flag)];

/// `-j MASQUERADE`.
pub(super) static MASQUERADE: Ext<Target> = Ext {
    name: "MASQUERADE",
    family: None,
    opts: MASQUERADE_OPTS,
    first: no_check,
    build: |args| {
        let mut range = to_ports(args)?;
        range.flags.random = args.has(1);
        range.flags.random_fully = args.has(2);
        Ok(Target::Masquerade(NatTarget { range }.into()))
    },
};

fn to_ports(args: &Args<'_>) -> Result<Range, Fault> {
    let mut range = Range::default();
    if let Some(g) = args.get(0) {
        if !has_ports(g) {
            return Err(need_ports());
        }
        ports(&g.text, &mut range, false)?;
    }
    Ok(range)
}

/// `-j MASQUERADE`'s options.
pub(super) fn save_masquerade(t: &NatTarget, out: &mut String) {
    if t.range.flags.proto_specified {
        out.push_str(" --to-ports ");
        put_ports(&t.range, out);
    }
    put_flags(&t.range, "--", out);
}

/// `-j MASQUERADE` in a listing.
pub(super) fn list_masquerade(t: &NatTarget, out: &mut String) {
    if t.range.flags.proto_specified {
        out.push_str(" masq ports: ");
        put_ports(&t.range, out);
    }
    put_flags(&t.range, "", out);
}

const REDIRECT_OPTS: &[Opt] = &[opt("to-ports", 0, Ty::Text), opt("random", 1, Ty::Flag)];

/// `-j REDIRECT`.
pub(super) static REDIRECT: Ext<Target> = Ext {
    name: "REDIRECT",
    family: None,
    opts: REDIRECT_OPTS,
    first: no_check,
    build: |args| {
        let mut range = to_ports(args)?;
        range.flags.random = args.has(1);
        Ok(Target::Redirect(NatTarget { range }.into()))
    },
};

/// `-j REDIRECT`'s options.
pub(super) fn save_redirect(t: &NatTarget, out: &mut String) {
    save_masquerade(t, out);
}

/// `-j REDIRECT` in a listing.
pub(super) fn list_redirect(t: &NatTarget, out: &mut String) {
    if t.range.flags.proto_specified {
        out.push_str(" redir ports ");
        put_ports(&t.range, out);
    }
    put_flags(&t.range, "", out);
}

/// `-j NETMAP` of IPv4.
pub(super) static NETMAP: Ext<Target> = Ext {
    name: "NETMAP",
    family: Some(Family::V4),
    opts: &[opt("to", 0, Ty::HostMask).must()],
    first: no_check,
    build: build_netmap,
};

/// `-j NETMAP` of IPv6.
pub(super) static NETMAP6: Ext<Target> = Ext {
    name: "NETMAP",
    family: Some(Family::V6),
    opts: &[opt("to", 0, Ty::HostMask).must()],
    first: no_check,
    build: build_netmap,
};

fn build_netmap(args: &Args<'_>) -> Result<Target, Fault> {
    let net = args.get(0).map_or(AddrMask::ANY, Given::net);
    let mut range = Range { min_addr: net.addr, ..Range::default() };
    range.max_addr = net.addr.or(net.mask.not(args.family));
    range.flags.map_ips = true;
    range.flags.netmap = true;
    Ok(Target::Netmap(NatTarget { range }.into()))
}

fn put_netmap(range: &Range, family: Family, out: &mut String) {
    let mask = Addr(core::array::from_fn(|i| !(range.min_addr.0[i] ^ range.max_addr.0[i])))
        .and(Addr::prefix_mask(family, family.bits()));
    let net = AddrMask { addr: range.min_addr, mask };
    address::put_net(out, &net, family);
}

/// `-j NETMAP`'s option.
pub(super) fn save_netmap(t: &NatTarget, family: Family, out: &mut String) {
    out.push_str(" --to ");
    put_netmap(&t.range, family, out);
}

/// `-j NETMAP` in a listing.
pub(super) fn list_netmap(t: &NatTarget, family: Family, out: &mut String) {
    out.push_str(" to:");
    put_netmap(&t.range, family, out);
}
