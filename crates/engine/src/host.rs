//! A host: one network namespace, everything that its packets can meet.

use crate::device::{DevId, Device};
use crate::rng::Rng;
use crate::route::Fib;
use crate::ruleset::Ruleset;
use crate::socket::Listener;
use crate::sysctl::Sysctl;
use crate::time::Time;

/// A host's number in its world, in order of declaration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct HostId(pub u16);

/// `struct net` with its rules.
///
/// The rules stand apart from the rest so that a rule with state of its own can be evaluated against the rest.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its number.
    pub id: HostId,
    /// Tables, chains, rules.
    pub rules: Ruleset,
    /// Everything else.
    pub net: Net,
}

/// What a packet meets besides the rules.
#[derive(Clone, Debug)]
pub struct Net {
    /// Simulated time.
    pub now: Time,
    /// Devices by index; index 0 of the vector is `lo` ([`DevId::LO`]).
    pub devices: Vec<Device>,
    /// Routes.
    pub fib: Fib,
    /// Switches and timeouts.
    pub sysctl: Sysctl,
    /// Listening sockets.
    pub listeners: Vec<Listener>,
    /// Randomness.
    pub rng: Rng,
}

impl Net {
    /// The device of this index.
    pub fn device(&self, id: DevId) -> Option<&Device> {
        self.devices.get(usize::from(id.0).checked_sub(1)?)
    }
    /// The device of this name.
    pub fn device_by_name(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|d| *d.name == *name)
    }
}
