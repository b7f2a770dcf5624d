//! The command line of `conntrack`, and which entries it means.

use super::line::{SCTP_STATES, Style, TCP_STATES, state_name, tcp_state};
use crate::complete::{Choice, Kind, of};
use crate::names::{PROTOCOLS, parse_addr, parse_number, protocol_number};
use crate::output::Output;
use crate::shell::Word;
use hookwalk_engine::addr::{Addr, Family};
use hookwalk_engine::conntrack::{Conn, Direction, Tuple, status};
use hookwalk_engine::packet::proto;

/// The one thing that a command line asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Command {
    List,
    Get,
    Delete,
    Insert,
    Add,
    Update,
    Events,
    Flush,
    Count,
    Stats,
    Version,
}

/// Which table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Table {
    #[default]
    Conntrack,
    Expect,
    Dying,
    Unconfirmed,
}

/// A NAT filter: `--src-nat`, with an address and a port or without.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct NatFilter {
    pub addr: Option<(Family, Addr)>,
    pub port: Option<u16>,
}

/// Numbers of one direction that protocol options give: ports, keys, or an ICMP message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Numbers {
    pub src: Option<u16>,
    pub dst: Option<u16>,
}

/// Everything that a command line says.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub command: Option<Command>,
    pub table: Table,
    pub style: Style,
    pub zero: bool,
    pub family: Option<Family>,
    pub proto: Option<u8>,
    /// By direction: source and destination with their masks.
    pub src: [Option<(Addr, Addr)>; 2],
    pub dst: [Option<(Addr, Addr)>; 2],
    /// By direction.
    pub ports: [Numbers; 2],
    pub icmp: (Option<u8>, Option<u8>, Option<u16>),
    pub state: Option<String>,
    /// SCTP verification tags, by direction.
    pub vtag: [Option<u32>; 2],
    pub mark: Option<(u32, u32)>,
    pub status: Option<u32>,
    /// `-u UNREPLIED`: the bit that must not be there.
    pub unreplied: bool,
    pub zone: Option<u16>,
    pub orig_zone: Option<u16>,
    pub reply_zone: Option<u16>,
    pub src_nat: Option<NatFilter>,
    pub dst_nat: Option<NatFilter>,
    pub any_nat: Option<NatFilter>,
    pub timeout: Option<u32>,
    pub events: Option<u8>,
    /// Was an option given that selects entries?
    pub selective: bool,
    /// Long names of the options given, for those that a command does not take.
    pub given: Vec<&'static str>,
}

/// Bits of `-e`.
pub(super) const NEW: u8 = 1;
pub(super) const UPDATES: u8 = 2;
pub(super) const DESTROY: u8 = 4;

/// The tool's usage errors have exit status 2 and point to its help.
pub(super) fn usage(message: impl std::fmt::Display) -> Box<Output> {
    Box::new(Output::fail(
        2,
        format!(
            "conntrack v1.4.7 (conntrack-tools): {message}\n\
             Try `conntrack -h' or 'conntrack --help' for more information."
        ),
    ))
}

/// Options that are known: letter, long name, does it take a value (`?`: perhaps).
const KNOWN: &[(char, &str, char)] = &[
    ('s', "src", '+'),
    ('s', "orig-src", '+'),
    ('d', "dst", '+'),
    ('d', "orig-dst", '+'),
    ('r', "reply-src", '+'),
    ('q', "reply-dst", '+'),
    ('p', "protonum", '+'),
    ('f', "family", '+'),
    ('t', "timeout", '+'),
    ('u', "status", '+'),
    ('m', "mark", '+'),
    ('n', "src-nat", '?'),
    ('g', "dst-nat", '?'),
    ('j', "any-nat", '?'),
    ('w', "zone", '+'),
    ('(', "orig-zone", '+'),
    (')', "reply-zone", '+'),
    ('o', "output", '+'),
    ('e', "event-mask", '+'),
    ('z', "zero", '-'),
    ('b', "buffer-size", '+'),
    ('[', "mask-src", '+'),
    (']', "mask-dst", '+'),
    ('c', "secmark", '+'),
    ('i', "id", '+'),
    ('l', "label", '+'),
    ('<', "label-add", '+'),
    ('>', "label-del", '+'),
    ('a', "nat-range", '+'),
    ('{', "tuple-src", '+'),
    ('}', "tuple-dst", '+'),
];

