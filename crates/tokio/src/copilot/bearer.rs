//! Gives the runtime the tokens of one provider.

use std::sync::Arc;

use github_copilot_sdk::provider_token::{BearerTokenError, BearerTokenProvider, ProviderTokenArgs};
use tokio::time::timeout;

use super::members::Members;
use super::state::SessionState;
use crate::clock::{duration_of, millis};
use crate::{Error, Result, Token, TokenProvider};

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

    /// Acquires a token for a session that a provider is attached to. The requests of a turn share one
    /// wait; the first has the provider's own deadline.
    async fn token_for(&self, tokens: &TokenProvider, state: &SessionState) -> Result<Token> {
        let waited = state.turn().rules.ask(self.member, tokens.now());
        let acquired = match waited.map(|waited| tokens.wait_left(waited)) {
            None => tokens.token().await,
            Some(left) if left.is_zero() => Err(self.waited(tokens, state)),
            Some(left) => match timeout(left, tokens.token()).await {
                Ok(acquired) => acquired,
                Err(_) => Err(self.waited(tokens, state)),
            },
        };
        if let (Ok(token), Some(member)) = (&acquired, self.members.list.get(self.member)) {
            member.acquired(token);
        }
        let mut turn = state.turn();
        let rejected = || self.members.list.get(self.member)?.rejected();
        let granted = turn.grant(self.member, acquired, rejected);
        if let Err(error) = &granted {
            let waited = turn.rules.waited(self.member, tokens.now());
            let left = error.is_retryable().then(|| millis(tokens.wait_left(waited)));
            let end = turn.refuse(self.member, error, left);
            drop(turn);
            if let Some(error) = end {
                state.end(error);
            }
        }
        granted
    }

    /// The error of a turn that has waited long enough: the last failure, so that an outage has one code.
    fn waited(&self, tokens: &TokenProvider, state: &SessionState) -> Error {
        let known = tokens.status().last_failure;
        let turn = state.turn();
        let known = known.or_else(|| turn.token_error(self.member));
        known.unwrap_or_else(|| {
            let waited = turn.rules.waited(self.member, tokens.now());
            Error::wait_over(duration_of(waited))
        })
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
