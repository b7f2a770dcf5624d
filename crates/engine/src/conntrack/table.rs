//! The table: confirmed entries found by either tuple, unconfirmed ones by the packet that carries them.
//!
//! Entries live in slots; two hash chains run through them, one link for each tuple, and a third finds connections by
//! their original source for NAT (`nf_nat_bysource`). An entry that left the table keeps its slot, marked DYING, for as
//! long as packets point to it, as the kernel's reference count does.

use super::expect::Expectations;
use super::notify::Notify;
use super::{Conn, ConnRef, Direction, Entry, EntryId, Tuple, Unconfirmed, UnconfirmedId, Zone, status};
use crate::addr::Family;
use crate::time::{Duration, Time};
use core::num::NonZeroU32;

/// One end of an entry in a hash chain, `struct nf_conntrack_tuple_hash`: the slot and the direction, in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Node(NonZeroU32);

impl Node {
    fn new(slot: u32, dir: Direction) -> Node {
        // A slot number has at most 31 bits, so that this neither wraps nor is zero.
        Node(NonZeroU32::MIN.saturating_add(slot << 1 | dir as u32))
    }
    fn slot(self) -> u32 {
        (self.0.get() - 1) >> 1
    }
    fn dir(self) -> Direction {
        if (self.0.get() - 1) & 1 == 0 { Direction::Original } else { Direction::Reply }
    }
}

/// An entry's place in the chains, and who points to it.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Links {
    /// The next node of each tuple's chain.
    next: [Option<Node>; 2],
    /// The next node of the chain by original source.
    next_source: Option<Node>,
    /// How many packets carry it.
    refs: u32,
}

/// What a slot for an unconfirmed entry holds.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)]
enum Slot {
    /// Nothing.
    Free,
    /// An entry, which stays in place so that a packet costs no allocation, and how many packets carry it or point to it.
    Live(Unconfirmed, u32),
    /// It was confirmed (or a clash resolved) while other packets pointed to it: where it is now, and how many still point here.
    Moved(EntryId, u32),
}

/// What `conntrack -S` counts, `struct ip_conntrack_stat`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)]
pub struct Stats {
    pub found: u32,
    pub invalid: u32,
    pub insert: u32,
    pub insert_failed: u32,
    pub drop: u32,
    pub early_drop: u32,
    pub error: u32,
    pub search_restart: u32,
    pub clash_resolve: u32,
    pub chaintoolong: u32,
    pub expect_new: u32,
    pub expect_create: u32,
    pub expect_delete: u32,
}

/// All connections of a host.
#[derive(Clone, Debug, Default)]
pub struct Conntrack {
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    /// Chains by tuple; a power of two of them, chosen by the hash's upper bits, as `reciprocal_scale` does.
    buckets: Vec<Option<Node>>,
    /// Chains by original source; none until NAT needs them.
    sources: Vec<Option<Node>>,
    unconfirmed: Vec<Slot>,
    unconfirmed_free: Vec<u32>,
    /// Confirmed entries in the table.
    confirmed: u32,
    /// Unconfirmed entries that live.
    unconfirmed_live: u32,
    next_serial: u32,
    /// Nothing expires before this (a lower bound).
    pub(crate) first_expiry: Option<Time>,
    /// The collector rests until then.
    pub(crate) next_collection: Time,
    /// Counters of `conntrack -S`.
    pub stats: Stats,
    /// Listeners of `conntrack -E`.
    pub notify: Notify,
    /// Connections that helpers expect.
    pub expect: Expectations,
}

const FIRST_BUCKETS: usize = 64;

/// The hash of a tuple and the zone number that counts in its direction (`hash_conntrack_raw`).
pub(crate) fn hash_tuple(t: &Tuple, zone: u16) -> u32 {
    const K: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |h: u64, w: u64| (h ^ w).wrapping_mul(K).rotate_left(29);
    let pair = |a: u32, b: u32| u64::from(a) << 32 | u64::from(b);
    let ports =
        pair(u32::from(t.sport) << 16 | u32::from(t.dport), u32::from(t.proto) << 16 | u32::from(zone));
    let mut h = mix(K, ports);
    h = mix(h, pair(t.src.0[0], t.dst.0[0]));
    if t.family == Family::V6 {
        for i in 1..4 {
            h = mix(h, pair(t.src.0[i], t.dst.0[i]));
        }
    }
    finish(h)
}

