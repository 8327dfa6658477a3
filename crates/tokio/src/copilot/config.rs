//! The provider's config of the Copilot SDK.

use std::collections::HashMap;
use std::sync::Arc;

use copilot_keyless::provider::{ProviderPlan, Transport};
use github_copilot_sdk::provider_token::{BearerTokenError, BearerTokenProvider, ProviderTokenArgs};
use github_copilot_sdk::types::{AzureProviderOptions, ProviderConfig};

use super::members::wire_name;
use crate::TokenProvider;

/// Returns the provider's config of a plan, without a credential.
///
/// ```
/// use copilot_keyless_tokio::copilot_keyless::provider::{ProviderRequest, plan};
/// use copilot_keyless_tokio::provider_config;
///
/// let plan = plan(&ProviderRequest {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     ..ProviderRequest::default()
/// })?;
/// assert_eq!(provider_config(&plan).base_url, "https://myres.openai.azure.com/openai/v1/");
/// # Ok::<(), copilot_keyless_tokio::copilot_keyless::Error>(())
/// ```
pub fn provider_config(plan: &ProviderPlan) -> ProviderConfig {
    let planned = &plan.config;
    let mut config =
        ProviderConfig::new(&planned.base_url).with_provider_type(planned.provider_type.as_str());
    config.wire_api = planned.wire_api.map(|api| wire_name(api).to_owned());
    config.transport = planned.transport.map(|transport| {
        let name = match transport {
            Transport::Http => "http",
            Transport::Websockets => "websockets",
        };
        name.to_owned()
    });
    config.azure = planned.azure.as_ref().map(|azure| AzureProviderOptions {
        api_version: Some(azure.api_version.clone()),
    });
    if !planned.headers.is_empty() {
        let headers = planned.headers.iter();
        let headers: HashMap<_, _> = headers
            .map(|(name, text)| (name.to_owned(), text.expose().to_owned()))
            .collect();
        config.headers = Some(headers);
    }
    config.model_id.clone_from(&planned.model_id);
    config.wire_model.clone_from(&planned.wire_model);
    config.max_prompt_tokens = planned.max_prompt_tokens.map(i64::from);
    config.max_output_tokens = planned.max_output_tokens.map(i64::from);
    config
}

impl TokenProvider {
    /// Returns the provider's config of a plan for a session of the Copilot SDK, with these tokens: the
    /// runtime asks for one before each request to the model.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenProvider;
    /// use copilot_keyless_tokio::copilot_keyless::provider::{ProviderRequest, plan};
    ///
    /// let plan = plan(&ProviderRequest {
    ///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
    ///     ..ProviderRequest::default()
    /// })?;
    /// let tokens = TokenProvider::for_scope(plan.scope.as_deref().unwrap_or_default())?;
    /// let config = tokens.provider_config(&plan);
    /// assert!(config.bearer_token_provider.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn provider_config(&self, plan: &ProviderPlan) -> ProviderConfig {
        provider_config(plan).with_bearer_token_provider(Arc::new(self.clone()))
    }
}

#[async_trait::async_trait]
impl BearerTokenProvider for TokenProvider {
    async fn get_token(&self, _args: ProviderTokenArgs) -> Result<String, BearerTokenError> {
        match self.token().await {
            Ok(token) => Ok(token.secret().to_owned()),
            Err(error) => Err(BearerTokenError::message(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use copilot_keyless::provider::{ProviderRequest, plan};

    use super::provider_config;

    #[test]
    fn the_config_is_that_of_the_plan() {
        let plan = plan(&ProviderRequest {
            endpoint: Some("https://myres.openai.azure.com".to_owned()),
            model: Some("gpt-5.5".to_owned()),
            deployment: Some("team-gpt".to_owned()),
            headers: [("x-team", "a")].into(),
            ..ProviderRequest::default()
        })
        .unwrap();
        let config = provider_config(&plan);
        assert_eq!(config.base_url, "https://myres.openai.azure.com/openai/v1/");
        assert_eq!(config.provider_type.as_deref(), Some("openai"));
        assert_eq!(config.wire_api.as_deref(), Some("responses"));
        assert_eq!(config.model_id.as_deref(), Some("gpt-5.5"));
        assert_eq!(config.wire_model.as_deref(), Some("team-gpt"));
        assert_eq!(config.headers.unwrap()["x-team"], "a");
    }
}
