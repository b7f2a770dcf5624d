//! Targets that change the packet's headers: TTL, HL, TOS, DSCP, ECN, TCPMSS, TCPOPTSTRIP
//! (net/netfilter/xt_HL.c, xt_DSCP.c, xt_TCPMSS.c, xt_TCPOPTSTRIP.c, net/ipv4/netfilter/ipt_ECN.c).

/// `-j TTL` (IPv4) and `-j HL` (IPv6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TtlTarget {
    /// `--ttl-set`.
    Set(u8),
    /// `--ttl-inc`.
    Inc(u8),
    /// `--ttl-dec`.
    Dec(u8),
}

/// `-j TOS`: `tos = (tos & !mask) ^ value`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TosTarget {
    /// Value.
    pub value: u8,
    /// Mask.
    pub mask: u8,
}

/// `-j ECN`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct EcnTarget {
    /// `--ecn-ip-ect`.
    pub ip_ect: Option<u8>,
    /// `--ecn-tcp-ece`.
    pub tcp_ece: Option<u8>,
    /// `--ecn-tcp-cwr`. `--ecn-tcp-remove` is `ece` 0 with `cwr` 0.
    pub tcp_cwr: Option<u8>,
}

/// `-j TCPMSS`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TcpmssTarget {
    /// `--set-mss`.
    Set(u16),
    /// `--clamp-mss-to-pmtu`.
    ClampToPmtu,
}

/// `-j TCPOPTSTRIP --strip-options`: one bit an option number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TcpoptstripTarget {
    /// Bit n of the whole stands for option n.
    pub options: [u32; 8],
}
