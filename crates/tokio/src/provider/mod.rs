//! The token provider.

mod builder;
mod cache;
mod flight;
mod keep_fresh;
mod landing;
#[cfg(all(test, keyless_model))]
mod model;
mod policy;
mod shared;
mod snapshot;
mod state;
mod status;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "copilot")]
use copilot_keyless::schedule::Now;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

pub use builder::TokenProviderBuilder;
pub use policy::RefreshPolicy;
pub use status::TokenStatus;

#[cfg(feature = "copilot")]
use crate::clock::duration_of;
use crate::{Error, Result, Token};
use flight::End;
use shared::{Answer, Shared};

/// How much longer than its flight a caller waits: the runtime of the flight may have stopped to run.
const GRACE: Duration = Duration::from_secs(1);

/// How long [`TokenProvider::close`] waits for its tasks.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns a usable token at any time. Clones share one token.
///
/// A call returns the token at once while it is good. The first call after its refresh time starts the
/// refresh in a task of its own, and callers get the old token meanwhile, also while the identity
/// endpoint hangs or fails. Without a usable token callers wait, all for one acquisition.
///
/// The tasks end when the last clone is dropped, or by [`close`](TokenProvider::close).
///
/// ```no_run
/// use copilot_keyless_tokio::TokenProvider;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let tokens = TokenProvider::for_scope("https://ai.azure.com/.default")?;
/// let token = tokens.token().await?;
/// let request = reqwest::Client::new()
///     .get("https://myres.openai.azure.com/openai/v1/models")
///     .header("authorization", token.header_value());
/// if request.send().await?.status() == 401 {
///     tokens.reject(&token);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenProvider(Arc<Shared>);

impl TokenProvider {
    fn of(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Creates a provider by the environment: the identity by `AZURE_TOKEN_CREDENTIALS` and the host,
    /// the scope by `FOUNDRY_TOKEN_SCOPE` or `FOUNDRY_RESOURCE_URL`.
    ///
    /// Errors: see [`TokenProviderBuilder::build`].
    ///
    /// ```no_run
    /// let tokens = copilot_keyless_tokio::TokenProvider::from_env()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn from_env() -> Result<Self> {
        Self::builder().build()
    }

