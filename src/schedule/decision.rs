//! What the schedule is told, and what it says.

use serde::Serialize;

use super::Now;
use crate::Error;
use crate::token::Millis;

/// Where a token stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// No token yet, or it was invalidated.
    Empty,
    /// Before its refresh time.
    Fresh,
    /// Past its refresh time, still good.
    Due,
    /// `min_remaining` or less left: not handed out any more.
    Expired,
    /// After [`Schedule::close`](super::Schedule::close).
    Closed,
}

/// An acquisition that the caller has to start now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlightStart {
    /// Names the flight when its outcome is reported.
    pub flight: u32,
    /// Report [`Schedule::timed_out`](super::Schedule::timed_out) when this many milliseconds have passed without an outcome.
    pub timeout_ms: Millis,
}

/// What to do for somebody who wants a token.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Decision {
    /// Hand out the stored token. Until either clock reaches its bound, the same answer holds and need not be asked for.
    Use {
        /// Fresh or due.
        phase: Phase,
        /// Bound on the wall clock.
        until_wall: Millis,
        /// Bound on the monotonic clock.
        until_mono: Millis,
        /// A refresh to start in the background.
        start: Option<FlightStart>,
    },
    /// Wait for a flight.
    Wait {
        /// The flight to wait for.
        flight: u32,
        /// How long from now, in milliseconds, before the flight is to be reported as timed out.
        timeout_ms: Millis,
        /// Whether the flight has to be started, or is under way.
        start: bool,
    },
    /// Give the last error again: it is permanent, or its issuer asked for a pause.
    Refuse {
        /// When to ask again, in milliseconds from now.
        retry_after_ms: Millis,
    },
    /// Refuse: the provider is closed.
    Closed,
}

/// A token that a flight brought: its times only.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// When the attempt that brought it was started.
    pub requested: Now,
    /// `expiresOnTimestamp` of the `AccessToken`.
    pub expires_on: f64,
    /// Its `refreshAfterTimestamp`.
    pub refresh_after: Option<f64>,
}

/// What came of an outcome that was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "result",
    content = "detail",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Outcome {
    /// The token is stored now.
    Accepted,
    /// It is the token that is stored already, or an older one: the stored one stays, the next attempt comes later.
    Unchanged,
    /// The flight goes on: repeat the attempt after this many milliseconds.
    Retry {
        /// Milliseconds from now.
        after_ms: Millis,
    },
    /// The flight has ended without a token.
    Failed,
    /// The token cannot be used; the flight has ended and counts as failed.
    Refused(Error),
    /// The flight had been given up before, or the provider closed: nothing changed.
    Ignored,
}

/// Where things stand, for people; times in epoch milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Status {
    /// The phase.
    pub state: Phase,
    /// When the stored token expires.
    pub expires_on: Option<Millis>,
    /// When its refresh is due, jitter included.
    pub refresh_on: Option<Millis>,
    /// When the next attempt may be made, after a failed one.
    pub next_attempt_on: Option<Millis>,
    /// Whether an acquisition is under way.
    pub refreshing: bool,
    /// Acquisitions that failed since the last one that succeeded.
    pub consecutive_failures: u32,
}
