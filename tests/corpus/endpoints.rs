//! Judges the rows of `endpoints.json`: `{ id, input, works, expected: { baseUrlHost, isAzure,
//! project, deployment, apiVersion }, unscored? }`. `works` is true, false or "unknown"; `unscored`
//! names fields that do not count.

use copilot_keyless::Error;
use copilot_keyless::endpoint::{Endpoint, Kind, Options, parse};
use serde_json::Value;

use crate::{Judgement, text, texts};

/// Judges an endpoint. One that works is read, or refused with a hint that names its host. One that
/// does not is refused, or gets no token.
pub(crate) fn judge(row: &Value) -> Judgement {
    let scored = |name: &str| !texts(row, "unscored").contains(&name);
    let works = row.get("works").filter(|_| scored("works"));
    let none = Value::Null;
    let expected = row.get("expected").unwrap_or(&none);
    let host = text(expected, "baseUrlHost");
    let endpoint = match parse(text(row, "input"), &Options::default()) {
        Ok(endpoint) => endpoint,
        Err(error) => {
            let refused = matches!(works, None | Some(Value::Bool(false)));
            return if refused || names(&error, host) {
                Judgement::Right
            } else {
                Judgement::wrong(host, error.to_string())
            };
        }
    };
    if works == Some(&Value::Bool(false)) && endpoint.scope.is_some() {
        return Judgement::wrong("a refusal", endpoint.base_url);
    }
    let fields = [
        ("baseUrlHost", expected.get("baseUrlHost"), found_host(&endpoint)),
        (
            "project",
            expected.get("project"),
            endpoint.project.clone().into(),
        ),
        (
            "deployment",
            expected.get("deployment"),
            endpoint.deployment.clone().into(),
        ),
        ("isAzure", expected.get("isAzure"), is_azure(&endpoint).into()),
    ];
    for (name, expected, found) in fields {
        if scored(name) && expected.is_some_and(|expected| *expected != found) {
            let expected = expected.unwrap_or(&none);
            return Judgement::wrong(format!("{name} {expected}"), found.to_string());
        }
    }
    let version = text(expected, "apiVersion");
    if !version.is_empty() && scored("apiVersion") && !tells_version(&endpoint, version) {
        return Judgement::wrong(format!("apiVersion {version}"), "none");
    }
    Judgement::Right
}

/// Whether the hint of a refusal contains the URL to use instead.
fn names(error: &Error, host: &str) -> bool {
    let hint = error.next_step().unwrap_or_default();
    hint.contains(&format!("https://{host}"))
}

fn found_host(endpoint: &Endpoint) -> Value {
    let host = endpoint.base_url.split('/').nth(2).unwrap_or_default();
    host.into()
}

fn is_azure(endpoint: &Endpoint) -> bool {
    !matches!(endpoint.kind, Kind::Custom | Kind::Local | Kind::Openai)
}

/// Whether the endpoint has the API version, or says that it dropped it: the v1 API takes none.
fn tells_version(endpoint: &Endpoint, version: &str) -> bool {
    let dropped = endpoint
        .warnings
        .iter()
        .any(|notice| notice.code.as_str() == "query-stripped");
    endpoint.api_version.as_deref() == Some(version) || (dropped && endpoint.input.contains(version))
}
