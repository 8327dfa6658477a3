//! From the path that was given to the path of the base URL.

#![allow(clippy::doc_markdown, reason = "OpenAI is a name, not code")]

use super::text::{is_placeholder_name, is_plain_name, placeholder};
use super::url::{Url, bad_path, unknown_path};
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
        Kind::Gateway | Kind::Custom | Kind::Local => {
            let route = open(&url.segments, url.trailing_slash, kind, wanted)?;
            check_settled(&route, &url.segments)?;
            Ok(route)
        }
        Kind::Openai => openai(url, wanted),
        _ => azure(url, kind, wanted, dated),
    }
}

/// The routes of a Foundry, Azure OpenAI or AI services resource.
fn azure(url: &Url, kind: Kind, wanted: Option<ProviderType>, dated: bool) -> Result<Route> {
    let lower = lower_case(&url.segments);
    let path: Vec<&str> = lower.iter().map(String::as_str).collect();
    let foundry = kind == Kind::FoundryAccount;
    match path.as_slice() {
        ["anthropic", rest @ ..] if foundry => anthropic(rest, &url.segments, wanted),
        ["api"] | ["api", "projects"] if foundry => Err(Error::new(
            Code::EndpointMissingProject,
            "The endpoint's path ends before the project's name; expected /api/projects/<project>.",
        )
        .hint("Copy the endpoint from the Foundry portal (ai.azure.com) > your project > Overview, or leave the path out.")),
        ["api", "projects", _, rest @ ..] if foundry => {
            let name = url.segments.get(2).map(String::as_str).unwrap_or_default();
            let project = check_name(name, "project")?;
            if wanted == Some(ProviderType::Anthropic) || rest.first() == Some(&"anthropic") {
                return Err(conflict(
                    "The Anthropic route belongs to the Foundry resource, not to a project in it.",
                    "Give the resource's address, https://<your-resource>.services.ai.azure.com/anthropic.",
                ));
            }
            if dated {
                return Err(conflict(
                    "apiVersion was given for a project; the dated API belongs to the resource, not to a project in it.",
                    "Leave apiVersion out, or leave /api/projects/... out of the endpoint.",
                ));
            }
            let mut route = tail(rest, &url.segments, 3, wanted, &format!("/api/projects/{project}"))?;
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
                route.notices.retain(|notice| notice.code != NoticeCode::PathCompleted);
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
    let path: Vec<&str> = lower.iter().map(String::as_str).collect();
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

/// Gateways, unknown hosts and this machine, whose paths can be anything.
fn open(segments: &[String], slash: bool, kind: Kind, wanted: Option<ProviderType>) -> Result<Route> {
    let lower = lower_case(segments);
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let mut notices = Vec::new();
    let mut deployment = None;

    let mut kept = lower.len() - operation_length(&lower);
    let at = lower.iter().position(|name| *name == "deployments");
    if let Some((at, name)) = at.and_then(|at| Some((at, segments.get(at + 1)?))) {
        if at + 2 != kept {
            return Err(unknown_path(
                segments,
                "an operation after the deployment's name, or nothing",
            ));
        }
        let name = check_name(name, "deployment")?;
        notices.push(legacy(&name));
        deployment = Some(name);
        kept = at;
    }
    if lower
        .windows(4)
        .any(|part| matches!(part, ["api", "projects", _, name] if is_agent(name)))
    {
        return Err(agent());
    }
    let messages = matches!(lower.as_slice(), [.., "v1", "messages"]);
    let stripped = operation_length(&lower) > 0 || messages;
    if stripped {
        notices.push(operation_stripped());
    }
    let mut lower = lower.get(..kept).unwrap_or_default();
    if messages {
        lower = lower.get(..kept.saturating_sub(2)).unwrap_or_default();
    }

    let anthropic_path = matches!(lower, [.., "anthropic"] | [.., "anthropic", "v1"]);
    if anthropic_path && wanted.is_some_and(|wanted| wanted != ProviderType::Anthropic) {
        return Err(anthropic_conflict(wanted));
    }
    let default = if anthropic_path {
        ProviderType::Anthropic
    } else {
        ProviderType::Openai
    };
    let provider_type = wanted.unwrap_or(default);
    if messages && provider_type != ProviderType::Anthropic {
        return Err(
            bad_path("The endpoint's path ends in /v1/messages, which is the Anthropic route.").hint(
                "Ask for the type \"anthropic\", or give the path of an OpenAI route, such as /openai/v1.",
            ),
        );
    }
    let untouched = !stripped && deployment.is_none();
    let (cut, suffix) = ending(lower, kind, provider_type, untouched && slash, &mut notices)?;
    let mut path: String = segments
        .iter()
        .take(lower.len() - cut)
        .flat_map(|segment| ["/", segment.as_str()])
        .collect();
    path.push_str(suffix);
    Ok(Route {
        kind,
        provider_type,
        path,
        project: None,
        deployment,
        notices,
    })
}

/// Refuses an open path that is still not a base after one reading, such as `/responses/responses`.
fn check_settled(route: &Route, given: &[String]) -> Result<()> {
    let segments: Vec<String> = route
        .path
        .split('/')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    match open(
        &segments,
        route.path.ends_with('/'),
        route.kind,
        Some(route.provider_type),
    ) {
        Ok(again) if again.path == route.path => Ok(()),
        _ => Err(unknown_path(
            given,
            "a path with one route and at most one operation",
        )),
    }
}

/// How many segments to cut from the end of an open path, and what to put there.
fn ending(
    path: &[&str],
    kind: Kind,
    provider_type: ProviderType,
    slash: bool,
    notices: &mut Vec<Notice>,
) -> Result<(usize, &'static str)> {
    match (provider_type, path) {
        (ProviderType::Anthropic, [.., "openai"] | [.., "openai", "v1"]) => Err(conflict(
            "The type is \"anthropic\", but the path of the endpoint is the OpenAI route.",
            "Give the path of the Anthropic route, such as /anthropic, or leave the type out.",
        )),
        (ProviderType::Azure, [.., "openai", "v1"]) => Ok((2, "")),
        (ProviderType::Azure, [.., "openai"]) => Ok((1, "")),
        (ProviderType::Azure, [.., "v1"]) => Err(conflict(
            "The type is \"azure\", which adds /openai/... itself, but the path of the endpoint ends in /v1.",
            "Give the address without /v1, or leave the type out.",
        )),
        (ProviderType::Anthropic, [.., "v1"]) => {
            notices.push(operation_stripped());
            Ok((1, ""))
        }
        (ProviderType::Anthropic | ProviderType::Azure, _) => Ok((0, "")),
        (ProviderType::Openai, [.., "openai"]) => {
            if !notices
                .iter()
                .any(|notice| notice.code == NoticeCode::LegacyDeploymentPath)
            {
                notices.push(completed("/openai/v1/"));
            }
            Ok((0, "/v1/"))
        }
        (ProviderType::Openai, _) if kind == Kind::Local => match path {
            [] => {
                notices.push(completed("/v1"));
                Ok((0, "/v1"))
            }
            [.., "api", "projects", _] => {
                notices.push(completed("/openai/v1/"));
                Ok((0, "/openai/v1/"))
            }
            _ => Ok((0, if slash { "/" } else { "" })),
        },
        (ProviderType::Openai, [.., "v1"]) => Ok((0, "/")),
        (ProviderType::Openai, _) => {
            notices.push(Notice::new(
                NoticeCode::GatewayPathAssumed,
                "/openai/v1/ was appended to the path. If the gateway serves the models elsewhere, give the whole path up to \
                 and with /v1.",
            ));
            Ok((0, "/openai/v1/"))
        }
    }
}

/// The number of segments at the end that name an operation. `/models` counts below `/v1` only.
fn operation_length(path: &[&str]) -> usize {
    match path {
        [.., "chat", "completions"] => 2,
        [.., "v1", "models"] | [.., "responses" | "completions" | "embeddings"] => 1,
        _ => 0,
    }
}

fn is_operation(path: &[&str]) -> bool {
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

fn is_agent(name: &str) -> bool {
    matches!(name, "agents" | "assistants" | "threads" | "applications")
}

/// A project's or deployment's name: it becomes a part of a URL or the name of a model.
fn check_name(name: &str, what: &str) -> Result<String> {
    if is_placeholder_name(name) {
        return Err(placeholder(&format!(
            "The endpoint's {what} is still the placeholder \"{name}\""
        )));
    }
    let valid = name.len() <= 64
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
    if valid && !name.is_empty() {
        return Ok(name.to_owned());
    }
    let shown = if is_plain_name(name) { name } else { "***" };
    Err(bad_path(format!(
        "The endpoint's {what} is \"{shown}\"; expected up to 64 letters, digits, hyphens, dots and underscores."
    )))
}

fn lower_case(segments: &[String]) -> Vec<String> {
    segments
        .iter()
        .map(|segment| segment.to_ascii_lowercase())
        .collect()
}

fn conflict(message: &str, hint: &str) -> Error {
    Error::new(Code::ProviderConflict, message).hint(hint)
}

fn anthropic_conflict(wanted: Option<ProviderType>) -> Error {
    let wanted = wanted.map_or("openai", ProviderType::as_str);
    conflict(
        &format!("The type is \"{wanted}\", but the path of the endpoint is the Anthropic route."),
        "Leave the type (and apiVersion) out, or leave /anthropic out of the endpoint.",
    )
}

fn agent() -> Error {
    Error::new(
        Code::EndpointAgent,
        "The endpoint is that of an agent, an assistant or an application; expected that of a model.",
    )
    .hint("Keep the part up to the project's name, https://<your-resource>.services.ai.azure.com/api/projects/<project>.")
}

fn completed(path: &str) -> Notice {
    Notice::new(
        NoticeCode::PathCompleted,
        format!("The path was completed to end in {path}."),
    )
}

fn operation_stripped() -> Notice {
    Notice::new(
        NoticeCode::OperationPathStripped,
        "The operation at the end of the path was dropped; the Copilot runtime adds its own.",
    )
}

fn legacy(name: &str) -> Notice {
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
