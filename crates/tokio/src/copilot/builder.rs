//! Builds a provider.

use std::sync::Mutex;

use copilot_keyless::provider::{ModelRequest, ProviderPlan, ProviderRequest, plan};

use super::foundry::FoundryProvider;
use super::members::{Member, Members};
use crate::vars::Vars;
use crate::{Result, TokenProvider};

const AUTHORITY_HOST: &str = "AZURE_AUTHORITY_HOST";

/// Settings of a [`FoundryProvider`]. All are optional: unset ones come from the environment.
///
/// ```
/// use copilot_keyless_tokio::FoundryProvider;
///
/// let foundry = FoundryProvider::builder()
///     .endpoint("https://myres.openai.azure.com")
///     .model("gpt-5.5")
///     .deployment("team-gpt")
///     .build()?;
/// assert_eq!(foundry.plan().config.wire_model.as_deref(), Some("team-gpt"));
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "build() makes the provider"]
pub struct FoundryProviderBuilder {
    request: ProviderRequest,
    pub(super) models: Option<Vec<ModelRequest>>,
    tokens: Option<TokenProvider>,
    vars: Option<Vars>,
}

impl FoundryProviderBuilder {
    /// Sets the endpoint. Default: `FOUNDRY_RESOURCE_URL` and the like.
    ///
    /// ```
    /// # use copilot_keyless_tokio::FoundryProvider;
    /// let builder = FoundryProvider::builder().endpoint("https://myres.openai.azure.com");
    /// ```
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.request.endpoint = Some(endpoint.into());
        self
    }

    /// Sets the well-known name of the model. Default: `FOUNDRY_MODEL_NAME`, else `gpt-5.5`.
    ///
    /// ```
    /// # use copilot_keyless_tokio::FoundryProvider;
    /// let builder = FoundryProvider::builder().model("gpt-5.5");
    /// ```
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.request.model = Some(model.into());
        self
    }

    /// Sets the name of the deployment, if it differs from the model's.
    ///
    /// ```
    /// # use copilot_keyless_tokio::FoundryProvider;
    /// let builder = FoundryProvider::builder().model("gpt-5.5").deployment("team-gpt");
    /// ```
    pub fn deployment(mut self, deployment: impl Into<String>) -> Self {
        self.request.deployment = Some(deployment.into());
        self
    }

    /// Sets several models in place of one, for [`FoundryProviders`](crate::FoundryProviders).
    ///
    /// ```
    /// # use copilot_keyless_tokio::FoundryProvider;
    /// let builder = FoundryProvider::builder().models(["gpt-5.5", "gpt-5.5-mini"]);
    /// ```
    pub fn models(mut self, models: impl IntoIterator<Item = impl Into<ModelRequest>>) -> Self {
        self.models = Some(models.into_iter().map(Into::into).collect());
        self
    }

    /// Sets all options of the plan at once, such as headers and limits. Its environment is not used.
    ///
    /// ```
    /// # use copilot_keyless_tokio::FoundryProvider;
    /// use copilot_keyless_tokio::copilot_keyless::provider::ProviderRequest;
    ///
    /// let builder = FoundryProvider::builder().request(ProviderRequest {
    ///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
    ///     headers: [("x-team", "a")].into(),
    ///     ..ProviderRequest::default()
    /// });
    /// ```
    pub fn request(mut self, request: ProviderRequest) -> Self {
        self.request = request;
        self
    }

    /// Sets the tokens: of a credential or a policy of your own, or shared with other clients.
    /// [`FoundryProvider::close`] leaves them open.
    ///
    /// ```
    /// # use copilot_keyless_tokio::FoundryProvider;
    /// # use copilot_keyless_tokio::TokenProvider;
    /// let tokens = TokenProvider::builder().scope("https://ai.azure.com/.default").keep_fresh(true).build()?;
    /// let builder = FoundryProvider::builder().tokens(tokens);
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn tokens(mut self, tokens: TokenProvider) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Sets where environment variables are read from. Default: the process.
    ///
    /// ```
    /// # use copilot_keyless_tokio::FoundryProvider;
    /// let builder = FoundryProvider::builder().vars(|name| std::env::var(format!("TEST_{name}")).ok());
    /// ```
    pub fn vars(mut self, vars: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.vars = Some(Vars::from_fn(vars));
        self
    }

    /// Builds the provider. Sends no request and starts no task.
    ///
    /// Errors: `endpoint/...` for a missing or unreadable endpoint, `provider/...` for options that
    /// contradict each other, `credential/configuration` for such an environment.
    ///
    /// ```
    /// # use copilot_keyless_tokio::FoundryProvider;
    /// let foundry = FoundryProvider::builder().endpoint("https://myres.openai.azure.com").build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn build(self) -> Result<FoundryProvider> {
        let plan = plan(&self.read())?;
        let member = self.member("default", plan, Vec::new(), &[])?;
        Ok(FoundryProvider::of(Members::new(vec![member])))
    }

    /// The options, with the environment that they are read from.
    pub(super) fn read(&self) -> ProviderRequest {
        ProviderRequest {
            own_credential: self.tokens.is_some(),
            env: self.variables().all(),
            ..self.request.clone()
        }
    }

    fn variables(&self) -> Vars {
        self.vars.clone().unwrap_or_default()
    }

    /// Makes the provider of a plan. Shares the tokens of one before it, of the same identity and scope.
    pub(super) fn member(
        &self,
        name: &str,
        plan: ProviderPlan,
        models: Vec<copilot_keyless::provider::PlannedModel>,
        before: &[(Self, Member)],
    ) -> Result<Member> {
        let same = |(builder, member): &&(Self, Member)| {
            let plans = (&member.plan, &plan);
            member.owns_tokens
                && plans.0.scope == plans.1.scope
                && plans.0.credential.authority_host == plans.1.credential.authority_host
                && match (&builder.vars, &self.vars) {
                    (None, None) => true,
                    (Some(one), Some(other)) => one.is(other),
                    _ => false,
                }
        };
        let shared = before
            .iter()
            .find(same)
            .and_then(|(_, member)| member.tokens.clone());
        let tokens = match (&self.tokens, &plan.scope) {
            (Some(tokens), _) => Some(tokens.clone()),
            (None, None) => None,
            (None, Some(_)) if shared.is_some() => shared,
            (None, Some(scope)) => Some(self.new_tokens(scope, plan.credential.authority_host.clone())?),
        };
        Ok(Member {
            name: name.to_owned(),
            plan,
            tokens,
            owns_tokens: self.tokens.is_none(),
            models,
            rejected: Mutex::default(),
        })
    }

    fn new_tokens(&self, scope: &str, authority: Option<String>) -> Result<TokenProvider> {
        let vars = self.variables();
        let read = move |name: &str| {
            let planned = || authority.clone().filter(|_| name == AUTHORITY_HOST);
            vars.get(name).or_else(planned)
        };
        TokenProvider::builder().scope(scope).vars(read).build()
    }
}
