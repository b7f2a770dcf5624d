//! Smaller matches on devices, routes and processors: devgroup, realm, cpu (net/netfilter/xt_devgroup.c, xt_realm.c,
//! xt_cpu.c).

use super::{MatchCx, Matched};
use crate::ruleset::Inv;

/// `-m devgroup`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DevgroupMatch {
    /// `--src-group`: value and mask.
    pub src: Option<Inv<(u32, u32)>>,
    /// `--dst-group`.
    pub dst: Option<Inv<(u32, u32)>>,
}

impl DevgroupMatch {
    /// All devices here are in group 0.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let fits = |c: &Option<Inv<(u32, u32)>>, dev: bool| {
            c.is_none_or(|c| dev && c.test(c.value.0 & c.value.1 == 0))
        };
        (fits(&self.src, cx.in_dev.is_some()) && fits(&self.dst, cx.out_dev.is_some())).into()
    }
}

/// `-m realm --realm` (IPv4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RealmMatch {
    /// Value and mask.
    pub realm: Inv<(u32, u32)>,
}

impl RealmMatch {
    /// No route here has a realm: all are 0.
    pub fn test(&self, _: &MatchCx<'_>) -> Matched {
        self.realm.test(self.realm.value.0 == 0).into()
    }
}

/// `-m cpu --cpu`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CpuMatch {
    /// The processor's number.
    pub cpu: Inv<u32>,
}
