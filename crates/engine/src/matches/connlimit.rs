//! `-m connlimit`: how many connections an address has (net/netfilter/xt_connlimit.c, nf_conncount.c).

use super::{MatchCx, Matched};
use crate::addr::Addr;
use crate::conntrack::l4::tuple_of;
use crate::conntrack::table::Found;
use crate::conntrack::{Conn, ConnRef, Conntrack, Direction, Nfct, TcpConntrack, Tuple, Zone, status};
use crate::sorted::SortedMap;
use crate::time::Time;

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
    /// What is counted for each.
    pub lists: SortedMap<(Addr, u16), ConnList>,
}

/// `struct nf_conncount_list`.
#[derive(Clone, PartialEq, Debug)]
pub struct ConnList {
    /// Counted connections by their original tuple, in the order in which they were met.
    pub tuples: Vec<Tuple>,
    /// The jiffy of the last look for those that are gone (`last_gc`), and how many were left then.
    last_look: (u64, usize),
}

/// `CONNCOUNT_GC_MAX_COLLECT`: so many that came within a jiffy are counted without a look at the others.
const MOST_AT_ONCE: usize = 64;

/// The connection of a counted tuple (`find_or_evict`): `None` once it has left the table, or if it was never confirmed.
fn find<'a>(ct: &'a Conntrack, tuple: &Tuple, zone: &Zone, now: Time) -> Option<&'a Conn> {
    let at = |dir| match ct.find_exact(tuple, zone, dir, now) {
        Found::Entry(id, _) => ct.entry(id).map(|e| &e.conn),
        _ => None,
    };
    at(Direction::Original).or_else(|| at(Direction::Reply))
}

/// `already_closed`: a TCP connection that is over does not count.
fn is_closed(conn: &Conn) -> bool {
    matches!(conn.tcp_state(), Some(TcpConntrack::TimeWait | TcpConntrack::Close))
}

impl ConnList {
    fn looked_just_now(&self, now: Time) -> bool {
        self.last_look.0 == now.jiffies() && self.tuples.len().saturating_sub(self.last_look.1) < MOST_AT_ONCE
    }

    /// `nf_conncount_gc_list`: those that are gone are forgotten.
    fn tidy(&mut self, ct: &Conntrack, zone: &Zone, now: Time) {
        if !self.looked_just_now(now) {
            self.tuples.retain(|tuple| find(ct, tuple, zone, now).is_some_and(|conn| !is_closed(conn)));
            self.last_look = (now.jiffies(), self.tuples.len());
        }
    }

    /// The walk of `__nf_conncount_add`: those that are gone are only noticed on the way to the packet's own; one that
    /// was counted before ends the search, and need not be counted.
    fn find_own(&mut self, own: &Tuple, ct: &Conntrack, zone: &Zone, now: Time) -> bool {
        let mut at = 0;
        while let Some(tuple) = self.tuples.get(at) {
            match find(ct, tuple, zone, now) {
                Some(_) if tuple == own => return true,
                Some(conn) if !is_closed(conn) => at += 1,
                _ => {
                    self.tuples.remove(at);
                }
            }
        }
        self.last_look = (now.jiffies(), self.tuples.len());
        false
    }
}

impl ConnlimitMatch {
    /// Counts the packet's connection with those of its address that are still there. A packet without an entry counts
    /// by its own tuple; one that has none is dropped, as is one of a closed connection when no other is left.
    pub fn test(&mut self, cx: &MatchCx<'_>) -> Matched {
        let (packet, ct, now) = (&cx.skb.packet, &cx.net.ct, cx.net.now);
        let (own, zone) = match (cx.conn(), &cx.skb.nfct) {
            (Some(conn), _) => (conn.tuples[0], conn.zone),
            (None, nfct) => {
                let zone = if let Nfct::Template(t) = nfct { t.zone } else { Zone::default() };
                match tuple_of(packet, None) {
                    Some(tuple) => (tuple, zone),
                    None => return Matched::HotDrop,
                }
            }
        };
        let confirmed = match cx.skb.nfct {
            Nfct::Conn { conn: ConnRef::Unconfirmed(_), .. } => None,
            Nfct::Conn { .. } => cx.conn(),
            _ => find(ct, &own, &zone, now),
        };
        let addr = if self.by_destination { packet.dst } else { packet.src };
        let key = (addr.and(self.mask), zone.id);
        let mut fresh = false;
        let list = self.counted.lists.get_or(key, || {
            fresh = true;
            ConnList { tuples: vec![own], last_look: (now.jiffies(), 0) }
        });
        if !fresh {
            match confirmed {
                // Whatever has been assured was counted when it began, or never is.
                Some(conn) if conn.status & status::ASSURED != 0 => list.tidy(ct, &zone, now),
                // Of a train of packets within a jiffy each counts, be it of one connection.
                None if list.looked_just_now(now) => list.tuples.push(own),
                _ => {
                    if !list.find_own(&own, ct, &zone, now) {
                        list.tuples.push(own);
                    }
                }
            }
        }
        if list.tuples.is_empty() {
            return Matched::HotDrop;
        }
        ((list.tuples.len() as u64 > u64::from(self.limit)) != self.upto).into()
    }
}
