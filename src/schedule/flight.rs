//! Flights: acquisitions in progress, which callers wait for or which run in the background, and how
//! they fail.

use super::backoff::jittered;
use super::time::Span;
use super::{
    Decision, FAILURE_MEMORY_MS, Failure, FailureKind, FlightStart, Now, Outcome, PERMANENT_MEMORY_MS, Phase,
    RETRY_AFTER_MAX_MS, Schedule,
};
use crate::token::Millis;

/// The first delay between two attempts of a flight that callers wait for, in milliseconds. It
/// doubles with each attempt.
const WAITING_RETRY_MS: Millis = 1_000;

/// An acquisition in progress.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    pub(super) id: u32,
    pub(super) deadline: Span,
    /// Whether callers wait for it. A transient failure is then retried within the flight.
    awaited: bool,
    attempts: u32,
}

impl Schedule {
    /// Reports the failure of an attempt. `random` is uniform in 0..1.
    pub fn failed(&mut self, flight: u32, now: Now, failure: Failure, random: f64) -> Outcome {
        let Some(current) = self.flight.as_mut().filter(|current| current.id == flight) else {
            return Outcome::Ignored;
        };
        let floor = floor_of(failure.retry_after_ms);
        if current.awaited && failure.kind == FailureKind::Transient {
            let doubled = WAITING_RETRY_MS.saturating_mul(1 << current.attempts.min(20));
            let after_ms = jittered(doubled.max(floor), random);
            if after_ms < current.deadline.remaining(now) {
                current.attempts = current.attempts.saturating_add(1);
                return Outcome::Retry { after_ms };
            }
        }
        let memory = if failure.kind == FailureKind::Permanent {
            PERMANENT_MEMORY_MS
        } else {
            FAILURE_MEMORY_MS
        };
        self.end_flight(now, memory, floor, random)
    }

    /// Reports that a flight timed out, and abandons it. `retry_after_ms` is what is left of the
    /// pause that the endpoint asked for meanwhile. [`Schedule::acquired`] still judges a late token.
    pub fn timed_out(
        &mut self,
        flight: u32,
        now: Now,
        retry_after_ms: Option<Millis>,
        random: f64,
    ) -> Outcome {
        let Some(current) = self.flight.filter(|current| current.id == flight) else {
            return Outcome::Ignored;
        };
        let floor = floor_of(retry_after_ms);
        let outcome = self.end_flight(now, FAILURE_MEMORY_MS, floor, random);
        if floor == 0 {
            // The caller has already waited long enough, so the next one does not get the remembered
            // failure.
            self.refusal = Some(Span {
                since: current.deadline.since,
                length: FAILURE_MEMORY_MS,
            });
        }
        outcome
    }

    /// Forgets a flight that ended by no fault of the credential, such as with the runtime that it ran
    /// in: the next request starts another one at once. Returns whether it was in progress.
    pub fn lost(&mut self, flight: u32) -> bool {
        let current = self.flight.is_some_and(|current| current.id == flight);
        if current {
            self.flight = None;
        }
        current
    }

    /// Returns how much is left, in milliseconds, of the one wait of a caller that has asked for a
    /// token since `since`, however often. 0 if it is over, or if no attempt begins before its end;
    /// all of it while a token is usable.
    pub fn wait_left(&self, since: Now, now: Now) -> Millis {
        let length = self.policy.wait_timeout_ms;
        let status = self.status(now);
        if matches!(status.state, Phase::Fresh | Phase::Due) {
            return length;
        }
        let left = Span { since, length }.remaining(now);
        let next = status.next_attempt_on.unwrap_or(now.wall);
        if next.saturating_sub(now.wall) < left {
            left
        } else {
            0
        }
    }

    /// Reports that a flight returned the rejected token again. Ends the flight, and makes requests
    /// fail until the next forced acquisition is allowed.
    pub fn rejected_again(&mut self, flight: u32, now: Now, random: f64) -> Outcome {
        if self.flight.is_none_or(|current| current.id != flight) {
            return Outcome::Ignored;
        }
        let wait = self.invalidated.map_or(0, |span| span.remaining(now));
        self.end_flight(now, PERMANENT_MEMORY_MS, wait, random)
    }

    /// Waits for the flight in progress, if there is one.
    pub(super) fn join(&mut self, now: Now) -> Option<Decision> {
        let wait = Span {
            since: now,
            length: self.policy.wait_timeout_ms,
        };
        let flight = self.flight.as_mut()?;
        if !flight.awaited {
            flight.awaited = true;
            if wait.remaining(now) < flight.deadline.remaining(now) {
                flight.deadline = wait;
            }
        }
        Some(Decision::Wait {
            flight: flight.id,
            timeout_ms: flight.deadline.remaining(now),
            start: false,
        })
    }

    pub(super) fn start_awaited(&mut self, now: Now) -> Decision {
        let FlightStart { flight, timeout_ms } = self.start(now, true);
        Decision::Wait {
            flight,
            timeout_ms,
            start: true,
        }
    }

    pub(super) fn start_in_background(&mut self, now: Now) -> Option<FlightStart> {
        let over = |span: Option<Span>| span.is_none_or(|span| span.over(now));
        let paused = !over(self.pause) || (self.phase(now) == Phase::Expired && !over(self.refusal));
        (self.flight.is_none() && !paused).then(|| self.start(now, false))
    }

    pub(super) fn start(&mut self, now: Now, awaited: bool) -> FlightStart {
        let timeout_ms = if awaited {
            self.policy.wait_timeout_ms
        } else {
            self.policy.background_timeout_ms
        };
        self.last_flight = self.last_flight.wrapping_add(1);
        let deadline = Span {
            since: now,
            length: timeout_ms,
        };
        self.flight = Some(Flight {
            id: self.last_flight,
            deadline,
            awaited,
            attempts: 0,
        });
        FlightStart {
            flight: self.last_flight,
            timeout_ms,
        }
    }

    /// Abandons a flight past its deadline, as after a suspended machine wakes.
    pub(super) fn drop_overdue(&mut self, now: Now) {
        if let Some(flight) = self.flight.filter(|flight| flight.deadline.over(now)) {
            self.timed_out(flight.id, now, None, 0.0);
        }
    }

    fn end_flight(&mut self, now: Now, memory: Millis, floor: Millis, random: f64) -> Outcome {
        self.flight = None;
        self.failures = self.failures.saturating_add(1);
        self.back_off(now, memory, floor, random);
        Outcome::Failed
    }
}

/// The pause that an endpoint asked for, as far as it counts.
fn floor_of(retry_after_ms: Option<Millis>) -> Millis {
    retry_after_ms.unwrap_or(0).clamp(0, RETRY_AFTER_MAX_MS)
}
