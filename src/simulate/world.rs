//! Simulates the surroundings of an instance: its clocks, the identity endpoint, its callers and
//! random numbers.

use super::scenario::{FailureMode, Outage, Plan};
use super::work_limit::Effort;
use crate::Code;
use crate::schedule::{Evidence, Now};
use crate::token::Millis;

/// The wall clock at the start: 2026-01-01.
const EPOCH_MS: Millis = 1_767_225_600_000;

/// How long a reset of the connection takes, at most the latency.
const RESET_MS: Millis = 5;

/// A reproducible random number generator (`SplitMix64`).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u32, instance: u32) -> Self {
        Self((u64::from(seed) << 32) | u64::from(instance))
    }

    /// Returns a number that is uniform in 0..1.
    pub(super) fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns the delay of an instance's start.
    pub(super) fn start_delay(&mut self, plan: &Plan) -> Millis {
        if plan.instances > 1 {
            (plan.start_spread as f64 * self.draw()) as Millis
        } else {
            0
        }
    }
}

/// A response of the identity endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// A token with its real expiry.
    Token {
        dies: Millis,
        refresh_after: Option<Millis>,
    },
    /// An HTTP status; `None` for a reset connection.
    Error {
        status: Option<u16>,
        retry_after_ms: Option<Millis>,
    },
    /// No response.
    Never,
}

pub(super) struct World<'a> {
    plan: &'a Plan,
    pub(super) effort: &'a Effort,
    /// The delay of this instance's start, which also delays its calls.
    delay: Millis,
    tokens_issued: usize,
    /// The token in the platform's cache: when it was issued and when it expires.
    cached: Option<(Millis, Millis)>,
    next_at: usize,
}

impl<'a> World<'a> {
    pub(super) fn new(plan: &'a Plan, delay: Millis, effort: &'a Effort) -> Self {
        Self {
            plan,
            effort,
            delay,
            tokens_issued: 0,
            cached: None,
            next_at: 0,
        }
    }

    /// Returns both clocks at a time.
    pub(super) fn now(&self, at: Millis) -> Now {
        self.effort
            .spend(1 + self.plan.clock_steps.len() + self.plan.suspends.len());
        let steps = self.plan.clock_steps.iter().take_while(|(when, _)| *when <= at);
        let slept: Millis = self
            .plan
            .suspends
            .iter()
            .map(|&(from, to)| (at.min(to) - from).max(0))
            .sum();
        Now {
            wall: EPOCH_MS + at + steps.map(|(_, by)| by).sum::<Millis>(),
            mono: at - slept,
        }
    }

    /// Returns the time itself, or the time of waking if the machine sleeps.
    pub(super) fn awake(&self, at: Millis) -> Millis {
        self.effort.spend(self.plan.suspends.len());
        let sleeps = self
            .plan
            .suspends
            .iter()
            .find(|&&(from, to)| from <= at && at < to);
        sleeps.map_or(at, |&(_, to)| to)
    }

    /// Returns the times at which a clock jumps.
    pub(super) fn disturbances(&self) -> Vec<Millis> {
        let steps = self.plan.clock_steps.iter().map(|&(at, _)| at);
        steps
            .chain(self.plan.suspends.iter().map(|&(_, to)| to))
            .collect()
    }

    /// Requests a token from the identity endpoint.
    pub(super) fn ask(&mut self, at: Millis) -> Answer {
        self.effort.spend(1 + self.plan.outages.len());
        match self.outage(at) {
            Some(Outage {
                mode: FailureMode::Hang,
                ..
            }) => Answer::Never,
            Some(Outage {
                mode: FailureMode::Reset,
                ..
            }) => Answer::Error {
                status: None,
                retry_after_ms: None,
            },
            Some(Outage {
                mode: FailureMode::Status,
                status,
                retry_after_ms,
                ..
            }) => Answer::Error {
                status: Some(*status),
                retry_after_ms: *retry_after_ms,
            },
            None => {
                let cached = self
                    .cached
                    .filter(|(made, dies)| at < made + self.plan.cached_for && at < *dies);
                let (made, dies) = cached.unwrap_or_else(|| (at, at + self.next_lifetime()));
                self.cached = Some((made, dies));
                Answer::Token {
                    dies,
                    refresh_after: self.plan.refresh_after,
                }
            }
        }
    }

    /// Returns the time until a response arrives.
    pub(super) fn latency(&self, answer: Answer) -> Millis {
        match answer {
            Answer::Error { status: None, .. } => self.plan.latency.min(RESET_MS),
            _ => self.plan.latency,
        }
    }

    /// Returns the time of the first call after `after`, or of the first call.
    pub(super) fn next_call(&mut self, after: Option<Millis>) -> Option<Millis> {
        let every = self.plan.calls_every;
        let first = self.plan.calls_from + self.delay;
        let regular = match after {
            _ if every == 0 => None,
            Some(after) if after >= first => Some(first + ((after - first) / every + 1) * every),
            _ => Some(first),
        };
        let regular = regular.filter(|&at| at < self.plan.calls_to);
        while self
            .single()
            .is_some_and(|at| after.is_some_and(|after| at <= after))
        {
            self.next_at += 1;
        }
        let single = self.single().filter(|&at| at < self.plan.duration);
        [regular, single].into_iter().flatten().min()
    }

    fn single(&self) -> Option<Millis> {
        self.plan.calls_at.get(self.next_at).map(|at| at + self.delay)
    }

    fn outage(&self, at: Millis) -> Option<&Outage> {
        self.plan
            .outages
            .iter()
            .find(|outage| (outage.from_ms..outage.to_ms).contains(&at))
    }

    fn next_lifetime(&mut self) -> Millis {
        let lifetimes = &self.plan.lifetimes;
        let lifetime = lifetimes.get(self.tokens_issued).or(lifetimes.last()).copied();
        self.tokens_issued += 1;
        lifetime.unwrap_or_default()
    }
}

/// Returns the code of a failure. Without a status, the connection was lost.
pub(super) fn code_of(status: Option<u16>) -> Code {
    let evidence = Evidence {
        status,
        network: true,
        ..Evidence::default()
    };
    evidence.code()
}
