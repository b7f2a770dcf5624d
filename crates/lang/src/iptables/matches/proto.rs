//! Matches on protocols other than TCP and UDP, and on IPv6's headers: sctp, dccp, ah, esp, ipcomp, mh, tcpmss, frag,
//! ipv6header, eui64, ecn.

use super::Style;
use super::ports::{list_range, ports};
use crate::iptables::fault::Fault;
use crate::iptables::option::{Args, Ext, Opt, Ty, no_check, opt};
use crate::iptables::{number, put};
use hookwalk_engine::Family;
use hookwalk_engine::matches::proto_extra::{ChunkFlags, ChunkScope, SctpChunks};
use hookwalk_engine::matches::tcp::PortRange;
use hookwalk_engine::matches::{
    AhMatch, DccpMatch, EcnMatch, FragMatch, Ipv6HeaderMatch, Match, MhMatch, SctpMatch, SpiMatch,
    TcpmssMatch,
};
use hookwalk_engine::ruleset::Inv;

fn not(inv: bool) -> &'static str {
    if inv { " !" } else { "" }
}

fn put_pair<T: PartialEq + std::fmt::Display>(out: &mut String, (low, high): &(T, T)) {
    put!(out, "{low}");
    if low != high {
        put!(out, ":{high}");
    }
}

fn save_ports(out: &mut String, sport: &Option<Inv<PortRange>>, dport: &Option<Inv<PortRange>>) {
    for (name, range) in [("sport", sport), ("dport", dport)] {
        if let Some(range) = range {
            put!(out, "{} --{name} ", not(range.not));
            put_pair(out, &range.value);
        }
    }
}

fn list_ports(
    out: &mut String,
    sport: &Option<Inv<PortRange>>,
    dport: &Option<Inv<PortRange>>,
    proto: u8,
    style: Style,
) {
    for (name, range) in [("spt", sport), ("dpt", dport)] {
        if let Some(range) = range {
            list_range(out, name, range, proto, style.numeric);
        }
    }
}

const SCTP_OPTS: &[Opt] = &[
    opt("source-port", 0, Ty::Text).inv().multi(),
    opt("sport", 0, Ty::Text).inv().multi(),
    opt("destination-port", 1, Ty::Text).inv().multi(),
    opt("dport", 1, Ty::Text).inv().multi(),
    opt("chunk-types", 2, Ty::Two("--chunk-types requires two args")).inv().multi(),
];

/// `-m sctp`.
pub(super) static SCTP: Ext<Match> =
    Ext { name: "sctp", family: None, opts: SCTP_OPTS, first: no_check, build: build_sctp };

/// Chunk types: name, number, and the flags that have letters, from bit 7 to bit 0.
const CHUNKS: &[(&str, u8, &str)] = &[
    ("DATA", 0, "----IUBE"),
    ("INIT", 1, "--------"),
    ("INIT_ACK", 2, "--------"),
    ("SACK", 3, "--------"),
    ("HEARTBEAT", 4, "--------"),
    ("HEARTBEAT_ACK", 5, "--------"),
    ("ABORT", 6, "-------T"),
    ("SHUTDOWN", 7, "--------"),
    ("SHUTDOWN_ACK", 8, "--------"),
    ("ERROR", 9, "--------"),
    ("COOKIE_ECHO", 10, "--------"),
    ("COOKIE_ACK", 11, "--------"),
    ("ECN_ECNE", 12, "--------"),
    ("ECN_CWR", 13, "--------"),
    ("SHUTDOWN_COMPLETE", 14, "-------T"),
    ("I_DATA", 64, "----IUBE"),
    ("RE_CONFIG", 130, "--------"),
    ("PAD", 132, "--------"),
    ("ASCONF", 193, "--------"),
    ("ASCONF_ACK", 128, "--------"),
    ("FORWARD_TSN", 192, "--------"),
    ("I_FORWARD_TSN", 194, "--------"),
];

