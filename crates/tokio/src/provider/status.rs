//! What a provider tells of its token.

use std::time::{Duration, SystemTime};

use copilot_keyless::schedule::Phase;

use crate::Error;

/// The state of a provider's token. Holds no token. More fields may come.
///
/// ```
/// use copilot_keyless_tokio::{Phase, TokenProvider};
///
/// let tokens = TokenProvider::for_scope("https://ai.azure.com/.default")?;
/// assert_eq!(tokens.status().phase, Phase::Empty);
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenStatus {
    /// The phase: no token, fresh, due for a refresh, expired, or closed.
    pub phase: Phase,
    /// How long ago the token was requested.
    pub age: Option<Duration>,
    /// When the token expires.
    pub expires_on: Option<SystemTime>,
    /// When its refresh is due.
    pub refresh_on: Option<SystemTime>,
    /// The earliest next attempt after a failed one.
    pub next_attempt_on: Option<SystemTime>,
    /// Whether a token is being acquired.
    pub refreshing: bool,
    /// Failed acquisitions since the last successful one.
    pub consecutive_failures: u32,
    /// The last failure; `None` after a success.
    pub last_failure: Option<Error>,
}
