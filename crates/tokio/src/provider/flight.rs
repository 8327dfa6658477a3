//! An acquisition in progress: a task of its own, so that a caller that goes away ends nobody's.

use std::sync::{Arc, Weak};

use copilot_keyless::Code;
use copilot_keyless::schedule::FlightStart;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::cache;
use super::shared::Shared;
use crate::clock::duration_of;
use crate::credential::TokenRequest;
use crate::{Error, Token};

/// The outcome for those who wait.
#[derive(Clone)]
pub(super) enum End {
    Token(Token),
    Failed(Error),
    /// Another flight takes its place: ask again.
    Again,
}

/// What the provider knows of a flight. The task ends when it is dropped.
pub(super) struct Flight {
    id: u32,
    pub(super) end: watch::Sender<Option<End>>,
    pub(super) has_claims: bool,
    pub(super) started: Instant,
    deadline: watch::Sender<Instant>,
}

/// A flight that is yet to be started.
pub(super) struct Launch {
    id: u32,
    request: TokenRequest,
    deadline: watch::Receiver<Instant>,
    guard: Guard,
}

impl cache::Flight for Flight {
    fn id(&self) -> u32 {
        self.id
    }
}

impl Flight {
    pub(super) fn new(shared: &Arc<Shared>, start: FlightStart, request: TokenRequest) -> (Self, Launch) {
        let FlightStart {
            flight: id,
            timeout_ms,
        } = start;
        let started = Instant::now();
        let (deadline, watched) = watch::channel(started + duration_of(timeout_ms));
        let flight = Self {
            id,
            end: watch::Sender::new(None),
            has_claims: request.claims.is_some(),
            started,
            deadline,
        };
        shared.tasks.send_modify(|count| *count += 1);
        let guard = Guard {
            shared: Arc::downgrade(shared),
            id,
        };
        let launch = Launch {
            id,
            request,
            deadline: watched,
            guard,
        };
        (flight, launch)
    }

    /// Ends the flight at a time, unless it ends earlier: callers have begun to wait for it.
    pub(super) fn end_by(&self, deadline: Instant) {
        self.deadline.send_if_modified(|current| {
            let earlier = deadline < *current;
            if earlier {
                *current = deadline;
            }
            earlier
        });
    }
}

/// Reports a flight as lost if its task ends before its time: with its runtime, or by a panic.
struct Guard {
    shared: Weak<Shared>,
    id: u32,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        let error = if std::thread::panicking() {
            Error::new(
                Code::CredentialFailed,
                "The credential panicked",
                "See the message of the panic.",
            )
        } else {
            Error::runtime_ended()
        };
        shared.lost(self.id, error);
        shared.tasks.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Launch {
    pub(super) fn start(self, runtime: &Handle) {
        runtime.spawn(self.run());
    }

    async fn run(self) {
        let Self {
            id,
            request,
            mut deadline,
            guard,
        } = self;
        let shared = guard.shared.clone();
        let mut attempts = std::pin::pin!(attempts(shared.clone(), id, &request));
        loop {
            let at = *deadline.borrow_and_update();
            tokio::select! {
                biased;
                changed = deadline.changed() => if changed.is_err() { return },
                () = &mut attempts => return,
                () = sleep_until(at) => {
                    if let Some(shared) = shared.upgrade() {
                        shared.timed_out(id, request.noted());
                    }
                    return;
                }
            }
        }
    }
}

/// Asks the credential until the schedule ends the flight. Holds the provider only between attempts.
async fn attempts(shared: Weak<Shared>, id: u32, request: &TokenRequest) {
    loop {
        let Some((credential, requested)) = shared
            .upgrade()
            .map(|shared| (Arc::clone(&shared.settings.credential), shared.now()))
        else {
            return;
        };
        let answer = credential.acquire(request).await;
        let Some(shared) = shared.upgrade() else { return };
        let pause = match answer {
            Ok(response) => {
                shared.landed(id, &response, requested);
                return;
            }
            Err(failure) => {
                request.note(failure.clone());
                shared.failed(id, failure)
            }
        };
        drop(shared);
        match pause {
            Some(pause) => sleep(pause).await,
            None => return,
        }
    }
}
