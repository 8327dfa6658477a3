//! Gives the runtime the tokens of one provider.

use std::sync::Arc;
use std::time::Duration;

use github_copilot_sdk::provider_token::{BearerTokenError, BearerTokenProvider, ProviderTokenArgs};
use tokio::time::{Instant, timeout};

use super::members::Members;
use super::state::SessionState;
use crate::{Error, Result, Token, TokenProvider};

/// How long a turn waits for a token in all: as a call of [`TokenProvider::token`] does.
const WAIT: Duration = Duration::from_secs(15);

/// The tokens of one of the providers, for any session.
#[derive(Clone)]
pub(super) struct Bearer {
    members: Arc<Members>,
    member: usize,
}

impl Bearer {
    pub(super) fn new(members: &Arc<Members>, member: usize) -> Self {
        Self {
            members: Arc::clone(members),
            member,
        }
    }

    /// Acquires a token for a session that a provider is attached to.
    async fn token_for(&self, tokens: &TokenProvider, state: &SessionState) -> Result<Token> {
        let left = state.turn().ask(self.member, Instant::now(), WAIT);
        let acquired = match left {
            None => tokens.token().await,
            Some(left) => match timeout(left, tokens.token()).await {
                Ok(acquired) => acquired,
                Err(_) => Err(self.waited(tokens, state)),
            },
        };
        let mut turn = state.turn();
        let granted = turn.grant(self.member, acquired);
        if let Err(error) = &granted
            && let Some(error) = turn.end(self.member, error, Instant::now(), WAIT)
        {
            drop(turn);
            state.end(error);
        }
        granted
    }

    /// The error of a turn that has waited long enough: the last failure, so that an outage has one code.
    fn waited(&self, tokens: &TokenProvider, state: &SessionState) -> Error {
        let known = tokens.status().last_failure;
        let known = known.or_else(|| state.turn().token_error(self.member));
        known.unwrap_or_else(|| Error::wait_over(WAIT))
    }
}

#[async_trait::async_trait]
impl BearerTokenProvider for Bearer {
    async fn get_token(&self, args: ProviderTokenArgs) -> std::result::Result<String, BearerTokenError> {
        let member = self.members.list.get(self.member);
        let Some(tokens) = member.and_then(|member| member.tokens.as_ref()) else {
            return Err(BearerTokenError::message("The provider has no tokens"));
        };
        let acquired = match self.members.session(&args.session_id.into()) {
            Some(state) => self.token_for(tokens, &state).await,
            None => tokens.token().await,
        };
        match acquired {
            Ok(token) => Ok(token.secret().to_owned()),
            Err(error) => Err(BearerTokenError::message(error.to_string())),
        }
    }
}
