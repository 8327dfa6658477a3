//! Tests the core natively, with one module for each of `src/`. `cargo test --test core token::`
//! runs one module.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    clippy::float_cmp,
    reason = "tests"
)]

/// Returns the text of a table, which tests in other languages also run.
macro_rules! table {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/", $name))
    };
}

mod answer {
    mod hostile;
    mod model;
    mod streams;
}
mod codes;
mod conversation;
mod diagnosis {
    mod commands;
    mod credential;
    mod credential_commands;
    mod credential_failure;
    mod hostile;
    mod properties;
    pub(crate) mod refusals;
    mod repeated_token;
    pub(crate) mod table;
}
mod endpoint {
    mod messages;
    mod properties;
    mod table;
}
mod environment {
    mod credential;
    mod hosting;
    mod proxy;
}
mod error;
mod errors_page;
mod gateway {
    mod backends;
    mod backends_load;
    mod properties;
    mod table;
    mod usage;
}
mod lease {
    mod interleavings;
    mod rules;
}
mod limits;
mod problem;
mod processor;
mod provider {
    mod models;
    mod plan;
}
mod request {
    mod identity;
    mod identity_hosts;
    mod probe;
}
mod schedule {
    mod cache_fallback;
    mod invariants;
    mod properties;
    mod table;
}
mod secrets;
mod simulate;
mod token {
    mod challenge;
    mod claims;
    mod lifetime;
}
mod turn;
