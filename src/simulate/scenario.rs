//! Describes a simulation.

use std::collections::BinaryHeap;

use serde::Deserialize;

use crate::schedule::{RefreshPolicy, Schedule};
use crate::text::number::from_number;
use crate::token::Millis;
use crate::{Code, Error, Result};

/// The scenario of a simulation. As JSON in camel case; every field is optional. Times and
/// durations are milliseconds; times count from the start.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RefreshScenario {
    /// The duration. Default 7,200,000 (two hours), at most 30 days.
    #[serde(deserialize_with = "from_number")]
    pub duration_ms: Millis,
    /// The tokens of the identity endpoint.
    pub token: TokenScript,
    /// The response time of the identity endpoint. Default 200.
    #[serde(deserialize_with = "from_number")]
    pub latency_ms: Millis,
    /// Outages of the identity endpoint.
    pub outages: Vec<Outage>,
    /// The calls for a token.
    pub calls: Calls,
    /// Changes of the wall clock.
    pub clock_steps: Vec<ClockStep>,
    /// Times in which the machine sleeps: the wall clock continues, the monotonic clock stops, and
    /// there are no calls.
    pub suspends: Vec<Suspend>,
    /// Times at which the resource rejects the current token.
    #[serde(deserialize_with = "from_number")]
    pub invalidations_ms: Vec<Millis>,
    /// Whether a timer refreshes the token while there are no calls. Default false.
    pub keep_fresh: bool,
    /// The number of instances, each with its own random numbers. Default 1, at most 100,000.
    pub instances: u32,
    /// The time span in which the instances start. Default 1,000.
    #[serde(deserialize_with = "from_number")]
    pub start_spread_ms: Millis,
    /// The length of a bucket of the fleet's request rate. Default: a 240th of the duration; at
    /// most 100,000 buckets.
    #[serde(deserialize_with = "from_number")]
    pub bucket_ms: Option<Millis>,
    /// The refresh policy.
    pub policy: RefreshPolicy,
    /// The token strategy. Default `keyless`.
    pub strategy: Strategy,
    /// The seed of the random numbers. Default 1.
    pub seed: u32,
}

impl Default for RefreshScenario {
    fn default() -> Self {
        Self {
            duration_ms: 7_200_000,
            token: TokenScript::default(),
            latency_ms: 200,
            outages: Vec::new(),
            calls: Calls::default(),
            clock_steps: Vec::new(),
            suspends: Vec::new(),
            invalidations_ms: Vec::new(),
            keep_fresh: false,
            instances: 1,
            start_spread_ms: 1_000,
            bucket_ms: None,
            policy: RefreshPolicy::default(),
            strategy: Strategy::Keyless,
            seed: 1,
        }
    }
}

/// The token strategy: that of this crate, or one of two common ones for comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// The schedule of this crate.
    #[default]
    Keyless,
    /// A new token for each call, without a cache.
    PerCall,
    /// A cached token. Within two minutes of its expiry it is refreshed in the background, with a
    /// retry every three seconds.
    FixedWindow,
}

/// The tokens of the identity endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TokenScript {
    /// The lifetimes of the tokens in turn; the last one repeats. Default one hour.
    #[serde(deserialize_with = "from_number")]
    pub lifetimes_ms: Vec<Millis>,
    /// The refresh time that the issuer advises, from the request. Default: none.
    #[serde(deserialize_with = "from_number")]
    pub refresh_after_ms: Option<Millis>,
    /// How long the endpoint returns the same token from its cache. Default 0: never.
    #[serde(deserialize_with = "from_number")]
    pub cached_for_ms: Millis,
}

impl Default for TokenScript {
    fn default() -> Self {
        Self {
            lifetimes_ms: vec![3_600_000],
            refresh_after_ms: None,
            cached_for_ms: 0,
        }
    }
}

