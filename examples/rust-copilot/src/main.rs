//! Holds a conversation with a Foundry model by the Copilot SDK for Rust, without an API key:
//!
//! ```sh
//! eval "$(npx copilot-keyless emulator)"   # or in Azure: FOUNDRY_RESOURCE_URL and a managed identity
//! cargo run -- "Say hello." "And again."
//! ```

use copilot_keyless_tokio::{FoundryProvider, without_secrets};
use github_copilot_sdk::{Client, ClientOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let foundry = FoundryProvider::from_env()?;
    let client = Client::start(without_secrets(ClientOptions::default())).await?;
    let session = foundry.attach(client.create_session(foundry.session_config()).await?);
    for prompt in std::env::args().skip(1) {
        println!("{}", session.chat(prompt).await?);
    }
    session.disconnect().await?;
    client.stop().await?;
    foundry.close().await;
    Ok(())
}
