//! The state of an attached session, and what the events of the session change in it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use github_copilot_sdk::subscription::{EventSubscription, RecvErrorKind};
use github_copilot_sdk::types::SessionEvent;
use serde_json::Value;
use tokio::sync::watch;

use super::failure;
use super::members::{Failed, Members};
use super::turn::Turn;
use crate::Error;

pub(super) type Listener = Arc<dyn Fn(&Error) + Send + Sync>;

/// How the turns of a session stand.
#[derive(Clone, Default)]
pub(super) struct Progress {
    /// How many turns have ended: the main agent is idle, or reported an error.
    pub(super) ended: u64,
    /// Why the turn cannot succeed, although the runtime goes on with it.
    pub(super) hopeless: Option<Error>,
}

pub(super) struct SessionState {
    members: Arc<Members>,
    turn: Mutex<Turn>,
    listener: Mutex<Option<Listener>>,
    pub(super) progress: watch::Sender<Progress>,
}

impl SessionState {
    pub(super) fn new(members: Arc<Members>) -> Arc<Self> {
        Arc::new(Self {
            members,
            turn: Mutex::default(),
            listener: Mutex::default(),
            progress: watch::Sender::default(),
        })
    }

    pub(super) fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listen(&self, listener: Listener) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }

    /// The turn cannot succeed: who waits for it need not wait for the runtime's further attempts.
    pub(super) fn end(&self, error: Error) {
        self.progress
            .send_modify(|progress| progress.hopeless = Some(error));
    }

    /// Follows the events of the session until it ends, or nobody holds the state.
    pub(super) async fn follow(state: Weak<Self>, mut events: EventSubscription) {
        loop {
            match events.recv().await {
                Ok(event) => match state.upgrade() {
                    Some(state) => state.note(&event),
                    None => return,
                },
                Err(error) if matches!(error.kind(), RecvErrorKind::Lagged(_)) => {}
                Err(_) => return,
            }
        }
    }

    fn note(&self, event: &SessionEvent) {
        let agent = event.agent_id.as_deref().filter(|id| !id.is_empty());
        let kind = event.event_type.as_str();
        let name = event.data.get("agentName").and_then(Value::as_str);
        self.turn().note(kind, agent, name);
        match kind {
            "model.call_failure" => self.note_failure(event, agent),
            "session.idle" | "session.error" if agent.is_none() => {
                self.progress.send_modify(|progress| progress.ended += 1);
            }
            _ => {}
        }
    }

    fn note_failure(&self, event: &SessionEvent, agent: Option<&str>) {
        let text = |name: &str| event.data.get(name).and_then(Value::as_str);
        let status = event.data.get("statusCode").and_then(Value::as_u64);
        let status = status.and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
        let model = text("model");
        let mut turn = self.turn();
        let serving = self.members.serving(model);
        let owner = if serving.is_empty() {
            turn.rules.last_asked(&self.members.all())
        } else {
            turn.rules.last_asked(&serving).or(serving.first().copied())
        };
        // Without one it is a model of GitHub's.
        let Some(index) = owner else {
            return;
        };
        let Some(member) = self.members.list.get(index) else {
            return;
        };
        let (error, rejected) = if let Some(repeated) = turn.repeated(index, status) {
            (repeated, false)
        } else {
            let failed = Failed {
                status,
                message: text("errorMessage"),
                model,
                agent: agent.map(|id| turn.agent(id)),
            };
            let diagnosis = member.diagnose(failed, turn.sent(index).as_ref());
            let rejected = diagnosis.token_rejected;
            (failure::of_diagnosis(diagnosis), rejected)
        };
        if let Some(token) = turn.failed(index, agent.is_some(), &error, rejected) {
            member.reject(token);
        }
        drop(turn);
        tracing::warn!(
            code = error.code(),
            status,
            "a request of the Copilot runtime failed"
        );
        let listener = self
            .listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(listener) = listener {
            // A listener that panics must not end the recovery.
            let _ = catch_unwind(AssertUnwindSafe(|| listener(&error)));
        }
    }
}
