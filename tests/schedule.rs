//! The phases, the single flight and the clocks of the schedule, rule by rule.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use copilot_keyless::schedule::{
    Answer, Decision, Failure, FailureKind, Now, Outcome, PERMANENT_MEMORY_MS, Phase, RefreshPolicy, Schedule,
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

fn starts_nothing(decision: Decision) -> bool {
    matches!(decision, Decision::Use { start: None, .. })
}

/// A schedule that holds a token since the start, without jitter.
fn holding(lives: i64) -> Schedule {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    let flight = started(schedule.request(at(0)));
    assert_eq!(
        schedule.acquired(flight, answer(at(0), lives), at(100), 0.0),
        Outcome::Accepted
    );
    schedule
}

fn status_error(status: u16) -> Failure {
    Failure {
        kind: FailureKind::of(Some(status), false),
        retry_after_ms: None,
    }
}

#[test]
fn an_hour_passes_through_every_phase() {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    assert_eq!(schedule.phase(at(0)), Phase::Empty);
    let flight = started(schedule.request(at(0)));
    schedule.acquired(flight, answer(at(0), HOUR), at(100), 0.0);
    assert_eq!(schedule.phase(at(55 * 60 * SECOND - 1)), Phase::Fresh);
    assert_eq!(schedule.phase(at(55 * 60 * SECOND)), Phase::Due);
    assert_eq!(schedule.phase(at(HOUR - 10 * SECOND - 1)), Phase::Due);
    assert_eq!(schedule.phase(at(HOUR - 10 * SECOND)), Phase::Expired);
    schedule.close();
    assert_eq!(schedule.request(at(0)), Decision::Closed);
    assert_eq!(schedule.phase(at(0)), Phase::Closed);
}

#[test]
fn the_refresh_time_follows_the_rules_of_lifetime() {
    let refresh_on = |lives: i64, advised: Option<i64>, random: f64| {
        let mut schedule = Schedule::new(RefreshPolicy::default());
        let flight = started(schedule.request(at(0)));
        let refresh_after = advised.map(|ms| (START + ms) as f64);
        schedule.acquired(
            flight,
            Answer {
                refresh_after,
                ..answer(at(0), lives)
            },
            at(0),
            random,
        );
        schedule.status(at(0)).refresh_on.unwrap() - START
    };
    assert_eq!(refresh_on(24 * HOUR, None, 0.0), 12 * HOUR, "half of a long life");
    assert_eq!(refresh_on(2 * HOUR, None, 0.0), HOUR, "two hours are long");
    assert_eq!(
        refresh_on(2 * HOUR - 1, None, 0.0),
        2 * HOUR - 1 - 300 * SECOND,
        "just under is not"
    );
    assert_eq!(
        refresh_on(600 * SECOND, None, 0.0),
        300 * SECOND,
        "ten minutes: both rules agree"
    );
    assert_eq!(
        refresh_on(240 * SECOND, None, 0.0),
        120 * SECOND,
        "half of a short life"
    );
    assert_eq!(
        refresh_on(HOUR, Some(20 * 60 * SECOND), 0.0),
        20 * 60 * SECOND,
        "the issuer's advice"
    );
    assert_eq!(
        refresh_on(HOUR, Some(2 * HOUR), 0.0),
        55 * 60 * SECOND,
        "advice outside the life is dropped"
    );
    assert_eq!(
        refresh_on(HOUR, None, 1.0),
        56 * 60 * SECOND,
        "jitter is later, up to a minute"
    );
    assert_eq!(
        refresh_on(60 * SECOND, None, 1.0),
        40 * SECOND,
        "jitter keeps out of the forced window"
    );
    assert_eq!(
        refresh_on(HOUR, Some(HOUR - 5 * SECOND), 1.0),
        HOUR - 10 * SECOND,
        "not later than forced"
    );
}

#[test]
fn a_short_life_keeps_three_quarters_usable() {
    let schedule = holding(6 * SECOND);
    assert_eq!(schedule.phase(at(2_999)), Phase::Fresh);
    assert_eq!(schedule.phase(at(3_000)), Phase::Due);
    assert_eq!(schedule.phase(at(4_499)), Phase::Due);
    assert_eq!(schedule.phase(at(4_500)), Phase::Expired);
}

#[test]
fn fresh_names_the_bound_on_both_clocks() {
    let mut schedule = holding(HOUR);
    let Decision::Use {
        phase: Phase::Fresh,
        until_wall,
        until_mono,
        start: None,
    } = schedule.request(at(500))
    else {
        panic!()
    };
    assert_eq!(until_wall, at(55 * 60 * SECOND).wall);
    assert_eq!(until_mono, at(55 * 60 * SECOND).mono);
}

