//! `-m hashlimit`: a token bucket for each address or port (net/netfilter/xt_hashlimit.c).
//!
//! Buckets live in the host by name and family as long as a rule names them ([`HashlimitTables::sync`]); the first
//! rule of a name decides how they are kept.

use super::{Match, MatchCx, Matched, transport};
use crate::addr::{Addr, AddrMask, Family};
use crate::packet::{Packet, proto};
use crate::ruleset::Ruleset;
use crate::sorted::SortedMap;
use crate::time::{HZ, Time};
use std::sync::Arc;

/// `--hashlimit-mode` and the other flags of `struct hashlimit_cfg3`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HashlimitMode {
    /// `dstip`.
    pub dst_ip: bool,
    /// `dstport`.
    pub dst_port: bool,
    /// `srcip`.
    pub src_ip: bool,
    /// `srcport`.
    pub src_port: bool,
    /// `--hashlimit-above`: true beyond the rate.
    pub above: bool,
    /// The rate counts bytes.
    pub bytes: bool,
    /// `--hashlimit-rate-match`: no buckets, the rate of the last interval counts.
    pub rate_match: bool,
}

/// `-m hashlimit`, `struct xt_hashlimit_mtinfo3`. Numbers are as the kernel gets them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HashlimitMatch {
    /// `--hashlimit-name`; rules of one name and family share their buckets.
    pub name: Arc<str>,
    /// Flags.
    pub mode: HashlimitMode,
    /// The rate: millionths of a second a packet (1/sec is 1000000); in byte mode 2^32 - 1 divided by the 16-byte
    /// units of a second.
    pub avg: u64,
    /// `--hashlimit-burst`: packets; in byte mode how often an empty bucket is filled up at once.
    pub burst: u64,
    /// `--hashlimit-htable-size`; 0: the kernel's choice.
    pub size: u32,
    /// `--hashlimit-htable-max`; 0: the kernel's choice.
    pub max: u32,
    /// `--hashlimit-htable-gcinterval` in milliseconds.
    pub gc_interval: u32,
    /// `--hashlimit-htable-expire` in milliseconds.
    pub expire: u32,
    /// `--hashlimit-srcmask`: prefix length.
    pub src_len: u8,
    /// `--hashlimit-dstmask`: prefix length.
    pub dst_len: u8,
    /// `--hashlimit-rate-interval` in seconds; 1 with `--hashlimit-rate-match` where none was written, else 0.
    pub interval: u32,
}

/// Whose bucket it is, `struct dsthash_dst`: parts that the mode leaves out are zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct HashlimitKey {
    /// Source address.
    pub src: Addr,
    /// Destination address.
    pub dst: Addr,
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
}

/// A bucket, `struct dsthash_ent`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bucket {
    /// Jiffies after which the collector takes it.
    pub expires: u64,
    /// Jiffies when it was last filled, or when the interval began.
    prev: u64,
    /// Credit.
    credit: u64,
    /// The most that it holds; in byte mode how often it may still be filled up at once.
    credit_cap: u64,
    /// Rate matching: what came in this interval.
    current: u64,
    /// Rate matching: was the last interval over the rate?
    over: bool,
}

/// The buckets of a name, `struct xt_hashlimit_htable`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HashlimitTable {
    /// Options of the first rule of this name.
    pub config: Arc<HashlimitMatch>,
    /// Family of its rules.
    pub family: Family,
    /// When it was made, in jiffies: the collector's beat.
    since: u64,
    /// Buckets.
    pub buckets: SortedMap<HashlimitKey, Bucket>,
}

/// The tables of a host.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HashlimitTables {
    /// In order of creation.
    pub tables: Vec<HashlimitTable>,
}

