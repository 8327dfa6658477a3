//! What all programs have in common.

use std::error::Error;

use async_trait::async_trait;

pub type BoxError = Box<dyn Error + Send + Sync>;

pub const STORAGE: &str = "https://storage.azure.com/.default";
pub const FOUNDRY: &str = "https://ai.azure.com/.default";
pub const QUESTION: &str = r#"{ "model": "gpt-5.5", "input": "Hello" }"#;

/// A program that uses a client.
#[async_trait]
pub trait Program: Send + Sync {
    /// Reads a blob, or asks a model.
    async fn call(&self) -> Result<(), BoxError>;
}

/// The address of the storage account and of the model's resource: `https`, on this machine.
pub fn address() -> String {
    std::env::var("RESOURCE_URL").expect("it is set")
}

/// Makes an error of a status other than 200.
pub fn served(status: u16) -> Result<(), BoxError> {
    match status {
        200 => Ok(()),
        _ => Err(format!("status {status}").into()),
    }
}
