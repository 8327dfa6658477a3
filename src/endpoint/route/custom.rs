//! Finds the routes of gateways, unknown hosts and this machine, which may have any path.

use super::parts::{
    Route, agent, anthropic_conflict, anthropic_project, check_name, completed, conflict, dated_project,
    is_agent, is_operation, legacy, lower_case, names, operation_stripped, repeated,
};
use crate::Result;
use crate::endpoint::url::{Url, unknown_path};
use crate::endpoint::{Kind, ProviderType};
use crate::{Notice, NoticeCode};

/// Finds the route. Its path must be a base path: reading it again changes nothing.
pub(super) fn find(url: &Url, kind: Kind, wanted: Option<ProviderType>, dated: bool) -> Result<Route> {
    let route = read(&url.segments, url.trailing_slash, kind, wanted)?;
    check_project(&route, url, dated)?;
    check_settled(&route, &url.segments)?;
    Ok(route)
}

fn read(segments: &[String], slash: bool, kind: Kind, wanted: Option<ProviderType>) -> Result<Route> {
    let lower = lower_case(segments);
    let lower = names(&lower);
    let mut notices = Vec::new();
    let mut deployment = None;

    let mut kept = lower.len() - operation_length(&lower);
    let at = lower.iter().position(|name| *name == "deployments");
    if let Some((at, name)) = at.and_then(|at| Some((at, segments.get(at + 1)?))) {
        let after = lower.get(at + 2..kept).unwrap_or_default();
        if at + 2 > kept || !matches!(after, [] | ["v1"]) {
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

    let given = lower.len();
    while let [before @ .., "openai", "v1", "openai", "v1"]
    | [before @ .., "v1", "v1"]
    | [before @ .., "openai", "openai"] = lower
    {
        let doubled = lower.len() - before.len();
        lower = lower.get(..lower.len() - doubled / 2).unwrap_or_default();
    }
    if lower.len() != given {
        notices.insert(0, repeated());
    }

    let anthropic_path = messages || matches!(lower, [.., "anthropic"] | [.., "anthropic", "v1"]);
    if anthropic_path && wanted.is_some_and(|wanted| wanted != ProviderType::Anthropic) {
        return Err(anthropic_conflict(wanted));
    }
    let default = if anthropic_path {
        ProviderType::Anthropic
    } else {
        ProviderType::Openai
    };
    let provider_type = wanted.unwrap_or(default);
    let untouched = !stripped && deployment.is_none() && lower.len() == given;
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

/// Checks that a project has an OpenAI v1 route, as on Azure: gateways and the emulator offer no
/// other.
fn check_project(route: &Route, url: &Url, dated: bool) -> Result<()> {
    let lower = lower_case(&url.segments);
    let in_project = names(&lower)
        .windows(3)
        .any(|part| matches!(part, ["api", "projects", _]));
    match route.provider_type {
        ProviderType::Anthropic if in_project => Err(anthropic_project(&url.origin())),
        _ if dated && in_project => Err(dated_project()),
        _ => Ok(()),
    }
}

/// Rejects a path that is still not a base path after one reading, such as `/responses/responses`.
fn check_settled(route: &Route, given: &[String]) -> Result<()> {
    let segments: Vec<String> = route
        .path
        .split('/')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    match read(
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

/// Returns how many segments to cut from the end of the path, and the suffix to add.
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
        // The version is in front.
        (ProviderType::Openai, [.., "v1" | "v1beta", "openai"]) => Ok((0, "/")),
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

/// Counts the segments at the end that name an operation. Most operations count below `/v1` only.
fn operation_length(path: &[&str]) -> usize {
    if let Some(below) = path.rsplit(|name| *name == "v1").next()
        && below.len() < path.len()
        && is_operation(below)
    {
        return below.len();
    }
    match path {
        [.., "chat", "completions"] => 2,
        [.., "responses" | "completions" | "embeddings"] => 1,
        _ => 0,
    }
}