/// Options that come with `-p`.
const PORTS: &[(&str, usize, bool)] = &[
    ("sport", 0, false),
    ("orig-port-src", 0, false),
    ("dport", 0, true),
    ("orig-port-dst", 0, true),
    ("reply-port-src", 1, false),
    ("reply-port-dst", 1, true),
];

const KEYS: &[(&str, usize, bool)] = &[
    ("srckey", 0, false),
    ("orig-key-src", 0, false),
    ("dstkey", 0, true),
    ("orig-key-dst", 0, true),
    ("reply-key-src", 1, false),
    ("reply-key-dst", 1, true),
];

/// Reads the command line. An error is what the tool prints, or a refusal.
pub(super) fn parse(argv: &[Word]) -> Result<Options, Box<Output>> {
    let mut o = Options::default();
    let mut masks = [None, None];
    let mut at = 1;
    while at < argv.len() {
        let word = &argv[at];
        at += 1;
        let text = word.text.as_str();
        if let Some(command) = command(text) {
            if o.command.is_some() {
                return Err(usage("Invalid commands combination"));
            }
            o.command = Some(command);
            if let Some(table) = argv.get(at).filter(|w| !w.text.starts_with('-')) {
                at += 1;
                let text = table.text.as_str();
                let names = [
                    ("conntrack", Table::Conntrack),
                    ("expect", Table::Expect),
                    ("dying", Table::Dying),
                    ("unconfirmed", Table::Unconfirmed),
                ];
                o.table = match names.iter().find(|(name, _)| name.starts_with(text) && !text.is_empty()) {
                    Some((_, table)) => *table,
                    None => return Err(usage(format!("unknown type `{text}'"))),
                };
            }
            continue;
        }
        let (name, inline) = match text.strip_prefix("--") {
            Some(long) => match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_string())),
                None => (long, None),
            },
            None => match text.strip_prefix('-') {
                Some(short) if !short.is_empty() => {
                    let letter = short.chars().next().unwrap_or('-');
                    let rest = &short[letter.len_utf8()..];
                    let known = KNOWN.iter().find(|(l, ..)| *l == letter && letter.is_ascii_alphabetic());
                    match known {
                        Some((_, name, '-')) if !rest.is_empty() => {
                            return Err(usage(format!("unknown option `-{rest}' (after --{name})")));
                        }
                        Some((_, name, _)) => (*name, (!rest.is_empty()).then(|| rest.to_string())),
                        None => return Err(usage(format!("unknown option `{text}'"))),
                    }
                }
                _ => return Err(usage(format!("unknown option `{text}'"))),
            },
        };
        let unknown = || usage(format!("unknown option `--{name}'"));
        let known = KNOWN.iter().find(|(_, long, _)| *long == name);
        let takes = match known {
            Some((_, _, takes)) => *takes,
            None if o.proto.is_some() && proto_option(o.proto, name) => '+',
            None => return Err(unknown()),
        };
        if let Some((_, long, _)) = known {
            o.given.push(long);
        }
        let value = match (takes, inline) {
            ('-', _) => String::new(),
            (_, Some(value)) => value,
            (_, None) => match argv.get(at).filter(|w| takes == '+' || !w.text.starts_with('-')) {
                Some(next) => {
                    at += 1;
                    next.text.clone()
                }
                None if takes == '?' => String::new(),
                None => return Err(usage(format!("option `{text}' requires an argument"))),
            },
        };
        option(&mut o, &mut masks, name, &value, word)?;
    }
    for (mask, ends) in masks.into_iter().zip([&mut o.src[0], &mut o.dst[0]]) {
        if let (Some(mask), Some((addr, old))) = (mask, ends.as_mut()) {
            *old = mask;
            *addr = addr.and(mask);
        }
    }
    Ok(o)
}

