//! What the lock of a provider guards.

use copilot_keyless::schedule::{Now, Schedule};

use super::{RefreshPolicy, TokenStatus};
use crate::clock::{duration_of, time_of};
use crate::{Error, Result, Token};

/// What the lock guards.
pub(super) struct State<F> {
    pub(super) schedule: Schedule,
    pub(super) token: Option<Held>,
    /// The token that the resource rejected last.
    pub(super) rejected: Option<Token>,
    /// The claims that the next acquisition asks for.
    pub(super) claims: Option<String>,
    pub(super) last_failure: Option<Error>,
    pub(super) flight: Option<F>,
}

/// The current token.
pub(super) struct Held {
    pub(super) token: Token,
    pub(super) requested: Now,
    /// Whether it was acquired with the claims of a challenge.
    pub(super) has_claims: bool,
}

impl<F> State<F> {
    pub(super) fn new(policy: RefreshPolicy) -> Result<Self> {
        Ok(Self {
            schedule: Schedule::new(policy.into_core())?,
            token: None,
            rejected: None,
            claims: None,
            last_failure: None,
            flight: None,
        })
    }

    pub(super) fn status(&self, now: Now) -> TokenStatus {
        let status = self.schedule.status(now);
        let age = self.token.as_ref().map(|held| {
            let mono = now.mono.saturating_sub(held.requested.mono);
            duration_of(mono.max(now.wall.saturating_sub(held.requested.wall)))
        });
        TokenStatus {
            phase: status.state,
            age,
            expires_on: status.expires_on.map(time_of),
            refresh_on: status.refresh_on.map(time_of),
            next_attempt_on: status.next_attempt_on.map(time_of),
            refreshing: status.refreshing,
            consecutive_failures: status.consecutive_failures,
            last_failure: self.last_failure.clone(),
        }
    }
}
