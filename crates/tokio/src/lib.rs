#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "azure-core")]
mod azure_core;
mod clock;
#[cfg(feature = "copilot")]
mod copilot;
mod credential;
mod error;
#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
mod hosts;
#[cfg(feature = "object-store")]
mod object_store;
mod provider;
mod providers;
#[cfg(any(
    feature = "azure-core",
    feature = "copilot",
    feature = "object-store",
    feature = "reqwest-middleware",
    feature = "tower"
))]
mod repeat;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
mod sync;
mod token;
#[cfg(feature = "tower")]
mod tower;
mod vars;

/// The samples of the guide are tests.
#[cfg(all(doctest, feature = "azure-core"))]
#[doc = include_str!("../../../docs/guides/rust.md")]
mod guide {}

#[cfg(feature = "azure-core")]
pub use azure_core::{AzureCredential, RejectionPolicy, TokenPolicy};
pub use clock::{Clock, SystemClock};
#[cfg(feature = "copilot")]
pub use copilot::{
    ClaimsChallengeHandler, FoundryProvider, FoundryProviderBuilder, FoundryProviders, FoundrySession,
    provider_config, without_secrets,
};
pub use copilot_keyless::schedule::Phase;
pub use credential::{
    BoxFuture, Credential, CredentialError, DirectCredential, DirectCredentialBuilder, FnCredential,
    TokenRequest, TokenResponse, credential_fn,
};
pub use error::Error;
#[cfg(feature = "object-store")]
pub use object_store::TokenConnector;
pub use provider::{RefreshPolicy, TokenProvider, TokenProviderBuilder, TokenStatus};
pub use providers::TokenProviders;
#[cfg(feature = "reqwest-middleware")]
pub use reqwest_middleware::TokenMiddleware;
pub use token::Token;
#[cfg(feature = "tower")]
pub use tower::{Once, Repeating, Repetition, TokenLayer, TokenService};

/// The core, for what this crate does not repeat: endpoints, plans, diagnoses.
pub use copilot_keyless;

/// The result of a fallible function of this crate.
///
/// ```
/// fn tokens() -> copilot_keyless_tokio::Result<copilot_keyless_tokio::TokenProvider> {
///     copilot_keyless_tokio::TokenProvider::from_env()
/// }
/// ```
pub type Result<T> = std::result::Result<T, Error>;
