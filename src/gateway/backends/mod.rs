//! Chooses the backend of each request, where a gateway has several.
//!
//! A request goes to a backend that serves its model, of those with the lowest `priority` that are
//! not paused, by `weight`. [`Pool::report`] notes the result: a 429 pauses the model there for its
//! `Retry-After`; a backend that cannot be reached, or fails three times in a row, is paused as a
//! whole, from a second to a minute. After a pause one request is sent as a probe, and the others
//! follow when it has succeeded, or at once if no other backend can answer them. [`asks_next`] says which failures are sent to another backend.
//!
//! A conversation stays with the resource that made its ids or its encrypted reasoning:
//! [`Pool::read_answer`] remembers them, [`Wanted`] finds them in requests.

mod health;
mod marks;
mod scan;
mod wanted;

use crate::token::Millis;
use health::{Health, Readiness, Timing};
use marks::Marks;

pub use health::Outcome;
pub use marks::AnswerReader;
pub use wanted::Wanted;

/// The settings of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// The host of its resource: conversations stay with it.
    pub resource: String,
    /// The models that it serves; all of them if empty.
    pub models: Vec<String>,
    /// Backends with a higher number are asked if all with lower ones are paused.
    pub priority: u32,
    /// Its share of the requests, among those with the same priority. At least 1.
    pub weight: u32,
}

/// Which backend to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// This one, by its position.
    Ask(usize),
    /// None for so many milliseconds: then the first of them has quota again.
    Wait(u32),
    /// None serves the model.
    UnknownModel,
    /// No further one: the result of the last is the answer.
    Exhausted,
}

/// The backends of a gateway and what is known of them.
#[derive(Debug)]
pub struct Pool {
    members: Vec<Member>,
    /// The hosts of the resources, each once.
    resources: Vec<String>,
    marks: Marks,
}

#[derive(Debug)]
struct Member {
    settings: Backend,
    /// The position in `resources`.
    resource: usize,
    health: Health,
    /// Requests that it is answering.
    active: u32,
}

impl Pool {
    /// Starts with backends that are all well.
    ///
    /// ```
    /// use copilot_keyless::gateway::{Backend, Choice, Outcome, Pool, Wanted};
    ///
    /// let backend = |resource: &str, priority| Backend {
    ///     resource: resource.to_owned(),
    ///     models: Vec::new(),
    ///     priority,
    ///     weight: 1,
    /// };
    /// let mut pool = Pool::new(vec![backend("east", 0), backend("west", 1)]);
    /// let wanted = Wanted::read("/openai/v1/responses", br#"{"model":"gpt-5.5"}"#);
    /// assert_eq!(pool.choose(&wanted, &[], true, 0, 0.5), Choice::Ask(0));
    /// let full = Outcome::Answered { status: 429, retry_after_ms: Some(7_000) };
    /// pool.report(0, &wanted, full, 0, 10, 0.0);
    /// assert_eq!(pool.choose(&wanted, &[0], false, 10, 0.5), Choice::Ask(1));
    /// ```
    pub fn new(backends: Vec<Backend>) -> Self {
        let mut resources: Vec<String> = Vec::new();
        let members = backends
            .into_iter()
            .map(|settings| {
                let known = resources.iter().position(|one| *one == settings.resource);
                let resource = known.unwrap_or_else(|| {
                    resources.push(settings.resource.clone());
                    resources.len() - 1
                });
                Member {
                    settings,
                    resource,
                    health: Health::default(),
                    active: 0,
                }
            })
            .collect();
        Self {
            members,
            resources,
            marks: Marks::default(),
        }
    }

    /// Takes over the conversations and pauses of the backends that another pool has too, after a
    /// change of the settings.
    pub fn adopt(&mut self, other: &Self) {
        for member in &mut self.members {
            let same = |old: &&Member| {
                old.settings.resource == member.settings.resource
                    && old.settings.models == member.settings.models
            };
            if let Some(old) = other.members.iter().find(same) {
                member.health = old.health.clone();
            }
        }
        let resources = &self.resources;
        self.marks.adopt(&other.marks, |old| {
            let name = other.resources.get(old)?;
            resources.iter().position(|one| one == name)
        });
    }

    /// Chooses the backend of a request. `excluded`: those that do not have its path, or were asked in
    /// vain. `is_first`: none was asked, so that a paused one is, rather than none. `now`: a
    /// monotonic time in milliseconds. `chance`: a random number in 0..1. Call [`Pool::finish`] when
    /// the request is over.
    pub fn choose(
        &mut self,
        wanted: &Wanted,
        excluded: &[usize],
        is_first: bool,
        now: Millis,
        chance: f64,
    ) -> Choice {
        let model = wanted.model();
        let serving: Vec<usize> = self.positions(|_, member| member.serves(model));
        if serving.is_empty() {
            return Choice::UnknownModel;
        }
        let pinned = self.pinned(wanted);
        let own = self.positions(|at, member| Some(member.resource) == pinned && serving.contains(&at));
        let mut candidates = if own.is_empty() { serving } else { own };
        candidates.retain(|at| !excluded.contains(at));
        let pick = |readiness| {
            let fit = self.those(readiness, &candidates, model, now);
            self.pick(&fit, wanted.fixed_chance(), chance)
        };
        let chosen = match pick(Readiness::Ready).or_else(|| pick(Readiness::Probing)) {
            Some(at) => at,
            None if candidates.is_empty() || !is_first => return Choice::Exhausted,
            None => match self.soonest(&candidates, model, now) {
                Ok(at) => at,
                Err(until) => return Choice::Wait(u32::try_from(until - now).unwrap_or(u32::MAX)),
            },
        };
        if let Some(member) = self.members.get_mut(chosen) {
            member.active = member.active.saturating_add(1);
            member.health.sent(model, now);
        }
        Choice::Ask(chosen)
    }

