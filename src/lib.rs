#![doc = include_str!("README.md")]
#![forbid(unsafe_code)]

mod error;
mod named;
mod notice;
mod secret;
mod text;

pub use error::{Code, Error, Result, UnknownCode};
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
