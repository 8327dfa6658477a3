//! Judges the responses of identity endpoints.

use serde::{Deserialize, Serialize};

use super::{NotRenewed, Source, assertion, retry, sidecar};
use crate::answer::{body, pause_of};
use crate::token::{self, FieldValue, Millis, TokenResponse};
use crate::{Code, Error, Headers, Result, Secret};

/// The most bytes to read of a response. A refusal of Azure has less than a thousand, a token
/// response a few thousand.
pub const ANSWER_MAX_BYTES: usize = 256 * 1024;

/// The result of a response. Serialized as `{ token }`, `{ assertion }`, `{ error }`, `{ failure }`
/// or `{ notRenewed }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// A token with its lifetime.
    Token(Token),
    /// The answer to a [`Call::assertion_call`](super::Call::assertion_call): the secret of the
    /// token request.
    Assertion(Secret),
    /// An unreadable response.
    Error(Error),
    /// No token.
    Failure(Failure),
    /// No token from a renewal.
    NotRenewed(NotRenewed),
}

/// An `AccessToken` of `@azure/identity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Token {
    /// The token.
    pub token: Secret,
    /// When it expires, in epoch milliseconds.
    pub expires_on_timestamp: Millis,
    /// The refresh time that the issuer advises, in epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_after_timestamp: Option<Millis>,
}

/// The reason why there is no token. Serialized in camel case, without the fields that are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Failure {
    /// The HTTP status; `None` without a response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The message of the endpoint or the network.
    pub message: String,
    /// The pause that the endpoint asks for, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    /// The delay before the next attempt, in milliseconds; `None` if a retry is pointless.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<u32>,
    /// The code, where the status does not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The next step, where the source has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'static str>,
}

/// A response, or the lack of one. As JSON in camel case.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Answer {
    /// The source of the token.
    pub source: Source,
    /// Whether this answers the [`Call::assertion_call`](super::Call::assertion_call), not the
    /// token request.
    pub of_assertion: bool,
    /// Whether the request was a renewal ([`Call::renews`](super::Call::renews)).
    pub renews: bool,
    /// The HTTP status; 0 without a response.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The body; with status 0, the network error.
    pub body: Secret,
    /// The secret that was sent. No result repeats it.
    pub secret: Secret,
    /// The start of the request, in epoch milliseconds.
    pub requested_at: Millis,
    /// The time of the response, in epoch milliseconds. A `Retry-After` date counts from then,
    /// unless the response has its own `Date`. Default: `requested_at`.
    pub answered_at: Option<Millis>,
    /// The number of the attempt, from 0.
    pub attempt: u32,
    /// The jitter of the delay before the next attempt, uniform in 0..1.
    pub random: f64,
}

/// Judges a response: a token, an unreadable response, or a failure. A renewal that fails in any way
/// is not retried; the ordinary request follows.
///
/// ```
/// use copilot_keyless::request::identity::{Answer, Source, Verdict, judge};
///
/// let verdict = judge(&Answer {
///     source: Source::Imds,
///     status: 503,
///     ..Answer::default()
/// });
/// let Verdict::Failure(failure) = verdict else { panic!() };
/// assert!(failure.retry_in_ms.is_some());
/// ```
pub fn judge(answer: &Answer) -> Verdict {
    match read(answer) {
        verdict @ Verdict::Token(_) => verdict,
        _ if answer.renews => Verdict::NotRenewed(NotRenewed::by(answer.status)),
        verdict => verdict,
    }
}

/// Reads the token, or the assertion, in a response of success. `None` for any other response and for
/// an unreadable one: [`judge`] says what is wrong with it. A part of [`judge`], for callers that load
/// the rest when a request has failed.
///
/// ```
/// use copilot_keyless::request::identity::{Source, accept};
///
/// let body = r#"{ "access_token": "t", "expires_in": 3600 }"#;
/// assert!(accept(Source::Imds, false, 200, body, 1_700_000_000_000).is_some());
/// assert!(accept(Source::Imds, false, 503, "", 1_700_000_000_000).is_none());
/// ```
pub fn accept(
    source: Source,
    of_assertion: bool,
    status: u16,
    body: &str,
    requested_at: Millis,
) -> Option<Verdict> {
    if !(200..300).contains(&status) || body.len() >= ANSWER_MAX_BYTES {
        return None;
    }
    if of_assertion {
        assertion::read(body, source).ok().map(Verdict::Assertion)
    } else {
        token_in(body, source, requested_at, 0).ok().map(Verdict::Token)
    }
}

