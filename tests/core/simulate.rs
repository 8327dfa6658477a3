//! Simulations: the guarantees of the schedule, seen from outside.
use copilot_keyless::Code;
use copilot_keyless::schedule::{Phase, RefreshPolicy};
use copilot_keyless::simulate::{
    AttemptOutcome, CallOutcome, Calls, ClockStep, FailureMode, Outage, RefreshScenario, RefreshTimeline,
    Strategy as Keeper, Suspend, TokenScript, simulate,
};
use proptest::collection::vec;
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 3_600_000;

fn tokens(lifetime_ms: i64) -> TokenScript {
    TokenScript {
        lifetimes_ms: vec![lifetime_ms],
        ..TokenScript::default()
    }
}

fn outage(from_ms: i64, to_ms: i64, mode: FailureMode) -> Vec<Outage> {
    vec![Outage {
        from_ms,
        to_ms,
        mode,
        ..Outage::default()
    }]
}

fn play(scenario: &RefreshScenario) -> RefreshTimeline {
    let timeline = simulate(scenario).unwrap();
    assert_eq!(timeline, simulate(scenario).unwrap(), "the same every time");
    timeline
}

/// Counts the calls that waited, apart from the first one.
fn waits(timeline: &RefreshTimeline) -> usize {
    timeline
        .calls
        .iter()
        .filter(|call| call.at_ms > 0 && call.outcome == CallOutcome::Waited)
        .count()
}

#[test]
fn two_quiet_hours() {
    let timeline = play(&RefreshScenario::default());
    assert_eq!(timeline.totals.calls, 120);
    assert_eq!(timeline.totals.attempts, 3, "the first token and two refreshes");
    assert_eq!(waits(&timeline), 0);
    assert_eq!(timeline.totals.failed + timeline.totals.dead, 0);
    let phases: Vec<_> = timeline.phases.iter().map(|span| span.phase).collect();
    assert_eq!(
        phases,
        [
            Phase::Empty,
            Phase::Fresh,
            Phase::Due,
            Phase::Fresh,
            Phase::Due,
            Phase::Fresh
        ]
    );
    let ends = timeline
        .phases
        .windows(2)
        .all(|pair| pair[0].to_ms == pair[1].from_ms);
    assert!(ends, "phases leave no gap: {:?}", timeline.phases);
}

#[test]
fn twelve_hours_of_outage_cost_no_call_and_few_attempts() {
    let timeline = play(&RefreshScenario {
        duration_ms: 25 * HOUR,
        token: tokens(24 * HOUR),
        outages: outage(12 * HOUR, 24 * HOUR, FailureMode::Reset),
        ..RefreshScenario::default()
    });
    assert!(
        (100..=200).contains(&timeline.totals.attempts),
        "{}",
        timeline.totals.attempts
    );
    assert_eq!(timeline.totals.failed, 0);
    let after = timeline
        .calls
        .iter()
        .find(|call| call.at_ms >= 24 * HOUR)
        .unwrap();
    assert_eq!(
        after.outcome,
        CallOutcome::Waited,
        "the first call after it gets a token"
    );
}

#[test]
fn an_outage_across_the_end_fails_calls_only_while_no_token_is_good() {
    let timeline = play(&RefreshScenario {
        outages: outage(50 * MINUTE, 70 * MINUTE, FailureMode::Status),
        calls: Calls {
            every_ms: 10_000,
            ..Calls::default()
        },
        ..RefreshScenario::default()
    });
    for call in &timeline.calls {
        let dead_time = (HOUR - 10_000..70 * MINUTE).contains(&call.at_ms);
        assert_eq!(
            call.outcome == CallOutcome::Failed,
            dead_time && call.at_ms + call.wait_ms < 70 * MINUTE,
            "{call:?}"
        );
        assert!(call.outcome != CallOutcome::Failed || call.code == Some(Code::CredentialServerError));
        assert!(call.wait_ms <= 15_000);
    }
}

