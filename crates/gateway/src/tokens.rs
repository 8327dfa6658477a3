//! The tokens of one backend.

use copilot_keyless::Variables;
use copilot_keyless_tokio::{Error, Token, TokenProvider};

use crate::failure::Failure;

/// Creates the tokens of a scope, for the identity that the variables select.
pub(crate) fn tokens(scope: &str, env: Variables) -> Result<TokenProvider, Failure> {
    let provider = TokenProvider::builder()
        .scope(scope)
        .vars(move |name| env.get(name).map(|value| value.expose().to_owned()))
        .build()?;
    Ok(provider)
}

/// Returns the token of a request; none for a resource without a known scope.
pub(crate) async fn acquire(tokens: Option<&TokenProvider>) -> Result<Option<Token>, Failure> {
    match tokens {
        None => Ok(None),
        Some(tokens) => Ok(Some(tokens.token().await?)),
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        // The text goes on with the code and the hint.
        let message = text.split(&format!(" ({})", error.code())).next();
        Self {
            code: error.code().to_owned(),
            message: message.unwrap_or_default().to_owned(),
            hint: Some(error.hint().to_owned()).filter(|hint| !hint.is_empty()),
            retryable: error.is_retryable(),
            retry_after_ms: error
                .retry_after()
                .and_then(|pause| u32::try_from(pause.as_millis()).ok()),
        }
    }
}
