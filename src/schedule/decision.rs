//! The inputs and results of the schedule.

use serde::Serialize;

use super::Now;
use crate::Error;
use crate::token::Millis;

/// The phase of the stored token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// No token yet, or the token was invalidated.
    Empty,
    /// Before its refresh time.
    Fresh,
    /// Past its refresh time, still usable.
    Due,
    /// `min_remaining_ms` or less left: no longer returned to callers.
    Expired,
    /// After [`Schedule::close`](super::Schedule::close).
    Closed,
}

/// An acquisition to start now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlightStart {
    /// The id to report the outcome with.
    pub flight: u32,
    /// Call [`Schedule::timed_out`](super::Schedule::timed_out) after this many milliseconds
    /// without an outcome.
    pub timeout_ms: Millis,
}

/// What the caller does for a request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Decision {
    /// Return the stored token. The decision holds until either clock reaches its bound, so it may
    /// be cached until then.
    Use {
        /// `Fresh` or `Due`.
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
        /// Report the flight as timed out after this many milliseconds from now.
        timeout_ms: Millis,
        /// Whether to start the flight; else it is already in progress.
        start: bool,
    },
    /// Return the last error: it is permanent, or the endpoint asked for a pause.
    Refuse {
        /// When to request again, in milliseconds from now.
        retry_after_ms: Millis,
    },
    /// Reject the request: the provider is closed.
    Closed,
}

/// The times of an acquired token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// The start of the attempt that acquired it.
    pub requested: Now,
    /// `expiresOnTimestamp` of the `AccessToken`.
    pub expires_on: f64,
    /// `refreshAfterTimestamp` of the `AccessToken`.
    pub refresh_after: Option<f64>,
}

/// The effect of a reported outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "result",
    content = "detail",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Outcome {
    /// The token is stored.
    Accepted,
    /// The stored token came back, or an older one. The stored token stays, and the next attempt
    /// backs off.
    Unchanged,
    /// Retry within the same flight, after this many milliseconds.
    Retry {
        /// Milliseconds from now.
        after_ms: Millis,
    },
    /// The flight ended without a token.
    Failed,
    /// The token is unusable; the flight ended and counts as failed.
    Refused(Error),
    /// The flight was already abandoned, or the provider is closed. Nothing changed.
    Ignored,
}

/// The state of the schedule, for display; times in epoch milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Status {
    /// The phase.
    pub state: Phase,
    /// When the stored token expires.
    pub expires_on: Option<Millis>,
    /// When the refresh is due, with jitter.
    pub refresh_on: Option<Millis>,
    /// The earliest next attempt after a failed one.
    pub next_attempt_on: Option<Millis>,
    /// Whether a flight is in progress.
    pub refreshing: bool,
    /// Failed acquisitions since the last successful one.
    pub consecutive_failures: u32,
}
