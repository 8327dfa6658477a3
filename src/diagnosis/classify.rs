//! Classifies a failure by the codes, the text and the status of its response. No other module does
//! so.

use super::DiagnosisCode::{
    self, ApiVersion, BadKey, BadRequest, ClaimsChallenge, ContentFilter, ContextLength,
    CustomSubdomainRequired, DeploymentNotFound, EncryptedContent, Firewall, FirstByteTimeout, GatewayKey,
    GatewayPage, ItemNotFound, KeysDisabled, MissingRole, Network, OperationNotSupported,
    PublicAccessDisabled, QuotaExceeded, RateLimited, ResourceBlocked, ResourceNotFound, ServerError,
    TokenExpired, TokenInvalid, Unknown, UnsupportedParameter, WrongAudience, WrongCloud, WrongPath,
    WrongTenant,
};
use super::{FailedRequest, network};
use crate::answer::body::{self, Answer};
use crate::endpoint::{Cloud, Endpoint, Kind};

const DENIED: &[u16] = &[401, 403];
const REFUSED: &[u16] = &[400, 401, 403];
const FORBIDDEN: &[u16] = &[403];
const BAD: &[u16] = &[400, 413, 422];
const NOT_FOUND: &[u16] = &[400, 404, 410];
const SPENT: &[u16] = &[400, 402, 403, 409, 429];
const THROTTLED: &[u16] = &[429];
const FAILED: &[u16] = &[500];

