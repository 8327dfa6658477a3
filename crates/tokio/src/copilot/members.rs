//! The providers of a session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use copilot_keyless::diagnosis::{Diagnosis, FailedRequest, diagnose};
use copilot_keyless::endpoint::Options;
use copilot_keyless::provider::{PlannedModel, ProviderPlan, WireApi};
use github_copilot_sdk::SessionId;
use github_copilot_sdk::types::{NamedProviderConfig, ProviderConfig, ProviderModelConfig};

use super::bearer::Bearer;
use super::config::provider_config;
use super::state::SessionState;
use crate::clock::millis_since_epoch;
use crate::{Result, Token, TokenProvider};

/// One provider: its plan, its tokens and its models.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) plan: ProviderPlan,
    /// `None` for an endpoint without a known scope, which gets no token.
    pub(super) tokens: Option<TokenProvider>,
    /// Whether the provider made the tokens, and closes them.
    pub(super) owns_tokens: bool,
    /// Its models; none for a single provider, whose plan has the model.
    pub(super) models: Vec<PlannedModel>,
    /// The last token that the resource rejected, in any session.
    pub(super) rejected: Mutex<Option<Token>>,
}

/// The providers that sessions are attached to together.
pub(super) struct Members {
    pub(super) list: Vec<Member>,
    sessions: Mutex<HashMap<SessionId, Weak<SessionState>>>,
    /// The last static tokens, for the sessions that are attached next.
    static_tokens: Mutex<HashMap<usize, Token>>,
}

/// A request that failed, as the runtime reports it.
pub(super) struct Failed<'a> {
    pub(super) status: u16,
    pub(super) message: Option<&'a str>,
    pub(super) model: Option<&'a str>,
    /// The name of the sub-agent that made it.
    pub(super) agent: Option<String>,
}

impl Members {
    pub(super) fn new(list: Vec<Member>) -> Arc<Self> {
        Arc::new(Self {
            list,
            sessions: Mutex::default(),
            static_tokens: Mutex::default(),
        })
    }

    pub(super) fn session(&self, id: &SessionId) -> Option<Arc<SessionState>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(id)?.upgrade()
    }

    /// Registers a session. A resumed one takes the place of the one before.
    pub(super) fn enter(&self, id: SessionId, state: &Arc<SessionState>) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, state| state.strong_count() > 0);
        sessions.insert(id, Arc::downgrade(state));
        drop(sessions);
        let noted = self.static_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        for (member, token) in noted.iter() {
            state.turn().give(*member, token);
        }
    }

    /// Acquires a token that is given to a session as text.
    pub(super) async fn static_token(&self, member: usize) -> Result<Option<Token>> {
        let Some(tokens) = self.list.get(member).and_then(|member| member.tokens.as_ref()) else {
            return Ok(None);
        };
        let token = tokens.token().await?;
        let mut noted = self.static_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        noted.insert(member, token.clone());
        Ok(Some(token))
    }

    pub(super) fn has_static_tokens(&self) -> bool {
        let noted = self.static_tokens.lock().unwrap_or_else(PoisonError::into_inner);
        !noted.is_empty()
    }

    pub(super) async fn close(&self) {
        let own = self.list.iter().filter(|member| member.owns_tokens);
        for tokens in own.filter_map(|member| member.tokens.as_ref()) {
            tokens.close().await;
        }
    }

    /// The members that serve a model, by its name on the wire. One without a list serves any.
    pub(super) fn serving(&self, model: Option<&str>) -> Vec<usize> {
        let serves = |member: &Member| {
            let mut names = member
                .models
                .iter()
                .map(|model| model.wire_model.as_ref().unwrap_or(&model.id));
            member.models.is_empty() || names.any(|name| Some(name.as_str()) == model)
        };
        let mut members = self.all();
        members.retain(|index| self.list.get(*index).is_some_and(serves));
        members
    }

    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.list.len()).collect()
    }
}

impl Member {
    pub(super) fn config(&self, bearer: Option<Bearer>) -> ProviderConfig {
        let config = provider_config(&self.plan);
        match bearer.filter(|_| self.tokens.is_some()) {
            Some(bearer) => config.with_bearer_token_provider(Arc::new(bearer)),
            None => config,
        }
    }

    pub(super) fn named_config(&self, bearer: Option<Bearer>) -> NamedProviderConfig {
        let config = self.config(bearer);
        let mut named = NamedProviderConfig::new(&self.name, config.base_url);
        named.provider_type = config.provider_type;
        named.wire_api = config.wire_api;
        named.azure = config.azure;
        named.headers = config.headers;
        named.bearer_token_provider = config.bearer_token_provider;
        named
    }

    pub(super) fn model_configs(&self) -> impl Iterator<Item = ProviderModelConfig> + '_ {
        self.models.iter().map(|planned| {
            let mut model = ProviderModelConfig::new(&planned.id, &planned.provider);
            model.wire_model.clone_from(&planned.wire_model);
            model.model_id.clone_from(&planned.model_id);
            model.name.clone_from(&planned.name);
            model.max_prompt_tokens = planned.max_prompt_tokens.map(i64::from);
            model.max_context_window_tokens = planned.max_context_window_tokens.map(i64::from);
            model.max_output_tokens = planned.max_output_tokens.map(i64::from);
            model
        })
    }

    /// The resource rejected a token.
    pub(super) fn reject(&self, token: Token) {
        if let Some(tokens) = &self.tokens {
            tokens.reject(&token);
        }
        *self.rejected.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// The provider has a token: if it is another one, that which was rejected before is not tried again.
    pub(super) fn acquired(&self, token: &Token) {
        let mut rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
        rejected.take_if(|rejected| rejected.secret() != token.secret());
    }

    /// The last token that the resource rejected, until it expires.
    pub(super) fn rejected(&self) -> Option<Token> {
        let rejected = self.rejected.lock().unwrap_or_else(PoisonError::into_inner);
        let is_good = |token: &Token| token.expires_on() > SystemTime::now();
        rejected.clone().filter(is_good)
    }

    /// Says why a request failed.
    pub(super) fn diagnose(&self, failed: Failed<'_>, token: Option<&Token>) -> Diagnosis {
        let Self { plan, models, .. } = self;
        let own = plan.config.wire_model.as_ref().unwrap_or(&plan.model);
        let mut deployment = own.as_str();
        let mut agent = None;
        if let Some(model) = failed.model {
            if !models.is_empty() {
                deployment = model;
            } else if failed.agent.is_some() && model != plan.model && model != own {
                // The runtime may choose another model for a sub-agent, by the model's name.
                deployment = model.rsplit('/').next().unwrap_or(model);
                agent = failed.agent;
            }
        }
        diagnose(&FailedRequest {
            endpoint: Some(plan.endpoint.base_url.clone()),
            options: Options {
                provider_type: Some(plan.endpoint.provider_type),
                api_version: plan.endpoint.api_version.clone(),
                scope: plan.scope.clone(),
            },
            status: failed.status,
            body: failed.message.map(Into::into),
            token: token.map(|token| token.secret().into()),
            now: Some(millis_since_epoch(SystemTime::now())),
            deployment: Some(deployment.to_owned()),
            wire_api: plan.config.wire_api.map(|api| wire_name(api).to_owned()),
            agent,
            ..FailedRequest::default()
        })
    }
}

/// The name of an API format.
pub(super) fn wire_name(api: WireApi) -> &'static str {
    match api {
        WireApi::Responses => "responses",
        WireApi::Completions => "completions",
    }
}
