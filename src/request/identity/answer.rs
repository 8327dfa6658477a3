//! What an identity endpoint answered.

use serde::{Deserialize, Serialize};

use super::{Source, retry};
use crate::answer::{body, pause_of};
use crate::token::{self, Millis, TokenResponse};
use crate::{Code, Error, Headers, Result, Secret};

/// As much of an answer as is read, in bytes. A refusal of Azure has less than one thousand, a token a few thousand.
pub const ANSWER_MAX_BYTES: usize = 256 * 1024;

/// What an answer means. Serialised as `{ token }`, `{ error }` or `{ failure }`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// A token, and its life.
    Token(Token),
    /// An answer that cannot be read.
    Error(Error),
    /// No token.
    Failure(Failure),
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
    /// When its issuer would like it to be refreshed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_after_timestamp: Option<Millis>,
}

/// Why there is no token. Serialised in camel case; what is `None` is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Failure {
    /// The HTTP status; none if no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The endpoint's own words, or the network's.
    pub message: String,
    /// How long the endpoint asks to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    /// When to ask again; none if there is no use in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_in_ms: Option<u32>,
}

/// An answer, or none. As JSON in camel case.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Answer {
    /// What was asked.
    pub source: Source,
    /// The HTTP status; 0 if no answer came.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The body; with status 0, what the network said.
    pub body: Secret,
    /// What was sent: whatever the answer says, it is not repeated.
    pub secret: Secret,
    /// When the request was started, in epoch milliseconds.
    pub requested_at: Millis,
    /// When the answer came, in epoch milliseconds; a `Retry-After` that is a date counts from then, unless the answer has a
    /// `Date` of its own. Default: `requested_at`.
    pub answered_at: Option<Millis>,
    /// The number of the attempt, counted from 0.
    pub attempt: u32,
    /// Uniform in 0..1: the jitter of the pause before the next attempt.
    pub random: f64,
}

/// Says what an answer means.
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
    let Answer { source, status, .. } = *answer;
    if (200..300).contains(&status) {
        return match token(answer) {
            Ok(token) => Verdict::Token(token),
            Err(error) => Verdict::Error(placed(error)),
        };
    }
    let said = body::read(answer.body.expose(), status, answer.secret.expose());
    let answered_at = answer.answered_at.unwrap_or(answer.requested_at);
    let retry_after_ms = pause_of(&answer.headers, &said, Some(answered_at));
    Verdict::Failure(Failure {
        status: (status != 0).then_some(status),
        retry_after_ms,
        retry_in_ms: retry::pause_ms(source, status, answer.attempt, retry_after_ms, answer.random),
        message: said.message,
    })
}

/// Says whose answer it was and, unless it is the clock that is in question, where to look.
fn placed(error: Error) -> Error {
    let error = error.within("the identity endpoint's answer");
    match error.code() {
        Code::ExpiryExpired | Code::ExpiryTooFar => error,
        _ => error.hint(
            "Look at what answers in the place of the identity endpoint: a proxy, or a sign-in page of the network.",
        ),
    }
}

fn token(answer: &Answer) -> Result<Token> {
    if answer.body.expose().len() >= ANSWER_MAX_BYTES {
        return Err(Error::new(
            Code::ExpiryTooLarge,
            "more than 256 KiB, which no token response comes near",
        ));
    }
    let read = |clock_ahead: Millis| -> Result<Token> {
        // No identity endpoint gives local times.
        let requested_at = answer.requested_at.saturating_sub(clock_ahead);
        let TokenResponse { token, lifetime } =
            token::parse_token_response(answer.body.expose().as_bytes(), requested_at, |_| None)?;
        Ok(Token {
            token,
            expires_on_timestamp: lifetime.expires().saturating_add(clock_ahead),
            refresh_after_timestamp: lifetime.refresh_after().map(|at| at.saturating_add(clock_ahead)),
        })
    };
    read(0).or_else(|error| {
        if error.code() != Code::ExpiryExpired {
            return Err(error);
        }
        // A clock that is ahead by more than the token lives: by the endpoint's own time it may be good.
        let date = answer.headers.text("date").unwrap_or_default();
        read(token::clock_ahead(date, answer.requested_at)).map_err(|_| error)
    })
}
