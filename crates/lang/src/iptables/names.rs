//! Names that the tools take and print: protocols, services, networks, log levels, type-of-service values.

use super::number;

/// Protocol names and numbers, in the order of a lookup by number: the first name of a number is the one printed.
const PROTOCOLS: &[(u8, &str)] = &[
    (0, "ip"),
    (0, "hopopt"),
    (1, "icmp"),
    (2, "igmp"),
    (3, "ggp"),
    (4, "ipencap"),
    (5, "st"),
    (6, "tcp"),
    (8, "egp"),
    (9, "igp"),
    (12, "pup"),
    (17, "udp"),
    (20, "hmp"),
    (22, "xns-idp"),
    (27, "rdp"),
    (29, "iso-tp4"),
    (33, "dccp"),
    (36, "xtp"),
    (37, "ddp"),
    (38, "idpr-cmtp"),
    (41, "ipv6"),
    (43, "ipv6-route"),
    (44, "ipv6-frag"),
    (45, "idrp"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (57, "skip"),
    (58, "ipv6-icmp"),
    (59, "ipv6-nonxt"),
    (60, "ipv6-opts"),
    (73, "rspf"),
    (81, "vmtp"),
    (88, "eigrp"),
    (89, "ospf"),
    (93, "ax.25"),
    (94, "ipip"),
    (97, "etherip"),
    (98, "encap"),
    (103, "pim"),
    (108, "ipcomp"),
    (112, "vrrp"),
    (115, "l2tp"),
    (124, "isis"),
    (132, "sctp"),
    (133, "fc"),
    (135, "mobility-header"),
    (136, "udplite"),
    (137, "mpls-in-ip"),
    (138, "manet"),
    (139, "hip"),
    (140, "shim6"),
    (141, "wesp"),
    (142, "rohc"),
    (143, "ethernet"),
    // Other names of the same.
    (4, "ip-encap"),
    (50, "ipsec-esp"),
    (51, "ipsec-ah"),
    (58, "icmpv6"),
    (73, "cphb"),
    (89, "ospfigp"),
    (135, "ipv6-mh"),
    (135, "mh"),
    (0, "all"),
];

/// The number of a protocol by name (small letters) or number.
pub(crate) fn protocol(text: &str) -> Option<u8> {
    if let Some(number) = number::whole(text, 0, 255) {
        return u8::try_from(number).ok();
    }
    PROTOCOLS.iter().find(|(_, name)| *name == text).map(|(number, _)| *number)
}

/// The protocols by the names that are printed, those first that rules name most.
pub(crate) fn protocols() -> impl Iterator<Item = &'static str> {
    ["tcp", "udp", "icmp", "all"].into_iter().chain(PROTOCOLS.iter().map(|(_, name)| *name))
}

/// A protocol's name, where it has one; 0 is `all`.
pub(crate) fn protocol_name(number: u8) -> Option<&'static str> {
    if number == 0 {
        return Some("all");
    }
    PROTOCOLS.iter().find(|(n, _)| *n == number).map(|(_, name)| *name)
}

/// IANA's service names as a common `/etc/services` has them: port, protocols by first letter, name, other names.
const SERVICES: &str = include_str!("services.txt");

fn letter(proto: u8) -> Option<char> {
    match proto {
        6 => Some('t'),
        17 => Some('u'),
        132 => Some('s'),
        _ => None,
    }
}

/// A port by number or service name; with a protocol, only names of that protocol count.
pub(crate) fn port(text: &str, proto: Option<u8>) -> Option<u16> {
    if let Some(number) = number::whole(text, 0, 65535) {
        return u16::try_from(number).ok();
    }
    if text.is_empty() {
        return None;
    }
    let wanted = match proto {
        Some(proto) => Some(letter(proto)?),
        None => None,
    };
    SERVICES.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (number, protos) = (words.next()?, words.next()?);
        let fits = wanted.is_none_or(|l| protos.contains(l)) && words.any(|w| w == text);
        if fits { number.parse().ok() } else { None }
    })
}

/// The service name of a port.
pub(crate) fn service(port: u16, proto: u8) -> Option<&'static str> {
    let wanted = letter(proto)?;
    SERVICES.lines().find_map(|line| {
        let mut words = line.split(' ');
        let number: u16 = words.next()?.parse().ok()?;
        (number == port && words.next()?.contains(wanted)).then(|| words.next()).flatten()
    })
}

/// Networks with names in `/etc/networks`.
const NETWORKS: &[(u32, &str)] = &[(0, "default"), (0x7f00_0000, "loopback"), (0xa9fe_0000, "link-local")];

/// The number of a network or host name that every machine knows.
pub(crate) fn ipv4_by_name(name: &str) -> Option<u32> {
    if name == "localhost" {
        return Some(0x7f00_0001);
    }
    NETWORKS.iter().find(|(_, n)| *n == name).map(|(addr, _)| *addr)
}

/// The name under which an IPv4 address is listed without `-n`.
pub(crate) fn ipv4_name(addr: u32) -> Option<&'static str> {
    if addr == 0x7f00_0001 {
        return Some("localhost");
    }
    NETWORKS.iter().find(|(a, _)| *a == addr).map(|(_, name)| *name)
}

/// Syslog levels; the first name of a number is the one printed.
pub(crate) const LEVELS: &[(&str, u8)] = &[
    ("emerg", 0),
    ("alert", 1),
    ("crit", 2),
    ("error", 3),
    ("warn", 4),
    ("notice", 5),
    ("info", 6),
    ("debug", 7),
    ("panic", 0),
    ("err", 3),
    ("warning", 4),
];

/// A level by its name.
pub(crate) fn level(name: &str) -> Option<u64> {
    let name = name.to_ascii_lowercase();
    LEVELS.iter().find(|(n, _)| *n == name).map(|(_, level)| u64::from(*level))
}

/// Type-of-service names (RFC 1349); their mask is 0x3f.
pub(crate) const TOS: &[(&str, u8)] = &[
    ("Minimize-Delay", 0x10),
    ("Maximize-Throughput", 0x08),
    ("Maximize-Reliability", 0x04),
    ("Minimize-Cost", 0x02),
    ("Normal-Service", 0x00),
];

/// The name of a type of service.
pub(crate) fn tos_name(value: u8, mask: u8) -> Option<&'static str> {
    TOS.iter().find(|(_, v)| mask == 0x3f && *v == value).map(|(name, _)| *name)
}

/// Codepoint classes (RFC 2474, 2597, 3246).
pub(crate) const DSCP: &[(&str, u8)] = &[
    ("CS0", 0x00),
    ("CS1", 0x08),
    ("CS2", 0x10),
    ("CS3", 0x18),
    ("CS4", 0x20),
    ("CS5", 0x28),
    ("CS6", 0x30),
    ("CS7", 0x38),
    ("BE", 0x00),
    ("AF11", 0x0a),
    ("AF12", 0x0c),
    ("AF13", 0x0e),
    ("AF21", 0x12),
    ("AF22", 0x14),
    ("AF23", 0x16),
    ("AF31", 0x1a),
    ("AF32", 0x1c),
    ("AF33", 0x1e),
    ("AF41", 0x22),
    ("AF42", 0x24),
    ("AF43", 0x26),
    ("EF", 0x2e),
];
