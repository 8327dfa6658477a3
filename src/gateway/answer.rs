//! Decides what becomes of an answer of the resource.

/// What is known of an answer that is no success.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Answer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The code of its diagnosis, such as `missing-role`; empty if the body was not read.
    pub code: &'a str,
    /// Whether the resource rejected the token itself.
    pub token_rejected: bool,
    /// Whether it asks for claims: continuous access evaluation.
    pub claims: bool,
    /// Whether the request asked a model.
    pub is_turn: bool,
    /// Whether the body of the request is still there, to be sent again.
    pub repeatable: bool,
    /// Whether the request was repeated already.
    pub repeated: bool,
}

/// What to do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Pass it on as it is.
    Pass,
    /// Invalidate the token and repeat the request with a new one.
    Renew,
    /// Acquire a token with the claims and repeat the request.
    Challenge,
    /// Invalidate the token, and let the client repeat the request: 503, at once.
    RetryByClient,
    /// Send our explanation with status 400: clients show that, and do not repeat the request.
    Explain,
    /// Refuse a redirect.
    Redirect,
}

impl Verdict {
    /// Returns the name, such as `pass`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Renew => "renew",
            Self::Challenge => "challenge",
            Self::RetryByClient => "retry-by-client",
            Self::Explain => "explain",
            Self::Redirect => "redirect",
        }
    }
}

/// The diagnoses of a 400 or 404 that a change of settings fixes. Every other 400 is about the
/// request: clients read its code, such as `context_length_exceeded`.
const SETTINGS: [&str; 9] = [
    "wrong-tenant",
    "custom-subdomain-required",
    "deployment-not-found",
    "resource-not-found",
    "wrong-path",
    "api-version",
    "operation-not-supported",
    "gateway-page",
    "gateway-key",
];

/// Whether the body of an answer must be read before [`judge`] can decide. All other answers are
/// passed on without being read, except redirects, which are refused.
pub fn needs_reading(status: u16) -> bool {
    matches!(status, 400 | 401 | 403 | 404)
}

/// Whether a status is that of an answer: one that is neither interim, nor of a switch of protocols,
/// nor unknown to HTTP (RFC 9110, section 15). Any other is a 502.
pub fn is_final_status(status: u16) -> bool {
    matches!(status, 200..=599)
}

/// Decides what to do with an answer.
///
/// ```
/// use copilot_keyless::gateway::{Answer, Verdict, judge};
///
/// let revoked = Answer { status: 401, token_rejected: true, repeatable: true, ..Answer::default() };
/// assert_eq!(judge(revoked), Verdict::Renew);
/// assert_eq!(judge(Answer { repeated: true, ..revoked }), Verdict::Explain);
/// assert_eq!(judge(Answer { status: 429, ..Answer::default() }), Verdict::Pass);
/// ```
pub fn judge(answer: Answer<'_>) -> Verdict {
    let is_setting = SETTINGS.contains(&answer.code);
    match answer.status {
        304 => Verdict::Pass,
        300..=399 => Verdict::Redirect,
        401 if (answer.claims || answer.token_rejected) && !answer.repeated => {
            match (answer.repeatable, answer.claims) {
                (true, true) => Verdict::Challenge,
                (true, false) => Verdict::Renew,
                (false, _) => Verdict::RetryByClient,
            }
        }
        401 | 403 => Verdict::Explain,
        400 if is_setting => Verdict::Explain,
        404 if is_setting && answer.is_turn => Verdict::Explain,
        _ => Verdict::Pass,
    }
}

/// Whether a request that got no answer is sent again on a new connection: the resource had closed
/// the idle one that it was sent on. Never after the first byte of an answer.
pub fn repeats_broken_connection(reused: bool, repeatable: bool, repeated: bool) -> bool {
    reused && repeatable && !repeated
}
