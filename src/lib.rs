#![doc = include_str!("README.md")]
#![forbid(unsafe_code)]

mod error;
mod notice;
mod problem;
mod retryable;
mod secret;
mod secret_map;
mod text;

pub use error::{Code, Error, Result, UnknownCode};
pub use notice::{Notice, NoticeCode};
pub use problem::Problem;
pub use retryable::retryable_codes;
pub use secret::Secret;
pub use secret_map::{Headers, Variables};
pub use text::number::whole_number;

pub mod answer;
pub mod conversation;
pub mod diagnosis;
pub mod endpoint;
pub mod environment;
pub mod gateway;
pub mod lease;
pub mod provider;
pub mod request;
pub mod schedule;
pub mod simulate;
pub mod token;
pub mod turn;
