//! Reads tokens: their lifetimes, their claims, and the challenge of a resource that rejects one.

pub mod challenge;
pub mod claims;
mod clock_skew;
mod date;
mod lifetime;
mod response;

pub use clock_skew::{clock_ahead, corrected_expiry, seems_expired};
pub(crate) use date::http_date;
pub use date::parse_instant;
pub use lifetime::{Lifetime, MAX_LIFETIME_MS, Millis};
pub use response::{FieldValue, TokenResponse, bare_token, parse_token_fields, parse_token_response};