/// The hash of what a connection comes from (`hash_by_src`).
fn hash_source(t: &Tuple) -> u32 {
    let source = Tuple { dst: crate::addr::Addr::UNSPECIFIED, dport: 0, ..*t };
    hash_tuple(&source, 0)
}

fn finish(mut h: u64) -> u32 {
    h ^= h >> 32;
    h = h.wrapping_mul(0xd6e8_feb8_6659_fd93);
    h ^= h >> 32;
    h = h.wrapping_mul(0xd6e8_feb8_6659_fd93);
    (h >> 32) as u32
}

/// `reciprocal_scale`: a 32-bit hash to a number below `n`.
pub(crate) fn scale(hash: u32, n: u32) -> u32 {
    ((u64::from(hash) * u64::from(n)) >> 32) as u32
}

impl Zone {
    /// `nf_ct_zone_id`: the number that counts in this direction's key.
    pub const fn id_for(&self, dir: Direction) -> u16 {
        let counts = match dir {
            Direction::Original => self.orig,
            Direction::Reply => self.reply,
        };
        if counts { self.id } else { 0 }
    }
}

/// What a search met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// An entry by the tuple of this direction.
    Entry(EntryId, Direction),
    /// An entry in the chain whose time is up: remove it, and search again.
    Expired(EntryId),
}

