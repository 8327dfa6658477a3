//! Finds the documented routes of Azure and OpenAI.

use super::parts::{
    Route, agent, anthropic_conflict, anthropic_project, check_name, completed, conflict, dated_project,
    is_agent, is_operation, legacy, lower_case, names, operation_stripped, repeated,
};
use crate::endpoint::hosts::Site;
use crate::endpoint::text::is_plain_name;
use crate::endpoint::url::{Url, missing_project, unknown_path};
use crate::endpoint::{Cloud, Kind, ProviderType};
use crate::error::{TEXTS, error_text};
use crate::{Code, Error, Notice, NoticeCode, Result};

/// Finds the route of a Foundry, Azure OpenAI or AI services resource.
pub(super) fn find(url: &Url, site: &Site, wanted: Option<ProviderType>, dated: bool) -> Result<Route> {
    let lower = lower_case(&url.segments);
    let path = names(&lower);
    read(url, &path, site, wanted, dated).map_err(|error| with_repair(error, url, &path, site))
}

/// Names the address to give in the place of one with a path that no route has. The host is that of
/// a resource, so it may be recommended.
fn with_repair(error: Error, url: &Url, path: &[&str], site: &Site) -> Error {
    if !TEXTS {
        return error;
    }
    let origin = url.origin();
    let hint = match (error.code(), path) {
        (Code::EndpointBadPath, ["api", "projects", _, ..]) if site.kind != Kind::FoundryAccount => {
            let resource = site.resource.as_deref().unwrap_or("<your-resource>");
            format!(
                "Leave the path out: {origin} is enough. Projects are at \
                 https://{resource}.services.ai.azure.com/api/projects/<project>."
            )
        }
        (Code::EndpointBadPath, ["api", "projects", ..]) => {
            format!("Leave out what follows the project's name, or the whole path: {origin} is enough.")
        }
        (Code::EndpointBadPath, ["anthropic", ..]) if site.kind == Kind::FoundryAccount => {
            format!("Give {origin}/anthropic.")
        }
        (Code::EndpointPlaceholder, _) => {
            format!("Write the name in its place, or leave the path out: {origin} is enough.")
        }
        (Code::EndpointAgent, ["api", "projects", ..]) => match url.segments.get(2) {
            Some(project) if is_plain_name(project) => {
                format!("Keep the part up to the project's name, {origin}/api/projects/{project}.")
            }
            _ => return error,
        },
        (Code::EndpointBadPath | Code::EndpointAgent, _) => {
            format!("Leave the path out: {origin} is enough.")
        }
        _ => return error,
    };
    error.hint(hint)
}

fn read(url: &Url, path: &[&str], site: &Site, wanted: Option<ProviderType>, dated: bool) -> Result<Route> {
    let foundry = site.kind == Kind::FoundryAccount;
    match path {
        ["api"] | ["api", "projects"] if foundry => Err(missing_project()),
        ["api", "projects", _, rest @ ..] if foundry => {
            let name = url.segments.get(2).map(String::as_str).unwrap_or_default();
            let project = check_name(name, "project")?;
            if wanted == Some(ProviderType::Anthropic) || is_anthropic(rest) {
                return Err(anthropic_project(&url.origin()));
            }
            if dated {
                return Err(dated_project());
            }
            let prefix = format!("/api/projects/{project}");
            let mut route = tail(rest, &url.segments, 3, wanted, &prefix)?;
            route.kind = Kind::FoundryProject;
            route.project = Some(project);
            Ok(route)
        }
        // The code samples of the Foundry portal use the host of Azure OpenAI, too.
        rest if is_anthropic(rest) && (foundry || site.cloud == Cloud::Public) => {
            anthropic(rest, &url.segments, wanted)
        }
        rest => {
            if wanted == Some(ProviderType::Anthropic) && !foundry {
                let resource = site.resource.as_deref().unwrap_or("<your-resource>");
                return Err(conflict(
                    "The type is \"anthropic\", but only a Foundry resource, <name>.services.ai.azure.com, serves Anthropic \
                     models.",
                    &error_text!(
                        "Give https://{resource}.services.ai.azure.com/anthropic, or leave the type out."
                    ),
                ));
            }
            let mut route = tail(rest, &url.segments, 0, wanted, "")?;
            route.kind = site.kind;
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

/// Splits a path behind the names of the route that begin it, in any order: clients that add them to
/// a base URL repeat them.
fn split_route<'a, 'b>(path: &'a [&'b str]) -> (&'a [&'b str], &'a [&'b str]) {
    let length = path
        .iter()
        .take_while(|name| matches!(**name, "openai" | "v1"))
        .count();
    path.split_at_checked(length).unwrap_or((path, &[]))
}