fn chunks(scope: &str, list: &str) -> Result<SctpChunks, Fault> {
    let scope = match scope.to_ascii_lowercase().as_str() {
        "any" => ChunkScope::Any,
        "all" => ChunkScope::All,
        "only" => ChunkScope::Only,
        _ => {
            return Err(Fault::param("Match type has to be one of \"ALL\", \"ANY\" or \"ONLY\""));
        }
    };
    let mut c = SctpChunks { scope, types: [0; 8], flags: Vec::new() };
    match list.to_ascii_uppercase().as_str() {
        "ALL" => c.types = [u32::MAX; 8],
        "NONE" => {}
        _ => {
            for word in list.split(',') {
                let (name, letters) = word.split_once(':').map_or((word, None), |(n, l)| (n, Some(l)));
                let upper = name.to_ascii_uppercase();
                let Some((_, number, known)) = CHUNKS.iter().find(|(n, ..)| *n == upper) else {
                    return Err(Fault::param(words!("Unknown sctp chunk `{name}'")));
                };
                c.types[usize::from(number / 32)] |= 1 << (number % 32);
                let Some(letters) = letters else { continue };
                let mut f = ChunkFlags { chunk: *number, flags: 0, mask: 0 };
                for letter in letters.chars() {
                    let at = known
                        .find(letter.to_ascii_uppercase())
                        .filter(|_| letter != '-')
                        .ok_or_else(|| Fault::param(words!("Invalid chunk flag: {letters}")))?;
                    let bit = 1 << (7 - at);
                    f.mask |= bit;
                    if letter.is_ascii_uppercase() {
                        f.flags |= bit;
                    }
                }
                c.flags.push(f);
            }
        }
    }
    Ok(c)
}

fn build_sctp(args: &Args<'_>) -> Result<Match, Fault> {
    let mut m = SctpMatch::default();
    for g in &args.given {
        match g.id {
            0 if m.sport.is_some() => return Err(Fault::param("Only one `--source-port' allowed")),
            0 => m.sport = Some(g.inv(ports(&g.text, 132)?)),
            1 if m.dport.is_some() => return Err(Fault::param("Only one `--destination-port' allowed")),
            1 => m.dport = Some(g.inv(ports(&g.text, 132)?)),
            _ if m.chunks.is_some() => return Err(Fault::param("Only one `--chunk-types' allowed")),
            _ => m.chunks = Some(g.inv(chunks(&g.text, &g.second)?.into())),
        }
    }
    Ok(Match::Sctp(m))
}

