//! Describes a token by its claims. For diagnosis only: access tokens are opaque to clients, so no
//! claim decides whether a token is sent.

use serde::Serialize;

use super::lifetime::Millis;
use crate::text::base64;
use crate::text::json::{Members, Value};

/// The longest token to decode.
const MAX_TOKEN_BYTES: usize = 262_144;

/// The kind of principal of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Principal {
    /// A managed identity (`xms_mirid`).
    ManagedIdentity,
    /// An application (`idtyp` is `app`).
    App,
    /// A person (`idtyp` is `user`, or delegated permissions in `scp`).
    User,
    /// The claims do not say.
    Unknown,
}

/// The format of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// A JSON Web Token.
    Jwt,
    /// Any other format.
    Opaque,
}

/// The claims of a token; times are epoch milliseconds. An opaque token has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TokenDescription {
    /// The token's format.
    pub format: TokenFormat,
    /// The kind of principal.
    pub principal: Principal,
    /// The audience (`aud`): a URI or a GUID, without the trailing slash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The issuer (`iss`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The tenant (`tid`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The object id of the principal, which needs the role (`oid`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    /// The application that requested the token (`appid` or `azp`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// The name of that application, if it is a well-known one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_name: Option<&'static str>,
    /// The person's sign-in name (`upn`, `unique_name` or `preferred_username`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The resource id of the managed identity or of its host (`xms_mirid`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_identity: Option<String>,
    /// Delegated permissions (`scp`). Only user tokens have them.
    pub scopes: Vec<String>,
    /// Application permissions (`roles`). They are not Azure role assignments.
    pub roles: Vec<String>,
    /// The time of issue (`iat`). Entra sets it about five minutes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Millis>,
    /// The start of validity (`nbf`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Millis>,
    /// The expiry (`exp`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Millis>,
    /// Whether the client supports continuous access evaluation (`xms_cc` contains `cp1`).
    pub continuous_access: bool,
}

/// Describes a token. Never fails: a token that it cannot decode is `opaque`.
///
/// ```
/// use copilot_keyless::token::claims::{Principal, TokenFormat, describe};
///
/// // {"alg":"none"} . {"aud":"https://ai.azure.com/","idtyp":"app","exp":1800000000} .
/// let token = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJodHRwczovL2FpLmF6dXJlLmNvbS8iLCJpZHR5cCI6ImFwcCIsImV4cCI6MTgwMDAwMDAwMH0.";
/// let description = describe(token);
/// assert_eq!(description.audience.as_deref(), Some("https://ai.azure.com"));
/// assert_eq!(description.principal, Principal::App);
/// assert_eq!(description.expires_on, Some(1_800_000_000_000));
/// assert_eq!(describe("no-jwt").format, TokenFormat::Opaque);
/// ```
pub fn describe(token: &str) -> TokenDescription {
    let decoded = payload(token);
    let format = if decoded.is_some() {
        TokenFormat::Jwt
    } else {
        TokenFormat::Opaque
    };
    let claims = decoded.unwrap_or_default();
    let app_id = text(&claims, &["appid", "azp"]);
    let scopes = words(&claims, "scp");
    let managed_identity = text(&claims, &["xms_mirid"]);
    TokenDescription {
        format,
        principal: match claims.get("idtyp").and_then(Value::as_text) {
            _ if managed_identity.is_some() => Principal::ManagedIdentity,
            Some("app") => Principal::App,
            Some("user") => Principal::User,
            _ if !scopes.is_empty() => Principal::User,
            _ => Principal::Unknown,
        },
        audience: audience(&claims),
        issuer: text(&claims, &["iss"]),
        tenant_id: text(&claims, &["tid"]),
        object_id: text(&claims, &["oid"]),
        app_name: app_id.as_deref().and_then(well_known_app),
        app_id,
        user_name: text(&claims, &["upn", "unique_name", "preferred_username"]),
        managed_identity,
        scopes,
        roles: words(&claims, "roles"),
        issued_at: time(&claims, "iat"),
        not_before: time(&claims, "nbf"),
        expires_on: time(&claims, "exp"),
        continuous_access: words(&claims, "xms_cc")
            .iter()
            .any(|capability| capability == "cp1"),
    }
}

/// Returns the expiry of a JWT.
pub(crate) fn expiry(token: &str) -> Option<Millis> {
    time(&payload(token)?, "exp")
}

/// Returns the claims of a signed JWT. An encrypted JWT has five parts and stays opaque.
fn payload(token: &str) -> Option<Members> {
    let token = token.trim_ascii();
    let token = match token.split_at_checked(7) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer ") => rest,
        _ => token,
    };
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Members::from_slice(&base64::decode(payload)?, |_| true).ok()
}

fn text(claims: &Members, names: &[&str]) -> Option<String> {
    names
        .iter()
        .find_map(|name| claims.get(name)?.as_text())
        .map(str::to_owned)
}

fn audience(claims: &Members) -> Option<String> {
    let audience = match claims.get("aud")? {
        Value::List(several) => several.first()?.as_text()?,
        one => one.as_text()?,
    };
    Some(audience.trim_end_matches('/').to_owned())
}

/// Returns a claim that is a list, or a text of words.
fn words(claims: &Members, name: &str) -> Vec<String> {
    match claims.get(name) {
        Some(Value::List(list)) => list
            .iter()
            .filter_map(Value::as_text)
            .map(str::to_owned)
            .collect(),
        Some(Value::Text(text)) => text.split_ascii_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Converts a claim in seconds since 1970 to milliseconds.
fn time(claims: &Members, name: &str) -> Option<Millis> {
    let seconds = claims.get(name)?.as_number()?;
    (seconds > 0.0 && seconds < 1e12).then_some((seconds * 1_000.0) as Millis)
}

fn well_known_app(id: &str) -> Option<&'static str> {
    match id {
        "04b07795-8ddb-461a-bbee-02f9e1bf7b46" => Some("Azure CLI"),
        "1950a258-227b-4e31-a9cf-717495945fc2" => Some("Azure PowerShell"),
        _ => None,
    }
}
