//! The error of a credential.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use copilot_keyless::schedule::{Evidence, Failure, FailureKind};

use crate::Error;
use crate::clock::millis;

/// Why a credential gave no token. Its texts must hold no secret.
///
/// The status decides about the next attempt: 404, 408, 410, 429 and 5xx are retried while callers
/// wait; other 4xx and [`unavailable`](CredentialError::unavailable) are permanent.
///
/// ```
/// use std::time::Duration;
/// use copilot_keyless_tokio::CredentialError;
///
/// let error = CredentialError::new("too many requests").with_status(429).with_retry_after(Duration::from_secs(5));
/// assert_eq!(error.status(), Some(429));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CredentialError {
    message: String,
    status: Option<u16>,
    unavailable: bool,
    network: bool,
    retry_after: Option<Duration>,
    /// The error that callers get, if the credential knows it better than its facts tell.
    told: Option<copilot_keyless::Error>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl CredentialError {
    /// Creates an error with a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: None,
            unavailable: false,
            network: false,
            retry_after: None,
            told: None,
            source: None,
        }
    }

    /// Sets the HTTP status of the identity endpoint.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Marks the credential as one that cannot be used here at all, as when a tool is missing.
    #[must_use]
    pub fn unavailable(mut self) -> Self {
        self.unavailable = true;
        self
    }

    /// Marks the endpoint as one that could not be reached.
    #[must_use]
    pub fn unreachable(mut self) -> Self {
        self.network = true;
        self
    }

    /// Sets the pause that the endpoint asks for. At most 120 s of it count.
    #[must_use]
    pub fn with_retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    pub(crate) fn telling(mut self, error: copilot_keyless::Error) -> Self {
        self.told = Some(error);
        self
    }

    /// Returns the HTTP status of the identity endpoint.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether the credential cannot be used here at all.
    pub fn is_unavailable(&self) -> bool {
        self.unavailable
    }

    /// Returns the pause that the endpoint asks for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the facts for the schedule.
    pub(crate) fn failure(&self) -> Failure {
        Failure {
            kind: FailureKind::of(self.status, self.unavailable),
            retry_after_ms: self.retry_after.map(millis),
        }
    }

    /// Returns the error that callers get.
    pub(crate) fn into_error(self) -> Error {
        let Self {
            message,
            status,
            unavailable,
            network,
            retry_after,
            told,
            source,
        } = self;
        let told = told.unwrap_or_else(|| {
            let evidence = Evidence {
                status,
                network,
                unavailable,
                ..Evidence::default()
            };
            evidence.error(&message)
        });
        Error::from(told)
            .with_status(status)
            .with_source(source)
            .with_pause(retry_after.unwrap_or_default())
    }
}

impl From<copilot_keyless::Error> for CredentialError {
    fn from(error: copilot_keyless::Error) -> Self {
        let final_setting = error.code().as_str().starts_with("credential/configuration");
        let found = Self::new(error.message());
        let found = if final_setting { found.unavailable() } else { found };
        found.telling(error)
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for CredentialError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}
