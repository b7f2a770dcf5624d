//! `-m connbytes`: how much a connection has moved (net/netfilter/xt_connbytes.c:connbytes_mt).

use super::{MatchCx, Matched};
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

impl ConnbytesMatch {
    /// Compares the counters of the packet's connection; false without an entry, or where accounting was off when the
    /// entry was made.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let Some([orig, reply]) = cx.conn().and_then(|c| c.acct) else { return Matched::No };
        let (packets, bytes) = match self.dir {
            ConnbytesDir::Original => (orig.packets, orig.bytes),
            ConnbytesDir::Reply => (reply.packets, reply.bytes),
            ConnbytesDir::Both => (orig.packets + reply.packets, orig.bytes + reply.bytes),
        };
        let what = match self.mode {
            ConnbytesMode::Packets => packets,
            ConnbytesMode::Bytes => bytes,
            ConnbytesMode::AvgPkt => bytes.checked_div(packets).unwrap_or(0),
        };
        let (low, high) = self.range.value;
        let within = low <= what && what <= high;
        // Inversion is told to the kernel by swapping the two: with both equal it gets lost.
        (within != (self.range.not && low != high)).into()
    }
}
