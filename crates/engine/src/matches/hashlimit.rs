//! `-m hashlimit`: a token bucket for each address or port (net/netfilter/xt_hashlimit.c).

use std::sync::Arc;

/// `--hashlimit-mode` and the other flags of `struct hashlimit_cfg3`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HashlimitMode {
    /// `dstip`.
    pub dst_ip: bool,
    /// `dstport`.
    pub dst_port: bool,
    /// `srcip`.
    pub src_ip: bool,
    /// `srcport`.
    pub src_port: bool,
    /// `--hashlimit-above`: true beyond the rate.
    pub above: bool,
    /// The rate counts bytes.
    pub bytes: bool,
    /// `--hashlimit-rate-match`: no buckets, the rate of the last interval counts.
    pub rate_match: bool,
}

/// `-m hashlimit`, `struct xt_hashlimit_mtinfo3`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HashlimitMatch {
    /// `--hashlimit-name`; rules of one name and family share their buckets.
    pub name: Arc<str>,
    /// Flags.
    pub mode: HashlimitMode,
    /// The rate as the kernel gets it: millionths of a second a packet (1/sec is 1000000); in byte mode the number of
    /// 16-byte units in a second's rate (`XT_HASHLIMIT_BYTE_SHIFT` 4); with rate-match packets (or bytes) an interval.
    pub avg: u64,
    /// `--hashlimit-burst`: packets, or in byte mode bytes in 16-byte units as given by the parser; 0: none given.
    pub burst: u64,
    /// `--hashlimit-htable-size`; 0: the kernel's choice.
    pub size: u32,
    /// `--hashlimit-htable-max`; 0: the kernel's choice.
    pub max: u32,
    /// `--hashlimit-htable-gcinterval` in milliseconds.
    pub gc_interval: u32,
    /// `--hashlimit-htable-expire` in milliseconds.
    pub expire: u32,
    /// `--hashlimit-srcmask`: prefix length.
    pub src_len: u8,
    /// `--hashlimit-dstmask`: prefix length.
    pub dst_len: u8,
    /// `--hashlimit-rate-interval` in seconds; 0: none given.
    pub interval: u32,
}