/// Texts that identify a failure, in lower case, separated by `|`. Of texts joined by `&`, all must
/// occur. A text counts with the statuses that it comes with, because with any other status it may
/// be quoted from a prompt; the code or type of a JSON error that equals a text counts with every
/// status. The first match decides, so narrow texts precede wide ones.
const KNOWN_TEXTS: &[(DiagnosisCode, &[u16], &str)] = &[
    (
        ResourceBlocked,
        FORBIDDEN,
        "temporarily blocked|resource has been blocked|detected unusual behavior|was disallowed by",
    ),
    (
        ResourceBlocked,
        SPENT,
        "requestdisallowedby|readonlydisabledsubscription|subscriptiondisabled|subscription&disabled and therefore",
    ),
    (GatewayKey, DENIED, "missing&subscription key"),
    (BadKey, DENIED, "invalid subscription key or wrong api endpoint"),
    (GatewayKey, DENIED, "invalid subscription key"),
    (
        BadKey,
        DENIED,
        "incorrect api key|invalid x-api-key|invalid_api_key|invalid api key|api key&invalid|api key&not valid",
    ),
    (
        KeysDisabled,
        REFUSED,
        "authenticationtypedisabled|based authentication&disabled|based authentication&not permitted|disablelocalauth\
         |local auth&disabled|localauth&disabled",
    ),
    (
        CustomSubdomainRequired,
        &[400, 401, 403, 404],
        "custom subdomain|customsubdomain|provide an authentication key",
    ),
    (
        WrongTenant,
        REFUSED,
        "tenant provided in token does not match|does not match resource tenant|invalidauthenticationtokentenant\
         |wrong issuer|issuer validation failed",
    ),
    (
        WrongAudience,
        DENIED,
        "invalidauthenticationtokenaudience|audience validation failed|invalid audience|wrong audience\
         |audience is invalid|expected audience|invalid_audience",
    ),
    (
        ClaimsChallenge,
        DENIED,
        "insufficient_claims|continuous access evaluation|tokencreatedwithoutdatedpolicies\
         |locationconditionevaluation|claims challenge",
    ),
    (
        TokenExpired,
        DENIED,
        "expiredauthenticationtoken|token is expired|token has expired|token expired|tokenexpired\
         |lifetime validation failed|token expiry utc time|jwt expired|jwt is expired",
    ),
    (
        TokenInvalid,
        &[401],
        "access token is missing|access token is invalid|invalidauthenticationtoken|authenticationfailed|invalid jwt",
    ),
    (
        QuotaExceeded,
        SPENT,
        "insufficient_quota|insufficientquota|out of call volume quota|exceeded your current quota\
         |new capacity in quota|bigger than&available capacity|billing_hard_limit_reached|quotaexceeded|quota exceeded|quota is exceeded",
    ),
    (
        RateLimited,
        THROTTLED,
        "rate_limit|ratelimit|rate limit|rate_limited|rate_limit_exceeded|rate_limit_error|ratelimitreached\
         |too_many_requests|toomanyrequests|too many requests|no_capacity|no_kv_space|high demand",
    ),
    (
        PublicAccessDisabled,
        FORBIDDEN,
        "public access is disabled|public network access|publicnetworkaccess|private endpoint|private link",
    ),
    (
        Firewall,
        FORBIDDEN,
        "virtual network|firewall|allowed fqdn list|outbound network access|cogsvc-vnet|network acl|networkacls\
         |ip address&not allowed|ip&not in&allow",
    ),
    (
        Firewall,
        DENIED,
        "networksecurityperimeter|network security perimeter",
    ),
    (
        MissingRole,
        DENIED,
        "permissiondenied|lacks the required|lacks required|does not have access to api/operation\
         |not have permission&action|does not have permission|not have authorization to perform|not authorized to perform\
         |authorizationfailed|insufficientpermissions|insufficient permission|required permission|missing permission",
    ),
    (
        EncryptedContent,
        BAD,
        "invalid_encrypted_content|encrypted content&could not be|encrypted_content&could not be|signature&thinking",
    ),
    (
        ItemNotFound,
        NOT_FOUND,
        "previous_response_not_found|previous response&not found|item with id&not found|response with id&not found\
         |items are not persisted|without its required|no tool output found|no tool call found",
    ),
    (
        ContextLength,
        BAD,
        "context_length_exceeded|context length|context window|context limit|input tokens exceed|prompt is too long\
         |input is too long|too many tokens|tokens_limit_reached|string too long&'input|string too long&'messages|model_max_prompt_tokens_exceeded\
         |prompt token count&exceed|reduce the length|maximum number of tokens|request body too large for\
         |exceed&token limit|exceed&input limit",
    ),
    (
        ContentFilter,
        BAD,
        "content_filter|responsibleaipolicyviolation|content_policy_violation|content management policy\
         |content&filtered|safety system|flagged&violat|moderation_blocked|response was filtered",
    ),
    (
        ApiVersion,
        NOT_FOUND,
        "missingapiversionparameter|invalidapiversionparameter|unsupportedapiversion|api-version&support|api-version&enabled\
         |api-version&allowed|api-version&require|api-version&invalid|invalid api-version|missing&api-version|api version&support\
         |api versions&enabled|api version&enabled|api version&recognized|api version&invalid|api-version&parameter",
    ),
    (
        UnsupportedParameter,
        BAD,
        "unsupported_parameter|unsupported_value|unknown_parameter|unsupported parameter|unsupported value\
         |unrecognized request argument|unknown parameter|not support parameters|encrypted content is not supported",
    ),
    (
        OperationNotSupported,
        NOT_FOUND,
        "operationnotsupported|unsupported_operation|deploymentmodelnotsupported|does not work with the specified model|operation is unsupported\
         |operation is not supported|api_not_supported|api is currently not supported|only supported in v1/\
         |not a chat model|in the v1/|use v1/|use /v1/|supported by the responses api|support the responses api\
         |not support&chat completion|responses api is not|not support&operation",
    ),
    (
        UnsupportedParameter,
        BAD,
        "not supported with this model|not supported by this model|not supported for this model|not supported by model\
         |extra inputs are not permitted|extra_forbidden|extra parameters&not allowed|additional properties are not allowed|supported values are\
         |tool choice requires|only supported by certain models|supports at most|unexpected keyword",
    ),
    (
        DeploymentNotFound,
        NOT_FOUND,
        "deploymentnotfound|deployment for this resource does not exist",
    ),
    // Clients add the URL, which names a deployment, or a name of theirs: ResourceNotFoundError.
    (
        WrongPath,
        &[404, 405],
        "resource not found|no route matched|unable to match incoming request|method not allowed|invalid url",
    ),
    (
        DeploymentNotFound,
        NOT_FOUND,
        "model_not_found|modelnotfound|unknown_model\
         |unknown model|invalid_deployment|not_found_error|unavailable_model|deployment&does not exist|deployment&not found\
         |deployment&not be found|the model&does not exist|model not found|no such model|model&has been deprecated",
    ),
    (
        ResourceNotFound,
        NOT_FOUND,
        "resourcenotfound|subscriptionnotfound|resourcegroupnotfound|parentresourcenotfound|projectnotfound|subdomain does not map\
         |subscription&could not be found|resource group&could not be found|under resource group|project not found\
         |project&does not exist|account&not found",
    ),
    (
        ServerError,
        FAILED,
        "server_error|internal server error|internalservererror|had an error|error occurred while processing\
         |overloaded|service unavailable|bad gateway|gateway timeout|gatewaytimeout|gateway did not receive|terminal event\
         |operation was timeout|no healthy upstream|upstream connect error|upstream request timeout",
    ),
    // Names of LiteLLM, which are wrong for some errors.
    (ContentFilter, BAD, "contentpolicyviolationerror"),
    (ContextLength, BAD, "contextwindowexceedederror"),
    // Serverless models answer a request without a token like this.
    (
        TokenInvalid,
        &[400],
        "missing authorization header|no auth header|header called authorization",
    ),
    (
        BadRequest,
        &[400],
        "invalid_request_error|user_error|badrequest|bad request|is required",
    ),
];

