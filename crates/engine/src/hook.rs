//! The five hooks and everything that is registered at them, in order. This page is the order.

use crate::ruleset::TableKind;

/// A netfilter hook, `enum nf_inet_hooks` (include/uapi/linux/netfilter.h); both families have the same five.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Hook {
    /// `NF_INET_PRE_ROUTING`, 0.
    Prerouting,
    /// `NF_INET_LOCAL_IN`, 1.
    Input,
    /// `NF_INET_FORWARD`, 2.
    Forward,
    /// `NF_INET_LOCAL_OUT`, 3.
    Output,
    /// `NF_INET_POST_ROUTING`, 4.
    Postrouting,
}

impl Hook {
    /// All five, in numerical order.
    pub const ALL: [Hook; 5] =
        [Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output, Hook::Postrouting];

    /// Its chain's name in iptables.
    pub const fn chain_name(self) -> &'static str {
        match self {
            Hook::Prerouting => "PREROUTING",
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Output => "OUTPUT",
            Hook::Postrouting => "POSTROUTING",
        }
    }
}

/// Where in a hook's list a function stands, `enum nf_ip_hook_priorities` (include/uapi/linux/netfilter_ipv4.h).
pub type Priority = i32;

/// What runs at a hook.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum HookFn {
    /// Fragments are collected (`ipv4_conntrack_defrag`, `ipv6_defrag`).
    Defrag,
    /// `ipv4_conntrack_in`, `ipv4_conntrack_local` → `nf_conntrack_in`.
    Conntrack,
    /// A filter-type base chain of this table: raw, mangle, filter, security.
    Table(TableKind),
    /// `nf_nat_ipv4_pre_routing`, `_local_fn`, `_local_in`, `_out`: NAT, with the nat table's chains inside.
    Nat,
    /// `nf_confirm`: helpers, sequence adjustment, and the entry into the table.
    Confirm,
}

/// One line of the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HookEntry {
    /// The hook.
    pub hook: Hook,
    /// Its priority there; lower runs first.
    pub priority: Priority,
    /// The function.
    pub func: HookFn,
}

/// Everything that can act on a packet, by hook and in order of priority.
///
/// A function whose module is asleep is passed over without an event: conntrack, defrag and confirm until a rule needs
/// them, a table's chain until it exists ([`crate::host::Host::hook_list`] gives what is awake). nf_nat_ipv4_fn runs
/// in PREROUTING and OUTPUT at -100 for the destination, in INPUT and POSTROUTING at 100 for the source. The security
/// table stands at 150, after nat in INPUT: that is where the nf_tables variant of iptables puts its base chains
/// (the legacy module stands at 50).
pub const HOOK_LIST: &[HookEntry] = {
    use Hook::*;
    use HookFn::*;
    use TableKind::*;
    const fn at(hook: Hook, priority: Priority, func: HookFn) -> HookEntry {
        HookEntry { hook, priority, func }
    }
    &[
        at(Prerouting, -400, Defrag),
        at(Prerouting, -300, Table(Raw)),
        at(Prerouting, -200, Conntrack),
        at(Prerouting, -150, Table(Mangle)),
        at(Prerouting, -100, HookFn::Nat),
        at(Input, -150, Table(Mangle)),
        at(Input, 0, Table(Filter)),
        at(Input, 100, HookFn::Nat),
        at(Input, 150, Table(Security)),
        at(Input, i32::MAX, Confirm),
        at(Forward, -150, Table(Mangle)),
        at(Forward, 0, Table(Filter)),
        at(Forward, 150, Table(Security)),
        at(Output, -400, Defrag),
        at(Output, -300, Table(Raw)),
        at(Output, -200, Conntrack),
        at(Output, -150, Table(Mangle)),
        at(Output, -100, HookFn::Nat),
        at(Output, 0, Table(Filter)),
        at(Output, 150, Table(Security)),
        at(Postrouting, -150, Table(Mangle)),
        at(Postrouting, 100, HookFn::Nat),
        at(Postrouting, i32::MAX, Confirm),
    ]
};
