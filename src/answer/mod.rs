//! Reads responses: error messages, the events of a streamed response, and `Retry-After`.

pub(crate) mod body;
mod error_json;
pub mod model;
mod redact;
mod retry_after;
pub mod sse;

pub(crate) use retry_after::pause_of;
pub use retry_after::retry_after_ms;
