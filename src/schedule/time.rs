//! Time on two clocks, so that neither a clock that is set nor a machine that sleeps can hide any.

use crate::token::Millis;

/// The time on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the Unix epoch. May jump either way.
    pub wall: Millis,
    /// Milliseconds since some fixed point. Never runs backwards; may stand still while the machine sleeps.
    pub mono: Millis,
}

impl Now {
    /// The time that has passed since then: what the clock says that saw more of it.
    pub(super) fn elapsed(self, now: Self) -> Millis {
        let wall = now.wall.saturating_sub(self.wall);
        let mono = now.mono.saturating_sub(self.mono);
        wall.max(mono).max(0)
    }
}

/// A stretch of time from a moment on.
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
