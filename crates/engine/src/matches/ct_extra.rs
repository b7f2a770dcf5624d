//! Smaller matches on the connection: helper, connlabel, cluster (net/netfilter/xt_helper.c, xt_connlabel.c,
//! xt_cluster.c).

use super::{MatchCx, Matched};
use crate::addr::Addr;
use crate::conntrack::Direction;
use crate::packet::PktType;
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
            Some(helper) => self.name.value.is_empty() || self.name.value.starts_with(helper.name()),
            None => return self.name.not.into(),
        };
        self.name.test(fits).into()
    }
}

impl ConnlabelMatch {
    /// Is the label set? With `--set`, sets it first. Without a connection only an inverted condition holds.
    pub fn test(&self, cx: &mut MatchCx<'_>) -> Matched {
        let bit = 1u128 << (self.label.value & 127);
        let has = match cx.net.conn_of_mut(cx.skb) {
            None => false,
            Some(conn) => {
                if self.set {
                    conn.add_labels(bit);
                }
                conn.labels() & bit != 0
            }
        };
        self.label.test(has).into()
    }
}

impl ClusterMatch {
    /// Does the hash of the connection's (or its master's) first source address fall to this node?
    pub fn test(&self, cx: &mut MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        let multicast = packet.dst.is_multicast(packet.family);
        let source = {
            let Some(conn) = cx.conn() else { return Matched::No };
            let conn = conn.master.and_then(|m| cx.net.ct.entry(m)).map_or(conn, |e| &e.conn);
            conn.tuple(Direction::Original).src
        };
        // A frame that all nodes got by a multicast hardware address is taken for one to this host.
        if cx.skb.pkt_type == PktType::Multicast && !multicast {
            cx.skb.pkt_type = PktType::Host;
        }
        let node = (u64::from(hash_source(source, self.seed)) * u64::from(self.total)) >> 32;
        self.nodes.test(self.nodes.value & 1u32.checked_shl(node as u32).unwrap_or(0) != 0).into()
    }
}

/// `xt_cluster_hash_ipv4`, `_ipv6` on a little-endian machine: Bob Jenkins' lookup3 (in the public domain) over the
/// address as it lies in memory. Of an IPv6 address only the first four bytes count: the kernel takes the number of
/// words for a number of bytes.
fn hash_source(addr: Addr, seed: u32) -> u32 {
    let init = 0xdead_beef_u32.wrapping_add(4).wrapping_add(seed);
    let (mut a, mut b, mut c) = (init.wrapping_add(addr.0[0].swap_bytes()), init, init);
    // lookup3's final mixing.
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}
