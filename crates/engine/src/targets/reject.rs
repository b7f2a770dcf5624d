//! `-j REJECT`: drop, and say so (net/ipv4/netfilter/ipt_REJECT.c:reject_tg, net/ipv6/netfilter/ip6t_REJECT.c).

/// `--reject-with`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RejectWith {
    /// `tcp-reset`, both families.
    TcpReset,
    /// `icmp-net-unreachable`.
    IcmpNetUnreachable,
    /// `icmp-host-unreachable`.
    IcmpHostUnreachable,
    /// `icmp-proto-unreachable`.
    IcmpProtoUnreachable,
    /// `icmp-port-unreachable`, IPv4's default.
    IcmpPortUnreachable,
    /// `icmp-net-prohibited`.
    IcmpNetProhibited,
    /// `icmp-host-prohibited`.
    IcmpHostProhibited,
    /// `icmp-admin-prohibited`.
    IcmpAdminProhibited,
    /// `icmp6-no-route`.
    Icmp6NoRoute,
    /// `icmp6-adm-prohibited`.
    Icmp6AdmProhibited,
    /// `icmp6-addr-unreachable`.
    Icmp6AddrUnreachable,
    /// `icmp6-port-unreachable`, IPv6's default.
    Icmp6PortUnreachable,
    /// `icmp6-policy-fail`.
    Icmp6PolicyFail,
    /// `icmp6-reject-route`.
    Icmp6RejectRoute,
}

impl RejectWith {
    /// All, with their names.
    pub const NAMES: [(RejectWith, &'static str); 14] = [
        (RejectWith::TcpReset, "tcp-reset"),
        (RejectWith::IcmpNetUnreachable, "icmp-net-unreachable"),
        (RejectWith::IcmpHostUnreachable, "icmp-host-unreachable"),
        (RejectWith::IcmpProtoUnreachable, "icmp-proto-unreachable"),
        (RejectWith::IcmpPortUnreachable, "icmp-port-unreachable"),
        (RejectWith::IcmpNetProhibited, "icmp-net-prohibited"),
        (RejectWith::IcmpHostProhibited, "icmp-host-prohibited"),
        (RejectWith::IcmpAdminProhibited, "icmp-admin-prohibited"),
        (RejectWith::Icmp6NoRoute, "icmp6-no-route"),
        (RejectWith::Icmp6AdmProhibited, "icmp6-adm-prohibited"),
        (RejectWith::Icmp6AddrUnreachable, "icmp6-addr-unreachable"),
        (RejectWith::Icmp6PortUnreachable, "icmp6-port-unreachable"),
        (RejectWith::Icmp6PolicyFail, "icmp6-policy-fail"),
        (RejectWith::Icmp6RejectRoute, "icmp6-reject-route"),
    ];

    /// Type and code of the ICMP or ICMPv6 error; `None` for a RST.
    pub const fn icmp(self) -> Option<(u8, u8)> {
        Some(match self {
            RejectWith::TcpReset => return None,
            RejectWith::IcmpNetUnreachable => (3, 0),
            RejectWith::IcmpHostUnreachable => (3, 1),
            RejectWith::IcmpProtoUnreachable => (3, 2),
            RejectWith::IcmpPortUnreachable => (3, 3),
            RejectWith::IcmpNetProhibited => (3, 9),
            RejectWith::IcmpHostProhibited => (3, 10),
            RejectWith::IcmpAdminProhibited => (3, 13),
            RejectWith::Icmp6NoRoute => (1, 0),
            RejectWith::Icmp6AdmProhibited => (1, 1),
            RejectWith::Icmp6AddrUnreachable => (1, 3),
            RejectWith::Icmp6PortUnreachable => (1, 4),
            RejectWith::Icmp6PolicyFail => (1, 5),
            RejectWith::Icmp6RejectRoute => (1, 6),
        })
    }
}
