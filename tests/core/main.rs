//! The core, natively: a module for each of `src/`. `cargo test --test core token::` runs those of one.
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

/// The text of a table, which other languages run too.
macro_rules! table {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/", $name))
    };
}

mod answer {
    mod model;
}
mod codes;
mod conversation;
mod diagnosis {
    mod commands;
    mod properties;
    mod table;
}
mod endpoint {
    mod properties;
    mod table;
}
mod environment {
    mod credential;
}
mod error;
mod limits;
mod provider {
    mod models;
    mod plan;
}
mod request {
    mod identity;
    mod probe;
}
mod schedule {
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