#[test]
fn a_hang_stalls_nobody_while_the_token_is_good() {
    let timeline = play(&RefreshScenario {
        outages: outage(54 * MINUTE, 57 * MINUTE, FailureMode::Hang),
        calls: Calls {
            every_ms: 1_000,
            ..Calls::default()
        },
        ..RefreshScenario::default()
    });
    assert_eq!(waits(&timeline), 0);
    assert_eq!(timeline.totals.failed, 0);
    assert!(
        timeline
            .attempts
            .iter()
            .any(|attempt| attempt.outcome == AttemptOutcome::Abandoned)
    );
}

#[test]
fn a_slow_endpoint_stalls_nobody_while_the_token_is_good() {
    let timeline = play(&RefreshScenario {
        latency_ms: 5_000,
        ..RefreshScenario::default()
    });
    assert_eq!(waits(&timeline), 0);
}

#[test]
fn nobody_calls_nothing_happens_unless_kept_fresh() {
    let idle = RefreshScenario {
        duration_ms: 6 * HOUR,
        calls: Calls {
            every_ms: 0,
            at_ms: vec![0],
            ..Calls::default()
        },
        ..RefreshScenario::default()
    };
    assert_eq!(play(&idle).totals.attempts, 1);
    let kept = play(&RefreshScenario {
        keep_fresh: true,
        ..idle
    });
    assert_eq!(kept.totals.attempts, 7);
    assert!(kept.phases.iter().all(|span| span.phase != Phase::Expired));
}

#[test]
fn phases_end_on_time_although_nobody_looks() {
    let timeline = play(&RefreshScenario {
        calls: Calls {
            every_ms: 0,
            at_ms: vec![0],
            ..Calls::default()
        },
        policy: RefreshPolicy {
            jitter_ms: 0,
            ..RefreshPolicy::default()
        },
        ..RefreshScenario::default()
    });
    let ends: Vec<_> = timeline
        .phases
        .iter()
        .map(|span| (span.phase, span.to_ms))
        .collect();
    assert_eq!(
        ends,
        [
            (Phase::Empty, 200),
            (Phase::Fresh, 3_300_000),
            (Phase::Due, 3_590_000),
            (Phase::Expired, 7_200_000)
        ]
    );
}

#[test]
fn a_clock_set_either_way_never_serves_a_dead_token() {
    for by_ms in [-2 * HOUR, 2 * HOUR, -30 * 24 * HOUR] {
        let timeline = play(&RefreshScenario {
            duration_ms: 5 * HOUR,
            clock_steps: vec![ClockStep {
                at_ms: 30 * MINUTE,
                by_ms,
            }],
            ..RefreshScenario::default()
        });
        assert_eq!(timeline.totals.dead + timeline.totals.failed, 0, "{by_ms}");
    }
}

#[test]
fn a_machine_that_slept_through_the_expiry_waits_once() {
    let timeline = play(&RefreshScenario {
        suspends: vec![Suspend {
            from_ms: 10 * MINUTE,
            to_ms: 100 * MINUTE,
        }],
        ..RefreshScenario::default()
    });
    assert_eq!(waits(&timeline), 1);
    assert_eq!(timeline.totals.dead + timeline.totals.failed, 0);
}

#[test]
fn a_platform_cache_that_gives_the_same_token_is_not_hammered() {
    let timeline = play(&RefreshScenario {
        duration_ms: 24 * HOUR,
        token: TokenScript {
            cached_for_ms: 20 * HOUR,
            ..tokens(24 * HOUR)
        },
        ..RefreshScenario::default()
    });
    assert!(timeline.totals.attempts < 120, "{}", timeline.totals.attempts);
    assert_eq!(waits(&timeline), 0);
    assert!(
        timeline
            .attempts
            .iter()
            .any(|attempt| attempt.outcome == AttemptOutcome::Unchanged)
    );
}

#[test]
fn a_rejected_token_is_replaced_at_the_next_call() {
    let timeline = play(&RefreshScenario {
        invalidations_ms: vec![30_000],
        ..RefreshScenario::default()
    });
    assert_eq!(timeline.attempts[1].at_ms, 60_000);
    assert_eq!(waits(&timeline), 1);
}

