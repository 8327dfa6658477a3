//! Conversations of the Copilot SDK and its real runtime with the npm package's emulator. Needs Node,
//! `npm ci` and `npm run build` before, and the SDK's feature `runtime`, as in `npm run test:tokio`:
//!
//! ```sh
//! COPILOT_SKIP_CLI_DOWNLOAD=1 cargo test --features copilot,github-copilot-sdk/runtime --test copilot
//! ```

#![cfg(all(feature = "copilot", unix))]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test"
)]

mod claims;
mod conversation;
#[path = "../support/mod.rs"]
mod emulator;
mod environment;
mod many;
mod recovery;
mod resource;
