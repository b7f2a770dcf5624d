//! Tables, chains and rules as values. Traversal is in [`crate::step`]; text is in the `lang` crate.

use crate::addr::{AddrMask, Family};
use crate::hook::Hook;
use crate::index::Cache;
use crate::matches::Match;
use crate::targets::Target;
use std::sync::Arc;

/// The five tables of iptables.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum TableKind {
    /// Before conntrack.
    Raw,
    /// Header changes; in OUTPUT it re-routes.
    Mangle,
    /// Address translation; consulted for a connection's first packet only.
    Nat,
    /// The usual place to accept and drop.
    Filter,
    /// For mandatory access control.
    Security,
}

impl TableKind {
    /// All five.
    pub const ALL: [TableKind; 5] =
        [TableKind::Raw, TableKind::Mangle, TableKind::Nat, TableKind::Filter, TableKind::Security];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            TableKind::Raw => "raw",
            TableKind::Mangle => "mangle",
            TableKind::Nat => "nat",
            TableKind::Filter => "filter",
            TableKind::Security => "security",
        }
    }
    /// The hooks at which it has a chain, in iptables' order.
    pub const fn hooks(self) -> &'static [Hook] {
        use Hook::*;
        match self {
            TableKind::Raw => &[Prerouting, Output],
            TableKind::Mangle => &[Prerouting, Input, Forward, Output, Postrouting],
            TableKind::Nat => &[Prerouting, Input, Output, Postrouting],
            TableKind::Filter | TableKind::Security => &[Input, Forward, Output],
        }
    }
}

/// Packets and bytes, `struct xt_counters`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Bytes, IP header included.
    pub bytes: u64,
}

impl Counters {
    /// One more packet of this length. After the largest number comes zero, as in the kernel.
    pub fn add(&mut self, len: u32) {
        self.packets = self.packets.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(u64::from(len));
    }
}

/// What a base chain does when no rule decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// On to the next hook function.
    Accept,
    /// The packet ends here.
    Drop,
}

/// A table of one family. Built-in chains come into being when first named (iptables-nft), so all may be absent.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Which table.
    pub kind: TableKind,
    /// IPv4 or IPv6.
    pub family: Family,
    /// Chains by [`ChainId`], in order of creation; a deleted chain leaves `None`.
    pub chains: Vec<Option<Chain>>,
    /// The handle that the next rule gets (`nft -a`).
    pub next_handle: u32,
}

/// A chain's place in [`Table::chains`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ChainId(pub u16);

/// A chain.
#[derive(Clone, PartialEq, Debug)]
pub struct Chain {
    /// Its name, at most 28 bytes.
    pub name: Arc<str>,
    /// nft handle, unique in its table among rules and chains.
    pub handle: u32,
    /// Set for a built-in chain: its hook and policy.
    pub base: Option<Base>,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
    /// Which of them a packet could match; [`crate::host::Host::refresh`] forgets it.
    pub(crate) index: Cache,
}

/// What makes a chain a base chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Base {
    /// The hook at which it is registered.
    pub hook: Hook,
    /// Its policy.
    pub policy: Policy,
    /// The policy's counter. A chain that `-A` made by itself has none; `-P` and `:CHAIN POLICY [n:m]` give it one.
    pub counters: Option<Counters>,
}

/// One rule: conditions, counter, target.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// nft handle, unique in its table.
    pub handle: u32,
    /// Conditions on the IP header and the devices.
    pub header: HeaderMatch,
    /// `-m` matches in the order in which they were written; evaluated in this order, up to the first that fails.
    pub matches: Vec<Match>,
    /// What happens when all conditions hold. [`Target::None`]: count, and go on.
    pub target: Target,
    /// Counted when all conditions hold, before the target runs.
    pub counters: Counters,
}

/// A condition that may be inverted with `!`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Inv<T> {
    /// The value.
    pub value: T,
    /// `!` stands before it.
    pub not: bool,
}

impl<T> Inv<T> {
    /// Not inverted.
    pub const fn yes(value: T) -> Inv<T> {
        Inv { value, not: false }
    }
    /// Is the outcome of the plain test what this condition wants?
    pub const fn test(&self, plain: bool) -> bool {
        plain != self.not
    }
}

/// `struct ipt_ip` / `struct ip6t_ip6`: the conditions without `-m`. Tested in the order of the fields.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HeaderMatch {
    /// `-s`.
    pub src: Option<Inv<AddrMask>>,
    /// `-d`.
    pub dst: Option<Inv<AddrMask>>,
    /// `-i`; a trailing `+` is a wildcard.
    pub in_iface: Option<Inv<IfName>>,
    /// `-o`.
    pub out_iface: Option<Inv<IfName>>,
    /// `-p`; 0 stands for all and is not stored.
    pub proto: Option<Inv<u8>>,
    /// `-f`: non-first fragments (IPv4).
    pub fragment: Option<Inv<()>>,
}

