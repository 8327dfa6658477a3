//! Reads the responses of token endpoints and the output of command-line tools.

use super::claims;
use super::date::{Zone, instant_of};
use super::lifetime::{Lifetime, MAX_LIFETIME_MS, Millis, epoch, unreadable};
use crate::text::json::{Members, Value};
use crate::{Code, Error, Result, Secret};

/// The longest response to read. Real ones are far shorter.
const MAX_RESPONSE_BYTES: usize = 1_048_576;

/// A token and its lifetime.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenResponse {
    /// The token, unchanged.
    pub token: Secret,
    /// When the token was requested, when it expires, and when the issuer advises to refresh it.
    pub lifetime: Lifetime,
}

/// Reads the JSON of a token endpoint (Entra v2, IMDS, App Service 2017 and 2019), of `az account
/// get-access-token`, of `azd auth token`, or an `AccessToken`.
///
/// `requested_at` is the start of the request, in epoch milliseconds; for `zone` see
/// [`parse_instant`](super::parse_instant). The earliest of several expiries wins; `ext_expires_in`
/// never counts. The token's own `exp` counts only if the response has no expiry.
///
/// ```
/// use copilot_keyless::token::parse_token_response;
///
/// let json = br#"{"access_token":"opaque","expires_on":"1586984735"}"#;
/// let response = parse_token_response(json, 1_586_981_135_000, |_| None).unwrap();
/// assert_eq!(response.lifetime.expires(), 1_586_984_735_000);
/// ```
pub fn parse_token_response(
    json: &[u8],
    requested_at: Millis,
    zone: impl Fn(Millis) -> Option<i32>,
) -> Result<TokenResponse> {
    if json.len() > MAX_RESPONSE_BYTES {
        return Err(Error::new(
            Code::ExpiryTooLarge,
            format!(
                "the token response is {} bytes long; no real one comes near 1 MiB",
                json.len()
            ),
        ));
    }
    let fields = Members::from_slice(json, is_field).map_err(|error| {
        // The text of a serde_json error may quote the input, so keep only the position.
        Error::new(
            Code::ExpiryNotJson,
            format!(
                "the token response is no JSON object (line {}, column {})",
                error.line(),
                error.column()
            ),
        )
        .hint("Expected the JSON of a token endpoint or of `az account get-access-token`.")
    })?;
    read(&fields, requested_at, &zone)
}

/// The value of a field of a token response.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// A null value. It differs from a missing field.
    Null,
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Any other type. No field of a token response has it.
    Other,
}

/// Reads the fields of a token response that is already parsed, by the rules of
/// [`parse_token_response`].
///
/// ```
/// use copilot_keyless::token::{FieldValue, parse_token_fields};
///
/// let fields = [
///     ("token".to_owned(), FieldValue::Text("opaque".to_owned())),
///     ("expiresOnTimestamp".to_owned(), FieldValue::Number(1_586_984_735_000.0)),
/// ];
/// let response = parse_token_fields(fields, 1_586_981_135_000, |_| None).unwrap();
/// assert_eq!(response.lifetime.length(), 3_600_000);
/// ```
pub fn parse_token_fields(
    fields: impl IntoIterator<Item = (String, FieldValue)>,
    requested_at: Millis,
    zone: impl Fn(Millis) -> Option<i32>,
) -> Result<TokenResponse> {
    let fields = fields
        .into_iter()
        .filter(|(name, _)| is_field(name))
        .map(|(name, value)| {
            let value = match value {
                FieldValue::Null => Value::Null,
                FieldValue::Number(number) => Value::Number(number),
                FieldValue::Text(text) => Value::Text(text),
                FieldValue::Other => Value::Other,
            };
            (name, value)
        })
        .collect();
    read(&fields, requested_at, &zone)
}

/// The fields that may contain the token, in order of precedence.
const TOKEN: [&str; 3] = ["access_token", "accessToken", "token"];

/// Whether the field is read.
fn is_field(name: &str) -> bool {
    TOKEN.contains(&name)
        || [
            "expires_on",
            "expiresOn",
            "expiresOnTimestamp",
            "expires_in",
            "refresh_on",
            "refresh_in",
            "refreshAfterTimestamp",
        ]
        .contains(&name)
}

