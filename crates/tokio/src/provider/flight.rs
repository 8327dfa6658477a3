//! An acquisition in progress: a task of its own, so that a caller that goes away ends nobody's.

use std::sync::{Arc, Weak};
use std::time::Duration;

use copilot_keyless::Code;
use copilot_keyless::schedule::{Answer, FlightStart, Now, Outcome};
use copilot_keyless::token;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::shared::{Held, Shared, State};
use crate::clock::{chance, duration_of, millis, millis_since_epoch, time_of};
use crate::credential::{CredentialError, TokenRequest, TokenResponse};
use crate::{Error, Token};

/// When to ask again where the next call makes an attempt at once.
const NO_PAUSE: Duration = Duration::from_secs(1);

/// The outcome for those who wait.
#[derive(Clone)]
pub(super) enum End {
    Token(Token),
    Failed(Error),
    /// Another flight takes its place: ask again.
    Again,
}

/// What the provider knows of a flight. The task ends when it is dropped.
pub(super) struct Flight {
    id: u32,
    pub(super) end: watch::Sender<Option<End>>,
    pub(super) has_claims: bool,
    started: Instant,
    deadline: watch::Sender<Instant>,
}

/// A flight that is yet to be started.
pub(super) struct Launch {
    id: u32,
    request: TokenRequest,
    deadline: watch::Receiver<Instant>,
    guard: Guard,
}

impl Flight {
    pub(super) fn new(shared: &Arc<Shared>, start: FlightStart, request: TokenRequest) -> (Self, Launch) {
        let FlightStart {
            flight: id,
            timeout_ms,
        } = start;
        let started = Instant::now();
        let (deadline, watched) = watch::channel(started + duration_of(timeout_ms));
        let flight = Self {
            id,
            end: watch::Sender::new(None),
            has_claims: request.claims.is_some(),
            started,
            deadline,
        };
        shared.tasks.send_modify(|count| *count += 1);
        let guard = Guard {
            shared: Arc::downgrade(shared),
            id,
        };
        let launch = Launch {
            id,
            request,
            deadline: watched,
            guard,
        };
        (flight, launch)
    }

    /// Ends the flight at a time, unless it ends earlier: callers have begun to wait for it.
    pub(super) fn end_by(&self, deadline: Instant) {
        self.deadline.send_if_modified(|current| {
            let earlier = deadline < *current;
            if earlier {
                *current = deadline;
            }
            earlier
        });
    }
}

/// Reports a flight as lost if its task ends before its time: with its runtime, or by a panic.
struct Guard {
    shared: Weak<Shared>,
    id: u32,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let error = if std::thread::panicking() {
            Error::new(
                Code::CredentialFailed,
                "The credential panicked",
                "See the message of the panic.",
            )
        } else {
            Error::runtime_ended()
        };
        shared.lost(self.id, error);
        shared.tasks.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Launch {
    pub(super) fn start(self, runtime: &Handle) {
        runtime.spawn(self.run());
    }

    async fn run(self) {
        let Self {
            id,
            request,
            mut deadline,
            guard,
        } = self;
        let shared = guard.shared.clone();
        let mut attempts = std::pin::pin!(attempts(shared.clone(), id, &request));
        loop {
            let at = *deadline.borrow_and_update();
            tokio::select! {
                biased;
                changed = deadline.changed() => if changed.is_err() { return },
                () = &mut attempts => return,
                () = sleep_until(at) => {
                    if let Some(shared) = shared.upgrade() {
                        shared.timed_out(id, request.noted());
                    }
                    return;
                }
            }
        }
    }
}

/// Asks the credential until the schedule ends the flight. Holds the provider only between attempts.
async fn attempts(shared: Weak<Shared>, id: u32, request: &TokenRequest) {
    loop {
        let Some((credential, requested)) = shared
            .upgrade()
            .map(|shared| (Arc::clone(&shared.settings.credential), shared.now()))
        else {
            return;
        };
        let answer = credential.acquire(request).await;
        let Some(shared) = shared.upgrade() else { return };
        let pause = match answer {
            Ok(response) => {
                shared.landed(id, &response, requested);
                return;
            }
            Err(failure) => {
                request.note(failure.clone());
                shared.failed(id, failure)
            }
        };
        drop(shared);
        match pause {
            Some(pause) => sleep(pause).await,
            None => return,
        }
    }
}

impl Shared {
    /// Takes the token of a flight.
    fn landed(&self, id: u32, response: &TokenResponse, requested: Now) {
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
        let end = match state.schedule.acquired(id, answer, now, chance()) {
            Outcome::Accepted => {
                // The expiry of the schedule, which checks it.
                let expires_on = state
                    .schedule
                    .status(now)
                    .expires_on
                    .map_or(response.expires_on, time_of);
                let Some(token) = Token::new(secret, expires_on) else {
                    return;
                };
                state.token = Some(Held {
                    token: token.clone(),
                    requested,
                    has_claims: state.claims.take().is_some(),
                });
                state.rejected = None;
                state.last_failure = None;
                tracing::debug!(scopes = ?self.settings.scopes, ?expires_on, "acquired a token");
                End::Token(token)
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
            Error::new(
                Code::TokenRejectedAgain,
                "The credential returned the same token that the resource just rejected",
                "Azure's platform returns a managed identity's token for about a day, even a revoked one. If it was not \
                 revoked, check its audience (the scope) and the role of its principal on the resource.",
            )
        };
        state.last_failure = Some(error.clone());
        self.end(state, id, End::Failed(error), now);
    }

    /// Reports a failed attempt. Returns the pause before the next one of the same flight.
    fn failed(&self, id: u32, failure: CredentialError) -> Option<Duration> {
        let now = self.now();
        let mut state = self.lock();
        let outcome = state.schedule.failed(id, now, failure.failure(), chance());
        let error = failure.into_error();
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
        let now = self.now();
        let mut state = self.lock();
        let Some(flight) = state.flight.as_ref().filter(|flight| flight.id == id) else {
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

    fn lost(&self, id: u32, error: Error) {
        let now = self.now();
        let mut state = self.lock();
        if state.flight.as_ref().is_some_and(|flight| flight.id == id) {
            state.schedule.lost(id);
            state.last_failure = Some(error.clone());
            self.end(&mut state, id, End::Failed(error), now);
        }
    }

    /// Ends a flight for those who wait, and publishes what holds now.
    fn end(&self, state: &mut State, id: u32, end: End, now: Now) {
        if let Some(flight) = state.flight.take_if(|flight| flight.id == id) {
            flight.end.send_replace(Some(end));
        }
        self.refresh_snapshot(state, now);
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
fn timeout(after: Duration, noted: Option<CredentialError>) -> Error {
    let seconds = after.as_secs().max(1);
    match noted.map(CredentialError::into_error) {
        Some(failure) => failure.within(&format!("No token within {seconds} s")),
        None => Error::new(
            Code::TokenTimeout,
            format!("The credential did not answer within {seconds} s"),
            "Outside Azure no managed identity answers: run `az login` and set AZURE_TOKEN_CREDENTIALS=dev. In Azure \
             check the host's identity service.",
        ),
    }
}