/// Whether the path is that of Anthropic's API, on any host.
fn is_anthropic(path: &[&str]) -> bool {
    let (_, rest) = split_route(path);
    matches!(
        rest,
        ["anthropic", ..] | ["messages"] | ["messages", "batches" | "count_tokens"]
    )
}

fn anthropic(path: &[&str], all: &[String], wanted: Option<ProviderType>) -> Result<Route> {
    if wanted.is_some_and(|wanted| wanted != ProviderType::Anthropic) {
        return Err(anthropic_conflict(wanted));
    }
    let mut notices = Vec::new();
    let is_route = |name: &&&str| matches!(**name, "openai" | "v1" | "anthropic");
    let (route, operation) = path
        .split_at_checked(path.iter().take_while(is_route).count())
        .unwrap_or_default();
    match route {
        ["anthropic"] | ["anthropic", "v1"] => {}
        [.., "anthropic"] | [.., "anthropic", "v1"] | ["anthropic", ..] => notices.push(repeated()),
        _ => notices.push(completed("/anthropic")),
    }
    if !matches!(operation, [] | ["messages" | "models" | "chat", ..]) {
        return Err(unknown_path(all, "/anthropic"));
    }
    if path.last() != Some(&"anthropic") {
        notices.push(operation_stripped());
    }
    Ok(Route {
        kind: Kind::FoundryAnthropic,
        provider_type: ProviderType::Anthropic,
        path: "/anthropic".to_owned(),
        project: None,
        deployment: None,
        notices,
    })
}

/// Finds the route below the host or project: `/openai/v1`, an older route, or an operation. `rest`
/// is `all` without the first `skipped` segments; `prefix` is the path of those.
fn tail(
    rest: &[&str],
    all: &[String],
    skipped: usize,
    wanted: Option<ProviderType>,
    prefix: &str,
) -> Result<Route> {
    let mut notices = Vec::new();
    let mut deployment = None;
    let (route, below) = split_route(rest);
    if !matches!(below, ["deployments", ..]) && below.iter().any(|name| is_agent(name)) {
        return Err(agent());
    }
    if !matches!(route, [] | ["openai" | "v1"] | ["openai", "v1"]) {
        notices.push(repeated());
    }
    match below {
        [] if matches!(route, ["openai" | "v1"]) => notices.push(completed("/openai/v1/")),
        [] => {}
        ["deployments"] => notices.push(operation_stripped()),
        ["deployments", _, operation @ ..] => {
            let (_, operation) = split_route(operation);
            if !operation.is_empty() && !is_operation(operation) {
                return Err(unknown_path(
                    all,
                    "an operation after the deployment's name, or nothing",
                ));
            }
            let at = skipped + route.len() + 1;
            let name = all.get(at).map(String::as_str).unwrap_or_default();
            let name = check_name(name, "deployment")?;
            notices.push(legacy(&name));
            deployment = Some(name);
            if !operation.is_empty() {
                notices.push(operation_stripped());
            }
        }
        ["models", operation @ ..] if route.is_empty() => {
            notices.push(model_inference());
            if is_operation(operation) || *operation == ["info"] {
                notices.push(operation_stripped());
            } else if !operation.is_empty() {
                return Err(unknown_path(all, "none, /openai/v1 or /api/projects/<project>"));
            }
        }
        operation if is_operation(operation) => {
            if matches!(route, [] | ["v1"]) {
                notices.push(completed("/openai/v1/"));
            }
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

pub(super) fn openai(url: &Url, wanted: Option<ProviderType>) -> Result<Route> {
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
        ["v1", "v1"] => vec![repeated()],
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

fn model_inference() -> Notice {
    Notice::new(
        NoticeCode::ModelInferenceRouteRewritten,
        "The model inference route /models, which is retired, was replaced by /openai/v1/.",
    )
}