fn put_chunks(out: &mut String, c: &SctpChunks, numeric: bool) {
    out.push_str(match c.scope {
        ChunkScope::Any => "any ",
        ChunkScope::All => "all ",
        ChunkScope::Only => "only ",
    });
    if c.types == [u32::MAX; 8] {
        out.push_str("ALL");
        return;
    }
    if c.types == [0; 8] {
        out.push_str("NONE");
        return;
    }
    let mut first = true;
    for number in 0..=255u8 {
        if c.types[usize::from(number / 32)] & 1 << (number % 32) == 0 {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        let known = CHUNKS.iter().find(|(_, n, _)| *n == number);
        match known.filter(|_| !numeric) {
            Some((name, ..)) => out.push_str(name),
            None => put!(out, "0x{number:04X}"),
        }
        if let (Some(f), Some((.., letters))) = (c.flags.iter().find(|f| f.chunk == number), known) {
            out.push(':');
            for (at, letter) in letters.chars().enumerate() {
                let bit = 1 << (7 - at);
                if f.mask & bit != 0 {
                    out.push(if f.flags & bit != 0 { letter } else { letter.to_ascii_lowercase() });
                }
            }
        }
    }
}

/// `-m sctp`'s options.
pub(super) fn save_sctp(m: &SctpMatch, out: &mut String) {
    save_ports(out, &m.sport, &m.dport);
    if let Some(c) = &m.chunks {
        put!(out, "{} --chunk-types ", not(c.not));
        put_chunks(out, &c.value, false);
    }
}

/// `-m sctp` in a listing.
pub(super) fn list_sctp(m: &SctpMatch, style: Style, out: &mut String) {
    out.push_str(" sctp");
    list_ports(out, &m.sport, &m.dport, 132, style);
    if let Some(c) = &m.chunks {
        put!(out, "{} ", not(c.not));
        put_chunks(out, &c.value, style.numeric);
    }
}

const DCCP_OPTS: &[Opt] = &[
    opt("source-port", 0, Ty::Ports).inv(),
    opt("sport", 0, Ty::Ports).inv(),
    opt("destination-port", 1, Ty::Ports).inv(),
    opt("dport", 1, Ty::Ports).inv(),
    opt("dccp-types", 2, Ty::Text).inv(),
    opt("dccp-option", 3, Ty::Num(1, 255)).inv(),
];

/// `-m dccp`.
pub(super) static DCCP: Ext<Match> =
    Ext { name: "dccp", family: None, opts: DCCP_OPTS, first: no_check, build: build_dccp };

const DCCP_TYPES: [&str; 10] =
    ["REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK"];
/// All types that are not known.
const DCCP_INVALID: u16 = 0xfc00;

fn build_dccp(args: &Args<'_>) -> Result<Match, Fault> {
    let types = match args.get(2) {
        Some(g) => {
            let mut set = 0u16;
            for word in g.text.split(',') {
                let upper = word.to_ascii_uppercase();
                set |= match DCCP_TYPES.iter().position(|n| *n == upper) {
                    Some(bit) => 1 << bit,
                    None if upper == "INVALID" => DCCP_INVALID,
                    None => return Err(Fault::param(words!("Unknown DCCP type `{word}'"))),
                };
            }
            Some(g.inv(set))
        }
        None => None,
    };
    Ok(Match::Dccp(DccpMatch {
        sport: args.range(0),
        dport: args.range(1),
        types,
        option: args.get(3).map(|g| g.inv(g.num() as u8)),
    }))
}

fn put_dccp_types(out: &mut String, set: u16, numeric: bool) {
    let mut words: Vec<String> = Vec::new();
    for (bit, name) in DCCP_TYPES.iter().enumerate() {
        if set & 1 << bit != 0 {
            words.push(if numeric { bit.to_string() } else { name.to_string() });
        }
    }
    if set & DCCP_INVALID != 0 {
        if numeric {
            words.extend((10..16).map(|n| n.to_string()));
        } else {
            words.push("INVALID".to_string());
        }
    }
    out.push_str(&words.join(","));
}

/// `-m dccp`'s options.
pub(super) fn save_dccp(m: &DccpMatch, out: &mut String) {
    save_ports(out, &m.sport, &m.dport);
    if let Some(types) = &m.types {
        put!(out, "{} --dccp-types ", not(types.not));
        put_dccp_types(out, types.value, false);
    }
    if let Some(option) = &m.option {
        put!(out, "{} --dccp-option {}", not(option.not), option.value);
    }
}

/// `-m dccp` in a listing.
pub(super) fn list_dccp(m: &DccpMatch, style: Style, out: &mut String) {
    out.push_str(" dccp");
    list_ports(out, &m.sport, &m.dport, 33, style);
    if let Some(types) = &m.types {
        put!(out, "{} ", not(types.not));
        put_dccp_types(out, types.value, style.numeric);
    }
    if let Some(option) = &m.option {
        put!(out, " option={}{}", if option.not { "!" } else { "" }, option.value);
    }
}

const ALL32: (u32, u32) = (0, u32::MAX);

/// A range that leaves something out.
fn limited<T: PartialEq>(range: Option<Inv<(T, T)>>, all: (T, T)) -> Option<Inv<(T, T)>> {
    range.filter(|r| r.value != all)
}

const AH_OPTS: &[Opt] = &[opt("ahspi", 0, Ty::Range(0, u32::MAX as u64)).inv()];

/// `-m ah` of IPv4.
pub(super) static AH: Ext<Match> = Ext {
    name: "ah",
    family: Some(Family::V4),
    opts: AH_OPTS,
    first: no_check,
    build: |args| Ok(Match::Ah(AhMatch { spi: limited(args.range(0), ALL32), ..AhMatch::default() })),
};

const AH6_OPTS: &[Opt] = &[
    opt("ahspi", 0, Ty::Range(0, u32::MAX as u64)).inv(),
    opt("ahlen", 1, Ty::Num(0, u32::MAX as u64)).inv(),
    opt("ahres", 2, Ty::Flag),
];

/// `-m ah` of IPv6.
pub(super) static AH6: Ext<Match> = Ext {
    name: "ah",
    family: Some(Family::V6),
    opts: AH6_OPTS,
    first: no_check,
    build: |args| {
        Ok(Match::Ah(AhMatch {
            spi: limited(args.range(0), ALL32),
            len: args.get(1).map(|g| g.inv(g.num() as u32)),
            reserved: args.has(2),
        }))
    },
};

/// `-m ah`'s options.
pub(super) fn save_ah(m: &AhMatch, out: &mut String) {
    if let Some(spi) = &m.spi {
        put!(out, "{} --ahspi ", not(spi.not));
        put_pair(out, &spi.value);
    }
    if let Some(len) = &m.len {
        put!(out, "{} --ahlen {}", not(len.not), len.value);
    }
    if m.reserved {
        out.push_str(" --ahres");
    }
}

fn list_spi(out: &mut String, spi: &Inv<(u32, u32)>) {
    let several = if spi.value.0 == spi.value.1 { "" } else { "s" };
    put!(out, "spi{several}:{}", if spi.not { "!" } else { "" });
    put_pair(out, &spi.value);
}

/// `-m ah` in a listing.
pub(super) fn list_ah(m: &AhMatch, out: &mut String) {
    out.push_str(" ah ");
    if let Some(spi) = &m.spi {
        list_spi(out, spi);
    }
    if let Some(len) = &m.len {
        put!(out, "length:{}{}", if len.not { "!" } else { "" }, len.value);
    }
    if m.reserved {
        out.push_str(" reserved");
    }
}

/// `-m esp`.
pub(super) static ESP: Ext<Match> = Ext {
    name: "esp",
    family: None,
    opts: &[opt("espspi", 0, Ty::Range(0, u32::MAX as u64)).inv()],
    first: no_check,
    build: |args| Ok(Match::Esp(SpiMatch { spi: limited(args.range(0), ALL32), reserved: false })),
};

const IPCOMP_OPTS: &[Opt] =
    &[opt("ipcompspi", 0, Ty::Range(0, u32::MAX as u64)).inv(), opt("compres", 1, Ty::Flag)];

/// `-m ipcomp`.
pub(super) static IPCOMP: Ext<Match> = Ext {
    name: "ipcomp",
    family: None,
    opts: IPCOMP_OPTS,
    first: no_check,
    build: |args| Ok(Match::Ipcomp(SpiMatch { spi: limited(args.range(0), ALL32), reserved: args.has(1) })),
};

/// `-m esp`'s and `-m ipcomp`'s options.
pub(super) fn save_spi(m: &SpiMatch, option: &str, out: &mut String) {
    if let Some(spi) = &m.spi {
        put!(out, "{} --{option} ", not(spi.not));
        put_pair(out, &spi.value);
    }
    if m.reserved {
        out.push_str(" --compres");
    }
}

/// `-m esp` and `-m ipcomp` in a listing.
pub(super) fn list_spis(m: &SpiMatch, name: &str, out: &mut String) {
    put!(out, " {name}");
    if let Some(spi) = &m.spi {
        out.push(' ');
        list_spi(out, spi);
    }
    if m.reserved {
        out.push_str(" reserved");
    }
}

/// `-m mh`.
pub(super) static MH: Ext<Match> = Ext {
    name: "mh",
    family: Some(Family::V6),
    opts: &[opt("mh-type", 0, Ty::Text).inv()],
    first: no_check,
    build: |args| {
        let kind = match args.get(0) {
            Some(g) => {
                let range = match g.text.split_once(':') {
                    None => mh_type(&g.text).map(|t| (t, t))?,
                    Some((low, high)) => {
                        let low = if low.is_empty() { 0 } else { mh_type(low)? };
                        let high = if high.is_empty() { 255 } else { mh_type(high)? };
                        if low > high {
                            return Err(Fault::param("Invalid MH type range (min > max)"));
                        }
                        (low, high)
                    }
                };
                Some(g.inv(range))
            }
            None => None,
        };
        Ok(Match::Mh(MhMatch { kind: limited(kind, (0, 255)) }))
    },
};

const MH_TYPES: &[(&str, u8)] = &[
    ("binding-refresh-request", 0),
    ("brr", 0),
    ("home-test-init", 1),
    ("hoti", 1),
    ("careof-test-init", 2),
    ("coti", 2),
    ("home-test", 3),
    ("hot", 3),
    ("careof-test", 4),
    ("cot", 4),
    ("binding-update", 5),
    ("bu", 5),
    ("binding-acknowledgement", 6),
    ("ba", 6),
    ("binding-error", 7),
    ("be", 7),
];

fn mh_type(text: &str) -> Result<u8, Fault> {
    let lower = text.to_ascii_lowercase();
    if let Some((_, number)) = MH_TYPES.iter().find(|(name, _)| *name == lower) {
        return Ok(*number);
    }
    number::whole(text, 0, 255)
        .map(|n| n as u8)
        .ok_or_else(|| Fault::param(words!("Invalid MH type `{text}'")))
}

/// `-m mh`'s option.
pub(super) fn save_mh(m: &MhMatch, out: &mut String) {
    if let Some(kind) = &m.kind {
        put!(out, "{} --mh-type ", not(kind.not));
        put_pair(out, &kind.value);
    }
}

/// `-m mh` in a listing.
pub(super) fn list_mh(m: &MhMatch, style: Style, out: &mut String) {
    out.push_str(" mh");
    let Some(kind) = &m.kind else { return };
    out.push_str(if kind.not { " !" } else { " " });
    let (low, high) = kind.value;
    for (i, t) in [low, high].iter().enumerate() {
        if i == 1 && low == high {
            break;
        }
        if i == 1 {
            out.push(':');
        }
        match MH_TYPES.iter().find(|(_, n)| n == t).filter(|_| !style.numeric) {
            Some((name, _)) => out.push_str(name),
            None => put!(out, "{t}"),
        }
    }
}

/// `-m tcpmss`.
pub(super) static TCPMSS: Ext<Match> = Ext {
    name: "tcpmss",
    family: None,
    opts: &[opt("mss", 0, Ty::Range(0, 65535)).inv().must()],
    first: no_check,
    build: |args| match args.range::<u16>(0) {
        Some(r) if r.value.0 > r.value.1 => Err(Fault::param("tcpmss: invalid range given")),
        Some(mss) => Ok(Match::Tcpmss(TcpmssMatch { mss })),
        None => Err(Fault::Incomplete),
    },
};

/// `-m tcpmss`'s option.
pub(super) fn save_tcpmss(m: &TcpmssMatch, out: &mut String) {
    put!(out, "{} --mss ", not(m.mss.not));
    put_pair(out, &m.mss.value);
}

/// `-m tcpmss` in a listing.
pub(super) fn list_tcpmss(m: &TcpmssMatch, out: &mut String) {
    put!(out, " tcpmss match {}", if m.mss.not { "!" } else { "" });
    put_pair(out, &m.mss.value);
}

const FRAG_OPTS: &[Opt] = &[
    opt("fragid", 0, Ty::Range(0, u32::MAX as u64)).inv(),
    opt("fraglen", 1, Ty::Num(0, u32::MAX as u64)).inv(),
    opt("fragres", 2, Ty::Flag),
    opt("fragfirst", 3, Ty::Flag),
    opt("fragmore", 4, Ty::Flag).not_with(&[5]),
    opt("fraglast", 5, Ty::Flag).not_with(&[4]),
];

/// `-m frag`.
pub(super) static FRAG: Ext<Match> = Ext {
    name: "frag",
    family: Some(Family::V6),
    opts: FRAG_OPTS,
    first: no_check,
    build: |args| {
        Ok(Match::Frag(FragMatch {
            id: limited(args.range(0), ALL32),
            len: args.get(1).map(|g| g.inv(g.num() as u32)),
            reserved: args.has(2),
            first: args.has(3),
            more: args.has(4),
            last: args.has(5),
        }))
    },
};

/// `-m frag`'s options.
pub(super) fn save_frag(m: &FragMatch, out: &mut String) {
    if let Some(id) = &m.id {
        put!(out, "{} --fragid ", not(id.not));
        put_pair(out, &id.value);
    }
    if let Some(len) = &m.len {
        put!(out, "{} --fraglen {}", not(len.not), len.value);
    }
    for (on, name) in
        [(m.reserved, "fragres"), (m.first, "fragfirst"), (m.more, "fragmore"), (m.last, "fraglast")]
    {
        if on {
            put!(out, " --{name}");
        }
    }
}

/// `-m frag` in a listing.
pub(super) fn list_frag(m: &FragMatch, out: &mut String) {
    out.push_str(" frag ");
    if let Some(id) = &m.id {
        let several = if id.value.0 == id.value.1 { "" } else { "s" };
        put!(out, "id{several}:{}", if id.not { "!" } else { "" });
        put_pair(out, &id.value);
    }
    if let Some(len) = &m.len {
        put!(out, " length:{}{}", if len.not { "!" } else { "" }, len.value);
    }
    for (on, name) in [(m.reserved, "reserved"), (m.first, "first"), (m.more, "more"), (m.last, "last")] {
        if on {
            put!(out, " {name}");
        }
    }
}

const IPV6HEADER_OPTS: &[Opt] = &[opt("header", 0, Ty::Text).inv().must(), opt("soft", 1, Ty::Flag)];

/// `-m ipv6header`.
pub(super) static IPV6HEADER: Ext<Match> = Ext {
    name: "ipv6header",
    family: Some(Family::V6),
    opts: IPV6HEADER_OPTS,
    first: no_check,
    build: |args| {
        let Some(g) = args.get(0) else { return Err(Fault::Incomplete) };
        let mut set = 0u8;
        for word in g.text.split(',') {
            let lower = word.to_ascii_lowercase();
            let found = HEADERS
                .iter()
                .find(|(long, short, number, _)| *long == lower || *short == lower || *number == lower)
                .ok_or_else(|| Fault::param(words!("unknown header `{word}' specified")))?;
            set |= found.3;
        }
        Ok(Match::Ipv6header(Ipv6HeaderMatch { headers: g.inv(set), soft: args.has(1) }))
    },
};

/// Long name, short name, protocol number, bit.
const HEADERS: [(&str, &str, &str, u8); 8] = [
    ("hop-by-hop", "hop", "0", 128),
    ("ipv6-opts", "dst", "60", 64),
    ("ipv6-route", "route", "43", 32),
    ("ipv6-frag", "frag", "44", 16),
    ("ah", "auth", "51", 8),
    ("esp", "esp", "50", 4),
    ("ipv6-nonxt", "none", "59", 2),
    ("protocol", "prot", "255", 1),
];

fn put_headers(out: &mut String, set: u8) {
    let names: Vec<&str> = HEADERS.iter().filter(|h| set & h.3 != 0).map(|h| h.0).collect();
    out.push_str(&names.join(","));
}

/// `-m ipv6header`'s options.
pub(super) fn save_ipv6header(m: &Ipv6HeaderMatch, out: &mut String) {
    put!(out, "{} --header ", not(m.headers.not));
    put_headers(out, m.headers.value);
    if m.soft {
        out.push_str(" --soft");
    }
}

/// `-m ipv6header` in a listing.
pub(super) fn list_ipv6header(m: &Ipv6HeaderMatch, style: Style, out: &mut String) {
    put!(out, " ipv6header flags:{}", if m.headers.not { "!" } else { "" });
    if style.numeric {
        put!(out, "0x{:02X}", m.headers.value);
    } else {
        put_headers(out, m.headers.value);
    }
    if m.soft {
        out.push_str(" soft");
    }
}

/// `-m eui64`.
pub(super) static EUI64: Ext<Match> =
    Ext { name: "eui64", family: Some(Family::V6), opts: &[], first: no_check, build: |_| Ok(Match::Eui64) };

const ECN_OPTS: &[Opt] = &[
    opt("ecn-tcp-cwr", 0, Ty::Flag).inv(),
    opt("ecn-tcp-ece", 1, Ty::Flag).inv(),
    opt("ecn-ip-ect", 2, Ty::Num(0, 3)).inv(),
];

/// `-m ecn`.
pub(super) static ECN: Ext<Match> = Ext {
    name: "ecn",
    family: None,
    opts: ECN_OPTS,
    first: |args| {
        if args.given.is_empty() { Err(Fault::param("ECN match: some option required")) } else { Ok(()) }
    },
    build: |args| {
        Ok(Match::Ecn(EcnMatch {
            tcp_cwr: args.flag(0),
            tcp_ece: args.flag(1),
            ip_ect: args.get(2).map(|g| g.inv(g.num() as u8)),
        }))
    },
};

/// `-m ecn`'s options.
pub(super) fn save_ecn(m: &EcnMatch, out: &mut String) {
    if let Some(ece) = &m.tcp_ece {
        put!(out, "{} --ecn-tcp-ece", not(ece.not));
    }
    if let Some(cwr) = &m.tcp_cwr {
        put!(out, "{} --ecn-tcp-cwr", not(cwr.not));
    }
    if let Some(ect) = &m.ip_ect {
        put!(out, "{} --ecn-ip-ect {}", not(ect.not), ect.value);
    }
}

/// `-m ecn` in a listing.
pub(super) fn list_ecn(m: &EcnMatch, out: &mut String) {
    out.push_str(" ECN match");
    if let Some(ece) = &m.tcp_ece {
        put!(out, " {}ECE", if ece.not { "!" } else { "" });
    }
    if let Some(cwr) = &m.tcp_cwr {
        put!(out, " {}CWR", if cwr.not { "!" } else { "" });
    }
    if let Some(ect) = &m.ip_ect {
        put!(out, " {}ECT={}", if ect.not { "!" } else { "" }, ect.value);
    }
}

/// `--chunk-types` as nft lists them; `None`: it has no words for a choice.
pub(crate) fn nft_chunks(c: &SctpChunks, not: bool) -> Option<String> {
    if c.scope == ChunkScope::Any {
        return None;
    }
    let mut parts = Vec::new();
    for (name, number, _) in CHUNKS {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let name = name.strip_prefix("ecn-").unwrap_or(&name);
        let there = c.types[usize::from(number / 32)] & 1 << (number % 32) != 0;
        match c.flags.iter().find(|f| there && f.chunk == *number) {
            Some(f) => {
                let sign = if not { "!=" } else { "==" };
                parts.push(format!("sctp chunk {name} flags & {:#x} {sign} {:#x}", f.mask, f.flags));
            }
            None if there => {
                parts.push(format!("sctp chunk {name} {}", if not { "missing" } else { "exists" }))
            }
            None if c.scope == ChunkScope::Only => parts.push(format!("sctp chunk {name} missing")),
            None => {}
        }
    }
    Some(parts.join(" "))
}

/// `--dccp-types` as nft lists them.
pub(crate) fn nft_dccp_types(set: u16) -> String {
    let mut names: Vec<String> = (0..10)
        .filter(|bit| set & 1 << bit != 0)
        .map(|bit| DCCP_TYPES[bit as usize].to_ascii_lowercase())
        .collect();
    if set & DCCP_INVALID != 0 {
        names.push("10-15".into());
    }
    match names.as_slice() {
        [one] => one.clone(),
        many => format!("{{ {} }}", many.join(", ")),
    }
}
