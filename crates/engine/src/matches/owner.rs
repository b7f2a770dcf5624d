//! `-m owner`: who owns the sending socket (net/netfilter/xt_owner.c:owner_mt).

use super::{MatchCx, Matched};
use crate::packet::Owner;
use crate::ruleset::Inv;

/// `-m owner`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OwnerMatch {
    /// `--uid-owner`: first and last user id.
    pub uid: Option<Inv<(u32, u32)>>,
    /// `--gid-owner`: first and last group id.
    pub gid: Option<Inv<(u32, u32)>>,
    /// `--socket-exists`.
    pub socket_exists: Option<Inv<()>>,
    /// `--suppl-groups`: the owner's supplementary groups count too.
    pub suppl_groups: bool,
}

impl OwnerMatch {
    /// A packet without a socket, or sent by the kernel's own, has no owner: plain conditions are false, inverted ones
    /// true. Supplementary groups are another machine's data: with them only a plain hit is certain.
    pub fn test(&self, cx: &MatchCx<'_>) -> Matched {
        let exists = cx.skb.owner.is_some();
        if self.socket_exists.is_some_and(|s| s.not == exists) {
            return Matched::No;
        }
        let Some(Owner::User { uid, gid }) = cx.skb.owner else {
            // Nobody: true where all conditions on users and groups are inverted.
            let inverted = |c: &Option<Inv<(u32, u32)>>| c.is_none_or(|c| c.not);
            return (inverted(&self.uid) && inverted(&self.gid)).into();
        };
        let within = |c: &Option<Inv<(u32, u32)>>, id: u32| {
            c.is_none_or(|c| c.test(c.value.0 <= id && id <= c.value.1))
        };
        if !within(&self.uid, uid) {
            return Matched::No;
        }
        match self.gid {
            Some(g) if self.suppl_groups && !(g.value.0 <= gid && gid <= g.value.1) => Matched::NotSimulated,
            _ => within(&self.gid, gid).into(),
        }
    }
}
