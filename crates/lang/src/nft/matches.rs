//! `-m` conditions in nft's words.

use super::rule::{Kind, Statements, ip, not};
use crate::iptables::{address, matches as own, put};
use hookwalk_engine::Family;
use hookwalk_engine::addr::Addr;
use hookwalk_engine::conntrack::{Direction, status};
use hookwalk_engine::matches::*;
use hookwalk_engine::packet::{PktType, proto, tcp_flags};
use hookwalk_engine::ruleset::{Inv, Rule};

/// Appends the statements of one condition.
pub(super) fn push(m: &Match, rule: &Rule, family: Family, all: &mut Statements) {
    match m {
        Match::Tcp(tcp) if tcp.option.is_none() && (tcp.flags.is_none_or(|f| f.value.0 != 0)) => {
            if tcp.sport.is_none() && tcp.dport.is_none() && tcp.flags.is_none() {
                return all.push_xtables("match", "tcp", Some(String::new()));
            }
            if let Some(flags) = &tcp.flags {
                all.push(Kind::Transport, flag_comparison(flags));
            }
            ports("tcp", &tcp.sport, &tcp.dport, all);
        }
        Match::Udp(udp) if udp.sport.is_some() || udp.dport.is_some() => {
            ports("udp", &udp.sport, &udp.dport, all);
        }
        Match::Mark(m) => all.push(Kind::Own, meta_mark(&m.mark)),
        Match::Limit(m) => all.push(Kind::Other, limit(m)),
        _ => {
            let text = translated(m, rule, family);
            all.push_xtables("match", m.name(), text);
        }
    }
}

/// Ports as nf_tables compares them.
fn ports(name: &str, sport: &Option<Inv<PortRange>>, dport: &Option<Inv<PortRange>>, all: &mut Statements) {
    for (key, range) in [("sport", sport), ("dport", dport)] {
        let Some(range) = range else { continue };
        let text = match (range.value.0, range.value.1, range.not) {
            // Every port there is: no condition.
            (0, u16::MAX, _) => continue,
            (low, high, _) if low == high => format!("{name} {key}{} {low}", not(range)),
            (0, high, false) => format!("{name} {key} <= {high}"),
            (0, high, true) => format!("{name} {key} > {high}"),
            (low, high, _) => format!("{name} {key}{} {low}-{high}", not(range)),
        };
        all.push(Kind::Transport, text);
    }
}

const FLAGS: [(&str, u8); 6] = [
    ("fin", tcp_flags::FIN),
    ("syn", tcp_flags::SYN),
    ("rst", tcp_flags::RST),
    ("psh", tcp_flags::PSH),
    ("ack", tcp_flags::ACK),
    ("urg", tcp_flags::URG),
];

fn flag_names(flags: u8) -> String {
    let set: Vec<&str> = FLAGS.iter().filter(|(_, bit)| flags & bit != 0).map(|(n, _)| *n).collect();
    set.join(",")
}

fn flag_comparison(flags: &Inv<(u8, u8)>) -> String {
    let (mask, value) = flags.value;
    let names = flag_names(mask);
    match (value, flags.not) {
        (0, false) => format!("tcp flags ! {names}"),
        (0, true) => format!("tcp flags {names}"),
        _ if mask.count_ones() == 1 => {
            format!("tcp flags & {names} {} {}", if flags.not { "!=" } else { "==" }, flag_names(value))
        }
        _ => format!("tcp flags{} {} / {names}", not(flags), flag_names(value)),
    }
}

fn meta_mark(m: &Inv<MaskedMark>) -> String {
    let MaskedMark { value, mask } = m.value;
    match mask {
        u32::MAX => format!("meta mark{} {value:#010x}", not(m)),
        0 => format!("meta mark{} {value:#010x}/0", not(m)),
        _ => {
            let sign = if m.not { "!=" } else { "==" };
            format!("meta mark & {mask:#010x} {sign} {value:#010x}")
        }
    }
}

/// Units by their lengths in seconds.
fn unit(seconds: u64) -> &'static str {
    match seconds {
        86_400 => "day",
        3600 => "hour",
        60 => "minute",
        _ => "second",
    }
}

