//! `-m set`: is it in an ipset (net/netfilter/xt_set.c:set_match_v4)?

use crate::ruleset::Inv;
use std::sync::Arc;

/// A set and the packet's fields that are looked up in it, as `-m set` and `-j SET` name them: `NAME src,dst`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetRef {
    /// The set's name; it cannot be renamed or destroyed while a rule names it.
    pub name: Arc<str>,
    /// For each dimension (at most six): is it the packet's source (`src`)? Else its destination.
    pub src: [bool; 6],
    /// How many dimensions were written.
    pub dims: u8,
}

/// A comparison with an element's counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum Compare {
    Eq(u64),
    Ne(u64),
    Lt(u64),
    Gt(u64),
}

/// `-m set`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetMatch {
    /// `--match-set`.
    pub set: Inv<SetRef>,
    /// `--return-nomatch`: an element with `nomatch` counts as found.
    pub return_nomatch: bool,
    /// `! --update-counters`.
    pub no_update_counters: bool,
    /// `! --update-subcounters`.
    pub no_update_subcounters: bool,
    /// `--packets-eq` …
    pub packets: Option<Compare>,
    /// `--bytes-eq` …
    pub bytes: Option<Compare>,
}
