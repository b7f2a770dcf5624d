//! Smaller matches on the connection: helper, connlabel, cluster (net/netfilter/xt_helper.c, xt_connlabel.c,
//! xt_cluster.c).

use super::{MatchCx, Matched};
use crate::conntrack::Helper;
use crate::ruleset::Inv;
use std::sync::Arc;

/// `-m helper --helper`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HelperMatch {
    /// The helper's name; empty: any.
    pub name: Inv<Arc<str>>,
}

/// `-m connlabel --label`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnlabelMatch {
    /// The bit, 0 to 127.
    pub label: Inv<u8>,
    /// `--set`: set it, and be true if that worked.
    pub set: bool,
}

/// `-m cluster`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClusterMatch {
    /// `--cluster-total-nodes`.
    pub total: u32,
    /// `--cluster-local-node` or `--cluster-local-nodemask`, as a mask.
    pub nodes: Inv<u32>,
    /// `--cluster-hash-seed`.
    pub seed: u32,
}

impl HelperMatch {
    /// Is the connection a child of one that this helper watches? (`helper_mt` asks the master's helper.)
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let helper = cx.master_helper();
        let fits = match helper {
            Some(Helper::Ftp) => self.name.value.is_empty() || self.name.value.starts_with("ftp"),
            None => return self.name.not.into(),
        };
        self.name.test(fits).into()
    }
}
