//! The token that is stored, on its own line of time.

use super::Now;
use crate::token::{Lifetime, Millis};

/// Expiries that differ by less than this (or an eighth of a short life) are those of one token.
const SAME_EXPIRY_MS: Millis = 2_000;

/// `Number.MAX_SAFE_INTEGER` of JavaScript.
const MAX_SAFE_INTEGER: Millis = 9_007_199_254_740_991;

/// The token that is stored: its times only.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredToken {
    pub(super) lifetime: Lifetime,
    /// Both clocks when its request was started, which is `lifetime.acquired` on the wall.
    pub(super) since: Now,
    pub(super) refresh_at: Millis,
    pub(super) forced_at: Millis,
    /// Whether the attempt that is made on entering the expired phase, whatever the backoff says, has been made.
    pub(super) forced: bool,
}

impl StoredToken {
    /// The time on the token's own line: neither a clock set back nor a suspended machine makes it younger.
    pub(super) fn clock(&self, now: Now) -> Millis {
        self.lifetime.acquired().saturating_add(self.since.elapsed(now))
    }

    /// Whether it is another token than that one, and a better one. Both are judged by what is left of them: where the
    /// clock was set back, a new token may expire at an earlier time than the old one does.
    pub(super) fn outlives(&self, old: &Self, now: Now) -> bool {
        let left = |stored: &Self| stored.lifetime.expires().saturating_sub(stored.clock(now));
        // An expiry counted from the answer on differs by a moment from time to time.
        let moment = SAME_EXPIRY_MS.min(self.lifetime.length() / 8);
        self.lifetime.expires() != old.lifetime.expires() && left(self) > left(old).saturating_add(moment)
    }

    /// The bounds on both clocks of a point on the token's own line.
    pub(super) fn until(&self, at: Millis) -> (Millis, Millis) {
        let from_start = at.saturating_sub(self.lifetime.acquired());
        // No further than JavaScript counts exactly.
        let bound = |clock: Millis| {
            clock
                .saturating_add(from_start)
                .clamp(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
        };
        (bound(self.since.wall), bound(self.since.mono))
    }
}
