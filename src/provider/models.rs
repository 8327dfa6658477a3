//! Plans a session with several providers: their names and the models of each.
//!
//! The rules were measured on the Copilot SDK 1.0.14: a session selects a model as `provider/id`;
//! both parts are case-sensitive; and the SDK requests the model list of a provider without models,
//! without a token.

use serde::{Deserialize, Serialize};

use super::ProviderRequest;
use super::names::check_model;
use crate::error::error_text;
use crate::text::is_made_of;
use crate::text::number::from_number;
use crate::{Code, Error, Result};

/// The name and models of one of several providers. As JSON in camel case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NamedProvider {
    /// The first part of the id by which a session selects a model.
    pub name: Option<String>,
    /// Its models. Default: the model of its options.
    pub models: Option<Vec<ModelRequest>>,
}

/// A model of a provider. At least one of `id`, `model` and `deployment` is required. As JSON in
/// camel case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ModelRequest {
    /// The second part of the id by which a session selects the model. Default: the model.
    pub id: Option<String>,
    /// The well-known name. Default: the deployment, else the id.
    pub model: Option<String>,
    /// The name of the deployment, if it differs from the model.
    pub deployment: Option<String>,
    /// A display name.
    pub name: Option<String>,
    /// The most tokens in a prompt. Default: from the provider's options.
    #[serde(deserialize_with = "from_number")]
    pub max_prompt_tokens: Option<u32>,
    /// The most tokens in prompt and response together. Default: from the provider's options.
    #[serde(deserialize_with = "from_number")]
    pub max_context_window_tokens: Option<u32>,
    /// The most tokens in a response. Default: from the provider's options.
    #[serde(deserialize_with = "from_number")]
    pub max_output_tokens: Option<u32>,
}

impl From<&str> for ModelRequest {
    fn from(model: &str) -> Self {
        Self {
            model: Some(model.to_owned()),
            ..Self::default()
        }
    }
}

/// The Copilot SDK's `ProviderModelConfig`. Serialized in camel case, without the fields that are
/// `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlannedModel {
    /// Unique within the provider.
    pub id: String,
    /// The provider's name.
    pub provider: String,
    /// The well-known name, if it differs from the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_id: Option<String>,
    /// The name of the deployment, if it differs from the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wire_model: Option<String>,
    /// A display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The most tokens in a prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_prompt_tokens: Option<u32>,
    /// The most tokens in prompt and response together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_context_window_tokens: Option<u32>,
    /// The most tokens in a response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
}

/// Plans the models of one of several providers. `taken` are the names of the providers before it.
///
/// Errors: those of [`plan`](super::plan); `provider/name`; `provider/model` for an empty list or a
/// duplicate id; `provider/conflict` if both the list and the options name a model. Each message
/// names the provider.
///
/// ```
/// use copilot_keyless::provider::ProviderRequest;
/// use copilot_keyless::provider::{ModelRequest, NamedProvider, models};
///
/// let named = NamedProvider {
///     name: Some("west".to_owned()),
///     models: Some(vec![ModelRequest {
///         model: Some("gpt-5.5".to_owned()),
///         deployment: Some("team-gpt".to_owned()),
///         ..ModelRequest::default()
///     }]),
/// };
/// let request = ProviderRequest {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     ..ProviderRequest::default()
/// };
/// let models = models(&named, request, &[])?;
/// assert_eq!((models[0].id.as_str(), models[0].wire_model.as_deref()), ("gpt-5.5", Some("team-gpt")));
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn models(
    named: &NamedProvider,
    request: ProviderRequest,
    taken: &[String],
) -> Result<Vec<PlannedModel>> {
    let name = check_name(named.name.as_deref(), taken)
        .map_err(|error| error.within(&error_text!("providers[{}]", taken.len())))?;
    read_models(name, named.models.as_deref(), request)
        .map_err(|error| error.within(&error_text!("Provider \"{name}\"")))
}

