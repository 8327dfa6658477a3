//! Finds the fault of a rejected token. Azure returns the same message for a token that is missing,
//! expired or for another audience, so the claims decide.

use super::request_details::Setup;
use super::{DiagnosisCode, Finding, fixed};
use crate::answer::body::Answer;
use crate::token::Millis;
use crate::token::claims::{self, Principal, TokenDescription, TokenFormat};

/// Application ids that are audiences of a resource. Likely, but undocumented.
const AUDIENCE_IDS: [(&str, &str); 2] = [
    ("18a66f5f-dbdf-4c17-9dd7-1634712a9cbe", "https://ai.azure.com"),
    (
        "7d312290-28c8-473c-a0ed-8e53749b6d6d",
        "https://cognitiveservices.azure.com",
    ),
];

/// The audiences of Azure's model endpoints, in every cloud.
const MODEL_AUDIENCES: [&str; 5] = [
    "https://ai.azure.com",
    "https://cognitiveservices.azure.com",
    "https://ai.azure.us",
    "https://cognitiveservices.azure.us",
    "https://cognitiveservices.azure.cn",
];

/// Entra dates tokens five minutes back, so a token that starts later than this comes from another
/// clock.
const CLOCK_SKEW_MS: Millis = 300_000;

/// Explains a 401 that concerns the token. The claims of the token decide; without a fault in them,
/// the `code` of the response does.
pub(super) fn explain(code: DiagnosisCode, answer: &Answer, setup: &Setup<'_>) -> Finding {
    let token = setup.failure.token();
    let claims = claims::describe(token);
    if !token.is_empty()
        && claims.format != TokenFormat::Opaque
        && let Some(fault) = fault(&claims, answer, setup)
    {
        return fault;
    }
    if let Some(said) = said(code, setup) {
        return said;
    }
    if token.is_empty() {
        return without_token(setup);
    }
    if claims.format == TokenFormat::Opaque {
        return unexplained(
            "The resource rejects the token, and the token cannot be decoded to find the reason.".to_owned(),
            vec![
                "Check that the credential returns an Entra access token, not a key, an id token or a refresh token."
                    .to_owned(),
                scope_fix(setup),
            ],
        );
    }
    let mut times = Vec::new();
    if let (Some(now), Some(expires)) = (setup.failure.now, claims.expires_on) {
        times.push(format!(
            "is valid for another {}",
            span(expires.saturating_sub(now))
        ));
    }
    if let Some(audience) = &claims.audience {
        times.push(format!("is for {audience}"));
    }
    let known = if times.is_empty() {
        String::new()
    } else {
        format!(" It {}.", times.join(" and "))
    };
    let tenant = claims
        .tenant_id
        .as_deref()
        .map(|tenant| format!(" ({})", plain(tenant)))
        .unwrap_or_default();
    unexplained(
        format!("The resource rejects the token, although its times and its audience are correct.{known}"),
        vec![
            "Get a new token: this one may have been revoked. copilot-keyless asks for one, once; a managed identity may get the same \
             token until it expires, at most 24 h."
                .to_owned(),
            format!("Check that the token's tenant{tenant} is the tenant of the resource's subscription."),
            sign_in_again(&claims),
        ],
    )
}

/// Explains a code that the response itself names.
fn said(code: DiagnosisCode, setup: &Setup<'_>) -> Option<Finding> {
    let (cause, fixes) = match code {
        DiagnosisCode::TokenExpired => ("The resource says that the token has expired.".to_owned(), expired_fixes()),
        DiagnosisCode::WrongAudience => (
            "The resource says that the token is for another audience.".to_owned(),
            vec![scope_fix(setup), SEE_TOKEN.to_owned()],
        ),
        DiagnosisCode::WrongCloud => (
            "The resource is in another Azure cloud (Azure Government, Azure China) than the token or the request.".to_owned(),
            vec![
                match setup.foreign_authority() {
                    Some(authority) => sign_in_at(authority),
                    None => "Sign in to the resource's cloud, and set AZURE_AUTHORITY_HOST to its sign-in host.".to_owned(),
                },
                SEE_TOKEN.to_owned(),
            ],
        ),
        DiagnosisCode::ClaimsChallenge => fixed("The resource demands a new token with the claims of its WWW-Authenticate header: a policy, a location or the account \
             has changed since the token was issued (continuous access evaluation).", &["Answer the challenge: pass createClaimsChallengeHandler(foundry) to the Copilot client as requestHandler, and set \
                 tokens: { enableCae: true }. The credential must support claims.",
                "Otherwise sign in again, from a location that the tenant's policies allow:\naz login"]),
        _ => return None,
    };
    let fixes = fixes.into_iter().filter(|fix: &String| !fix.is_empty()).collect();
    Some(Finding { code, cause, fixes })
}