impl HashlimitTables {
    /// Tables come into being with the first rule that names them and go with the last.
    pub fn sync(&mut self, rules: &Ruleset, now: Time) {
        let mut named: Vec<(Arc<str>, Family)> = Vec::new();
        for table in &rules.tables {
            for m in table.matches() {
                let Match::Hashlimit(m) = m else { continue };
                if self.find(&m.name, table.family).is_none() {
                    self.tables.push(HashlimitTable {
                        config: m.clone(),
                        family: table.family,
                        since: now.jiffies(),
                        buckets: SortedMap::default(),
                    });
                }
                named.push((m.name.clone(), table.family));
            }
        }
        self.tables.retain(|t| named.iter().any(|(n, f)| *n == t.config.name && *f == t.family));
    }

    fn find(&mut self, name: &str, family: Family) -> Option<&mut HashlimitTable> {
        self.tables.iter_mut().find(|t| *t.config.name == *name && t.family == family)
    }
}

/// The size that the kernel chooses on a machine with more than a gigabyte of memory.
const DEFAULT_SIZE: u32 = 8192;
/// What a jiffy adds to a bucket of packets: the greatest power of two of which a day's worth fits 64 bits.
const PER_JIFFY: u64 = 1 << 39;
/// What a jiffy adds to a bucket of bytes: the same for 32 bits.
const PER_JIFFY_BYTES: u64 = 1 << 7;
/// A full bucket of bytes.
const FULL_BYTES: u64 = PER_JIFFY_BYTES * HZ;
/// Millionths of a second in a second (`XT_HASHLIMIT_SCALE_v2`).
const SCALE: u64 = 1_000_000;

/// `msecs_to_jiffies`: rounded up.
fn jiffies(ms: u32) -> u64 {
    (u64::from(ms) * HZ).div_ceil(1000)
}

impl HashlimitMatch {
    fn packet_cost(&self, packets: u64) -> u64 {
        self.avg.wrapping_mul(packets).wrapping_mul(HZ * PER_JIFFY / SCALE)
    }
    /// What 16 bytes cost.
    fn unit_cost(&self) -> u64 {
        (u64::from(self.avg as u32) * FULL_BYTES) >> 32
    }
    /// Rate matching: packets or bytes a second, and how many an interval may have.
    fn rate(&self) -> (u64, u64) {
        if self.mode.bytes {
            let units =
                u64::from(u32::MAX).checked_div(u64::from(self.avg as u32)).unwrap_or(u32::MAX.into());
            let rate = units << 4;
            (rate, if self.burst > 0 { self.burst.saturating_mul(rate) } else { rate })
        } else {
            let rate = SCALE.checked_div(self.avg).unwrap_or(0);
            (rate, self.burst.saturating_add(rate))
        }
    }

    /// `hashlimit_init_dst`; `None` where a port is wanted and cannot be read.
    fn key(&self, packet: &Packet) -> Option<HashlimitKey> {
        let mut key = HashlimitKey::default();
        let masked = |addr, len| AddrMask::prefix(packet.family, addr, len).addr;
        if self.mode.src_ip {
            key.src = masked(packet.src, self.src_len);
        }
        if self.mode.dst_ip {
            key.dst = masked(packet.dst, self.dst_len);
        }
        if self.mode.src_port || self.mode.dst_port {
            // proto_ports_offset: where four bytes are taken for ports, in fragments as well; over IPv6 not.
            let v6 = packet.family == Family::V6;
            let at = match packet.proto {
                _ if v6 && packet.is_later_fragment() => return Some(key),
                // Nothing follows the IPv6 header: ipv6_skip_exthdr gives up.
                59 if v6 => return None,
                proto::AH if v6 && transport::raw(packet).first() == Some(&59) => return None,
                proto::TCP | proto::UDP | proto::UDPLITE | proto::SCTP | proto::DCCP | proto::ESP => 0,
                proto::AH => 4,
                _ => return Some(key),
            };
            let (sport, dport) = match packet.ports() {
                Some(ports) => ports,
                None => {
                    let bytes = transport::raw(packet);
                    (transport::half(&bytes, at)?, transport::half(&bytes, at + 2)?)
                }
            };
            key.sport = if self.mode.src_port { sport } else { 0 };
            key.dport = if self.mode.dst_port { dport } else { 0 };
        }
        Some(key)
    }

