//! Matches that are kept and printed back, but whose outcome hangs on something that a simulated host does not have.

use super::{MatchCx, Matched};
use std::sync::Arc;

/// A match by name and text: cgroup, osf, bpf, nfacct, rateest, ipvs, and IPv6's dst, hbh, rt, srh.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpaqueMatch {
    /// Its name, as after `-m`.
    pub name: Arc<str>,
    /// Its options as iptables-save prints them, with one space between words; may be empty.
    pub args: Arc<str>,
}

impl OpaqueMatch {
    /// Packets here carry no IPv6 option or routing headers, so matches on those are false, inverted or not; those that
    /// came with one are kept whole as bytes, and not looked into. For the rest nobody can say.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let extended = matches!(cx.skb.packet.proto, 0 | 43 | 60);
        match &*self.name {
            "dst" | "hbh" | "rt" | "srh" if !extended => Matched::No,
            _ => Matched::NotSimulated,
        }
    }
}
