//! Why a request to a model failed, in Azure's terms, and what mends it.
//!
//! [`diagnose`] reads what came back: the status, Azure's body, the headers, and the claims of the token that was sent.
//! Azure answers several faults with one sentence, so the token's own audience and times tell those apart.
//!
//! The bodies are those of Microsoft's documentation and of threads in which people quote them; where none fits, the code
//! is [`DiagnosisCode::Unknown`] and Azure's words are all there is.

mod classify;
mod code;
mod fixes;
mod network;
mod rejected;
mod setup;

use serde::{Deserialize, Serialize};

pub use classify::status_of_event;
pub use code::DiagnosisCode;

use crate::answer::body::{self, Answer};
use crate::answer::pause_of;
use crate::endpoint::{self, Endpoint, Options};
use crate::token::Millis;
use crate::token::claims;
use crate::{Headers, Secret};
use classify::classify;
use setup::Setup;

/// A request that failed. As JSON in camel case; every field but the status may be missing or null.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FailedRequest {
    /// The endpoint, in any form that [`endpoint::parse`] takes. What cannot be read counts as not given.
    pub endpoint: Option<String>,
    /// The provider type, the API version and the scope that go with the endpoint.
    pub options: Options,
    /// The HTTP status; 0 if no answer came.
    pub status: u16,
    /// The response's headers, in any spelling.
    pub headers: Headers,
    /// The response's body; with status 0, what the network said.
    pub body: Option<Secret>,
    /// The token that was sent.
    pub token: Option<Secret>,
    /// The time of the answer, in epoch milliseconds, to compare with the token's; a `Retry-After` that is a date counts from then,
    /// unless the answer has a `Date` of its own.
    pub now: Option<Millis>,
    /// The deployment that was asked for.
    pub deployment: Option<String>,
    /// The API format that was asked for: `responses` or `completions`.
    pub wire_api: Option<String>,
}

impl FailedRequest {
    /// The token, without blanks around it; empty if there is none.
    fn token(&self) -> &str {
        self.token.as_ref().map_or("", Secret::expose).trim()
    }
}

/// What a failure was found to be. Serialised in camel case; what is `None` is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Diagnosis {
    /// The finding.
    pub code: DiagnosisCode,
    /// The finding in a few words.
    pub title: &'static str,
    /// Why it was found, with the names and times of this case.
    pub cause: String,
    /// What to do, the likeliest first. A command stands on a line of its own.
    pub fixes: Vec<String>,
    /// Whether the same request may succeed later, with nothing changed.
    pub retryable: bool,
    /// Whether the resource rejected the token itself, so that another one may be accepted.
    pub token_rejected: bool,
    /// The HTTP status, if an answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Azure's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How long Azure asks to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    /// Azure's id of the request, for its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Why a finding was made, and what mends it.
struct Finding {
    code: DiagnosisCode,
    cause: String,
    fixes: Vec<String>,
}

/// Finds out why a request failed. Never fails itself: what fits nothing is `unknown`.
///
/// Texts go before the status, because Azure answers a missing role with 401 and a firewall with 403. No part of the token
/// appears in the result. A body may come from anybody, so nothing of it or of the headers gets into a command: those hold fixed
/// words, names of the endpoint and the object id of the token.
///
/// ```
/// use copilot_keyless::diagnosis::{DiagnosisCode, FailedRequest, diagnose};
///
/// let diagnosis = diagnose(&FailedRequest {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     status: 401,
///     body: Some(r#"{"error":{"code":"PermissionDenied","message":"The principal
///         `6fb5e9a1-2f7c-4a53-9d6c-a07f2b1d3e44` lacks the required data action
///         `Microsoft.CognitiveServices/accounts/OpenAI/responses/write` to perform
///         `POST /openai/v1/responses` operation."}}"#.replace('\n', " ").into()),
///     ..FailedRequest::default()
/// });
/// assert_eq!(diagnosis.code, DiagnosisCode::MissingRole);
/// assert!(diagnosis.cause.contains("6fb5e9a1-2f7c-4a53-9d6c-a07f2b1d3e44"));
/// // Only the token says whom to give a role.
/// assert!(diagnosis.fixes[0].contains("az role assignment create --assignee <object-id>"));
/// ```
pub fn diagnose(failure: &FailedRequest) -> Diagnosis {
    let body = failure.body.as_ref().map_or("", Secret::expose);
    let answer = body::read(body, failure.status, failure.token());
    let endpoint = place(failure);
    let setup = Setup {
        endpoint: endpoint.as_ref(),
        failure,
    };
    let code = classify(failure.status, &answer, endpoint.as_ref());
    report(fixes::explain(code, &answer, &setup), failure, answer)
}

