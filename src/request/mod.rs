//! Describes requests without sending them: to a model, and to an identity endpoint for a token.

pub mod chat;
pub mod identity;
pub mod probe;
pub mod tool;
