//! Reads the time.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use copilot_keyless::schedule::Now;

/// The time on two clocks. Programs need no other than [`SystemClock`]; tests may have one of their
/// own. Waits use the timers of tokio, so a test that pauses them should pause its clock alike.
///
/// ```
/// use copilot_keyless_tokio::{Clock, SystemClock};
///
/// let before = SystemClock.monotonic();
/// assert!(SystemClock.monotonic() >= before);
/// ```
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the time of the wall clock, which may be set.
    fn wall(&self) -> SystemTime;

    /// Returns the time since a fixed point, which never runs backwards.
    fn monotonic(&self) -> Duration;
}

/// The clocks of the system. On Linux those that the kernel updates every few milliseconds: reading
/// them takes a fifth of the time.
///
/// ```
/// use std::time::SystemTime;
/// use copilot_keyless_tokio::{Clock, SystemClock};
///
/// let behind = SystemTime::now().duration_since(SystemClock.wall());
/// assert!(behind.unwrap_or_default().as_secs() < 1);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(target_os = "linux")]
impl Clock for SystemClock {
    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + since(rustix::time::ClockId::RealtimeCoarse)
    }

    fn monotonic(&self) -> Duration {
        since(rustix::time::ClockId::MonotonicCoarse)
    }
}

#[cfg(target_os = "linux")]
fn since(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(not(target_os = "linux"))]
impl Clock for SystemClock {
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        use std::sync::LazyLock;
        use std::time::Instant;

        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// Returns the time as the schedule takes it.
pub(crate) fn now(clock: &dyn Clock) -> Now {
    Now {
        wall: millis_since_epoch(clock.wall()),
        mono: millis(clock.monotonic()),
    }
}

pub(crate) fn millis_since_epoch(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(error) => -millis(error.duration()),
    }
}

/// Converts to milliseconds, without the division of 128 bits of std.
pub(crate) fn millis(duration: Duration) -> i64 {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    seconds
        .saturating_mul(1_000)
        .saturating_add(i64::from(duration.subsec_millis()))
}

pub(crate) fn time_of(millis: i64) -> SystemTime {
    let offset = Duration::from_millis(millis.unsigned_abs());
    let time = if millis < 0 {
        UNIX_EPOCH.checked_sub(offset)
    } else {
        UNIX_EPOCH.checked_add(offset)
    };
    time.unwrap_or(UNIX_EPOCH)
}

pub(crate) fn duration_of(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// Returns a number from 0 to 1 for jitter.
pub(crate) fn chance() -> f64 {
    // Each state of std has keys of its own.
    let bits = RandomState::new().hash_one(0_u8) >> 40;
    bits as f64 / f64::from(1 << 24)
}