fn read(answer: &Answer) -> Verdict {
    let Answer { source, status, .. } = *answer;
    if (200..300).contains(&status) {
        let read = if answer.of_assertion {
            assertion::read(answer.body.expose(), source).map(Verdict::Assertion)
        } else {
            token(answer).map(Verdict::Token)
        };
        return read.unwrap_or_else(|error| Verdict::Error(with_source(error, source)));
    }
    let response = body::read(answer.body.expose(), status, answer.secret.expose());
    let answered_at = answer.answered_at.unwrap_or(answer.requested_at);
    let retry_after_ms = pause_of(&answer.headers, &response, Some(answered_at));
    let retry_in_ms = retry::pause_ms(source, status, answer.attempt, retry_after_ms, answer.random);
    let refused = source == Source::Sidecar && status >= 500 && sidecar::is_refusal(&response.message);
    let hint = match (source, status) {
        // The number of Entra's error says more.
        _ if response.message.contains("AADSTS") => None,
        (Source::Sidecar, _) => sidecar::hint(status),
        (_, 300..=404) if answer.of_assertion => Some(assertion::hint(source)),
        (_, 300..=399) => Some(IN_THE_PLACE),
        _ => None,
    };
    Verdict::Failure(Failure {
        status: (status != 0).then_some(status),
        retry_after_ms,
        retry_in_ms: retry_in_ms.filter(|_| !refused),
        code: refused.then_some(Code::CredentialRefused),
        hint,
        message: response.message,
    })
}

const IN_THE_PLACE: &str =
    "Look at what answers in the place of the identity endpoint: a proxy, or a sign-in page of the network.";

/// Adds the source to an error and, unless the clock is at fault, a hint.
fn with_source(error: Error, source: Source) -> Error {
    let error = error.within("the identity endpoint's answer");
    match (error.code(), source) {
        (Code::ExpiryExpired | Code::ExpiryTooFar, _) => error,
        (Code::ExpiryNoToken, Source::Sidecar) => error.hint(
            "Look at the sidecar's configuration of this service: it must give bearer tokens, without PoP settings.",
        ),
        _ => error.hint(IN_THE_PLACE),
    }
}

fn token(answer: &Answer) -> Result<Token> {
    let body = answer.body.expose();
    if body.len() >= ANSWER_MAX_BYTES {
        return Err(Error::new(
            Code::ExpiryTooLarge,
            "more than 256 KiB, which no token response comes near",
        ));
    }
    let read = |clock_ahead| token_in(body, answer.source, answer.requested_at, clock_ahead);
    read(0).or_else(|error| {
        if error.code() != Code::ExpiryExpired {
            return Err(error);
        }
        // This machine's clock may be ahead by more than the lifetime; the token may be valid by
        // the endpoint's clock.
        let date = answer.headers.text("date").unwrap_or_default();
        read(token::clock_ahead(date, answer.requested_at)).map_err(|_| error)
    })
}

/// Reads a token response. `clock_ahead`: how far this machine's clock is ahead.
fn token_in(body: &str, source: Source, requested_at: Millis, clock_ahead: Millis) -> Result<Token> {
    // Identity endpoints never return local times.
    let requested_at = requested_at.saturating_sub(clock_ahead);
    let TokenResponse { token, lifetime } = if source == Source::Sidecar {
        // Its answer has no expiry, so that of the token counts.
        let field = ("access_token".to_owned(), FieldValue::Text(sidecar::read(body)?));
        token::parse_token_fields([field], requested_at, |_| None)?
    } else {
        token::parse_token_response(body.as_bytes(), requested_at, |_| None)?
    };
    Ok(Token {
        token,
        expires_on_timestamp: lifetime.expires().saturating_add(clock_ahead),
        refresh_after_timestamp: lifetime.refresh_after().map(|at| at.saturating_add(clock_ahead)),
    })
}
