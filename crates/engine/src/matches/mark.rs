//! `-m mark` and `-m connmark` (net/netfilter/xt_mark.c:mark_mt, xt_connmark.c:connmark_mt).

use super::{MatchCx, Matched};
use crate::ruleset::Inv;

/// A mark and the bits of it that count: `--mark VALUE[/MASK]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaskedMark {
    /// Value.
    pub value: u32,
    /// Mask; all ones where none was written.
    pub mask: u32,
}

/// `-m mark --mark`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarkMatch {
    /// The mark.
    pub mark: Inv<MaskedMark>,
}

impl MarkMatch {
    /// Compares the packet's mark.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let MaskedMark { value, mask } = self.mark.value;
        self.mark.test(cx.skb.mark & mask == value).into()
    }
}

/// `-m connmark --mark`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnmarkMatch {
    /// The mark.
    pub mark: Inv<MaskedMark>,
}

impl ConnmarkMatch {
    /// Compares the connection's mark; false, inverted or not, without a connection.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let MaskedMark { value, mask } = self.mark.value;
        match cx.conn() {
            Some(conn) => self.mark.test(conn.mark & mask == value).into(),
            None => Matched::No,
        }
    }
}
