//! Reads claims challenges from `WWW-Authenticate` headers.
//!
//! A resource with continuous access evaluation rejects a token with a claims challenge. It accepts
//! a new token that was acquired with the claims of the challenge.

use serde::Serialize;

use crate::text::base64;
use crate::text::json::Members;

/// The longest header to read. HTTP servers and clients stop at 16 KiB.
const MAX_HEADER_BYTES: usize = 65_536;

/// The parameters of a `Bearer` challenge. Each one is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Challenge {
    /// The claims to acquire a new token with, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<String>,
    /// The error code, such as `insufficient_claims` or `invalid_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The error in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// The address to sign in at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_uri: Option<String>,
}

/// Returns the header's `Bearer` challenge: the first one with claims, else the first one. Never
/// fails: it leaves out unreadable parameters. Several headers may be joined by commas.
///
/// Claims count with any `error`: Azure sends them with `insufficient_claims` and with
/// `invalid_token`.
///
/// ```
/// use copilot_keyless::token::challenge::parse;
///
/// let header = r#"Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ""#;
/// assert_eq!(parse(header).claims.as_deref(), Some(r#"{"access_token":{}}"#));
/// assert_eq!(parse("Negotiate").claims, None);
/// ```
pub fn parse(www_authenticate: &str) -> Challenge {
    if www_authenticate.len() > MAX_HEADER_BYTES {
        return Challenge::default();
    }
    let mut found: Option<Challenge> = None;
    let mut current: Option<Challenge> = None;
    let mut parts = Parts {
        rest: www_authenticate,
        after_scheme: false,
    };
    loop {
        match parts.next_part() {
            Some(Part::Parameter(name, value)) => {
                if let Some(challenge) = &mut current {
                    challenge.take(name, value);
                }
            }
            next => {
                if let Some(challenge) = current.take() {
                    let better = match &found {
                        None => true,
                        Some(first) => first.claims.is_none() && challenge.claims.is_some(),
                    };
                    if better {
                        found = Some(challenge);
                    }
                }
                match next {
                    Some(Part::Scheme(scheme)) if scheme.eq_ignore_ascii_case("bearer") => {
                        current = Some(Challenge::default());
                    }
                    Some(_) => {}
                    None => return found.unwrap_or_default(),
                }
            }
        }
    }
}

impl Challenge {
    /// Stores a parameter. The first one of each name counts.
    fn take(&mut self, name: &str, value: String) {
        let (field, value) = match name.to_ascii_lowercase().as_str() {
            "claims" => (&mut self.claims, claims(value)),
            "error" => (&mut self.error, Some(value)),
            "error_description" => (&mut self.error_description, Some(value)),
            "authorization_uri" => (&mut self.authorization_uri, Some(value)),
            _ => return,
        };
        if field.is_none() {
            *field = value;
        }
    }
}

/// Returns the JSON object of a `claims` parameter, which is base64 or plain JSON.
fn claims(value: String) -> Option<String> {
    let text = if value.trim_ascii_start().starts_with('{') {
        value
    } else {
        String::from_utf8(base64::decode(value.trim_ascii())?).ok()?
    };
    Members::from_slice(text.as_bytes(), |_| false).ok()?;
    Some(text)
}

/// One piece of the header.
enum Part<'a> {
    /// The start of a challenge.
    Scheme(&'a str),
    /// A parameter of the challenge, without quotation marks and escapes.
    Parameter(&'a str, String),
}

/// Splits a header into its pieces, in order.
struct Parts<'a> {
    rest: &'a str,
    /// Whether the last piece was a scheme. The next word, without a comma, is then its credential
    /// or its first parameter.
    after_scheme: bool,
}

impl<'a> Parts<'a> {
    fn next_part(&mut self) -> Option<Part<'a>> {
        loop {
            self.skip(|c| c == ' ' || c == '\t');
            if self.rest.starts_with(',') {
                self.after_scheme = false;
                self.skip(|c| c == ',');
                continue;
            }
            let word = self.word(|c| c == '=' || c == ',' || c == '"' || c.is_ascii_whitespace());
            if word.is_empty() {
                // Skip a quoted text, an equals sign or a control character in the wrong place.
                let mut chars = self.rest.chars();
                if chars.next()? == '"' {
                    self.quoted()?;
                } else {
                    self.rest = chars.as_str();
                }
                continue;
            }
            let after_scheme = std::mem::take(&mut self.after_scheme);
            self.skip(|c| c == ' ' || c == '\t');
            let Some(rest) = self.rest.strip_prefix('=') else {
                if after_scheme {
                    // Base64 without a name, as in `Negotiate`.
                    continue;
                }
                self.after_scheme = true;
                return Some(Part::Scheme(word));
            };
            self.rest = rest;
            self.skip(|c| c == ' ' || c == '\t');
            let value = if self.rest.starts_with('"') {
                self.quoted()?
            } else {
                self.word(|c| c == ',' || c.is_ascii_whitespace()).to_owned()
            };
            return Some(Part::Parameter(word, value));
        }
    }

    fn skip(&mut self, skipped: fn(char) -> bool) {
        self.rest = self.rest.trim_start_matches(skipped);
    }

    /// Returns the text before the first character that matches `ends`.
    fn word(&mut self, ends: fn(char) -> bool) -> &'a str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    /// Returns a quoted text without quotation marks and escapes. `None`, which ends the reading,
    /// if the closing quotation mark is missing.
    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.rest.chars();
        chars.next();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => text.push(chars.next()?),
                c => text.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(text)
    }
}
