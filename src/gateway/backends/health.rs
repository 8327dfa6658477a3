//! Decides how long a backend is left alone after a failure, and when it is asked again.

use crate::schedule::jittered;
use crate::token::Millis;

/// The first pause after failures, and the longest. Each is twice the one before.
const FIRST_PAUSE_MS: Millis = 1_000;
const LONGEST_BACKOFF_MS: Millis = 60_000;

/// The bounds of a pause that the resource asks for. After the longest it is asked again, in case
/// its quota was raised.
const SHORTEST_ASKED_MS: Millis = 100;
const LONGEST_ASKED_MS: Millis = 300_000;

/// So many failures in a row pause a backend. One that cannot be reached is paused at once.
const FAILURES: u32 = 3;

/// How long one request after a pause keeps others away, if it gets no answer.
const PROBE_MS: Millis = 10_000;

/// How many models of a backend can be paused at a time.
const MAX_MODELS: usize = 64;

/// The result of a request to a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// How long it asks to be left alone, by `Retry-After`.
        retry_after_ms: Option<u32>,
    },
    /// No connection could be made, or no token acquired: it has seen nothing of the request.
    Unreachable,
    /// The connection broke, or it took too long, before the first byte of an answer.
    Broke,
    /// The client left before.
    Left,
}

/// Whether requests may be sent to a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    Ready,
    /// A request finds out whether all is well again. Others are sent only if no backend is ready.
    Probing,
    /// Not before this time. `by_quota`: it asked for the pause, for the model of the request.
    Paused {
        until: Millis,
        by_quota: bool,
    },
}

#[derive(Debug, Clone, Default)]
pub(super) struct Health {
    /// Failures since the last success.
    failures: u32,
    /// Of the whole backend.
    broken: Pause,
    /// Of its models, by name.
    quotas: Vec<(String, Pause)>,
}

/// A pause, and the request that is sent when it is over.
#[derive(Debug, Clone, Default)]
struct Pause {
    /// When it began and when it ends. It lasts on until a request succeeds.
    span: Option<(Millis, Millis)>,
    /// When the request was sent that finds out whether all is well again.
    probe: Option<Millis>,
    /// How many pauses came before it without a success.
    setbacks: u32,
}

impl Pause {
    fn readiness(&self, now: Millis, by_quota: bool) -> Readiness {
        let is_probed = |sent: Millis| now < sent.saturating_add(PROBE_MS);
        match self.span {
            Some((_, until)) if now < until => Readiness::Paused { until, by_quota },
            Some(_) if self.probe.is_some_and(is_probed) => Readiness::Probing,
            _ => Readiness::Ready,
        }
    }

    /// Whether a request was sent before it began: its result tells nothing new.
    fn is_after(&self, sent: Millis) -> bool {
        self.span.is_some_and(|(since, _)| sent <= since)
    }

    fn sent(&mut self, now: Millis) {
        // Not for one that is asked for want of another.
        if self.readiness(now, false) == Readiness::Ready && self.span.is_some() {
            self.probe = Some(now);
        }
    }

    /// Notes that a request has its result.
    fn probed(&mut self, sent: Millis) {
        if self.probe == Some(sent) {
            self.probe = None;
        }
    }

    /// Begins, or lasts longer if the resource asks for it.
    fn start(&mut self, asked: Option<u32>, Timing { sent, now, chance }: Timing) {
        let is_late = self.is_after(sent);
        let length = match asked {
            Some(asked) => Millis::from(asked).clamp(SHORTEST_ASKED_MS, LONGEST_ASKED_MS),
            None if is_late => return,
            None => FIRST_PAUSE_MS
                .saturating_mul(1 << self.setbacks.min(30))
                .min(LONGEST_BACKOFF_MS),
        };
        // Jitter, because a fleet of gateways would return at the same time.
        let until = now.saturating_add(jittered(length, chance));
        match &mut self.span {
            Some((_, end)) if is_late => *end = until.max(*end),
            span => {
                *span = Some((now, until));
                self.setbacks = self.setbacks.saturating_add(1);
                self.probe = None;
            }
        }
    }

    fn succeed(&mut self, sent: Millis) {
        if !self.is_after(sent) {
            *self = Self::default();
        }
    }
}

/// When a request was sent, when its result was known, and a random number in 0..1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) sent: Millis,
    pub(super) now: Millis,
    pub(super) chance: f64,
}

impl Health {
    pub(super) fn readiness(&self, model: Option<&str>, now: Millis) -> Readiness {
        let quota = self.quota(model);
        match (
            self.broken.readiness(now, false),
            quota.map(|pause| pause.readiness(now, true)),
        ) {
            (Readiness::Ready, Some(quota))
            | (Readiness::Probing, Some(quota @ Readiness::Paused { .. })) => quota,
            (broken, _) => broken,
        }
    }

    fn quota(&self, model: Option<&str>) -> Option<&Pause> {
        let model = model.unwrap_or_default();
        let mut quotas = self.quotas.iter();
        quotas.find(|(name, _)| name == model).map(|(_, pause)| pause)
    }

    fn quota_mut(&mut self, model: Option<&str>) -> Option<&mut Pause> {
        let model = model.unwrap_or_default();
        let mut quotas = self.quotas.iter_mut();
        quotas.find(|(name, _)| name == model).map(|(_, pause)| pause)
    }

    /// Notes that a request is sent: after a pause, the others wait for its result.
    pub(super) fn sent(&mut self, model: Option<&str>, now: Millis) {
        self.broken.sent(now);
        if let Some(quota) = self.quota_mut(model) {
            quota.sent(now);
        }
    }

    pub(super) fn report(&mut self, model: Option<&str>, outcome: Outcome, times: Timing) {
        self.broken.probed(times.sent);
        if let Some(quota) = self.quota_mut(model) {
            quota.probed(times.sent);
        }
        match outcome {
            Outcome::Answered {
                status: 429,
                retry_after_ms,
            } => {
                self.succeed(times);
                self.pause_model(model, retry_after_ms, times);
            }
            Outcome::Answered {
                status: 500..,
                retry_after_ms,
            } => self.fail(
                if retry_after_ms.is_some() { 1 } else { FAILURES },
                retry_after_ms,
                times,
            ),
            Outcome::Broke => self.fail(FAILURES, None, times),
            Outcome::Unreachable => self.fail(1, None, times),
            Outcome::Answered { .. } => {
                self.succeed(times);
                if let Some(quota) = self.quota_mut(model) {
                    quota.succeed(times.sent);
                    self.quotas.retain(|(_, pause)| pause.span.is_some());
                }
            }
            Outcome::Left => {}
        }
    }

    fn succeed(&mut self, Timing { sent, .. }: Timing) {
        if !self.broken.is_after(sent) {
            self.failures = 0;
            self.broken.succeed(sent);
        }
    }

    /// Pauses the backend if so many requests failed in a row, or one that ended a pause.
    fn fail(&mut self, enough: u32, asked: Option<u32>, times: Timing) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= enough || self.broken.span.is_some() {
            self.broken.start(asked, times);
        }
    }

    fn pause_model(&mut self, model: Option<&str>, asked: Option<u32>, times: Timing) {
        if let Some(pause) = self.quota_mut(model) {
            pause.start(asked, times);
            return;
        }
        if self.quotas.len() >= MAX_MODELS {
            self.quotas.remove(0);
        }
        let mut pause = Pause::default();
        pause.start(asked, times);
        self.quotas.push((model.unwrap_or_default().to_owned(), pause));
    }
}