fn command(text: &str) -> Option<Command> {
    Some(match text {
        "-L" | "--dump" => Command::List,
        "-G" | "--get" => Command::Get,
        "-D" | "--delete" => Command::Delete,
        "-I" | "--create" => Command::Insert,
        "-A" | "--add" => Command::Add,
        "-U" | "--update" => Command::Update,
        "-E" | "--event" => Command::Events,
        "-F" | "--flush" => Command::Flush,
        "-C" | "--count" => Command::Count,
        "-S" | "--stats" => Command::Stats,
        "-V" | "--version" => Command::Version,
        _ => return None,
    })
}

/// The commands with what each is for.
const COMMANDS: [(&str, &str); 10] = [
    ("-L", "[conntrack|expect|dying|unconfirmed]"),
    ("-G", "TUPLE"),
    ("-D", "FILTER"),
    ("-I", "TUPLE"),
    ("-U", "TUPLE"),
    ("-E", "FILTER"),
    ("-F", ""),
    ("-C", ""),
    ("-S", ""),
    ("-V", ""),
];

/// What can stand after these words.
pub(super) fn choices(addrs: &[String], words: &[&str]) -> Vec<Choice> {
    let last = words.last().copied().unwrap_or_default();
    let named = last.trim_start_matches('-');
    match last {
        "-p" | "--proto" | "--protonum" => return of(Kind::Value, PROTOCOLS.iter().map(|(name, _)| *name)),
        "-s" | "-d" | "-r" | "-q" => return of(Kind::Address, addrs.iter().cloned()),
        "-f" | "--family" => return of(Kind::Value, ["ipv4", "ipv6"]),
        "-o" | "--output" => {
            return of(Kind::Value, ["extended", "id", "timestamp", "ktimestamp", "xml", "save"]);
        }
        "-u" | "--status" => {
            return of(
                Kind::Value,
                ["ASSURED", "SEEN_REPLY", "UNREPLIED", "SRC_NAT", "DST_NAT", "CONFIRMED"],
            );
        }
        "-e" | "--event-mask" => return of(Kind::Value, ["NEW", "UPDATES", "DESTROY", "ALL"]),
        "--state" => return of(Kind::Value, TCP_STATES.into_iter().chain(SCTP_STATES)),
        _ if last.starts_with("--")
            && (named.ends_with("src") || named.ends_with("dst"))
            && !named.contains("port") =>
        {
            return of(Kind::Address, addrs.iter().cloned());
        }
        _ => {}
    }
    if KNOWN.iter().any(|(letter, name, takes)| {
        *takes == '+' && (named == *name || last.starts_with('-') && named.chars().eq([*letter]))
    }) {
        return Vec::new();
    }
    let mut all = Vec::new();
    if !words.iter().any(|w| command(w).is_some()) {
        all.extend(COMMANDS.iter().map(|(text, detail)| Choice {
            text: (*text).into(),
            kind: Kind::Option,
            detail,
        }));
    }
    let proto =
        words.iter().position(|w| *w == "-p").and_then(|i| words.get(i + 1)).and_then(|w| protocol_number(w));
    let ports = PORTS.iter().map(|(name, ..)| *name).filter(|n| proto_option(proto, n));
    all.extend(of(Kind::Option, ports.map(|n| format!("--{n}"))));
    all.push(Choice { text: "-p".into(), kind: Kind::Option, detail: "PROTOCOL" });
    all.push(Choice { text: "-o".into(), kind: Kind::Option, detail: "FORMAT" });
    all.extend(of(Kind::Option, KNOWN.iter().map(|(_, name, _)| format!("--{name}"))));
    all
}

