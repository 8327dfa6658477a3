//! The deciding half of copilot-keyless: how long a token lives, when to refresh it, what an endpoint is and which
//! provider it needs. Nothing here knows a clock, a random number or a network: times, chance and bytes are
//! arguments, decisions are return values.
//!
//! A program asks the credential, keeps the token and waits as [`schedule::Schedule`] decides; `crates/tokio` in the
//! repository does so for the Copilot SDK for Rust. [`provider::plan`] makes its provider of the options and the environment,
//! [`diagnosis::diagnose`] says why a request failed. For other languages there is a WebAssembly component,
//! `wit/copilot-keyless.wit`.
#![forbid(unsafe_code)]

mod address;
mod base64;
mod decimal;
mod error;
mod json;
mod named;
mod secret;

pub use error::{Code, Error, Result};
pub use named::{Headers, Variables};
pub use secret::Secret;

pub mod challenge;
pub mod chat;
pub mod claims;
pub mod conversation;
pub mod diagnosis;
pub mod endpoint;
pub mod environment;
pub mod expiry;
pub mod identity;
pub mod probe;
pub mod provider;
pub mod providers;
pub mod reply;
pub mod schedule;
pub mod simulate;
pub mod sse;