/// An interface name as rules write it: `eth0`, or `eth+` for every name that begins so.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct IfName(pub Arc<str>);

impl IfName {
    /// `ifname_compare`: does the device's name fit? An absent device has the empty name.
    pub fn matches(&self, name: &str) -> bool {
        match self.0.strip_suffix('+') {
            Some(stem) => name.starts_with(stem),
            None => *self.0 == *name,
        }
    }
}

/// The tables of a host, both families.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ruleset {
    /// Tables that exist, in order of creation.
    pub tables: Vec<Table>,
}

impl Ruleset {
    /// The table, if something made it.
    pub fn table(&self, family: Family, kind: TableKind) -> Option<&Table> {
        self.tables.iter().find(|t| t.family == family && t.kind == kind)
    }
    /// The table, if something made it.
    pub fn table_mut(&mut self, family: Family, kind: TableKind) -> Option<&mut Table> {
        self.tables.iter_mut().find(|t| t.family == family && t.kind == kind)
    }
    /// The table, made now if it was not there.
    pub fn table_or_new(&mut self, family: Family, kind: TableKind) -> &mut Table {
        let at = self.tables.iter().position(|t| t.family == family && t.kind == kind).unwrap_or_else(|| {
            self.tables.push(Table { kind, family, chains: Vec::new(), next_handle: 1 });
            self.tables.len() - 1
        });
        &mut self.tables[at]
    }
}

impl Ruleset {
    /// Every match of every rule.
    pub fn matches(&self) -> impl Iterator<Item = &Match> {
        self.tables.iter().flat_map(Table::matches)
    }
    /// How many matches and targets of rules name this set: it cannot be destroyed or renamed while there is one.
    pub fn set_references(&self, name: &str) -> usize {
        let in_match = |m: &Match| matches!(m, Match::Set(m) if *m.set.value.name == *name);
        let in_target = |t: &Target| match t {
            Target::Set(t) => {
                [&t.add, &t.del, &t.map].into_iter().flatten().filter(|s| *s.name == *name).count()
            }
            _ => 0,
        };
        self.matches().filter(|m| in_match(m)).count()
            + self.tables.iter().flat_map(Table::rules).map(|r| in_target(&r.target)).sum::<usize>()
    }
}

impl Table {
    /// Every rule, chain by chain.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.chains.iter().flatten().flat_map(|c| &c.rules)
    }
    /// Every match of every rule.
    pub fn matches(&self) -> impl Iterator<Item = &Match> {
        self.rules().flat_map(|r| &r.matches)
    }
    /// The chain of this id.
    pub fn chain(&self, id: ChainId) -> Option<&Chain> {
        self.chains.get(usize::from(id.0))?.as_ref()
    }
    /// The chain of this id.
    pub fn chain_mut(&mut self, id: ChainId) -> Option<&mut Chain> {
        self.chains.get_mut(usize::from(id.0))?.as_mut()
    }
    /// The chain of this name.
    pub fn find(&self, name: &str) -> Option<ChainId> {
        let at = self.chains.iter().position(|c| c.as_ref().is_some_and(|c| *c.name == *name))?;
        Some(ChainId(at as u16))
    }
    /// The base chain at this hook.
    pub fn base(&self, hook: Hook) -> Option<ChainId> {
        let at = self
            .chains
            .iter()
            .position(|c| c.as_ref().and_then(|c| c.base.as_ref()).is_some_and(|b| b.hook == hook))?;
        Some(ChainId(at as u16))
    }
    /// A new user chain; the caller has checked that the name is free.
    pub fn add_chain(&mut self, name: &str) -> ChainId {
        self.push(name, None)
    }
    /// The built-in chain of this hook, made now if it was not there (without a policy counter, as `-A` makes it).
    pub fn base_or_new(&mut self, hook: Hook) -> ChainId {
        match self.base(hook) {
            Some(id) => id,
            None => {
                let base = Base { hook, policy: Policy::Accept, counters: None };
                self.push(hook.chain_name(), Some(base))
            }
        }
    }
    fn push(&mut self, name: &str, base: Option<Base>) -> ChainId {
        // Chains and rules draw from one counter (`nf_tables_alloc_handle`).
        let handle = self.next_handle;
        self.next_handle += 1;
        self.chains.push(Some(Chain {
            name: name.into(),
            handle,
            base,
            rules: Vec::new(),
            index: Cache::default(),
        }));
        ChainId((self.chains.len() - 1) as u16)
    }
}

/// Names one rule of a host for events and answers: `filter INPUT 3`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RuleRef {
    /// The table.
    pub table: TableKind,
    /// The chain.
    pub chain: ChainId,
    /// The rule's place in its chain, from 0.
    pub rule: u16,
}
