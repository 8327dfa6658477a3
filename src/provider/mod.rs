//! Plans the provider for the Copilot SDK from the options and the environment.

mod first_byte;
mod headers;
mod models;
mod names;

use serde::{Deserialize, Serialize};

pub use first_byte::first_byte_timeout_ms;
pub use headers::check_headers;
pub use models::{ModelRequest, NamedProvider, PlannedModel, models};
use names::names;

use crate::endpoint::{Endpoint, FIND, Kind, Options, ProviderType, parse};
use crate::environment::{self, CredentialKind, CredentialPlan, Origin, Setting};
use crate::error::error_text;
use crate::text::number::from_number;
use crate::{Code, Error, Headers, Result, Variables};
use crate::{Notice, NoticeCode};

/// The model, if neither the options nor the environment name one.
pub const DEFAULT_MODEL: &str = "gpt-5.5";

/// The API format of an OpenAI or Azure provider, `ProviderConfig.wireApi`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WireApi {
    /// The Responses API, the default.
    Responses,
    /// Chat completions.
    Completions,
}

/// How requests of the Responses API travel, `ProviderConfig.transport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A request each, the default.
    Http,
    /// Over one WebSocket.
    Websockets,
}

/// The options of a provider. As JSON in camel case; every field is optional and may be null, and
/// unknown fields are ignored.
///
/// A blank option is an error, not a missing one. Otherwise `endpoint: process.env.X ?? ""` with an
/// unset variable would silently use another endpoint.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProviderRequest {
    /// The endpoint, in any form that [`parse`] accepts. Default: from the environment.
    pub endpoint: Option<String>,
    /// The well-known name of the model, by which the runtime looks up its limits.
    pub model: Option<String>,
    /// The name of the deployment, if it differs from the model.
    pub deployment: Option<String>,
    /// The token scope. Default: from the environment, else from the endpoint.
    pub scope: Option<String>,
    /// The provider type. Default: from the endpoint.
    #[serde(rename = "type")]
    pub provider_type: Option<ProviderType>,
    /// The API format.
    pub wire_api: Option<WireApi>,
    /// The transport of the Responses API. Default: `http`.
    pub transport: Option<Transport>,
    /// A dated API version. Implies the type `azure`.
    pub api_version: Option<String>,
    /// Headers for every model request.
    pub headers: Headers,
    /// The most tokens in a prompt, at least 1.
    #[serde(deserialize_with = "from_number")]
    pub max_prompt_tokens: Option<u32>,
    /// The most tokens in a response, at least 1.
    #[serde(deserialize_with = "from_number")]
    pub max_output_tokens: Option<u32>,
    /// The most tokens in prompt and response together, at least 1.
    #[serde(deserialize_with = "from_number")]
    pub max_context_window_tokens: Option<u32>,
    /// Whether the caller passes its own credential or token function.
    pub own_credential: bool,
    /// The environment. Of a variable with a secret, only its presence counts.
    pub env: Variables,
}

/// The provider for the Copilot SDK, and the origin of its settings. Serialized in camel case,
/// without the fields that are `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProviderPlan {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The model for the session.
    pub model: String,
    /// The provider, without its credential.
    pub config: PlannedConfig,
    /// The scope to acquire tokens for. `None` for a host without a known scope, such as this
    /// machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The credential. Its warnings are separate from `warnings`, because they matter only if no
    /// token is acquired.
    pub credential: CredentialPlan,
    /// The origin of each setting.
    pub sources: Sources,
    /// The warnings of the endpoint, the environment and the provider.
    pub warnings: Vec<Notice>,
}

/// The Copilot SDK's `ProviderConfig`, without a credential.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlannedConfig {
    /// The provider type.
    #[serde(rename = "type")]
    pub provider_type: ProviderType,
    /// The API format; `None` for `anthropic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wire_api: Option<WireApi>,
    /// The transport, if one was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// The base URL in the form of the provider type.
    pub base_url: String,
    /// The dated API version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azure: Option<AzureConfig>,
    /// Headers for every model request.
    #[serde(skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// The well-known name of the model, if the deployment has another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// The name of the deployment, if it differs from the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wire_model: Option<String>,
    /// The most tokens in a prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_prompt_tokens: Option<u32>,
    /// The most tokens in a response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// The most tokens in prompt and response together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_context_window_tokens: Option<u32>,
}

