//! A session that recovers from a rejected token in the same turn.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use github_copilot_sdk::session::Session;
use github_copilot_sdk::types::{MessageOptions, SessionEvent};
use serde_json::Value;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::failure;
use super::foundry::static_config;
use super::members::Members;
use super::state::SessionState;
use crate::{Error, Result};

/// How long the runtime may take to end a turn that is aborted, or to report one that has ended.
const SETTLE: Duration = Duration::from_secs(2);

/// A session of the Copilot SDK that a provider is attached to.
///
/// When the resource rejects the session's token, another one is acquired, and the runtime's own retry
/// uses it: the turn goes on. Errors say why the resource refused, in place of the runtime's advice about
/// API keys. It is also the [`Session`], whose other methods are as they were.
///
/// Made by [`FoundryProvider::attach`](crate::FoundryProvider::attach) and
/// [`FoundryProviders::attach`](crate::FoundryProviders::attach). Dropping it detaches.
///
/// ```no_run
/// # async fn run(session: copilot_keyless_tokio::FoundrySession) -> Result<(), Box<dyn std::error::Error>> {
/// println!("{}: {}", session.id(), session.chat("Say hello.").await?);
/// session.set_model("gpt-5.5-mini", None).await?;
/// session.disconnect().await?;
/// # Ok(())
/// # }
/// ```
pub struct FoundrySession {
    session: Arc<Session>,
    members: Arc<Members>,
    state: Arc<SessionState>,
    task: AbortHandle,
}

impl FoundrySession {
    pub(super) fn attach(session: Arc<Session>, members: &Arc<Members>) -> Self {
        let state = SessionState::new(Arc::clone(members));
        members.enter(session.id().clone(), &state);
        let events = session.subscribe();
        let task = tokio::spawn(SessionState::follow(Arc::downgrade(&state), events));
        Self {
            session,
            members: Arc::clone(members),
            state,
            task: task.abort_handle(),
        }
    }

    /// Calls a function with the error of every failed request, also of those that the runtime repeats.
    /// It must return soon. The program's events of `tracing` have the code alone.
    ///
    /// ```no_run
    /// # async fn run(client: github_copilot_sdk::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # let foundry = copilot_keyless_tokio::FoundryProvider::from_env()?;
    /// let session = client.create_session(foundry.session_config()).await?;
    /// let session = foundry.attach(session).on_failure(|error| eprintln!("{}: {}", error.code(), error.hint()));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_failure(self, listener: impl Fn(&Error) + Send + Sync + 'static) -> Self {
        self.state.listen(Arc::new(listener));
        self
    }

    /// Sends a prompt, waits for the end of its turn, and returns the text of the reply.
    ///
    /// Errors: those of [`send_and_wait`](FoundrySession::send_and_wait); `agent/no-reply`.
    ///
    /// ```no_run
    /// # async fn run(session: copilot_keyless_tokio::FoundrySession) -> Result<(), copilot_keyless_tokio::Error> {
    /// println!("{}", session.chat("Say hello.").await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn chat(&self, message: impl Into<MessageOptions>) -> Result<String> {
        let reply = self.send_and_wait(message).await?;
        let text = reply.as_ref().and_then(|event| event.data.get("content"));
        match text.and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(failure::no_reply()),
        }
    }

    /// Does what [`Session::send_and_wait`] does, with errors that say what to do. Ends at once when no
    /// further attempt of the runtime can succeed, such as when the only token stays rejected.
    ///
    /// Errors: `model/...` says why the resource refused; `credential/...` and `token/...` why there is no
    /// token; `agent/timeout` that the message's `wait_timeout` is over; `model/request-failed`,
    /// `sdk/runtime-ended` and `sdk/send-failed` what the runtime reported. The SDK's error is the source.
    ///
    /// ```no_run
    /// # async fn run(session: copilot_keyless_tokio::FoundrySession) -> Result<(), copilot_keyless_tokio::Error> {
    /// match session.send_and_wait("Say hello.").await {
    ///     Ok(reply) => println!("{:?}", reply.map(|event| event.data)),
    ///     Err(error) => eprintln!("{} {}", error.code(), error.hint()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_and_wait(&self, message: impl Into<MessageOptions>) -> Result<Option<SessionEvent>> {
        let mut ended = 0;
        self.state.progress.send_modify(|progress| {
            progress.hopeless = None;
            ended = progress.ended;
        });
        self.state.turn().rules.forget();
        let mut progress = self.state.progress.subscribe();
        let mut turn = Box::pin(self.session.send_and_wait(message));
        let outcome = tokio::select! {
            outcome = &mut turn => outcome,
            hopeless = progress.wait_for(|progress| progress.hopeless.is_some()) => {
                let error = hopeless.ok().and_then(|progress| progress.hopeless.clone());
                // A prompt that is sent while this one is being aborted would be lost with it.
                let aborted = timeout(SETTLE, async {
                    self.session.abort().await?;
                    turn.await
                });
                let source = aborted.await.ok().and_then(std::result::Result::err);
                let error = error.unwrap_or_else(failure::no_reply);
                return Err(match source {
                    Some(source) => failure::with_sdk(error, source),
                    None => error,
                });
            }
        };
        let Err(refused) = outcome else {
            return outcome.map_err(failure::of_sdk);
        };
        // The event with the reason came before the one that ended the turn.
        let _ = timeout(SETTLE, progress.wait_for(|progress| progress.ended > ended)).await;
        let error = failure::of_sdk(refused);
        let known = self.state.turn().failure();
        match known.filter(|_| error.code() == "model/request-failed" || error.code() == "sdk/send-failed") {
            Some(failure) => Err(failure.with_source_of(&error)),
            None => Err(error),
        }
    }

    /// Gives the session another token, if it was created with a static one
    /// ([`FoundryProvider::static_config`](crate::FoundryProvider::static_config)); its history stays. A
    /// running turn keeps the old token. Does nothing to a session whose runtime asks for its tokens.
    ///
    /// Errors: those of [`TokenProvider::token`](crate::TokenProvider::token); `sdk/rotate-failed` if the
    /// session is gone, or has several providers: resume it with a new config then.
    ///
    /// ```no_run
    /// # async fn run(session: copilot_keyless_tokio::FoundrySession) -> Result<(), copilot_keyless_tokio::Error> {
    /// session.rotate().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rotate(&self) -> Result<()> {
        let asked = self.state.turn().rules.last_asked(&self.members.all()).is_some();
        if asked || !self.members.has_static_tokens() {
            return Ok(());
        }
        let [member] = self.members.list.as_slice() else {
            return Err(failure::many_not_rotated());
        };
        let (config, token) = static_config(&self.members, member).await?;
        let config = serde_json::to_value(config).and_then(serde_json::from_value);
        let update = github_copilot_sdk::rpc::SessionUpdateOptionsParams {
            provider: Some(config.map_err(|error| failure::not_rotated(error.into()))?),
            ..Default::default()
        };
        let updated = self.session.rpc().options().update(update).await;
        updated.map_err(failure::not_rotated)?;
        if let Some(token) = token {
            self.state.turn().give(0, &token);
        }
        Ok(())
    }
}

impl Deref for FoundrySession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl fmt::Debug for FoundrySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundrySession")
            .field("id", self.session.id())
            .finish_non_exhaustive()
    }
}

impl Drop for FoundrySession {
    fn drop(&mut self) {
        self.task.abort();
    }
}
