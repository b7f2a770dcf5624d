//! Which rules of a chain a packet could match: finds the next one without testing those in between.
//!
//! Only [`crate::host::Host::run`] asks, with nobody looking on and no TRACE. A rule may be passed over only if testing it
//! would fail before anything with a side effect is reached, so that counters, limits, chance and everything else end up
//! as the walk from rule to rule leaves them.
//!
//! Each rule is filed under one of its plain conditions (an address, a port, a device, a mark, a set …), the one that
//! fewest rules of the chain share. A packet looks under what it has itself: one look for each kind of condition in use.
//! Files are chosen by hash alone. Where two conditions fall together, a rule is tested that could not match, and fails.

use crate::addr::{Addr, AddrMask};
use crate::device::DevId;
use crate::host::Net;
use crate::matches::set::fields;
use crate::matches::{Match, PortSide, SetRef};
use crate::packet::{L4, Skb, proto};
use crate::ruleset::{Inv, Rule};
use core::fmt;

/// Shorter chains are walked as they are.
const MIN_RULES: usize = 8;
/// How many kinds of conditions are told apart; what else rules have is not used.
const MAX_KINDS: usize = 64;
/// How many of them a packet looks under; rules that have only rarer ones are met by every packet.
const MAX_USED: usize = 12;

/// The index of a chain, made when it is first asked for and dropped when rules change. It is no part of the chain's
/// value: a copy of a chain begins without, and it compares equal to any other.
#[derive(Default)]
pub(crate) enum Cache {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    /// It would not help.
    None,
    /// Here it is.
    Made(Box<ChainIndex>),
}

impl Clone for Cache {
    fn clone(&self) -> Cache {
        Cache::Unknown
    }
}

impl PartialEq for Cache {
    fn eq(&self, _: &Cache) -> bool {
        true
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache")
    }
}

impl Cache {
    /// The index of these rules, made now if need be.
    pub(crate) fn of(&mut self, rules: &[Rule]) -> Option<&ChainIndex> {
        let stale = match self {
            Cache::Unknown => true,
            Cache::None => false,
            Cache::Made(index) => index.len != rules.len(),
        };
        if stale {
            *self = ChainIndex::new(rules).map_or(Cache::None, |i| Cache::Made(Box::new(i)));
        }
        match self {
            Cache::Made(index) => Some(index),
            _ => None,
        }
    }
}

/// A kind of condition, and how the packet's value for it is found.
#[derive(Clone, PartialEq, Debug)]
enum Kind {
    /// The source under this mask.
    Src(Addr),
    /// The destination under this mask.
    Dst(Addr),
    /// The input device's name.
    InIface,
    /// The output device's name.
    OutIface,
    /// The protocol.
    Proto,
    /// Protocol and source port.
    Sport,
    /// Protocol and destination port.
    Dport,
    /// The mark under this mask.
    Mark(u32),
    /// Membership in this set.
    Set(SetRef),
}

/// The files of a chain.
#[derive(Debug)]
pub(crate) struct ChainIndex {
    /// How many rules the chain had.
    len: usize,
    /// What a packet looks under, each with its number, which is part of the hash.
    kinds: Vec<(usize, Kind)>,
    /// Rules that are filed nowhere: every packet meets them. Ascending.
    always: Vec<u16>,
    /// Where each file begins in `filed`, and where the last ends: a power of two of them, and one.
    starts: Vec<u32>,
    /// Rules by file; ascending within a file.
    filed: Vec<u16>,
}

impl ChainIndex {
    fn new(rules: &[Rule]) -> Option<ChainIndex> {
        if rules.len() < MIN_RULES || rules.len() > usize::from(u16::MAX) {
            return None;
        }
        let files = (rules.len() * 2).next_power_of_two();
        let census = Census::new(rules, files);
        let mut filed: Vec<(u32, u16)> = Vec::new();
        let mut always = Vec::new();
        let mut used = vec![false; census.kinds.len()];
        for (number, rule) in rules.iter().enumerate() {
            match census.rarest(rule) {
                Some((kind, places)) => {
                    used[kind] = true;
                    filed.extend(places.into_iter().map(|file| (file, number as u16)));
                }
                None => always.push(number as u16),
            }
        }
        if always.len() * 2 > rules.len() {
            return None;
        }
        filed.sort_unstable();
        let mut starts = vec![0; files + 1];
        for (file, _) in &filed {
            starts[*file as usize + 1] += 1;
        }
        for file in 0..files {
            starts[file + 1] += starts[file];
        }
        let kinds = census.kinds.into_iter().map(|(kind, _)| kind).enumerate();
        Some(ChainIndex {
            len: rules.len(),
            kinds: kinds.filter(|(number, _)| used[*number]).collect(),
            always,
            starts,
            filed: filed.into_iter().map(|(_, rule)| rule).collect(),
        })
    }