fn check_name<'a>(name: Option<&'a str>, taken: &[String]) -> Result<&'a str> {
    let name = name.unwrap_or_default();
    let what = if name.is_empty() {
        "has no name"
    } else if name.len() > 64 || !is_made_of(name, b"-._") {
        "has a name that is too long or holds a character that no name may have"
    } else if taken.iter().any(|taken| taken == name) {
        "has the name of a provider before it"
    } else {
        return Ok(name);
    };
    Err(Error::new(Code::ProviderName, error_text!("The provider {what}.")).hint(
        "Give each provider a name of its own: up to 64 letters, digits, hyphens, dots and underscores. A session selects a \
         model as name/model.",
    ))
}

fn read_models(
    name: &str,
    listed: Option<&[ModelRequest]>,
    mut request: ProviderRequest,
) -> Result<Vec<PlannedModel>> {
    let Some(listed) = listed else {
        return Ok(vec![read_model(name, &ModelRequest::default(), &request)?]);
    };
    if request.model.is_some() || request.deployment.is_some() {
        return Err(Error::new(
            Code::ProviderConflict,
            "models was given together with model or deployment.",
        )
        .hint("Name all models in the list: models: [\"gpt-5.5\", { model, deployment }]."));
    }
    if listed.is_empty() {
        return Err(Error::new(Code::ProviderModel, "The list of models is empty.")
            .hint("Name at least one, or leave models out to get the model of the environment."));
    }
    // Limits of the provider's options, for all its models.
    let limits = (
        request.max_prompt_tokens,
        request.max_output_tokens,
        request.max_context_window_tokens,
    );
    let mut models: Vec<PlannedModel> = Vec::new();
    for (index, wanted) in listed.iter().enumerate() {
        let named = wanted
            .model
            .as_ref()
            .or(wanted.deployment.as_ref())
            .or(wanted.id.as_ref());
        request.model = Some(named.cloned().unwrap_or_default());
        // Always set, so that a deployment in the path of the endpoint does not count.
        request.deployment = wanted.deployment.as_ref().or(named).cloned();
        request.max_prompt_tokens = wanted.max_prompt_tokens.or(limits.0);
        request.max_output_tokens = wanted.max_output_tokens.or(limits.1);
        request.max_context_window_tokens = wanted.max_context_window_tokens.or(limits.2);
        // All other errors concern the options that the models share.
        let place = |error: Error| match error.code() {
            Code::ProviderModel | Code::ProviderLimit => error.within(&error_text!("models[{index}]")),
            _ => error,
        };
        let model = read_model(name, wanted, &request).map_err(place)?;
        if models.iter().any(|other| other.id == model.id) {
            return Err(place(taken_id(&model.id)));
        }
        models.push(model);
    }
    Ok(models)
}

fn read_model(provider: &str, wanted: &ModelRequest, request: &ProviderRequest) -> Result<PlannedModel> {
    let plan = super::plan(request)?;
    let id = match &wanted.id {
        Some(id) => check_model("id", id, false)?,
        None => plan.model.clone(),
    };
    let wire = plan.config.wire_model.unwrap_or_else(|| plan.model.clone());
    Ok(PlannedModel {
        provider: provider.to_owned(),
        model_id: Some(plan.model).filter(|model| *model != id),
        wire_model: Some(wire).filter(|wire| *wire != id),
        name: wanted.name.clone(),
        max_prompt_tokens: plan.config.max_prompt_tokens,
        max_context_window_tokens: plan.config.max_context_window_tokens,
        max_output_tokens: plan.config.max_output_tokens,
        id,
    })
}

fn taken_id(id: &str) -> Error {
    Error::new(
        Code::ProviderModel,
        error_text!("The id \"{id}\" is that of a model before it."),
    )
    .hint(
        "Give one of them an id of its own: { id, model, deployment }. A session selects a model as name/id.",
    )
}