#[test]
fn one_flight_for_all_cold_callers() {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    let flight = started(schedule.request(at(0)));
    for ms in 1..1_000 {
        let timeout_ms = 15 * SECOND - ms;
        assert_eq!(
            schedule.request(at(ms)),
            Decision::Wait {
                flight,
                timeout_ms,
                start: false
            }
        );
    }
}

#[test]
fn due_starts_one_refresh_and_keeps_serving() {
    let mut schedule = holding(HOUR);
    let due = 56 * 60 * SECOND;
    let flight = started(schedule.request(at(due)));
    assert!(starts_nothing(schedule.request(at(due + 1))));
    assert_eq!(
        schedule.acquired(flight, answer(at(due), HOUR), at(due + 500), 0.0),
        Outcome::Accepted
    );
    assert_eq!(schedule.phase(at(due + 500)), Phase::Fresh);
}

#[test]
fn callers_join_the_refresh_that_outlives_the_token() {
    let mut schedule = holding(60 * SECOND);
    let flight = started(schedule.request(at(45 * SECOND)));
    let joined = schedule.request(at(51 * SECOND));
    assert_eq!(
        joined,
        Decision::Wait {
            flight,
            timeout_ms: 15 * SECOND,
            start: false
        },
        "their patience counts"
    );
}

#[test]
fn backoff_doubles_from_30_to_300_seconds() {
    let mut schedule = holding(24 * HOUR);
    let mut now = 12 * HOUR;
    let mut waits = Vec::new();
    for _ in 0..7 {
        let flight = started(schedule.request(at(now)));
        assert_eq!(
            schedule.failed(flight, at(now), status_error(500), 0.0),
            Outcome::Failed
        );
        let wait = schedule.status(at(now)).next_attempt_on.unwrap() - at(now).wall;
        assert!(
            starts_nothing(schedule.request(at(now + wait - 1))),
            "not before its time"
        );
        waits.push(wait / SECOND);
        now += wait;
    }
    assert_eq!(waits, [30, 60, 120, 240, 300, 300, 300]);
    assert_eq!(schedule.status(at(now)).consecutive_failures, 7);
}

#[test]
fn retry_after_is_a_floor_and_no_ceiling() {
    let wait_after = |retry_after_ms: i64| {
        let mut schedule = holding(24 * HOUR);
        let flight = started(schedule.request(at(12 * HOUR)));
        let failure = Failure {
            retry_after_ms: Some(retry_after_ms),
            ..status_error(429)
        };
        schedule.failed(flight, at(12 * HOUR), failure, 0.0);
        schedule.status(at(12 * HOUR)).next_attempt_on.unwrap() - at(12 * HOUR).wall
    };
    assert_eq!(wait_after(5 * SECOND), 30 * SECOND);
    assert_eq!(wait_after(90 * SECOND), 90 * SECOND);
    assert_eq!(wait_after(24 * HOUR), HOUR, "an hour at most");
    assert_eq!(wait_after(-1), 30 * SECOND);
}

#[test]
fn one_more_attempt_on_entering_the_expired_phase() {
    let mut schedule = holding(HOUR);
    let flight = started(schedule.request(at(59 * 60 * SECOND + 40 * SECOND)));
    schedule.failed(flight, at(59 * 60 * SECOND + 41 * SECOND), status_error(403), 0.0);
    let flight = started(schedule.request(at(HOUR - 10 * SECOND)));
    schedule.failed(flight, at(HOUR - 10 * SECOND), status_error(403), 0.0);
    assert_eq!(
        schedule.request(at(HOUR - 9 * SECOND)),
        Decision::Refuse {
            retry_after_ms: PERMANENT_MEMORY_MS - SECOND
        },
        "once"
    );
}

#[test]
fn an_unchanged_token_backs_off_and_is_no_failure() {
    let mut schedule = holding(HOUR);
    let due = 56 * 60 * SECOND;
    let flight = started(schedule.request(at(due)));
    let same = Answer {
        requested: at(due),
        expires_on: (START + HOUR) as f64,
        refresh_after: None,
    };
    assert_eq!(
        schedule.acquired(flight, same, at(due + 1), 0.0),
        Outcome::Unchanged
    );
    let status = schedule.status(at(due + 1));
    assert_eq!(status.consecutive_failures, 0);
    assert_eq!(status.next_attempt_on, Some(at(due + 1 + 30 * SECOND).wall));
    assert!(starts_nothing(schedule.request(at(due + 30 * SECOND))));
    started(schedule.request(at(due + 1 + 30 * SECOND)));
}