/// Does the protocol know the option?
fn proto_option(number: Option<u8>, name: &str) -> bool {
    let ports = || PORTS.iter().any(|(n, ..)| *n == name);
    match number {
        Some(proto::TCP) => ports() || name == "state",
        Some(proto::UDP | proto::UDPLITE) => ports(),
        Some(proto::SCTP | proto::DCCP) => ports() || matches!(name, "state" | "orig-vtag" | "reply-vtag"),
        Some(proto::ICMP) => matches!(name, "icmp-type" | "icmp-code" | "icmp-id"),
        Some(proto::ICMPV6) => matches!(name, "icmpv6-type" | "icmpv6-code" | "icmpv6-id"),
        Some(proto::GRE) => KEYS.iter().any(|(n, ..)| *n == name),
        _ => false,
    }
}

fn number<T: TryFrom<u64>>(text: &str) -> Option<T> {
    T::try_from(parse_number(text)?).ok()
}

fn option(
    o: &mut Options,
    masks: &mut [Option<Addr>; 2],
    name: &str,
    value: &str,
    word: &Word,
) -> Result<(), Box<Output>> {
    let bad = || usage(format!("Bad parameter `{value}'"));
    o.selective |= !matches!(name, "output" | "zero" | "buffer-size" | "event-mask");
    match name {
        "src" | "orig-src" => o.src[0] = Some(address(o, value)?),
        "dst" | "orig-dst" => o.dst[0] = Some(address(o, value)?),
        "reply-src" => o.src[1] = Some(address(o, value)?),
        "reply-dst" => o.dst[1] = Some(address(o, value)?),
        "mask-src" => masks[0] = Some(address(o, value)?.0),
        "mask-dst" => masks[1] = Some(address(o, value)?.0),
        "protonum" => {
            let by_name = [
                ("tcp", proto::TCP),
                ("udp", proto::UDP),
                ("udplite", proto::UDPLITE),
                ("icmp", proto::ICMP),
                ("icmpv6", proto::ICMPV6),
                ("sctp", proto::SCTP),
                ("gre", proto::GRE),
                ("dccp", proto::DCCP),
            ];
            let found = by_name.iter().find(|(n, _)| n.eq_ignore_ascii_case(value)).map(|(_, p)| *p);
            match found.or_else(|| number(value)) {
                Some(proto) => o.proto = Some(proto),
                None => return Err(usage(format!("`{value}' unsupported protocol"))),
            }
        }
        "family" => match value {
            "ipv4" => o.family = Some(Family::V4),
            "ipv6" => o.family = Some(Family::V6),
            _ => return Err(usage(format!("`{value}' unsupported protocol"))),
        },
        "timeout" => o.timeout = Some(number(value).ok_or_else(bad)?),
        "status" => {
            let mut bits = 0;
            for part in value.split(',') {
                match part {
                    "SEEN_REPLY" => bits |= status::SEEN_REPLY,
                    "ASSURED" => bits |= status::ASSURED,
                    "FIXED_TIMEOUT" => bits |= status::FIXED_TIMEOUT,
                    "EXPECTED" => bits |= status::EXPECTED,
                    "OFFLOAD" => bits |= 1 << 14,
                    "HW_OFFLOAD" => bits |= 1 << 15,
                    "UNREPLIED" => o.unreplied = true,
                    "UNSET" => {}
                    _ => return Err(usage(format!("Bad parameter `{part}'"))),
                }
            }
            o.status = Some(bits);
        }
        "mark" => {
            let (mark, mask) = match value.split_once('/') {
                Some((mark, mask)) => (mark, number(mask).ok_or_else(bad)?),
                None => (value, u32::MAX),
            };
            o.mark = Some((number(mark).ok_or_else(bad)?, mask));
        }
        "src-nat" | "dst-nat" | "any-nat" => {
            let filter = nat_filter(value)?;
            match name {
                "src-nat" => o.src_nat = Some(filter),
                "dst-nat" => o.dst_nat = Some(filter),
                _ => o.any_nat = Some(filter),
            }
        }
        "zone" => o.zone = Some(number(value).ok_or_else(bad)?),
        "orig-zone" => o.orig_zone = Some(number(value).ok_or_else(bad)?),
        "reply-zone" => o.reply_zone = Some(number(value).ok_or_else(bad)?),
        "output" => {
            for part in value.split(',') {
                match part {
                    "extended" => o.style.extended = true,
                    "id" => o.style.id = true,
                    "timestamp" => o.style.timestamp = true,
                    "xml" => o.style.xml = true,
                    "save" => o.style.save = true,
                    "userspace" => {}
                    "ktimestamp" | "labels" => {
                        let message = format!("conntrack -o {part} is not simulated");
                        return Err(Box::new(Output::refuse(message, word.span.clone())));
                    }
                    _ => return Err(usage(format!("Bad parameter `{part}'"))),
                }
            }
        }
        "event-mask" => {
            let mut bits = 0;
            for part in value.split(',') {
                bits |= match part {
                    "ALL" => NEW | UPDATES | DESTROY,
                    "NEW" => NEW,
                    "UPDATES" | "UPDATE" => UPDATES,
                    "DESTROY" => DESTROY,
                    _ => return Err(usage(format!("Bad parameter `{part}'"))),
                };
            }
            o.events = Some(bits);
        }
        "zero" => o.zero = true,
        // How much the socket may hold is of no account here.
        "buffer-size" => {}
        "state" => {
            let known = match o.proto {
                Some(proto::TCP) => tcp_state(value).is_some() || value == "LISTEN",
                _ => SCTP_STATES.contains(&value),
            };
            if !known {
                let name = if o.proto == Some(proto::TCP) { "TCP" } else { "SCTP" };
                return Err(usage(format!("unknown {name} state `{value}'")));
            }
            o.state = Some(value.to_string());
        }
        "orig-vtag" => o.vtag[0] = Some(number(value).ok_or_else(bad)?),
        "reply-vtag" => o.vtag[1] = Some(number(value).ok_or_else(bad)?),
        "icmp-type" | "icmpv6-type" => o.icmp.0 = Some(number(value).ok_or_else(bad)?),
        "icmp-code" | "icmpv6-code" => o.icmp.1 = Some(number(value).ok_or_else(bad)?),
        "icmp-id" | "icmpv6-id" => o.icmp.2 = Some(number(value).ok_or_else(bad)?),
        _ => match PORTS.iter().chain(KEYS).find(|(n, ..)| *n == name) {
            Some((_, dir, false)) => o.ports[*dir].src = Some(number(value).ok_or_else(bad)?),
            Some((_, dir, true)) => o.ports[*dir].dst = Some(number(value).ok_or_else(bad)?),
            None => {
                let message = format!("conntrack --{name} is not simulated");
                return Err(Box::new(Output::refuse(message, word.span.clone())));
            }
        },
    }
    Ok(())
}

