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

/// Reads the JSON of a token endpoint (Entra v1 and v2, IMDS, App Service 2017 and 2019), of `az
/// account get-access-token`, of `azd auth token`, of `Get-AzAccessToken | ConvertTo-Json`, an
/// `AccessToken`, or a result of ADAL. Text around the object, such as warnings of a command-line
/// tool, is ignored.
///
/// `requested_at` is the start of the request, in epoch milliseconds; for `zone` see
/// [`parse_instant`](super::parse_instant). Of several expiries that can be read, the earliest that
/// is plausible wins: later than the request, by at most [`MAX_LIFETIME_MS`](super::MAX_LIFETIME_MS).
/// `ext_expires_in` never counts. The token's own `exp` counts only if the response has no expiry.
///
/// Errors: `expiry/...`, and `token/malformed` for a token with characters that no header can carry.
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
    let fields = Members::from_slice(json, is_field)
        .or_else(|error| token_object(json).ok_or(error))
        .map_err(|error| {
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

/// The fields that may contain the token, in order of precedence. PowerShell and .NET write the
/// first letter as a capital.
const TOKEN: [&str; 5] = ["access_token", "accessToken", "token", "Token", "AccessToken"];

/// The fields with a point in time. A later one is read only if no earlier one can be read: az
/// prints the same time twice, and only the number is independent of the time zone.
const EXPIRES_ON: [&str; 3] = ["expires_on", "expiresOn", "ExpiresOn"];

const EXPIRES_IN: [&str; 3] = ["expires_in", "expiresIn", "ExpiresIn"];

const TIMESTAMP: &str = "expiresOnTimestamp";

/// Whether the field is read.
fn is_field(name: &str) -> bool {
    TOKEN.contains(&name)
        || EXPIRES_ON.contains(&name)
        || EXPIRES_IN.contains(&name)
        || [TIMESTAMP, "refresh_on", "refresh_in", "refreshAfterTimestamp"].contains(&name)
}

/// The most braces at which to look for an object. Warnings contain none, or a few.
const MAX_BRACES: usize = 32;

/// Returns the first object in a text that has a token and an expiry, such as the one that
/// PowerShell prints after its warnings. A web page or a list is no output of such a tool.
fn token_object(text: &[u8]) -> Option<Members> {
    if text.trim_ascii_start().starts_with(b"<") || text.trim_ascii_start().starts_with(b"[") {
        return None;
    }
    let starts = text.iter().enumerate().filter(|(_, byte)| **byte == b'{');
    starts.take(MAX_BRACES).find_map(|(at, _)| {
        let members = Members::from_start(text.get(at..)?, is_field).ok()?;
        let has = |names: &[&str]| names.iter().any(|name| members.get(name).is_some());
        (has(&TOKEN) && (has(&EXPIRES_ON) || has(&EXPIRES_IN))).then_some(members)
    })
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
    let token = token(fields)?;
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

/// Returns the token, which a header must be able to carry. A scheme in front and spaces around it
/// do no harm: callers remove them.
fn token(fields: &Members) -> Result<&str> {
    let token = TOKEN
        .iter()
        .filter_map(|name| fields.get(name)?.as_text())
        .find(|token| !token.trim_ascii().is_empty());
    let Some(token) = token else {
        let hint = if fields.get("Token") == Some(&Value::Other) {
            "The token is a SecureString of PowerShell: convert it, such as by ConvertFrom-SecureString -AsPlainText."
        } else {
            "Expected a non-empty access_token, accessToken or token."
        };
        return Err(Error::new(Code::ExpiryNoToken, "the token response carries no token").hint(hint));
    };
    bare_token(token).map(|_| token)
}

/// Returns a token without `Bearer ` and the spaces around it, as an `Authorization` header carries it.
///
/// Errors: `token/malformed` for characters that no header can carry, `token/empty`.
///
/// ```
/// use copilot_keyless::token::bare_token;
///
/// assert_eq!(bare_token("Bearer eyJhbGciOi ")?, "eyJhbGciOi");
/// assert!(bare_token("two words").is_err());
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn bare_token(token: &str) -> Result<&str> {
    let bare = token.trim_matches(' ');
    let bare = match bare.split_at_checked("bearer ".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer ") => rest.trim_start_matches(' '),
        _ => bare,
    };
    if bare.is_empty() {
        return Err(
            Error::new(Code::TokenEmpty, "the credential returned an empty token")
                .hint("Check the credential: a request with an empty token carries no token at all."),
        );
    }
    if bare.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(bare);
    }
    Err(Error::new(
        Code::TokenMalformed,
        "the token contains characters that no HTTP header can carry",
    )
    .hint("Look for a line break or a control character, and for what rewrites the response in between."))
}

/// Returns the earliest plausible expiry of the response, or `None` if it has none. One that cannot
/// be read is an error only if no other can.
fn expires(fields: &Members, requested_at: Millis, zone: Zone<'_>) -> Result<Option<Millis>> {
    let mut found = Vec::new();
    let mut unreadable = None;
    let mut note = |time: Result<Option<Millis>>| -> bool {
        match time {
            Ok(time) => {
                found.extend(time);
                time.is_some()
            }
            Err(error) => {
                unreadable.get_or_insert(error);
                false
            }
        }
    };
    let _ = EXPIRES_ON.iter().any(|name| note(instant(fields, name, zone)));
    note(instant(fields, TIMESTAMP, zone));
    for name in EXPIRES_IN {
        let length = duration(fields, name);
        note(length.map(|length| Some(requested_at.saturating_add(length?))));
    }
    let latest = requested_at.saturating_add(MAX_LIFETIME_MS);
    let plausible = found
        .iter()
        .copied()
        .filter(|&time| requested_at < time && time <= latest)
        .min();
    if let Some(earliest) = plausible.or_else(|| found.into_iter().min()) {
        return Ok(Some(earliest));
    }
    if let Some(error) = unreadable {
        return Err(error);
    }
    let null = EXPIRES_ON
        .iter()
        .chain(&EXPIRES_IN)
        .chain([&TIMESTAMP])
        .any(|name| fields.get(name) == Some(&Value::Null));
    if null {
        return Err(
            Error::new(Code::ExpiryMissing, "the token response gives null as the expiry").hint(
                "az does so for some managed identities; use the managed identity itself, or a newer az.",
            ),
        );
    }
    Ok(None)
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
        Some(Value::Text(text)) => match number(text) {
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
        Some(Value::Text(text)) => number(text),
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
        .hint("Expected a positive number, such as 3599.")),
    }
}

/// Converts a text of digits, with a fraction or without, to a number. White space around it does
/// not count. Exact up to 2^53. The float parser of std would add 10 KB of tables to the WebAssembly
/// module.
fn number(text: &str) -> Option<f64> {
    let text = text.trim_ascii();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| -> bool { !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) };
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = whole
        .bytes()
        .fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0'));
    // A millisecond is the smallest unit.
    let millis = fraction
        .bytes()
        .chain(*b"000")
        .take(3)
        .fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0'));
    Some(whole + millis / 1_000.0)
}
