//! `-m recent`: lists of addresses with the times at which they were seen (net/netfilter/xt_recent.c).

use crate::addr::Addr;
use std::sync::Arc;

/// What a rule does with its list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecentAction {
    /// `--set`.
    Set,
    /// `--rcheck`.
    Check,
    /// `--update`.
    Update,
    /// `--remove`.
    Remove,
}

/// `-m recent`, `struct xt_recent_mtinfo_v1`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecentMatch {
    /// `--set`, `--rcheck`, `--update` or `--remove`.
    pub action: RecentAction,
    /// `!` before it.
    pub not: bool,
    /// `--seconds`; 0: not given.
    pub seconds: u32,
    /// `--reap`.
    pub reap: bool,
    /// `--hitcount`; 0: not given.
    pub hitcount: u32,
    /// `--rttl`.
    pub rttl: bool,
    /// `--name`.
    pub name: Arc<str>,
    /// `--mask`.
    pub mask: Addr,
    /// `--rdest`: keyed by destination; else by source.
    pub by_destination: bool,
}
