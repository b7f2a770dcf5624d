//! `-j CT` and `-j NOTRACK`: what conntrack is to do with the packet (net/netfilter/xt_CT.c). raw table only.

use std::sync::Arc;

/// `--zone`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ZoneId {
    /// A number.
    Number(u16),
    /// `mark`: the packet's mark.
    Mark,
}

/// Directions that a zone holds for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ZoneDir {
    /// `--zone`.
    Both,
    /// `--zone-orig`.
    Original,
    /// `--zone-reply`.
    Reply,
}

/// `-j CT`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CtTarget {
    /// `--notrack`.
    pub notrack: bool,
    /// `--zone`, `--zone-orig`, `--zone-reply`.
    pub zone: Option<(ZoneDir, ZoneId)>,
    /// `--helper`.
    pub helper: Option<Arc<str>>,
    /// `--timeout`: the name of a policy.
    pub timeout: Option<Arc<str>>,
    /// `--ctevents`: bit n for `IPCT_n`.
    pub ctevents: Option<u32>,
    /// `--expevents`.
    pub expevents: Option<u32>,
}
