//! Measures time on the processor, so that a busy machine fails no test.

use std::time::{Duration, Instant};

/// How long this thread has had a processor. Elsewhere than on Linux, the time on the clock.
pub(crate) struct Processor {
    clock: Instant,
    used: Option<Duration>,
}

fn used() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = stat.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

impl Processor {
    pub(crate) fn start() -> Self {
        Self {
            clock: Instant::now(),
            used: used(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        match (self.used, used()) {
            (Some(from), Some(to)) => to.saturating_sub(from),
            _ => self.clock.elapsed(),
        }
    }
}