fn limit(m: &LimitMatch) -> String {
    let (count, seconds) = own::rate_of(u64::from(m.avg), 10_000);
    let mut text = format!("limit rate {count}/{}", unit(seconds));
    if m.burst != 5 {
        put!(text, " burst {} packets", m.burst);
    }
    text
}

/// `A-B`, or `A` where both are the same.
fn range<T: PartialEq + std::fmt::Display>(low: T, high: T) -> String {
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}

/// Parts of a condition, with blanks between.
struct Parts(Vec<String>);

impl Parts {
    fn range<T: PartialEq + std::fmt::Display + Copy>(&mut self, key: &str, of: &Option<Inv<(T, T)>>) {
        if let Some(r) = of {
            self.0.push(format!("{key}{} {}", not(r), range(r.value.0, r.value.1)));
        }
    }
    fn some(self) -> Option<String> {
        Some(self.0.join(" "))
    }
}

/// What libxtables says; `None`: it has no words for it.
fn translated(m: &Match, rule: &Rule, family: Family) -> Option<String> {
    let mut parts = Parts(Vec::new());
    match m {
        Match::Comment(_) | Match::Udp(_) => {}
        Match::Tcp(t) => {
            parts.range("tcp sport", &t.sport);
            parts.range("tcp dport", &t.dport);
            if let Some(option) = &t.option {
                let there = if option.not { "missing" } else { "exists" };
                parts.0.push(format!("tcp option {} {there}", option.value));
            }
            if let Some(flags) = t.flags.filter(|f| f.value.0 != 0) {
                let (mask, value) = flags.value;
                parts.0.push(format!(
                    "tcp flags{} {} / {}",
                    not(&flags),
                    flag_names(value),
                    flag_names(mask)
                ));
            }
        }
        Match::Icmp(m) => return icmp(m),
        Match::Icmp6(m) => return icmp6(m),
        Match::Conntrack(m) => return conntrack(m, family),
        Match::State(m) => parts.0.push(format!("ct state{} {}", bang(&m.states), states(m.states.value))),
        Match::Multiport(m) => return multiport(m, rule),
        Match::Mac(m) => {
            parts.0.push(format!("ether saddr{} {}", not(&m.source), crate::names::mac(m.source.value)))
        }
        Match::Owner(m) => return owner(m),
        Match::Addrtype(m) => return addrtype(m),
        Match::Connmark(m) => parts.0.push(masked("ct mark", &m.mark)),
        Match::Hashlimit(m) => return hashlimit(m, family),
        Match::Connbytes(m) => return Some(connbytes(m)),
        Match::Iprange(m) => {
            for (key, of) in [("saddr", &m.src), ("daddr", &m.dst)] {
                let Some(r) = of else { continue };
                let mut text = format!("{} {key}{} ", ip(family), not(r));
                address::put(&mut text, r.value.0, family);
                text.push('-');
                address::put(&mut text, r.value.1, family);
                parts.0.push(text);
            }
        }
        Match::Length(m) => parts.range("meta length", &Some(m.length)),
        Match::Ttl(m) => parts.0.push(hops("ip ttl", m)),
        Match::Hl(m) => parts.0.push(hops("ip6 hoplimit", m)),
        Match::Dscp(m) => parts.0.push(format!("{} dscp{} {:#04x}", ip(family), not(&m.dscp), m.dscp.value)),
        Match::Ecn(m) => {
            // One `!` is told of all parts.
            let inverted = m.tcp_ece.is_some_and(|f| f.not)
                || m.tcp_cwr.is_some_and(|f| f.not)
                || m.ip_ect.is_some_and(|f| f.not);
            let sign = if inverted { " !=" } else { "" };
            for (flag, name) in [(&m.tcp_ece, "ecn"), (&m.tcp_cwr, "cwr")] {
                if flag.is_some() {
                    parts.0.push(format!("tcp flags{sign} {name}"));
                }
            }
            if let Some(ect) = &m.ip_ect {
                let name = ["not-ect", "ect1", "ect0", "ce"][usize::from(ect.value & 3)];
                parts.0.push(format!("ip ecn{sign} {name}"));
            }
        }
        Match::Pkttype(m) => {
            let name = match m.kind.value {
                PktType::Broadcast => "broadcast",
                PktType::Multicast => "multicast",
                _ => "unicast",
            };
            parts.0.push(format!("pkttype{} {name}", not(&m.kind)));
        }
        Match::Statistic(m) => parts.0.push(match m.mode {
            StatisticMode::Random { probability } => {
                let sign = if m.not { ">=" } else { "<" };
                format!("meta random & 2147483647 {sign} {probability}")
            }
            StatisticMode::Nth { every, packet, .. } => {
                format!("numgen inc mod {}{} {packet}", every + 1, if m.not { " !=" } else { "" })
            }
        }),
        Match::Time(m) => return own::nft_time(m),
        Match::Policy(m) => match (m.out, m.none, m.rest.is_empty()) {
            (false, true, true) => parts.0.push("meta secpath missing".into()),
            (false, false, true) => parts.0.push("meta secpath exists".into()),
            _ => return None,
        },
        Match::Rpfilter(m) => return rpfilter(m),
        Match::Quota(m) => {
            parts.0.push(format!("quota{} {} bytes", if m.not { " over" } else { "" }, m.quota));
        }
        Match::Helper(m) => parts.0.push(format!("ct helper{} \"{}\"", not(&m.name), m.name.value)),
        Match::Connlabel(m) => {
            let n = m.label.value;
            if m.set {
                parts.0.push(format!("ct label set {n}"));
            }
            parts.0.push(match m.label.not {
                true => format!("ct label and {n} != {n}"),
                false => format!("ct label {n}"),
            });
        }
        Match::Cluster(m) => {
            let nodes: Vec<u32> = (0..32).filter(|n| m.nodes.value & 1 << n != 0).collect();
            let start = format!("jhash ct original saddr mod {} seed {:#010x}", m.total, m.seed);
            let which = match nodes.as_slice() {
                [one] => format!("eq {}", one + 1),
                many => {
                    let texts: Vec<String> = many.iter().map(u32::to_string).collect();
                    format!("{{ {} }}", texts.join(", "))
                }
            };
            parts.0.push(format!("{start} {which} meta pkttype set host"));
        }
        Match::Cpu(m) => parts.0.push(format!("cpu{} {}", not(&m.cpu), m.cpu.value)),
        Match::Devgroup(m) => {
            // The sign of the first is the sign of both.
            let inverted = [m.src, m.dst].iter().flatten().any(|g| g.not);
            for (key, of) in [("iifgroup", m.src), ("oifgroup", m.dst)] {
                if let Some(g) = of {
                    let (value, mask) = g.value;
                    let mark = Inv { value: MaskedMark { value, mask }, not: inverted };
                    parts.0.push(masked(key, &mark));
                }
            }
        }
        Match::Realm(m) => {
            let (value, mask) = m.realm.value;
            parts.0.push(masked("rtclassid", &Inv { value: MaskedMark { value, mask }, not: m.realm.not }));
        }
        Match::Sctp(m) => {
            parts.range("sctp sport", &m.sport);
            parts.range("sctp dport", &m.dport);
            if let Some(chunks) = &m.chunks {
                parts.0.push(own::nft_chunks(&chunks.value, chunks.not)?);
            }
        }
        Match::Dccp(m) => {
            parts.range("dccp sport", &m.sport);
            parts.range("dccp dport", &m.dport);
            if m.option.is_some() {
                return None;
            }
            if let Some(types) = &m.types {
                parts.0.push(format!("dccp type{} {}", not(types), own::nft_dccp_types(types.value)));
            }
        }
        Match::Ah(m) if family == Family::V4 => parts.range("ah spi", &spi(&m.spi)),
        Match::Ah(m) => {
            parts.range("ah spi", &spi(&m.spi));
            if let Some(len) = &m.len {
                parts.0.push(format!("ah hdrlength{} {}", not(len), len.value));
            }
            if m.reserved {
                parts.0.push("ah reserved 1".into());
            }
            if parts.0.is_empty() {
                parts.0.push("meta l4proto ah".into());
            }
        }
        Match::Esp(m) => parts.range("esp spi", &spi(&m.spi)),
        Match::Ipcomp(m) => parts.range("comp cpi", &m.spi),
        Match::Mh(m) => parts.range("mh type", &m.kind),
        Match::Tcpmss(m) => parts.range("tcp option maxseg size", &Some(m.mss)),
        Match::Frag(m) => {
            parts.range("frag id", &spi(&m.id));
            for (on, text) in [
                (m.reserved, "frag reserved 1"),
                (m.first, "frag frag-off 0"),
                (m.more, "frag more-fragments 1"),
                (m.last, "frag more-fragments 0"),
            ] {
                if on {
                    parts.0.push(text.into());
                }
            }
        }
        Match::Opaque(m) => return opaque(m),
        Match::Recent(_)
        | Match::Connlimit(_)
        | Match::Set(_)
        | Match::Tos(_)
        | Match::String(_)
        | Match::Physdev(_)
        | Match::Socket(_)
        | Match::U32(_)
        | Match::Ipv6header(_)
        | Match::Eui64
        | Match::Mark(_)
        | Match::Limit(_) => return None,
    }
    parts.some()
}