#[test]
fn an_unchanged_token_at_the_end_is_an_error() {
    let mut schedule = holding(HOUR);
    let late = HOUR - 5 * SECOND;
    let flight = started(schedule.request(at(late)));
    let same = Answer {
        requested: at(late),
        expires_on: (START + HOUR) as f64,
        refresh_after: None,
    };
    let Outcome::Refused(error) = schedule.acquired(flight, same, at(late), 0.0) else {
        panic!()
    };
    assert_eq!(error.code().as_str(), "token/not-renewed");
    assert_eq!(schedule.status(at(late)).consecutive_failures, 1);
}

#[test]
fn transient_failures_are_tried_again_while_callers_wait() {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    let flight = started(schedule.request(at(0)));
    let fail = |schedule: &mut Schedule, ms| schedule.failed(flight, at(ms), status_error(503), 0.0);
    assert_eq!(fail(&mut schedule, 0), Outcome::Retry { after_ms: 1_000 });
    assert_eq!(fail(&mut schedule, 1_000), Outcome::Retry { after_ms: 2_000 });
    assert_eq!(fail(&mut schedule, 3_000), Outcome::Retry { after_ms: 4_000 });
    assert_eq!(
        fail(&mut schedule, 7_000),
        Outcome::Failed,
        "eight seconds more would pass the deadline"
    );
    started(schedule.request(at(7_001)));
}

#[test]
fn a_pause_asked_for_holds_even_for_callers_who_wait() {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    let flight = started(schedule.request(at(0)));
    let failure = Failure {
        retry_after_ms: Some(60 * SECOND),
        ..status_error(429)
    };
    assert_eq!(
        schedule.failed(flight, at(0), failure, 0.0),
        Outcome::Failed,
        "it does not fit the deadline"
    );
    assert_eq!(
        schedule.request(at(SECOND)),
        Decision::Refuse {
            retry_after_ms: 59 * SECOND
        }
    );
    started(schedule.request(at(60 * SECOND)));
}

#[test]
fn permanent_errors_are_remembered_for_a_short_time() {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    let flight = started(schedule.request(at(0)));
    assert_eq!(
        schedule.failed(flight, at(0), status_error(400), 0.0),
        Outcome::Failed
    );
    for second in 1..10 {
        let retry_after_ms = PERMANENT_MEMORY_MS - second * SECOND;
        assert_eq!(
            schedule.request(at(second * SECOND)),
            Decision::Refuse { retry_after_ms }
        );
    }
    started(schedule.request(at(PERMANENT_MEMORY_MS)));
}