    /// Notes the result of a request that was sent at `sent`, or the status of its answer.
    pub fn report(
        &mut self,
        backend: usize,
        wanted: &Wanted,
        outcome: Outcome,
        sent: Millis,
        now: Millis,
        chance: f64,
    ) {
        if let Some(member) = self.members.get_mut(backend) {
            let times = Timing { sent, now, chance };
            member.health.report(wanted.model(), outcome, times);
        }
    }

    /// Notes that a backend has finished with a request: its answer is complete, or there is none.
    pub fn finish(&mut self, backend: usize) {
        if let Some(member) = self.members.get_mut(backend) {
            member.active = member.active.saturating_sub(1);
        }
    }

    /// Remembers the ids and the encrypted reasoning in a piece of an answer.
    pub fn read_answer(&mut self, backend: usize, reader: &mut AnswerReader, bytes: &[u8]) {
        if let Some(Member { resource, .. }) = self.members.get(backend) {
            let (marks, resource) = (&mut self.marks, *resource);
            reader.feed(bytes, &mut |mark| marks.remember(mark, resource));
        }
    }

    /// Whether another backend may know the ids of a request that this one does not know: nobody
    /// remembers who made them, such as after a restart.
    pub fn is_lost(&mut self, wanted: &Wanted) -> bool {
        wanted.is_bound && self.pinned(wanted).is_none()
    }

    /// How long a backend is paused, as a whole or for a model, in milliseconds; 0 if it is not.
    pub fn paused_ms(&self, backend: usize, model: Option<&str>, now: Millis) -> u32 {
        match self
            .members
            .get(backend)
            .map(|member| member.health.readiness(model, now))
        {
            Some(Readiness::Paused { until, .. }) => u32::try_from(until - now).unwrap_or(u32::MAX),
            _ => 0,
        }
    }

    /// The resource that made the last of the marks that are remembered.
    fn pinned(&mut self, wanted: &Wanted) -> Option<usize> {
        let marks = &mut self.marks;
        wanted.marks.iter().rev().find_map(|mark| marks.find(*mark))
    }

    fn positions(&self, fits: impl Fn(usize, &Member) -> bool) -> Vec<usize> {
        let all = self.members.iter().enumerate();
        all.filter(|(at, member)| fits(*at, member))
            .map(|(at, _)| at)
            .collect()
    }

    /// Those in this state, of the lowest priority.
    fn those(
        &self,
        readiness: Readiness,
        candidates: &[usize],
        model: Option<&str>,
        now: Millis,
    ) -> Vec<usize> {
        let fit = self.positions(|at, member| {
            candidates.contains(&at) && member.health.readiness(model, now) == readiness
        });
        let priority = |at: &usize| self.members.get(*at).map(|member| member.settings.priority);
        let first = fit.iter().map(priority).min().flatten();
        fit.into_iter().filter(|at| priority(at) == first).collect()
    }

    /// Picks one by weight, and by the requests that each is answering: a slow one gets fewer.
    fn pick(&self, ready: &[usize], fixed: Option<f64>, chance: f64) -> Option<usize> {
        let share = |at: &usize| {
            self.members.get(*at).map_or(0.0, |member| {
                let weight = f64::from(member.settings.weight.max(1));
                match fixed {
                    Some(_) => weight,
                    None => weight / (1.0 + f64::from(member.active) / weight),
                }
            })
        };
        let total: f64 = ready.iter().map(share).sum();
        let mut point = fixed.unwrap_or(chance).clamp(0.0, 1.0) * total;
        for at in ready {
            point -= share(at);
            if point < 0.0 {
                return Some(*at);
            }
        }
        ready.last().copied()
    }

    /// Of backends that are all paused, the one whose pause ends first: its position, or the end of
    /// the pause if that is for its quota.
    fn soonest(&self, candidates: &[usize], model: Option<&str>, now: Millis) -> Result<usize, Millis> {
        let ends = candidates.iter().filter_map(|at| {
            let member = self.members.get(*at)?;
            match member.health.readiness(model, now) {
                Readiness::Paused { until, by_quota } => Some((until, by_quota, *at)),
                _ => None,
            }
        });
        match ends.min() {
            Some((_, false, at)) => Ok(at),
            Some((until, true, _)) => Err(until),
            None => Err(now),
        }
    }
}

impl Member {
    fn serves(&self, model: Option<&str>) -> bool {
        let models = &self.settings.models;
        let is_named = |model: &str| models.iter().any(|own| own.eq_ignore_ascii_case(model));
        models.is_empty() || model.is_none_or(is_named)
    }
}

/// Whether a request is sent to another backend, before the client has received anything.
/// `repeatable`: its whole body is there. `is_safe`: it asks a model or only reads, so that nothing
/// is created twice. `is_lost`: by [`Pool::is_lost`].
///
/// ```
/// use copilot_keyless::gateway::{Outcome, asks_next};
///
/// let answered = |status| Outcome::Answered { status, retry_after_ms: None };
/// assert!(asks_next(answered(429), true, false, false));
/// assert!(asks_next(answered(500), true, true, false));
/// assert!(!asks_next(answered(500), true, false, false));
/// assert!(!asks_next(answered(404), true, true, false));
/// assert!(asks_next(answered(404), true, true, true));
/// ```
pub fn asks_next(outcome: Outcome, repeatable: bool, is_safe: bool, is_lost: bool) -> bool {
    repeatable
        && match outcome {
            Outcome::Unreachable => true,
            Outcome::Answered { status, .. } => match status {
                429 | 503 => true,
                400 | 404 => is_lost,
                500.. => is_safe,
                _ => false,
            },
            Outcome::Broke => is_safe,
            Outcome::Left => false,
        }
}
