//! The token of a provider between threads: the schedule behind a lock, what is published in front of it.
//! Knows neither tokio nor the clock; `model.rs` tries all interleavings.

use std::sync::{PoisonError, TryLockError};

use copilot_keyless::schedule::{Answer, Decision, FlightStart, Now, Outcome};

use super::RefreshPolicy;
use super::snapshot::{Limits, Published, Reading};
use super::state::{Held, State};
use crate::sync::{Mutex, MutexGuard};
use crate::{Result, Token};

/// An acquisition in progress, as the provider keeps it.
pub(super) trait Flight {
    /// Returns the number that the schedule gave it.
    fn id(&self) -> u32;
}

pub(super) struct Cache<F> {
    published: Published,
    state: Mutex<State<F>>,
}

/// What the schedule decided for a caller.
pub(super) enum Choice {
    Use(Token),
    Wait { flight: u32, timeout_ms: i64 },
    Refuse { retry_after_ms: i64 },
    Closed,
}

impl<F: Flight> Cache<F> {
    pub(super) fn new(policy: RefreshPolicy) -> Result<Self> {
        Ok(Self {
            published: Published::new(),
            state: Mutex::new(State::new(policy)?),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the token if that needs no wait. `decide` asks the schedule, by one caller at a time.
    pub(super) fn ready(
        &self,
        now: Now,
        decide: impl FnOnce(MutexGuard<'_, State<F>>) -> Option<Token>,
    ) -> Option<Token> {
        match self.published.read(now) {
            Reading::Use(token) => Some(token),
            Reading::Good(token) => match self.state.try_lock() {
                Ok(state) => decide(state),
                Err(TryLockError::Poisoned(poisoned)) => decide(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => Some(token),
            },
            Reading::Over => None,
        }
    }

    /// Decides for a caller. `open` registers the flight that the schedule starts, in the background or
    /// for callers that wait.
    pub(super) fn decide(
        &self,
        state: &mut State<F>,
        now: Now,
        open: impl FnOnce(&mut State<F>, FlightStart, bool),
    ) -> Choice {
        match state.schedule.request(now) {
            Decision::Use {
                until_wall,
                until_mono,
                start,
                ..
            } => {
                if let Some(start) = start {
                    open(state, start, true);
                }
                let use_until = Now {
                    wall: until_wall,
                    mono: until_mono,
                };
                self.publish(state, now, use_until);
                match &state.token {
                    Some(held) => Choice::Use(held.token.clone()),
                    // Never: the schedule has a token where the state has one.
                    None => Choice::Closed,
                }
            }
            Decision::Wait {
                flight,
                timeout_ms,
                start,
            } => {
                if start {
                    open(state, FlightStart { flight, timeout_ms }, false);
                }
                Choice::Wait { flight, timeout_ms }
            }
            Decision::Refuse { retry_after_ms } => Choice::Refuse { retry_after_ms },
            Decision::Closed => Choice::Closed,
        }
    }

    /// Takes the token of a flight, if the schedule accepts it.
    pub(super) fn take(
        state: &mut State<F>,
        flight: u32,
        token: impl FnOnce(&State<F>) -> Option<Token>,
        answer: Answer,
        now: Now,
        chance: f64,
    ) -> Outcome {
        let outcome = state.schedule.acquired(flight, answer, now, chance);
        if outcome == Outcome::Accepted {
            state.token = token(state).map(|token| Held {
                token,
                requested: answer.requested,
                has_claims: state.claims.take().is_some(),
            });
            state.rejected = None;
            state.last_failure = None;
        }
        outcome
    }

    /// Ends a flight, and publishes what holds now. Returns it for those who wait.
    pub(super) fn end(&self, state: &mut State<F>, flight: u32, now: Now) -> Option<F> {
        self.refresh(state, now);
        state.flight.take_if(|current| current.id() == flight)
    }

    /// Discards a token, if it is still the current one and was not rejected too soon.
    pub(super) fn reject(&self, token: &Token, now: Now) -> Option<MutexGuard<'_, State<F>>> {
        let mut state = self.lock();
        let current = state.token.as_ref().is_some_and(|held| held.token.is(token));
        if !current || !state.schedule.invalidate(now) {
            return None;
        }
        state.rejected = Some(token.clone());
        state.token = None;
        self.refresh(&state, now);
        Some(state)
    }

    /// Discards everything. Returns the flight for those who wait.
    pub(super) fn close(&self, now: Now) -> (MutexGuard<'_, State<F>>, Option<F>) {
        let mut state = self.lock();
        state.schedule.close();
        state.token = None;
        state.rejected = None;
        state.claims = None;
        let flight = state.flight.take();
        self.refresh(&state, now);
        (state, flight)
    }

    /// Publishes the token, or that there is none. The next caller asks the schedule.
    pub(super) fn refresh(&self, state: &State<F>, now: Now) {
        self.publish(state, now, now);
    }

    fn publish(&self, state: &State<F>, now: Now, use_until: Now) {
        let usable = state.token.as_ref().zip(state.schedule.usable_until());
        self.published.publish(usable.map(|(held, good_until)| {
            let limits = Limits {
                since: now.wall,
                use_until,
                good_until,
            };
            (held.token.clone(), limits)
        }));
    }
}