#[test]
fn unknown_failures_are_told_at_once_and_forgotten_at_once() {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    let flight = started(schedule.request(at(0)));
    assert_eq!(
        schedule.failed(flight, at(0), Failure::default(), 0.0),
        Outcome::Failed
    );
    started(schedule.request(at(1)));
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
fn a_late_answer_counts_only_if_it_is_newer() {
    let mut schedule = holding(HOUR);
    let due = 56 * 60 * SECOND;
    let slow = started(schedule.request(at(due)));
    assert_eq!(
        schedule.timed_out(slow, at(due + 30 * SECOND), 0.0),
        Outcome::Failed
    );
    assert_eq!(
        schedule.failed(slow, at(due + 31 * SECOND), status_error(500), 0.0),
        Outcome::Ignored
    );
    let second = started(schedule.request(at(due + 60 * SECOND)));
    assert_eq!(
        schedule.acquired(slow, answer(at(due), 2 * HOUR), at(due + 61 * SECOND), 0.0),
        Outcome::Accepted
    );
    let late = due + 62 * SECOND;
    let older = answer(at(due), HOUR);
    assert_eq!(schedule.acquired(slow, older, at(late), 0.0), Outcome::Ignored);
    assert!(schedule.status(at(late)).refreshing, "the second flight goes on");
    assert_eq!(
        schedule.acquired(second, older, at(late), 0.0),
        Outcome::Unchanged,
        "the newer one stays"
    );
}

#[test]
fn a_deadline_that_nobody_reported_ends_the_flight() {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    let slept = started(schedule.request(at(0)));
    let next = started(schedule.request(at(15 * SECOND)));
    assert_ne!(slept, next);
    assert_eq!(schedule.timed_out(slept, at(15 * SECOND), 0.0), Outcome::Ignored);
}

#[test]
fn invalidation_is_rate_limited() {
    let mut schedule = holding(HOUR);
    assert!(schedule.invalidate(at(SECOND)));
    assert!(!schedule.invalidate(at(SECOND)), "nothing is held");
    let flight = started(schedule.request(at(2 * SECOND)));
    schedule.acquired(flight, answer(at(2 * SECOND), HOUR), at(2 * SECOND), 0.0);
    assert!(!schedule.invalidate(at(30 * SECOND)), "too soon");
    assert!(schedule.invalidate(at(31 * SECOND)));
}

#[test]
fn a_token_rejected_again_is_not_asked_for_in_a_loop() {
    let mut schedule = holding(HOUR);
    assert!(schedule.invalidate(at(SECOND)));
    let flight = started(schedule.request(at(SECOND)));
    assert_eq!(
        schedule.rejected_again(flight, at(2 * SECOND), 0.0),
        Outcome::Failed
    );
    assert_eq!(
        schedule.request(at(3 * SECOND)),
        Decision::Refuse {
            retry_after_ms: 28 * SECOND
        }
    );
    started(schedule.request(at(31 * SECOND)));
}

#[test]
fn a_challenge_makes_way_for_another_token_once_in_a_while() {
    let mut schedule = holding(HOUR);
    assert!(schedule.invalidate(at(SECOND)));
    let plain = started(schedule.request(at(SECOND)));
    assert!(
        schedule.challenged(at(2 * SECOND)),
        "a token that was rejected before does not stand in its way"
    );
    let asked = started(schedule.request(at(2 * SECOND)));
    assert_eq!(
        schedule.acquired(plain, answer(at(SECOND), HOUR), at(3 * SECOND), 0.0),
        Outcome::Ignored,
        "it was not acquired with the claims"
    );
    assert_eq!(
        schedule.failed(plain, at(3 * SECOND), status_error(500), 0.0),
        Outcome::Ignored
    );
    assert_eq!(
        schedule.acquired(asked, answer(at(2 * SECOND), HOUR), at(4 * SECOND), 0.0),
        Outcome::Accepted
    );
    assert!(!schedule.challenged(at(31 * SECOND)), "too soon");
    assert!(
        starts_nothing(schedule.request(at(31 * SECOND))),
        "the token stays"
    );
    assert!(schedule.challenged(at(32 * SECOND)));
    schedule.close();
    assert!(!schedule.challenged(at(HOUR)));
}

#[test]
fn a_challenge_does_not_wait_for_what_an_earlier_failure_put_off() {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    let flight = started(schedule.request(at(0)));
    schedule.failed(flight, at(SECOND), status_error(400), 0.0);
    assert!(matches!(schedule.request(at(SECOND)), Decision::Refuse { .. }));
    assert!(schedule.challenged(at(SECOND)));
    started(schedule.request(at(SECOND)));
}

#[test]
fn a_clock_set_back_revives_no_dead_token() {
    let mut schedule = holding(HOUR);
    let now = Now {
        wall: at(HOUR).wall - 2 * HOUR,
        mono: at(HOUR).mono,
    };
    assert_eq!(schedule.phase(now), Phase::Expired);
    started(schedule.request(now));
}

#[test]
fn a_machine_that_slept_knows_it() {
    let schedule = holding(HOUR);
    assert_eq!(
        schedule.phase(Now {
            wall: at(HOUR).wall,
            mono: at(SECOND).mono
        }),
        Phase::Expired
    );
}

#[test]
fn a_clock_set_forward_refreshes_early() {
    let mut schedule = holding(24 * HOUR);
    started(schedule.request(Now {
        wall: at(13 * HOUR).wall,
        mono: at(SECOND).mono,
    }));
}

#[test]
fn kept_fresh_wakes_when_there_is_something_to_do() {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    assert_eq!(schedule.next_wake(at(0)), None, "nothing to keep fresh");
    let flight = started(schedule.request(at(0)));
    assert_eq!(schedule.next_wake(at(0)), None, "under way");
    schedule.acquired(flight, answer(at(0), HOUR), at(0), 0.0);
    let due = 55 * 60 * SECOND;
    assert_eq!(schedule.next_wake(at(0)), Some(due));
    assert_eq!(schedule.wake(at(SECOND)), None, "too early");
    let flight = schedule.wake(at(due)).unwrap().flight;
    schedule.failed(flight, at(due), status_error(500), 0.0);
    assert_eq!(schedule.next_wake(at(due)), Some(30 * SECOND));
    assert_eq!(schedule.next_wake(at(HOUR - 20 * SECOND)), Some(0));
    let flight = schedule.wake(at(HOUR - 20 * SECOND)).unwrap().flight;
    schedule.failed(flight, at(HOUR - 20 * SECOND), status_error(500), 0.0);
    assert_eq!(
        schedule.next_wake(at(HOUR - 20 * SECOND)),
        Some(10 * SECOND),
        "no later than the forced attempt"
    );
    let flight = schedule.wake(at(HOUR - 10 * SECOND)).unwrap().flight;
    schedule.failed(flight, at(HOUR - 10 * SECOND), status_error(500), 0.0);
    assert_eq!(
        schedule.next_wake(at(HOUR - 10 * SECOND)),
        Some(120 * SECOND),
        "then as the backoff says"
    );
    schedule.close();
    assert_eq!(schedule.next_wake(at(HOUR)), None);
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

#[test]
fn an_hour_is_refreshed_by_the_window_and_ten_minutes_by_half() {
    let refresh_on = |lives| holding(lives).status(at(100)).refresh_on.unwrap() - START;
    assert_eq!(refresh_on(400 * SECOND), 200 * SECOND);
    assert_eq!(refresh_on(800 * SECOND), 500 * SECOND);
}

#[test]
fn nothing_is_woken_while_a_flight_is_under_way() {
    let mut schedule = holding(HOUR);
    let due = 56 * 60 * SECOND;
    schedule.wake(at(due)).unwrap();
    assert_eq!(schedule.next_wake(at(due)), None);
    assert_eq!(schedule.wake(at(due + SECOND)), None);
    let slow = Schedule::new(RefreshPolicy {
        background_timeout_ms: 2 * HOUR,
        ..RefreshPolicy::default()
    });
    let mut schedule = slow;
    let flight = started(schedule.request(at(0)));
    schedule.acquired(flight, answer(at(0), HOUR), at(0), 0.0);
    schedule.wake(at(due)).unwrap();
    assert_eq!(schedule.wake(at(HOUR)), None, "not in the expired phase either");
}

#[test]
fn the_forced_attempt_is_due_at_once_whatever_the_pause() {
    let mut schedule = holding(HOUR);
    let late = HOUR - 20 * SECOND;
    let flight = started(schedule.request(at(late)));
    schedule.failed(flight, at(late), status_error(500), 0.0);
    assert_eq!(schedule.next_wake(at(HOUR - 10 * SECOND)), Some(0));
}

#[test]
fn an_attempt_under_way_hides_the_time_of_the_next() {
    let mut schedule = holding(HOUR);
    let due = 55 * 60 * SECOND;
    let flight = started(schedule.request(at(due)));
    schedule.failed(flight, at(due), status_error(500), 0.0);
    assert!(schedule.status(at(due)).next_attempt_on.is_some());
    assert_eq!(
        schedule.status(at(due + 30 * SECOND)).next_attempt_on,
        None,
        "the time has come"
    );
    let late = HOUR - 10 * SECOND;
    let flight = started(schedule.request(at(late)));
    schedule.failed(flight, at(late), status_error(403), 0.0);
    assert!(schedule.status(at(late)).next_attempt_on.is_some());
    started(schedule.request(at(late + PERMANENT_MEMORY_MS)));
    assert_eq!(
        schedule.status(at(late + PERMANENT_MEMORY_MS)).next_attempt_on,
        None,
        "it is under way"
    );
}

#[test]
fn jitter_lengthens_a_backoff_by_up_to_a_fifth() {
    for (random, wait) in [(0.0, 30_000), (0.5, 33_000), (1.0, 36_000)] {
        let mut schedule = holding(24 * HOUR);
        let flight = started(schedule.request(at(12 * HOUR)));
        schedule.failed(flight, at(12 * HOUR), status_error(500), random);
        assert_eq!(
            schedule.status(at(12 * HOUR)).next_attempt_on,
            Some(at(12 * HOUR + wait).wall)
        );
    }
}

#[test]
fn after_close_nothing_comes_back() {
    let mut schedule = Schedule::new(RefreshPolicy::default());
    assert!(!schedule.invalidate(at(0)), "nothing is held yet");
    let flight = started(schedule.request(at(0)));
    schedule.close();
    assert_eq!(
        schedule.acquired(flight, answer(at(0), HOUR), at(SECOND), 0.0),
        Outcome::Ignored
    );
    assert_eq!(
        schedule.failed(flight, at(SECOND), status_error(500), 0.0),
        Outcome::Ignored
    );
    assert_eq!(schedule.status(at(SECOND)).expires_on, None);
    assert!(!schedule.invalidate(at(SECOND)));
    assert_eq!(schedule.wake(at(SECOND)), None);
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
        let mut schedule = Schedule::new(policy);
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
