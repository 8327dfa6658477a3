//! What must always hold for the schedule, and what is no scenario; those are in `tables/schedule.json`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use copilot_keyless::schedule::{
    Answer, Decision, Failure, FailureKind, Now, Outcome, Phase, RefreshPolicy, Schedule,
};
use proptest::prelude::*;

const START: i64 = 1_700_000_000_000;
const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600_000;

/// Both clocks, this long after the start.
fn at(ms: i64) -> Now {
    Now {
        wall: START + ms,
        mono: 5_000 + ms,
    }
}

fn answer(requested: Now, lives: i64) -> Answer {
    Answer {
        requested,
        expires_on: (requested.wall + lives) as f64,
        refresh_after: None,
    }
}

fn started(decision: Decision) -> u32 {
    match decision {
        Decision::Wait {
            flight, start: true, ..
        } => flight,
        Decision::Use {
            start: Some(start), ..
        } => start.flight,
        other => panic!("nothing started: {other:?}"),
    }
}

/// A schedule that holds a token since the start, without jitter.
fn holding(lives: i64) -> Schedule {
    let mut schedule = Schedule::new(RefreshPolicy::default()).unwrap();
    let flight = started(schedule.request(at(0)));
    assert_eq!(
        schedule.acquired(flight, answer(at(0), lives), at(100), 0.0),
        Outcome::Accepted
    );
    schedule
}

#[test]
fn failures_are_judged_by_status() {
    for status in [404, 408, 410, 429, 500, 503, 599] {
        assert_eq!(
            FailureKind::of(Some(status), true),
            FailureKind::Transient,
            "{status}"
        );
    }
    for status in [400, 401, 403, 405, 422] {
        assert_eq!(
            FailureKind::of(Some(status), false),
            FailureKind::Permanent,
            "{status}"
        );
    }
    assert_eq!(FailureKind::of(None, true), FailureKind::Permanent);
    assert_eq!(FailureKind::of(None, false), FailureKind::Unknown);
    assert_eq!(FailureKind::of(Some(302), false), FailureKind::Unknown);
}

#[test]
fn twelve_hours_of_outage_take_at_most_two_hundred_attempts() {
    let mut schedule = holding(24 * HOUR);
    let mut attempts = 0;
    for minute in 0..24 * 60 - 1 {
        let now = at(minute * 60 * SECOND);
        match schedule.request(now) {
            Decision::Use {
                start: Some(start), ..
            } => {
                attempts += 1;
                schedule.failed(start.flight, now, Failure::default(), 0.5);
            }
            Decision::Use { .. } => {}
            other => panic!("a call failed at minute {minute}: {other:?}"),
        }
    }
    assert!((100..=200).contains(&attempts), "{attempts}");
    let flight = started(schedule.request(at(24 * HOUR)));
    assert_eq!(
        schedule.acquired(flight, answer(at(24 * HOUR), 24 * HOUR), at(24 * HOUR), 0.0),
        Outcome::Accepted
    );
}

#[test]
fn every_policy_field_is_checked() {
    let fields = serde_json::to_value(RefreshPolicy::default()).unwrap();
    for name in fields.as_object().unwrap().keys() {
        for bad in [-1_i64, 31_536_000_001] {
            let mut policy = fields.clone();
            policy[name] = bad.into();
            let error = serde_json::from_value::<RefreshPolicy>(policy)
                .unwrap()
                .validate()
                .unwrap_err();
            assert_eq!(error.code().as_str(), "policy/invalid");
            assert!(error.message().contains(name.as_str()), "{error}");
        }
    }
    let even = RefreshPolicy {
        retry_min_ms: 5,
        retry_max_ms: 5,
        ..RefreshPolicy::default()
    };
    assert!(even.validate().is_ok());
    let crossed = RefreshPolicy {
        retry_min_ms: 2,
        retry_max_ms: 1,
        ..RefreshPolicy::default()
    };
    assert!(crossed.validate().is_err());
}

#[test]
fn a_token_that_lives_a_moment_longer_is_the_same_one() {
    let taken = |lives: i64, longer: i64| {
        let mut schedule = holding(lives);
        let due = at(lives / 2 + 100);
        let flight = started(schedule.request(Now {
            wall: due.wall + lives / 4,
            mono: due.mono + lives / 4,
        }));
        let now = Now {
            wall: due.wall + lives / 4,
            mono: due.mono + lives / 4,
        };
        let answer = Answer {
            requested: now,
            expires_on: (START + lives + longer) as f64,
            refresh_after: None,
        };
        schedule.acquired(flight, answer, now, 0.0) == Outcome::Accepted
    };
    assert!(!taken(24 * HOUR, 2_000), "two seconds");
    assert!(taken(24 * HOUR, 2_001));
    // Of 8 s, 1.9 s are left when the new one is asked for: it lives 1.9 s and some, an eighth of which counts.
    assert!(!taken(8 * SECOND, 250));
    assert!(taken(8 * SECOND, 350));
}

