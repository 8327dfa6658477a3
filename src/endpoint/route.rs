//! From the path that was given to the path of the base URL: the routes that Azure and OpenAI document.

use super::open;
use super::text::{is_made_of, is_placeholder_name, is_plain_name, placeholder};
use super::url::{Url, bad_path, missing_project, unknown_path};
use super::{Kind, Notice, NoticeCode, ProviderType};
use crate::{Code, Error, Result};

/// The route of an endpoint.
pub(super) struct Route {
    pub(super) kind: Kind,
    pub(super) provider_type: ProviderType,
    /// The path of the base URL, from its first slash.
    pub(super) path: String,
    pub(super) project: Option<String>,
    pub(super) deployment: Option<String>,
    pub(super) notices: Vec<Notice>,
}

/// Finds the route. `wanted` is the type that the options ask for, `dated` whether they name an API version.
pub(super) fn find(url: &Url, kind: Kind, wanted: Option<ProviderType>, dated: bool) -> Result<Route> {
    match kind {
        Kind::Gateway | Kind::Custom | Kind::Local => open::find(url, kind, wanted, dated),
        Kind::Openai => openai(url, wanted),
        _ => azure(url, kind, wanted, dated),
    }
}

/// The routes of a Foundry, Azure OpenAI or AI services resource.
fn azure(url: &Url, kind: Kind, wanted: Option<ProviderType>, dated: bool) -> Result<Route> {
    let lower = lower_case(&url.segments);
    let path = names(&lower);
    let foundry = kind == Kind::FoundryAccount;
    match path.as_slice() {
        ["anthropic", rest @ ..] if foundry => anthropic(rest, &url.segments, wanted),
        ["api"] | ["api", "projects"] if foundry => Err(missing_project()),
        ["api", "projects", _, rest @ ..] if foundry => {
            let name = url.segments.get(2).map(String::as_str).unwrap_or_default();
            let project = check_name(name, "project")?;
            if wanted == Some(ProviderType::Anthropic) || rest.first() == Some(&"anthropic") {
                return Err(anthropic_project());
            }
            if dated {
                return Err(dated_project());
            }
            let mut route = tail(
                rest,
                &url.segments,
                3,
                wanted,
                &format!("/api/projects/{project}"),
            )?;
            route.kind = Kind::FoundryProject;
            route.project = Some(project);
            Ok(route)
        }
        rest => {
            if wanted == Some(ProviderType::Anthropic) && !foundry {
                return Err(conflict(
                    "The type is \"anthropic\", but only a Foundry resource, <name>.services.ai.azure.com, serves Anthropic \
                     models.",
                    "Give https://<your-resource>.services.ai.azure.com/anthropic, or leave the type out.",
                ));
            }
            let mut route = tail(rest, &url.segments, 0, wanted, "")?;
            route.kind = kind;
            if wanted == Some(ProviderType::Anthropic) {
                route.kind = Kind::FoundryAnthropic;
                "/anthropic".clone_into(&mut route.path);
                route
                    .notices
                    .retain(|notice| notice.code != NoticeCode::PathCompleted);
            }
            Ok(route)
        }
    }
}

fn anthropic(rest: &[&str], all: &[String], wanted: Option<ProviderType>) -> Result<Route> {
    if wanted.is_some_and(|wanted| wanted != ProviderType::Anthropic) {
        return Err(anthropic_conflict(wanted));
    }
    let notices = match rest {
        [] => Vec::new(),
        ["v1"] | ["v1", "messages" | "models", ..] => vec![operation_stripped()],
        _ => return Err(unknown_path(all, "/anthropic")),
    };
    Ok(Route {
        kind: Kind::FoundryAnthropic,
        provider_type: ProviderType::Anthropic,
        path: "/anthropic".to_owned(),
        project: None,
        deployment: None,
        notices,
    })
}

/// What follows the host or the project: `/openai/v1`, the older routes, and operations. `skipped` segments of `all`
/// stand in front of `rest`; `prefix` is their path.
fn tail(
    rest: &[&str],
    all: &[String],
    skipped: usize,
    wanted: Option<ProviderType>,
    prefix: &str,
) -> Result<Route> {
    let mut notices = Vec::new();
    let mut deployment = None;
    if !matches!(rest, ["openai", "deployments", ..]) && rest.iter().any(|name| is_agent(name)) {
        return Err(agent());
    }
    match rest {
        [] | ["openai", "v1"] => {}
        ["openai" | "v1"] => notices.push(completed("/openai/v1/")),
        ["openai", "deployments"] => notices.push(operation_stripped()),
        ["openai", "deployments", _, operation @ ..] if operation.is_empty() || is_operation(operation) => {
            let name = all.get(skipped + 2).map(String::as_str).unwrap_or_default();
            let name = check_name(name, "deployment")?;
            notices.push(legacy(&name));
            deployment = Some(name);
            if !operation.is_empty() {
                notices.push(operation_stripped());
            }
        }
        ["models"] => notices.push(model_inference()),
        ["models", operation @ ..] if is_operation(operation) || *operation == ["info"] => {
            notices.push(model_inference());
            notices.push(operation_stripped());
        }
        ["v1", operation @ ..] if is_operation(operation) => {
            notices.push(completed("/openai/v1/"));
            notices.push(operation_stripped());
        }
        ["openai", "v1", operation @ ..] | ["openai", operation @ ..] if is_operation(operation) => {
            notices.push(operation_stripped());
        }
        _ => return Err(unknown_path(all, "none, /openai/v1 or /api/projects/<project>")),
    }
    let provider_type = wanted.unwrap_or(ProviderType::Openai);
    let path = match provider_type {
        ProviderType::Azure => prefix.to_owned(),
        _ => format!("{prefix}/openai/v1/"),
    };
    Ok(Route {
        kind: Kind::Custom,
        provider_type,
        path,
        project: None,
        deployment,
        notices,
    })
}

