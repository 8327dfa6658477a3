//! What a probe sends: the smallest request that passes the same gates as a real one, on the route that the runtime of the
//! Copilot SDK would take.

use serde::Serialize;

use crate::diagnosis::{Diagnosis, DiagnosisCode, FailedRequest, diagnose};
use crate::endpoint::{Endpoint, ProviderType};
use crate::environment::Origin;
use crate::provider::{self, ProviderPlan, ProviderRequest, WireApi};
use crate::text::decimal::decimal;
use crate::text::json::{Members, Value};
use crate::{Code, Error, Headers, Result, Secret};

/// How long a probe waits for an answer unless told, in milliseconds.
pub const DEFAULT_TIMEOUT_MS: u32 = 15_000;

/// The longest time that the timers of JavaScript can wait, in milliseconds.
const LONGEST_TIMEOUT_MS: u32 = i32::MAX as u32;

/// The version of Anthropic's API; there is no other.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Without a body.
    Get,
    /// With one.
    Post,
}

/// A request to be sent, without its credential. Serialised in camel case; what is `None` is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Call {
    /// How to send it.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// The headers, their names in lower case.
    pub headers: Headers,
    /// The body, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// How long to wait for the whole answer.
    pub timeout_ms: u32,
    /// The endpoint, for the diagnosis.
    pub endpoint: Endpoint,
    /// The deployment that is asked, for the diagnosis. None where the models are listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The API that is asked, for the diagnosis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wire_api: Option<WireApi>,
}

/// Describes the probe of the provider that [`provider::plan`] decides on.
///
/// - With a model or deployment, be it an option or a part of the endpoint's path: one inference, not streamed, not stored, with
///   the least output that the API allows. It needs the same role, quota and deployment as a conversation, and costs a few tokens.
/// - Without: the list of models. It shows that the address and the token are good, and costs nothing.
///
/// The Anthropic route lists no models, so without one the error is `provider/model`; `provider/limit` is that of a timeout that
/// no timer can wait. Other errors are those of `plan`.
///
/// ```
/// use copilot_keyless::request::probe::{Method, call};
/// use copilot_keyless::provider::ProviderRequest;
///
/// let request = ProviderRequest {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     model: Some("gpt-5.5".to_owned()),
///     ..ProviderRequest::default()
/// };
/// let call = call(&request, None)?;
/// assert_eq!(call.method, Method::Post);
/// assert_eq!(call.url, "https://myres.openai.azure.com/openai/v1/responses");
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn call(request: &ProviderRequest, timeout_ms: Option<f64>) -> Result<Call> {
    let timeout_ms = timeout(timeout_ms, DEFAULT_TIMEOUT_MS)?;
    let plan = provider::plan(request)?;
    let deployment = deployment_of(&plan)?;
    let body = deployment.as_deref().map(|name| body(name, plan.config.wire_api));
    Ok(outline(plan, deployment, body, timeout_ms))
}

/// The deployment that is asked; none where nothing names one, which Anthropic's route does not allow.
pub(crate) fn deployment_of(plan: &ProviderPlan) -> Result<Option<String>> {
    if plan.sources.model != Origin::Default {
        return Ok(Some(
            plan.config.wire_model.as_ref().unwrap_or(&plan.model).clone(),
        ));
    }
    if plan.config.provider_type != ProviderType::Anthropic {
        return Ok(None);
    }
    Err(Error::new(
        Code::ProviderModel,
        "The Anthropic route lists no models, so a request to it has to name one.",
    )
    .hint("Give the model option: the name of your deployment, such as claude-sonnet-4-5."))
}

/// A request to the route that the runtime would take: with a body, for the deployment; without, for the list of models.
pub(crate) fn outline(
    plan: ProviderPlan,
    deployment: Option<String>,
    body: Option<String>,
    timeout_ms: u32,
) -> Call {
    let mut headers = Headers::new();
    if plan.config.provider_type == ProviderType::Anthropic {
        headers.insert("anthropic-version", ANTHROPIC_VERSION);
    }
    if body.is_some() {
        headers.insert("content-type", "application/json");
    }
    for (name, value) in plan.config.headers.iter() {
        headers.insert(name.to_ascii_lowercase(), value.clone());
    }
    Call {
        method: if body.is_some() { Method::Post } else { Method::Get },
        url: url(&plan, deployment.as_deref()),
        headers,
        body,
        timeout_ms,
        endpoint: plan.endpoint,
        deployment,
        wire_api: plan.config.wire_api,
    }
}

pub(crate) fn timeout(given: Option<f64>, default: u32) -> Result<u32> {
    let Some(value) = given else {
        return Ok(default);
    };
    if value >= 1.0 && value <= f64::from(LONGEST_TIMEOUT_MS) && value.fract() == 0.0 {
        return Ok(value as u32);
    }
    Err(Error::new(
        Code::ProviderLimit,
        format!(
            "timeoutMs is {}; expected a whole number of milliseconds from 1 to {LONGEST_TIMEOUT_MS}.",
            decimal(value)
        ),
    )
    .hint(format!("Leave it out to wait for {default} ms.")))
}

