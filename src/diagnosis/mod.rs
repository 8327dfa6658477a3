//! Explains why a request to a model failed, and how to fix it.
//!
//! [`diagnose`] reads the status, Azure's body, the headers, and the claims of the token that was
//! sent. Azure returns the same message for several failures; the token's audience and times tell
//! those apart.
//!
//! The known bodies come from Microsoft's documentation and from public threads that quote them.
//! For any other body, the code is [`DiagnosisCode::Unknown`] and the result contains Azure's
//! message.

mod classify;
mod code;
mod credential;
mod fixes;
mod gateway;
mod network;
mod rate_limit;
mod request_details;
mod request_fixes;
mod token_fault;

use serde::{Deserialize, Serialize};

pub use classify::status_of_event;
pub use code::DiagnosisCode;
pub use credential::{
    CredentialDiagnosis, CredentialDiagnosisCode, CredentialFailure, CredentialLink, FailedCredential,
    ReportedError, credential_failure, diagnose_credential,
};
pub use rate_limit::{Limited, RateLimit};

use crate::answer::body::{self, Answer};
use crate::endpoint::{self, Endpoint, Options};
use crate::token::Millis;
use crate::token::claims;
use crate::{Headers, Secret, Variables};
use classify::classify;
use request_details::Setup;

/// A failed request. As JSON in camel case; every field except `status` is optional and may be
/// null.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FailedRequest {
    /// The endpoint, in any form that [`endpoint::parse`] accepts. An invalid one is ignored.
    pub endpoint: Option<String>,
    /// The provider type, the API version and the scope of the endpoint.
    pub options: Options,
    /// The HTTP status; 0 without a response.
    pub status: u16,
    /// The response's headers. Names are case-insensitive.
    pub headers: Headers,
    /// The response's body; with status 0, the network error.
    pub body: Option<Secret>,
    /// The token that was sent.
    pub token: Option<Secret>,
    /// The time of the response, in epoch milliseconds. The token's times are compared with it. A
    /// `Retry-After` date counts from it, unless the response has its own `Date`.
    pub now: Option<Millis>,
    /// The deployment of the request.
    pub deployment: Option<String>,
    /// The API format of the request: `responses` or `completions`.
    pub wire_api: Option<String>,
    /// The environment, for the proxy that the request went through.
    pub env: Variables,
    /// The sub-agent that sent the request, if the Copilot runtime chose the deployment for it.
    pub agent: Option<String>,
}

impl FailedRequest {
    /// Returns the trimmed token, or an empty text without one.
    fn token(&self) -> &str {
        self.token.as_ref().map_or("", Secret::expose).trim()
    }
}

/// The cause and fixes of a failure. Serialized in camel case, without the fields that are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Diagnosis {
    /// The code.
    pub code: DiagnosisCode,
    /// A short title.
    pub title: &'static str,
    /// The cause, with the names and times of this case.
    pub cause: String,
    /// The fixes, the likeliest first. Each command is on its own line.
    pub fixes: Vec<String>,
    /// Whether the same request may succeed later without a change.
    pub retryable: bool,
    /// Whether the resource rejected the token itself, so that another token may work.
    pub token_rejected: bool,
    /// The HTTP status; `None` without a response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Azure's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The delay that Azure asks for, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    /// Azure's request id, for its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The limit that a 429 is about. `None` for every other code than `rate-limited`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
}

/// Returns a cause and fixes that are the same in every case.
fn fixed(cause: &str, fixes: &[&str]) -> (String, Vec<String>) {
    (
        cause.to_owned(),
        fixes.iter().map(|fix| (*fix).to_owned()).collect(),
    )
}

/// The cause and fixes of a failure.
struct Finding {
    code: DiagnosisCode,
    cause: String,
    fixes: Vec<String>,
}

/// Diagnoses a failed request. Never fails: the code of an unrecognized failure is `unknown`.
///
/// Text takes precedence over the status, because Azure responds to a missing role with 401 and
/// from a firewall with 403. The result never contains a part of the token. The server is not
/// trusted: commands contain fixed words, names from the endpoint and the object id of the token,
/// but nothing from the body or headers.
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
/// // Only the token decides who gets the role.
/// assert!(diagnosis.fixes[0].contains("az role assignment create --assignee <object-id>"));
/// ```
pub fn diagnose(failure: &FailedRequest) -> Diagnosis {
    let body = failure.body.as_ref().map_or("", Secret::expose);
    let answer = body::read(body, failure.status, failure.token());
    let endpoint = parsed_endpoint(failure);
    let setup = Setup {
        endpoint: endpoint.as_ref(),
        failure,
        status: status_of(failure, &answer),
    };
    let code = classify(failure, &answer, endpoint.as_ref());
    report(fixes::explain(code, &answer, &setup), failure, answer)
}

