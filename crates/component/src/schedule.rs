//! Implements the interface `schedule`.

use std::cell::RefCell;

use super::wit::schedule::{
    self as wit, Answer, Decision, Failure, FlightStart, Guest, GuestSchedule, KeylessError, Millis, Now,
    Outcome, Phase, RefreshPolicy, Status, UseToken, WaitForFlight,
};
use super::{Component, same_names};
use copilot_keyless::schedule::{self, FailureKind};

impl Guest for Component {
    type Schedule = Schedule;
}

/// The state machine behind a handle. Calls of a component do not nest, so it is never borrowed
/// twice.
pub(super) struct Schedule(RefCell<schedule::Schedule>);

impl GuestSchedule for Schedule {
    fn create(policy: RefreshPolicy) -> Result<wit::Schedule, KeylessError> {
        let machine = schedule::Schedule::new(policy.into())?;
        Ok(wit::Schedule::new(Self(RefCell::new(machine))))
    }

    fn request(&self, now: Now) -> Decision {
        self.0.borrow_mut().request(now.into()).into()
    }

    fn refresh(&self, now: Now) -> Decision {
        self.0.borrow_mut().refresh(now.into()).into()
    }

    fn wake(&self, now: Now) -> Option<FlightStart> {
        self.0.borrow_mut().wake(now.into()).map(Into::into)
    }

    fn next_wake(&self, now: Now) -> Option<Millis> {
        self.0.borrow().next_wake(now.into())
    }

    fn acquired(&self, flight: u32, answer: Answer, now: Now, random: f64) -> Outcome {
        let answer = schedule::Answer {
            requested: answer.requested.into(),
            expires_on: answer.expires_on as f64,
            refresh_after: answer.refresh_after.map(|at| at as f64),
        };
        let mut machine = self.0.borrow_mut();
        machine.acquired(flight, answer, now.into(), random).into()
    }

    fn failed(&self, flight: u32, failure: Failure, now: Now, random: f64) -> Outcome {
        let failure = schedule::Failure {
            kind: FailureKind::of(failure.status, failure.unavailable),
            retry_after_ms: failure.retry_after_ms,
        };
        let mut machine = self.0.borrow_mut();
        machine.failed(flight, now.into(), failure, random).into()
    }

    fn timed_out(&self, flight: u32, now: Now, random: f64) -> Outcome {
        self.0
            .borrow_mut()
            .timed_out(flight, now.into(), None, random)
            .into()
    }

    fn rejected_again(&self, flight: u32, now: Now, random: f64) -> Outcome {
        let mut machine = self.0.borrow_mut();
        machine.rejected_again(flight, now.into(), random).into()
    }

    fn invalidate(&self, now: Now) -> bool {
        self.0.borrow_mut().invalidate(now.into())
    }

    fn challenged(&self, now: Now) -> bool {
        self.0.borrow_mut().challenged(now.into())
    }

    fn close(&self) {
        self.0.borrow_mut().close();
    }

    fn status(&self, now: Now) -> Status {
        let status = self.0.borrow().status(now.into());
        Status {
            state: status.state.into(),
            expires_on: status.expires_on,
            refresh_on: status.refresh_on,
            next_attempt_on: status.next_attempt_on,
            refreshing: status.refreshing,
            consecutive_failures: status.consecutive_failures,
        }
    }
}

same_names!(schedule::Phase => Phase { Empty, Fresh, Due, Expired, Closed });

impl From<Now> for schedule::Now {
    fn from(Now { wall, mono }: Now) -> Self {
        Self { wall, mono }
    }
}

impl From<RefreshPolicy> for schedule::RefreshPolicy {
    fn from(given: RefreshPolicy) -> Self {
        let default = Self::default();
        Self {
            refresh_before_expiry_ms: given
                .refresh_before_expiry_ms
                .unwrap_or(default.refresh_before_expiry_ms),
            long_lived_ms: given.long_lived_ms.unwrap_or(default.long_lived_ms),
            jitter_ms: given.jitter_ms.unwrap_or(default.jitter_ms),
            min_remaining_ms: given.min_remaining_ms.unwrap_or(default.min_remaining_ms),
            retry_min_ms: given.retry_min_ms.unwrap_or(default.retry_min_ms),
            retry_max_ms: given.retry_max_ms.unwrap_or(default.retry_max_ms),
            wait_timeout_ms: given.wait_timeout_ms.unwrap_or(default.wait_timeout_ms),
            background_timeout_ms: given
                .background_timeout_ms
                .unwrap_or(default.background_timeout_ms),
            invalidate_interval_ms: given
                .invalidate_interval_ms
                .unwrap_or(default.invalidate_interval_ms),
            max_lifetime_ms: given.max_lifetime_ms.unwrap_or(default.max_lifetime_ms),
        }
    }
}

impl From<schedule::FlightStart> for FlightStart {
    fn from(start: schedule::FlightStart) -> Self {
        Self {
            flight: start.flight,
            timeout_ms: start.timeout_ms,
        }
    }
}

impl From<schedule::Decision> for Decision {
    fn from(decision: schedule::Decision) -> Self {
        match decision {
            schedule::Decision::Use {
                phase,
                until_wall,
                until_mono,
                start,
            } => Self::Use(UseToken {
                phase: phase.into(),
                until_wall,
                until_mono,
                start: start.map(Into::into),
            }),
            schedule::Decision::Wait {
                flight,
                timeout_ms,
                start,
            } => Self::Wait(WaitForFlight {
                flight,
                timeout_ms,
                start,
            }),
            schedule::Decision::Refuse { retry_after_ms } => Self::Refuse(retry_after_ms),
            schedule::Decision::Closed => Self::Closed,
        }
    }
}

impl From<schedule::Outcome> for Outcome {
    fn from(outcome: schedule::Outcome) -> Self {
        match outcome {
            schedule::Outcome::Accepted => Self::Accepted,
            schedule::Outcome::Unchanged => Self::Unchanged,
            schedule::Outcome::Retry { after_ms } => Self::Retry(after_ms),
            schedule::Outcome::Failed => Self::Failed,
            schedule::Outcome::Refused(error) => Self::Refused(error.into()),
            schedule::Outcome::Ignored => Self::Ignored,
        }
    }
}