/// A time in which the identity endpoint fails.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Outage {
    /// The start.
    #[serde(deserialize_with = "from_number")]
    pub from_ms: Millis,
    /// The end (exclusive).
    #[serde(deserialize_with = "from_number")]
    pub to_ms: Millis,
    /// The kind of failure. Default `reset`.
    pub mode: FailureMode,
    /// The HTTP status for the mode `status`. Default 500.
    pub status: u16,
    /// The `Retry-After` of the response.
    #[serde(deserialize_with = "from_number")]
    pub retry_after_ms: Option<Millis>,
}

impl Default for Outage {
    fn default() -> Self {
        Self {
            from_ms: 0,
            to_ms: 0,
            mode: FailureMode::Reset,
            status: 500,
            retry_after_ms: None,
        }
    }
}

/// How the identity endpoint fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailureMode {
    /// The connection is reset.
    #[default]
    Reset,
    /// There is no response.
    Hang,
    /// The response has an HTTP status.
    Status,
}

/// The calls for a token.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Calls {
    /// The interval between calls. Default 60,000; 0 for none.
    #[serde(deserialize_with = "from_number")]
    pub every_ms: Millis,
    /// The time of the first call. Default 0.
    #[serde(deserialize_with = "from_number")]
    pub from_ms: Millis,
    /// The end of the calls. Default: the end of the scenario.
    #[serde(deserialize_with = "from_number")]
    pub to_ms: Option<Millis>,
    /// Times of additional calls.
    #[serde(deserialize_with = "from_number")]
    pub at_ms: Vec<Millis>,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            every_ms: 60_000,
            from_ms: 0,
            to_ms: None,
            at_ms: Vec::new(),
        }
    }
}

/// A change of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ClockStep {
    /// The time of the change.
    #[serde(deserialize_with = "from_number")]
    pub at_ms: Millis,
    /// The amount; negative to set it back.
    #[serde(deserialize_with = "from_number")]
    pub by_ms: Millis,
}

/// A time in which the machine sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Suspend {
    /// The start.
    #[serde(deserialize_with = "from_number")]
    pub from_ms: Millis,
    /// The time of waking.
    #[serde(deserialize_with = "from_number")]
    pub to_ms: Millis,
}

const LONGEST_MS: Millis = 2_592_000_000;
const MOST_INSTANCES: u32 = 100_000;

/// The most calls to simulate over all instances: a few seconds of work.
const MOST_CALLS: i64 = 50_000_000;

/// The default number of buckets of the fleet's request rate.
const BUCKETS: Millis = 240;

const MOST_BUCKETS: Millis = 100_000;

/// A validated scenario, in whole milliseconds.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) duration: Millis,
    pub(super) lifetimes: Vec<Millis>,
    pub(super) refresh_after: Option<Millis>,
    pub(super) cached_for: Millis,
    pub(super) latency: Millis,
    pub(super) outages: Vec<Outage>,
    pub(super) calls_every: Millis,
    pub(super) calls_from: Millis,
    pub(super) calls_to: Millis,
    /// The additional calls, in order.
    pub(super) calls_at: Vec<Millis>,
    pub(super) clock_steps: Vec<(Millis, Millis)>,
    pub(super) suspends: Vec<(Millis, Millis)>,
    pub(super) invalidations: Vec<Millis>,
    pub(super) keep_fresh: bool,
    pub(super) instances: u32,
    pub(super) start_spread: Millis,
    pub(super) bucket: Millis,
    /// The initial schedule, without a token.
    pub(super) schedule: Schedule,
    pub(super) strategy: Strategy,
    pub(super) seed: u32,
}

