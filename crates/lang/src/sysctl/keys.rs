//! The sysctls that the model obeys: name, range, and the value's place in [`Sysctl`].

use hookwalk_engine::conntrack::TcpConntrack;
use hookwalk_engine::sysctl::{DevConf, Sysctl};

/// A value's place.
pub(super) enum Field<'a> {
    Flag(&'a mut bool),
    Byte(&'a mut u8),
    Word(&'a mut u32),
    /// Two ports, first and last.
    Ports(&'a mut (u16, u16)),
}

/// What the kernel lets be written (the proc handler and its limits).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// From and to, both allowed.
    Within(i64, i64),
    /// Milliseconds that are kept in ticks, rounded up.
    Millis,
    /// `ip_local_port_range`.
    Ports,
    /// Writable only in the initial namespace, so not here.
    ReadOnly,
}

/// A setting of the namespace.
pub(super) struct Key {
    /// Path below /proc/sys.
    pub path: &'static str,
    pub range: Range,
    pub field: fn(&mut Sysctl) -> Field<'_>,
}

/// A setting of each device, `all` and `default`.
pub(super) struct DevKey {
    /// 4 or 6: `net/ipv4/conf` or `net/ipv6/conf`.
    pub version: u8,
    pub name: &'static str,
    pub field: fn(&mut DevConf) -> Field<'_>,
}

/// `proc_dointvec`: any `int`.
pub(super) const INT: Range = Range::Within(i32::MIN as i64, i32::MAX as i64);
const BOOL: Range = Range::Within(0, 1);
const BYTE: Range = Range::Within(0, 255);
const POSITIVE_BYTE: Range = Range::Within(1, 255);
const UNSIGNED: Range = Range::Within(0, i32::MAX as i64);

macro_rules! keys {
    ($($path:literal $range:expr, $kind:ident $field:ident $([$i:expr])?);+ $(;)?) => {
        &[$(Key { path: $path, range: $range, field: |s| Field::$kind(&mut s.$field $([$i])?) }),+]
    };
}

/// All of them, in the order of their names.
pub(super) const KEYS: &[Key] = keys! {
    "net/ipv4/fwmark_reflect" BYTE, Flag fwmark_reflect;
    "net/ipv4/icmp_echo_ignore_all" BOOL, Flag icmp_echo_ignore_all;
    "net/ipv4/icmp_echo_ignore_broadcasts" BOOL, Flag icmp_echo_ignore_broadcasts;
    "net/ipv4/icmp_msgs_burst" UNSIGNED, Word icmp_msgs_burst;
    "net/ipv4/icmp_msgs_per_sec" UNSIGNED, Word icmp_msgs_per_sec;
    "net/ipv4/icmp_ratelimit" Range::Millis, Word icmp_ratelimit;
    "net/ipv4/icmp_ratemask" INT, Word icmp_ratemask;
    "net/ipv4/ip_default_ttl" POSITIVE_BYTE, Byte ip_default_ttl;
    "net/ipv4/ip_forward" INT, Flag ip_forward;
    "net/ipv4/ip_local_port_range" Range::Ports, Ports ip_local_port_range;
    "net/ipv4/ip_nonlocal_bind" BYTE, Flag ip_nonlocal_bind;
    "net/ipv4/ipfrag_time" INT, Word ipfrag_time;
    "net/ipv4/tcp_syn_retries" Range::Within(1, 127), Byte tcp_syn_retries;
    "net/ipv4/tcp_synack_retries" BYTE, Byte tcp_synack_retries;
    "net/ipv6/icmp/ratelimit" Range::Millis, Word icmp6_ratelimit;
    "net/netfilter/nf_conntrack_acct" BOOL, Flag ct_acct;
    "net/netfilter/nf_conntrack_buckets" Range::ReadOnly, Word ct_buckets;
    "net/netfilter/nf_conntrack_checksum" BOOL, Flag ct_checksum;
    "net/netfilter/nf_conntrack_events" Range::Within(0, 2), Byte ct_events;
    "net/netfilter/nf_conntrack_frag6_timeout" INT, Word ct_frag6_timeout;
    "net/netfilter/nf_conntrack_generic_timeout" INT, Word ct_generic_timeout;
    "net/netfilter/nf_conntrack_gre_timeout" INT, Word ct_gre_timeout;
    "net/netfilter/nf_conntrack_gre_timeout_stream" INT, Word ct_gre_timeout_stream;
    "net/netfilter/nf_conntrack_icmp_timeout" INT, Word ct_icmp_timeout;
    "net/netfilter/nf_conntrack_icmpv6_timeout" INT, Word ct_icmpv6_timeout;
    "net/netfilter/nf_conntrack_max" Range::ReadOnly, Word ct_max;
    "net/netfilter/nf_conntrack_sctp_timeout_closed" INT, Word ct_sctp_timeouts[0];
    "net/netfilter/nf_conntrack_sctp_timeout_cookie_echoed" INT, Word ct_sctp_timeouts[2];
    "net/netfilter/nf_conntrack_sctp_timeout_cookie_wait" INT, Word ct_sctp_timeouts[1];
    "net/netfilter/nf_conntrack_sctp_timeout_established" INT, Word ct_sctp_timeouts[3];
    "net/netfilter/nf_conntrack_sctp_timeout_heartbeat_sent" INT, Word ct_sctp_timeouts[7];
    "net/netfilter/nf_conntrack_sctp_timeout_shutdown_ack_sent" INT, Word ct_sctp_timeouts[6];
    "net/netfilter/nf_conntrack_sctp_timeout_shutdown_recd" INT, Word ct_sctp_timeouts[5];
    "net/netfilter/nf_conntrack_sctp_timeout_shutdown_sent" INT, Word ct_sctp_timeouts[4];
    "net/netfilter/nf_conntrack_tcp_be_liberal" BOOL, Flag ct_tcp_be_liberal;
    "net/netfilter/nf_conntrack_tcp_ignore_invalid_rst" BOOL, Flag ct_tcp_ignore_invalid_rst;
    "net/netfilter/nf_conntrack_tcp_loose" BOOL, Flag ct_tcp_loose;
    "net/netfilter/nf_conntrack_tcp_max_retrans" BYTE, Byte ct_tcp_max_retrans;
    "net/netfilter/nf_conntrack_tcp_timeout_close" INT, Word ct_tcp_timeouts[TcpConntrack::Close as usize];
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait" INT,
        Word ct_tcp_timeouts[TcpConntrack::CloseWait as usize];
    "net/netfilter/nf_conntrack_tcp_timeout_established" INT,
        Word ct_tcp_timeouts[TcpConntrack::Established as usize];
    "net/netfilter/nf_conntrack_tcp_timeout_fin_wait" INT,
        Word ct_tcp_timeouts[TcpConntrack::FinWait as usize];
    "net/netfilter/nf_conntrack_tcp_timeout_last_ack" INT,
        Word ct_tcp_timeouts[TcpConntrack::LastAck as usize];
    "net/netfilter/nf_conntrack_tcp_timeout_max_retrans" INT, Word ct_tcp_timeout_max_retrans;
    "net/netfilter/nf_conntrack_tcp_timeout_syn_recv" INT,
        Word ct_tcp_timeouts[TcpConntrack::SynRecv as usize];
    "net/netfilter/nf_conntrack_tcp_timeout_syn_sent" INT,
        Word ct_tcp_timeouts[TcpConntrack::SynSent as usize];
    "net/netfilter/nf_conntrack_tcp_timeout_time_wait" INT,
        Word ct_tcp_timeouts[TcpConntrack::TimeWait as usize];
    "net/netfilter/nf_conntrack_tcp_timeout_unacknowledged" INT, Word ct_tcp_timeout_unacknowledged;
    "net/netfilter/nf_conntrack_timestamp" BOOL, Flag ct_timestamp;
    "net/netfilter/nf_conntrack_udp_timeout" INT, Word ct_udp_timeout;
    "net/netfilter/nf_conntrack_udp_timeout_stream" INT, Word ct_udp_timeout_stream;
};

/// The number of entries, which is counted and not kept.
pub(super) const COUNT: &str = "net/netfilter/nf_conntrack_count";

/// Settings of conntrack that can be read and have no effect in the model; writing them is refused.
pub(super) const FIXED: &[(&str, &str, Range)] = &[
    ("net/netfilter/nf_conntrack_expect_max", "4096", Range::ReadOnly),
    ("net/netfilter/nf_conntrack_frag6_high_thresh", "4194304", INT),
    ("net/netfilter/nf_conntrack_frag6_low_thresh", "3145728", INT),
    ("net/netfilter/nf_conntrack_log_invalid", "0", BYTE),
];

macro_rules! dev_keys {
    ($($version:literal $name:literal $kind:ident $field:ident);+ $(;)?) => {
        &[$(DevKey { version: $version, name: $name, field: |c| Field::$kind(&mut c.$field) }),+]
    };
}

/// All of them, in the order of their names; each is an `int` of any value.
pub(super) const DEV_KEYS: &[DevKey] = dev_keys! {
    4 "accept_local" Flag accept_local;
    4 "bc_forwarding" Flag bc_forwarding;
    4 "forwarding" Flag forwarding;
    4 "log_martians" Flag log_martians;
    4 "route_localnet" Flag route_localnet;
    4 "rp_filter" Byte rp_filter;
    4 "send_redirects" Flag send_redirects;
    4 "src_valid_mark" Flag src_valid_mark;
    6 "disable_ipv6" Flag disable_ipv6;
    6 "forwarding" Flag forwarding6;
};
