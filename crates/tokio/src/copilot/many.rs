//! Providers for several endpoints in one session.

use std::fmt;
use std::sync::Arc;

use copilot_keyless::Code;
use copilot_keyless::provider::{NamedProvider, ProviderPlan, models, plan};
use github_copilot_sdk::session::Session;
use github_copilot_sdk::types::{
    NamedProviderConfig, ProviderModelConfig, ResumeSessionConfig, SessionConfig, SessionId,
};

use super::FoundryProviderBuilder;
use super::bearer::Bearer;
use super::claims_challenge::ClaimsChallengeHandler;
use super::members::{Member, Members};
use super::session::FoundrySession;
use crate::{Error, Result, TokenProvider};

/// Providers for several Foundry endpoints in one session, each with its own scope, cloud, identity and
/// models. A session selects a model as `name/model`, and changes it with `set_model`. Providers of the
/// same identity and scope share one token.
///
/// ```
/// use copilot_keyless_tokio::{FoundryProvider, FoundryProviders};
///
/// let west = FoundryProvider::builder().endpoint("https://west.openai.azure.com").models(["gpt-5.5", "gpt-5.5-mini"]);
/// let east = FoundryProvider::builder().endpoint("https://east.openai.azure.com").models(["gpt-5.5"]);
/// let foundry = FoundryProviders::new([("west", west), ("east", east)])?;
/// assert_eq!(foundry.model(), "west/gpt-5.5");
/// assert_eq!(foundry.session_config().models.unwrap_or_default().len(), 3);
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Clone)]
pub struct FoundryProviders(Arc<Members>);