    /// Takes what the packet costs from its bucket; true below the rate, or with `--hashlimit-above` beyond it.
    pub fn test(&self, cx: &mut MatchCx<'_>) -> Matched {
        let packet = &cx.skb.packet;
        let now = cx.net.now.jiffies();
        let len = u64::from(packet.len());
        let Some(table) = cx.net.hashlimit.find(&self.name, packet.family) else { return Matched::HotDrop };
        let Some(key) = table.config.key(packet) else { return Matched::HotDrop };
        let config = table.config.clone();
        let Some(bucket) = table.bucket(key, now) else { return Matched::HotDrop };
        let below = if self.mode.rate_match {
            bucket.current += if self.mode.bytes { len } else { 1 };
            !bucket.over && bucket.current <= config.rate().1
        } else {
            let cost = if self.mode.bytes {
                let cost = ((len >> 4) + 1).saturating_mul(config.unit_cost()).min(FULL_BYTES);
                // The burst: an empty bucket is filled up so many times.
                if bucket.credit < cost && bucket.credit_cap > 0 {
                    bucket.credit_cap -= 1;
                    bucket.credit = FULL_BYTES;
                }
                cost
            } else {
                config.packet_cost(1)
            };
            let below = bucket.credit >= cost;
            if below {
                bucket.credit -= cost;
            }
            below
        };
        (below != self.mode.above).into()
    }
}

impl HashlimitTable {
    /// The collector runs every `gc_interval` and takes what has expired by then: an expired bucket that it has not
    /// come to yet is still used.
    fn is_collected(&self, bucket: &Bucket, now: u64) -> bool {
        let beat = jiffies(self.config.gc_interval).max(1);
        // The first beat at or after the expiry.
        let beats = bucket.expires.saturating_sub(self.since).div_ceil(beat).max(1);
        self.since + beats * beat <= now
    }

    /// The bucket, filled up to now; `None` where the table is full.
    fn bucket(&mut self, key: HashlimitKey, now: u64) -> Option<&mut Bucket> {
        let config = self.config.clone();
        let gone = self.buckets.get(&key).is_some_and(|b| self.is_collected(b, now));
        if gone {
            self.buckets.remove(&key);
        }
        if self.buckets.get(&key).is_none() {
            let size = if config.size == 0 { DEFAULT_SIZE } else { config.size };
            let max = if config.max == 0 { size.saturating_mul(8) } else { config.max.max(size) } as usize;
            if self.buckets.len() >= max {
                let mut buckets = std::mem::take(&mut self.buckets);
                buckets.retain(|_, b| !self.is_collected(b, now));
                self.buckets = buckets;
                if self.buckets.len() >= max {
                    return None;
                }
            }
            let mut bucket = Bucket { prev: now, ..Bucket::default() };
            if config.mode.bytes {
                (bucket.credit, bucket.credit_cap) = (FULL_BYTES, config.burst);
            } else {
                bucket.credit = config.packet_cost(config.burst);
                bucket.credit_cap = bucket.credit;
            }
            self.buckets.insert(key, bucket);
        }
        let bucket = self.buckets.get_mut(&key)?;
        bucket.expires = now + jiffies(config.expire);
        bucket.fill(&config, now);
        Some(bucket)
    }
}

impl Bucket {
    /// `rateinfo_recalc`.
    fn fill(&mut self, config: &HashlimitMatch, now: u64) {
        let delta = now.saturating_sub(self.prev);
        if delta == 0 {
            return;
        }
        if config.mode.rate_match {
            let interval = u64::from(config.interval) * HZ;
            if delta < interval {
                return;
            }
            self.prev = now;
            self.over = self.current.saturating_mul(interval) > delta.saturating_mul(config.rate().0);
            self.current = 0;
            return;
        }
        self.prev = now;
        let (step, cap) = match config.mode.bytes {
            true => (PER_JIFFY_BYTES, FULL_BYTES),
            false => (PER_JIFFY, self.credit_cap),
        };
        self.credit = self.credit.saturating_add(step.saturating_mul(delta)).min(cap);
    }
}