/// All numbers there are: no condition.
fn spi(of: &Option<Inv<(u32, u32)>>) -> Option<Inv<(u32, u32)>> {
    of.filter(|r| r.value != (0, u32::MAX))
}

/// `!` with a blank before it, where the condition is inverted.
fn bang<T>(inv: &Inv<T>) -> &'static str {
    if inv.not { " !" } else { "" }
}

/// A value under a mask, as translations write it.
fn masked(key: &str, m: &Inv<MaskedMark>) -> String {
    let MaskedMark { value, mask } = m.value;
    match mask {
        u32::MAX => format!("{key}{} {value:#x}", not(m)),
        _ => format!("{key} and {mask:#x} {} {value:#x}", if m.not { "!=" } else { "==" }),
    }
}

fn hops(key: &str, m: &TtlMatch) -> String {
    let sign = match m.relation {
        Relation::Eq => "",
        Relation::Ne => " !=",
        Relation::Lt => " lt",
        Relation::Gt => " gt",
    };
    format!("{key}{sign} {}", m.value)
}

fn icmp(m: &IcmpMatch) -> Option<String> {
    let kind = m.kind.value;
    if kind.kind == 255 {
        return Some("ip protocol icmp".into());
    }
    let name = match kind.kind {
        0 => "echo-reply",
        3 => "destination-unreachable",
        4 => "source-quench",
        5 => "redirect",
        8 => "echo-request",
        9 => "router-advertisement",
        10 => "router-solicitation",
        11 => "time-exceeded",
        12 => "parameter-problem",
        13 => "timestamp-request",
        14 => "timestamp-reply",
        17 => "address-mask-request",
        18 => "address-mask-reply",
        _ => return None,
    };
    (kind.codes == (0, 255)).then(|| format!("icmp type{} {name}", not(&m.kind)))
}

