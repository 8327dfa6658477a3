//! Decides when to use a token, when to refresh it, and when callers wait: a state machine without
//! clock, randomness or I/O.
//!
//! The caller reports events (a request, a token, a failure) with the time on two clocks and, where
//! needed, a random number. The machine returns a [`Decision`] or an [`Outcome`]. It never sees
//! tokens, only their times. [`CacheFallback`] decides when the direct credential takes the place of
//! the default one.

mod backoff;
mod cache_fallback;
mod decision;
mod evidence;
mod failure;
mod flight;
mod policy;
mod stored_token;
mod time;

pub(crate) use backoff::jittered;
pub use cache_fallback::CacheFallback;
pub use decision::{Answer, Decision, FlightStart, Outcome, Phase, Status};
pub use evidence::Evidence;
pub use failure::{Failure, FailureKind};
pub use policy::{RETRY_AFTER_MAX_MS, RefreshPolicy};
pub use time::Now;

use crate::token::{Lifetime, Millis};
use crate::{Code, Error, Result};
use flight::Flight;
use stored_token::StoredToken;
use time::Span;

/// How long callers get a permanent error without a new acquisition, in milliseconds. Longer than
/// the six attempts, one second apart, of the Copilot runtime.
pub const PERMANENT_MEMORY_MS: Millis = 10_000;

/// How long callers get any other error while there is no token, in milliseconds. Limits
/// acquisitions to one per interval, even if many callers come one after another.
pub const FAILURE_MEMORY_MS: Millis = 1_000;

/// The state machine of a token keeper.
///
/// ```
/// use copilot_keyless::schedule::{Answer, Decision, Now, Outcome, RefreshPolicy, Schedule};
///
/// let mut schedule = Schedule::new(RefreshPolicy::default())?;
/// let at = |ms| Now { wall: 1_700_000_000_000 + ms, mono: ms };
///
/// let Decision::Wait { flight, start: true, .. } = schedule.request(at(0)) else { panic!() };
/// let hour = Answer { requested: at(0), expires_on: 1_700_003_600_000.0, refresh_after: None };
/// assert_eq!(schedule.acquired(flight, hour, at(50), 0.5), Outcome::Accepted);
/// assert!(matches!(schedule.request(at(60_000)), Decision::Use { start: None, .. }));
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Schedule {
    policy: RefreshPolicy,
    stored: Option<StoredToken>,
    flight: Option<Flight>,
    last_flight: u32,
    /// Failed acquisitions in a row.
    failures: u32,
    /// Failed or unchanged acquisitions in a row. The backoff grows with them.
    setbacks: u32,
    /// Delays the next attempt while the token is usable.
    pause: Option<Span>,
    /// Delays the next attempt even if callers wait: they get the last error.
    refusal: Option<Span>,
    invalidated: Option<Span>,
    challenged: Option<Span>,
    /// The last flight from before the last challenge. Tokens of this and earlier flights are
    /// ignored.
    superseded: u32,
    closed: bool,
}

impl Schedule {
    /// Creates a schedule without a token.
    ///
    /// Errors: `policy/invalid`, see [`RefreshPolicy::validate`].
    pub fn new(policy: RefreshPolicy) -> Result<Self> {
        Ok(Self {
            policy: policy.validate()?,
            stored: None,
            flight: None,
            last_flight: 0,
            failures: 0,
            setbacks: 0,
            pause: None,
            refusal: None,
            invalidated: None,
            challenged: None,
            superseded: 0,
            closed: false,
        })
    }

    /// Decides for a caller that needs a token.
    pub fn request(&mut self, now: Now) -> Decision {
        self.drop_overdue(now);
        let phase = self.phase(now);
        match (phase, self.stored) {
            (Phase::Closed, _) => Decision::Closed,
            (Phase::Fresh, Some(stored)) => Self::hand_out(&stored, phase, stored.refresh_at, None),
            (Phase::Due, Some(stored)) => {
                let start = self.start_in_background(now);
                let changes = self.flight.map(|flight| flight.deadline).or(self.pause);
                let unchanged_for = changes.map_or(Millis::MAX, |span| span.remaining(now));
                let until = stored
                    .clock(now)
                    .saturating_add(unchanged_for)
                    .min(stored.forced_at);
                Self::hand_out(&stored, phase, until, start)
            }
            _ => self.wait(now),
        }
    }

    /// Forces a refresh, as for a click: joins the flight in progress, else starts one at once,
    /// despite backoff and `Retry-After`. The stored token stays in use meanwhile, and also if the
    /// flight fails.
    pub fn refresh(&mut self, now: Now) -> Decision {
        self.drop_overdue(now);
        if self.closed {
            return Decision::Closed;
        }
        self.join(now).unwrap_or_else(|| self.start_awaited(now))
    }

