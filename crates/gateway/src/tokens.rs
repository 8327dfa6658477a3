//! The tokens of one backend.

use std::sync::{Mutex, PoisonError};

use copilot_keyless::Variables;
use copilot_keyless::gateway::Verdict;
use copilot_keyless_tokio::{Error, Token, TokenProvider};

use crate::failure::Failure;

/// The tokens of one scope and identity.
pub(crate) struct Tokens {
    provider: TokenProvider,
    /// The one that the resource rejected last.
    rejected: Mutex<Option<Token>>,
}

impl Tokens {
    /// Creates the tokens of a scope, for the identity that the variables select.
    pub(crate) fn new(scope: &str, env: Variables) -> Result<Self, Failure> {
        let provider = TokenProvider::builder()
            .scope(scope)
            .vars(move |name| env.get(name).map(|value| value.expose().to_owned()))
            .build()?;
        Ok(Self {
            provider,
            rejected: Mutex::default(),
        })
    }

    /// Returns the token of a request.
    pub(crate) async fn token(&self) -> Result<Token, Failure> {
        match self.provider.token().await {
            // An identity with its own cache may have no other token, and the role may be there by now.
            Err(error) if error.code() == "token/rejected-again" => {
                let rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
                rejected.clone().ok_or_else(|| error.into())
            }
            result => Ok(result?),
        }
    }

    /// Acquires another token after the resource rejected this one, or asked for claims. Many calls at
    /// once cost one acquisition, because only the first of them finds the token still in use.
    pub(crate) async fn renew(
        &self,
        rejected: &Token,
        verdict: Verdict,
        asked: Option<&str>,
    ) -> Result<Token, Failure> {
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner) = Some(rejected.clone());
        match (verdict, asked) {
            (Verdict::Challenge, Some(asked)) => self.provider.challenge(rejected, asked),
            _ => self.provider.reject(rejected),
        };
        Ok(self.provider.token().await?)
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