/// Checks a token before it is sent: its times, and its audience for the endpoint. Returns `None`
/// if it finds no fault, and for an opaque token. Without an endpoint, or with one of an unknown
/// audience, it checks the times only. Ignores the status and the response in `attempt`.
///
/// ```
/// use copilot_keyless::diagnosis::{DiagnosisCode, FailedRequest, check_token};
///
/// // {"alg":"none"} . {"aud":"https://management.azure.com"} .
/// let token = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQuYXp1cmUuY29tIn0.";
/// let predicted = check_token(&FailedRequest {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     token: Some(token.into()),
///     ..FailedRequest::default()
/// });
/// assert_eq!(predicted.unwrap().code, DiagnosisCode::WrongAudience);
/// ```
pub fn check_token(attempt: &FailedRequest) -> Option<Diagnosis> {
    let attempt = FailedRequest {
        status: 0,
        body: None,
        headers: Headers::new(),
        ..attempt.clone()
    };
    let answer = body::read("", 0, "");
    let endpoint = parsed_endpoint(&attempt);
    let setup = Setup {
        endpoint: endpoint.as_ref(),
        failure: &attempt,
        status: 0,
    };
    let claims = claims::describe(attempt.token.as_ref()?.expose());
    let finding = token_fault::fault(&claims, &answer, &setup)?;
    Some(report(finding, &attempt, answer))
}

/// The role that a principal needs to use the models of a resource. Serialized in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RoleAssignment {
    /// The role's name. Some changed in 2026.
    pub role: &'static str,
    /// The role's id, which never changes.
    pub role_id: &'static str,
    /// The command of the Azure CLI, with placeholders for unknown values.
    pub command: String,
}

/// Returns the role for the endpoint of `attempt`, and the command that assigns it to the principal
/// of its token.
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
    let endpoint = parsed_endpoint(attempt);
    let setup = Setup {
        endpoint: endpoint.as_ref(),
        failure: attempt,
        status: 0,
    };
    let claims = claims::describe(attempt.token());
    fixes::assignment(&setup, "", fixes::principal_of(&claims))
}

/// Returns the endpoint, if it is valid.
fn parsed_endpoint(failure: &FailedRequest) -> Option<Endpoint> {
    let given = failure.endpoint.as_deref()?;
    endpoint::parse(given, &failure.options).ok()
}

/// Returns the status of the response; without one, the status that a client's message names.
fn status_of(failure: &FailedRequest, answer: &Answer) -> u16 {
    match failure.status {
        0 => answer.named_status.unwrap_or(0),
        status => status,
    }
}

fn report(Finding { code, cause, fixes }: Finding, failure: &FailedRequest, answer: Answer) -> Diagnosis {
    let status = match code {
        DiagnosisCode::Network => failure.status,
        _ => status_of(failure, &answer),
    };
    let rate_limit = (code == DiagnosisCode::RateLimited).then(|| rate_limit::read(failure, &answer));
    Diagnosis {
        code,
        title: code.title(),
        cause,
        fixes,
        retryable: code.is_retryable() && rate_limit.as_ref().is_none_or(|limit| limit.waiting_helps),
        token_rejected: matches!(
            code,
            DiagnosisCode::WrongAudience
                | DiagnosisCode::WrongCloud
                | DiagnosisCode::TokenExpired
                | DiagnosisCode::TokenInvalid
                | DiagnosisCode::ClaimsChallenge
        ),
        status: (status != 0).then_some(status),
        retry_after_ms: rate_limit::pause(failure, &answer),
        request_id: ["apim-request-id", "x-ms-request-id", "request-id"]
            .iter()
            .find_map(|name| failure.headers.text(name))
            .filter(|id| id.len() <= 64 && crate::text::is_made_of(id, b"-_"))
            .map(str::to_owned),
        message: Some(answer.message).filter(|message| !message.is_empty()),
        rate_limit,
    }
}