/// What is wrong with a token before it is sent: its times, or its audience for the endpoint. `None` where nothing is known to be:
/// no endpoint, an endpoint whose audience nobody knows, a token that is opaque. The status and the answer of `attempt` do not count.
///
/// ```
/// use copilot_keyless::diagnosis::{DiagnosisCode, FailedRequest, check_token};
///
/// // {"alg":"none"} . {"aud":"https://management.azure.com"} .
/// let token = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQuYXp1cmUuY29tIn0.";
/// let foreseen = check_token(&FailedRequest {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     token: Some(token.into()),
///     ..FailedRequest::default()
/// });
/// assert_eq!(foreseen.unwrap().code, DiagnosisCode::WrongAudience);
/// ```
pub fn check_token(attempt: &FailedRequest) -> Option<Diagnosis> {
    let attempt = FailedRequest {
        status: 0,
        body: None,
        headers: Headers::new(),
        ..attempt.clone()
    };
    let answer = body::read("", 0, "");
    let endpoint = place(&attempt);
    let setup = Setup {
        endpoint: endpoint.as_ref(),
        failure: &attempt,
    };
    let claims = claims::describe(attempt.token.as_ref()?.expose());
    let finding = rejected::fault(&claims, &answer, &setup)?;
    Some(report(finding, &attempt, answer))
}

/// The role that a principal needs to use the models of a resource. Serialised in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RoleAssignment {
    /// The role's name, which changed in 2026 for some.
    pub role: &'static str,
    /// The role's id, which does not change.
    pub role_id: &'static str,
    /// The command of the Azure CLI, with a placeholder for what is not known.
    pub command: String,
}

/// Which role the endpoint of `attempt` needs, and the command that assigns it to the principal of its token.
///
/// ```
/// use copilot_keyless::diagnosis::{FailedRequest, role_assignment};
///
/// let needed = role_assignment(&FailedRequest {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     ..FailedRequest::default()
/// });
/// assert_eq!(needed.role, "Cognitive Services OpenAI User");
/// ```
pub fn role_assignment(attempt: &FailedRequest) -> RoleAssignment {
    let endpoint = place(attempt);
    let setup = Setup {
        endpoint: endpoint.as_ref(),
        failure: attempt,
    };
    let claims = claims::describe(attempt.token());
    fixes::assignment(&setup, "", fixes::principal_of(&claims))
}

/// The endpoint, if it can be read.
fn place(failure: &FailedRequest) -> Option<Endpoint> {
    let given = failure.endpoint.as_deref()?;
    endpoint::parse(given, &failure.options).ok()
}

fn report(Finding { code, cause, fixes }: Finding, failure: &FailedRequest, answer: Answer) -> Diagnosis {
    Diagnosis {
        code,
        title: code.title(),
        cause,
        fixes,
        retryable: match code {
            // What has been spent does not come back by waiting.
            DiagnosisCode::RateLimited => !answer.says("insufficient_quota"),
            DiagnosisCode::ServerError | DiagnosisCode::Network | DiagnosisCode::TokenExpired => true,
            _ => false,
        },
        token_rejected: matches!(
            code,
            DiagnosisCode::WrongAudience | DiagnosisCode::TokenExpired | DiagnosisCode::TokenInvalid
        ),
        status: (failure.status != 0).then_some(failure.status),
        retry_after_ms: pause_of(&failure.headers, &answer, failure.now),
        request_id: ["apim-request-id", "x-ms-request-id", "request-id"]
            .iter()
            .find_map(|name| failure.headers.text(name))
            .filter(|id| id.len() <= 64 && crate::text::is_made_of(id, b"-_"))
            .map(str::to_owned),
        message: Some(answer.message).filter(|message| !message.is_empty()),
    }
}
