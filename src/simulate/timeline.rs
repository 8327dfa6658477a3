//! Records the events of a simulation.

use serde::Serialize;

use super::scenario::Plan;
use crate::Code;
use crate::schedule::Phase;
use crate::token::Millis;

/// The most calls and attempts to list; the totals count all.
const LISTED: usize = 5_000;

/// The result of a simulation, in milliseconds from the start. `phases`, `attempts` and `calls`
/// show the first instance and list at most 5,000 entries; `totals` and `fleet` cover all
/// instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RefreshTimeline {
    /// The duration of the scenario.
    pub duration_ms: Millis,
    /// The phases of the token in order. Empty for strategies without phases.
    pub phases: Vec<PhaseSpan>,
    /// The requests to the identity endpoint.
    pub attempts: Vec<Attempt>,
    /// The calls for a token.
    pub calls: Vec<Call>,
    /// Whether the lists are incomplete.
    pub truncated: bool,
    /// The counts.
    pub totals: Totals,
    /// The request rate at the identity endpoint.
    pub fleet: Fleet,
}

/// A time span in one phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PhaseSpan {
    /// The phase.
    pub phase: Phase,
    /// The start.
    pub from_ms: Millis,
    /// The end (exclusive).
    pub to_ms: Millis,
}

/// A request to the identity endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Attempt {
    /// The time of the request.
    pub at_ms: Millis,
    /// The time of the response, or of giving up.
    pub end_ms: Millis,
    /// Whether the request had no waiting callers when it was sent.
    pub background: bool,
    /// The outcome.
    pub outcome: AttemptOutcome,
}

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptOutcome {
    /// A new token.
    Succeeded,
    /// The same token again.
    Unchanged,
    /// An error.
    Failed,
    /// No response in time, or before the end.
    Abandoned,
}

/// A call for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Call {
    /// The time of the call.
    pub at_ms: Millis,
    /// How long the call waited.
    pub wait_ms: Millis,
    /// The outcome.
    pub outcome: CallOutcome,
    /// The code of the error, if the call failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CallOutcome {
    /// A fresh token, without a wait.
    Fresh,
    /// A token past its refresh time, without a wait.
    Due,
    /// A token, after a wait.
    Waited,
    /// An error.
    Failed,
    /// A token that had expired by real time. Never happens with the strategy `keyless`.
    Dead,
}

/// Counts over all instances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Calls for a token.
    pub calls: u32,
    /// Calls that got a fresh token without a wait.
    pub fresh: u32,
    /// Calls that got a token past its refresh time without a wait.
    pub due: u32,
    /// Calls that waited.
    pub waited: u32,
    /// Calls that failed.
    pub failed: u32,
    /// Calls that got an expired token.
    pub dead: u32,
    /// The longest wait of a call that got a token, in milliseconds.
    pub longest_wait_ms: Millis,
    /// Requests to the identity endpoint.
    pub attempts: u32,
    /// Requests that failed or were abandoned.
    pub failed_attempts: u32,
}

/// The request rate at the identity endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Fleet {
    /// The number of instances.
    pub instances: u32,
    /// The length of a bucket, in milliseconds.
    pub bucket_ms: Millis,
    /// The requests in each bucket, from the start.
    pub requests: Vec<u32>,
    /// The most requests in a bucket.
    pub peak: u32,
}

/// Collects the timeline during a simulation.
pub(super) struct Recorder {
    timeline: RefreshTimeline,
    bucket: Millis,
    duration: Millis,
    phase: Option<(Phase, Millis)>,
}

impl Recorder {
    pub(super) fn new(plan: &Plan) -> Self {
        let bucket = plan.bucket;
        let buckets = usize::try_from(plan.duration / bucket + 1).unwrap_or(1);
        Self {
            timeline: RefreshTimeline {
                duration_ms: plan.duration,
                phases: Vec::new(),
                attempts: Vec::new(),
                calls: Vec::new(),
                truncated: false,
                totals: Totals::default(),
                fleet: Fleet {
                    instances: plan.instances,
                    bucket_ms: bucket,
                    requests: vec![0; buckets],
                    peak: 0,
                },
            },
            bucket,
            duration: plan.duration,
            phase: None,
        }
    }

    pub(super) fn call(
        &mut self,
        shown: bool,
        at: Millis,
        wait: Millis,
        outcome: CallOutcome,
        code: Option<Code>,
    ) {
        let totals = &mut self.timeline.totals;
        totals.calls += 1;
        match outcome {
            CallOutcome::Fresh => totals.fresh += 1,
            CallOutcome::Due => totals.due += 1,
            CallOutcome::Waited => totals.waited += 1,
            CallOutcome::Failed => totals.failed += 1,
            CallOutcome::Dead => totals.dead += 1,
        }
        if outcome != CallOutcome::Failed {
            totals.longest_wait_ms = totals.longest_wait_ms.max(wait);
        }
        if shown {
            let call = Call {
                at_ms: at,
                wait_ms: wait,
                outcome,
                code,
            };
            let place = self
                .timeline
                .calls
                .partition_point(|other| other.at_ms <= call.at_ms);
            self.timeline.truncated |= !insert(&mut self.timeline.calls, place, call);
        }
    }

    pub(super) fn attempt(
        &mut self,
        shown: bool,
        at: Millis,
        end: Millis,
        background: bool,
        outcome: AttemptOutcome,
    ) {
        let totals = &mut self.timeline.totals;
        totals.attempts += 1;
        if matches!(outcome, AttemptOutcome::Failed | AttemptOutcome::Abandoned) {
            totals.failed_attempts += 1;
        }
        let index = usize::try_from(at / self.bucket).unwrap_or(usize::MAX);
        if let Some(requests) = self.timeline.fleet.requests.get_mut(index) {
            *requests += 1;
        }
        if shown {
            let attempt = Attempt {
                at_ms: at,
                end_ms: end,
                background,
                outcome,
            };
            let place = self
                .timeline
                .attempts
                .partition_point(|other| other.at_ms <= attempt.at_ms);
            self.timeline.truncated |= !insert(&mut self.timeline.attempts, place, attempt);
        }
    }

    /// Records the phase of the first instance from a time on.
    pub(super) fn phase(&mut self, at: Millis, phase: Phase) {
        match self.phase {
            Some((same, _)) if same == phase => {}
            _ => {
                self.end_phase(at);
                self.phase = Some((phase, at));
            }
        }
    }

    fn end_phase(&mut self, at: Millis) {
        if let Some((phase, from)) = self.phase.take().filter(|&(_, from)| from < at) {
            let span = PhaseSpan {
                phase,
                from_ms: from,
                to_ms: at,
            };
            let place = self.timeline.phases.len();
            self.timeline.truncated |= !insert(&mut self.timeline.phases, place, span);
        }
    }

    pub(super) fn finish(mut self) -> RefreshTimeline {
        self.end_phase(self.duration);
        self.timeline.fleet.peak = self.timeline.fleet.requests.iter().copied().max().unwrap_or(0);
        self.timeline
    }
}

fn insert<T>(list: &mut Vec<T>, place: usize, item: T) -> bool {
    let room = list.len() < LISTED;
    if room {
        list.insert(place, item);
    }
    room
}