fn icmp6(m: &IcmpMatch) -> Option<String> {
    let kind = m.kind.value;
    let name = match kind.kind {
        1 => "destination-unreachable",
        2 => "packet-too-big",
        3 => "time-exceeded",
        4 => "parameter-problem",
        128 => "echo-request",
        129 => "echo-reply",
        133 => "nd-router-solicit",
        134 => "nd-router-advert",
        135 => "nd-neighbor-solicit",
        136 => "nd-neighbor-advert",
        137 => "nd-redirect",
        _ => return None,
    };
    (kind.codes == (0, 255)).then(|| format!("icmpv6 type{} {name}", not(&m.kind)))
}

fn states(set: CtStates) -> String {
    let all = [
        (CtStates::INVALID, "invalid"),
        (CtStates::NEW, "new"),
        (CtStates::RELATED, "related"),
        (CtStates::ESTABLISHED, "established"),
        (CtStates::UNTRACKED, "untracked"),
    ];
    let set: Vec<&str> = all.iter().filter(|(bit, _)| set.has(*bit)).map(|(_, n)| *n).collect();
    set.join(",")
}

fn conntrack(m: &ConntrackMatch, family: Family) -> Option<String> {
    let mut parts = Parts(Vec::new());
    let direction = match m.direction {
        Some(Direction::Reply) => "reply",
        _ => "original",
    };
    if m.direction.is_some() {
        parts.0.push(format!("ct direction {direction}"));
    }
    if let Some(proto) = &m.proto {
        parts.0.push(format!("ct {direction} protocol{} {}", not(proto), proto.value));
    }
    if let Some(state) = &m.state {
        // Of translated states only the first is told, without its sign; the others are lost.
        parts.0.push(match (state.value.has(CtStates::SNAT), state.value.has(CtStates::DNAT)) {
            (true, _) => "ct status snat".into(),
            (_, true) => "ct status dnat".into(),
            _ => format!("ct state{} {}", bang(state), states(state.value)),
        });
    }
    if let Some(s) = &m.status {
        let all = [
            (status::EXPECTED, "expected"),
            (status::SEEN_REPLY, "seen-reply"),
            (status::ASSURED, "assured"),
            (status::CONFIRMED, "confirmed"),
        ];
        let set: Vec<&str> = all.iter().filter(|(bit, _)| s.value & bit != 0).map(|(_, n)| *n).collect();
        let names = set.join(",");
        parts.0.push(format!("ct status{}{}{names}", bang(s), if names.is_empty() { "" } else { " " }));
    }
    parts.range("ct expiration", &m.expire);
    for (key, net) in [
        ("original saddr", &m.orig_src),
        ("original daddr", &m.orig_dst),
        ("reply saddr", &m.repl_src),
        ("reply daddr", &m.repl_dst),
    ] {
        if let Some(net) = net {
            let mut text = format!("ct {key}{} ", not(net));
            match net.value.prefix_len(family) {
                Some(_) => address::put_short(&mut text, &net.value, family),
                None => address::put(&mut text, net.value.addr, family),
            }
            parts.0.push(text);
        }
    }
    parts.range("ct original proto-src", &m.orig_sport);
    parts.range("ct original proto-dst", &m.orig_dport);
    parts.range("ct reply proto-src", &m.repl_sport);
    parts.range("ct reply proto-dst", &m.repl_dport);
    parts.some()
}

