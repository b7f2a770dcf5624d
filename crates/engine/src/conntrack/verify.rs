//! What must hold of the table at any moment; checked after every step in tests.

use super::table::Found;
use super::{ConnRef, Direction, EntryId, UnconfirmedId, status};
use crate::host::Net;
use std::collections::HashSet;

/// A broken invariant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Broken {
    /// A confirmed entry is not found by the tuple of this direction.
    NotFound(EntryId, Direction),
    /// Two entries of a zone have the same tuple.
    Twice(EntryId, Direction),
    /// An entry in the table is not marked as confirmed.
    NotConfirmed(EntryId),
    /// An unconfirmed entry is marked as confirmed.
    UnconfirmedIsConfirmed(UnconfirmedId),
    /// The reply tuple differs from the inverse of the original one without a NAT bit, or the other way round.
    NatBits(EntryId),
    /// An entry counts as NATed in a half that is not decided.
    NotDecided(EntryId),
    /// The number of entries is not what the counter says.
    Count,
    /// An entry expires before the moment when the collector would look.
    Overlooked(EntryId),
}

/// Checks all invariants of connection tracking and NAT.
pub fn verify(net: &Net) -> Result<(), Broken> {
    let mut seen = HashSet::new();
    let mut count = 0;
    for (id, entry) in net.ct.iter() {
        count += 1;
        let conn = &entry.conn;
        if !conn.confirmed() {
            return Err(Broken::NotConfirmed(id));
        }
        for dir in [Direction::Original, Direction::Reply] {
            let hidden = dir == Direction::Original && conn.has(status::NAT_CLASH);
            if hidden {
                continue;
            }
            // From a port to itself: both directions have the same tuple.
            let own_mirror = dir == Direction::Reply && conn.tuple(dir) == conn.tuple(Direction::Original);
            // With a zone for one direction only, a tuple may stand beside the same one of the other direction.
            let (zone, other) = (conn.zone.id_for(dir), conn.zone.id_for(dir.flip()));
            let beside_own = !seen.insert((*conn.tuple(dir), zone, Some(dir)));
            let beside_any = zone == other && !seen.insert((*conn.tuple(dir), zone, None));
            if beside_own || (beside_any && !own_mirror) {
                return Err(Broken::Twice(id, dir));
            }
            let long_ago = crate::time::Time::default();
            if entry.expires > net.now
                && net.ct.find_exact(conn.tuple(dir), &conn.zone, dir, long_ago) != Found::Entry(id, dir)
            {
                return Err(Broken::NotFound(id, dir));
            }
        }
        let inverse = conn.tuple(Direction::Original).invert();
        let translated = inverse != Some(*conn.tuple(Direction::Reply));
        let marked = conn.has(status::SRC_NAT | status::DST_NAT);
        // Entries that a tool made say of themselves what they like.
        if conn.born.0 != 0 && translated != marked {
            return Err(Broken::NatBits(id));
        }
        let undecided = conn.has(status::SRC_NAT) && !conn.has(status::SRC_NAT_DONE)
            || conn.has(status::DST_NAT) && !conn.has(status::DST_NAT_DONE);
        if conn.born.0 != 0 && undecided {
            return Err(Broken::NotDecided(id));
        }
        if net.ct.first_expiry.is_none_or(|first| first > entry.expires) {
            return Err(Broken::Overlooked(id));
        }
    }
    for (id, unconfirmed) in net.ct.iter_unconfirmed() {
        count += 1;
        if unconfirmed.conn.confirmed()
            || net.ct.resolve(ConnRef::Unconfirmed(id)) != ConnRef::Unconfirmed(id)
        {
            return Err(Broken::UnconfirmedIsConfirmed(id));
        }
    }
    if count != net.ct.count() {
        return Err(Broken::Count);
    }
    Ok(())
}