    /// The first rule from `from` on that the packet could match, or the number of rules.
    pub(crate) fn next(
        &self,
        from: u16,
        skb: &Skb,
        in_dev: Option<DevId>,
        out_dev: Option<DevId>,
        net: &Net,
    ) -> u16 {
        let mut next = first(&self.always, from).unwrap_or(self.len as u16);
        for (number, kind) in &self.kinds {
            if let Some(value) = kind.of_packet(skb, in_dev, out_dev, net) {
                let file = place(*number, value, self.starts.len() - 1) as usize;
                let list = &self.filed[self.starts[file] as usize..self.starts[file + 1] as usize];
                next = first(list, from).map_or(next, |rule| rule.min(next));
            }
        }
        next
    }
}

/// The first of an ascending list that is not below `from`.
fn first(list: &[u16], from: u16) -> Option<u16> {
    let at = list.partition_point(|rule| *rule < from);
    list.get(at).copied()
}

/// The file of a value of a kind, of a power of two of files.
fn place(number: usize, value: u64, files: usize) -> u32 {
    let hash = (value ^ (number as u64) << 56).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) as u32 & (files as u32 - 1)
}

/// What conditions the rules of a chain have, and how many share each.
struct Census {
    /// Kinds, and how many rules have one.
    kinds: Vec<(Kind, u32)>,
    /// How many rules could be filed in each file.
    sizes: Vec<u32>,
    /// Kinds that fewer rules have are not used.
    least: u32,
}

impl Census {
    fn new(rules: &[Rule], files: usize) -> Census {
        let mut census = Census { kinds: Vec::new(), sizes: vec![0; files], least: 0 };
        for rule in rules {
            for_each_label(rule, &mut |kind, values| {
                let known = census.kinds.iter().position(|(k, _)| *k == kind);
                let number = known.unwrap_or(census.kinds.len());
                if known.is_none() {
                    if number == MAX_KINDS {
                        return;
                    }
                    census.kinds.push((kind, 0));
                }
                census.kinds[number].1 += 1;
                for value in values {
                    census.sizes[place(number, *value, files) as usize] += 1;
                }
            });
        }
        let mut common: Vec<u32> = census.kinds.iter().map(|k| k.1).collect();
        common.sort_unstable();
        census.least = common.len().checked_sub(MAX_USED).map_or(0, |from| common[from]);
        census
    }

    /// Under which kind a rule is filed, and in which files: where the largest of them is smallest.
    fn rarest(&self, rule: &Rule) -> Option<(usize, Vec<u32>)> {
        let mut best: Option<(u32, usize, Vec<u32>)> = None;
        for_each_label(rule, &mut |kind, values| {
            let usable = |(k, n): &(Kind, u32)| *k == kind && *n >= self.least;
            let Some(number) = self.kinds.iter().position(usable) else { return };
            let mut places: Vec<u32> = values.iter().map(|v| place(number, *v, self.sizes.len())).collect();
            let largest = places.iter().map(|p| self.sizes[*p as usize]).max().unwrap_or(u32::MAX);
            if best.as_ref().is_none_or(|(size, ..)| largest < *size) {
                places.sort_unstable();
                places.dedup();
                best = Some((largest, number, places));
            }
        });
        best.map(|(_, number, places)| (number, places))
    }
}

