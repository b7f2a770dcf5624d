//! Matches on ports: tcp, udp, multiport.

use super::Style;
use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Given, Opt, Ty, no_check, opt};
use crate::iptables::{names, number, put};
use hookwalk_engine::matches::multiport::PortSide;
use hookwalk_engine::matches::tcp::PortRange;
use hookwalk_engine::matches::{Match, MultiportMatch, TcpMatch, UdpMatch};
use hookwalk_engine::ruleset::Inv;

const TCP_OPTS: &[Opt] = &[
    opt("source-port", 0, Ty::Text).inv().multi(),
    opt("sport", 0, Ty::Text).inv().multi(),
    opt("destination-port", 1, Ty::Text).inv().multi(),
    opt("dport", 1, Ty::Text).inv().multi(),
    opt("syn", 2, Ty::Flag).inv().multi(),
    opt("tcp-flags", 3, Ty::Two("--tcp-flags requires two args.")).inv().multi(),
    opt("tcp-option", 4, Ty::Text).inv().multi(),
];

/// `-m tcp`.
pub(super) static TCP: Ext<Match> =
    Ext { name: "tcp", family: None, opts: TCP_OPTS, first: no_check, build: build_tcp };

/// Flag letters' names by bit, in the order of printing.
const FLAGS: [(&str, u8); 6] = [("FIN", 1), ("SYN", 2), ("RST", 4), ("PSH", 8), ("ACK", 16), ("URG", 32)];

fn flags(text: &str) -> Result<u8, Fault> {
    let mut bits = 0;
    for name in text.split(',').filter(|n| !n.is_empty()) {
        let upper = name.to_ascii_uppercase();
        bits |= match upper.as_str() {
            "ALL" => 0x3f,
            "NONE" => 0,
            _ => match FLAGS.iter().find(|(n, _)| *n == upper) {
                Some((_, bit)) => *bit,
                None => return Err(Fault::param(words!("Unknown TCP flag `{name}'"))),
            },
        };
    }
    Ok(bits)
}

/// `A`, `A:B`, `A:`, `:B` where names are of this protocol.
pub(super) fn ports(text: &str, proto: u8) -> Result<PortRange, Fault> {
    let port = |text: &str| {
        names::port(text, Some(proto))
            .ok_or_else(|| Fault::param(words!("invalid port/service `{text}' specified")))
    };
    match text.split_once(':') {
        None => port(text).map(|p| (p, p)),
        Some((low, high)) => {
            let low = if low.is_empty() { 0 } else { port(low)? };
            let high = if high.is_empty() { 65535 } else { port(high)? };
            if low > high {
                return Err(Fault::param("invalid portrange (min > max)"));
            }
            Ok((low, high))
        }
    }
}

fn build_tcp(args: &Args<'_>) -> Result<Match, Fault> {
    let mut m = TcpMatch::default();
    for g in &args.given {
        match g.id {
            0 if m.sport.is_some() => return Err(Fault::param("Only one `--source-port' allowed")),
            0 => m.sport = Some(g.inv(ports(&g.text, 6)?)),
            1 if m.dport.is_some() => return Err(Fault::param("Only one `--destination-port' allowed")),
            1 => m.dport = Some(g.inv(ports(&g.text, 6)?)),
            2 | 3 if m.flags.is_some() => {
                return Err(Fault::param("Only one of `--syn' or `--tcp-flags'  allowed"));
            }
            2 => m.flags = Some(g.inv((0x17, 0x02))),
            3 => m.flags = Some(g.inv((flags(&g.text)?, flags(&g.second)?))),
            _ if m.option.is_some() => return Err(Fault::param("Only one `--tcp-option' allowed")),
            _ => {
                let bad = || Fault::param(words!("Bad TCP option \"{}\"", g.text));
                let option = number::whole(&g.text, 1, 255).ok_or_else(bad)?;
                m.option = Some(g.inv(option as u8));
            }
        }
    }
    (m.sport, m.dport) = (m.sport.and_then(as_kept), m.dport.and_then(as_kept));
    Ok(Match::Tcp(m))
}

