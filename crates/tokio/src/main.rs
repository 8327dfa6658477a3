//! Runs a conversation of the Copilot SDK for Rust with a Foundry model, without an API key. The
//! settings come from the same environment variables as those of the npm package:
//!
//! ```sh
//! eval "$(npx copilot-keyless emulator)"   # or in Azure: FOUNDRY_RESOURCE_URL and a managed identity
//! cargo run -- 30                          # for 30 seconds; without a number, one turn
//! ```

mod tokens;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use copilot_keyless::provider::{self, ProviderPlan, ProviderRequest};
use github_copilot_sdk::provider_token::{BearerTokenError, ProviderTokenArgs};
use github_copilot_sdk::types::{MessageOptions, ProviderConfig, SessionConfig};
use github_copilot_sdk::{Client, ClientOptions};
use tokens::Tokens;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(0), |given| given.parse())?;
    let plan = provider::plan(&ProviderRequest {
        env: std::env::vars().collect(),
        ..ProviderRequest::default()
    })?;
    let scope = plan
        .scope
        .as_deref()
        .ok_or("No token scope is known; set FOUNDRY_TOKEN_SCOPE")?;
    let tokens = Tokens::new(scope);
    let client = Client::start(ClientOptions::default()).await?;
    let config = SessionConfig::default()
        .with_model(&plan.model)
        .with_provider(provider_config(&plan, tokens));
    let session = client.create_session(config).await?;

    let started = Instant::now();
    for turn in 1.. {
        let prompt = MessageOptions::new(format!("Turn {turn}")).with_wait_timeout(Duration::from_secs(60));
        let reply = session
            .send_and_wait(prompt)
            .await?
            .ok_or("The turn ended without a reply")?;
        println!("{}", reply.data["content"].as_str().unwrap_or_default());
        if started.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    session.disconnect().await?;
    client.stop().await?;
    Ok(())
}

/// Builds the provider's config from the plan and the token source.
fn provider_config(plan: &ProviderPlan, tokens: Arc<Tokens>) -> ProviderConfig {
    let bearer = move |_: ProviderTokenArgs| {
        let tokens = Arc::clone(&tokens);
        async move { tokens.get().await.map_err(BearerTokenError::message) }
    };
    let mut config = ProviderConfig::new(&plan.config.base_url)
        .with_provider_type(plan.config.provider_type.as_str())
        .with_bearer_token_provider(Arc::new(bearer));
    config.wire_api = plan.config.wire_api.map(|api| format!("{api:?}").to_lowercase());
    config.model_id.clone_from(&plan.config.model_id);
    config.wire_model.clone_from(&plan.config.wire_model);
    config
}

#[cfg(test)]
mod tests {
    use super::{ProviderRequest, Tokens, provider, provider_config};

    #[test]
    fn the_config_is_that_of_the_plan() {
        let plan = provider::plan(&ProviderRequest {
            endpoint: Some("https://myres.openai.azure.com".to_owned()),
            model: Some("gpt-5.5".to_owned()),
            deployment: Some("team-gpt".to_owned()),
            ..ProviderRequest::default()
        })
        .expect("the options are valid");
        let config = provider_config(&plan, Tokens::new("https://ai.azure.com/.default"));
        assert_eq!(config.base_url, "https://myres.openai.azure.com/openai/v1/");
        assert_eq!(config.provider_type.as_deref(), Some("openai"));
        assert_eq!(config.wire_api.as_deref(), Some("responses"));
        assert_eq!(config.model_id.as_deref(), Some("gpt-5.5"));
        assert_eq!(config.wire_model.as_deref(), Some("team-gpt"));
        assert!(config.bearer_token_provider.is_some());
    }
}
