//! What the clones of a provider share: the schedule behind a lock, and the snapshot in front of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use copilot_keyless::schedule::{FlightStart, Now, Phase};
use copilot_keyless::token::challenge;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::cache::{Cache, Choice};
use super::flight::{End, Flight, Launch};
use super::{RefreshPolicy, TokenStatus, keep_fresh};
use crate::clock::{self, Clock, duration_of};
use crate::credential::{Credential, TokenRequest};
use crate::sync::MutexGuard;
use crate::{Error, Result, Token};

/// The settings of a provider.
pub(super) struct Settings {
    pub(super) credential: Arc<dyn Credential>,
    pub(super) scopes: Vec<String>,
    pub(super) tenant: Option<String>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) keep_fresh: bool,
}

/// The state behind the lock.
pub(super) type State = super::state::State<Flight>;

pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) cache: Cache<Flight>,
    status: watch::Sender<TokenStatus>,
    /// The number of running flights.
    pub(super) tasks: watch::Sender<usize>,
    keeper: Mutex<Option<AbortHandle>>,
}

/// What a caller does.
pub(super) enum Answer {
    Use(Token),
    Wait {
        flight: u32,
        end: watch::Receiver<Option<End>>,
        timeout: Duration,
    },
    Fail(Error),
}

impl Shared {
    pub(super) fn new(settings: Settings, policy: RefreshPolicy) -> Result<Arc<Self>> {
        let cache = Cache::new(policy)?;
        let status = cache.lock().status(clock::now(&*settings.clock));
        Ok(Arc::new(Self {
            settings,
            cache,
            status: watch::Sender::new(status),
            tasks: watch::Sender::new(0),
            keeper: Mutex::new(None),
        }))
    }

    pub(super) fn now(&self) -> Now {
        clock::now(&*self.settings.clock)
    }

    /// Returns the token if that needs no wait.
    pub(super) fn ready(self: &Arc<Self>) -> Option<Token> {
        let now = self.now();
        self.cache.ready(now, |state| match self.decide(state, now) {
            Answer::Use(token) => Some(token),
            Answer::Wait { .. } | Answer::Fail(_) => None,
        })
    }

    /// Returns the token if it is good, at any time and anywhere. Starts a refresh that is due, if that
    /// is possible here.
    pub(super) fn try_ready(self: &Arc<Self>) -> Option<Token> {
        let now = self.now();
        let state = self.lock();
        match state.schedule.phase(now) {
            Phase::Fresh | Phase::Due => match self.decide(state, now) {
                Answer::Use(token) => Some(token),
                Answer::Wait { .. } | Answer::Fail(_) => None,
            },
            Phase::Empty | Phase::Expired | Phase::Closed => None,
        }
    }

    /// Decides for a caller. Starts the flight that the schedule asks for.
    pub(super) fn ask(self: &Arc<Self>) -> Answer {
        let now = self.now();
        self.decide(self.lock(), now)
    }

    fn decide(self: &Arc<Self>, mut state: MutexGuard<'_, State>, now: Now) -> Answer {
        let Ok(runtime) = Handle::try_current() else {
            return match (state.schedule.phase(now), &state.token) {
                (Phase::Fresh | Phase::Due, Some(held)) => Answer::Use(held.token.clone()),
                (Phase::Closed, _) => Answer::Fail(Error::closed()),
                _ => Answer::Fail(Error::no_runtime()),
            };
        };
        let mut launch = None;
        let choice = self.cache.decide(&mut state, now, |state, start, background| {
            launch = Some(self.prepare(state, start, background, now));
        });
        let answer = match choice {
            Choice::Use(token) => Answer::Use(token),
            Choice::Wait { flight, timeout_ms } => match &state.flight {
                Some(current) => {
                    let timeout = duration_of(timeout_ms);
                    current.end_by(Instant::now() + timeout);
                    Answer::Wait {
                        flight,
                        end: current.end.subscribe(),
                        timeout,
                    }
                }
                None => Answer::Fail(Error::closed()),
            },
            Choice::Refuse { retry_after_ms } => {
                let failure = state.last_failure.clone().unwrap_or_else(Error::closed);
                Answer::Fail(failure.with_pause(duration_of(retry_after_ms)))
            }
            Choice::Closed => Answer::Fail(Error::closed()),
        };
        drop(state);
        // Without the lock: a runtime that has ended drops the task at once.
        if let Some(launch) = launch {
            launch.start(&runtime);
        }
        self.keep(&runtime);
        answer
    }

