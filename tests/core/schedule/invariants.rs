//! Invariants of the schedule, and cases that do not fit into the scenarios of
//! `tables/schedule.json`.
use super::properties::Event;
use copilot_keyless::schedule::{
    Answer, Decision, Failure, FailureKind, Now, Outcome, RefreshPolicy, Schedule,
};
use proptest::prelude::*;

const START: i64 = 1_700_000_000_000;
const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600_000;

/// Returns both clocks, `ms` after the start.
fn at(ms: i64) -> Now {
    Now {
        wall: START + ms,
        mono: 5_000 + ms,
    }
}

fn answer(requested: Now, lifetime: i64) -> Answer {
    Answer {
        requested,
        expires_on: (requested.wall + lifetime) as f64,
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

/// Returns a schedule with a token from the start, without jitter.
fn holding(lifetime: i64) -> Schedule {
    let mut schedule = Schedule::new(RefreshPolicy::default()).unwrap();
    let flight = started(schedule.request(at(0)));
    assert_eq!(
        schedule.acquired(flight, answer(at(0), lifetime), at(100), 0.0),
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
    let taken = |lifetime: i64, longer: i64| {
        let mut schedule = holding(lifetime);
        let due = at(lifetime / 2 + 100);
        let flight = started(schedule.request(Now {
            wall: due.wall + lifetime / 4,
            mono: due.mono + lifetime / 4,
        }));
        let now = Now {
            wall: due.wall + lifetime / 4,
            mono: due.mono + lifetime / 4,
        };
        let answer = Answer {
            requested: now,
            expires_on: (START + lifetime + longer) as f64,
            refresh_after: None,
        };
        schedule.acquired(flight, answer, now, 0.0) == Outcome::Accepted
    };
    assert!(!taken(24 * HOUR, 2_000), "two seconds");
    assert!(taken(24 * HOUR, 2_001));
    // The old token lasts 8 s, and 1.9 s are left when the new one is requested. The new one lasts
    // slightly longer than 1.9 s, and the tolerance is an eighth of that.
    assert!(!taken(8 * SECOND, 250));
    assert!(taken(8 * SECOND, 350));
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let life = || -HOUR..26 * HOUR;
    let event = prop_oneof![
        6 => Just(Event::Request),
        1 => Just(Event::Wake),
        1 => Just(Event::Refresh),
        3 => life().prop_map(|life| Event::Acquired { life }),
        1 => (any::<usize>(), life()).prop_map(|(which, life)| Event::AcquiredLate { which, life }),
        2 => (proptest::option::of(390_u16..600), proptest::option::of(-5_000_i64..10_000_000))
            .prop_map(|(status, retry_after_ms)| Event::Failed { status, retry_after_ms }),
        1 => Just(Event::TimedOut),
        1 => Just(Event::RejectedAgain),
        1 => any::<usize>().prop_map(|which| Event::FailedLate { which }),
        1 => Just(Event::Invalidate),
        1 => Just(Event::Challenged),
        2 => (0_i64..2_000).prop_map(|ms| Event::Pass { ms }),
        3 => (0_i64..2 * HOUR).prop_map(|ms| Event::Pass { ms }),
        1 => any::<i64>().prop_map(|by| Event::SetClock { by }),
        1 => (-3 * HOUR..3 * HOUR).prop_map(|by| Event::SetClock { by }),
        1 => (0_i64..30 * HOUR).prop_map(|ms| Event::Sleep { ms }),
    ];
    // Half of the sequences never set a clock, which allows stricter checks.
    (proptest::collection::vec(event, 1..120), any::<bool>()).prop_map(|(events, steady)| {
        let kept = |event: &Event| !steady || !matches!(event, Event::SetClock { .. });
        events.into_iter().filter(kept).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens(events in events(), random in 0.0_f64..1.0, sleeps in any::<bool>()) {
        super::properties::check(&events, random, sleeps);
    }
}

#[test]
fn the_requests_of_a_turn_share_one_wait() {
    let mut schedule = Schedule::new(RefreshPolicy::default()).unwrap();
    let flight = started(schedule.request(at(0)));
    assert_eq!(schedule.wait_left(at(0), at(4_000)), 11_000);
    // The next attempt is in a second.
    assert_eq!(
        schedule.failed(flight, at(4_000), Failure::default(), 0.0),
        Outcome::Failed
    );
    assert_eq!(schedule.wait_left(at(0), at(4_000)), 11_000);
    let flight = started(schedule.request(at(13_900)));
    assert_eq!(schedule.wait_left(at(0), at(13_950)), 1_050);
    schedule.failed(flight, at(14_000), Failure::default(), 0.0);
    assert_eq!(
        schedule.wait_left(at(0), at(14_000)),
        0,
        "no attempt begins in time"
    );
    assert_eq!(
        schedule.wait_left(at(14_000), at(14_000)),
        15_000,
        "a later caller has its own"
    );
    assert_eq!(schedule.wait_left(at(0), at(20_000)), 0);
    assert_eq!(
        holding(3_600_000).wait_left(at(0), at(20_000)),
        15_000,
        "there is a token"
    );
}

#[test]
fn a_pause_that_the_endpoint_asked_for_outlives_the_flight() {
    let mut schedule = Schedule::new(RefreshPolicy::default()).unwrap();
    let flight = started(schedule.request(at(0)));
    assert_eq!(
        schedule.timed_out(flight, at(15_000), Some(16_000), 0.0),
        Outcome::Failed
    );
    assert_eq!(
        schedule.request(at(15_000)),
        Decision::Refuse {
            retry_after_ms: 16_000
        }
    );
    assert!(matches!(
        schedule.request(at(31_000)),
        Decision::Wait { start: true, .. }
    ));
}