impl RefreshScenario {
    /// Validates every field.
    pub(super) fn check(&self) -> Result<Plan> {
        let duration = within("durationMs", self.duration_ms, 1, LONGEST_MS)?;
        let point = |name: &str, value: Millis| within(name, value, 0, LONGEST_MS);
        let points = |name: &str, values: &[Millis]| -> Result<Vec<Millis>> {
            let points = values.iter().map(|&value| point(name, value));
            points
                .collect::<Result<BinaryHeap<_>>>()
                .map(BinaryHeap::into_sorted_vec)
        };
        if self.token.lifetimes_ms.is_empty() {
            return Err(refuse(
                "token.lifetimesMs must hold one lifetime at least".to_owned(),
            ));
        }
        let lifetimes = self.token.lifetimes_ms.iter();
        let lifetimes = lifetimes.map(|&life| within("token.lifetimesMs", life, 1, LONGEST_MS));
        let refresh_after = self
            .token
            .refresh_after_ms
            .map(|value| point("token.refreshAfterMs", value));
        for outage in &self.outages {
            span("outages", outage.from_ms, outage.to_ms)?;
            if let Some(pause) = outage.retry_after_ms {
                point("outages.retryAfterMs", pause)?;
            }
        }
        let steps = self.clock_steps.iter().map(|step| {
            let by = within("clockSteps.byMs", step.by_ms, -LONGEST_MS * 400, LONGEST_MS * 400)?;
            Ok((point("clockSteps.atMs", step.at_ms)?, by))
        });
        let clock_steps = steps.collect::<Result<BinaryHeap<_>>>()?.into_sorted_vec();
        let suspends = self
            .suspends
            .iter()
            .map(|one| span("suspends", one.from_ms, one.to_ms));
        let suspends = suspends.collect::<Result<BinaryHeap<_>>>()?.into_sorted_vec();
        let plan = Plan {
            duration,
            lifetimes: lifetimes.collect::<Result<_>>()?,
            refresh_after: refresh_after.transpose()?,
            cached_for: point("token.cachedForMs", self.token.cached_for_ms)?,
            latency: point("latencyMs", self.latency_ms)?,
            outages: self.outages.clone(),
            calls_every: point("calls.everyMs", self.calls.every_ms)?,
            calls_from: point("calls.fromMs", self.calls.from_ms)?,
            calls_to: self
                .calls
                .to_ms
                .map_or(Ok(duration), |to| point("calls.toMs", to))?
                .min(duration),
            calls_at: points("calls.atMs", &self.calls.at_ms)?,
            clock_steps,
            suspends,
            invalidations: points("invalidationsMs", &self.invalidations_ms)?,
            keep_fresh: self.keep_fresh,
            instances: self.instances,
            start_spread: point("startSpreadMs", self.start_spread_ms)?,
            bucket: self.bucket_ms.map_or(Ok((duration / BUCKETS).max(1)), |bucket| {
                within("bucketMs", bucket, (duration - 1) / MOST_BUCKETS + 1, LONGEST_MS)
            })?,
            schedule: Schedule::new(self.policy)?,
            strategy: self.strategy,
            seed: self.seed,
        };
        if !(1..=MOST_INSTANCES).contains(&plan.instances) {
            return Err(refuse(format!(
                "instances must be from 1 to {MOST_INSTANCES}; it is {}",
                plan.instances
            )));
        }
        let calling = (plan.calls_to - plan.calls_from).max(0);
        let regular = if plan.calls_every == 0 {
            0
        } else {
            calling / plan.calls_every
        };
        let single = i64::try_from(plan.calls_at.len()).unwrap_or(i64::MAX);
        let calls = single
            .saturating_add(regular)
            .saturating_mul(plan.instances.into());
        if calls > MOST_CALLS {
            return Err(refuse(format!(
                "the scenario makes {calls} calls; {MOST_CALLS} are the most"
            ))
            .hint("Raise calls.everyMs, or lower instances or durationMs."));
        }
        Ok(plan)
    }
}

fn span(name: &str, from: Millis, to: Millis) -> Result<(Millis, Millis)> {
    let (from, to) = (
        within(name, from, 0, LONGEST_MS)?,
        within(name, to, 0, LONGEST_MS)?,
    );
    if to < from {
        Err(refuse(format!("{name}: toMs lies before fromMs")))
    } else {
        Ok((from, to))
    }
}

fn within(name: &str, value: Millis, least: Millis, most: Millis) -> Result<Millis> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(refuse(format!("{name} must be a number from {least} to {most}")))
}

pub(super) fn refuse(message: String) -> Error {
    Error::new(Code::ScenarioInvalid, message)
}
