//! A provider for one endpoint.

use std::fmt;
use std::sync::Arc;

use copilot_keyless::provider::ProviderPlan;
use github_copilot_sdk::session::Session;
use github_copilot_sdk::types::{ProviderConfig, ResumeSessionConfig, SessionConfig, SessionId};

use super::FoundryProviderBuilder;
use super::bearer::Bearer;
use super::claims_challenge::ClaimsChallengeHandler;
use super::members::{Member, Members};
use super::session::FoundrySession;
use crate::{Result, Token, TokenProvider};

/// A provider of the Copilot SDK for one Foundry or Azure OpenAI endpoint, without an API key. Clones
/// share its tokens.
///
/// ```no_run
/// use copilot_keyless_tokio::{FoundryProvider, without_secrets};
/// use github_copilot_sdk::{Client, ClientOptions};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let foundry = FoundryProvider::from_env()?;
/// let client = Client::start(without_secrets(ClientOptions::default())).await?;
/// let session = foundry.attach(client.create_session(foundry.session_config()).await?);
/// println!("{}", session.chat("Say hello.").await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FoundryProvider(Arc<Members>);

impl FoundryProvider {
    pub(super) fn of(members: Arc<Members>) -> Self {
        Self(members)
    }

    /// Creates a provider by the environment, as `createFoundryProvider()` of the npm package does.
    ///
    /// Errors: see [`FoundryProviderBuilder::build`].
    ///
    /// ```no_run
    /// let foundry = copilot_keyless_tokio::FoundryProvider::from_env()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn from_env() -> Result<Self> {
        Self::builder().build()
    }

    /// Returns a builder with all settings.
    ///
    /// ```
    /// use copilot_keyless_tokio::FoundryProvider;
    ///
    /// let foundry = FoundryProvider::builder().endpoint("https://myres.openai.azure.com").model("gpt-5.5").build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn builder() -> FoundryProviderBuilder {
        FoundryProviderBuilder::default()
    }

    /// Returns the plan: endpoint, model, scope, credential, where each setting comes from, warnings.
    ///
    /// ```
    /// use copilot_keyless_tokio::FoundryProvider;
    ///
    /// let foundry = FoundryProvider::builder().endpoint("https://myres.openai.azure.com").build()?;
    /// assert_eq!(foundry.plan().scope.as_deref(), Some("https://ai.azure.com/.default"));
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn plan(&self) -> &ProviderPlan {
        &self.member().plan
    }

    /// Returns the tokens. `None` for an endpoint without a known scope, such as one on this machine.
    ///
    /// ```
    /// # let foundry = copilot_keyless_tokio::FoundryProvider::builder().endpoint("https://myres.openai.azure.com").build()?;
    /// assert!(foundry.tokens().is_some());
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn tokens(&self) -> Option<&TokenProvider> {
        self.member().tokens.as_ref()
    }

    /// Returns the config of a new session, with model and provider. The runtime asks for a token before
    /// each request to the model.
    ///
    /// ```
    /// use copilot_keyless_tokio::FoundryProvider;
    ///
    /// let foundry = FoundryProvider::builder().endpoint("https://myres.openai.azure.com").build()?;
    /// let config = foundry.session_config().with_streaming(true);
    /// assert_eq!(config.model.as_deref(), Some("gpt-5.5"));
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn session_config(&self) -> SessionConfig {
        SessionConfig::default()
            .with_model(&self.plan().model)
            .with_provider(self.config())
    }

    /// Returns the config that resumes a session. It needs model and provider too: the runtime stores none
    /// with a session, and without one it asks for a GitHub account.
    ///
    /// ```no_run
    /// # async fn run(client: github_copilot_sdk::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # let foundry = copilot_keyless_tokio::FoundryProvider::from_env()?;
    /// let session = foundry.attach(client.resume_session(foundry.resume_config("the id")).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume_config(&self, id: impl Into<SessionId>) -> ResumeSessionConfig {
        ResumeSessionConfig::new(id.into())
            .with_model(&self.plan().model)
            .with_provider(self.config())
    }

    /// Returns the provider's config with a token in place of the callback, for runtimes that cannot call
    /// back. The token is not refreshed: see [`FoundrySession::rotate`].
    ///
    /// Errors: those of [`TokenProvider::token`].
    ///
    /// ```no_run
    /// # async fn run(client: github_copilot_sdk::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # let foundry = copilot_keyless_tokio::FoundryProvider::from_env()?;
    /// let config = foundry.session_config().with_provider(foundry.static_config().await?);
    /// let session = foundry.attach(client.create_session(config).await?);
    /// session.rotate().await?; // before the token ends
    /// # Ok(())
    /// # }
    /// ```
    pub async fn static_config(&self) -> Result<ProviderConfig> {
        let (config, _) = static_config(&self.0, self.member()).await?;
        Ok(config)
    }

    /// Attaches the provider to a session, which then recovers from a rejected token in the same turn, and
    /// whose errors say what to do. It receives the events that the SDK keeps for the first subscriber of
    /// a resumed session; to read those, subscribe before.
    ///
    /// Panics outside of a tokio runtime, as the SDK's session cannot be there.
    ///
    /// ```no_run
    /// # async fn run(client: github_copilot_sdk::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// # let foundry = copilot_keyless_tokio::FoundryProvider::from_env()?;
    /// let session = foundry.attach(client.create_session(foundry.session_config()).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn attach(&self, session: impl Into<Arc<Session>>) -> FoundrySession {
        FoundrySession::attach(session.into(), &self.0)
    }

    /// Returns a request handler for the client that answers claims challenges of the endpoint.
    ///
    /// ```
    /// # use copilot_keyless_tokio::FoundryProvider;
    /// # use github_copilot_sdk::ClientOptions;
    /// let foundry = FoundryProvider::builder().endpoint("https://myres.openai.azure.com").build()?;
    /// let options = ClientOptions::default().with_request_handler(foundry.claims_challenge_handler());
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn claims_challenge_handler(&self) -> ClaimsChallengeHandler {
        ClaimsChallengeHandler::new(&self.0)
    }

    /// Ends its tokens, unless they were passed in: see [`TokenProvider::close`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), copilot_keyless_tokio::Error> {
    /// # let foundry = copilot_keyless_tokio::FoundryProvider::builder().endpoint("https://myres.openai.azure.com").build()?;
    /// foundry.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(&self) {
        self.0.close().await;
    }

    fn config(&self) -> ProviderConfig {
        self.member().config(Some(Bearer::new(&self.0, 0)))
    }

    #[allow(clippy::indexing_slicing, reason = "the builder makes exactly one")]
    fn member(&self) -> &Member {
        &self.0.list[0]
    }
}

impl fmt::Debug for FoundryProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundryProvider")
            .field("endpoint", &self.plan().endpoint.base_url)
            .field("tokens", &self.tokens())
            .finish_non_exhaustive()
    }
}

/// The config of the only provider with a token, and that token.
pub(super) async fn static_config(
    members: &Members,
    member: &Member,
) -> Result<(ProviderConfig, Option<Token>)> {
    let token = members.static_token(0).await?;
    let config = member.config(None);
    Ok(match token {
        Some(token) => (config.with_bearer_token(token.secret()), Some(token)),
        None => (config, None),
    })
}
