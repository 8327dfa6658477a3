//! What happened in a simulated life.

use serde::Serialize;

use super::scenario::Plan;
use crate::Code;
use crate::schedule::Phase;
use crate::token::Millis;

/// So many calls and attempts are listed at the most; the totals count all.
const LISTED: usize = 5_000;

/// What happened, in milliseconds from the start. `phases`, `attempts` and `calls` show the first instance and list 5,000
/// entries at the most; `totals` and `fleet` count all instances.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RefreshTimeline {
    /// How long the scenario lasted.
    pub duration_ms: f64,
    /// The phases of the token, one after another. Empty for strategies that have none.
    pub phases: Vec<PhaseSpan>,
    /// The requests at the identity endpoint.
    pub attempts: Vec<Attempt>,
    /// The calls for a token.
    pub calls: Vec<Call>,
    /// Whether entries had to be left out of the lists.
    pub truncated: bool,
    /// All of it, counted.
    pub totals: Totals,
    /// The request rate at the identity endpoint.
    pub fleet: Fleet,
}

/// A stretch of time in one phase.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PhaseSpan {
    /// The phase.
    pub phase: Phase,
    /// Its first moment.
    pub from_ms: f64,
    /// The first moment after it.
    pub to_ms: f64,
}

/// A request at the identity endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Attempt {
    /// When it was sent.
    pub at_ms: f64,
    /// When it was answered, or given up.
    pub end_ms: f64,
    /// Whether nobody waited for it when it was sent.
    pub background: bool,
    /// What came of it.
    pub outcome: AttemptOutcome,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptOutcome {
    /// A new token.
    Succeeded,
    /// The same token again.
    Unchanged,
    /// An error.
    Failed,
    /// No answer in time, or before the end.
    Abandoned,
}

/// A call for a token.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Call {
    /// When it was made.
    pub at_ms: f64,
    /// How long it waited.
    pub wait_ms: f64,
    /// What it got.
    pub outcome: CallOutcome,
    /// The error's code where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

/// What a call got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CallOutcome {
    /// A fresh token, at once.
    Fresh,
    /// A token past its refresh time, at once.
    Due,
    /// A token, after a wait.
    Waited,
    /// An error.
    Failed,
    /// A token that had expired by the time that nobody can set. It never happens to the strategy `keyless`.
    Dead,
}

/// Counts over all instances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Calls for a token.
    pub calls: u32,
    /// Those served at once with a fresh token.
    pub fresh: u32,
    /// Those served at once with a token past its refresh time.
    pub due: u32,
    /// Those that waited.
    pub waited: u32,
    /// Those that failed.
    pub failed: u32,
    /// Those that got a dead token.
    pub dead: u32,
    /// The longest wait of a call that got a token, in milliseconds.
    pub longest_wait_ms: f64,
    /// Requests at the identity endpoint.
    pub attempts: u32,
    /// Those that failed or were given up.
    pub failed_attempts: u32,
}

/// The request rate at the identity endpoint.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Fleet {
    /// How many instances there were.
    pub instances: u32,
    /// How long a bucket is, in milliseconds.
    pub bucket_ms: f64,
    /// Requests in each bucket, from the start.
    pub requests: Vec<u32>,
    /// The most in a bucket.
    pub peak: u32,
}

/// Writes the timeline while the instances live.
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
                duration_ms: plan.duration as f64,
                phases: Vec::new(),
                attempts: Vec::new(),
                calls: Vec::new(),
                truncated: false,
                totals: Totals::default(),
                fleet: Fleet {
                    instances: plan.instances,
                    bucket_ms: bucket as f64,
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
            totals.longest_wait_ms = totals.longest_wait_ms.max(wait as f64);
        }
        if shown {
            let call = Call {
                at_ms: at as f64,
                wait_ms: wait as f64,
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
                at_ms: at as f64,
                end_ms: end as f64,
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

    /// The phase of the first instance from a moment on.
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
                from_ms: from as f64,
                to_ms: at as f64,
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
