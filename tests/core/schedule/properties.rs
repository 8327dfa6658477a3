//! Invariants of the schedule, for any events. The property test and the fuzz target share them.

use copilot_keyless::schedule::{
    Answer, Decision, FAILURE_MEMORY_MS, Failure, FailureKind, FlightStart, Now, Outcome, Phase,
    RefreshPolicy, Schedule,
};

/// An event of a schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    Request,
    Wake,
    /// A forced refresh.
    Refresh,
    /// The flight in progress returns a token with this lifetime.
    Acquired {
        life: i64,
    },
    /// An abandoned flight returns a token.
    AcquiredLate {
        which: usize,
        life: i64,
    },
    Failed {
        status: Option<u16>,
        retry_after_ms: Option<i64>,
    },
    TimedOut,
    /// The flight returns the rejected token.
    RejectedAgain,
    /// An abandoned flight fails, times out, or returns the rejected token.
    FailedLate {
        which: usize,
    },
    Invalidate,
    Challenged,
    Pass {
        ms: i64,
    },
    SetClock {
        by: i64,
    },
    Sleep {
        ms: i64,
    },
}

/// A flight in the model.
#[derive(Debug, Clone, Copy)]
struct Flight {
    id: u32,
    requested: Now,
    /// On the clock that cannot be set.
    asked: i64,
    awaited: bool,
    deadline: (Now, i64),
}

impl Flight {
    fn remaining(&self, now: Now) -> i64 {
        remaining(self.deadline, now)
    }
}

fn elapsed(since: Now, now: Now) -> i64 {
    (now.wall - since.wall).max(now.mono - since.mono).max(0)
}

fn remaining((since, length): (Now, i64), now: Now) -> i64 {
    (length - elapsed(since, now)).max(0)
}

/// The model to compare with.
struct World {
    schedule: Schedule,
    policy: RefreshPolicy,
    now: Now,
    /// The time on the clock that cannot be set.
    real: i64,
    running: Option<Flight>,
    ended: Vec<Flight>,
    last: u32,
    /// Tokens of this and earlier flights are ignored.
    superseded: u32,
    /// When the stored token is no longer usable, on the clock that cannot be set.
    dies: Option<i64>,
    /// Whether the one attempt on entering the expired phase was made.
    forced: bool,
    /// When the last acquisition failed or brought no newer token, unless a later event allows
    /// another one at once.
    failed: Option<Now>,
    /// Whether the wall clock was set, so that expiries are not comparable.
    set: bool,
}

/// Runs the events, and panics if an invariant is broken. `sleeps`: the monotonic clock stops while
/// the machine sleeps.
pub(crate) fn check(events: &[Event], random: f64, sleeps: bool) {
    let policy = RefreshPolicy::default();
    let mut world = World {
        schedule: Schedule::new(policy).unwrap(),
        policy,
        now: Now {
            wall: 1_700_000_000_000,
            mono: 5_000,
        },
        real: 0,
        running: None,
        ended: Vec::new(),
        last: 0,
        superseded: 0,
        dies: None,
        forced: false,
        failed: None,
        set: false,
    };
    for &event in events {
        world.happen(event, random, sleeps);
        world.look();
    }
    world.close();
}