    /// Starts a refresh if one is due. Call it when the timer of [`Schedule::next_wake`] fires.
    pub fn wake(&mut self, now: Now) -> Option<FlightStart> {
        self.drop_overdue(now);
        match self.phase(now) {
            Phase::Due => self.start_in_background(now),
            Phase::Expired if self.flight.is_none() => {
                let forced = self
                    .stored
                    .as_mut()
                    .is_some_and(|stored| !std::mem::replace(&mut stored.forced, true));
                if forced {
                    Some(self.start(now, false))
                } else {
                    self.start_in_background(now)
                }
            }
            _ => None,
        }
    }

    /// Returns when to call [`Schedule::wake`], in milliseconds from now. `None` without a token to
    /// keep fresh, and during a flight: ask again after its outcome.
    pub fn next_wake(&self, now: Now) -> Option<Millis> {
        if self.flight.is_some() || self.closed {
            return None;
        }
        let stored = self.stored?;
        let clock = stored.clock(now);
        let left = |span: Option<Span>| span.map_or(0, |span| span.remaining(now));
        let paused = left(self.pause);
        let wait = match self.phase(now) {
            Phase::Fresh => stored.refresh_at.saturating_sub(clock),
            Phase::Due => paused.min(stored.forced_at.saturating_sub(clock)),
            Phase::Expired if !stored.forced => 0,
            _ => paused.max(left(self.refusal)),
        };
        Some(wait.max(0))
    }

    /// Reports the token of a flight. `random` is uniform in 0..1.
    pub fn acquired(&mut self, flight: u32, answer: Answer, now: Now, random: f64) -> Outcome {
        let current = self.flight.is_some_and(|current| current.id == flight);
        let lifetime = Lifetime::of_access_token(
            answer.requested.wall,
            answer.expires_on,
            answer.refresh_after,
            self.policy.max_lifetime_ms,
        );
        let stored =
            lifetime.map(|lifetime| StoredToken::new(lifetime, answer.requested, &self.policy, random));
        let usable = stored.and_then(|stored| {
            let expired = stored.clock(now) >= stored.forced_at;
            let newer = self.stored.is_none_or(|old| stored.outlives(&old, now));
            if expired || !newer {
                Err(not_renewed())
            } else {
                Ok(stored)
            }
        });
        match usable {
            _ if self.closed || flight <= self.superseded => Outcome::Ignored,
            Ok(stored) => {
                if current {
                    self.flight = None;
                }
                self.stored = Some(stored);
                self.failures = 0;
                self.setbacks = 0;
                self.pause = None;
                self.refusal = None;
                Outcome::Accepted
            }
            Err(_) if !current => Outcome::Ignored,
            Err(error) => {
                self.flight = None;
                self.back_off(now, FAILURE_MEMORY_MS, 0, random);
                let good = matches!(self.phase(now), Phase::Fresh | Phase::Due);
                if error.code() == Code::TokenNotRenewed && good {
                    return Outcome::Unchanged;
                }
                self.failures = self.failures.saturating_add(1);
                Outcome::Refused(error)
            }
        }
    }

    /// Forgets the stored token because the resource rejected it. Returns whether it did: it does
    /// so at most once per `invalidate_interval_ms`.
    pub fn invalidate(&mut self, now: Now) -> bool {
        let too_soon = self.invalidated.is_some_and(|span| !span.over(now));
        if self.closed || self.stored.is_none() || too_soon {
            return false;
        }
        self.stored = None;
        self.pause = None;
        self.refusal = None;
        self.invalidated = Some(Span {
            since: now,
            length: self.policy.invalidate_interval_ms,
        });
        true
    }

    /// Forgets the stored token and the flight in progress, because the resource asks for a token
    /// with claims that neither has. Returns whether it did: at most once per
    /// `invalidate_interval_ms`, or a resource that always sends a challenge would turn each of its
    /// requests into one to the identity endpoint. Has its own interval, apart from
    /// [`Schedule::invalidate`], because such a challenge often follows a rejected token.
    pub fn challenged(&mut self, now: Now) -> bool {
        let too_soon = self.challenged.is_some_and(|span| !span.over(now));
        if self.closed || too_soon {
            return false;
        }
        self.stored = None;
        self.flight = None;
        self.superseded = self.last_flight;
        self.pause = None;
        self.refusal = None;
        self.challenged = Some(Span {
            since: now,
            length: self.policy.invalidate_interval_ms,
        });
        true
    }

