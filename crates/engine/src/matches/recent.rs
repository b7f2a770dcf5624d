//! `-m recent`: lists of addresses with the times at which they were seen (net/netfilter/xt_recent.c).
//!
//! A list lives in the host as long as a rule names it ([`RecentLists::sync`]); rules of both families share it.

use super::{Match, MatchCx, Matched};
use crate::addr::{Addr, Family};
use crate::host::Net;
use crate::ruleset::Ruleset;
use crate::time::HZ;
use std::sync::Arc;

/// What a rule does with its list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecentAction {
    /// `--set`.
    Set,
    /// `--rcheck`.
    Check,
    /// `--update`.
    Update,
    /// `--remove`.
    Remove,
}

/// `-m recent`, `struct xt_recent_mtinfo_v1`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecentMatch {
    /// `--set`, `--rcheck`, `--update` or `--remove`.
    pub action: RecentAction,
    /// `!` before it.
    pub not: bool,
    /// `--seconds`; 0: not given.
    pub seconds: u32,
    /// `--reap`.
    pub reap: bool,
    /// `--hitcount`; 0: not given.
    pub hitcount: u32,
    /// `--rttl`.
    pub rttl: bool,
    /// `--name`.
    pub name: Arc<str>,
    /// `--mask`.
    pub mask: Addr,
    /// `--rdest`: keyed by destination; else by source.
    pub by_destination: bool,
}

/// How many addresses a list remembers (module parameter `ip_list_tot`).
const LIST_MAX: usize = 100;
/// How many times of an address a list remembers where no rule asks for more.
const STAMPS_DEFAULT: u32 = 32;

/// An address in a list, `struct recent_entry`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecentEntry {
    /// Its family.
    pub family: Family,
    /// The address.
    pub addr: Addr,
    /// Time to live of the last packet that was recorded.
    pub ttl: u8,
    /// Jiffies at which it was seen, a ring.
    pub stamps: Vec<u64>,
    /// Where in the ring the next one goes.
    next: usize,
}

impl RecentEntry {
    /// When it was last seen, in jiffies.
    pub fn last_seen(&self) -> u64 {
        // The ring never is empty: an entry begins with a stamp.
        let last = self.next.checked_sub(1).unwrap_or(self.stamps.len() - 1);
        self.stamps.get(last).copied().unwrap_or(0)
    }
}

/// A list, `struct recent_table`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecentList {
    /// Its name.
    pub name: Arc<str>,
    /// Addresses are masked by this; the first rule decides.
    mask: Addr,
    /// The ring's size.
    stamps_max: u32,
    /// Least recently recorded first.
    pub entries: Vec<RecentEntry>,
}

/// The lists of a host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RecentLists {
    /// In order of creation.
    pub lists: Vec<RecentList>,
}

impl RecentLists {
    /// The list of this name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut RecentList> {
        self.lists.iter_mut().find(|l| *l.name == *name)
    }

    /// Lists come into being with the first rule that names them and go with the last (`recent_mt_check`,
    /// `recent_mt_destroy`). A rule that wants to count further than the list can empties it.
    pub fn sync(&mut self, rules: &Ruleset) {
        let mut named: Vec<Arc<str>> = Vec::new();
        for m in rules.matches() {
            let Match::Recent(m) = m else { continue };
            let wanted =
                if m.hitcount > 0 { m.hitcount.checked_next_power_of_two() } else { Some(STAMPS_DEFAULT) };
            let stamps_max = wanted.unwrap_or(u32::MAX);
            match self.get_mut(&m.name) {
                Some(list) => {
                    if stamps_max > list.stamps_max {
                        list.entries.clear();
                        list.stamps_max = stamps_max;
                    }
                }
                None => self.lists.push(RecentList {
                    name: m.name.clone(),
                    mask: m.mask,
                    stamps_max,
                    entries: Vec::new(),
                }),
            }
            named.push(m.name.clone());
        }
        self.lists.retain(|l| named.contains(&l.name));
    }
}

impl RecentList {
    fn find(&self, family: Family, addr: Addr, ttl: Option<u8>) -> Option<usize> {
        // A recorded hop limit of 0 fits every packet (recent_entry_lookup).
        self.entries.iter().position(|e| {
            e.family == family
                && e.addr == addr
                && ttl.is_none_or(|ttl| ttl == 0 || e.ttl == ttl || e.ttl == 0)
        })
    }

    /// `recent_entry_init`: the least recently recorded makes room.
    fn add(&mut self, family: Family, addr: Addr, ttl: u8, now: u64) {
        if self.entries.len() >= LIST_MAX {
            self.entries.remove(0);
        }
        self.entries.push(RecentEntry { family, addr, ttl, stamps: vec![now], next: 1 });
    }

    /// `recent_entry_update`: one stamp more, and the entry goes to the end of the line.
    fn update(&mut self, at: usize, ttl: u8, now: u64) {
        let max = self.stamps_max as usize;
        let mut entry = self.entries.remove(at);
        let slot = entry.next % max;
        match entry.stamps.get_mut(slot) {
            Some(old) => *old = now,
            None => entry.stamps.push(now),
        }
        entry.next = slot + 1;
        entry.ttl = ttl;
        self.entries.push(entry);
    }
}

impl RecentMatch {
    /// Looks the address up, and records or removes it.
    pub fn test(&self, cx: &mut MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        let (family, now) = (packet.family, cx.net.now.jiffies());
        let mut ttl = packet.ttl;
        // A forwarded packet counts with the hop limit that it came with.
        if cx.out_dev.is_some() && cx.in_dev.is_some() {
            ttl = ttl.wrapping_add(1);
        }
        let addr = if self.by_destination { packet.dst } else { packet.src };
        let Net { recent, .. } = &mut *cx.net;
        let Some(list) = recent.get_mut(&self.name) else { return self.not.into() };
        let addr = addr.and(list.mask);
        let Some(at) = list.find(family, addr, self.rttl.then_some(ttl)) else {
            if self.action != RecentAction::Set {
                return self.not.into();
            }
            list.add(family, addr, ttl, now);
            return (!self.not).into();
        };
        match self.action {
            RecentAction::Set => {
                list.update(at, ttl, now);
                (!self.not).into()
            }
            RecentAction::Remove => {
                list.entries.remove(at);
                (!self.not).into()
            }
            RecentAction::Check | RecentAction::Update => {
                // Signed: a run begins at 0, and the window may reach back beyond that.
                let since = now as i64 - (u64::from(self.seconds) * HZ) as i64;
                let fresh = |stamp: u64| self.seconds == 0 || stamp as i64 >= since;
                let hits = list.entries[at].stamps.iter().filter(|&&s| fresh(s)).count();
                let hit = hits >= self.hitcount.max(1) as usize;
                let result = hit != self.not;
                let updates = self.action == RecentAction::Update && result;
                let mut at = at;
                if self.reap {
                    // Only the least recently recorded one is looked at, unless it is about to be recorded.
                    let oldest = &list.entries[0];
                    if !(at == 0 && updates) && (oldest.last_seen() as i64) < since {
                        list.entries.remove(0);
                        match at.checked_sub(1) {
                            Some(moved) => at = moved,
                            None => return result.into(),
                        }
                    }
                }
                if updates {
                    list.update(at, ttl, now);
                }
                result.into()
            }
        }
    }
}
