//! Simulated time: nanoseconds since the run began. There is no other clock.

use core::ops::{Add, AddAssign, Sub};

/// A length of simulated time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Duration(pub u64);

impl Duration {
    /// From whole seconds.
    pub const fn secs(s: u64) -> Duration {
        Duration(s * 1_000_000_000)
    }
    /// From milliseconds.
    pub const fn millis(ms: u64) -> Duration {
        Duration(ms * 1_000_000)
    }
    /// Whole seconds, rounded down, as the kernel prints what remains of a timeout.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }
    /// Whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
}

/// A moment of simulated time in nanoseconds since the run began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Time(pub u64);

impl Time {
    /// Whole seconds since the run began.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }
    /// Time since `earlier`; zero if that lies ahead.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
    /// The kernel's tick counter: `HZ` is 250 on the kernels that we compare with.
    pub const fn jiffies(self) -> u64 {
        self.0 / (1_000_000_000 / HZ)
    }
}

/// Timer ticks a second (`CONFIG_HZ`); rate limits have this grain.
pub const HZ: u64 = 250;

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, d: Duration) -> Time {
        Time(self.0.saturating_add(d.0))
    }
}
impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}
impl Sub<Time> for Time {
    type Output = Duration;
    fn sub(self, earlier: Time) -> Duration {
        self.since(earlier)
    }
}
