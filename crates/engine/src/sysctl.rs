//! The sysctls of a network namespace that the model obeys, as values; names and text are the `lang` crate's.

/// `net.netfilter.nf_conntrack_*` and the `net.ipv4` / `net.ipv6` switches. Times are in seconds unless said.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)]
pub struct Sysctl {
    pub ip_forward: bool,
    pub ip6_forward: bool,
    /// `net.ipv4.icmp_ratelimit`, milliseconds a token.
    pub icmp_ratelimit: u32,
    /// `net.ipv6.icmp.ratelimit`, milliseconds a token.
    pub icmp6_ratelimit: u32,
    pub icmp_ratemask: u32,
    pub icmp_msgs_per_sec: u32,
    pub icmp_msgs_burst: u32,
    pub icmp_echo_ignore_all: bool,
    pub icmp_echo_ignore_broadcasts: bool,
    pub ip_default_ttl: u8,
    pub ip_local_port_range: (u16, u16),
    pub fwmark_reflect: bool,
    pub ip_nonlocal_bind: bool,
    pub tcp_syn_retries: u8,
    pub tcp_synack_retries: u8,
    /// Per device and `all`/`default`: see [`DevConf`]. Index 0 is `all`; else the device's index.
    pub conf: Vec<DevConf>,
    pub conf_default: DevConf,
    pub ct_max: u32,
    pub ct_buckets: u32,
    pub ct_acct: bool,
    pub ct_checksum: bool,
    pub ct_events: u8,
    pub ct_timestamp: bool,
    pub ct_helper: bool,
    pub ct_tcp_loose: bool,
    pub ct_tcp_be_liberal: bool,
    pub ct_tcp_ignore_invalid_rst: bool,
    pub ct_tcp_max_retrans: u8,
    /// Indexed by [`crate::conntrack::TcpConntrack`].
    pub ct_tcp_timeouts: [u32; 10],
    pub ct_tcp_timeout_max_retrans: u32,
    pub ct_tcp_timeout_unacknowledged: u32,
    pub ct_udp_timeout: u32,
    pub ct_udp_timeout_stream: u32,
    pub ct_icmp_timeout: u32,
    pub ct_icmpv6_timeout: u32,
    pub ct_generic_timeout: u32,
    pub ct_gre_timeout: u32,
    pub ct_gre_timeout_stream: u32,
    /// CLOSED, COOKIE_WAIT, COOKIE_ECHOED, ESTABLISHED, SHUTDOWN_SENT, SHUTDOWN_RECD, SHUTDOWN_ACK_SENT, HEARTBEAT_SENT.
    pub ct_sctp_timeouts: [u32; 8],
    pub ct_frag6_timeout: u32,
    pub ipfrag_time: u32,
    pub nf_log_all_netns: bool,
}

/// `net.ipv4.conf.DEV.*` and `net.ipv6.conf.DEV.*`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub struct DevConf {
    pub forwarding: bool,
    pub forwarding6: bool,
    pub rp_filter: u8,
    pub accept_local: bool,
    pub route_localnet: bool,
    pub send_redirects: bool,
    pub src_valid_mark: bool,
    pub bc_forwarding: bool,
    pub log_martians: bool,
    pub disable_ipv6: bool,
}

impl Default for DevConf {
    fn default() -> DevConf {
        DevConf {
            forwarding: false,
            forwarding6: false,
            rp_filter: 0,
            accept_local: false,
            route_localnet: false,
            send_redirects: true,
            src_valid_mark: false,
            bc_forwarding: false,
            log_martians: false,
            disable_ipv6: false,
        }
    }
}

impl Default for Sysctl {
    fn default() -> Sysctl {
        Sysctl {
            ip_forward: false,
            ip6_forward: false,
            icmp_ratelimit: 1000,
            icmp6_ratelimit: 100,
            icmp_ratemask: 0x1818,
            icmp_msgs_per_sec: 1000,
            icmp_msgs_burst: 50,
            icmp_echo_ignore_all: false,
            icmp_echo_ignore_broadcasts: true,
            ip_default_ttl: 64,
            ip_local_port_range: (32768, 60999),
            fwmark_reflect: false,
            ip_nonlocal_bind: false,
            tcp_syn_retries: 6,
            tcp_synack_retries: 5,
            conf: vec![DevConf::default(); 2],
            conf_default: DevConf::default(),
            ct_max: 262_144,
            ct_buckets: 262_144,
            ct_acct: false,
            ct_checksum: true,
            ct_events: 2,
            ct_timestamp: false,
            ct_helper: false,
            ct_tcp_loose: true,
            ct_tcp_be_liberal: false,
            ct_tcp_ignore_invalid_rst: false,
            ct_tcp_max_retrans: 3,
            ct_tcp_timeouts: [120, 120, 60, 432_000, 120, 60, 30, 120, 10, 120],
            ct_tcp_timeout_max_retrans: 300,
            ct_tcp_timeout_unacknowledged: 300,
            ct_udp_timeout: 30,
            ct_udp_timeout_stream: 120,
            ct_icmp_timeout: 30,
            ct_icmpv6_timeout: 30,
            ct_generic_timeout: 600,
            ct_gre_timeout: 30,
            ct_gre_timeout_stream: 180,
            ct_sctp_timeouts: [10, 3, 3, 210, 3, 3, 3, 30],
            ct_frag6_timeout: 60,
            ipfrag_time: 30,
            nf_log_all_netns: false,
        }
    }
}

impl Sysctl {
    /// The settings of a device; those of `default` where it has none of its own.
    pub fn dev(&self, dev: crate::device::DevId) -> &DevConf {
        self.conf.get(usize::from(dev.0)).unwrap_or(&self.conf_default)
    }
    /// The settings of `all`.
    pub fn all(&self) -> &DevConf {
        &self.conf[0]
    }
}
