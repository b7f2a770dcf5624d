//! `-m string`: bytes somewhere in the packet (net/netfilter/xt_string.c:string_mt).

use super::{MatchCx, Matched};
use crate::wire;
use std::sync::Arc;

/// `--algo`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StringAlgo {
    /// Boyer-Moore.
    Bm,
    /// Knuth-Pratt-Morris.
    Kmp,
}

/// `-m string`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StringMatch {
    /// The bytes, at most 128.
    pub pattern: Arc<[u8]>,
    /// `!` before `--string` or `--hex-string`.
    pub not: bool,
    /// `--algo`.
    pub algo: StringAlgo,
    /// `--from`: first offset from the beginning of the IP header; 0 by default.
    pub from: u16,
    /// `--to`: last offset; 65535 by default.
    pub to: u16,
    /// `--icase`.
    pub icase: bool,
}

impl StringMatch {
    /// Searches from the IP header on; the whole pattern must lie before `--to`. Both algorithms find the same.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let bytes = wire::encode(&cx.skb.packet);
        let end = usize::from(self.to).min(bytes.len());
        let found = bytes.get(usize::from(self.from)..end).is_some_and(|part| self.occurs_in(part));
        (found != self.not).into()
    }

    fn occurs_in(&self, bytes: &[u8]) -> bool {
        let pattern = &self.pattern;
        if pattern.is_empty() {
            return true;
        }
        bytes.windows(pattern.len()).any(|window| {
            if self.icase { window.eq_ignore_ascii_case(pattern) } else { *window == **pattern }
        })
    }
}
