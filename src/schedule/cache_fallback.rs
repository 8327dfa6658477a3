//! Decides when the direct credential takes the place of the default one.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::token::Millis;

/// More tokens than this are never rejected within the lifetime of one.
const MAX_REJECTED: usize = 16;

/// How long to wait after a fallback that returned no new token, in milliseconds.
const PAUSE_MS: Millis = 10_000;

/// The state machine of the fallback from the default credential to the direct credential for the
/// same identity, which caches nothing. The fallback is for a token that the resource rejected, or
/// that has expired, and that the default credential returns again from its cache, and for a default
/// credential that fails by itself.
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
///
/// assert!(fallback.may_ask_after_failure(None, 10_200));
/// assert!(!fallback.may_ask_after_failure(Some(400), 10_200), "this identity is refused");
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

    /// Whether to ask the direct credential now. After an answer without a new token there is a
    /// pause of 10 s, because each question is a request to the identity endpoint.
    pub fn may_ask(&self, mono: Millis) -> bool {
        self.paused_until.is_none_or(|until| mono >= until)
    }

    /// Whether to ask the direct credential after the default one failed. `status` is the HTTP
    /// status of the identity endpoint, if the error has one.
    ///
    /// A 4xx is the endpoint's word on this identity, this secret or this many requests, and would
    /// be the same for another client. A lost connection, a response that the library cannot read,
    /// a 5xx and a failure without a status may be the library's own.
    pub fn may_ask_after_failure(&self, status: Option<u16>, mono: Millis) -> bool {
        !matches!(status, Some(400..=499)) && self.may_ask(mono)
    }

    /// Reports the answer of the direct credential: a token, or `None` if it failed. `unusable` is
    /// the token of the default credential, empty if that failed. Returns whether to use the
    /// answer; else there is a pause, unless the attempt was aborted and so lacked nothing but time.
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