/// `ProviderConfig.azure`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AzureConfig {
    /// The dated API version.
    pub api_version: String,
}

/// The origin of each setting. A model from the path of the endpoint has the endpoint's origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sources {
    /// The endpoint.
    pub endpoint: Origin,
    /// The model.
    pub model: Origin,
    /// The scope; `default` also if there is none.
    pub scope: Origin,
    /// The proxy that the Copilot runtime uses for the endpoint; `None` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Origin>,
}

/// Plans a provider.
///
/// - Endpoint, model and scope come from the options, else from the environment ([`environment`]).
///   The default model is [`DEFAULT_MODEL`]. Without an endpoint, the error is `endpoint/empty`.
/// - `model` is the well-known name; `deployment` is the name in requests. A deployment alone is
///   also the model. A deployment in a legacy path is the last choice. `config` contains both only
///   if they differ.
/// - The API format is `responses` unless the options choose another or the API version is too old
///   for it. `anthropic` has no API format.
/// - The transport `websockets` needs the API format `responses`.
/// - `apiVersion` implies the type `azure`. Its base URL is the root of the host, as the runtime
///   requires.
///
/// Errors: those of [`parse`], then `provider/model`, `provider/conflict`, `provider/header`,
/// `provider/limit`, `provider/scope` and `credential/configuration`. The rules for the base URL
/// were measured on the Copilot SDK 1.0.14.
///
/// ```
/// use copilot_keyless::provider::{ProviderRequest, plan};
///
/// let plan = plan(&ProviderRequest {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     deployment: Some("team-gpt".to_owned()),
///     model: Some("gpt-5.5".to_owned()),
///     ..ProviderRequest::default()
/// })?;
/// assert_eq!(plan.config.base_url, "https://myres.openai.azure.com/openai/v1/");
/// assert_eq!(plan.config.wire_model.as_deref(), Some("team-gpt"));
/// assert_eq!(plan.scope.as_deref(), Some("https://ai.azure.com/.default"));
/// assert_eq!(plan.sources.endpoint.as_str(), "option");
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn plan(request: &ProviderRequest) -> Result<ProviderPlan> {
    let env = &request.env;
    let mut warnings = Vec::new();

    let given = pick(request.endpoint.as_deref(), || {
        environment::endpoint(env, &mut warnings)
    });
    let (address, endpoint_source) = given.ok_or_else(no_endpoint)?;
    let scope = pick(request.scope.as_deref(), || environment::scope(env));
    let (scope, scope_source) =
        scope.map_or((None, Origin::Default), |(scope, source)| (Some(scope), source));
    let options = Options {
        provider_type: request.provider_type,
        api_version: request.api_version.clone(),
        scope,
    };
    let endpoint = parse(&address, &options)?;

    let names = names(request, &endpoint, endpoint_source, &mut warnings)?;
    let wire_api = wire_api(request.wire_api, &endpoint)?;
    check_headers(&request.headers)?;
    let config = PlannedConfig {
        provider_type: endpoint.provider_type,
        wire_api,
        transport: transport(request.transport, wire_api)?,
        base_url: endpoint.base_url.clone(),
        azure: endpoint
            .api_version
            .clone()
            .map(|api_version| AzureConfig { api_version }),
        headers: request.headers.clone(),
        model_id: names.deployment.is_some().then(|| names.model.clone()),
        wire_model: names.deployment,
        max_prompt_tokens: limit("maxPromptTokens", request.max_prompt_tokens)?,
        max_output_tokens: limit("maxOutputTokens", request.max_output_tokens)?,
        max_context_window_tokens: limit("maxContextWindowTokens", request.max_context_window_tokens)?,
    };
    let scope = endpoint.scope.clone();
    let sources = Sources {
        endpoint: endpoint_source,
        model: names.source,
        scope: scope_source,
        proxy: environment::runtime_proxy_variable(&endpoint.base_url, &request.env).map(Origin::Variable),
    };
    let credential = credential(request, &endpoint)?;
    // The default credential gets the authority host from the plan.
    // A variable for the URL of a resource has no path, so its completion on this machine is no repair.
    let bare = matches!(endpoint_source, Origin::Variable(_))
        && endpoint.kind == Kind::Local
        && endpoint.base_url == format!("{}v1", endpoint.url);
    let applies = |notice: &&Notice| match notice.code {
        NoticeCode::AuthorityHostRequired => request.own_credential,
        NoticeCode::PathCompleted => !bare,
        _ => true,
    };
    let warnings = endpoint
        .warnings
        .iter()
        .filter(applies)
        .cloned()
        .chain(warnings)
        .collect();
    Ok(ProviderPlan {
        endpoint,
        model: names.model,
        config,
        scope,
        credential,
        sources,
        warnings,
    })
}

