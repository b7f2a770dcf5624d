//! Local sockets, as far as netfilter and the answers of the stack can see them.

use crate::addr::{Addr, Family};

/// What a program does with what it gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Behaviour {
    /// Takes everything and says nothing (`listen tcp/…`, `listen udp/…`).
    Silent,
    /// Sends every datagram back (`listen udp/… echo`).
    Echo,
}

/// A socket that waits for packets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listener {
    /// TCP or UDP ([`crate::packet::proto`]).
    pub proto: u8,
    /// The address that it is bound to; `None`: any, of both families.
    pub addr: Option<(Family, Addr)>,
    /// Port.
    pub port: u16,
    /// What it does.
    pub behaviour: Behaviour,
    /// IP_TRANSPARENT.
    pub transparent: bool,
}
