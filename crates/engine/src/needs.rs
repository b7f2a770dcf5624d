//! Which rules hold conntrack and defragmentation awake: the checkentry functions that call `nf_ct_netns_get` and
//! `nf_defrag_ipv4_enable`.

use crate::matches::Match;
use crate::ruleset::Rule;
use crate::targets::Target;

impl Rule {
    /// Does it hold conntrack awake (`nf_ct_netns_get` in its matches' and target's checkentry)?
    pub fn needs_conntrack(&self) -> bool {
        self.matches.iter().any(match_needs_conntrack) || target_needs_conntrack(&self.target)
    }
    /// Does it hold defragmentation awake without conntrack (`nf_defrag_ipv4_enable`: TPROXY, socket)?
    pub fn needs_defrag(&self) -> bool {
        self.matches.iter().any(match_needs_defrag) || target_needs_defrag(&self.target)
    }
}

fn match_needs_conntrack(_: &Match) -> bool {
    false
}
fn target_needs_conntrack(_: &Target) -> bool {
    false
}
fn match_needs_defrag(_: &Match) -> bool {
    false
}
fn target_needs_defrag(_: &Target) -> bool {
    false
}
