//! Why a request to a model failed, in Azure's terms, and what mends it.
//!
//! [`diagnose`] reads what came back: the status, Azure's body, the headers, and the claims of the token that was sent.
//! Azure answers several faults with one sentence, so the token's own audience and times tell those apart.
//!
//! The bodies are those of Microsoft's documentation and of threads in which people quote them; where none fits, the code
//! is [`DiagnosisCode::Unknown`] and Azure's words are all there is.

mod network;
mod rejected;
mod remedy;

use serde::{Deserialize, Serialize, Serializer};

use crate::answer::body::{self, Answer};
use crate::answer::pause_of;
use crate::endpoint::{self, Endpoint, Options};
use crate::token::Millis;
use crate::token::claims;
use crate::{Headers, Secret};
use remedy::Setup;

/// Declares [`DiagnosisCode`], its strings and titles from one list, so that none can be forgotten.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal, $title:literal,)+) => {
        /// What a failure was found to be. The string form is stable and part of the public API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DiagnosisCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl DiagnosisCode {
            /// Every code there is.
            pub const ALL: &'static [DiagnosisCode] = &[$(DiagnosisCode::$name,)+];

            /// The stable string form, such as `missing-role`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(DiagnosisCode::$name => $text,)+
                }
            }

            /// The finding in a few words.
            pub const fn title(self) -> &'static str {
                match self {
                    $(DiagnosisCode::$name => $title,)+
                }
            }
        }
    };
}

codes! {
    /// The request was served.
    Ok => "ok", "The request was served",
    /// The token is for another audience.
    WrongAudience => "wrong-audience", "The token is for another audience",
    /// The token has expired.
    TokenExpired => "token-expired", "The token has expired",
    /// The token is rejected for another reason, or there was none.
    TokenInvalid => "token-invalid", "The token was rejected",
    /// The principal lacks a role.
    MissingRole => "missing-role", "The principal has no role that allows this",
    /// The token comes from another tenant than the resource's.
    WrongTenant => "wrong-tenant", "The token comes from another tenant",
    /// The resource has no custom subdomain, without which it takes no token.
    CustomSubdomainRequired => "custom-subdomain-required", "The resource has no custom subdomain, so it takes no token",
    /// A key was looked at, and it is wrong.
    BadKey => "bad-key", "The resource looked for an API key",
    /// A key was sent to a resource that takes none.
    KeysDisabled => "keys-disabled", "An API key was sent, and the resource takes none",
    /// The resource's firewall.
    Firewall => "firewall", "The resource's firewall blocks this network",
    /// The resource is closed to public networks.
    PublicAccessDisabled => "public-access-disabled", "The resource can be reached through a private endpoint only",
    /// No deployment of that name.
    DeploymentNotFound => "deployment-not-found", "There is no deployment of that name",
    /// No such route.
    WrongPath => "wrong-path", "The resource does not know this path",
    /// An API version that the route does not take.
    ApiVersion => "api-version", "The API version does not fit the route",
    /// The model does not serve this API.
    OperationNotSupported => "operation-not-supported", "The model does not serve this API",
    /// Too many requests or tokens.
    RateLimited => "rate-limited", "The deployment's quota is used up for now",
    /// The content filter.
    ContentFilter => "content-filter", "Azure's content filter stopped the request",
    /// A gateway in front of the resource wants its own key.
    GatewayKey => "gateway-key", "A gateway in front of the resource wants its own key",
    /// Another fault of the request itself.
    BadRequest => "bad-request", "The resource does not accept the request",
    /// The resource failed.
    ServerError => "server-error", "The resource failed",
    /// No answer came at all.
    Network => "network", "The resource cannot be reached",
    /// None of the above.
    Unknown => "unknown", "The request failed for a reason that is not known here",
}

