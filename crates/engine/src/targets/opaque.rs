//! Targets that are kept and printed back; what they do has no counterpart here.

use std::sync::Arc;

/// A target by name and text: SECMARK, CONNSECMARK, HMARK, IDLETIMER, LED, RATEEST, SYNPROXY, CLUSTERIP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpaqueTarget {
    /// Its name, as after `-j`.
    pub name: Arc<str>,
    /// Its options as iptables-save prints them, with one space between words; may be empty.
    pub args: Arc<str>,
}
