//! Classifies a failure by the status and the text of its response. No other module does so.

use super::{DiagnosisCode, network};
use crate::answer::body::Answer;
use crate::endpoint::{Endpoint, Kind};

const THROTTLED: &[u16] = &[429];
const DENIED: &[u16] = &[401, 403];
const REFUSED: &[u16] = &[400, 401, 403];
const FORBIDDEN: &[u16] = &[403];
const BAD: &[u16] = &[400];
const NOT_FOUND: &[u16] = &[400, 404];

/// Texts that identify a failure, in lower case, with the statuses that they come with. With any
/// other status the text may be quoted from a prompt.
const KNOWN_TEXTS: [(&str, &[u16], DiagnosisCode); 41] = [
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
    ("rate_limit", THROTTLED, DiagnosisCode::RateLimited),
    ("too_many_requests", THROTTLED, DiagnosisCode::RateLimited),
    ("\"429\"", THROTTLED, DiagnosisCode::RateLimited),
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

/// Classifies by the response alone. Returns `TokenInvalid` for every rejected token; the claims
/// tell these cases apart.
pub(super) fn classify(status: u16, answer: &Answer, endpoint: Option<&Endpoint>) -> DiagnosisCode {
    match status {
        0 if network::is_known(answer) => return DiagnosisCode::Network,
        200..=299 => return DiagnosisCode::Ok,
        0..=399 => return DiagnosisCode::Unknown,
        // Whatever the text.
        429 => return DiagnosisCode::RateLimited,
        500.. => return DiagnosisCode::ServerError,
        _ => {}
    }
    let known = KNOWN_TEXTS
        .iter()
        .find(|(text, statuses, _)| statuses.contains(&status) && answer.says(text));
    if let Some((_, _, code)) = known {
        let gateway = endpoint.is_some_and(|endpoint| endpoint.kind == Kind::Gateway);
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

/// Returns the status for a failure in the middle of a streamed response: the status that the same
/// text has in an error response, or 500 if the text is unknown. Only texts of the content filter
/// and of quotas count: the resource reports all other failures before it begins to respond, and an
/// event may quote a prompt.
///
/// ```
/// use copilot_keyless::diagnosis::status_of_event;
///
/// assert_eq!(status_of_event(r#"{"type":"error","error":{"code":"rate_limit_exceeded"}}"#), 429);
/// ```
pub fn status_of_event(event: &str) -> u16 {
    let event = event.to_ascii_lowercase();
    KNOWN_TEXTS
        .iter()
        .filter(|(_, _, code)| matches!(code, DiagnosisCode::ContentFilter | DiagnosisCode::RateLimited))
        .find(|(text, _, _)| event.contains(text))
        .and_then(|(_, statuses, _)| statuses.first().copied())
        .unwrap_or(500)
}