/// What can happen to a schedule.
#[derive(Debug, Clone)]
enum Event {
    Request,
    Wake,
    Acquired {
        life: i64,
    },
    Failed {
        status: u16,
        retry_after_ms: Option<i64>,
    },
    TimedOut,
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

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => Just(Event::Request),
        1 => Just(Event::Wake),
        3 => (-HOUR..26 * HOUR).prop_map(|life| Event::Acquired { life }),
        2 => (390_u16..600, proptest::option::of(-5_000_i64..100_000))
            .prop_map(|(status, retry_after_ms)| Event::Failed { status, retry_after_ms }),
        1 => Just(Event::TimedOut),
        1 => Just(Event::Invalidate),
        1 => Just(Event::Challenged),
        4 => (0_i64..2 * HOUR).prop_map(|ms| Event::Pass { ms }),
        1 => any::<i64>().prop_map(|by| Event::SetClock { by }),
        1 => (-3 * HOUR..3 * HOUR).prop_map(|by| Event::SetClock { by }),
        1 => (0_i64..30 * HOUR).prop_map(|ms| Event::Sleep { ms }),
    ];
    proptest::collection::vec(event, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(events in events(), random in 0.0_f64..1.0, sleeps in any::<bool>()) {
        let policy = RefreshPolicy::default();
        let mut schedule = Schedule::new(policy).unwrap();
        let mut now = at(0);
        // What the world knows: the flight, and when the held token's usable life ends, by a clock that nobody can set.
        let mut flight: Option<(u32, Now, i64)> = None;
        let mut dies: Option<i64> = None;
        let mut real = 0_i64;
        for event in events {
            match event {
                Event::Request => match schedule.request(now) {
                    Decision::Use { start, until_wall, until_mono, .. } => {
                        let left = dies.expect("a token is held") - real;
                        prop_assert!(left > 0, "handed out {left} ms before its usable end");
                        prop_assert!(until_wall > now.wall && until_mono > now.mono, "a bound in the past");
                        let within = (until_wall - now.wall).min(until_mono - now.mono);
                        prop_assert!(within <= left, "the bound is later than its usable end");
                        if let Some(start) = start {
                            flight = Some((start.flight, now, real));
                        }
                    }
                    Decision::Wait { flight: id, start: true, timeout_ms } => {
                        prop_assert!(timeout_ms > 0);
                        flight = Some((id, now, real));
                    }
                    Decision::Wait { flight: id, timeout_ms, .. } => {
                        prop_assert!(timeout_ms > 0);
                        prop_assert_eq!(Some(id), flight.map(|flight| flight.0), "one flight at most");
                    }
                    Decision::Refuse { retry_after_ms } => prop_assert!(retry_after_ms > 0),
                    Decision::Closed => prop_assert!(false, "nobody closed it"),
                },
                Event::Wake => {
                    if let Some(start) = schedule.wake(now) {
                        flight = Some((start.flight, now, real));
                    }
                }
                Event::Acquired { life } => {
                    if let Some((id, requested, asked)) = flight.take() {
                        let answer = Answer { requested, expires_on: (requested.wall.saturating_add(life)) as f64, refresh_after: None };
                        if schedule.acquired(id, answer, now, random) == Outcome::Accepted {
                            prop_assert!(life > 0 && life <= policy.max_lifetime_ms);
                            dies = Some(asked + life - policy.min_remaining_ms.min(life / 4));
                        }
                    }
                }
                Event::Failed { status, retry_after_ms } => {
                    if let Some((id, ..)) = flight {
                        let failure = Failure { kind: FailureKind::of(Some(status), false), retry_after_ms };
                        match schedule.failed(id, now, failure, random) {
                            Outcome::Retry { after_ms } => prop_assert!(after_ms > 0),
                            _ => flight = None,
                        }
                    }
                }
                Event::TimedOut => {
                    if let Some((id, ..)) = flight.take() {
                        schedule.timed_out(id, now, random);
                    }
                }
                Event::Invalidate => {
                    if schedule.invalidate(now) {
                        dies = None;
                    }
                }
                Event::Challenged => {
                    if schedule.challenged(now) {
                        (dies, flight) = (None, None);
                    }
                }
                Event::Pass { ms } => {
                    now = Now { wall: now.wall.saturating_add(ms), mono: now.mono + ms };
                    real += ms;
                }
                // Time slept through shows on the wall clock alone: where that one lies too, nothing shows it. So a life
                // has one or the other.
                Event::SetClock { .. } if sleeps => {}
                Event::SetClock { by } => {
                    // From 2001 on, and within what JavaScript counts exactly.
                    let wall = now.wall.saturating_add(by % 8_000_000_000_000_000);
                    now.wall = wall.clamp(1_000_000_000_000, 8_000_000_000_000_000);
                }
                Event::Sleep { ms } => {
                    now.wall = now.wall.saturating_add(ms);
                    real += ms;
                    now.mono += if sleeps { 0 } else { ms };
                }
            }
            let status = schedule.status(now);
            prop_assert!(schedule.next_wake(now).is_none_or(|ms| ms >= 0));
            prop_assert!(status.state != Phase::Closed);
        }
    }
}
