//! A resource behind the gateway, and all of them by one configuration.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use copilot_keyless::diagnosis::{Diagnosis, FailedRequest, diagnose};
use copilot_keyless::endpoint::{Endpoint, Options};
use copilot_keyless::gateway::{
    Admission, Backend as Rule, Forward, Gateway, Incoming, Pool, Refusal, Upstream as Paths,
};
use copilot_keyless::provider::{ProviderPlan, ProviderRequest, plan};
use copilot_keyless::{Headers, Notice, Secret, Variables};
use hyper::header::{HeaderName, HeaderValue};

use crate::clock;
use crate::failure::Failure;
use crate::settings::{Given, GivenBackend};
use crate::tokens::Tokens;
use crate::upstream::Upstream;

/// A resource behind the gateway.
pub(crate) struct Backend {
    pub(crate) name: String,
    pub(crate) rules: Gateway,
    pub(crate) upstream: Upstream,
    /// `None` for a host without a known scope, which gets no token.
    pub(crate) tokens: Option<Tokens>,
    /// Headers of the settings, which every request gets.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) plan: ProviderPlan,
    /// What the plan was made of.
    pub(crate) request: ProviderRequest,
}

impl Backend {
    pub(crate) fn new(given: &GivenBackend, gateway: &Given, key: &Secret) -> Result<Self, Failure> {
        let request = ProviderRequest {
            endpoint: given.endpoint.clone(),
            model: given.model.clone(),
            deployment: given.deployment.clone(),
            scope: given.scope.clone(),
            headers: given.headers.clone().into_iter().collect(),
            env: variables(given),
            ..ProviderRequest::default()
        };
        let plan = plan(&request)?;
        let base_url = &plan.config.base_url;
        let upstream = Upstream::new(base_url, &gateway.limits, given.first_byte_ms)?;
        let tokens = plan
            .scope
            .as_deref()
            .map(|scope| Tokens::new(scope, request.env.clone()))
            .transpose()?;
        let header = |(name, value): (&String, &String)| {
            let name = HeaderName::try_from(name).ok()?;
            Some((name, HeaderValue::try_from(value).ok()?))
        };
        Ok(Self {
            name: given.name.clone().unwrap_or_else(|| upstream.host().to_owned()),
            rules: Gateway {
                upstream: Paths::of(base_url),
                key: key.clone(),
                hosts: Some(gateway.allow_hosts.clone()),
                origins: gateway.allow_origins.clone(),
            },
            upstream,
            tokens,
            headers: given.headers.iter().filter_map(header).collect(),
            plan,
            request,
        })
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.plan.endpoint
    }

    /// The name of the model in requests.
    pub(crate) fn model(&self) -> &str {
        self.plan.config.wire_model.as_deref().unwrap_or(&self.plan.model)
    }

    /// Explains a refusal; with status 0 and its message, why there is no answer.
    pub(crate) fn diagnose(
        &self,
        status: u16,
        headers: Headers,
        body: impl Into<Secret>,
        token: Option<Secret>,
    ) -> Diagnosis {
        let endpoint = self.endpoint();
        diagnose(&FailedRequest {
            endpoint: Some(endpoint.base_url.clone()),
            options: Options {
                provider_type: Some(endpoint.provider_type),
                api_version: endpoint.api_version.clone(),
                scope: endpoint.scope.clone(),
            },
            status,
            headers,
            body: Some(body.into()),
            token,
            now: Some(clock::wall()),
            env: self.request.env.clone(),
            ..FailedRequest::default()
        })
    }
}

/// The environment, with the variables of the settings over it.
fn variables(given: &GivenBackend) -> Variables {
    let own = given
        .env
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .chain(own)
        .collect()
}

/// The backends of a gateway. When the last request has ended that uses them, their connections and
/// tokens go with them.
pub(crate) struct Backends {
    pub(crate) all: Vec<Arc<Backend>>,
    /// Chooses, where there are several.
    pool: Option<Mutex<Pool>>,
}

impl Backends {
    pub(crate) fn new(given: &Given, key: &Secret) -> Result<Self, Failure> {
        let settings = given.backends();
        let all = settings
            .iter()
            .map(|one| Backend::new(one, given, key).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let rules = settings.iter().zip(&all).map(|(given, backend)| Rule {
            resource: backend.upstream.host().to_owned(),
            models: given.models.clone(),
            priority: given.priority,
            weight: given.weight.unwrap_or(1),
        });
        let pool = (all.len() > 1).then(|| Mutex::new(Pool::new(rules.collect())));
        Ok(Self { all, pool })
    }

    /// Takes over the conversations and pauses of backends that were there before.
    pub(crate) fn adopt(&self, before: &Self) {
        if let (Some(mut pool), Some(before)) = (self.pool(), before.pool()) {
            pool.adopt(&before);
        }
    }

    pub(crate) fn pool(&self) -> Option<MutexGuard<'_, Pool>> {
        self.pool
            .as_ref()
            .map(|pool| pool.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Checks a request and finds its route, in the first backend that has its path. The other checks
    /// are the same for all. Returns the position of the backend.
    pub(crate) fn admit<'a>(&self, request: Incoming<'a>) -> (usize, Admission<'a>) {
        let mut admitted = None;
        for (at, backend) in self.all.iter().enumerate() {
            let admission = backend.rules.admit(request);
            let is_elsewhere = matches!(admission, Admission::Refuse(Refusal::UnknownPath, _));
            admitted = Some((at, admission));
            if !is_elsewhere {
                break;
            }
        }
        // Never: there is at least one backend.
        admitted.unwrap_or((0, Admission::Empty))
    }

    /// Where the request goes in each backend.
    pub(crate) fn routes(&self, request: Incoming<'_>) -> Vec<Option<String>> {
        let target = |backend: &Arc<Backend>| match backend.rules.admit(request) {
            Admission::Forward(Forward { target, .. }) => Some(target),
            _ => None,
        };
        self.all.iter().map(target).collect()
    }

    pub(crate) fn warnings(&self) -> impl Iterator<Item = &Notice> {
        self.all.iter().flat_map(|backend| &backend.plan.warnings)
    }
}