/// What the runtime of the Copilot SDK makes of a base URL, measured on 1.0.14; without a deployment the list of models beside it.
fn url(plan: &ProviderPlan, deployment: Option<&str>) -> String {
    let base = plan.config.base_url.trim_end_matches('/');
    let operation = match (deployment, plan.config.wire_api) {
        (Some(_), Some(WireApi::Responses)) => "responses",
        (Some(_), Some(WireApi::Completions)) => "chat/completions",
        (Some(_), None) => "v1/messages",
        (None, _) => "models",
    };
    if plan.config.provider_type != ProviderType::Azure {
        return format!("{base}/{operation}");
    }
    match (&plan.config.azure, plan.config.wire_api, deployment) {
        (None, _, _) => format!("{base}/openai/v1/{operation}"),
        (Some(azure), Some(WireApi::Completions), Some(name)) => format!(
            "{base}/openai/deployments/{name}/{operation}?api-version={}",
            azure.api_version
        ),
        (Some(azure), _, _) => format!("{base}/openai/{operation}?api-version={}", azure.api_version),
    }
}

/// Names need no escaping: [`provider::plan`] lets none through that holds a quotation mark, a backslash or a control character.
fn body(model: &str, wire_api: Option<WireApi>) -> String {
    const MESSAGES: &str = r#""messages":[{"role":"user","content":"Hi"}]"#;
    match wire_api {
        // The least that the Responses API accepts is 16.
        Some(WireApi::Responses) => {
            format!(r#"{{"model":"{model}","input":"Hi","max_output_tokens":16,"store":false}}"#)
        }
        // Reasoning models refuse max_tokens, and answer nothing but an error when their thinking does not fit in.
        Some(WireApi::Completions) => {
            format!(r#"{{"model":"{model}",{MESSAGES},"max_completion_tokens":16}}"#)
        }
        None => format!(r#"{{"model":"{model}",{MESSAGES},"max_tokens":1}}"#),
    }
}

/// What came of a probe: what [`diagnose`] finds, and what only the sender knows or expects of the answer. Not everything with
/// a status of success is a model's: a web site or a sign-in page has one for any path.
///
/// ```
/// use copilot_keyless::diagnosis::{DiagnosisCode, FailedRequest};
/// use copilot_keyless::request::probe::judge;
///
/// let page = FailedRequest {
///     status: 200,
///     body: Some("<title>Sign in</title>".into()),
///     ..FailedRequest::default()
/// };
/// assert_eq!(judge(&page).code, DiagnosisCode::WrongPath);
/// ```
pub fn judge(outcome: &FailedRequest) -> Diagnosis {
    let mut found = diagnose(outcome);
    let body = outcome.body.as_ref().map_or("", Secret::expose);
    match found.code {
        // What the model said is of no interest.
        DiagnosisCode::Ok if is_answer(body) => found.message = None,
        DiagnosisCode::Ok => {
            found.code = DiagnosisCode::WrongPath;
            found.title = found.code.title();
            "An answer came, and it is none of a model's API: something else is served at this address, such as a web site, \
             a sign-in page or a proxy's notice."
                .clone_into(&mut found.cause);
            found.fixes =
                vec!["Check the host and the path of the endpoint:\ncopilot-keyless config".to_owned()];
        }
        DiagnosisCode::TokenInvalid if outcome.token.is_none() => {
            "The resource wants a token, and none was sent.".clone_into(&mut found.cause);
        }
        _ => {}
    }
    found
}

/// The names that the answer of one of the APIs has at its top.
const ANSWER: [&str; 4] = ["output", "choices", "content", "data"];

/// Whether a body is what one of the APIs gives for a request that it served.
fn is_answer(body: &str) -> bool {
    let wanted = |name: &str| name == "error" || ANSWER.contains(&name);
    if let Ok(members) = Members::from_slice(body.as_bytes(), wanted) {
        let has = |name| members.get(name).is_some_and(|value| *value != Value::Null);
        return !has("error") && ANSWER.into_iter().any(has);
    }
    // A list of models may be longer than what was read of it.
    let start = body.trim_start();
    let named = |name: &&str| start.find(&format!("\"{name}\"")).is_some_and(|at| at < 1_000);
    start.starts_with('{') && ANSWER.iter().any(named)
}

/// What the platform said of a request that got no answer, in one line.
///
/// reqwest quotes what JavaScript threw as `JsValue(...)`, with the stack, and names its own timeout in two ways.
///
/// ```
/// use copilot_keyless::request::probe::network_words;
///
/// assert_eq!(network_words("operation timed out", 15_000), "no answer within 15000 ms");
/// ```
pub fn network_words(said: &str, timeout_ms: u32) -> String {
    if said.contains("reqwest::errors::TimedOut") || said == "operation timed out" {
        return format!("no answer within {timeout_ms} ms");
    }
    let line = said.lines().next().unwrap_or_default();
    let line = line
        .strip_prefix("JsValue(")
        .map_or(line, |line| line.strip_suffix(')').unwrap_or(line));
    // Which class of error it is says nothing to people.
    match line.split_once(": ") {
        Some((class, words)) if class.ends_with("Error") && !class.contains(' ') => words.to_owned(),
        _ => line.trim_matches('"').to_owned(),
    }
}