#[test]
fn ten_thousand_instances_spread_their_refresh() {
    let timeline = play(&RefreshScenario {
        duration_ms: 12 * HOUR + 3 * MINUTE,
        token: tokens(24 * HOUR),
        instances: 10_000,
        bucket_ms: Some(1_000),
        calls: Calls {
            every_ms: 1_000,
            from_ms: 12 * HOUR - 10_000,
            at_ms: vec![0],
            ..Calls::default()
        },
        ..RefreshScenario::default()
    });
    let refreshes = &timeline.fleet.requests[12 * 3600..];
    assert_eq!(refreshes.iter().sum::<u32>(), 10_000);
    let mean = 10_000.0 / 60.0;
    let peak = f64::from(*refreshes.iter().max().unwrap());
    assert!(peak <= 2.0 * mean, "peak {peak}, mean {mean}");
}

#[test]
fn the_other_ways_are_worse_as_computed() {
    let scenario = RefreshScenario {
        outages: outage(54 * MINUTE, 70 * MINUTE, FailureMode::Reset),
        calls: Calls {
            every_ms: 10_000,
            ..Calls::default()
        },
        ..RefreshScenario::default()
    };
    let ours = play(&scenario);
    let per_call = play(&RefreshScenario {
        strategy: Keeper::PerCall,
        ..scenario.clone()
    });
    let window = play(&RefreshScenario {
        strategy: Keeper::FixedWindow,
        ..scenario
    });
    assert_eq!(per_call.totals.attempts, per_call.totals.calls);
    assert!(per_call.totals.failed > ours.totals.failed);
    assert!(window.totals.attempts > ours.totals.attempts);
    for timeline in [&ours, &per_call, &window] {
        let totals = timeline.totals;
        assert_eq!(totals.calls, 720);
        assert_eq!(
            totals.fresh + totals.due + totals.waited + totals.failed + totals.dead,
            totals.calls
        );
    }
}

#[test]
fn the_fixed_window_serves_dead_tokens_when_the_clock_is_set_back() {
    let scenario = RefreshScenario {
        clock_steps: vec![ClockStep {
            at_ms: 30 * MINUTE,
            by_ms: -2 * HOUR,
        }],
        ..RefreshScenario::default()
    };
    assert!(
        play(&RefreshScenario {
            strategy: Keeper::FixedWindow,
            ..scenario
        })
        .totals
        .dead
            > 0
    );
}

#[test]
fn the_other_ways_in_a_hang() {
    let scenario = RefreshScenario {
        outages: outage(55 * MINUTE, 70 * MINUTE, FailureMode::Hang),
        ..RefreshScenario::default()
    };
    let per_call = play(&RefreshScenario {
        strategy: Keeper::PerCall,
        ..scenario.clone()
    });
    assert_eq!(per_call.totals.failed, 15, "a call a minute, and each hangs");
    let window = play(&RefreshScenario {
        strategy: Keeper::FixedWindow,
        ..scenario.clone()
    });
    assert_eq!(
        window
            .attempts
            .iter()
            .filter(|one| one.outcome == AttemptOutcome::Abandoned)
            .count(),
        11
    );
    assert!(play(&scenario).totals.failed < per_call.totals.failed);
}

#[test]
fn a_status_is_told_by_its_code() {
    for (status, code) in [
        (429, Code::CredentialThrottled),
        (503, Code::CredentialServerError),
        (400, Code::CredentialRefused),
        (302, Code::CredentialRefused),
    ] {
        let outages = vec![Outage {
            to_ms: 10 * MINUTE,
            mode: FailureMode::Status,
            status,
            ..Outage::default()
        }];
        let timeline = play(&RefreshScenario {
            outages,
            ..RefreshScenario::default()
        });
        assert_eq!(timeline.calls[0].code, Some(code));
    }
}

#[test]
fn an_expiry_already_past_fails_with_the_schedules_own_code() {
    let timeline = play(&RefreshScenario {
        latency_ms: 9_000,
        token: tokens(5_000),
        ..RefreshScenario::default()
    });
    assert_eq!(timeline.calls[0].code, Some(Code::TokenNotRenewed));
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let timeline = play(&RefreshScenario {
        calls: Calls {
            every_ms: 1_000,
            ..Calls::default()
        },
        ..RefreshScenario::default()
    });
    assert!(timeline.truncated);
    assert_eq!(timeline.calls.len(), 5_000);
    assert_eq!(timeline.totals.calls, 7_200);
}

