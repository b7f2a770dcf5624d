//! `-j SET`: puts the packet's addresses into a set or takes them out (net/netfilter/xt_set.c:set_target_v3).

use crate::matches::SetRef;

/// `-j SET`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SetTarget {
    /// `--add-set`.
    pub add: Option<SetRef>,
    /// `--del-set`.
    pub del: Option<SetRef>,
    /// `--map-set`.
    pub map: Option<SetRef>,
    /// `--exist`: an element that is there gets a new timeout.
    pub exist: bool,
    /// `--timeout` in seconds; `None`: the set's own.
    pub timeout: Option<u32>,
    /// `--map-mark`.
    pub map_mark: bool,
    /// `--map-prio`.
    pub map_prio: bool,
    /// `--map-queue`.
    pub map_queue: bool,
}
