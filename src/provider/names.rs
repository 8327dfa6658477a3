//! Chooses the model and the deployment of a provider, and checks their names.

use super::{DEFAULT_MODEL, ProviderRequest, pick};
use crate::endpoint::{Endpoint, Kind, ProviderType};
use crate::environment::{self, Holds, Origin};
use crate::error::error_text;
use crate::text::is_made_of;
use crate::{Code, Error, Notice, NoticeCode, Result};

/// The model and the deployment of a provider.
pub(super) struct Names {
    pub(super) model: String,
    /// `None` if it equals the model.
    pub(super) deployment: Option<String>,
    pub(super) source: Origin,
}

pub(super) fn names(
    request: &ProviderRequest,
    endpoint: &Endpoint,
    endpoint_source: Origin,
    warnings: &mut Vec<Notice>,
) -> Result<Names> {
    // On the dated routes the name is a part of the URL, and Azure's own names have this form.
    let strict = endpoint.provider_type == ProviderType::Azure
        || !matches!(
            endpoint.kind,
            Kind::Gateway | Kind::Custom | Kind::Local | Kind::Openai
        );
    let given = request
        .deployment
        .as_deref()
        .map(|name| check_model("deployment", name, strict))
        .transpose()?;
    let model = pick(request.model.as_deref(), || {
        // AZURE_OPENAI_DEPLOYMENT names a deployment, so the deployment option overrides it.
        environment::model(&request.env, warnings)
            .filter(|setting| given.is_none() || setting.variable.holds() != Holds::Deployment)
    });
    let model_is_deployment = model.as_ref().is_some_and(
        |(_, source)| matches!(source, Origin::Variable(variable) if variable.holds() == Holds::Deployment),
    );
    let from_path = endpoint
        .deployment
        .clone()
        .filter(|_| given.is_none() && !model_is_deployment);
    if let Some(name) = &from_path {
        warnings.push(Notice::new(
            NoticeCode::DeploymentFromPath,
            format!("The deployment \"{name}\" was taken from the path of the endpoint; name another with the option."),
        ));
    }
    let deployment = match from_path {
        Some(name) => Some((name, endpoint_source)),
        None => given.map(|name| (name, Origin::Option)),
    };
    let (model, source) = match (model, &deployment) {
        (Some((model, source)), _) => {
            let what = match source {
                Origin::Option => "model",
                source => source.as_str(),
            };
            (check_model(what, &model, strict && deployment.is_none())?, source)
        }
        (None, Some((name, source))) => (name.clone(), *source),
        (None, None) => (DEFAULT_MODEL.to_owned(), Origin::Default),
    };
    if source == Origin::Default && endpoint.provider_type == ProviderType::Anthropic {
        warnings.push(Notice::new(
            NoticeCode::ModelAssumed,
            format!(
                "No model was named, and the default {DEFAULT_MODEL} is none that an Anthropic route serves. Set the model \
                 option or FOUNDRY_MODEL_NAME to the name of your deployment."
            ),
        ));
    }
    let deployment = deployment.map(|(name, _)| name).filter(|name| *name != model);
    Ok(Names {
        model,
        deployment,
        source,
    })
}

pub(super) fn check_model(what: &str, name: &str, strict: bool) -> Result<String> {
    let name = name.trim();
    let allowed: &[u8] = if strict { b"-._" } else { b"-._:/@+" };
    // In the path of a dated route, "." and ".." would lead to another route.
    let valid = (1..=128).contains(&name.len()) && is_made_of(name, allowed) && !matches!(name, "." | "..");
    if valid {
        return Ok(name.to_owned());
    }
    let found = match name {
        "" => "blank",
        _ if name.contains(['<', '>', '{', '}', '$', '[', ']']) => "still a placeholder",
        _ if name.len() > 128 => "longer than 128 characters",
        "." | ".." => "a step in a path",
        _ => "no name, because of a character in it",
    };
    let form = if strict {
        "letters, digits, hyphens, dots and underscores"
    } else {
        "a name without spaces"
    };
    Err(Error::new(Code::ProviderModel, error_text!("{what} is {found}; expected {form}, such as {DEFAULT_MODEL}."))
        .hint("Deployments and their names are listed by: az cognitiveservices account deployment list --name <name> --resource-group <group> --output table"))
}
