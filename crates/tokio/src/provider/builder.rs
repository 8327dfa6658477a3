//! Builds a provider.

use std::sync::Arc;

use copilot_keyless::Code;
use copilot_keyless::endpoint::{Options, parse};
use copilot_keyless::environment;

use super::shared::{Settings, Shared};
use super::{RefreshPolicy, TokenProvider};
use crate::clock::{Clock, SystemClock};
use crate::credential::{Credential, DirectCredential};
use crate::vars::Vars;
use crate::{Error, Result};

/// Settings of a [`TokenProvider`]. All are optional: unset ones come from the environment.
///
/// ```
/// use std::time::Duration;
/// use copilot_keyless_tokio::{RefreshPolicy, TokenProvider};
///
/// let tokens = TokenProvider::builder()
///     .scope("https://ai.azure.com/.default")
///     .keep_fresh(true)
///     .policy(RefreshPolicy { wait_timeout: Duration::from_secs(5), ..RefreshPolicy::default() })
///     .build()?;
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "build() makes the provider"]
pub struct TokenProviderBuilder {
    scopes: Vec<String>,
    tenant: Option<String>,
    credential: Option<Arc<dyn Credential>>,
    keep_fresh: bool,
    vars: Vars,
    client: Option<reqwest::Client>,
    clock: Option<Arc<dyn Clock>>,
    policy: RefreshPolicy,
}

impl TokenProviderBuilder {
    /// Sets the scope. Default: `FOUNDRY_TOKEN_SCOPE`, else the one of the endpoint in
    /// `FOUNDRY_RESOURCE_URL` and the like.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenProvider;
    ///
    /// let tokens = TokenProvider::builder().scope("https://storage.azure.com/.default").build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes = vec![scope.into()];
        self
    }

    /// Sets several scopes, which Entra takes; managed identities and developer tools take one.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenProvider;
    ///
    /// let scopes = ["api://contoso/read", "api://contoso/write"];
    /// let tokens = TokenProvider::builder().scopes(scopes).build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the tenant that issues the tokens. Default: the credential's.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenProvider;
    ///
    /// let tokens = TokenProvider::builder().scope("https://ai.azure.com/.default").tenant("contoso.com").build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets the credential. Default: [`DirectCredential`], by `AZURE_TOKEN_CREDENTIALS` and the host.
    ///
    /// ```
    /// use copilot_keyless_tokio::{DirectCredential, TokenProvider};
    ///
    /// let credential = DirectCredential::builder().tenant("contoso.com").build()?;
    /// let tokens = TokenProvider::builder().scope("https://ai.azure.com/.default").credential(credential).build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn credential(mut self, credential: impl Credential + 'static) -> Self {
        self.credential = Some(Arc::new(credential));
        self
    }

    /// Whether to refresh the token in the background also while nobody asks. Default false: then the
    /// first call after the refresh time starts it, and gets the old token meanwhile. Begins with the
    /// first call.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenProvider;
    ///
    /// let tokens = TokenProvider::builder().scope("https://ai.azure.com/.default").keep_fresh(true).build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn keep_fresh(mut self, keep: bool) -> Self {
        self.keep_fresh = keep;
        self
    }

    /// Sets where environment variables are read from. Default: the process. Developer tools are found by
    /// its `PATH`, and get the other variables of the process.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenProvider;
    ///
    /// let tokens = TokenProvider::builder()
    ///     .vars(|name| (name == "FOUNDRY_RESOURCE_URL").then(|| "https://myres.openai.azure.com".to_owned()))
    ///     .build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn vars(mut self, vars: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.vars = Vars::from_fn(vars);
        self
    }

    /// Sets the client for requests to Entra, such as for a proxy or a certificate authority of your
    /// own. Requests to this host's identity endpoint use another one, without proxy and redirects.
    ///
    /// ```
    /// use copilot_keyless_tokio::{Result, TokenProvider};
    ///
    /// fn through_a_proxy(client: reqwest::Client) -> Result<TokenProvider> {
    ///     TokenProvider::builder().scope("https://ai.azure.com/.default").client(client).build()
    /// }
    /// ```
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Sets the clock. For tests.
    ///
    /// ```
    /// use copilot_keyless_tokio::{SystemClock, TokenProvider};
    ///
    /// let tokens = TokenProvider::builder().scope("https://ai.azure.com/.default").clock(SystemClock).build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets the refresh policy.
    ///
    /// ```
    /// use std::time::Duration;
    /// use copilot_keyless_tokio::{RefreshPolicy, TokenProvider};
    ///
    /// let policy = RefreshPolicy { refresh_before_expiry: Duration::from_secs(600), ..RefreshPolicy::default() };
    /// let tokens = TokenProvider::builder().scope("https://ai.azure.com/.default").policy(policy).build()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn policy(mut self, policy: RefreshPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Builds the provider. Sends no request and starts no task.
    ///
    /// Errors: `provider/scope` without a scope, `endpoint/...` for an unreadable endpoint,
    /// `credential/configuration` for an environment that contradicts itself, `policy/invalid`.
    ///
    /// ```
    /// let error = copilot_keyless_tokio::TokenProvider::builder().vars(|_| None).build().unwrap_err();
    /// assert_eq!(error.code(), "provider/scope");
    /// ```
    pub fn build(self) -> Result<TokenProvider> {
        let Self {
            scopes,
            tenant,
            credential,
            keep_fresh,
            vars,
            client,
            clock,
            policy,
        } = self;
        let scopes = if scopes.is_empty() {
            vec![scope_of(&vars)?]
        } else {
            scopes
        };
        if scopes.iter().any(|scope| scope.trim().is_empty()) {
            return Err(no_scope("The token scope is blank"));
        }
        let clock = clock.unwrap_or_else(|| Arc::new(SystemClock));
        let credential = match credential {
            Some(credential) => credential,
            None => Arc::new(
                DirectCredential::builder()
                    .with_vars(vars)
                    .with_client(client)
                    .with_clock(Arc::clone(&clock))
                    .build()?,
            ),
        };
        let settings = Settings {
            credential,
            scopes,
            tenant,
            clock,
            keep_fresh,
        };
        Ok(TokenProvider::of(Shared::new(settings, policy)?))
    }
}

/// Returns the scope that the environment names.
fn scope_of(vars: &Vars) -> Result<String> {
    let resolved = environment::resolve(&vars.all());
    if let Some(scope) = resolved.scope {
        return Ok(scope.value);
    }
    let Some(endpoint) = resolved.endpoint else {
        return Err(no_scope(
            "Neither FOUNDRY_TOKEN_SCOPE nor FOUNDRY_RESOURCE_URL is set",
        ));
    };
    let endpoint = parse(&endpoint.value, &Options::default())?;
    endpoint
        .scope
        .ok_or_else(|| no_scope("The endpoint of the environment has no known token scope"))
}

fn no_scope(message: &str) -> Error {
    Error::new(
        Code::ProviderScope,
        message,
        "Give the scope, or set FOUNDRY_TOKEN_SCOPE. For Foundry it is https://ai.azure.com/.default.",
    )
}
