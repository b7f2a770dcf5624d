//! `-m connbytes`: how much a connection has moved (net/netfilter/xt_connbytes.c:connbytes_mt).

use crate::ruleset::Inv;

/// `--connbytes-mode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnbytesMode {
    /// `packets`.
    Packets,
    /// `bytes`.
    Bytes,
    /// `avgpkt`: bytes a packet.
    AvgPkt,
}

/// `--connbytes-dir`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnbytesDir {
    /// `original`.
    Original,
    /// `reply`.
    Reply,
    /// `both`.
    Both,
}

/// `-m connbytes`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnbytesMatch {
    /// Least and greatest, both included; the greatest is `u64::MAX` where only the least was written.
    pub range: Inv<(u64, u64)>,
    /// What is counted.
    pub mode: ConnbytesMode,
    /// In which direction.
    pub dir: ConnbytesDir,
}