/// `ADDR[/LEN]`; the family is then known.
fn address(o: &mut Options, value: &str) -> Result<(Addr, Addr), Box<Output>> {
    let (text, len) = match value.split_once('/') {
        Some((text, len)) => (text, Some(len)),
        None => (value, None),
    };
    let Some((family, addr)) = parse_addr(text) else {
        return Err(usage(format!("Invalid IP address `{text}'")));
    };
    if o.family.is_some_and(|f| f != family) {
        return Err(usage("mismatched address family"));
    }
    o.family = Some(family);
    let len = match len {
        None => family.bits(),
        Some(len) => {
            number::<u8>(len).filter(|l| *l <= family.bits()).ok_or_else(|| usage("Invalid netmask"))?
        }
    };
    let mask = Addr::prefix_mask(family, len);
    Ok((addr.and(mask), mask))
}

/// `ADDR`, `ADDR:PORT`, `[ADDR]:PORT`, or nothing.
fn nat_filter(value: &str) -> Result<NatFilter, Box<Output>> {
    if value.is_empty() {
        return Ok(NatFilter { addr: None, port: None });
    }
    let (addr, port) = match value.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or((rest, ""), |(a, p)| (a, p.trim_start_matches(':'))),
        None => match value.split_once(':') {
            Some((addr, port)) if !port.contains(':') => (addr, port),
            _ => (value, ""),
        },
    };
    let Some(found) = parse_addr(addr) else { return Err(usage(format!("Invalid IP address `{addr}'"))) };
    let port = match port {
        "" => None,
        port => Some(number(port).ok_or_else(|| usage(format!("Invalid port `{port}'")))?),
    };
    Ok(NatFilter { addr: Some(found), port })
}

