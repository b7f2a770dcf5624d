//! `-m string`: bytes somewhere in the packet (net/netfilter/xt_string.c:string_mt).

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