fn multiport(m: &MultiportMatch, rule: &Rule) -> Option<String> {
    let name = match rule.header.proto.map(|p| p.value)? {
        proto::TCP => "tcp",
        proto::UDP => "udp",
        proto::UDPLITE => "udplite",
        proto::SCTP => "sctp",
        proto::DCCP => "dccp",
        _ => return None,
    };
    let list = &m.ports.value;
    let key = match m.side {
        PortSide::Source => "sport",
        PortSide::Destination => "dport",
        PortSide::Either => {
            // Ranges come apart into their ends.
            let mut pairs = Vec::new();
            for r in list.iter() {
                for port in if r.0 == r.1 { vec![r.0] } else { vec![r.0, r.1] } {
                    pairs.push(format!("0-65535 . {port}, {port} . 0-65535"));
                }
            }
            return Some(format!("{name} sport . {name} dport {{ {} }}", pairs.join(", ")));
        }
    };
    let texts: Vec<String> = list.iter().map(|r| range(r.0, r.1)).collect();
    let set = match texts.as_slice() {
        [one] => one.clone(),
        many => format!("{{ {} }}", many.join(", ")),
    };
    Some(format!("{name} {key}{} {set}", not(&m.ports)))
}

fn owner(m: &OwnerMatch) -> Option<String> {
    if m.socket_exists.is_some() || m.suppl_groups {
        return None;
    }
    let mut parts = Parts(Vec::new());
    // Two conditions are too many for the translation.
    match (&m.uid, &m.gid) {
        (Some(_), Some(_)) => return None,
        (uid @ Some(_), None) => parts.range("skuid", uid),
        (None, gid) => parts.range("skgid", gid),
    }
    parts.some()
}

fn addrtype(m: &AddrTypeMatch) -> Option<String> {
    // Of both conditions only the first is told.
    let (key, types) = match (&m.src, &m.dst) {
        (Some(src), _) => ("saddr", src),
        (None, Some(dst)) => ("daddr", dst),
        (None, None) => return None,
    };
    // The signs of the two come together.
    let inverted = [m.src, m.dst].iter().flatten().any(|t| t.not);
    let device = if m.limit_iface_in {
        " . iif"
    } else if m.limit_iface_out {
        " . oif"
    } else {
        ""
    };
    // Kinds that nft has no name for are left out.
    let set: Vec<String> = AddrTypes::NAMES[..9]
        .iter()
        .filter(|(_, bit)| types.value.0 & bit.0 != 0)
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    let list = match set.as_slice() {
        [one] => one.clone(),
        many => format!("{{ {} }}", many.join(", ")),
    };
    Some(format!("fib {key}{device} type{} {list}", if inverted { " !=" } else { "" }))
}

