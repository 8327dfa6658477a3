//! The times of the stored token, on the token's own clock.

use super::{Now, RefreshPolicy};
use crate::token::{Lifetime, Millis};

/// Expiries that differ by less than this (or by an eighth of a short lifetime) belong to one
/// token.
const SAME_EXPIRY_MS: Millis = 2_000;

/// `Number.MAX_SAFE_INTEGER` of JavaScript.
const MAX_SAFE_INTEGER: Millis = 9_007_199_254_740_991;

/// The times of the stored token.
#[derive(Debug, Clone, Copy)]
pub(super) struct StoredToken {
    pub(super) lifetime: Lifetime,
    /// Both clocks at the start of the request. The wall clock equals `lifetime.acquired`.
    pub(super) since: Now,
    pub(super) refresh_at: Millis,
    pub(super) forced_at: Millis,
    /// Whether the one attempt on entering the expired phase, despite backoff, was made.
    pub(super) forced: bool,
}

impl StoredToken {
    /// Computes the refresh time of a token and the time from which it is no longer returned.
    pub(super) fn new(lifetime: Lifetime, since: Now, policy: &RefreshPolicy, random: f64) -> Self {
        let length = lifetime.length();
        // At most a quarter of a short lifetime; otherwise a token of ten seconds could never be
        // used.
        let forced_at = lifetime
            .expires()
            .saturating_sub(policy.min_remaining_ms.min(length / 4));
        let half = lifetime.acquired().saturating_add(length / 2);
        let refresh_at = match lifetime.refresh_after() {
            Some(advised) => advised,
            None if length >= policy.long_lived_ms || length < 2 * policy.refresh_before_expiry_ms => half,
            None => lifetime.expires().saturating_sub(policy.refresh_before_expiry_ms),
        };
        let refresh_at = refresh_at.min(forced_at);
        // At most half of the time until `forced_at`, so that the refresh itself has the other
        // half.
        let room = policy.jitter_ms.min(forced_at.saturating_sub(refresh_at) / 2);
        let jitter = (room as f64 * random.clamp(0.0, 1.0)) as Millis;
        Self {
            lifetime,
            since,
            refresh_at: refresh_at.saturating_add(jitter),
            forced_at,
            forced: false,
        }
    }

    /// Returns the time on the token's own clock, on which neither a clock set back nor a suspended
    /// machine makes the token younger.
    pub(super) fn clock(&self, now: Now) -> Millis {
        self.lifetime.acquired().saturating_add(self.since.elapsed(now))
    }

    /// Whether this token is not the old one and expires later. Compares the remaining times,
    /// because after a clock is set back a newer token may have an earlier expiry.
    pub(super) fn outlives(&self, old: &Self, now: Now) -> bool {
        let left = |stored: &Self| stored.lifetime.expires().saturating_sub(stored.clock(now));
        // An expiry that counts from the response varies by a moment.
        let moment = SAME_EXPIRY_MS.min(self.lifetime.length() / 8);
        self.lifetime.expires() != old.lifetime.expires() && left(self) > left(old).saturating_add(moment)
    }

    /// Converts a time on the token's own clock to bounds on both clocks.
    pub(super) fn until(&self, at: Millis) -> (Millis, Millis) {
        let from_start = at.saturating_sub(self.lifetime.acquired());
        // Stay within the integers that JavaScript represents exactly.
        let bound = |clock: Millis| {
            clock
                .saturating_add(from_start)
                .clamp(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
        };
        (bound(self.since.wall), bound(self.since.mono))
    }
}
