//! The tokens of one backend.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use copilot_keyless::Variables;
use copilot_keyless::gateway::Verdict;
use copilot_keyless_tokio::{Error, RefreshPolicy, Token, TokenProvider};

use crate::failure::Failure;

/// The tokens of one scope and identity.
pub(crate) struct Tokens {
    provider: TokenProvider,
    known: Mutex<Known>,
}

/// What the resource made of the tokens.
#[derive(Default)]
struct Known {
    /// The one that it rejected last.
    rejected: Option<Token>,
    /// The one that it accepted last.
    accepted: Option<Token>,
    /// When another one was asked for, because it had rejected one.
    renewed: Option<Instant>,
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
            known: Mutex::default(),
        })
    }

    /// Returns the token of a request.
    pub(crate) async fn token(&self) -> Result<Token, Failure> {
        match self.provider.token().await {
            // An identity with its own cache may have no other token, and the role may be there by now.
            Err(error) if error.code() == "token/rejected-again" => {
                let rejected = self.known().rejected.clone();
                rejected.ok_or_else(|| error.into())
            }
            result => Ok(result?),
        }
    }

    /// Acquires another token after the resource rejected this one, or asked for claims. Many calls at
    /// once cost one acquisition, because only the first of them finds the token still in use. Fails
    /// with a retryable error if it is too soon for another one, and the resource had accepted this one:
    /// it was revoked.
    pub(crate) async fn renew(
        &self,
        rejected: &Token,
        verdict: Verdict,
        asked: Option<&str>,
    ) -> Result<Token, Failure> {
        let renews = match (verdict, asked) {
            (Verdict::Challenge, Some(asked)) => self.provider.challenge(rejected, asked),
            _ => self.provider.reject(rejected),
        };
        let (was_accepted, left) = {
            let mut known = self.known();
            known.rejected = Some(rejected.clone());
            if renews {
                known.renewed = Some(Instant::now());
            }
            let is_same = |one: &Token| one.secret() == rejected.secret();
            let since = known.renewed.map(|at| at.elapsed()).unwrap_or_default();
            let interval = RefreshPolicy::default().invalidate_interval;
            (
                known.accepted.as_ref().is_some_and(is_same),
                interval.saturating_sub(since),
            )
        };
        // Where there is no other token, the second answer explains this one.
        let token = self.token().await?;
        if !renews && was_accepted && token.secret() == rejected.secret() {
            return Err(revoked_again(left));
        }
        Ok(token)
    }

    /// Notes that the resource has accepted a token.
    pub(crate) fn accept(&self, token: &Token) {
        self.known().accepted = Some(token.clone());
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn revoked_again(left: Duration) -> Failure {
    let message = "The token was revoked, and it is too soon after the last one for another";
    Failure {
        retryable: true,
        retry_after_ms: u32::try_from(left.as_millis()).ok(),
        ..Failure::new("model/token-invalid", message).hint("Try again after the time in Retry-After.")
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
