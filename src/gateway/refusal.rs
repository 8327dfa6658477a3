//! The errors that the gateway itself sends.

use crate::text::json::quoted;

/// The form of an error, by the API that the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `OpenAI`: `{ "error": { "message", "type", "param", "code" } }`.
    Openai,
    /// Anthropic: `{ "type": "error", "error": { "type", "message", "code" } }`.
    Anthropic,
}

impl Dialect {
    /// Returns the name: `openai` or `anthropic`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
        }
    }
}

/// Returns the JSON body of an error with this status, in the form that the client reads.
///
/// ```
/// use copilot_keyless::gateway::{Dialect, error_body};
///
/// assert_eq!(
///     error_body(Dialect::Anthropic, 400, "model/missing-role", "Assign the role."),
///     r#"{"type":"error","error":{"type":"invalid_request_error","message":"Assign the role.","code":"model/missing-role"}}"#
/// );
/// ```
pub fn error_body(dialect: Dialect, status: u16, code: &str, message: &str) -> String {
    let kind = match (dialect, status) {
        (_, 401) => "authentication_error",
        (Dialect::Anthropic, 403) => "permission_error",
        (Dialect::Anthropic, 404) => "not_found_error",
        (Dialect::Anthropic, 413) => "request_too_large",
        (Dialect::Anthropic, 500..) => "api_error",
        (Dialect::Openai, 500..) => "server_error",
        _ => "invalid_request_error",
    };
    let (message, code) = (quoted(message), quoted(code));
    match dialect {
        Dialect::Openai => {
            format!(r#"{{"error":{{"message":{message},"type":"{kind}","param":null,"code":{code}}}}}"#)
        }
        Dialect::Anthropic => {
            format!(r#"{{"type":"error","error":{{"type":"{kind}","message":{message},"code":{code}}}}}"#)
        }
    }
}

/// Declares [`Refusal`], its codes, statuses and messages from one list.
macro_rules! refusals {
    ($($(#[doc = $doc:literal])+ $name:ident => $code:literal, $status:literal, $message:literal,)+) => {
        /// Why the gateway does not forward a request, or its answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Refusal {
            /// All refusals.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name,)+];

            /// Returns the stable code, such as `gateway/wrong-key`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Refusal::$name => $code,)+
                }
            }

            /// Returns the HTTP status.
            pub const fn status(self) -> u16 {
                match self {
                    $(Refusal::$name => $status,)+
                }
            }

            /// Returns the message: what is wrong, and the next step.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Refusal::$name => $message,)+
                }
            }
        }
    };
}

refusals! {
    /// No header carries a key.
    MissingKey => "gateway/missing-key", 401, "The request has no key. Send the gateway's key as Authorization: Bearer, api-key or x-api-key; `copilot-keyless gateway` prints it.",
    /// None of the keys is the gateway's.
    WrongKey => "gateway/wrong-key", 401, "The key is not that of this gateway. Without --key-file every start makes a new key: copy the one that `copilot-keyless gateway` prints.",
    /// The `Host` header names another host: DNS rebinding, or a name that is not allowed.
    Host => "gateway/host", 403, "The Host header does not name this gateway. Use http://127.0.0.1:<port>, or allow the name with --allow-host.",
    /// A web page asks.
    Origin => "gateway/origin", 403, "Web pages may not use this gateway. Allow the page's origin with the option allowOrigins.",
    /// A method that no route has.
    Method => "gateway/method", 405, "The gateway forwards GET, HEAD, POST, PUT, PATCH and DELETE.",
    /// The path may mean another one to the resource: `..`, an encoded slash, a control character.
    BadPath => "gateway/bad-path", 400, "The path has `..`, `.`, an encoded slash, a backslash or a character that a URL cannot hold. Correct the base URL or the name in it.",
    /// `//` in the path.
    DoubleSlash => "gateway/double-slash", 400, "The path has an empty segment (`//`). Leave out the slash at the end of the client's base URL.",
    /// The target is a URL of another host.
    OtherHost => "gateway/other-host", 400, "The request is for another host. This gateway is no proxy: set it as the base URL, not as HTTP_PROXY.",
    /// No route has this path.
    UnknownPath => "gateway/unknown-path", 404, "No route has this path. The base URL of OpenAI clients is http://<gateway>/openai/v1, that of Anthropic clients http://<gateway>/anthropic. A project's connections, and projects other than the endpoint's, are not served.",
    /// No backend serves the model.
    UnknownModel => "gateway/unknown-model", 404, "No backend of this gateway serves the model. Correct the model's name, or add it to the models of a backend.",
    /// No backend has quota left for the model.
    Quota => "gateway/quota", 429, "No backend has quota left for this model. Try again after the time in Retry-After, or add a backend.",
    /// A header that must be there once is there twice.
    DuplicateHeader => "gateway/duplicate-header", 400, "A header that may occur once (Host, Origin, a key, or a length) occurs twice.",
    /// A header has a line break or another control character, or the body has a transfer coding other
    /// than chunks.
    BadHeader => "gateway/bad-header", 400, "A header has a control character, or Transfer-Encoding is not `chunked`.",
    /// A WebSocket, which the resource's keyless routes do not have.
    Upgrade => "gateway/upgrade", 426, "The gateway serves HTTP only, no WebSocket. Use the HTTP route of the same API.",
    /// As many requests as allowed are in progress.
    Busy => "gateway/busy", 503, "As many requests as the gateway allows are in progress. Try again in a second, or raise maxRequests.",
    /// The body is larger than allowed.
    BodyTooLarge => "gateway/body-too-large", 413, "The body is larger than the gateway allows. Send less, or raise maxBodyBytes.",
    /// The resource answers with a redirect.
    Redirect => "gateway/redirect", 400, "The resource answers with a redirect, which the gateway does not follow: the token must not reach another address. Correct the endpoint.",
    /// The resource takes too long to answer.
    Timeout => "gateway/timeout", 504, "The resource did not answer in time. Try again, or raise firstByteMs.",
    /// The gateway is closing.
    Closing => "gateway/closing", 503, "The gateway is shutting down. Try again when it runs.",
}

impl Refusal {
    /// Returns the refusal with this code.
    pub fn by_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|refusal| refusal.as_str() == code)
    }

    /// Returns the JSON body.
    pub fn body(self, dialect: Dialect) -> String {
        error_body(dialect, self.status(), self.as_str(), self.message())
    }
}