/// Texts of a gateway or proxy that cannot reach the resource, or does not let the request through.
const UNREACHED: &str = "tunnel connection failed|when http tunneling|proxy error|proxyerror|proxy authentication|cannot connect to proxy|err_tunnel\
     |err_proxy|zscaler|squid|blue coat|bluecoat|fortiguard|forcepoint|netskope|dial tcp|no such host|getaddrinfo\
     |cannot connect to host|econnrefused|name resolution|x509:|certificate verify";

/// Whether one of the alternatives occurs.
fn matches(answer: &Answer, texts: &str) -> bool {
    texts
        .split('|')
        .any(|text| text.split('&').all(|part| answer.says(part)))
}

/// Classifies by the response alone. Returns `TokenInvalid` for a rejected token with no known text;
/// the claims tell these cases apart.
pub(super) fn classify(
    failure: &FailedRequest,
    answer: &Answer,
    endpoint: Option<&Endpoint>,
) -> DiagnosisCode {
    let status = failure.status;
    let code = match status {
        0 => without_status(answer),
        200..=299 if answer.reports_error() => within_success(answer),
        200..=299 if answer.is_page() => GatewayPage,
        200..=299 => DiagnosisCode::Ok,
        1..=399 => Unknown,
        407 => Network,
        _ => refused(effective(status, answer), answer),
    };
    let has_claims = || {
        let challenge = failure.headers.text("www-authenticate").unwrap_or_default();
        challenge.contains("claims=") || challenge.contains("insufficient_claims")
    };
    match code {
        TokenInvalid if has_claims() => ClaimsChallenge,
        TokenInvalid | WrongAudience | ResourceNotFound if is_of_other_cloud(answer, endpoint) => WrongCloud,
        BadKey if endpoint.is_some_and(|endpoint| endpoint.kind == Kind::Gateway) => GatewayKey,
        code => code,
    }
}

/// Returns the status that counts: the one that the text names, if it says more. A gateway answers
/// 500 for the resource's 404, and a tool 400 for its 403.
fn effective(status: u16, answer: &Answer) -> u16 {
    match answer.named_status {
        Some(named) if named < 500 && (status >= 500 || (status == 400 && answer.is_code_status)) => named,
        _ => status,
    }
}

/// Finds the texts of a status; of any status with `None`.
fn known(
    status: Option<u16>,
    answer: &Answer,
) -> Option<&'static (DiagnosisCode, &'static [u16], &'static str)> {
    let by_code = KNOWN_TEXTS
        .iter()
        .find(|(_, _, texts)| texts.split('|').any(|text| answer.has_code(text)));
    // A general code, such as server_error, says less than the message.
    let is_special = |found: &&(DiagnosisCode, _, _)| {
        !matches!(found.0, ServerError | BadRequest | TokenInvalid | MissingRole)
    };
    let fits = |statuses: &[u16]| status.is_none_or(|status| statuses.contains(&status));
    let by_text = || {
        KNOWN_TEXTS
            .iter()
            .find(|(_, statuses, texts)| fits(statuses) && matches(answer, texts))
            // A page repeats the name of its status.
            .filter(|found| found.0 != BadRequest || !answer.is_page())
    };
    by_code.filter(is_special).or_else(by_text).or(by_code)
}