/// A range as the nft variant keeps it for TCP and UDP: all ports are no condition; an inverted range that begins at
/// port 0 becomes the ports above it.
fn as_kept(range: Inv<PortRange>) -> Option<Inv<PortRange>> {
    match (range.not, range.value) {
        (false, (0, u16::MAX)) => None,
        (true, (0, u16::MAX)) => Some(range),
        (true, (0, high @ 1..)) => Some(Inv { not: false, value: (high + 1, u16::MAX) }),
        _ => Some(range),
    }
}

fn put_range(out: &mut String, name: &str, range: &Inv<PortRange>) {
    let (low, high) = range.value;
    if range.not {
        out.push_str(" !");
    }
    put!(out, " --{name} {low}");
    if high != low {
        put!(out, ":{high}");
    }
}

fn put_flags(out: &mut String, bits: u8) {
    if bits == 0 {
        out.push_str("NONE");
    }
    let mut first = true;
    for (name, bit) in FLAGS {
        if bits & bit != 0 {
            if !first {
                out.push(',');
            }
            first = false;
            out.push_str(name);
        }
    }
}

/// `-m tcp`'s options.
pub(super) fn save_tcp(m: &TcpMatch, out: &mut String) {
    if let Some(range) = &m.sport {
        put_range(out, "sport", range);
    }
    if let Some(range) = &m.dport {
        put_range(out, "dport", range);
    }
    if let Some(option) = &m.option {
        put!(out, "{} --tcp-option {}", if option.not { " !" } else { "" }, option.value);
    }
    if let Some(flags) = &m.flags {
        out.push_str(if flags.not { " ! --tcp-flags " } else { " --tcp-flags " });
        put_flags(out, flags.value.0);
        out.push(' ');
        put_flags(out, flags.value.1);
    }
}

/// A port in a listing: its name where names are wanted.
pub(super) fn put_port(out: &mut String, port: u16, proto: u8, numeric: bool) {
    match if numeric { None } else { names::service(port, proto) } {
        Some(name) => out.push_str(name),
        None => put!(out, "{port}"),
    }
}

/// ` spt:80`, ` dpts:!1:5`.
pub(super) fn list_range(out: &mut String, name: &str, range: &Inv<PortRange>, proto: u8, numeric: bool) {
    let (low, high) = range.value;
    put!(out, " {name}{}:{}", if low == high { "" } else { "s" }, if range.not { "!" } else { "" });
    put_port(out, low, proto, numeric);
    if low != high {
        out.push(':');
        put_port(out, high, proto, numeric);
    }
}

/// `-m tcp` in a listing.
pub(super) fn list_tcp(m: &TcpMatch, style: Style, out: &mut String) {
    out.push_str(" tcp");
    if let Some(range) = &m.sport {
        list_range(out, "spt", range, 6, style.numeric);
    }
    if let Some(range) = &m.dport {
        list_range(out, "dpt", range, 6, style.numeric);
    }
    if let Some(option) = &m.option {
        put!(out, " option={}{}", if option.not { "!" } else { "" }, option.value);
    }
    if let Some(flags) = &m.flags {
        out.push_str(if flags.not { " flags:!" } else { " flags:" });
        if style.numeric {
            put!(out, "0x{:02X}/0x{:02X}", flags.value.0, flags.value.1);
        } else {
            put_flags(out, flags.value.0);
            out.push('/');
            put_flags(out, flags.value.1);
        }
    }
}

const UDP_OPTS: &[Opt] = &[
    opt("source-port", 0, Ty::Ports).inv(),
    opt("sport", 0, Ty::Ports).inv(),
    opt("destination-port", 1, Ty::Ports).inv(),
    opt("dport", 1, Ty::Ports).inv(),
];

/// `-m udp`.
pub(super) static UDP: Ext<Match> =
    Ext { name: "udp", family: None, opts: UDP_OPTS, first: no_check, build: build_udp };

fn build_udp(args: &Args<'_>) -> Result<Match, Fault> {
    let range = |id| args.range::<u16>(id).and_then(as_kept);
    Ok(Match::Udp(UdpMatch { sport: range(0), dport: range(1) }))
}

