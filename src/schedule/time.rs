//! Measures time on two clocks, because the wall clock may be set and the monotonic clock may stop
//! while the machine sleeps.

use crate::token::Millis;

/// The time on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the Unix epoch. May jump forward or back.
    pub wall: Millis,
    /// Milliseconds since a fixed point. Never runs backwards; may stop while the machine sleeps.
    pub mono: Millis,
}

impl Now {
    /// Returns the elapsed time: the larger of the two clocks' differences.
    pub(crate) fn elapsed(self, now: Self) -> Millis {
        let wall = now.wall.saturating_sub(self.wall);
        let mono = now.mono.saturating_sub(self.mono);
        wall.max(mono).max(0)
    }
}

/// A duration from a start time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) since: Now,
    pub(super) length: Millis,
}

impl Span {
    pub(super) fn remaining(self, now: Now) -> Millis {
        self.length.saturating_sub(self.since.elapsed(now)).max(0)
    }

    pub(super) fn over(self, now: Now) -> bool {
        self.remaining(now) == 0
    }
}
