//! What becomes of a flight: a token, a failure, or neither in time.

use std::time::Duration;

use copilot_keyless::Code;
use copilot_keyless::schedule::{Answer, Now, Outcome};
use copilot_keyless::token;

use super::cache::{Cache, Flight as _};
use super::flight::End;
use super::shared::{Shared, State};
use crate::clock::{chance, duration_of, millis, millis_since_epoch, time_of};
use crate::credential::{CredentialError, TokenResponse};
use crate::{Error, Token};

/// When to ask again where the next call makes an attempt at once.
const NO_PAUSE: Duration = Duration::from_secs(1);

impl Shared {
    /// Takes the token of a flight.
    pub(super) fn landed(&self, id: u32, response: &TokenResponse, requested: Now) {
        let now = self.now();
        let secret = match token::bare_token(&response.secret) {
            Ok(secret) => secret,
            Err(error) => {
                self.failed(id, error.into());
                return;
            }
        };
        let mut state = self.lock();
        if state
            .rejected
            .as_ref()
            .is_some_and(|rejected| rejected.secret() == secret)
        {
            self.rejected_again(&mut state, id, now);
            return;
        }
        let mut expires_on = millis_since_epoch(response.expires_on) as f64;
        if token::seems_expired(expires_on, now.wall) {
            let corrected = token::corrected_expiry(secret, expires_on, now.wall, 0);
            expires_on = corrected.map_or(expires_on, |at| at as f64);
        }
        let answer = Answer {
            requested,
            expires_on,
            refresh_after: response.refresh_after.map(|at| millis_since_epoch(at) as f64),
        };
        // The expiry of the schedule, which checks it.
        let token = |state: &State| {
            let expires_on = state.schedule.status(now).expires_on;
            Token::new(secret, expires_on.map_or(response.expires_on, time_of))
        };
        let end = match Cache::take(&mut state, id, token, answer, now, chance()) {
            Outcome::Accepted => {
                let Some(held) = &state.token else { return };
                tracing::debug!(scopes = ?self.settings.scopes, expires_on = ?held.token.expires_on(), "acquired a token");
                End::Token(held.token.clone())
            }
            Outcome::Unchanged => match &state.token {
                Some(held) => End::Token(held.token.clone()),
                None => End::Again,
            },
            Outcome::Refused(error) => {
                let error = paused(&state, error.into(), now, Duration::ZERO);
                state.last_failure = Some(error.clone());
                End::Failed(error)
            }
            Outcome::Failed | Outcome::Retry { .. } | Outcome::Ignored => return,
        };
        self.end(&mut state, id, end, now);
    }

    /// The credential returned the token that the resource has just rejected.
    fn rejected_again(&self, state: &mut State, id: u32, now: Now) {
        if state.schedule.rejected_again(id, now, chance()) == Outcome::Ignored {
            return;
        }
        // Refuse it only once: after the pause it is used again, since the role may have been assigned.
        state.rejected = None;
        let error = if state.claims.is_some() {
            Error::new(
                Code::TokenClaimsChallenge,
                "The resource asks for a token with more claims, and the credential returned the same token again",
                "The credential ignores claims, as managed identities do, and Azure's platform returns their token for \
                 about a day. Use a service principal or a workload identity.",
            )
        } else {
            Error::rejected_again()
        };
        state.last_failure = Some(error.clone());
        self.end(state, id, End::Failed(error), now);
    }

    /// Reports a failed attempt. Returns the pause before the next one of the same flight.
    pub(super) fn failed(&self, id: u32, failure: CredentialError) -> Option<Duration> {
        let facts = failure.failure();
        // Before the lock: to explain a long message takes a while.
        let error = failure.into_error();
        let now = self.now();
        let mut state = self.lock();
        let outcome = state.schedule.failed(id, now, facts, chance());
        tracing::warn!(scopes = ?self.settings.scopes, code = error.code(), status = error.status(), "no token");
        match outcome {
            Outcome::Retry { after_ms } => return Some(duration_of(after_ms)),
            Outcome::Ignored => return None,
            _ => {}
        }
        let error = paused(&state, error, now, Duration::ZERO);
        state.last_failure = Some(error.clone());
        self.end(&mut state, id, End::Failed(error), now);
        None
    }

    /// Gives a flight up at its deadline. Returns the error, or the outcome if it has ended before.
    pub(super) fn timed_out(&self, id: u32, noted: Option<CredentialError>) -> Error {
        let noted = noted.map(CredentialError::into_error);
        let now = self.now();
        let mut state = self.lock();
        let Some(flight) = state.flight.as_ref().filter(|flight| flight.id() == id) else {
            return state
                .last_failure
                .clone()
                .unwrap_or_else(|| timeout(Duration::ZERO, None));
        };
        let error = timeout(flight.started.elapsed(), noted);
        state.schedule.timed_out(id, now, None, chance());
        let error = paused(&state, error, now, NO_PAUSE);
        state.last_failure = Some(error.clone());
        tracing::warn!(scopes = ?self.settings.scopes, code = error.code(), "no token in time");
        self.end(&mut state, id, End::Failed(error.clone()), now);
        error
    }

    pub(super) fn lost(&self, id: u32, error: Error) {
        let now = self.now();
        let mut state = self.lock();
        if state.flight.as_ref().is_some_and(|flight| flight.id() == id) {
            state.schedule.lost(id);
            state.last_failure = Some(error.clone());
            self.end(&mut state, id, End::Failed(error), now);
        }
    }

    /// Ends a flight for those who wait, and publishes what holds now.
    fn end(&self, state: &mut State, id: u32, end: End, now: Now) {
        if let Some(flight) = self.cache.end(state, id, now) {
            flight.end.send_replace(Some(end));
        }
        self.tell(state, now);
    }
}

/// Adds the pause before the next attempt.
fn paused(state: &State, error: Error, now: Now, least: Duration) -> Error {
    let next = state.schedule.status(now).next_attempt_on.unwrap_or(now.wall);
    error.with_pause(duration_of(next.saturating_sub(now.wall).max(millis(least))))
}

/// Returns the error of a wait that reached its deadline. It has the code of the last failure, so that
/// an outage has one code however long callers wait.
fn timeout(after: Duration, noted: Option<Error>) -> Error {
    match noted {
        Some(failure) => failure.within(&format!("No token within {} s", after.as_secs().max(1))),
        None => Error::wait_over(after),
    }
}