    /// Registers a flight. Callers of an earlier one, which the schedule has given up, ask again.
    fn prepare(
        self: &Arc<Self>,
        state: &mut State,
        start: FlightStart,
        background: bool,
        now: Now,
    ) -> Launch {
        let mut request =
            TokenRequest::new(self.settings.scopes.iter().cloned()).after(state.rejected.clone());
        request.tenant.clone_from(&self.settings.tenant);
        request.claims.clone_from(&state.claims);
        let (flight, launch) = Flight::new(self, start, request);
        if let Some(overdue) = state.flight.replace(flight) {
            overdue.end.send_replace(Some(End::Again));
        }
        tracing::debug!(scopes = ?self.settings.scopes, background, "acquiring a token");
        self.tell(state, now);
        launch
    }

    /// Starts the task that keeps the token fresh, unless it runs.
    fn keep(self: &Arc<Self>, runtime: &Handle) {
        if !self.settings.keep_fresh {
            return;
        }
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        if keeper.as_ref().is_none_or(AbortHandle::is_finished) {
            let task = keep_fresh::run(Arc::downgrade(self), self.status.subscribe());
            *keeper = Some(runtime.spawn(task).abort_handle());
        }
    }

    /// Starts a refresh that is due. Returns when to call it again: `None` until the status changes.
    pub(super) fn wake(self: &Arc<Self>, runtime: &Handle) -> Option<Duration> {
        let now = self.now();
        let mut state = self.lock();
        let start = state.schedule.wake(now);
        let launch = start.map(|start| self.prepare(&mut state, start, true, now));
        let next = state.schedule.next_wake(now).map(duration_of);
        drop(state);
        if let Some(launch) = launch {
            launch.start(runtime);
        }
        next
    }

    pub(super) fn reject(&self, token: &Token) -> bool {
        let now = self.now();
        let Some(state) = self.cache.reject(token, now) else {
            return false;
        };
        tracing::debug!(scopes = ?self.settings.scopes, "the resource rejected the token");
        self.tell(&state, now);
        true
    }

    pub(super) fn challenge(&self, token: &Token, www_authenticate: &str) -> bool {
        let Some(claims) = challenge::parse(www_authenticate).claims else {
            return self.reject(token);
        };
        let now = self.now();
        let mut state = self.lock();
        let answered = match (&state.token, &state.flight) {
            (Some(held), _) => held.has_claims && !held.token.is(token),
            (None, flight) => flight.as_ref().is_some_and(|flight| flight.has_claims),
        };
        if answered {
            return true;
        }
        if !state.schedule.challenged(now) {
            return false;
        }
        tracing::debug!(scopes = ?self.settings.scopes, "the resource asks for claims");
        state.claims = Some(claims);
        state.rejected = Some(token.clone());
        state.token = None;
        let superseded = state.flight.take();
        self.cache.refresh(&state, now);
        self.tell(&state, now);
        drop(state);
        if let Some(flight) = superseded {
            flight.end.send_replace(Some(End::Again));
        }
        true
    }

    pub(super) fn close(&self) {
        let now = self.now();
        let (state, flight) = self.cache.close(now);
        self.tell(&state, now);
        drop(state);
        if let Some(flight) = flight {
            flight.end.send_replace(Some(End::Failed(Error::closed())));
        }
    }

    #[cfg(feature = "azure-core")]
    pub(super) fn current(&self) -> Option<Token> {
        self.lock().token.as_ref().map(|held| held.token.clone())
    }

    pub(super) fn status(&self) -> TokenStatus {
        let now = self.now();
        self.lock().status(now)
    }

    pub(super) fn watch(&self) -> watch::Receiver<TokenStatus> {
        self.status.subscribe()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.cache.lock()
    }

    /// Tells the status to those who watch it.
    pub(super) fn tell(&self, state: &State, now: Now) {
        self.status.send_replace(state.status(now));
    }
}
