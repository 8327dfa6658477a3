//! Implements the interface `simulate`.

use super::wit::simulate::{
    Attempt, AttemptOutcome, Call, CallOutcome, Calls, FailureMode, Fleet, Guest, KeylessError, Outage,
    PhaseSpan, RefreshScenario, RefreshTimeline, Strategy, TokenScript, Totals,
};
use super::{Component, same_names};
use copilot_keyless::simulate;

impl Guest for Component {
    fn simulate_refresh(scenario: RefreshScenario) -> Result<RefreshTimeline, KeylessError> {
        Ok(simulate::simulate(&scenario.into())?.into())
    }
}

same_names!(FailureMode => simulate::FailureMode { Reset, Hang, Status });
same_names!(Strategy => simulate::Strategy { Keyless, PerCall, FixedWindow });
same_names!(simulate::AttemptOutcome => AttemptOutcome { Succeeded, Unchanged, Failed, Abandoned });
same_names!(simulate::CallOutcome => CallOutcome { Fresh, Due, Waited, Failed, Dead });

/// Converts every item of a list.
fn all<T, U: From<T>>(list: Vec<T>) -> Vec<U> {
    list.into_iter().map(Into::into).collect()
}

impl From<RefreshScenario> for simulate::RefreshScenario {
    fn from(given: RefreshScenario) -> Self {
        let default = Self::default();
        Self {
            duration_ms: given.duration_ms.unwrap_or(default.duration_ms),
            token: given.token.into(),
            latency_ms: given.latency_ms.unwrap_or(default.latency_ms),
            outages: all(given.outages),
            calls: given.calls.into(),
            clock_steps: given
                .clock_steps
                .into_iter()
                .map(|step| simulate::ClockStep {
                    at_ms: step.at_ms,
                    by_ms: step.by_ms,
                })
                .collect(),
            suspends: given
                .suspends
                .into_iter()
                .map(|suspend| simulate::Suspend {
                    from_ms: suspend.from_ms,
                    to_ms: suspend.to_ms,
                })
                .collect(),
            invalidations_ms: given.invalidations_ms,
            keep_fresh: given.keep_fresh,
            instances: given.instances.unwrap_or(default.instances),
            start_spread_ms: given.start_spread_ms.unwrap_or(default.start_spread_ms),
            bucket_ms: given.bucket_ms,
            policy: given.policy.into(),
            strategy: given.strategy.map_or(default.strategy, Into::into),
            seed: given.seed.unwrap_or(default.seed),
        }
    }
}

impl From<TokenScript> for simulate::TokenScript {
    fn from(given: TokenScript) -> Self {
        let default = Self::default();
        Self {
            lifetimes_ms: given.lifetimes_ms.unwrap_or(default.lifetimes_ms),
            refresh_after_ms: given.refresh_after_ms,
            cached_for_ms: given.cached_for_ms.unwrap_or(default.cached_for_ms),
        }
    }
}

impl From<Outage> for simulate::Outage {
    fn from(given: Outage) -> Self {
        let default = Self::default();
        Self {
            from_ms: given.from_ms,
            to_ms: given.to_ms,
            mode: given.mode.map_or(default.mode, Into::into),
            status: given.status.unwrap_or(default.status),
            retry_after_ms: given.retry_after_ms,
        }
    }
}

impl From<Calls> for simulate::Calls {
    fn from(given: Calls) -> Self {
        let default = Self::default();
        Self {
            every_ms: given.every_ms.unwrap_or(default.every_ms),
            from_ms: given.from_ms.unwrap_or(default.from_ms),
            to_ms: given.to_ms,
            at_ms: given.at_ms,
        }
    }
}

impl From<simulate::RefreshTimeline> for RefreshTimeline {
    fn from(timeline: simulate::RefreshTimeline) -> Self {
        let simulate::Totals {
            calls,
            fresh,
            due,
            waited,
            failed,
            dead,
            longest_wait_ms,
            attempts,
            failed_attempts,
        } = timeline.totals;
        Self {
            duration_ms: timeline.duration_ms,
            phases: all(timeline.phases),
            attempts: all(timeline.attempts),
            calls: all(timeline.calls),
            truncated: timeline.truncated,
            totals: Totals {
                calls,
                fresh,
                due,
                waited,
                failed,
                dead,
                longest_wait_ms,
                attempts,
                failed_attempts,
            },
            fleet: Fleet {
                instances: timeline.fleet.instances,
                bucket_ms: timeline.fleet.bucket_ms,
                requests: timeline.fleet.requests,
                peak: timeline.fleet.peak,
            },
        }
    }
}

impl From<simulate::PhaseSpan> for PhaseSpan {
    fn from(span: simulate::PhaseSpan) -> Self {
        Self {
            phase: span.phase.into(),
            from_ms: span.from_ms,
            to_ms: span.to_ms,
        }
    }
}

impl From<simulate::Attempt> for Attempt {
    fn from(attempt: simulate::Attempt) -> Self {
        Self {
            at_ms: attempt.at_ms,
            end_ms: attempt.end_ms,
            background: attempt.background,
            outcome: attempt.outcome.into(),
        }
    }
}

impl From<simulate::Call> for Call {
    fn from(call: simulate::Call) -> Self {
        Self {
            at_ms: call.at_ms,
            wait_ms: call.wait_ms,
            outcome: call.outcome.into(),
            code: call.code.map(|code| code.as_str().to_owned()),
        }
    }
}
