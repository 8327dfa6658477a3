//! Finds the documented routes of Azure and OpenAI.

use super::parts::{
    Route, agent, anthropic_conflict, anthropic_project, check_name, completed, conflict, dated_project,
    is_agent, is_operation, legacy, lower_case, names, operation_stripped,
};
use crate::endpoint::url::{Url, missing_project, unknown_path};
use crate::endpoint::{Kind, ProviderType};
use crate::{Notice, NoticeCode, Result};

/// Finds the route of a Foundry, Azure OpenAI or AI services resource.
pub(super) fn find(url: &Url, kind: Kind, wanted: Option<ProviderType>, dated: bool) -> Result<Route> {
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