impl World {
    #[allow(clippy::too_many_lines, reason = "an arm for each event")]
    fn happen(&mut self, event: Event, random: f64, sleeps: bool) {
        match event {
            Event::Request => self.request(),
            Event::Wake => {
                self.drop_overdue();
                let expired = self.schedule.phase(self.now) == Phase::Expired;
                if let Some(start) = self.schedule.wake(self.now) {
                    if expired {
                        self.allowed();
                    }
                    self.started(start, false);
                }
            }
            Event::Refresh => {
                self.drop_overdue();
                match self.schedule.refresh(self.now) {
                    Decision::Wait {
                        flight,
                        timeout_ms,
                        start: true,
                    } => {
                        self.started(FlightStart { flight, timeout_ms }, true);
                    }
                    Decision::Wait {
                        flight,
                        timeout_ms,
                        start: false,
                    } => self.joined(flight, timeout_ms),
                    other => panic!("a refresh is never put off: {other:?}"),
                }
            }
            Event::Acquired { life } => {
                if let Some(flight) = self.running.take() {
                    self.ended.push(flight);
                    let outcome = self.answer(flight, life, random);
                    assert_ne!(outcome, Outcome::Ignored, "the flight under way counts");
                    if let Outcome::Refused(_) | Outcome::Unchanged = outcome {
                        self.failed = Some(self.now);
                    }
                }
            }
            Event::AcquiredLate { which, life } => {
                if let Some(flight) = self.late(which) {
                    let before = self.dies;
                    let outcome = self.answer(flight, life, random);
                    assert!(
                        matches!(outcome, Outcome::Accepted | Outcome::Ignored),
                        "{outcome:?}"
                    );
                    if outcome == Outcome::Accepted {
                        assert!(flight.id > self.superseded, "a token without the claims");
                        assert!(
                            self.set || sleeps || before.is_none_or(|before| self.dies > Some(before)),
                            "an older token"
                        );
                    }
                }
            }
            Event::Failed {
                status,
                retry_after_ms,
            } => {
                if let Some(flight) = self.running {
                    let failure = Failure {
                        kind: FailureKind::of(status, false),
                        retry_after_ms,
                    };
                    match self.schedule.failed(flight.id, self.now, failure, random) {
                        Outcome::Retry { after_ms } => {
                            assert!(after_ms > 0 && flight.awaited && after_ms < flight.remaining(self.now));
                        }
                        outcome => {
                            assert_eq!(outcome, Outcome::Failed);
                            self.end_failed();
                        }
                    }
                }
            }
            Event::TimedOut => {
                if let Some(flight) = self.running {
                    let outcome = self.schedule.timed_out(flight.id, self.now, None, random);
                    assert_eq!(outcome, Outcome::Failed);
                    self.end_failed();
                    self.failed = Some(flight.deadline.0);
                }
            }
            Event::RejectedAgain => {
                if let Some(flight) = self.running {
                    assert_eq!(
                        self.schedule.rejected_again(flight.id, self.now, random),
                        Outcome::Failed
                    );
                    self.end_failed();
                    if self.dies.is_none() {
                        let refused = self.schedule.request(self.now);
                        assert!(
                            matches!(
                                refused,
                                Decision::Refuse {
                                    retry_after_ms: 10_000..
                                }
                            ),
                            "{refused:?}"
                        );
                    }
                }
            }
            Event::FailedLate { which } => {
                if let Some(Flight { id, .. }) = self.late(which) {
                    let before = format!("{:?}", self.schedule);
                    for outcome in [
                        self.schedule.failed(id, self.now, Failure::default(), random),
                        self.schedule.timed_out(id, self.now, None, random),
                        self.schedule.rejected_again(id, self.now, random),
                    ] {
                        assert_eq!(outcome, Outcome::Ignored);
                    }
                    assert_eq!(before, format!("{:?}", self.schedule), "nothing changed");
                }
            }
            Event::Invalidate => {
                if self.schedule.invalidate(self.now) {
                    assert!(self.dies.is_some());
                    (self.dies, self.failed) = (None, None);
                }
            }
            Event::Challenged => {
                if self.schedule.challenged(self.now) {
                    self.ended.extend(self.running.take());
                    self.superseded = self.last;
                    (self.dies, self.failed) = (None, None);
                }
            }
            Event::Pass { ms } => {
                self.now.wall = self.now.wall.saturating_add(ms);
                self.now.mono += ms;
                self.real += ms;
            }
            // Only the wall clock shows time asleep. If it is also set, no clock does. So a run has
            // either sleep or clock changes.
            Event::SetClock { .. } if sleeps => {}
            Event::SetClock { by } => {
                self.set = true;
                // From 2001 on, within the exact integers of JavaScript.
                let wall = self.now.wall.saturating_add(by % 8_000_000_000_000_000);
                self.now.wall = wall.clamp(1_000_000_000_000, 8_000_000_000_000_000);
            }
            Event::Sleep { ms } => {
                self.now.wall = self.now.wall.saturating_add(ms);
                self.real += ms;
                self.now.mono += if sleeps { 0 } else { ms };
            }
        }
    }

    fn request(&mut self) {
        self.drop_overdue();
        let now = self.now;
        match self.schedule.request(now) {
            Decision::Use {
                start,
                until_wall,
                until_mono,
                ..
            } => {
                let left = self.dies.expect("a token is held") - self.real;
                assert!(left > 0, "handed out {left} ms before its usable end");
                assert!(
                    until_wall > now.wall && until_mono > now.mono,
                    "a bound in the past"
                );
                let within = (until_wall - now.wall).min(until_mono - now.mono);
                assert!(within <= left, "the bound is later than its usable end");
                if let Some(start) = start {
                    self.started(start, false);
                }
            }
            Decision::Wait {
                flight,
                timeout_ms,
                start: true,
            } => {
                self.allowed();
                self.started(FlightStart { flight, timeout_ms }, true);
            }
            Decision::Wait {
                flight,
                timeout_ms,
                start: false,
            } => self.joined(flight, timeout_ms),
            Decision::Refuse { retry_after_ms } => {
                assert!(retry_after_ms > 0);
                // Two minutes, plus a fifth for the jitter.
                assert!(
                    retry_after_ms <= 144_000,
                    "everyone is refused for {retry_after_ms} ms"
                );
                assert!(
                    self.running.is_none(),
                    "a flight is under way, and nobody may wait for it"
                );
            }
            Decision::Closed => panic!("nobody closed it"),
        }
    }

