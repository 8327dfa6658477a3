//! Classifies failed attempts to acquire a token: whether to retry.

use crate::token::Millis;

/// How an acquisition failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The pause that the endpoint asked for, in milliseconds.
    pub retry_after_ms: Option<Millis>,
}

/// The kind of failure, which decides about the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailureKind {
    /// The endpoint reported a temporary error (404, 408, 410, 429, 5xx). Retried while callers
    /// wait.
    Transient,
    /// A fault of the setup, which a retry cannot fix (other 4xx, or the credential is
    /// unavailable).
    Permanent,
    /// Any other failure, such as a lost connection. Reported at once.
    #[default]
    Unknown,
}

impl FailureKind {
    /// Classifies an error by its HTTP status, or else by whether the credential is unavailable.
    ///
    /// The statuses are those of the managed identity endpoints: 404, 408, 410, 429 and 5xx are
    /// transient, other 4xx are permanent.
    pub fn of(status: Option<u16>, unavailable: bool) -> Self {
        match status {
            Some(404 | 408 | 410 | 429 | 500..=599) => Self::Transient,
            Some(400..=499) => Self::Permanent,
            _ if unavailable => Self::Permanent,
            _ => Self::Unknown,
        }
    }
}
