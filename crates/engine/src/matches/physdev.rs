//! `-m physdev`: ports of a bridge (net/netfilter/xt_physdev.c:physdev_mt).

use super::{MatchCx, Matched};
use crate::ruleset::{IfName, Inv};

/// `-m physdev`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PhysdevMatch {
    /// `--physdev-in`.
    pub physin: Option<Inv<IfName>>,
    /// `--physdev-out`.
    pub physout: Option<Inv<IfName>>,
    /// `--physdev-is-in`.
    pub is_in: Option<Inv<()>>,
    /// `--physdev-is-out`.
    pub is_out: Option<Inv<()>>,
    /// `--physdev-is-bridged`.
    pub is_bridged: Option<Inv<()>>,
}

impl PhysdevMatch {
    /// No frame is bridged through the IP hooks here, so no packet has bridge information: it then matches only where
    /// every option is inverted.
    pub fn test(&self, _: &MatchCx<'_>) -> Matched {
        let inverted = |c: Option<bool>| c.is_none_or(|not| not);
        (inverted(self.physin.as_ref().map(|c| c.not))
            && inverted(self.physout.as_ref().map(|c| c.not))
            && inverted(self.is_in.map(|c| c.not))
            && inverted(self.is_out.map(|c| c.not))
            && inverted(self.is_bridged.map(|c| c.not)))
        .into()
    }
}
