//! The deciding half of copilot-keyless: how long a token lives, when to refresh it, what an endpoint is and which
//! provider it needs. Nothing here knows a clock, a random number or a network: times, chance and bytes are
//! arguments, decisions are return values.
//!
//! A program asks the credential, keeps the token and waits as [`schedule::Schedule`] decides; `crates/tokio` in the
//! repository does so for the Copilot SDK for Rust. [`provider::plan`] makes its provider of the options and the environment,
//! [`diagnosis::diagnose`] says why a request failed. For other languages there is a WebAssembly component,
//! `wit/copilot-keyless.wit`.
#![forbid(unsafe_code)]

mod error;
mod named;
mod notice;
mod secret;
mod text;

pub use error::{Code, Error, Result};
pub use named::{Headers, Variables};
pub use notice::{Notice, NoticeCode};
pub use secret::Secret;

pub mod answer;
pub mod conversation;
pub mod diagnosis;
pub mod endpoint;
pub mod environment;
pub mod provider;
pub mod request;
pub mod schedule;
pub mod simulate;
pub mod token;