fn openai(url: &Url, wanted: Option<ProviderType>) -> Result<Route> {
    if wanted.is_some_and(|wanted| wanted != ProviderType::Openai) {
        return Err(conflict(
            "api.openai.com serves the type \"openai\" only.",
            "Leave type and apiVersion out.",
        ));
    }
    let lower = lower_case(&url.segments);
    let path = names(&lower);
    let notices = match path.as_slice() {
        [] | ["v1"] => Vec::new(),
        ["v1", operation @ ..] if is_operation(operation) => vec![operation_stripped()],
        _ => return Err(unknown_path(&url.segments, "/v1")),
    };
    Ok(Route {
        kind: Kind::Openai,
        provider_type: ProviderType::Openai,
        path: "/v1/".to_owned(),
        project: None,
        deployment: None,
        notices,
    })
}

pub(super) fn is_operation(path: &[&str]) -> bool {
    matches!(
        path.first(),
        Some(
            &("responses"
                | "chat"
                | "completions"
                | "embeddings"
                | "models"
                | "files"
                | "images"
                | "audio"
                | "realtime"
                | "batches"
                | "fine_tuning"
                | "vector_stores"
                | "evals"
                | "conversations"
                | "uploads"
                | "videos"
                | "containers")
        )
    )
}

pub(super) fn is_agent(name: &str) -> bool {
    matches!(name, "agents" | "assistants" | "threads" | "applications")
}

/// A project's or deployment's name: it becomes a part of a URL or the name of a model.
pub(super) fn check_name(name: &str, what: &str) -> Result<String> {
    if is_placeholder_name(name) {
        return Err(placeholder(&format!(
            "The endpoint's {what} is still the placeholder \"{name}\""
        )));
    }
    let valid = name.len() <= 64 && is_made_of(name, b"-._");
    if valid && !name.is_empty() {
        return Ok(name.to_owned());
    }
    let shown = if is_plain_name(name) { name } else { "***" };
    Err(bad_path(format!(
        "The endpoint's {what} is \"{shown}\"; expected up to 64 letters, digits, hyphens, dots and underscores."
    )))
}

pub(super) fn lower_case(segments: &[String]) -> Vec<String> {
    segments
        .iter()
        .map(|segment| segment.to_ascii_lowercase())
        .collect()
}

/// The names, to be matched against patterns.
pub(super) fn names(segments: &[String]) -> Vec<&str> {
    segments.iter().map(String::as_str).collect()
}

pub(super) fn conflict(message: &str, hint: &str) -> Error {
    Error::new(Code::ProviderConflict, message).hint(hint)
}

pub(super) fn anthropic_conflict(wanted: Option<ProviderType>) -> Error {
    let wanted = wanted.map_or("openai", ProviderType::as_str);
    conflict(
        &format!("The type is \"{wanted}\", but the path of the endpoint is the Anthropic route."),
        "Leave the type (and apiVersion) out, or leave /anthropic out of the endpoint.",
    )
}

pub(super) fn anthropic_project() -> Error {
    conflict(
        "The Anthropic route belongs to the Foundry resource, not to a project in it.",
        "Give the resource's address, https://<your-resource>.services.ai.azure.com/anthropic.",
    )
}

pub(super) fn dated_project() -> Error {
    conflict(
        "apiVersion was given for a project; the dated API belongs to the resource, not to a project in it.",
        "Leave apiVersion out, or leave /api/projects/... out of the endpoint.",
    )
}

pub(super) fn agent() -> Error {
    Error::new(
        Code::EndpointAgent,
        "The endpoint is that of an agent, an assistant or an application; expected that of a model.",
    )
    .hint("Keep the part up to the project's name, https://<your-resource>.services.ai.azure.com/api/projects/<project>.")
}

pub(super) fn completed(path: &str) -> Notice {
    Notice::new(
        NoticeCode::PathCompleted,
        format!("The path was completed to end in {path}."),
    )
}

pub(super) fn operation_stripped() -> Notice {
    Notice::new(
        NoticeCode::OperationPathStripped,
        "The operation at the end of the path was dropped; the Copilot runtime adds its own.",
    )
}

pub(super) fn legacy(name: &str) -> Notice {
    Notice::new(
        NoticeCode::LegacyDeploymentPath,
        format!(
            "The path of the dated API was replaced by that of the v1 API; the deployment is \"{name}\"."
        ),
    )
}

fn model_inference() -> Notice {
    Notice::new(
        NoticeCode::ModelInferenceRouteRewritten,
        "The model inference route /models, which is retired, was replaced by /openai/v1/.",
    )
}
