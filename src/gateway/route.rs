//! Finds the route of a path, and repairs the mistakes that clients make in paths and queries.

use super::Dialect;
use super::target::{Target, is_named};
use crate::endpoint;

/// The paths of the resource behind the gateway. Without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    root: String,
    v1: String,
    /// The project of the endpoint, if it has one. No other one is served then.
    project: Option<String>,
}

impl Upstream {
    /// Reads the paths from the base URL of an endpoint, `Endpoint::base_url`.
    ///
    /// ```
    /// use copilot_keyless::gateway::Upstream;
    ///
    /// let upstream = Upstream::of("https://myres.services.ai.azure.com/api/projects/p/openai/v1/");
    /// assert_eq!(upstream, Upstream::of("https://other.example/api/projects/p"));
    /// assert_ne!(upstream, Upstream::of("https://other.example/api/projects/q"));
    /// ```
    pub fn of(base_url: &str) -> Self {
        let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
        let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
        let path = path.trim_end_matches('/');
        let (base, v1) = if let Some(base) = path.strip_suffix("/openai/v1") {
            (base, path.to_owned())
        } else if let Some(base) = path.strip_suffix("/v1") {
            (base, path.to_owned())
        } else {
            let base = path.strip_suffix("/anthropic").unwrap_or(path);
            (base, format!("{base}/openai/v1"))
        };
        let (root, project) = split_project(base);
        Self {
            root: root.to_owned(),
            v1,
            project: project.map(str::to_owned),
        }
    }
}

/// Dated routes and Anthropic's belong to the resource, not to a project in it.
fn split_project(base: &str) -> (&str, Option<&str>) {
    match base.rsplit_once("/api/projects/") {
        Some((root, project)) if !project.contains('/') => (root, Some(project)),
        _ => (base, None),
    }
}

/// Where to send a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// Path and query.
    pub(super) target: String,
    pub(super) dialect: Dialect,
    /// Whether the deployment of a model, and not some object, is asked for: its 404 is a mistake in
    /// the settings.
    pub(super) is_turn: bool,
}

/// Finds the route of a request. `None` if no route has the path.
pub(super) fn find(upstream: &Upstream, target: &Target<'_>) -> Option<Route> {
    let Upstream {
        root,
        v1,
        project: own,
    } = upstream;
    if let ["api", "projects", project, rest @ ..] = target.segments.as_slice() {
        if own.as_ref().is_some_and(|own| !own.eq_ignore_ascii_case(project)) {
            return None;
        }
        let project = format!("{root}/api/projects/{project}");
        let (names, below) = split_names(rest, &["openai", "v1"]);
        // They hand out the keys that are stored in them.
        if below.first().is_some_and(|name| is_named(name, "connections")) {
            return None;
        }
        return Some(if names.contains(&"v1") && !below.is_empty() {
            openai(&format!("{project}/openai/v1"), below, undated(target.query))
        } else {
            openai(&project, rest, target.query.map(str::to_owned))
        });
    }
    let (names, below) = split_names(&target.segments, &["openai", "v1", "anthropic"]);
    if names.contains(&"anthropic") || below.first() == Some(&"messages") {
        let query = target.query.map(str::to_owned);
        return (!below.is_empty()).then(|| Route {
            target: joined(&format!("{root}/anthropic/v1"), below, query),
            dialect: Dialect::Anthropic,
            is_turn: *below == ["messages"],
        });
    }
    let below = once(below);
    let dated = version(target.query).filter(|version| is_dated(version));
    match below {
        ["deployments", name, operation @ ..] => {
            let (_, operation) = split_names(operation, &["openai", "v1"]);
            let operation = once(operation);
            if operation.first() == Some(&"deployments") {
                return None;
            }
            if dated.is_none() || operation.first() == Some(&"responses") {
                // Read as the same request to the v1 API, which may belong to Anthropic's.
                let segments = ["v1"].iter().chain(operation).copied().collect();
                return find(upstream, &Target { segments, ..*target });
            }
            let base = format!("{root}/openai/deployments/{name}");
            let mut route = openai(&base, operation, target.query.map(str::to_owned));
            route.is_turn = is_turn(operation);
            Some(route)
        }
        // The retired model inference route.
        ["models", operation @ ..] if names.is_empty() && is_turn(operation) => {
            Some(openai(v1, operation, undated(target.query)))
        }
        [] => None,
        _ if names.contains(&"v1") || (names.is_empty() && is_operation(below)) => {
            Some(openai(v1, below, undated(target.query)))
        }
        // The dated API has these below a deployment only.
        ["chat" | "completions" | "embeddings", ..] if !names.is_empty() => {
            Some(openai(v1, below, undated(target.query)))
        }
        _ if !names.is_empty() && dated.is_some() => Some(openai(
            &format!("{root}/openai"),
            below,
            target.query.map(str::to_owned),
        )),
        _ if !names.is_empty() && is_operation(below) => Some(openai(v1, below, undated(target.query))),
        _ => None,
    }
}

fn openai(base: &str, below: &[&str], query: Option<String>) -> Route {
    Route {
        target: joined(base, below, query),
        dialect: Dialect::Openai,
        is_turn: is_turn(below),
    }
}

fn joined(base: &str, below: &[&str], query: Option<String>) -> String {
    let mut target = base.to_owned();
    for segment in below {
        target.push('/');
        target.push_str(segment);
    }
    if let Some(query) = query {
        target.push('?');
        target.push_str(&query);
    }
    target
}

/// Splits a path behind the names of a route that begin it, in any order: clients that add them to
/// a base URL repeat them.
fn split_names<'a, 'b>(path: &'a [&'b str], names: &[&str]) -> (&'a [&'b str], &'a [&'b str]) {
    let length = path.iter().take_while(|name| names.contains(name)).count();
    path.split_at_checked(length).unwrap_or((path, &[]))
}

/// Drops the second half of an operation that is there twice, as when the base URL ends in it:
/// `chat/completions/chat/completions`.
fn once<'a, 'b>(path: &'a [&'b str]) -> &'a [&'b str] {
    match path.split_at_checked(path.len() / 2) {
        Some((first, second)) if first == second && is_turn(first) => first,
        _ => path,
    }
}

fn is_turn(operation: &[&str]) -> bool {
    matches!(
        operation,
        ["responses" | "completions" | "embeddings"] | ["chat", "completions"]
    )
}

/// Whether a path begins with an operation of the v1 API, for a client whose base URL has no path.
/// `realtime` is a WebSocket, and `extensions` belongs to dated routes.
fn is_operation(path: &[&str]) -> bool {
    endpoint::is_operation(path) && !matches!(path.first(), Some(&("realtime" | "extensions")))
}

/// Returns the value of `api-version`.
fn version(query: Option<&str>) -> Option<&str> {
    query?.split('&').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        is_version(name).then_some(value)
    })
}

fn is_version(name: &str) -> bool {
    name.eq_ignore_ascii_case("api-version")
}

/// Whether a version belongs to the dated API: `v1`, `preview` and `latest` do not.
fn is_dated(version: &str) -> bool {
    version.starts_with(|first: char| first.is_ascii_digit())
}

/// Returns the query without `api-version`, which the v1 API refuses.
fn undated(query: Option<&str>) -> Option<String> {
    let query = query?;
    if version(Some(query)).is_none() {
        return Some(query.to_owned());
    }
    let rest: Vec<&str> = query
        .split('&')
        .filter(|part| !is_version(part.split('=').next().unwrap_or_default()))
        .collect();
    (!rest.is_empty()).then(|| rest.join("&"))
}