    /// Creates a provider for a scope, such as `https://storage.azure.com/.default`. The identity comes
    /// from the environment.
    ///
    /// Errors: see [`TokenProviderBuilder::build`].
    ///
    /// ```
    /// let tokens = copilot_keyless_tokio::TokenProvider::for_scope("https://storage.azure.com/.default")?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn for_scope(scope: impl Into<String>) -> Result<Self> {
        Self::builder().scope(scope).build()
    }

    /// Returns a builder with all settings.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenProvider;
    ///
    /// let tokens = TokenProvider::builder().scope("https://ai.azure.com/.default").keep_fresh(true).build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn builder() -> TokenProviderBuilder {
        TokenProviderBuilder::default()
    }

    /// Returns the token, at once or when the acquisition in progress ends. Dropping the future does
    /// not end the acquisition.
    ///
    /// Errors: `credential/...` says why there is no token, `token/timeout` that the credential did not
    /// answer within 15 s, `token/rejected-again` that it returned the rejected token again,
    /// `token/closed`, `token/no-runtime` outside of a tokio runtime.
    ///
    /// ```no_run
    /// # async fn run() -> Result<(), copilot_keyless_tokio::Error> {
    /// let tokens = copilot_keyless_tokio::TokenProvider::from_env()?;
    /// match tokens.token().await {
    ///     Ok(token) => println!("good until {:?}", token.expires_on()),
    ///     Err(error) => eprintln!("{}: {}", error.code(), error.hint()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn token(&self) -> Result<Token> {
        match self.0.ready() {
            Some(token) => Ok(token),
            // Boxed, so that the future of the usual case is small.
            None => Box::pin(self.wait()).await,
        }
    }

    async fn wait(&self) -> Result<Token> {
        loop {
            let (flight, mut end, limit) = match self.0.ask() {
                Answer::Use(token) => return Ok(token),
                Answer::Fail(error) => return Err(error),
                Answer::Wait { flight, end, timeout } => (flight, end, timeout),
            };
            let ended = timeout(limit + GRACE, end.wait_for(Option::is_some)).await;
            match ended.map(|end| end.map(|end| end.clone())) {
                Ok(Ok(Some(End::Token(token)))) => return Ok(token),
                Ok(Ok(Some(End::Failed(error)))) => return Err(error),
                Ok(_) => {}
                Err(_) => return Err(self.0.timed_out(flight, None)),
            }
        }
    }

    /// Returns the token if there is a good one now. Never waits, and works outside of a runtime. Within
    /// one it starts a refresh that is due; it does not acquire the first token.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenProvider;
    ///
    /// let tokens = TokenProvider::for_scope("https://ai.azure.com/.default")?;
    /// assert!(tokens.try_token().is_none());
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn try_token(&self) -> Option<Token> {
        self.0.ready().or_else(|| self.0.try_ready())
    }

    /// Discards a token that a resource refused with 401, unless it has been replaced meanwhile. The next
    /// call acquires a new one, at most once in 30 s. Returns whether it did.
    ///
    /// ```no_run
    /// # async fn run(tokens: copilot_keyless_tokio::TokenProvider) -> Result<(), copilot_keyless_tokio::Error> {
    /// let token = tokens.token().await?;
    /// // The resource answers 401:
    /// if tokens.reject(&token) {
    ///     let another = tokens.token().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn reject(&self, token: &Token) -> bool {
        self.0.reject(token)
    }

    /// Answers the `WWW-Authenticate` header of a 401: with claims, the next call acquires a token that
    /// has them; without, it is [`reject`](TokenProvider::reject). Returns whether to repeat the request
    /// with the token of the next call.
    ///
    /// ```no_run
    /// # async fn run(tokens: copilot_keyless_tokio::TokenProvider) -> Result<(), copilot_keyless_tokio::Error> {
    /// let token = tokens.token().await?;
    /// let header = r#"Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ""#;
    /// if tokens.challenge(&token, header) {
    ///     let another = tokens.token().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn challenge(&self, token: &Token, www_authenticate: impl AsRef<[u8]>) -> bool {
        let header = String::from_utf8_lossy(www_authenticate.as_ref());
        self.0.challenge(token, &header)
    }

    /// Discards the token if it is this text: for clients that keep the text alone.
    #[cfg(feature = "azure-core")]
    pub(crate) fn reject_secret(&self, secret: &str) -> bool {
        let current = self.0.current();
        current.is_some_and(|token| token.secret() == secret && self.reject(&token))
    }

    /// Returns the time of its clock.
    #[cfg(feature = "copilot")]
    pub(crate) fn now(&self) -> Now {
        self.0.now()
    }

    /// Returns what is left of the one wait of a caller that has waited so many milliseconds, however
    /// often it asked. None if no attempt begins before its end.
    #[cfg(feature = "copilot")]
    pub(crate) fn wait_left(&self, waited: i64) -> Duration {
        let now = self.0.now();
        let since = Now {
            wall: now.wall - waited,
            mono: now.mono - waited,
        };
        duration_of(self.0.lock().schedule.wait_left(since, now))
    }

    /// Returns the state of the token, without the token.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenProvider;
    ///
    /// let status = TokenProvider::for_scope("https://ai.azure.com/.default")?.status();
    /// assert!(status.last_failure.is_none() && !status.refreshing);
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn status(&self) -> TokenStatus {
        self.0.status()
    }

    /// Returns a receiver of the status, which gets each change: an acquisition that begins or ends, a
    /// rejected token, the end. It ends when the last clone of the provider is dropped.
    ///
    /// ```no_run
    /// # async fn run(tokens: copilot_keyless_tokio::TokenProvider) {
    /// let mut changes = tokens.watch();
    /// while changes.changed().await.is_ok() {
    ///     if let Some(failure) = &changes.borrow().last_failure {
    ///         eprintln!("{}: {}", failure.code(), failure.hint());
    ///     }
    /// }
    /// # }
    /// ```
    pub fn watch(&self) -> watch::Receiver<TokenStatus> {
        self.0.watch()
    }

    /// Ends the provider and all its clones: discards the token, ends the tasks and waits for them, at
    /// most 5 s. Callers that wait, and later ones, get `token/closed`. A second call does nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), copilot_keyless_tokio::Error> {
    /// let tokens = copilot_keyless_tokio::TokenProvider::for_scope("https://ai.azure.com/.default")?;
    /// tokens.close().await;
    /// assert_eq!(tokens.token().await.unwrap_err().code(), "token/closed");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(&self) {
        self.0.close();
        if Handle::try_current().is_err() {
            return;
        }
        let mut tasks = self.0.tasks.subscribe();
        // An error means that a task does not end: its runtime stands still.
        let _ = timeout(CLOSE_TIMEOUT, tasks.wait_for(|count| *count == 0)).await;
    }
}

impl fmt::Debug for TokenProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenProvider")
            .field("scopes", &self.0.settings.scopes)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

const _: fn() = || {
    fn shared<T: Clone + Send + Sync + fmt::Debug>() {}
    shared::<TokenProvider>();
    shared::<Error>();
};
