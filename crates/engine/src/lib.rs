//! The kernel model. One [`Host`] is one Linux network namespace: devices, routes, sockets, the netfilter hooks with
//! their tables, conntrack and NAT. Pure values: no text, no clock, no input or output, no randomness but its own seed.
//!
//! Read in this order: [`hook`] (what runs where, in which order), [`flight`] (where a packet is), [`step`] (one
//! transition, one event), [`conntrack`], [`nat`], then the rest as you meet it.
//!
//! Facts come from the kernel's sources and from experiments on a live kernel, and are cited by file and function.

pub mod addr;
pub mod conntrack;
pub mod defrag;
pub mod device;
pub mod event;
pub mod flight;
pub mod hook;
pub mod host;
pub mod icmp_send;
pub mod ifconf;
mod index;
pub mod klog;
mod local;
pub mod matches;
pub mod nat;
mod needs;
pub mod neighbour;
pub mod packet;
pub mod pmtu;
pub mod rng;
pub mod route;
pub mod ruleset;
pub mod set;
pub mod socket;
pub mod sorted;
pub mod step;
pub mod sysctl;
pub mod targets;
pub mod tcp_stack;
pub mod time;
mod trace;
mod traverse;
pub mod wire;

/// Is this the whole of Hookwalk? Else it is the player, the small build that an embedded lab starts with: what it
/// leaves out stands behind an `if FULL`, and the compiler takes away what only that led to. Who meets such a door in
/// the player says so, and the whole takes over; nothing is answered by half.
pub const FULL: bool = cfg!(feature = "full");

pub use addr::{Addr, AddrMask, Family};
pub use event::{Event, EventKind, Observer};
pub use host::{Host, HostId, Net};
pub use packet::{Packet, PacketId, Skb};
pub use time::{Duration, Time};