impl FoundryProviders {
    /// Creates the providers, each with its name: up to 64 letters, digits, hyphens, dots and underscores.
    ///
    /// Errors: those of [`FoundryProviderBuilder::build`]; `provider/name` and `provider/model` for a name
    /// that is missing or taken.
    ///
    /// ```
    /// # use copilot_keyless_tokio::{FoundryProvider, FoundryProviders};
    /// let west = FoundryProvider::builder().endpoint("https://west.openai.azure.com").model("gpt-5.5");
    /// let foundry = FoundryProviders::new([("west", west)])?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn new(list: impl IntoIterator<Item = (impl Into<String>, FoundryProviderBuilder)>) -> Result<Self> {
        let mut members: Vec<(FoundryProviderBuilder, Member)> = Vec::new();
        for (name, builder) in list {
            let named = NamedProvider {
                name: Some(name.into()),
                models: builder.models.clone(),
            };
            let taken: Vec<_> = members.iter().map(|(_, member)| member.name.clone()).collect();
            let planned = models(&named, builder.read(), &taken)?;
            let mut request = builder.read();
            // The list of models takes precedence over the environment and the endpoint's path.
            if let Some(first) = planned.first().filter(|_| builder.models.is_some()) {
                request.model = Some(first.model_id.as_ref().unwrap_or(&first.id).clone());
                request.deployment = Some(first.wire_model.as_ref().unwrap_or(&first.id).clone());
            }
            let name = named.name.unwrap_or_default();
            let member = builder.member(&name, plan(&request)?, planned, &members)?;
            members.push((builder, member));
        }
        if members.is_empty() {
            return Err(Error::new(
                Code::ProviderConflict,
                "FoundryProviders needs one provider or more",
                "Pass [(name, FoundryProvider::builder()), ...].",
            ));
        }
        let members = members.into_iter().map(|(_, member)| member).collect();
        Ok(Self(Members::new(members)))
    }

    /// Returns the first model, as a session selects it: `name/model`.
    ///
    /// ```
    /// # use copilot_keyless_tokio::{FoundryProvider, FoundryProviders};
    /// # let west = FoundryProvider::builder().endpoint("https://west.openai.azure.com").model("gpt-5.5");
    /// # let foundry = FoundryProviders::new([("west", west)])?;
    /// assert_eq!(foundry.model(), "west/gpt-5.5");
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn model(&self) -> String {
        let mut models = self.0.list.iter().flat_map(|member| &member.models);
        let first = models.next();
        first.map_or_else(String::new, |model| format!("{}/{}", model.provider, model.id))
    }

    /// Returns the plan of one of the providers.
    ///
    /// ```
    /// # use copilot_keyless_tokio::{FoundryProvider, FoundryProviders};
    /// # let west = FoundryProvider::builder().endpoint("https://west.openai.azure.com").model("gpt-5.5");
    /// # let foundry = FoundryProviders::new([("west", west)])?;
    /// assert_eq!(foundry.plan("west").map(|plan| plan.model.as_str()), Some("gpt-5.5"));
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn plan(&self, name: &str) -> Option<&ProviderPlan> {
        self.member(name).map(|member| &member.plan)
    }

    /// Returns the tokens of one of the providers.
    ///
    /// ```
    /// # use copilot_keyless_tokio::{FoundryProvider, FoundryProviders};
    /// # let west = FoundryProvider::builder().endpoint("https://west.openai.azure.com").model("gpt-5.5");
    /// # let foundry = FoundryProviders::new([("west", west)])?;
    /// assert!(foundry.tokens("west").is_some() && foundry.tokens("east").is_none());
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn tokens(&self, name: &str) -> Option<&TokenProvider> {
        self.member(name)?.tokens.as_ref()
    }

    /// Returns the config of a new session, with all providers and models, and the first model.
    ///
    /// ```
    /// # use copilot_keyless_tokio::{FoundryProvider, FoundryProviders};
    /// # let west = FoundryProvider::builder().endpoint("https://west.openai.azure.com").model("gpt-5.5");
    /// # let foundry = FoundryProviders::new([("west", west)])?;
    /// assert_eq!(foundry.session_config().model.as_deref(), Some("west/gpt-5.5"));
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn session_config(&self) -> SessionConfig {
        SessionConfig::default()
            .with_model(self.model())
            .with_providers(self.configs())
            .with_models(self.models())
    }

    /// Returns the config that resumes a session: see
    /// [`FoundryProvider::resume_config`](crate::FoundryProvider::resume_config).
    ///
    /// ```
    /// # use copilot_keyless_tokio::{FoundryProvider, FoundryProviders};
    /// # let west = FoundryProvider::builder().endpoint("https://west.openai.azure.com").model("gpt-5.5");
    /// # let foundry = FoundryProviders::new([("west", west)])?;
    /// assert_eq!(foundry.resume_config("the id").session_id.as_str(), "the id");
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn resume_config(&self, id: impl Into<SessionId>) -> ResumeSessionConfig {
        ResumeSessionConfig::new(id.into())
            .with_model(self.model())
            .with_providers(self.configs())
            .with_models(self.models())
    }

    /// Returns the providers with tokens in place of the callbacks, for
    /// [`SessionConfig::with_providers`]. They are not refreshed: resume the session with new ones.
    ///
    /// Errors: those of [`TokenProvider::token`].
    ///
    /// ```no_run
    /// # async fn run(
    /// #     client: github_copilot_sdk::Client,
    /// #     foundry: copilot_keyless_tokio::FoundryProviders,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let config = foundry.session_config().with_providers(foundry.static_config().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn static_config(&self) -> Result<Vec<NamedProviderConfig>> {
        let mut configs = Vec::new();
        for (index, member) in self.0.list.iter().enumerate() {
            let config = member.named_config(None);
            configs.push(match self.0.static_token(index).await? {
                Some(token) => config.with_bearer_token(token.secret()),
                None => config,
            });
        }
        Ok(configs)
    }

    /// Attaches the providers to a session, each for the requests to its own models: see
    /// [`FoundryProvider::attach`](crate::FoundryProvider::attach).
    ///
    /// ```no_run
    /// # async fn run(
    /// #     client: github_copilot_sdk::Client,
    /// #     foundry: copilot_keyless_tokio::FoundryProviders,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// let session = foundry.attach(client.create_session(foundry.session_config()).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn attach(&self, session: impl Into<Arc<Session>>) -> FoundrySession {
        FoundrySession::attach(session.into(), &self.0)
    }

    /// Returns a request handler for the client that answers claims challenges of the endpoints.
    ///
    /// ```
    /// # use copilot_keyless_tokio::{FoundryProvider, FoundryProviders};
    /// # use github_copilot_sdk::ClientOptions;
    /// # let west = FoundryProvider::builder().endpoint("https://west.openai.azure.com").model("gpt-5.5");
    /// let foundry = FoundryProviders::new([("west", west)])?;
    /// let options = ClientOptions::default().with_request_handler(foundry.claims_challenge_handler());
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn claims_challenge_handler(&self) -> ClaimsChallengeHandler {
        ClaimsChallengeHandler::new(&self.0)
    }

    /// Ends the tokens, except those that were passed in: see [`TokenProvider::close`].
    ///
    /// ```no_run
    /// # async fn run(
    /// #     client: github_copilot_sdk::Client,
    /// #     foundry: copilot_keyless_tokio::FoundryProviders,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// foundry.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(&self) {
        self.0.close().await;
    }

    fn member(&self, name: &str) -> Option<&Member> {
        self.0.list.iter().find(|member| member.name == name)
    }

    fn configs(&self) -> Vec<NamedProviderConfig> {
        let members = self.0.list.iter().enumerate();
        members
            .map(|(index, member)| member.named_config(Some(Bearer::new(&self.0, index))))
            .collect()
    }

    fn models(&self) -> Vec<ProviderModelConfig> {
        self.0.list.iter().flat_map(Member::model_configs).collect()
    }
}

impl fmt::Debug for FoundryProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.0.list.iter().map(|member| (&member.name, &member.tokens));
        f.debug_map().entries(named).finish()
    }
}
