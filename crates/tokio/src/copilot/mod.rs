//! Feeds the GitHub Copilot SDK for Rust.

mod bearer;
mod builder;
mod claims_challenge;
mod config;
mod environment;
mod failure;
mod foundry;
mod many;
mod members;
mod session;
mod state;
mod turn;

pub use builder::FoundryProviderBuilder;
pub use claims_challenge::ClaimsChallengeHandler;
pub use config::provider_config;
pub use environment::without_secrets;
pub use foundry::FoundryProvider;
pub use many::FoundryProviders;
pub use session::FoundrySession;