fn connbytes(m: &ConnbytesMatch) -> String {
    let (low, high) = m.range.value;
    let dir = match m.dir {
        ConnbytesDir::Original => "original ",
        ConnbytesDir::Reply => "reply ",
        ConnbytesDir::Both => "",
    };
    let mode = match m.mode {
        ConnbytesMode::Packets => "packets",
        ConnbytesMode::Bytes => "bytes",
        ConnbytesMode::AvgPkt => "avgpkt",
    };
    let value = match (low, high) {
        (low, u64::MAX) => format!("{} {low}", if m.range.not { "lt" } else { "ge" }),
        (low, high) if low == high => low.to_string(),
        (low, high) => format!("{}{low}-{high}", if m.range.not { "!= " } else { "" }),
    };
    format!("ct {dir}{mode} {value}")
}

fn rpfilter(m: &RpfilterMatch) -> Option<String> {
    let mut text = String::new();
    match (m.accept_local, m.invert) {
        (true, true) => text.push_str("fib saddr type != local "),
        // Two ways to pass are too many for one rule.
        (true, false) => return None,
        _ => {}
    }
    text.push_str("fib saddr");
    if m.valid_mark {
        text.push_str(" . mark");
    }
    if !m.loose {
        text.push_str(" . iif");
    }
    text.push_str(if m.invert { " oif 0" } else { " oif != 0" });
    Some(text)
}

fn hashlimit(m: &HashlimitMatch, family: Family) -> Option<String> {
    let mode = &m.mode;
    let ip = ip(family);
    let net = |key: &str, len: u8| {
        let mut text = format!("{ip} {key}");
        if len != family.bits() {
            text.push_str(" and ");
            let mask = Addr::prefix_mask(family, len);
            match family {
                Family::V4 => address::put(&mut text, mask, family),
                Family::V6 => {
                    let groups: Vec<String> =
                        mask.0.iter().map(|w| format!("{:04x}:{:04x}", w >> 16, w & 0xffff)).collect();
                    text.push_str(&groups.join(":"));
                }
            }
        }
        text
    };
    let mut keys = Vec::new();
    if mode.dst_ip {
        keys.push(net("daddr", m.dst_len));
    }
    if mode.dst_port {
        keys.push("tcp dport".into());
    }
    if mode.src_ip {
        keys.push(net("saddr", m.src_len));
    }
    if mode.src_port {
        keys.push("tcp sport".into());
    }
    if mode.rate_match {
        // The tool has no word for the bit.
        keys.push("(null)".into());
    }
    if keys.is_empty() {
        return None;
    }
    let mut text = format!("meter {} {{ {}", m.name, keys.join(" . "));
    if m.expire != 1000 {
        put!(text, " timeout {}s", m.expire / 1000);
    }
    put!(text, " limit rate {}{}", if mode.above { "over " } else { "" }, own::nft_hashlimit(m));
    text.push_str(" }");
    Some(text)
}

/// Conditions that are kept as their text.
fn opaque(m: &OpaqueMatch) -> Option<String> {
    let words: Vec<&str> = m.args.split_whitespace().collect();
    match (&*m.name, words.as_slice()) {
        ("cgroup", ["--cgroup", n]) => Some(format!("meta cgroup {n}")),
        ("cgroup", ["!", "--cgroup", n]) => Some(format!("meta cgroup != {n}")),
        ("hbh", ["--hbh-len", n]) => Some(format!("hbh hdrlength {n}")),
        ("hbh", ["!", "--hbh-len", n]) => Some(format!("hbh hdrlength != {n}")),
        ("rt", words) => routing(words),
        _ => None,
    }
}

/// `-m rt`.
fn routing(words: &[&str]) -> Option<String> {
    let mut parts = Vec::new();
    let mut words = words.iter();
    let mut sign = "";
    while let Some(word) = words.next() {
        let key = match *word {
            "!" => {
                sign = " !=";
                continue;
            }
            "--rt-type" => "type",
            "--rt-segsleft" => "seg-left",
            "--rt-len" => "hdrlength",
            _ => return None,
        };
        let value = words.next().copied().unwrap_or_default().replace(':', "-");
        if value != "0-4294967295" {
            parts.push(format!("rt {key}{sign} {value}"));
        }
        sign = "";
    }
    Some(parts.join(" "))
}