impl Conntrack {
    /// The connection, whichever kind it is; `None` for a name that outlived its entry.
    pub fn conn(&self, conn: ConnRef) -> Option<&Conn> {
        match conn {
            ConnRef::Confirmed(id) => self.slot(id).map(|e| &e.conn),
            ConnRef::Unconfirmed(id) => match self.unconfirmed.get(id.0 as usize)? {
                Slot::Live(u, _) => Some(&u.conn),
                Slot::Moved(entry, _) => self.slot(*entry).map(|e| &e.conn),
                Slot::Free => None,
            },
        }
    }
    /// The connection, whichever kind it is.
    pub fn conn_mut(&mut self, conn: ConnRef) -> Option<&mut Conn> {
        match self.resolve(conn) {
            ConnRef::Confirmed(id) => self.slot_mut(id).map(|e| &mut e.conn),
            ConnRef::Unconfirmed(id) => match self.unconfirmed.get_mut(id.0 as usize)? {
                Slot::Live(u, _) => Some(&mut u.conn),
                Slot::Moved(..) | Slot::Free => None,
            },
        }
    }
    /// Where a connection is now: an unconfirmed entry may have moved into the table meanwhile.
    pub fn resolve(&self, conn: ConnRef) -> ConnRef {
        match conn {
            ConnRef::Unconfirmed(id) => match self.unconfirmed.get(id.0 as usize) {
                Some(Slot::Moved(entry, _)) => ConnRef::Confirmed(*entry),
                _ => conn,
            },
            ConnRef::Confirmed(_) => conn,
        }
    }
    /// The entry of this name, if it is in the table (expired or not).
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.slot(id).filter(|e| !e.conn.has(status::DYING))
    }
    /// The entry of this name, if it is in the table.
    pub fn entry_mut(&mut self, id: EntryId) -> Option<&mut Entry> {
        self.slot_mut(id).filter(|e| !e.conn.has(status::DYING))
    }
    /// The unconfirmed entry of this name.
    pub fn unconfirmed(&self, id: UnconfirmedId) -> Option<&Unconfirmed> {
        match self.unconfirmed.get(id.0 as usize)? {
            Slot::Live(u, _) => Some(u),
            _ => None,
        }
    }
    /// The unconfirmed entry of this name.
    pub fn unconfirmed_mut(&mut self, id: UnconfirmedId) -> Option<&mut Unconfirmed> {
        match self.unconfirmed.get_mut(id.0 as usize)? {
            Slot::Live(u, _) => Some(u),
            _ => None,
        }
    }
    fn slot(&self, id: EntryId) -> Option<&Entry> {
        self.slots.get(id.0 as usize)?.as_ref()
    }
    fn slot_mut(&mut self, id: EntryId) -> Option<&mut Entry> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }
    /// All entries in the table, in no order that means anything. Call [`super::collect`] first where expired ones
    /// must not show.
    pub fn iter(&self) -> impl Iterator<Item = (EntryId, &Entry)> {
        let live = |e: &&Entry| !e.conn.has(status::DYING);
        let slots = self.slots.iter().enumerate();
        slots.filter_map(move |(i, e)| Some((EntryId(i as u32), e.as_ref().filter(live)?)))
    }
    /// All unconfirmed entries.
    pub fn iter_unconfirmed(&self) -> impl Iterator<Item = (UnconfirmedId, &Unconfirmed)> {
        self.unconfirmed.iter().enumerate().filter_map(|(i, s)| match s {
            Slot::Live(u, _) => Some((UnconfirmedId(i as u32), u)),
            _ => None,
        })
    }
    /// How many entries are in the table (expired ones that nobody has removed yet included).
    pub fn len(&self) -> usize {
        self.confirmed as usize
    }
    /// Is the table empty?
    pub fn is_empty(&self) -> bool {
        self.confirmed == 0
    }
    /// `net.netfilter.nf_conntrack_count`: unconfirmed entries count, too.
    pub fn count(&self) -> u32 {
        self.confirmed + self.unconfirmed_live
    }
    /// What remains of the timeout; zero for an unconfirmed entry.
    pub fn remaining(&self, conn: ConnRef, now: Time) -> Duration {
        match self.resolve(conn) {
            ConnRef::Confirmed(id) => self.slot(id).map_or(Duration(0), |e| e.expires.since(now)),
            ConnRef::Unconfirmed(_) => Duration(0),
        }
    }
    /// The next [`Conn::serial`].
    pub(crate) fn take_serial(&mut self) -> u32 {
        self.next_serial += 1;
        self.next_serial
    }

    // --- searching ---

    /// `nf_conntrack_find`: a confirmed entry with this tuple, in this zone, that is not expired.
    pub(crate) fn find(&self, tuple: &Tuple, zone: &Zone, now: Time) -> Found {
        let first = zone.id_for(Direction::Original);
        let second = zone.id_for(Direction::Reply);
        match self.find_hashed(hash_tuple(tuple, first), tuple, zone, now) {
            Found::Nothing if second != first => {
                self.find_hashed(hash_tuple(tuple, second), tuple, zone, now)
            }
            found => found,
        }
    }
    /// The entry with this tuple in that direction, as one that knows the direction searches.
    pub(crate) fn find_exact(&self, tuple: &Tuple, zone: &Zone, dir: Direction, now: Time) -> Found {
        let mut chain = self.chain(hash_tuple(tuple, zone.id_for(dir)));
        let found = chain.find(|(n, e)| n.dir() == dir && e.expires > now && key_equal(e, dir, tuple, zone));
        found.map_or(Found::Nothing, |(node, _)| Found::Entry(EntryId(node.slot()), dir))
    }
    /// The same in the chain of one hash.
    pub(crate) fn find_hashed(&self, hash: u32, tuple: &Tuple, zone: &Zone, now: Time) -> Found {
        for (node, entry) in self.chain(hash) {
            if entry.expires <= now {
                return Found::Expired(EntryId(node.slot()));
            }
            if key_equal(entry, node.dir(), tuple, zone) {
                return Found::Entry(EntryId(node.slot()), node.dir());
            }
        }
        Found::Nothing
    }
    /// The entries whose one tuple has this hash's chain, with the direction of that tuple.
    fn chain(&self, hash: u32) -> impl Iterator<Item = (Node, &Entry)> {
        let mut next = match self.buckets.len() {
            0 => None,
            n => self.buckets[scale(hash, n as u32) as usize],
        };
        core::iter::from_fn(move || {
            let node = next?;
            let entry = self.slots[node.slot() as usize].as_ref()?;
            next = entry.links.next[node.dir() as usize];
            Some((node, entry))
        })
    }
    /// The entries in a chain, by hash.
    pub(crate) fn in_chain(&self, hash: u32) -> impl Iterator<Item = (EntryId, Direction, &Entry)> {
        self.chain(hash).map(|(node, entry)| (EntryId(node.slot()), node.dir(), entry))
    }
    /// Connections with decided source whose original tuple has the source of this one, newest first.
    pub(crate) fn by_source<'a>(&'a self, tuple: &'a Tuple) -> impl Iterator<Item = &'a Conn> {
        let mut next = match self.sources.len() {
            0 => None,
            n => self.sources[scale(hash_source(tuple), n as u32) as usize],
        };
        let confirmed = core::iter::from_fn(move || {
            let node = next?;
            let entry = self.slots[node.slot() as usize].as_ref()?;
            next = entry.links.next_source;
            Some(&entry.conn)
        });
        let flying = self.iter_unconfirmed().map(|(_, u)| &u.conn);
        flying.filter(|c| c.has(status::SRC_NAT_DONE)).chain(confirmed).filter(move |c| {
            let t = c.tuple(Direction::Original);
            t.proto == tuple.proto && t.src == tuple.src && t.sport == tuple.sport && t.family == tuple.family
        })
    }
    /// Buckets of the kernel's table from the one of `hash`, at most `buckets`: the first entries met that `pick` takes.
    /// What `early_drop` scans.
    pub(crate) fn first_in_buckets(
        &self,
        hash: u32,
        kernel_buckets: u32,
        buckets: u32,
        pick: impl Fn(&Entry) -> bool,
    ) -> Vec<EntryId> {
        let start = scale(hash, kernel_buckets);
        for i in 0..buckets.min(kernel_buckets) {
            let wanted = (u64::from(start) + u64::from(i)) % u64::from(kernel_buckets);
            let mut found: Vec<EntryId> = Vec::new();
            // Both tables order chains by the hash's upper bits, so a bucket of theirs is a run of ours.
            let n = self.buckets.len() as u64;
            let from = wanted * n / u64::from(kernel_buckets);
            let to = ((wanted + 1) * n).div_ceil(u64::from(kernel_buckets)).min(n);
            for bucket in from..to {
                let mut next = self.buckets[bucket as usize];
                while let Some(node) = next {
                    let Some(entry) = &self.slots[node.slot() as usize] else { break };
                    next = entry.links.next[node.dir() as usize];
                    let hash = self.node_hash(entry, node.dir());
                    let id = EntryId(node.slot());
                    if u64::from(scale(hash, kernel_buckets)) == wanted && pick(entry) && !found.contains(&id)
                    {
                        found.push(id);
                    }
                }
            }
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }
    fn node_hash(&self, entry: &Entry, dir: Direction) -> u32 {
        hash_tuple(entry.conn.tuple(dir), entry.conn.zone.id_for(dir))
    }

    // --- the unconfirmed ---

    /// A new unconfirmed entry, carried by one packet.
    pub(crate) fn add_unconfirmed(&mut self, entry: Unconfirmed) -> UnconfirmedId {
        self.unconfirmed_live += 1;
        let slot = Slot::Live(entry, 1);
        match self.unconfirmed_free.pop() {
            Some(i) => {
                self.unconfirmed[i as usize] = slot;
                UnconfirmedId(i)
            }
            None => {
                self.unconfirmed.push(slot);
                UnconfirmedId(self.unconfirmed.len() as u32 - 1)
            }
        }
    }
    /// One more packet points to it.
    pub(crate) fn hold(&mut self, conn: ConnRef) {
        match conn {
            ConnRef::Confirmed(id) => {
                if let Some(entry) = self.slot_mut(id) {
                    entry.links.refs += 1;
                }
            }
            ConnRef::Unconfirmed(id) => {
                if let Some(Slot::Live(_, refs) | Slot::Moved(_, refs)) =
                    self.unconfirmed.get_mut(id.0 as usize)
                {
                    *refs += 1;
                }
            }
        }
    }
    /// One packet fewer points to it. Says if an unconfirmed entry went with it.
    pub(crate) fn put(&mut self, conn: ConnRef) -> bool {
        match conn {
            ConnRef::Confirmed(id) => {
                if let Some(entry) = self.slot_mut(id) {
                    entry.links.refs = entry.links.refs.saturating_sub(1);
                    if entry.links.refs == 0 && entry.conn.has(status::DYING) {
                        self.free_slot(id);
                    }
                }
                false
            }
            ConnRef::Unconfirmed(id) => {
                let (moved, master, refs) = match self.unconfirmed.get_mut(id.0 as usize) {
                    Some(Slot::Live(u, refs)) => (None, u.conn.master, refs),
                    Some(Slot::Moved(entry, refs)) => (Some(*entry), None, refs),
                    _ => return false,
                };
                *refs = refs.saturating_sub(1);
                if *refs > 0 {
                    return false;
                }
                self.unconfirmed[id.0 as usize] = Slot::Free;
                self.unconfirmed_free.push(id.0);
                match moved {
                    Some(entry) => {
                        self.put(ConnRef::Confirmed(entry));
                        false
                    }
                    None => {
                        self.unconfirmed_live -= 1;
                        if let Some(master) = master {
                            self.put(ConnRef::Confirmed(master));
                        }
                        true
                    }
                }
            }
        }
    }
    /// Takes an unconfirmed entry out of its slot. Where other packets point there, `forward` must follow.
    pub(crate) fn take_unconfirmed(&mut self, id: UnconfirmedId) -> Option<(Unconfirmed, u32)> {
        let slot = self.unconfirmed.get_mut(id.0 as usize)?;
        match core::mem::replace(slot, Slot::Free) {
            Slot::Live(entry, refs) => {
                self.unconfirmed_live -= 1;
                Some((entry, refs))
            }
            other => {
                *slot = other;
                None
            }
        }
    }
    /// The packet that owned the unconfirmed entry now carries this one; others that pointed to it follow.
    pub(crate) fn forward(&mut self, id: UnconfirmedId, to: EntryId, refs: u32) {
        self.hold(ConnRef::Confirmed(to));
        if refs > 1 {
            self.hold(ConnRef::Confirmed(to));
            self.unconfirmed[id.0 as usize] = Slot::Moved(to, refs - 1);
        } else {
            self.unconfirmed_free.push(id.0);
        }
    }

    // --- insertion and removal ---

    /// Into the table; the caller has looked for clashes. `by_original: false`: found by its reply tuple only
    /// (`nf_ct_resolve_clash_harder`).
    pub(crate) fn insert(&mut self, conn: Conn, expires: Time, by_original: bool) -> EntryId {
        let entry = Entry { conn, expires, links: Links::default() };
        let slot = match self.free.pop() {
            Some(i) => {
                self.slots[i as usize] = Some(entry);
                i
            }
            None => {
                self.slots.push(Some(entry));
                self.slots.len() as u32 - 1
            }
        };
        self.confirmed += 1;
        self.expires_at(expires);
        if self.confirmed as usize > self.buckets.len() {
            self.grow();
        } else {
            if by_original {
                self.link(slot, Direction::Original);
            }
            self.link(slot, Direction::Reply);
            self.link_source(slot);
        }
        EntryId(slot)
    }
    /// Something will expire at this time.
    pub(crate) fn expires_at(&mut self, at: Time) {
        if self.first_expiry.is_none_or(|first| at < first) {
            self.first_expiry = Some(at);
        }
    }
    fn link(&mut self, slot: u32, dir: Direction) {
        let Some(entry) = &self.slots[slot as usize] else { return };
        let bucket = scale(self.node_hash(entry, dir), self.buckets.len() as u32) as usize;
        let head = self.buckets[bucket].replace(Node::new(slot, dir));
        if let Some(entry) = &mut self.slots[slot as usize] {
            entry.links.next[dir as usize] = head;
        }
    }
    fn link_source(&mut self, slot: u32) {
        let Some(entry) = &self.slots[slot as usize] else { return };
        if !entry.conn.has(status::SRC_NAT_DONE) {
            return;
        }
        if self.sources.len() != self.buckets.len() {
            self.sources = vec![None; self.buckets.len()];
        }
        let hash = hash_source(entry.conn.tuple(Direction::Original));
        let bucket = scale(hash, self.sources.len() as u32) as usize;
        let head = self.sources[bucket].replace(Node::new(slot, Direction::Original));
        if let Some(entry) = &mut self.slots[slot as usize] {
            entry.links.next_source = head;
        }
    }
    /// Twice as many chains, and every entry in its new one.
    fn grow(&mut self) {
        let n = (self.buckets.len() * 2).max(FIRST_BUCKETS);
        self.buckets = vec![None; n];
        let nat = !self.sources.is_empty();
        self.sources = if nat { vec![None; n] } else { Vec::new() };
        for slot in 0..self.slots.len() as u32 {
            let Some(entry) = &self.slots[slot as usize] else { continue };
            if entry.conn.has(status::DYING) {
                continue;
            }
            if !entry.conn.has(status::NAT_CLASH) {
                self.link(slot, Direction::Original);
            }
            self.link(slot, Direction::Reply);
            self.link_source(slot);
        }
    }
    /// Out of the table. The slot stays, DYING, while packets carry the entry.
    pub(crate) fn remove(&mut self, id: EntryId) -> bool {
        let Some(entry) = self.entry(id) else { return false };
        let hashes = [Direction::Original, Direction::Reply].map(|dir| self.node_hash(entry, dir));
        let source = hash_source(entry.conn.tuple(Direction::Original));
        for dir in [Direction::Original, Direction::Reply] {
            self.unlink(scale(hashes[dir as usize], self.buckets.len() as u32), Node::new(id.0, dir));
        }
        self.unlink_source(source, id);
        self.confirmed -= 1;
        if let Some(entry) = self.slot_mut(id) {
            entry.conn.status |= status::DYING;
            if entry.links.refs == 0 {
                self.free_slot(id);
            }
        }
        true
    }
    /// Nobody points to it any more; its master has one holder fewer (`nf_ct_destroy`).
    fn free_slot(&mut self, id: EntryId) {
        let gone = self.slots[id.0 as usize].take();
        self.free.push(id.0);
        if let Some(master) = gone.and_then(|e| e.conn.master) {
            self.put(ConnRef::Confirmed(master));
        }
    }
    fn unlink(&mut self, bucket: u32, node: Node) {
        let after = |table: &Conntrack, n: Node| {
            table.slots[n.slot() as usize].as_ref().and_then(|e| e.links.next[n.dir() as usize])
        };
        let rest = after(self, node);
        let mut at = self.buckets[bucket as usize];
        if at == Some(node) {
            self.buckets[bucket as usize] = rest;
            return;
        }
        while let Some(previous) = at {
            let next = after(self, previous);
            if next == Some(node) {
                if let Some(entry) = &mut self.slots[previous.slot() as usize] {
                    entry.links.next[previous.dir() as usize] = rest;
                }
                return;
            }
            at = next;
        }
    }
    fn unlink_source(&mut self, hash: u32, id: EntryId) {
        if self.sources.is_empty() {
            return;
        }
        let after = |table: &Conntrack, slot: u32| {
            table.slots[slot as usize].as_ref().and_then(|e| e.links.next_source)
        };
        let bucket = scale(hash, self.sources.len() as u32) as usize;
        let rest = after(self, id.0);
        let mut at = self.sources[bucket];
        if at.is_some_and(|n| n.slot() == id.0) {
            self.sources[bucket] = rest;
            return;
        }
        while let Some(previous) = at {
            let next = after(self, previous.slot());
            if next.is_some_and(|n| n.slot() == id.0) {
                if let Some(entry) = &mut self.slots[previous.slot() as usize] {
                    entry.links.next_source = rest;
                }
                return;
            }
            at = next;
        }
    }
}

/// `nf_ct_key_equal`: is this the entry's tuple in that direction, and the zone of that direction, too?
fn key_equal(entry: &Entry, dir: Direction, tuple: &Tuple, zone: &Zone) -> bool {
    entry.conn.tuple(dir) == tuple && entry.conn.zone.id_for(dir) == zone.id_for(dir)
}