/// `-m udp`'s options.
pub(super) fn save_udp(m: &UdpMatch, out: &mut String) {
    if let Some(range) = &m.sport {
        put_range(out, "sport", range);
    }
    if let Some(range) = &m.dport {
        put_range(out, "dport", range);
    }
}

/// `-m udp` in a listing.
pub(super) fn list_udp(m: &UdpMatch, style: Style, out: &mut String) {
    out.push_str(" udp");
    if let Some(range) = &m.sport {
        list_range(out, "spt", range, 17, style.numeric);
    }
    if let Some(range) = &m.dport {
        list_range(out, "dpt", range, 17, style.numeric);
    }
}

const MULTIPORT_OPTS: &[Opt] = &[
    opt("source-ports", 0, Ty::Text).inv().not_with(&[1, 2]),
    opt("sports", 0, Ty::Text).inv(),
    opt("destination-ports", 1, Ty::Text).inv().not_with(&[0, 2]),
    opt("dports", 1, Ty::Text).inv(),
    opt("ports", 2, Ty::Text).inv().not_with(&[0, 1]),
];

/// `-m multiport`.
pub(super) static MULTIPORT: Ext<Match> = Ext {
    name: "multiport",
    family: None,
    opts: MULTIPORT_OPTS,
    first: |args| {
        if args.given.is_empty() { Err(Fault::param("multiport expection an option")) } else { Ok(()) }
    },
    build: build_multiport,
};

fn port_protocol(g: &Given) -> Result<u8, Fault> {
    match g.proto {
        None => {}
        Some(p) if !p.not && matches!(p.value, 6 | 17 | 33 | 132 | 136) => return Ok(p.value),
        Some(_) => {
            return Err(Fault::param("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP"));
        }
    }
    Err(Fault::param("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'"))
}

fn build_multiport(args: &Args<'_>) -> Result<Match, Fault> {
    // The last option wins, as they are stored in one place.
    let Some(g) = args.given.last() else { return Err(Fault::param("multiport expection an option")) };
    let proto = port_protocol(g)?;
    let side = match g.id {
        0 => PortSide::Source,
        1 => PortSide::Destination,
        _ => PortSide::Either,
    };
    let mut list: Vec<PortRange> = Vec::new();
    let mut slots = 0;
    for part in g.text.split(',') {
        let port = |text: &str| {
            names::port(text, Some(proto))
                .ok_or_else(|| Fault::param(words!("invalid port/service `{text}' specified")))
        };
        let range = match part.split_once(':') {
            None => port(part).map(|p| (p, p))?,
            Some((low, high)) => {
                slots += 1;
                (port(low)?, port(high)?)
            }
        };
        slots += 1;
        if slots > 15 {
            return Err(Fault::param("too many ports specified"));
        }
        if range.0 > range.1 {
            return Err(Fault::param("invalid portrange specified"));
        }
        list.push(range);
    }
    Ok(Match::Multiport(MultiportMatch { side, ports: g.inv(list.into()) }))
}

/// `-m multiport`'s option.
pub(super) fn save_multiport(m: &MultiportMatch, out: &mut String) {
    if m.ports.not {
        out.push_str(" !");
    }
    out.push_str(match m.side {
        PortSide::Source => " --sports ",
        PortSide::Destination => " --dports ",
        PortSide::Either => " --ports ",
    });
    for (i, (low, high)) in m.ports.value.iter().enumerate() {
        put!(out, "{}{low}", if i == 0 { "" } else { "," });
        if high != low {
            put!(out, ":{high}");
        }
    }
}

/// `-m multiport` in a listing.
pub(super) fn list_multiport(m: &MultiportMatch, style: Style, out: &mut String) {
    out.push_str(match m.side {
        PortSide::Source => " multiport sports ",
        PortSide::Destination => " multiport dports ",
        PortSide::Either => " multiport ports ",
    });
    if m.ports.not {
        out.push_str(" !");
    }
    for (i, (low, high)) in m.ports.value.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        put_port(out, *low, style.proto, style.numeric);
        if high != low {
            out.push(':');
            put_port(out, *high, style.proto, style.numeric);
        }
    }
}
