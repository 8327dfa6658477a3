//! The answers of token endpoints and command-line tools: which field holds the token, which ones the expiry.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Lifetime, MAX_LIFETIME_MS, Millis, epoch, parse_instant, unreadable};
use crate::{Code, Error, Result, claims};

/// No real token response comes near this size.
const MAX_RESPONSE_BYTES: usize = 1_048_576;

/// A token and its lifetime. `Debug` hides the token.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenResponse {
    /// The token, as the endpoint gave it.
    pub token: String,
    /// When it was requested, when it expires, when its issuer would refresh it.
    pub lifetime: Lifetime,
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("token", &"[redacted]")
            .field("lifetime", &self.lifetime)
            .finish()
    }
}

/// Reads the JSON of a token endpoint (Entra v2, IMDS, App Service 2017 and 2019), of `az account get-access-token`, of
/// `azd auth token`, or an `AccessToken`.
///
/// `requested_at` is when the request was started, in epoch milliseconds; `zone` as in [`parse_instant`]. The earliest of
/// several expiries wins; `ext_expires_in` is never one. The token's own `exp` counts only where nothing else is given.
///
/// ```
/// use copilot_keyless::expiry::parse_token_response;
///
/// let json = br#"{"access_token":"opaque","expires_on":"1586984735"}"#;
/// let response = parse_token_response(json, 1_586_981_135_000, |_| None).unwrap();
/// assert_eq!(response.lifetime.expires, 1_586_984_735_000);
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
    let fields: Fields = serde_json::from_slice(json).map_err(|error| {
        // serde_json's own text may quote what it read, so only the position is kept.
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
    fields.read(requested_at, zone)
}

/// One field's value, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq)]
enum Value {
    #[default]
    Absent,
    Null,
    Number(f64),
    Text(String),
    Other,
}

/// The fields of a token response that mean something.
#[derive(Default)]
pub(crate) struct Fields {
    token: [Value; 3],
    expires_on: Value,
    expires_on_date: Value,
    expires_on_timestamp: Value,
    expires_in: Value,
    refresh_on: Value,
    refresh_in: Value,
    refresh_after_timestamp: Value,
    duplicate: Option<&'static str>,
}

impl Fields {
    fn slot(&mut self, name: &str) -> Option<(&'static str, &mut Value)> {
        let [snake, camel, short] = &mut self.token;
        Some(match name {
            "access_token" => ("access_token", snake),
            "accessToken" => ("accessToken", camel),
            "token" => ("token", short),
            "expires_on" => ("expires_on", &mut self.expires_on),
            "expiresOn" => ("expiresOn", &mut self.expires_on_date),
            "expiresOnTimestamp" => ("expiresOnTimestamp", &mut self.expires_on_timestamp),
            "expires_in" => ("expires_in", &mut self.expires_in),
            "refresh_on" => ("refresh_on", &mut self.refresh_on),
            "refresh_in" => ("refresh_in", &mut self.refresh_in),
            "refreshAfterTimestamp" => ("refreshAfterTimestamp", &mut self.refresh_after_timestamp),
            _ => return None,
        })
    }

    /// The token and its lifetime.
    pub(crate) fn read(
        self,
        requested_at: Millis,
        zone: impl Fn(Millis) -> Option<i32>,
    ) -> Result<TokenResponse> {
        if let Some(name) = self.duplicate {
            return Err(Error::new(
                Code::ExpiryDuplicateField,
                format!("the token response names {name} twice"),
            )
            .hint("Nobody can tell which one counts; look for what rewrites the response in between."));
        }
        let expires = self.expires(requested_at, &zone)?;
        let refresh_after = self.refresh_after(requested_at, &zone);
        let token = self
            .token
            .into_iter()
            .find_map(|value| match value {
                Value::Text(token) if !token.trim_ascii().is_empty() => Some(token),
                _ => None,
            })
            .ok_or_else(|| {
                Error::new(Code::ExpiryNoToken, "the token response carries no token")
                    .hint("Expected a non-empty access_token, accessToken or token.")
            })?;
        let expires = expires.or_else(|| claims::expiry(&token)).ok_or_else(|| {
            Error::new(Code::ExpiryMissing, "nothing tells when the token expires")
                .hint("Expected expires_on, expires_in, expiresOn, or a JWT with an exp claim.")
        })?;
        let lifetime = Lifetime::new(requested_at, expires, refresh_after, MAX_LIFETIME_MS)?;
        Ok(TokenResponse { token, lifetime })
    }

    /// The earliest expiry that the response names; `None` when it names none at all.
    fn expires(&self, requested_at: Millis, zone: &impl Fn(Millis) -> Option<i32>) -> Result<Option<Millis>> {
        let on = instant(&self.expires_on, "expires_on", zone)?;
        let timestamp = instant(&self.expires_on_timestamp, "expiresOnTimestamp", zone)?;
        let within =
            duration(&self.expires_in, "expires_in")?.map(|length| requested_at.saturating_add(length));
        // az prints the same time twice, and only the number is free of time zones.
        let date = if on.is_some() {
            None
        } else {
            instant(&self.expires_on_date, "expiresOn", zone)?
        };
        let earliest = [on, timestamp, within, date].into_iter().flatten().min();
        let null = [
            &self.expires_on,
            &self.expires_on_date,
            &self.expires_on_timestamp,
            &self.expires_in,
        ]
        .into_iter()
        .any(|value| *value == Value::Null);
        if earliest.is_none() && null {
            return Err(
                Error::new(Code::ExpiryMissing, "the token response gives null as the expiry").hint(
                    "az does so for some managed identities; use the managed identity itself, or a newer az.",
                ),
            );
        }
        Ok(earliest)
    }

    /// The refresh time that the issuer advises. Advice that cannot be read is no reason to refuse a token.
    fn refresh_after(&self, requested_at: Millis, zone: &impl Fn(Millis) -> Option<i32>) -> Option<Millis> {
        let on = instant(&self.refresh_on, "refresh_on", zone).ok().flatten();
        let timestamp = instant(&self.refresh_after_timestamp, "refreshAfterTimestamp", zone)
            .ok()
            .flatten();
        let within = duration(&self.refresh_in, "refresh_in").ok().flatten();
        let within = within.map(|length| requested_at.saturating_add(length));
        [on, timestamp, within].into_iter().flatten().min()
    }
}

/// A point in time: a number, a text of digits alone, or a date.
fn instant(value: &Value, field: &str, zone: &impl Fn(Millis) -> Option<i32>) -> Result<Option<Millis>> {
    match value {
        Value::Absent | Value::Null => Ok(None),
        Value::Number(number) => epoch(*number).map(Some).ok_or_else(|| unreadable(field)),
        Value::Text(text) if is_digits(text) => text
            .parse()
            .ok()
            .and_then(epoch)
            .map(Some)
            .ok_or_else(|| unreadable(field)),
        Value::Text(text) => parse_instant(text, zone).map(Some),
        Value::Other => Err(unreadable(field)),
    }
}

/// A duration in seconds: a number or a text of digits alone.
fn duration(value: &Value, field: &str) -> Result<Option<Millis>> {
    let seconds = match value {
        Value::Absent | Value::Null => return Ok(None),
        Value::Number(number) => Some(*number),
        Value::Text(text) if is_digits(text) => text.parse().ok(),
        Value::Text(_) | Value::Other => None,
    };
    match seconds {
        Some(seconds) if seconds.is_finite() && seconds > 0.0 => {
            Ok(Some((seconds.min(9e12) * 1_000.0) as Millis))
        }
        _ => Err(Error::new(
            Code::ExpiryUnreadable,
            format!("{field} holds no number of seconds"),
        )
        .hint("Expected a positive whole number, such as 3599.")),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token response")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key::<String>()? {
            match fields.slot(&name) {
                Some((known, slot)) => {
                    let given = std::mem::replace(slot, map.next_value()?);
                    if given != Value::Absent {
                        fields.duplicate = Some(known);
                    }
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(fields)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, number: f64) -> std::result::Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E>(self, number: i64) -> std::result::Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> std::result::Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}
