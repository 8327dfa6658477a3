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
mod provider;
mod providers;
mod token;
mod vars;

#[cfg(feature = "azure-core")]
pub use azure_core::{AzureCredential, RejectionPolicy, TokenPolicy};
pub use clock::{Clock, SystemClock};
#[cfg(feature = "copilot")]
pub use copilot::provider_config;
pub use copilot_keyless::schedule::Phase;
pub use credential::{
    BoxFuture, Credential, CredentialError, DirectCredential, DirectCredentialBuilder, FnCredential,
    TokenRequest, TokenResponse, credential_fn,
};
pub use error::Error;
pub use provider::{RefreshPolicy, TokenProvider, TokenProviderBuilder, TokenStatus};
pub use providers::TokenProviders;
pub use token::Token;

/// The core, for what this crate does not repeat: endpoints, plans, diagnoses.
pub use copilot_keyless;

/// The result of a fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;
