//! The error of a provider.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use copilot_keyless::{Code, retryable_codes};

/// The code of an error outside of a tokio runtime, which no other language has.
const NO_RUNTIME: &str = "token/no-runtime";

/// Why there is no token. Cloned by pointer. Holds no token and no secret.
///
/// The codes are those of the npm package; `token/no-runtime` is this crate's own.
///
/// ```
/// use copilot_keyless_tokio::TokenProvider;
///
/// let error = TokenProvider::for_scope(" ").unwrap_err();
/// assert_eq!(error.code(), "provider/scope");
/// assert!(error.hint().contains("https://ai.azure.com/.default"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Error(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    code: &'static str,
    message: String,
    hint: String,
    status: Option<u16>,
    retry_after: Option<Duration>,
    /// Where the case decides, not the code alone.
    retryable: Option<bool>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::with_code(code.as_str(), message, hint)
    }

    pub(crate) fn with_code(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self(Arc::new(Parts {
            code,
            message: message.into(),
            hint: hint.into(),
            status: None,
            retry_after: None,
            retryable: None,
            source: None,
        }))
    }

    pub(crate) fn closed() -> Self {
        Self::new(
            Code::TokenClosed,
            "The token provider is closed",
            "Create a new one. Call close() only when the program ends.",
        )
    }

    pub(crate) fn rejected_again() -> Self {
        Self::new(
            Code::TokenRejectedAgain,
            "The credential returned the same token that the resource just rejected",
            "Azure's platform returns a managed identity's token for about a day, even a revoked one. If it was not \
             revoked, check its audience (the scope) and the role of its principal on the resource.",
        )
    }

    #[cfg(feature = "copilot")]
    pub(crate) fn challenged_again() -> Self {
        Self::new(
            Code::TokenClaimsChallenge,
            "The resource asks for more claims, although the token was just acquired with those it asked for",
            "A policy of the tenant blocks this program, such as one on its network location. Ask the tenant's \
             administrator.",
        )
    }

    /// The error of a wait that reached its deadline, with nothing known of the reason.
    pub(crate) fn wait_over(after: Duration) -> Self {
        Self::new(
            Code::TokenTimeout,
            format!(
                "The credential did not answer within {} s",
                after.as_secs().max(1)
            ),
            "Outside Azure no managed identity answers: run `az login` and set AZURE_TOKEN_CREDENTIALS=dev. In Azure \
             check the host's identity service.",
        )
    }

    pub(crate) fn no_runtime() -> Self {
        Self::with_code(
            NO_RUNTIME,
            "There is no tokio runtime to acquire a token in",
            "Call token() inside of a runtime, as #[tokio::main] starts one, with its timers and I/O enabled.",
        )
    }

    pub(crate) fn runtime_ended() -> Self {
        Self::with_code(
            NO_RUNTIME,
            "The tokio runtime that acquired the token ended before",
            "Ask again: the next call acquires the token in its own runtime.",
        )
    }

    /// Returns the stable code, such as `credential/refused`.
    ///
    /// ```
    /// let error = copilot_keyless_tokio::TokenProvider::for_scope(" ").unwrap_err();
    /// assert_eq!(error.code(), "provider/scope");
    /// ```
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// Returns the next step; empty if none is known.
    ///
    /// ```
    /// let error = copilot_keyless_tokio::TokenProvider::for_scope(" ").unwrap_err();
    /// assert!(error.hint().contains("FOUNDRY_TOKEN_SCOPE"));
    /// ```
    pub fn hint(&self) -> &str {
        &self.0.hint
    }

    /// Returns the HTTP status of the identity endpoint, if that refused.
    ///
    /// ```
    /// let error = copilot_keyless_tokio::TokenProvider::for_scope(" ").unwrap_err();
    /// assert_eq!(error.status(), None);
    /// ```
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns when to ask again: before, callers would get the same error.
    ///
    /// ```
    /// let error = copilot_keyless_tokio::TokenProvider::for_scope(" ").unwrap_err();
    /// assert_eq!(error.retry_after(), None);
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later although nobody changes anything.
    ///
    /// ```
    /// let error = copilot_keyless_tokio::TokenProvider::for_scope(" ").unwrap_err();
    /// assert!(!error.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        let by_code = || match self.0.code.parse::<Code>() {
            Ok(code) => code.is_retryable(),
            Err(_) => self.0.code == NO_RUNTIME || retryable_codes().iter().any(|code| code == self.0.code),
        };
        self.0.retryable.unwrap_or_else(by_code)
    }

    #[cfg(feature = "copilot")]
    pub(crate) fn with_retryable(self, retryable: bool) -> Self {
        self.changed(|parts| parts.retryable = Some(retryable))
    }

    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    pub(crate) fn with_status(self, status: Option<u16>) -> Self {
        self.changed(|parts| parts.status = status)
    }

    pub(crate) fn with_source(self, source: Option<Arc<dyn StdError + Send + Sync>>) -> Self {
        self.changed(|parts| parts.source = source)
    }

    /// Takes the source of another error.
    #[cfg(feature = "copilot")]
    pub(crate) fn with_source_of(self, other: &Self) -> Self {
        self.with_source(other.0.source.clone())
    }

    /// Puts a sentence before the message.
    pub(crate) fn within(self, sentence: &str) -> Self {
        self.changed(|parts| parts.message = format!("{sentence}. {}", parts.message))
    }

    /// Adds the pause before the next acquisition, if a retry may help.
    pub(crate) fn with_pause(self, pause: Duration) -> Self {
        if !self.is_retryable() || pause.is_zero() || self.0.retry_after == Some(pause) {
            return self;
        }
        self.changed(|parts| parts.retry_after = Some(pause))
    }

    fn changed(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl From<copilot_keyless::Error> for Error {
    fn from(error: copilot_keyless::Error) -> Self {
        Self::new(
            error.code(),
            error.message(),
            error.next_step().unwrap_or_default(),
        )
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &*self.0;
        f.debug_struct("Error")
            .field("code", &parts.code)
            .field("message", &parts.message)
            .field("hint", &parts.hint)
            .field("status", &parts.status)
            .field("retry_after", &parts.retry_after)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message(), self.code())?;
        match self.hint() {
            "" => Ok(()),
            hint => write!(f, ". {hint}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}
