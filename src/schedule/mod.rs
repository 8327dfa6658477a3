//! When to use a token, when to refresh it, when to make callers wait: a state machine without clock, chance or I/O.
//!
//! The caller reports what happens (a request, an answer, a failure) together with the time on two clocks and a random
//! number where one is needed; the machine answers with one [`Decision`] or [`Outcome`]. Tokens never enter it: it knows
//! times only.

mod decision;
mod failure;
mod policy;
mod stored_token;
mod time;

pub use decision::{Answer, Decision, FlightStart, Outcome, Phase, Status};
pub use failure::{Evidence, Failure, FailureKind};
pub use policy::RefreshPolicy;
pub use time::Now;

use crate::token::{Lifetime, Millis};
use crate::{Code, Error, Result};
use stored_token::StoredToken;
use time::Span;

/// How long a permanent error is given to further callers without asking the credential again: longer than the six
/// attempts, one second apart, of the Copilot runtime.
pub const PERMANENT_MEMORY_MS: Millis = 10_000;

/// How long any other failure is given to further callers while there is no token: at most one acquisition is started in this
/// time, however many callers come one after another.
pub const FAILURE_MEMORY_MS: Millis = 1_000;

/// A longer `Retry-After` is cut to this: an endpoint that asks for an hour does not refuse everyone for an hour.
pub const RETRY_AFTER_MAX_MS: Millis = 120_000;

/// The first wait between two attempts of one acquisition on which callers wait; it doubles from attempt to attempt.
const WAITING_RETRY_MS: Millis = 1_000;

/// Jitter lengthens a backoff by up to this share of it.
const BACKOFF_JITTER: f64 = 0.2;

/// An acquisition under way.
#[derive(Debug, Clone, Copy)]
struct Flight {
    id: u32,
    deadline: Span,
    /// Whether callers wait for it, so that a transient failure is tried again at once.
    awaited: bool,
    attempts: u32,
}

/// The token keeper's state machine.
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
    /// Failed or unchanged acquisitions in a row: what the backoff grows with.
    setbacks: u32,
    /// No attempt before this has passed, while the token is good.
    pause: Option<Span>,
    /// No attempt before this has passed, even when callers wait: they get the last error.
    refusal: Option<Span>,
    invalidated: Option<Span>,
    challenged: Option<Span>,
    /// The last flight that was started before the last challenge: what it and earlier ones bring counts no more.
    superseded: u32,
    closed: bool,
}

impl Schedule {
    /// A machine without a token.
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

    /// Somebody wants a token.
    pub fn request(&mut self, now: Now) -> Decision {
        self.drop_overdue(now);
        let phase = self.phase(now);
        match (phase, self.stored) {
            (Phase::Closed, _) => Decision::Closed,
            (Phase::Fresh, Some(stored)) => Self::hand_out(&stored, phase, stored.refresh_at, None),
            (Phase::Due, Some(stored)) => {
                let start = self.start_in_background(now);
                let changes = self.flight.map(|flight| flight.deadline).or(self.pause);
                let quiet = changes.map_or(Millis::MAX, |span| span.remaining(now));
                let until = stored.clock(now).saturating_add(quiet).min(stored.forced_at);
                Self::hand_out(&stored, phase, until, start)
            }
            _ => self.wait(now),
        }
    }

    /// A person asks for a new token, as by a click: joins the flight under way, else starts one at once, whatever the backoff or
    /// a `Retry-After` says. The stored token stays in use meanwhile, and if the flight fails.
    pub fn refresh(&mut self, now: Now) -> Decision {
        self.drop_overdue(now);
        if self.closed {
            return Decision::Closed;
        }
        self.join(now).unwrap_or_else(|| self.start_awaited(now))
    }

    /// The timer of a provider that is kept fresh while idle has rung: starts a refresh if one is due.
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

    /// When to call [`Schedule::wake`], in milliseconds from now. `None` while there is nothing to keep fresh or a flight
    /// is under way, whose outcome asks anew.
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