/// The plain conditions of a rule: for each its kind, and the values of which the packet must have one.
fn for_each_label(rule: &Rule, label: &mut dyn FnMut(Kind, &[u64])) {
    fn plain<T>(c: &Option<Inv<T>>) -> Option<&T> {
        c.as_ref().filter(|c| !c.not).map(|c| &c.value)
    }
    let header = &rule.header;
    if let Some(AddrMask { addr, mask }) = plain(&header.src) {
        label(Kind::Src(*mask), &[fold(*addr)]);
    }
    if let Some(AddrMask { addr, mask }) = plain(&header.dst) {
        label(Kind::Dst(*mask), &[fold(*addr)]);
    }
    for (kind, iface) in [(Kind::InIface, &header.in_iface), (Kind::OutIface, &header.out_iface)] {
        if let Some(name) = plain(iface).filter(|name| !name.0.ends_with('+')) {
            label(kind, &[text(&name.0)]);
        }
    }
    let proto = plain(&header.proto).copied();
    if let Some(proto) = proto {
        label(Kind::Proto, &[u64::from(proto)]);
    }
    for m in &rule.matches {
        match m {
            Match::Tcp(m) => {
                one_port(Kind::Sport, proto::TCP, plain(&m.sport), label);
                one_port(Kind::Dport, proto::TCP, plain(&m.dport), label);
            }
            Match::Udp(m) => {
                one_port(Kind::Sport, proto::UDP, plain(&m.sport), label);
                one_port(Kind::Dport, proto::UDP, plain(&m.dport), label);
            }
            Match::Multiport(m) => {
                let kind = match m.side {
                    PortSide::Source => Kind::Sport,
                    PortSide::Destination => Kind::Dport,
                    PortSide::Either => continue,
                };
                let single = m.ports.value.iter().all(|(low, high)| low == high);
                if let (Some(proto), true, false) = (proto, single, m.ports.not) {
                    let values: Vec<u64> = m.ports.value.iter().map(|p| port(proto, p.0)).collect();
                    label(kind, &values);
                }
            }
            Match::Mark(m) => {
                if !m.mark.not {
                    label(Kind::Mark(m.mark.value.mask), &[u64::from(m.mark.value.value)]);
                }
            }
            Match::Set(m) => {
                if !m.set.not {
                    label(Kind::Set(m.set.value.clone()), &[0]);
                }
                // Looking into a set may count; what stands behind it is reached only by packets that pass it.
                return;
            }
            // These only look. A rule may be passed over because of a match that stands behind them.
            Match::Comment(_) | Match::Icmp(_) | Match::Icmp6(_) | Match::Conntrack(_) | Match::State(_) => {}
            // Whatever else there is may count, draw lots or drop.
            _ => return,
        }
    }
}

fn one_port(kind: Kind, proto: u8, range: Option<&(u16, u16)>, label: &mut dyn FnMut(Kind, &[u64])) {
    if let Some((low, high)) = range
        && low == high
    {
        label(kind, &[port(proto, *low)]);
    }
}

fn port(proto: u8, port: u16) -> u64 {
    u64::from(proto) << 16 | u64::from(port)
}

/// An address as one number; two may share one.
fn fold(addr: Addr) -> u64 {
    let [a, b, c, d] = addr.0.map(u64::from);
    (a << 32 | b) ^ (c << 32 | d).rotate_left(17)
}

/// A name as one number; two may share one.
fn text(name: &str) -> u64 {
    name.bytes().fold(name.len() as u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Kind {
    /// The packet's value; `None`: no rule that is filed under this kind can match it.
    fn of_packet(&self, skb: &Skb, in_dev: Option<DevId>, out_dev: Option<DevId>, net: &Net) -> Option<u64> {
        let packet = &skb.packet;
        // An absent device has the empty name.
        let name = |dev: Option<DevId>| text(dev.and_then(|d| net.device(d)).map_or("", |d| &d.name));
        Some(match self {
            Kind::Src(mask) => fold(packet.src.and(*mask)),
            Kind::Dst(mask) => fold(packet.dst.and(*mask)),
            Kind::InIface => name(in_dev),
            Kind::OutIface => name(out_dev),
            Kind::Proto => u64::from(packet.proto),
            Kind::Sport => port(packet.proto, packet.ports()?.0),
            Kind::Dport => port(packet.proto, packet.ports()?.1),
            Kind::Mark(mask) => u64::from(skb.mark & mask),
            Kind::Set(set) => {
                let may_be = net.sets.may_hold(set, &fields(net, skb, in_dev, out_dev), net.now);
                return may_be.then_some(0);
            }
        })
    }
}

/// Has the packet the headers that its protocol should have, all of them? With others (fragments, headers cut short)
/// matches do more than to look: some drop.
pub(crate) fn is_regular(skb: &Skb) -> bool {
    let packet = &skb.packet;
    packet.frag.is_none()
        && matches!(
            (&packet.l4, packet.proto),
            (L4::Tcp(_), proto::TCP) | (L4::Udp(_), proto::UDP) | (L4::Icmp(_), proto::ICMP | proto::ICMPV6)
        )
}
