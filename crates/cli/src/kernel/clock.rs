//! The clock of a lab that runs on a kernel: when each of its packets has to be sent so that the kernel's tick counter
//! moves between them as it does in the simulator.

use hookwalk_engine::time::HZ;
use nix::time::{ClockId, clock_gettime};
use std::io;
use std::time::Duration;

/// A tick. They come at whole multiples of this of the monotonic clock (`tick_sched_timer`).
const TICK: Duration = Duration::from_nanos(1_000_000_000 / HZ);
/// How long after a tick simulated time zero lies. Lines begin at a tick or in the middle of one; so both stay away from
/// the next one if they are a little late.
const AFTER: Duration = Duration::from_micros(700);

/// A line that begins this late still begins before the next tick.
const SLACK: Duration = Duration::from_millis(1);

/// Simulated time as a kernel's time. A kernel meters redirects and the like in ticks, and a lab of some lines would
/// come out otherwise each time it is recorded, would the lines begin anywhere within them.
pub(super) struct Clock {
    /// When the next line begins, of the monotonic clock.
    due: Duration,
}

impl Clock {
    /// Begins soon.
    pub(super) fn start() -> io::Result<Clock> {
        let ticks = now()?.as_nanos() / TICK.as_nanos() + 1;
        Ok(Clock { due: TICK * ticks as u32 + AFTER })
    }

    /// A line begins: at the time that is due, or, when what went before took longer (commands take no time in the
    /// simulator), whole ticks later. Gives how long to wait until then.
    pub(super) fn begin(&mut self) -> io::Result<Duration> {
        let now = now()?;
        if let Some(late) = now.checked_sub(self.due + SLACK) {
            self.due += TICK * (late.as_nanos() / TICK.as_nanos() + 1) as u32;
        }
        Ok(self.due.saturating_sub(now))
    }

    /// The line takes this long.
    pub(super) fn pass(&mut self, time: Duration) {
        self.due += time;
    }

    /// How long until the next line is due.
    pub(super) fn left(&self) -> io::Result<Duration> {
        Ok(self.due.saturating_sub(now()?))
    }
}

fn now() -> io::Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_MONOTONIC)?.into())
}