impl Serialize for DiagnosisCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A request that failed. As JSON in camel case; every field but the status may be missing or null.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Failure {
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

impl Failure {
    /// The token, without blanks around it; empty if there is none.
    fn token(&self) -> &str {
        self.token.as_ref().map_or("", Secret::expose).trim()
    }
}

/// What a failure was found to be. Serialised in camel case; what is `None` is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
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
/// use copilot_keyless::diagnosis::{DiagnosisCode, Failure, diagnose};
///
/// let diagnosis = diagnose(&Failure {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     status: 401,
///     body: Some(r#"{"error":{"code":"PermissionDenied","message":"The principal
///         `6fb5e9a1-2f7c-4a53-9d6c-a07f2b1d3e44` lacks the required data action
///         `Microsoft.CognitiveServices/accounts/OpenAI/responses/write` to perform
///         `POST /openai/v1/responses` operation."}}"#.replace('\n', " ").into()),
///     ..Failure::default()
/// });
/// assert_eq!(diagnosis.code, DiagnosisCode::MissingRole);
/// assert!(diagnosis.cause.contains("6fb5e9a1-2f7c-4a53-9d6c-a07f2b1d3e44"));
/// // Only the token says whom to give a role.
/// assert!(diagnosis.fixes[0].contains("az role assignment create --assignee <object-id>"));
/// ```
pub fn diagnose(failure: &Failure) -> Diagnosis {
    let body = failure.body.as_ref().map_or("", Secret::expose);
    let token = failure.token();
    let answer = body::read(body, failure.status, token);
    let endpoint = place(failure);
    let setup = Setup {
        endpoint: endpoint.as_ref(),
        failure,
    };
    let code = classify(failure.status, &answer, endpoint.as_ref());
    let finding = match code {
        DiagnosisCode::TokenInvalid => rejected::explain(token, &answer, &setup),
        DiagnosisCode::Network => network::explain(&answer, &setup),
        code => remedy::explain(code, &answer, &setup),
    };
    report(finding, failure, answer)
}

/// What is wrong with a token before it is sent: its times, or its audience for the endpoint. `None` where nothing is known to be:
/// no endpoint, an endpoint whose audience nobody knows, a token that is opaque. The status and the answer of `attempt` do not count.
///
/// ```
/// use copilot_keyless::diagnosis::{DiagnosisCode, Failure, foresee};
///
/// // {"alg":"none"} . {"aud":"https://management.azure.com"} .
/// let token = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQuYXp1cmUuY29tIn0.";
/// let foreseen = foresee(&Failure {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     token: Some(token.into()),
///     ..Failure::default()
/// });
/// assert_eq!(foreseen.unwrap().code, DiagnosisCode::WrongAudience);
/// ```
pub fn foresee(attempt: &Failure) -> Option<Diagnosis> {
    let attempt = Failure {
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
pub struct RoleAssignment {
    /// The role's name, which changed in 2026 for some.
    pub role: &'static str,
    /// The role's id, which does not change.
    pub role_id: &'static str,
    /// The command of the Azure CLI, with a placeholder for what is not known.
    pub command: String,
}

/// Which role the endpoint of `attempt` needs, and the command that assigns it to the principal of its token.
pub fn role_assignment(attempt: &Failure) -> RoleAssignment {
    let endpoint = place(attempt);
    let setup = Setup {
        endpoint: endpoint.as_ref(),
        failure: attempt,
    };
    let claims = claims::describe(attempt.token());
    remedy::assignment(&setup, "", remedy::principal_of(&claims))
}

/// The endpoint, if it can be read.
fn place(failure: &Failure) -> Option<Endpoint> {
    let given = failure.endpoint.as_deref()?;
    endpoint::parse(given, &failure.options).ok()
}

fn report(Finding { code, cause, fixes }: Finding, failure: &Failure, answer: Answer) -> Diagnosis {
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

const DENIED: &[u16] = &[401, 403];
const REFUSED: &[u16] = &[400, 401, 403];
const FORBIDDEN: &[u16] = &[403];
const BAD: &[u16] = &[400];
const NOT_FOUND: &[u16] = &[400, 404];

/// Texts by which a fault is known, in lower case, and the statuses that they come with: with others they may be quoted from a
/// prompt.
const TELLING: [(&str, &[u16], DiagnosisCode); 38] = [
    ("missing subscription key", DENIED, DiagnosisCode::GatewayKey),
    (
        "invalid subscription key or wrong api endpoint",
        DENIED,
        DiagnosisCode::BadKey,
    ),
    ("invalid subscription key", DENIED, DiagnosisCode::GatewayKey),
    ("incorrect api key provided", DENIED, DiagnosisCode::BadKey),
    ("invalid x-api-key", DENIED, DiagnosisCode::BadKey),
    ("permissiondenied", DENIED, DiagnosisCode::MissingRole),
    (
        "lacks the required data action",
        DENIED,
        DiagnosisCode::MissingRole,
    ),
    (
        "does not have access to api/operation",
        DENIED,
        DiagnosisCode::MissingRole,
    ),
    ("does not have permission", DENIED, DiagnosisCode::MissingRole),
    (
        "does not have authorization to perform action",
        DENIED,
        DiagnosisCode::MissingRole,
    ),
    (
        "tenant provided in token does not match",
        REFUSED,
        DiagnosisCode::WrongTenant,
    ),
    (
        "does not match resource tenant",
        REFUSED,
        DiagnosisCode::WrongTenant,
    ),
    (
        "provide a custom subdomain",
        REFUSED,
        DiagnosisCode::CustomSubdomainRequired,
    ),
    ("authenticationtypedisabled", DENIED, DiagnosisCode::KeysDisabled),
    (
        "key based authentication is disabled",
        DENIED,
        DiagnosisCode::KeysDisabled,
    ),
    (
        "public access is disabled",
        FORBIDDEN,
        DiagnosisCode::PublicAccessDisabled,
    ),
    (
        "public network access",
        FORBIDDEN,
        DiagnosisCode::PublicAccessDisabled,
    ),
    ("private endpoint", FORBIDDEN, DiagnosisCode::PublicAccessDisabled),
    ("virtual network/firewall", FORBIDDEN, DiagnosisCode::Firewall),
    ("firewall rules", FORBIDDEN, DiagnosisCode::Firewall),
    ("out of call volume quota", FORBIDDEN, DiagnosisCode::RateLimited),
    ("deploymentnotfound", NOT_FOUND, DiagnosisCode::DeploymentNotFound),
    (
        "deployment for this resource does not exist",
        NOT_FOUND,
        DiagnosisCode::DeploymentNotFound,
    ),
    ("model_not_found", NOT_FOUND, DiagnosisCode::DeploymentNotFound),
    ("unknown_model", NOT_FOUND, DiagnosisCode::DeploymentNotFound),
    ("invalid_deployment", NOT_FOUND, DiagnosisCode::DeploymentNotFound),
    ("not_found_error", NOT_FOUND, DiagnosisCode::DeploymentNotFound),
    (
        "does not work with the specified model",
        NOT_FOUND,
        DiagnosisCode::OperationNotSupported,
    ),
    (
        "operationnotsupported",
        NOT_FOUND,
        DiagnosisCode::OperationNotSupported,
    ),
    ("\"content_filter\"", BAD, DiagnosisCode::ContentFilter),
    ("responsibleaipolicyviolation", BAD, DiagnosisCode::ContentFilter),
    ("content management policy", BAD, DiagnosisCode::ContentFilter),
    (
        "api-version query parameter",
        NOT_FOUND,
        DiagnosisCode::ApiVersion,
    ),
    ("parameter: api-version", NOT_FOUND, DiagnosisCode::ApiVersion),
    (
        "enabled only for api-version",
        NOT_FOUND,
        DiagnosisCode::ApiVersion,
    ),
    ("invalid api-version", NOT_FOUND, DiagnosisCode::ApiVersion),
    ("api version not supported", NOT_FOUND, DiagnosisCode::ApiVersion),
    ("unsupported api version", NOT_FOUND, DiagnosisCode::ApiVersion),
];

/// The finding by the answer alone. `TokenInvalid` stands for every rejected token: its claims decide which it is.
fn classify(status: u16, answer: &Answer, endpoint: Option<&Endpoint>) -> DiagnosisCode {
    match status {
        0 if network::is_known(answer) => return DiagnosisCode::Network,
        200..=299 => return DiagnosisCode::Ok,
        0..=399 => return DiagnosisCode::Unknown,
        // Whatever else it says.
        429 => return DiagnosisCode::RateLimited,
        500.. => return DiagnosisCode::ServerError,
        _ => {}
    }
    let told = TELLING
        .iter()
        .find(|(text, statuses, _)| statuses.contains(&status) && answer.says(text));
    if let Some((_, _, code)) = told {
        let gateway = endpoint.is_some_and(|endpoint| endpoint.kind == endpoint::Kind::Gateway);
        return match code {
            DiagnosisCode::BadKey if gateway => DiagnosisCode::GatewayKey,
            code => *code,
        };
    }
    match status {
        400 | 405 | 409 | 411..=428 => DiagnosisCode::BadRequest,
        401 => DiagnosisCode::TokenInvalid,
        404 | 410 => DiagnosisCode::WrongPath,
        408 => DiagnosisCode::ServerError,
        _ => DiagnosisCode::Unknown,
    }
}