fn credential(request: &ProviderRequest, endpoint: &Endpoint) -> Result<CredentialPlan> {
    if request.own_credential {
        Ok(CredentialPlan::fixed(CredentialKind::Option, Origin::Option))
    } else if endpoint.scope.is_none() {
        Ok(CredentialPlan::fixed(CredentialKind::None, Origin::Default))
    } else {
        environment::credential(&request.env, endpoint.cloud)
    }
}

fn pick(option: Option<&str>, env: impl FnOnce() -> Option<Setting>) -> Option<(String, Origin)> {
    match option {
        Some(value) => Some((value.to_owned(), Origin::Option)),
        None => env().map(|setting| (setting.value, Origin::Variable(setting.variable))),
    }
}

fn no_endpoint() -> Error {
    Error::new(
        Code::EndpointEmpty,
        "No endpoint was given, neither as an option nor in the environment; expected the URL of a Foundry or Azure \
         OpenAI resource.",
    )
    .hint(error_text!(
        "Set FOUNDRY_RESOURCE_URL=https://<your-resource>.openai.azure.com. {FIND}. Without a resource, start the \
         embedded emulator: copilot-keyless chat --demo, copilot-keyless emulator, or npm start in a clone."
    ))
}

/// The first dated version with the Responses API, without `-preview`.
const FIRST_WITH_RESPONSES: &str = "2025-03-01";

fn wire_api(given: Option<WireApi>, endpoint: &Endpoint) -> Result<Option<WireApi>> {
    let too_old = endpoint
        .api_version
        .as_deref()
        .is_some_and(|version| version < FIRST_WITH_RESPONSES);
    match (given, endpoint.provider_type) {
        (Some(_), ProviderType::Anthropic) => Err(Error::new(
            Code::ProviderConflict,
            "wireApi was given for an Anthropic route, which has one API only.",
        )
        .hint("Leave wireApi out.")),
        (None, ProviderType::Anthropic) => Ok(None),
        (Some(WireApi::Responses), _) if too_old => Err(Error::new(
            Code::ProviderConflict,
            error_text!(
                "wireApi is \"responses\", but the apiVersion is older than {FIRST_WITH_RESPONSES}-preview, the first with the \
                 Responses API."
            ),
        )
        .hint("Leave apiVersion out, which is the v1 API, or leave wireApi out to get chat completions.")),
        (None, _) if too_old => Ok(Some(WireApi::Completions)),
        (given, _) => Ok(Some(given.unwrap_or(WireApi::Responses))),
    }
}

fn transport(given: Option<Transport>, wire_api: Option<WireApi>) -> Result<Option<Transport>> {
    if given != Some(Transport::Websockets) || wire_api == Some(WireApi::Responses) {
        return Ok(given);
    }
    Err(Error::new(
        Code::ProviderConflict,
        "transport is \"websockets\", which only the Responses API has.",
    )
    .hint("Leave transport out, or use wireApi \"responses\"."))
}

fn limit(name: &str, given: Option<u32>) -> Result<Option<u32>> {
    if given != Some(0) {
        return Ok(given);
    }
    Err(Error::new(
        Code::ProviderLimit,
        error_text!("{name} is not a whole number from 1 to {}.", u32::MAX),
    )
    .hint("Leave it out to get the model's own limit."))
}
