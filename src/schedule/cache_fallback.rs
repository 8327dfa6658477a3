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
/// assert!(!fallback.answered("old", Some(("old", 9e12)), false, 50), "no new token, so it pauses");
/// assert!(!fallback.may_ask(10_000));
/// assert!(fallback.may_ask(10_050));
/// assert!(fallback.answered("old", Some(("new", 9e12)), false, 10_100));
///
/// assert!(fallback.may_ask_after_failure(None, 10_200));
/// assert!(!fallback.may_ask_after_failure(Some(400), 10_200), "this identity is refused");
/// ```
#[derive(Debug, Clone, Default)]
pub struct CacheFallback {
    /// Hashes, the oldest first.
    rejected: Vec<u64>,
    /// Hashes of tokens and their expiries, the oldest first.
    refused: Vec<(u64, u64)>,
    paused_until: Option<Millis>,
}

impl CacheFallback {
    /// Marks a token as rejected by the resource. The last 16 count.
    pub fn mark_rejected(&mut self, token: &str) {
        remember(&mut self.rejected, hash(token));
    }

    /// Marks the expiry of a token as refused, such as one that cannot be read. The token itself may
    /// come again with a better one. `expires_on` may be any number. The last 16 count.
    pub fn mark_refused(&mut self, token: &str, expires_on: f64) {
        remember(&mut self.refused, (hash(token), expires_on.to_bits()));
    }

    /// Whether the resource rejected a token.
    pub fn is_rejected(&self, token: &str) -> bool {
        self.rejected.contains(&hash(token))
    }

    /// Whether the resource rejected a token, or its expiry was refused.
    pub fn is_unusable(&self, token: &str, expires_on: f64) -> bool {
        let refused = (hash(token), expires_on.to_bits());
        self.is_rejected(token) || self.refused.contains(&refused)
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

    /// Reports the answer of the direct credential: a token and its expiry, or `None` if it failed.
    /// `unusable` is the token of the default credential, empty if that failed. Returns whether to
    /// use the answer; else there is a pause, unless the attempt was aborted and so lacked nothing
    /// but time.
    ///
    /// The same token is of use if only its expiry was refused, and it has another one now: the
    /// platform returns one token to everybody.
    pub fn answered(
        &mut self,
        unusable: &str,
        answer: Option<(&str, f64)>,
        aborted: bool,
        mono: Millis,
    ) -> bool {
        let usable = answer.is_some_and(|(token, expires_on)| {
            let other = token != unusable || self.refused.iter().any(|(refused, _)| *refused == hash(token));
            other && !self.is_unusable(token, expires_on)
        });
        if usable {
            return true;
        }
        if !aborted {
            self.paused_until = Some(mono.saturating_add(PAUSE_MS));
        }
        false
    }

    /// Forgets the tokens.
    pub fn clear(&mut self) {
        self.rejected.clear();
        self.refused.clear();
    }
}

fn remember<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if list.contains(&item) {
        return;
    }
    if list.len() >= MAX_REJECTED {
        list.remove(0);
    }
    list.push(item);
}

fn hash(token: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    hasher.finish()
}