/// Classifies a response of 400 or more.
fn refused(status: u16, answer: &Answer) -> DiagnosisCode {
    match status {
        // Whatever the text.
        429 => {
            return known(Some(429), answer).map_or(RateLimited, |(code, ..)| match code {
                QuotaExceeded => QuotaExceeded,
                _ => RateLimited,
            });
        }
        500.. if matches(answer, UNREACHED) => return Network,
        500.. => return ServerError,
        _ => {}
    }
    if answer.is_page() && matches(answer, UNREACHED) {
        return Network;
    }
    if let Some((code, ..)) = known(Some(status), answer) {
        return *code;
    }
    match status {
        401 => TokenInvalid,
        404 | 405 | 410 => WrongPath,
        408 => ServerError,
        400..=428 if answer.is_page() || answer.says("<!doctype html") => GatewayPage,
        400 if matches(answer, UNREACHED) => Network,
        400 | 409 | 411..=428 => BadRequest,
        _ => Unknown,
    }
}

/// Classifies a message without a status: of the network, or of a client that reports a response.
fn without_status(answer: &Answer) -> DiagnosisCode {
    // The words of this library.
    if answer.message.starts_with("no first byte within ") {
        return FirstByteTimeout;
    }
    if matches(answer, UNREACHED) {
        return Network;
    }
    if let Some(status) = answer.named_status {
        return refused(status, answer);
    }
    match known(None, answer) {
        Some((code, ..)) => *code,
        None if network::is_known(answer) => Network,
        None if answer.is_page() => GatewayPage,
        None => Unknown,
    }
}

/// Classifies an error that came with a status of success.
fn within_success(answer: &Answer) -> DiagnosisCode {
    match known(None, answer) {
        Some((BadRequest | WrongPath, ..)) | None if !answer.is_structured() => DiagnosisCode::Ok,
        Some((code, ..)) => *code,
        None => answer
            .named_status
            .map_or(ServerError, |status| refused(status, answer)),
    }
}

/// Hosts of the clouds outside of the public one.
const OTHER_CLOUDS: [(&str, Cloud); 6] = [
    (".azure.us", Cloud::Usgov),
    ("usgovcloudapi.net", Cloud::Usgov),
    ("login.microsoftonline.us", Cloud::Usgov),
    (".azure.cn", Cloud::China),
    ("chinacloudapi.cn", Cloud::China),
    ("partner.microsoftonline.cn", Cloud::China),
];

/// Whether the response names a host of a cloud that is not the endpoint's.
fn is_of_other_cloud(answer: &Answer, endpoint: Option<&Endpoint>) -> bool {
    OTHER_CLOUDS
        .iter()
        .any(|(host, cloud)| answer.says(host) && endpoint.is_none_or(|endpoint| endpoint.cloud != *cloud))
}

/// Returns the status for a failure in the middle of a streamed response: the status that the same
/// error has in a response of its own, or 500 if it is unknown. Reads the codes, the types and the
/// messages of the error, and nothing else of the event, which may quote a prompt.
///
/// ```
/// use copilot_keyless::diagnosis::status_of_event;
///
/// assert_eq!(status_of_event(r#"{"type":"error","error":{"code":"rate_limit_exceeded"}}"#), 429);
/// ```
pub fn status_of_event(event: &str) -> u16 {
    let answer = body::read(event, 0, "");
    if !answer.is_structured() {
        return 500;
    }
    let found = known(None, &answer).and_then(|(_, statuses, _)| statuses.first().copied());
    let forbidden = answer.has_code("forbidden").then_some(403);
    found.or(forbidden).or(answer.named_status).unwrap_or(500)
}
