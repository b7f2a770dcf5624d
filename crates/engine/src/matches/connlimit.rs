//! `-m connlimit`: how many connections an address has (net/netfilter/xt_connlimit.c, nf_conncount.c).

use super::{MatchCx, Matched};
use crate::addr::Addr;
use crate::conntrack::l4::tuple_of;
use crate::conntrack::table::Found;
use crate::conntrack::{Conn, Conntrack, Direction, TcpConntrack, Tuple, Zone};
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
    /// Counted connections by their original tuple, in the order in which they were first met.
    pub lists: SortedMap<(Addr, u16), Vec<Tuple>>,
}

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

impl ConnlimitMatch {
    /// Counts the packet's connection with those of its address that are still there. A packet without an entry counts
    /// by its own tuple; one that has none is dropped, as is one of a closed connection when no other is left.
    pub fn test(&mut self, cx: &MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        let (own, zone) = match cx.conn() {
            Some(conn) => (conn.tuples[0], conn.zone),
            None => match tuple_of(packet, None) {
                Some(tuple) => (tuple, Zone::default()),
                None => return Matched::HotDrop,
            },
        };
        let addr = if self.by_destination { packet.dst } else { packet.src };
        let list = self.counted.lists.get_or((addr.and(self.mask), zone.id), Vec::new);
        // Those that are gone are only noticed on the way to the packet's own (__nf_conncount_add): one that was
        // counted before stops the search.
        let mut at = 0;
        let mut known = false;
        while let Some(tuple) = list.get(at) {
            match find(&cx.net.ct, tuple, &zone, cx.net.now) {
                Some(conn) if is_closed(conn) => {
                    list.remove(at);
                }
                Some(_) if *tuple == own => {
                    known = true;
                    break;
                }
                Some(_) => at += 1,
                None => {
                    list.remove(at);
                }
            }
        }
        // A connection that is over is not counted again; if it was the last one, there is nothing to compare.
        if !known && !find(&cx.net.ct, &own, &zone, cx.net.now).is_some_and(is_closed) {
            list.push(own);
        }
        if list.is_empty() {
            return Matched::HotDrop;
        }
        ((list.len() as u64 > u64::from(self.limit)) != self.upto).into()
    }
}
