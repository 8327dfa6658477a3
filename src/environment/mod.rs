//! Reads the environment variables of the endpoint, the model, the token scope and the credential.
//!
//! In each list, the first variable that is set wins; a blank one counts as unset. A later one with
//! another value has no effect and causes a warning.

mod credential;
mod hosting;
mod proxy;
mod variable;

use serde::Serialize;

pub use credential::{
    CredentialKind, CredentialPlan, Host, credential, credential_chain, has_direct_fallback,
};
pub(crate) use credential::{check_job_authority, client_ids, cloud_of_authority, host, tenant_ids};
pub use hosting::{Hosting, hosting, is_session_id};
pub(crate) use proxy::bypass;
pub use proxy::{proxy_variable, runtime_proxy_variable};
pub use variable::{Holds, Origin, Variable, Visibility};

use crate::Variables;
use crate::endpoint::{Options, parse};
use crate::{Notice, NoticeCode};

/// A value and its variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// The value, trimmed and unchecked.
    pub value: String,
    /// The variable.
    pub variable: Variable,
}

/// The settings from the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Resolved {
    /// The endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Setting>,
    /// The name of the model or deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Setting>,
    /// The token scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Setting>,
    /// One `env-conflict` for each variable that has another value than the one that wins.
    pub warnings: Vec<Notice>,
}

/// Reads the variables. It does not validate the values; it only compares them. Two endpoints are
/// equal if they have the same base URL and deployment, so an extra slash or operation path causes
/// no warning.
///
/// ```
/// use copilot_keyless::Variables;
/// use copilot_keyless::environment::resolve;
///
/// let env = Variables::from([
///     ("FOUNDRY_RESOURCE_URL", "https://myres.openai.azure.com"),
///     ("AZURE_OPENAI_ENDPOINT", "https://other.openai.azure.com"),
/// ]);
/// let resolved = resolve(&env);
/// assert_eq!(resolved.endpoint.unwrap().variable.as_str(), "FOUNDRY_RESOURCE_URL");
/// assert_eq!(resolved.warnings[0].code.as_str(), "env-conflict");
/// ```
pub fn resolve(env: &Variables) -> Resolved {
    let mut warnings = Vec::new();
    Resolved {
        endpoint: endpoint(env, &mut warnings),
        model: model(env, &mut warnings),
        scope: scope(env),
        warnings,
    }
}

pub(crate) fn endpoint(env: &Variables, warnings: &mut Vec<Notice>) -> Option<Setting> {
    first(env, &[Holds::Endpoint], same_endpoint, warnings)
}

pub(crate) fn model(env: &Variables, warnings: &mut Vec<Notice>) -> Option<Setting> {
    first(env, &[Holds::Model, Holds::Deployment], |a, b| a == b, warnings)
}

pub(crate) fn scope(env: &Variables) -> Option<Setting> {
    first(env, &[Holds::Scope], |a, b| a == b, &mut Vec::new())
}

fn first(
    env: &Variables,
    wanted: &[Holds],
    same: fn(&str, &str) -> bool,
    warnings: &mut Vec<Notice>,
) -> Option<Setting> {
    let variables = Variable::ALL
        .iter()
        .filter(|variable| wanted.contains(&variable.holds()));
    let mut settings = variables.filter_map(|&variable| {
        let value = env.text(variable.as_str())?.to_owned();
        Some(Setting { value, variable })
    });
    let winner = settings.next()?;
    for other in settings.filter(|other| !same(&winner.value, &other.value)) {
        warnings.push(Notice::new(
            NoticeCode::EnvConflict,
            format!(
                "{} and {} are both set and differ; {} is used. Unset the other.",
                winner.variable.as_str(),
                other.variable.as_str(),
                winner.variable.as_str()
            ),
        ));
    }
    Some(winner)
}

fn same_endpoint(a: &str, b: &str) -> bool {
    let (Ok(a), Ok(b)) = (parse(a, &Options::default()), parse(b, &Options::default())) else {
        return a == b;
    };
    a.base_url.trim_end_matches('/') == b.base_url.trim_end_matches('/') && a.deployment == b.deployment
}