#[test]
fn bad_scenarios_are_refused_by_name() {
    let good = RefreshScenario::default;
    let bad = [
        (
            "durationMs",
            RefreshScenario {
                duration_ms: 0,
                ..good()
            },
        ),
        (
            "durationMs",
            RefreshScenario {
                duration_ms: i64::MIN,
                ..good()
            },
        ),
        (
            "lifetimesMs",
            RefreshScenario {
                token: TokenScript {
                    lifetimes_ms: vec![],
                    ..TokenScript::default()
                },
                ..good()
            },
        ),
        (
            "lifetimesMs",
            RefreshScenario {
                token: tokens(-1),
                ..good()
            },
        ),
        (
            "latencyMs",
            RefreshScenario {
                latency_ms: -1,
                ..good()
            },
        ),
        (
            "outages",
            RefreshScenario {
                outages: outage(2, 1, FailureMode::Reset),
                ..good()
            },
        ),
        (
            "suspends",
            RefreshScenario {
                suspends: vec![Suspend { from_ms: 2, to_ms: 1 }],
                ..good()
            },
        ),
        (
            "instances",
            RefreshScenario {
                instances: 0,
                ..good()
            },
        ),
        (
            "instances",
            RefreshScenario {
                instances: 100_001,
                ..good()
            },
        ),
        (
            "bucketMs",
            RefreshScenario {
                bucket_ms: Some(0),
                ..good()
            },
        ),
        (
            "calls",
            RefreshScenario {
                calls: Calls {
                    every_ms: 1,
                    ..Calls::default()
                },
                instances: 1_000,
                ..good()
            },
        ),
    ];
    for (name, scenario) in bad {
        let error = simulate(&scenario).unwrap_err();
        assert_eq!(error.code().as_str(), "scenario/invalid");
        assert!(error.message().contains(name), "{error}");
    }
    let policy = RefreshPolicy {
        retry_min_ms: 0,
        ..RefreshPolicy::default()
    };
    assert_eq!(
        simulate(&RefreshScenario { policy, ..good() })
            .unwrap_err()
            .code()
            .as_str(),
        "policy/invalid"
    );
}