/// Reads the token and its lifetime.
fn read(fields: &Members, requested_at: Millis, zone: Zone<'_>) -> Result<TokenResponse> {
    if let Some(name) = fields.duplicate() {
        return Err(Error::new(
            Code::ExpiryDuplicateField,
            format!("the token response names {name} twice"),
        )
        .hint("Nobody can tell which one counts; look for what rewrites the response in between."));
    }
    let expires = expires(fields, requested_at, zone)?;
    let refresh_after = refresh_after(fields, requested_at, zone);
    let token = TOKEN
        .iter()
        .filter_map(|name| fields.get(name)?.as_text())
        .find(|token| !token.trim_ascii().is_empty())
        .ok_or_else(|| {
            Error::new(Code::ExpiryNoToken, "the token response carries no token")
                .hint("Expected a non-empty access_token, accessToken or token.")
        })?;
    let expires = expires.or_else(|| claims::expiry(token)).ok_or_else(|| {
        Error::new(Code::ExpiryMissing, "nothing tells when the token expires")
            .hint("Expected expires_on, expires_in, expiresOn, or a JWT with an exp claim.")
    })?;
    let lifetime = Lifetime::new(requested_at, expires, refresh_after, MAX_LIFETIME_MS)?;
    Ok(TokenResponse {
        token: token.into(),
        lifetime,
    })
}

/// Returns the earliest expiry of the response, or `None` if it has none.
fn expires(fields: &Members, requested_at: Millis, zone: Zone<'_>) -> Result<Option<Millis>> {
    let on = instant(fields, "expires_on", zone)?;
    let timestamp = instant(fields, "expiresOnTimestamp", zone)?;
    let within = duration(fields, "expires_in")?.map(|length| requested_at.saturating_add(length));
    // az prints the same time twice, and only the number is independent of the time zone.
    let date = if on.is_some() {
        None
    } else {
        instant(fields, "expiresOn", zone)?
    };
    let earliest = [on, timestamp, within, date].into_iter().flatten().min();
    let null = ["expires_on", "expiresOn", "expiresOnTimestamp", "expires_in"]
        .iter()
        .any(|name| fields.get(name) == Some(&Value::Null));
    if earliest.is_none() && null {
        return Err(
            Error::new(Code::ExpiryMissing, "the token response gives null as the expiry").hint(
                "az does so for some managed identities; use the managed identity itself, or a newer az.",
            ),
        );
    }
    Ok(earliest)
}

/// Returns the refresh time that the issuer advises. Ignores unreadable advice.
fn refresh_after(fields: &Members, requested_at: Millis, zone: Zone<'_>) -> Option<Millis> {
    let on = instant(fields, "refresh_on", zone).ok().flatten();
    let timestamp = instant(fields, "refreshAfterTimestamp", zone).ok().flatten();
    let within = duration(fields, "refresh_in").ok().flatten();
    let within = within.map(|length| requested_at.saturating_add(length));
    [on, timestamp, within].into_iter().flatten().min()
}

/// Reads a point in time: a number, a text of digits, or a date.
fn instant(fields: &Members, name: &str, zone: Zone<'_>) -> Result<Option<Millis>> {
    let time = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => epoch(*number),
        Some(Value::Text(text)) => match whole_number(text) {
            Some(number) => epoch(number),
            None => return instant_of(text, zone).map(Some),
        },
        Some(Value::List(_) | Value::Other) => None,
    };
    time.map(Some).ok_or_else(|| unreadable(name))
}

/// Reads a duration in seconds: a number or a text of digits.
fn duration(fields: &Members, name: &str) -> Result<Option<Millis>> {
    let seconds = match fields.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => Some(*number),
        Some(Value::Text(text)) => whole_number(text),
        Some(Value::List(_) | Value::Other) => None,
    };
    match seconds {
        Some(seconds) if seconds.is_finite() && seconds > 0.0 => {
            Ok(Some((seconds.min(9e12) * 1_000.0) as Millis))
        }
        _ => Err(Error::new(
            Code::ExpiryUnreadable,
            format!("{name} holds no number of seconds"),
        )
        .hint("Expected a positive whole number, such as 3599.")),
    }
}

/// Converts a text of digits to a number, exact up to 2^53. The float parser of std would add 10 KB
/// of tables to the WebAssembly module.
fn whole_number(text: &str) -> Option<f64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| {
        text.bytes()
            .fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0'))
    })
}