const SEE_TOKEN: &str = "See the token's principal, audience and expiry:\ncopilot-keyless token";

fn sign_in_at(authority: &str) -> String {
    format!("Sign in to the resource's cloud:\nexport AZURE_AUTHORITY_HOST={authority}")
}

fn without_token(setup: &Setup<'_>) -> Finding {
    if let Some(endpoint) = setup.endpoint
        && endpoint.scope.is_none()
    {
        return unexplained(
            format!(
                "{} requires a token, and none is sent: no scope is known for this host.",
                setup.host()
            ),
            vec![
                "To send one, set the scope: the application id of the host's operator (in code: scope):\nexport \
                 FOUNDRY_TOKEN_SCOPE=api://<application-id>/.default"
                    .to_owned(),
            ],
        );
    }
    unexplained(
        "The resource rejects the token: it is missing, has expired, or is for another audience. Only the token itself can tell \
         which."
            .to_owned(),
        vec![SEE_TOKEN.to_owned()],
    )
}

/// Finds the fault of a token by its claims: its times, or its audience.
pub(super) fn fault(claims: &TokenDescription, answer: &Answer, setup: &Setup<'_>) -> Option<Finding> {
    if let (Some(now), Some(expires)) = (setup.failure.now, claims.expires_on)
        && expires <= now
    {
        return Some(expired(now.saturating_sub(expires)));
    }
    if let (Some(now), Some(begins)) = (setup.failure.now, claims.not_before)
        && begins > now.saturating_add(CLOCK_SKEW_MS)
    {
        return Some(unexplained(
            format!(
                "By this machine's clock the token becomes valid in {}.",
                span(begins.saturating_sub(now))
            ),
            vec!["Set this machine's clock: it is behind, or the issuer's clock is ahead.".to_owned()],
        ));
    }
    let audience = claims.audience.as_deref()?;
    let named = named_audience(answer);
    let own = own_audiences(setup);
    let expected = match named.and_then(|named| own.iter().find(|own| *own == named)) {
        Some(named) => std::slice::from_ref(named),
        None => &own,
    };
    if let Some(first) = expected.first()
        && !expected.iter().any(|expected| same_audience(expected, audience))
    {
        return Some(wrong_audience(audience, first, setup));
    }
    let another = named.filter(|named| {
        !own.iter().any(|own| own == named) && !same_audience(named, audience) && setup.may_name_audience()
    });
    another.map(|named| another_audience(audience, named))
}

fn unexplained(cause: String, fixes: Vec<String>) -> Finding {
    Finding {
        code: DiagnosisCode::TokenInvalid,
        cause,
        fixes: fixes.into_iter().filter(|fix| !fix.is_empty()).collect(),
    }
}

fn expired(since: Millis) -> Finding {
    let ago = if since < 1_000 {
        "just now".to_owned()
    } else {
        format!("{} ago", span(since))
    };
    Finding {
        code: DiagnosisCode::TokenExpired,
        cause: format!("By its exp claim and this machine's clock, the token expired {ago}."),
        fixes: expired_fixes(),
    }
}

fn expired_fixes() -> Vec<String> {
    vec![
        "Get a new token for every request: pass createFoundryProvider().config, which refreshes it, instead of a bearerToken \
         that is set once. rotate(session) gives a session that has one a new token."
            .to_owned(),
        "If the token is new, check this machine's clock.".to_owned(),
    ]
}