fn scenarios() -> impl Strategy<Value = RefreshScenario> {
    let time = || 0..3 * HOUR;
    let mode = prop_oneof![
        Just(FailureMode::Reset),
        Just(FailureMode::Hang),
        Just(FailureMode::Status)
    ];
    let outage = (
        time(),
        0..HOUR,
        mode,
        300_u16..600,
        proptest::option::of(0..2 * HOUR),
    )
        .prop_map(|(from_ms, length, mode, status, retry_after_ms)| Outage {
            from_ms,
            to_ms: from_ms + length,
            mode,
            status,
            retry_after_ms,
        });
    let step = (time(), -1_000_000_000_000..1_000_000_000_000_i64)
        .prop_map(|(at_ms, by_ms)| ClockStep { at_ms, by_ms });
    let suspend = (time(), 0..HOUR).prop_map(|(from_ms, length)| Suspend {
        from_ms,
        to_ms: from_ms + length,
    });

    let sleeps = prop_oneof![
        vec(step, 0..4).prop_map(|steps| (steps, Vec::new())),
        // At most one sleep: the overlap of two would count twice.
        vec(suspend, 0..2).prop_map(|suspends| (Vec::new(), suspends)),
    ];
    let token = (vec(1_000..30 * HOUR, 1..4), proptest::option::of(time()), 0..HOUR).prop_map(
        |(lifetimes_ms, refresh_after_ms, cached_for_ms)| TokenScript {
            lifetimes_ms,
            refresh_after_ms,
            cached_for_ms,
        },
    );
    (
        token,
        0..40_000_i64,
        vec(outage, 0..5),
        sleeps,
        vec(time(), 0..4),
        any::<bool>(),
        500..600_000_i64,
        any::<u32>(),
    )
        .prop_map(
            |(
                token,
                latency_ms,
                outages,
                (clock_steps, suspends),
                invalidations_ms,
                keep_fresh,
                every_ms,
                seed,
            )| RefreshScenario {
                duration_ms: 4 * HOUR,
                token,
                latency_ms,
                outages,
                clock_steps,
                suspends,
                invalidations_ms,
                keep_fresh,
                calls: Calls {
                    every_ms,
                    ..Calls::default()
                },
                seed,
                ..RefreshScenario::default()
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_life_serves_a_dead_token_or_waits_too_long(scenario in scenarios()) {
        let timeline = simulate(&scenario).unwrap();
        let totals = timeline.totals;
        prop_assert_eq!(totals.dead, 0);
        prop_assert_eq!(totals.fresh + totals.due + totals.waited + totals.failed, totals.calls);
        for call in &timeline.calls {
            let slept = scenario.suspends.iter().any(|one| one.from_ms < call.at_ms + call.wait_ms && call.at_ms < one.to_ms);
            prop_assert!(slept || call.wait_ms <= 15_000, "{:?}", call);
        }
        for attempt in &timeline.attempts {
            prop_assert!(attempt.end_ms >= attempt.at_ms);
        }
    }
}

/// Any scenario ends within seconds, with a timeline or an error.
#[test]
fn no_scenario_is_work_without_end() {
    let month = 30 * 24 * HOUR;
    let second = RefreshScenario {
        duration_ms: month,
        token: tokens(1_000),
        keep_fresh: true,
        latency_ms: 0,
        calls: Calls {
            every_ms: 0,
            at_ms: vec![0],
            ..Calls::default()
        },
        ..RefreshScenario::default()
    };
    let patient = RefreshPolicy {
        wait_timeout_ms: 2_592_000_000,
        background_timeout_ms: 2_592_000_000,
        ..RefreshPolicy::default()
    };
    let eager = RefreshPolicy {
        retry_min_ms: 1,
        retry_max_ms: 1,
        ..RefreshPolicy::default()
    };
    let list = |count: i64| -> Vec<i64> { (0..count).collect() };
    let endless = [
        (
            "tokens of a second, fleet",
            RefreshScenario {
                instances: 100_000,
                ..second.clone()
            },
        ),
        (
            "tokens of a millisecond",
            RefreshScenario {
                token: tokens(1),
                ..second.clone()
            },
        ),
        (
            "deadlines far away",
            RefreshScenario {
                policy: patient,
                token: tokens(1),
                ..second.clone()
            },
        ),
        (
            "an outage, and a backoff of a millisecond",
            RefreshScenario {
                policy: eager,
                instances: 100,
                start_spread_ms: 0,
                token: tokens(24 * HOUR),
                outages: outage(1, month, FailureMode::Reset),
                ..second.clone()
            },
        ),
        (
            "a window that is tried every three seconds",
            RefreshScenario {
                strategy: Keeper::FixedWindow,
                instances: 10_000,
                token: tokens(month),
                clock_steps: list(1_000)
                    .into_iter()
                    .map(|at_ms| ClockStep { at_ms, by_ms: 1 })
                    .collect(),
                calls: Calls {
                    every_ms: HOUR,
                    ..Calls::default()
                },
                ..second.clone()
            },
        ),
        (
            "lists without end",
            RefreshScenario {
                clock_steps: list(200_000)
                    .into_iter()
                    .map(|at_ms| ClockStep { at_ms, by_ms: 0 })
                    .collect(),
                invalidations_ms: list(200_000),
                ..second.clone()
            },
        ),
        (
            "callers who wait for ever",
            RefreshScenario {
                policy: patient,
                keep_fresh: false,
                outages: outage(0, month, FailureMode::Hang),
                calls: Calls {
                    every_ms: 60,
                    ..Calls::default()
                },
                ..second.clone()
            },
        ),
    ];
    for (name, scenario) in endless {
        let started = crate::processor::Processor::start();
        let error = simulate(&scenario).map(|played| played.totals).expect_err(name);
        assert_eq!(error.code().as_str(), "scenario/invalid", "{name}");
        assert!(error.message().contains("steps to play"), "{name}: {error}");
        assert!(error.next_step().is_some());
        let took = started.elapsed();
        assert!(took.as_secs() < 30, "{name}: {took:?}");
    }
    // Half a day of tokens that live a second is much, but within the limit.
    let timeline = simulate(&RefreshScenario {
        duration_ms: 12 * HOUR,
        ..second
    })
    .unwrap();
    assert!(timeline.totals.attempts > 70_000 && timeline.truncated);
}