impl Options {
    /// Does the command line mean this entry?
    pub(super) fn matches(&self, conn: &Conn) -> bool {
        let t = conn.tuple(Direction::Original);
        let r = conn.tuple(Direction::Reply);
        let within = |filter: &Option<(Addr, Addr)>, addr: Addr| {
            filter.is_none_or(|(network, mask)| addr.and(mask) == network)
        };
        let same = |wanted: Option<u16>, value: u16| wanted.is_none_or(|w| w == value);
        let directions = [t, r].into_iter().enumerate().all(|(dir, tuple)| {
            within(&self.src[dir], tuple.src)
                && within(&self.dst[dir], tuple.dst)
                && same(self.ports[dir].src, tuple.sport)
                && same(self.ports[dir].dst, tuple.dport)
        });
        let icmp = self.icmp.0.is_none_or(|kind| kind == t.icmp_type())
            && self.icmp.1.is_none_or(|code| code == t.icmp_code())
            && same(self.icmp.2, t.sport);
        let zone = |orig: bool, reply: bool| conn.zone.orig == orig && conn.zone.reply == reply;
        directions
            && icmp
            && self.family.is_none_or(|f| f == t.family)
            && self.proto.is_none_or(|p| p == t.proto)
            && self.state.as_ref().is_none_or(|s| state_name(conn).is_some_and(|n| n == s))
            && self.mark.is_none_or(|(mark, mask)| conn.mark & mask == mark)
            && self.status.is_none_or(|bits| conn.status & bits == bits)
            && (!self.unreplied || !conn.has(status::SEEN_REPLY))
            && self.zone.is_none_or(|z| conn.zone.id == z && (z == 0 || zone(true, true)))
            && self.orig_zone.is_none_or(|z| conn.zone.id == z && zone(true, false))
            && self.reply_zone.is_none_or(|z| conn.zone.id == z && zone(false, true))
            && self.src_nat.is_none_or(|f| source_changed(conn, t, r, f))
            && self.dst_nat.is_none_or(|f| destination_changed(conn, t, r, f))
            && self
                .any_nat
                .is_none_or(|f| source_changed(conn, t, r, f) || destination_changed(conn, t, r, f))
    }
}

/// `NFCT_GOPT_IS_SNAT`, `_SPAT`: what stands for ports is compared whatever the protocol, so that an ICMP entry which
/// nat has seen counts as changed.
fn source_changed(conn: &Conn, t: &Tuple, r: &Tuple, filter: NatFilter) -> bool {
    let (address, port) = (r.dst != t.src, r.dport != t.sport);
    conn.has(status::SRC_NAT_DONE) && nat_matches(filter, (address, r.dst), (port, r.dport), t.family)
}

/// `NFCT_GOPT_IS_DNAT`, `_DPAT`.
fn destination_changed(conn: &Conn, t: &Tuple, r: &Tuple, filter: NatFilter) -> bool {
    let (address, port) = (r.src != t.dst, r.sport != t.dport);
    conn.has(status::DST_NAT_DONE) && nat_matches(filter, (address, r.src), (port, r.sport), t.family)
}

fn nat_matches(filter: NatFilter, addr: (bool, Addr), port: (bool, u16), family: Family) -> bool {
    match filter {
        NatFilter { addr: None, .. } => addr.0 || port.0,
        NatFilter { addr: Some(wanted), port: number } => {
            addr.0 && (family, addr.1) == wanted && number.is_none_or(|n| port.0 && port.1 == n)
        }
    }
}

/// Are the tuple's numbers ports?
pub(super) fn has_ports(t: &Tuple) -> bool {
    matches!(t.proto, proto::TCP | proto::UDP | proto::UDPLITE | proto::SCTP | proto::DCCP)
}
