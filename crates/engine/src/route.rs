//! Routing: policy rules, tables, and the decisions on input and output.

use crate::addr::{Addr, AddrMask, Family};
use crate::device::DevId;

/// `RTN_*` (include/uapi/linux/rtnetlink.h).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum RouteKind {
    Unicast,
    Local,
    Broadcast,
    Anycast,
    Multicast,
    Blackhole,
    Unreachable,
    Prohibit,
    Throw,
}

/// Routing table numbers that have names.
pub mod table {
    #![allow(missing_docs)]
    pub const DEFAULT: u32 = 253;
    pub const MAIN: u32 = 254;
    pub const LOCAL: u32 = 255;
}

/// A route.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// IPv4 or IPv6.
    pub family: Family,
    /// Table number.
    pub table: u32,
    /// What it does.
    pub kind: RouteKind,
    /// Destination.
    pub dst: AddrMask,
    /// Output device.
    pub dev: Option<DevId>,
    /// Gateway.
    pub via: Option<Addr>,
    /// Preferred source (`src`).
    pub src: Option<Addr>,
    /// Metric (priority); lower wins.
    pub metric: u32,
    /// TOS that the packet must have; 0: any.
    pub tos: u8,
    /// `proto` as in rtnetlink: 2 kernel, 3 boot, 4 static.
    pub protocol: u8,
    /// Scope: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// `onlink`.
    pub onlink: bool,
    /// Route MTU, if set.
    pub mtu: Option<u32>,
}

/// A policy rule, `ip rule`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyRule {
    /// IPv4 or IPv6.
    pub family: Family,
    /// Preference; lower first.
    pub pref: u32,
    /// Inverted as a whole (`not`).
    pub not: bool,
    /// `from`.
    pub src: AddrMask,
    /// `to`.
    pub dst: AddrMask,
    /// `iif`.
    pub iif: Option<String>,
    /// `oif`.
    pub oif: Option<String>,
    /// `fwmark MARK/MASK`.
    pub fwmark: Option<(u32, u32)>,
    /// `tos`.
    pub tos: u8,
    /// What it does.
    pub action: RuleAction,
    /// `suppress_prefixlength N`: routes of this prefix length or shorter do not count.
    pub suppress_prefixlength: Option<u8>,
    /// `ipproto`, `sport`, `dport`.
    pub ports: Option<(u8, (u16, u16), (u16, u16))>,
}

/// What a policy rule does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum RuleAction {
    Table(u32),
    Goto(u32),
    Blackhole,
    Unreachable,
    Prohibit,
    Nop,
}

/// Routes and policy rules of a host.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Fib {
    /// All routes of all tables.
    pub routes: Vec<Route>,
    /// Policy rules, sorted by preference.
    pub rules: Vec<PolicyRule>,
}