    /// Returns how long [`Schedule::invalidate`] does nothing, in milliseconds, or with `claims`
    /// [`Schedule::challenged`]. 0 if it does something now.
    ///
    /// ```
    /// use copilot_keyless::schedule::{Now, RefreshPolicy, Schedule};
    ///
    /// let mut schedule = Schedule::new(RefreshPolicy::default())?;
    /// let now = Now { wall: 0, mono: 0 };
    /// assert_eq!(schedule.renewal_left(true, now), 0);
    /// schedule.challenged(now);
    /// assert_eq!(schedule.renewal_left(true, Now { wall: 10_000, mono: 10_000 }), 20_000);
    /// assert_eq!(schedule.renewal_left(false, now), 0);
    /// # Ok::<(), copilot_keyless::Error>(())
    /// ```
    pub fn renewal_left(&self, claims: bool, now: Now) -> Millis {
        let span = if claims { self.challenged } else { self.invalidated };
        span.map_or(0, |span| span.remaining(now))
    }

    /// Closes the schedule: forgets the token and rejects every later request.
    pub fn close(&mut self) {
        self.closed = true;
        self.stored = None;
        self.flight = None;
    }

    /// Returns the phase at a time.
    pub fn phase(&self, now: Now) -> Phase {
        match self.stored {
            _ if self.closed => Phase::Closed,
            None => Phase::Empty,
            Some(stored) if stored.clock(now) >= stored.forced_at => Phase::Expired,
            Some(stored) if stored.clock(now) >= stored.refresh_at => Phase::Due,
            Some(_) => Phase::Fresh,
        }
    }

    /// Returns the state at a time.
    pub fn status(&self, now: Now) -> Status {
        let state = self.phase(now);
        let forced = self.stored.is_none_or(|stored| stored.forced);
        let pause = match state {
            Phase::Fresh | Phase::Due => self.pause,
            // One attempt is allowed on entering the expired phase, whatever failed before.
            Phase::Empty | Phase::Expired if forced => self.refusal,
            _ => None,
        };
        let pause = pause.filter(|span| self.flight.is_none() && !span.over(now));
        Status {
            state,
            expires_on: self.stored.map(|stored| stored.lifetime.expires()),
            refresh_on: self.stored.map(|stored| stored.refresh_at),
            next_attempt_on: pause.map(|span| now.wall.saturating_add(span.remaining(now))),
            refreshing: self.flight.is_some(),
            consecutive_failures: self.failures,
        }
    }

    /// Returns the bounds of the stored token on both clocks: when either is reached, callers get it no
    /// longer. `None` without a token. [`Decision::Use`] says until when to hand it out without another
    /// decision; a caller that cannot have one at once may use the token until then.
    ///
    /// ```
    /// use copilot_keyless::schedule::{Answer, Now, RefreshPolicy, Schedule};
    ///
    /// let mut schedule = Schedule::new(RefreshPolicy::default())?;
    /// let start = Now { wall: 1_700_000_000_000, mono: 0 };
    /// schedule.request(start);
    /// let hour = Answer { requested: start, expires_on: 1_700_003_600_000.0, refresh_after: None };
    /// schedule.acquired(1, hour, start, 0.5);
    /// assert_eq!(schedule.usable_until().map(|until| until.mono), Some(3_590_000));
    /// # Ok::<(), copilot_keyless::Error>(())
    /// ```
    pub fn usable_until(&self) -> Option<Now> {
        self.stored.map(|stored| {
            let (wall, mono) = stored.until(stored.forced_at);
            Now { wall, mono }
        })
    }

    /// Returns when the stored token becomes due and when it expires, on the monotonic clock.
    pub(crate) fn turning_points(&self) -> Option<[Millis; 2]> {
        self.stored.map(|stored| {
            [
                stored.until(stored.refresh_at).1,
                stored.until(stored.forced_at).1,
            ]
        })
    }

    fn hand_out(stored: &StoredToken, phase: Phase, until: Millis, start: Option<FlightStart>) -> Decision {
        let (until_wall, until_mono) = stored.until(until);
        Decision::Use {
            phase,
            until_wall,
            until_mono,
            start,
        }
    }

    /// Joins the flight, starts one, or repeats the last error: there is no usable token.
    fn wait(&mut self, now: Now) -> Decision {
        if let Some(joined) = self.join(now) {
            return joined;
        }
        let forced = self
            .stored
            .as_mut()
            .is_some_and(|stored| !std::mem::replace(&mut stored.forced, true));
        match self.refusal {
            Some(refusal) if !forced && !refusal.over(now) => Decision::Refuse {
                retry_after_ms: refusal.remaining(now),
            },
            _ => self.start_awaited(now),
        }
    }
}

fn not_renewed() -> Error {
    Error::new(
        Code::TokenNotRenewed,
        "the credential gave a token that has expired or is about to",
    )
    .hint("Check this machine's clock; a cache in front of the identity endpoint may hand out old tokens.")
}