fn wrong_audience(audience: &str, expected: &str, setup: &Setup<'_>) -> Finding {
    let scope = format!(
        "Request a token for the right scope (in code: scope: \"{expected}/.default\"), or leave the scope out for an Azure \
         host:\nexport FOUNDRY_TOKEN_SCOPE={expected}/.default"
    );
    let mut fixes = vec![scope];
    fixes.extend(setup.foreign_authority().map(sign_in_at));
    Finding {
        code: code_of(audience, expected),
        cause: format!(
            "The token is for {}; the resource expects {expected}.",
            plain(audience)
        ),
        fixes,
    }
}

/// Returns the code for an audience in place of another one: `WrongCloud` if they are those of
/// different clouds.
fn code_of(audience: &str, expected: &str) -> DiagnosisCode {
    let cloud = |audience: &str| {
        let host = audience.trim_end_matches('/');
        [".azure.com", ".azure.us", ".azure.cn"]
            .into_iter()
            .find(|domain| host.ends_with(domain))
    };
    match (cloud(audience), cloud(expected)) {
        (Some(one), Some(other)) if one != other => DiagnosisCode::WrongCloud,
        _ => DiagnosisCode::WrongAudience,
    }
}

fn scope_fix(setup: &Setup<'_>) -> String {
    setup
        .endpoint
        .and_then(|endpoint| endpoint.scope.as_deref())
        .map(|scope| format!("Request a token for the scope {scope}."))
        .unwrap_or_default()
}

fn sign_in_again(claims: &TokenDescription) -> String {
    match claims.principal {
        Principal::User => {
            "If the account was signed out, or its password changed, sign in again:\naz login".to_owned()
        }
        _ => String::new(),
    }
}

/// Reports an audience that only the response names. No command requests a token for it, because
/// the server that named it would receive that token.
fn another_audience(audience: &str, named: &str) -> Finding {
    Finding {
        code: code_of(audience, named),
        cause: format!("The token is for {}; the response names {named}.", plain(audience)),
        fixes: vec![
            "Ask the host's operator for its scope, and set that (in code: scope):\nexport FOUNDRY_TOKEN_SCOPE=<scope>"
                .to_owned(),
        ],
    }
}

/// Returns the audience in brackets of Azure's message. Accepts only those of models, because the
/// server is not trusted.
fn named_audience(answer: &Answer) -> Option<&'static str> {
    let named = answer
        .between("audience is incorrect (", ")")?
        .trim_end_matches('/');
    MODEL_AUDIENCES.into_iter().find(|audience| *audience == named)
}

/// Returns the audiences of the endpoint's scopes.
fn own_audiences(setup: &Setup<'_>) -> Vec<String> {
    setup
        .endpoint
        .iter()
        .flat_map(|endpoint| endpoint.scope.iter().chain(&endpoint.alternate_scopes))
        .map(|scope| scope.trim_end_matches("/.default").to_owned())
        .collect()
}

/// Whether the text is fit for a message.
fn is_audience(text: &str) -> bool {
    (4..=200).contains(&text.len()) && crate::text::is_made_of(text, b":/.-_")
}

fn same_audience(expected: &str, audience: &str) -> bool {
    let resource = |given: &str| {
        let given = given.trim_end_matches('/').to_ascii_lowercase();
        match AUDIENCE_IDS.iter().find(|(id, _)| *id == given) {
            Some((_, resource)) => (*resource).to_owned(),
            None => given,
        }
    };
    resource(expected) == resource(audience)
}

/// Returns a claim in a form that is fit for a message.
fn plain(claim: &str) -> &str {
    if is_audience(claim) {
        claim
    } else {
        "an audience that is not a name"
    }
}

/// Formats a duration in its largest whole unit.
pub(super) fn span(ms: Millis) -> String {
    let seconds = ms / 1_000;
    let (count, unit) = match seconds {
        172_800.. => (seconds / 86_400, "days"),
        7_200..172_800 => (seconds / 3_600, "h"),
        120..7_200 => (seconds / 60, "min"),
        _ => (seconds, "s"),
    };
    format!("{count} {unit}")
}