    /// The flight brought a token. `random` is uniform in 0..1.
    pub fn acquired(&mut self, flight: u32, answer: Answer, now: Now, random: f64) -> Outcome {
        let current = self.flight.is_some_and(|current| current.id == flight);
        let lifetime = Lifetime::of_access_token(
            answer.requested.wall,
            answer.expires_on,
            answer.refresh_after,
            self.policy.max_lifetime_ms,
        );
        let stored = lifetime.map(|lifetime| self.store(lifetime, answer.requested, random));
        let usable = stored.and_then(|stored| {
            let spent = stored.clock(now) >= stored.forced_at;
            let newer = self.stored.is_none_or(|old| stored.outlives(&old, now));
            if spent || !newer {
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
                self.set_back(now, FAILURE_MEMORY_MS, 0, random);
                let good = matches!(self.phase(now), Phase::Fresh | Phase::Due);
                if error.code() == Code::TokenNotRenewed && good {
                    return Outcome::Unchanged;
                }
                self.failures = self.failures.saturating_add(1);
                Outcome::Refused(error)
            }
        }
    }

    /// The flight's attempt failed. `random` is uniform in 0..1.
    pub fn failed(&mut self, flight: u32, now: Now, failure: Failure, random: f64) -> Outcome {
        let Some(current) = self.flight.as_mut().filter(|current| current.id == flight) else {
            return Outcome::Ignored;
        };
        let floor = failure.retry_after_ms.unwrap_or(0).clamp(0, RETRY_AFTER_MAX_MS);
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

    fn end_flight(&mut self, now: Now, memory: Millis, floor: Millis, random: f64) -> Outcome {
        self.flight = None;
        self.failures = self.failures.saturating_add(1);
        self.set_back(now, memory, floor, random);
        Outcome::Failed
    }

    /// The flight's time is up. It is given up; should it answer later after all, [`Schedule::acquired`] judges the answer.
    pub fn timed_out(&mut self, flight: u32, now: Now, random: f64) -> Outcome {
        let Some(current) = self.flight.filter(|current| current.id == flight) else {
            return Outcome::Ignored;
        };
        let outcome = self.end_flight(now, FAILURE_MEMORY_MS, 0, random);
        // Whoever comes next does not wait for the memory of a failure on top of all that time.
        self.refusal = Some(Span {
            since: current.deadline.since,
            length: FAILURE_MEMORY_MS,
        });
        outcome
    }

    /// Forgets the stored token, because the resource rejected it. Says whether it did: at most one forced acquisition is
    /// made in `invalidate_interval_ms`.
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

    /// Forgets the stored token and the flight under way, because the resource asks for a token with certain claims, which neither
    /// has. Says whether it did: at most once in `invalidate_interval_ms`, or a resource that is never content would make every
    /// request to it one to the identity endpoint. Counted apart from [`Schedule::invalidate`]: a rejected token is often
    /// followed by such a challenge.
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

    /// The token that a flight brought is the very one that was rejected. The flight ends, and callers are refused until
    /// another forced acquisition is allowed: its age is not what is wrong with it.
    pub fn rejected_again(&mut self, flight: u32, now: Now, random: f64) -> Outcome {
        if self.flight.is_none_or(|current| current.id != flight) {
            return Outcome::Ignored;
        }
        let wait = self.invalidated.map_or(0, |span| span.remaining(now));
        self.end_flight(now, PERMANENT_MEMORY_MS, wait, random)
    }

    /// Ends it: the token is forgotten and every request refused.
    pub fn close(&mut self) {
        self.closed = true;
        self.stored = None;
        self.flight = None;
    }

    /// The phase at a time.
    pub fn phase(&self, now: Now) -> Phase {
        match self.stored {
            _ if self.closed => Phase::Closed,
            None => Phase::Empty,
            Some(stored) if stored.clock(now) >= stored.forced_at => Phase::Expired,
            Some(stored) if stored.clock(now) >= stored.refresh_at => Phase::Due,
            Some(_) => Phase::Fresh,
        }
    }

    /// Where things stand.
    pub fn status(&self, now: Now) -> Status {
        let state = self.phase(now);
        let forced = self.stored.is_none_or(|stored| stored.forced);
        let pause = match state {
            Phase::Fresh | Phase::Due => self.pause,
            // On entering the expired phase one more attempt is made, whatever the failures before.
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

    /// When the stored token becomes due and when it expires, on the monotonic clock.
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

    /// Nothing can be handed out: join the flight, start one, or repeat the last error.
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

    /// Waits for the flight under way, if there is one.
    fn join(&mut self, now: Now) -> Option<Decision> {
        let patience = Span {
            since: now,
            length: self.policy.wait_timeout_ms,
        };
        let flight = self.flight.as_mut()?;
        if !flight.awaited {
            flight.awaited = true;
            if patience.remaining(now) < flight.deadline.remaining(now) {
                flight.deadline = patience;
            }
        }
        Some(Decision::Wait {
            flight: flight.id,
            timeout_ms: flight.deadline.remaining(now),
            start: false,
        })
    }

    fn start_awaited(&mut self, now: Now) -> Decision {
        let FlightStart { flight, timeout_ms } = self.start(now, true);
        Decision::Wait {
            flight,
            timeout_ms,
            start: true,
        }
    }

    fn start_in_background(&mut self, now: Now) -> Option<FlightStart> {
        let over = |span: Option<Span>| span.is_none_or(|span| span.over(now));
        let paused = !over(self.pause) || (self.phase(now) == Phase::Expired && !over(self.refusal));
        (self.flight.is_none() && !paused).then(|| self.start(now, false))
    }

    fn start(&mut self, now: Now, awaited: bool) -> FlightStart {
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

    /// Gives a flight up whose deadline passed unnoticed, as on a machine that slept.
    fn drop_overdue(&mut self, now: Now) {
        if let Some(flight) = self.flight.filter(|flight| flight.deadline.over(now)) {
            self.timed_out(flight.id, now, 0.0);
        }
    }

    /// Puts the next attempt off: 30 s, doubling to 300 s (policy), longer where the endpoint asked for it (`floor`). Without a
    /// token it is put off for `memory`, or as long as the endpoint asked. Jitter comes after all that, or what an endpoint asks of
    /// a fleet would bring the fleet back in step.
    fn set_back(&mut self, now: Now, memory: Millis, floor: Millis, random: f64) {
        let doubled = self
            .policy
            .retry_min_ms
            .saturating_mul(1 << self.setbacks.min(30));
        self.setbacks = self.setbacks.saturating_add(1);
        let backoff = doubled.min(self.policy.retry_max_ms);
        let lasting = |least: Millis| {
            Some(Span {
                since: now,
                length: jittered(least.max(floor), random),
            })
        };
        self.pause = lasting(backoff);
        self.refusal = lasting(memory);
    }

    /// When a token is to be refreshed, and from when it is not handed out any more.
    fn store(&self, lifetime: Lifetime, since: Now, random: f64) -> StoredToken {
        let policy = &self.policy;
        let length = lifetime.length();
        // A quarter of a short life at the most: a token of ten seconds could never be used otherwise.
        let forced_at = lifetime
            .expires()
            .saturating_sub(policy.min_remaining_ms.min(length / 4));
        let half = lifetime.acquired().saturating_add(length / 2);
        let refresh_at = match lifetime.refresh_after() {
            Some(advised) => advised,
            None if length >= policy.long_lived_ms || length < 2 * policy.refresh_before_expiry_ms => half,
            None => lifetime.expires().saturating_sub(policy.refresh_before_expiry_ms),
        };
        let refresh_at = refresh_at.min(forced_at);
        // Half of what lies before the forced window is left to the refresh itself.
        let room = policy.jitter_ms.min(forced_at.saturating_sub(refresh_at) / 2);
        let jitter = (room as f64 * random.clamp(0.0, 1.0)) as Millis;
        StoredToken {
            lifetime,
            since,
            refresh_at: refresh_at.saturating_add(jitter),
            forced_at,
            forced: false,
        }
    }
}

/// A duration with its jitter: up to a fifth longer.
pub(crate) fn jittered(length: Millis, random: f64) -> Millis {
    length.saturating_add((length as f64 * BACKOFF_JITTER * random.clamp(0.0, 1.0)) as Millis)
}

fn not_renewed() -> Error {
    Error::new(
        Code::TokenNotRenewed,
        "the credential gave a token that has expired or is about to",
    )
    .hint("Check this machine's clock; a cache in front of the identity endpoint may hand out old tokens.")
}