    /// Checks that there is at most one acquisition a second without a token, apart from the one on
    /// entering the expired phase.
    fn allowed(&mut self) {
        let first =
            self.schedule.phase(self.now) == Phase::Expired && !std::mem::replace(&mut self.forced, true);
        if let Some(failed) = self.failed {
            let since = elapsed(failed, self.now);
            assert!(
                first || since >= FAILURE_MEMORY_MS,
                "another acquisition {since} ms after a failure"
            );
        }
    }

    fn started(&mut self, FlightStart { flight, timeout_ms }: FlightStart, awaited: bool) {
        assert!(
            self.running.is_none(),
            "a second flight beside {:?}",
            self.running
        );
        assert!(flight > self.last, "a flight's number is used again");
        let expected = if awaited {
            self.policy.wait_timeout_ms
        } else {
            self.policy.background_timeout_ms
        };
        assert_eq!(timeout_ms, expected);
        self.last = flight;
        self.running = Some(Flight {
            id: flight,
            requested: self.now,
            asked: self.real,
            awaited,
            deadline: (self.now, timeout_ms),
        });
    }

    fn joined(&mut self, id: u32, timeout_ms: i64) {
        let now = self.now;
        let patience = (now, self.policy.wait_timeout_ms);
        let flight = self.running.as_mut().expect("a flight to wait for");
        assert_eq!(flight.id, id, "one flight at most");
        if !std::mem::replace(&mut flight.awaited, true) && remaining(patience, now) < flight.remaining(now) {
            flight.deadline = patience;
        }
        assert!(timeout_ms > 0);
        assert_eq!(timeout_ms, flight.remaining(now));
    }

    /// Abandons a flight past its deadline, as the schedule does on its next call.
    fn drop_overdue(&mut self) {
        if let Some(flight) = self.running.take_if(|flight| flight.remaining(self.now) == 0) {
            self.ended.push(flight);
            self.failed = Some(flight.deadline.0);
        }
    }

    fn end_failed(&mut self) {
        self.ended.extend(self.running.take());
        self.failed = Some(self.now);
    }

    fn late(&self, which: usize) -> Option<Flight> {
        self.ended.get(which % self.ended.len().max(1)).copied()
    }

    fn answer(&mut self, flight: Flight, life: i64, random: f64) -> Outcome {
        let answer = Answer {
            requested: flight.requested,
            expires_on: flight.requested.wall.saturating_add(life) as f64,
            refresh_after: None,
        };
        let outcome = self.schedule.acquired(flight.id, answer, self.now, random);
        if outcome == Outcome::Accepted {
            assert!(life > 0 && life <= self.policy.max_lifetime_ms);
            self.dies = Some(flight.asked + life - self.policy.min_remaining_ms.min(life / 4));
            (self.forced, self.failed) = (false, None);
        }
        outcome
    }

    fn look(&mut self) {
        let status = self.schedule.status(self.now);
        assert!(self.schedule.next_wake(self.now).is_none_or(|ms| ms >= 0));
        assert_ne!(status.state, Phase::Closed);
        assert_eq!(status.refreshing, self.running.is_some(), "{status:?}");
        assert_eq!(status.expires_on.is_some(), self.dies.is_some());
        if let Some(next) = status.next_attempt_on {
            assert!(next > self.now.wall && self.running.is_none(), "{status:?}");
        }
    }

    fn close(mut self) {
        self.schedule.close();
        let now = self.now;
        assert_eq!(self.schedule.request(now), Decision::Closed);
        assert_eq!(self.schedule.refresh(now), Decision::Closed);
        assert_eq!(self.schedule.wake(now), None);
        assert_eq!(self.schedule.next_wake(now), None);
        assert!(!self.schedule.invalidate(now) && !self.schedule.challenged(now));
        for flight in self.ended.clone().into_iter().chain(self.running) {
            assert_eq!(self.answer(flight, 3_600_000, 0.5), Outcome::Ignored);
        }
        assert_eq!(self.schedule.status(now).state, Phase::Closed);
    }
}
