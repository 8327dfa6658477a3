//! What comes back: the words of a refusal, the events of a streamed reply, and how long to wait before another request.

pub(crate) mod body;
pub mod model;
mod retry_after;
pub mod sse;

pub(crate) use retry_after::pause_of;
pub use retry_after::retry_after_ms;
