//! Tokens that stay fresh where there is no tokio. [`tokens`] has the decisions of the core and an executor
//! of its own ([`executor`]); a [`tokens::Host`] has the clock, the timer and HTTP: `web.rs` for browsers and
//! workerd, `main.rs` for WASI.

mod acquire;
pub mod executor;
pub mod tokens;

#[cfg(target_os = "unknown")]
mod web;
