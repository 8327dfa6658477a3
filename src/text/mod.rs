//! Small pieces of text: what they are made of, and how they are read without the tables that std brings.

pub(crate) mod address;
pub(crate) mod base64;
pub(crate) mod decimal;
pub(crate) mod json;
