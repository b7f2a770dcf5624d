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

fn match_needs_conntrack(m: &Match) -> bool {
    matches!(
        m,
        Match::Conntrack(_)
            | Match::State(_)
            | Match::Connmark(_)
            | Match::Connlimit(_)
            | Match::Connbytes(_)
            | Match::Helper(_)
            | Match::Connlabel(_)
            | Match::Cluster(_)
    )
}

fn target_needs_conntrack(t: &Target) -> bool {
    match t {
        Target::Connmark(_)
        | Target::Dnat(_)
        | Target::Snat(_)
        | Target::Masquerade(_)
        | Target::Redirect(_)
        | Target::Netmap(_) => true,
        Target::Ct(t) => !t.notrack,
        _ => false,
    }
}

fn match_needs_defrag(m: &Match) -> bool {
    matches!(m, Match::Socket(_))
}

fn target_needs_defrag(t: &Target) -> bool {
    matches!(t, Target::Tproxy(_))
}
