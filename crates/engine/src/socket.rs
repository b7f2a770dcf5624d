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

/// All sockets of a host.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sockets {
    /// Sockets that wait.
    pub listeners: Vec<Listener>,
}

impl Sockets {
    /// The listener that takes a packet to this address and port: one bound to the address before one bound to any.
    pub fn listener(&self, proto: u8, family: Family, addr: Addr, port: u16) -> Option<&Listener> {
        let fits = |l: &&Listener| l.proto == proto && l.port == port;
        self.listeners
            .iter()
            .filter(fits)
            .find(|l| l.addr == Some((family, addr)))
            .or_else(|| self.listeners.iter().filter(fits).find(|l| l.addr.is_none()))
    }
}
