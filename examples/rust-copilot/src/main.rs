//! Runs a conversation of the Copilot SDK for Rust with a Foundry model, without an API key. The
//! settings come from the same environment variables as those of the npm package:
//!
//! ```sh
//! eval "$(npx copilot-keyless emulator)"   # or in Azure: FOUNDRY_RESOURCE_URL and a managed identity
//! cargo run -- 30                          # for 30 seconds; without a number, one turn
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use copilot_keyless_tokio::TokenProvider;
use copilot_keyless_tokio::copilot_keyless::provider::{ProviderRequest, plan};
use github_copilot_sdk::types::{MessageOptions, SessionConfig};
use github_copilot_sdk::{Client, ClientOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let seconds = std::env::args().nth(1).map_or(Ok(0), |given| given.parse())?;
    let plan = plan(&ProviderRequest {
        env: std::env::vars().collect(),
        ..ProviderRequest::default()
    })?;
    let tokens = TokenProvider::from_env()?;
    let client = Client::start(ClientOptions::default()).await?;
    let config = SessionConfig::default()
        .with_model(&plan.model)
        .with_provider(tokens.provider_config(&plan));
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
    tokens.close().await;
    Ok(())
}
