//! Delays after a failed or unchanged acquisition.

use super::time::Span;
use super::{Now, Schedule};
use crate::token::Millis;

/// Jitter lengthens a delay by up to this share of it.
const BACKOFF_JITTER: f64 = 0.2;

impl Schedule {
    /// Backs off: 30 s, doubling to 300 s (by the policy), or longer if the endpoint asked for it
    /// (`floor`). Without a token, requests fail for `memory`, or as long as the endpoint asked.
    /// Jitter applies last, because an endpoint's `Retry-After` would otherwise synchronize a
    /// fleet.
    pub(super) fn back_off(&mut self, now: Now, memory: Millis, floor: Millis, random: f64) {
        let doubled = self
            .policy
            .retry_min_ms
            .saturating_mul(1 << self.setbacks.min(30));
        self.setbacks = self.setbacks.saturating_add(1);
        let backoff = doubled.min(self.policy.retry_max_ms);
        let lasting = |least: Millis| {
            Some(Span {
                since: now,
                length: jittered(least.max(floor), random),
            })
        };
        self.pause = lasting(backoff);
        self.refusal = lasting(memory);
    }
}

/// Adds jitter to a duration: up to a fifth of it.
pub(crate) fn jittered(length: Millis, random: f64) -> Millis {
    length.saturating_add((length as f64 * BACKOFF_JITTER * random.clamp(0.0, 1.0)) as Millis)
}
