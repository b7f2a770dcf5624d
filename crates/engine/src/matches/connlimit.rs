//! `-m connlimit`: how many connections an address has (net/netfilter/xt_connlimit.c, nf_conncount.c).

use super::{MatchCx, Matched};
use crate::addr::Addr;
use crate::conntrack::{Conn, Nfct, TcpConntrack, Tuple};
use std::collections::BTreeMap;

/// `-m connlimit`.
#[derive(Clone, PartialEq, Debug)]
pub struct ConnlimitMatch {
    /// The number.
    pub limit: u32,
    /// `--connlimit-upto`: true up to the number; else true above it.
    pub upto: bool,
    /// `--connlimit-mask`.
    pub mask: Addr,
    /// `--connlimit-daddr`: counted by destination; else by source.
    pub by_destination: bool,
    /// Whom the rule has counted.
    pub counted: ConnCount,
}

/// `struct nf_conncount_data`: the connections that a rule has counted, by masked address and zone.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ConnCount {
    /// Counted connections by their original tuple.
    pub lists: BTreeMap<(Addr, u16), Vec<Tuple>>,
}

/// `already_closed`: a TCP connection that is over does not count.
fn closed(conn: &Conn) -> bool {
    matches!(conn.tcp_state(), Some(TcpConntrack::TimeWait | TcpConntrack::Close))
}

impl ConnlimitMatch {
    /// Counts the packet's connection with those of its address that are still there.
    pub fn test(&mut self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        let Nfct::Conn { .. } = cx.skb.nfct else { return self.upto.into() };
        let Some(conn) = cx.conn() else { return self.upto.into() };
        let own = conn.tuples[0];
        let addr = if self.by_destination { packet.dst } else { packet.src };
        let key = (addr.and(self.mask), conn.zone.id);
        let list = self.counted.lists.entry(key).or_default();
        // Connections that have gone or are over make room; one that was never confirmed has gone.
        list.retain(|t| {
            *t == own || cx.net.ct.iter().any(|(_, e)| e.conn.tuples[0] == *t && !closed(&e.conn))
        });
        if !list.contains(&own) {
            list.push(own);
        }
        ((list.len() as u64 > u64::from(self.limit)) != self.upto).into()
    }
}
