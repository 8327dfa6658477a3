//! Describes a probe: the smallest request that needs the same access as a real one, on the route
//! that the runtime of the Copilot SDK uses.

use serde::Serialize;

use crate::diagnosis::{Diagnosis, DiagnosisCode, FailedRequest, diagnose};
use crate::endpoint::{Endpoint, ProviderType};
use crate::environment::Origin;
use crate::error::error_text;
use crate::provider::{self, ProviderPlan, ProviderRequest, WireApi};
use crate::text::json::{Members, Value};
use crate::{Code, Error, Headers, Result, Secret};

/// The default timeout of a probe, in milliseconds.
pub const DEFAULT_TIMEOUT_MS: u32 = 15_000;

/// The longest timeout of a JavaScript timer, in milliseconds.
const LONGEST_TIMEOUT_MS: u32 = i32::MAX as u32;

/// The only version of Anthropic's API.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// A request without a body.
    Get,
    /// A request with a body.
    Post,
}

/// A request to send, without its credential. Serialized in camel case, without the fields that are
/// `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The URL.
    pub url: String,
    /// The headers, with names in lower case.
    pub headers: Headers,
    /// The body, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The timeout of the whole response, in milliseconds.
    pub timeout_ms: u32,
    /// The endpoint, for the diagnosis.
    pub endpoint: Endpoint,
    /// The deployment, for the diagnosis. `None` for a list of models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The API format, for the diagnosis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wire_api: Option<WireApi>,
}

/// Describes the probe of the provider of [`provider::plan`].
///
/// - With a model or deployment, from an option or the endpoint's path: one inference, not
///   streamed, not stored, with the smallest output that the API allows. It needs the same role,
///   quota and deployment as a conversation, and costs a few tokens.
/// - Without one: a list of models. It checks the address and the token, and costs nothing.
///
/// Errors: those of `plan`; `provider/model` on the Anthropic route without a model, because it has
/// no list of models; `provider/limit` for a timeout of 0 or more than 2,147,483,647 ms.
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
pub fn call(request: &ProviderRequest, timeout_ms: Option<u32>) -> Result<Call> {
    let timeout_ms = timeout(timeout_ms, DEFAULT_TIMEOUT_MS)?;
    let plan = provider::plan(request)?;
    let deployment = deployment_of(&plan)?;
    let body = deployment.as_deref().map(|name| body(name, plan.config.wire_api));
    Ok(outline(plan, deployment, body, timeout_ms))
}

/// Returns the deployment of the request. `None` if no setting names one, which is an error on
/// Anthropic's route.
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

/// Builds a request to the route that the runtime uses: with a body for the deployment, or without
/// for the list of models.
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

pub(crate) fn timeout(given: Option<u32>, default: u32) -> Result<u32> {
    let timeout = given.unwrap_or(default);
    if (1..=LONGEST_TIMEOUT_MS).contains(&timeout) {
        return Ok(timeout);
    }
    Err(Error::new(
        Code::ProviderLimit,
        error_text!("timeoutMs is not a whole number of milliseconds from 1 to {LONGEST_TIMEOUT_MS}."),
    )
    .hint(error_text!("Leave it out to wait for {default} ms.")))
}

/// Builds the URL from the base URL as the runtime of the Copilot SDK does (measured on 1.0.14), or
/// that of the list of models if there is no deployment.
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

/// Builds the body. Names need no escaping: [`provider::plan`] rejects quotation marks, backslashes
/// and control characters.
fn body(model: &str, wire_api: Option<WireApi>) -> String {
    const MESSAGES: &str = r#""messages":[{"role":"user","content":"Hi"}]"#;
    match wire_api {
        // The smallest value that the Responses API accepts.
        Some(WireApi::Responses) => {
            format!(r#"{{"model":"{model}","input":"Hi","max_output_tokens":16,"store":false}}"#)
        }
        // Reasoning models reject max_tokens, and return an error if their reasoning exceeds the
        // limit.
        Some(WireApi::Completions) => {
            format!(r#"{{"model":"{model}",{MESSAGES},"max_completion_tokens":16}}"#)
        }
        None => format!(r#"{{"model":"{model}",{MESSAGES},"max_tokens":1}}"#),
    }
}

/// Judges the response to a probe: runs [`diagnose`], then checks what only a probe expects. A
/// status of success is not enough, because a web site or a sign-in page returns one for any path.
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
        // The model's own text is irrelevant.
        DiagnosisCode::Ok if is_answer(body) => found.message = None,
        DiagnosisCode::Ok | DiagnosisCode::GatewayPage if (200..300).contains(&outcome.status) => {
            found.code = DiagnosisCode::WrongPath;
            found.title = found.code.title();
            "The response is not one of a model's API: this address serves something else, such as a web site, a sign-in page or a \
             proxy's notice."
                .clone_into(&mut found.cause);
            found.fixes =
                vec!["Check the host and the path of the endpoint:\ncopilot-keyless config".to_owned()];
        }
        DiagnosisCode::TokenInvalid if outcome.token.is_none() => {
            "The resource requires a token, and the request had none.".clone_into(&mut found.cause);
        }
        _ => {}
    }
    found
}

/// The top-level names of the responses of the APIs.
const ANSWER: [&str; 4] = ["output", "choices", "content", "data"];

/// Whether a body is a successful response of one of the APIs.
fn is_answer(body: &str) -> bool {
    let wanted = |name: &str| name == "error" || ANSWER.contains(&name);
    if let Ok(members) = Members::from_slice(body.as_bytes(), wanted) {
        let has = |name| members.get(name).is_some_and(|value| *value != Value::Null);
        return !has("error") && ANSWER.into_iter().any(has);
    }
    // A list of models may be longer than the part that was read.
    let start = body.trim_start();
    let named = |name: &&str| start.find(&format!("\"{name}\"")).is_some_and(|at| at < 1_000);
    start.starts_with('{') && ANSWER.iter().any(named)
}

/// Formats the platform's error for a request without a response, in one line.
///
/// reqwest wraps JavaScript errors in `JsValue(...)`, with the stack, and describes its own timeout
/// in two ways.
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
    // Drop the class of the error, which does not help the reader.
    match line.split_once(": ") {
        Some((class, words)) if class.ends_with("Error") && !class.contains(' ') => words.to_owned(),
        _ => line.trim_matches('"').to_owned(),
    }
}
