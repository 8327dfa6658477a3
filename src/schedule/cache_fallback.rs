//! Decides when to bypass the cache of a credential that returns unusable tokens.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::token::Millis;

/// More tokens than this are never rejected within the lifetime of one.
const MAX_REJECTED: usize = 16;

/// How long to wait after a fallback that returned no new token, in milliseconds.
const PAUSE_MS: Millis = 10_000;

/// The state machine of the fallback from a credential that caches tokens itself to the same
/// identity without a cache. The fallback is for a token that the resource rejected, or that has
/// expired, and that the cache returns again.
///
/// It remembers the hashes of rejected tokens, not the tokens. Times are of a monotonic clock, in
/// milliseconds.
///
/// ```
/// use copilot_keyless::schedule::CacheFallback;
///
/// let mut fallback = CacheFallback::default();
/// fallback.mark_rejected("old");
/// assert!(fallback.is_rejected("old"));
///
/// assert!(fallback.may_ask(0));
/// assert!(!fallback.answered("old", Some("old"), false, 50), "no new token, so it pauses");
/// assert!(!fallback.may_ask(10_000));
/// assert!(fallback.may_ask(10_050));
/// assert!(fallback.answered("old", Some("new"), false, 10_100));
/// ```
#[derive(Debug, Clone, Default)]
pub struct CacheFallback {
    /// Hashes, the oldest first.
    rejected: Vec<u64>,
    paused_until: Option<Millis>,
}

impl CacheFallback {
    /// Marks a token as unusable: the resource rejected it, or its expiry was refused. The last 16
    /// tokens count.
    pub fn mark_rejected(&mut self, token: &str) {
        if self.is_rejected(token) {
            return;
        }
        if self.rejected.len() >= MAX_REJECTED {
            self.rejected.remove(0);
        }
        self.rejected.push(hash(token));
    }

    /// Whether a token is marked as unusable.
    pub fn is_rejected(&self, token: &str) -> bool {
        self.rejected.contains(&hash(token))
    }

    /// Whether to ask the identity without the cache now. After an answer without a new token there
    /// is a pause of 10 s, because each question is a request to the identity endpoint.
    pub fn may_ask(&self, mono: Millis) -> bool {
        self.paused_until.is_none_or(|until| mono >= until)
    }

    /// Reports the answer of the identity without the cache: a token, or `None` if it failed.
    /// `unusable` is the token of the cache. Returns whether to use the answer; else there is a
    /// pause, unless the attempt was aborted and so lacked nothing but time.
    pub fn answered(&mut self, unusable: &str, answer: Option<&str>, aborted: bool, mono: Millis) -> bool {
        if answer.is_some_and(|token| token != unusable && !self.is_rejected(token)) {
            return true;
        }
        if !aborted {
            self.paused_until = Some(mono.saturating_add(PAUSE_MS));
        }
        false
    }

    /// Forgets the rejected tokens.
    pub fn clear(&mut self) {
        self.rejected.clear();
    }
}

fn hash(token: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    hasher.finish()
}
