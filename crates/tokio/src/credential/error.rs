//! The error of a credential.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use copilot_keyless::Secret;
use copilot_keyless::diagnosis::{FailedCredential, ReportedError, credential_failure};
use copilot_keyless::schedule::{Failure, FailureKind};

use crate::Error;
use crate::clock::millis;
use crate::vars::Vars;

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
    unreadable: bool,
    retry_after: Option<Duration>,
    /// The error that callers get, if the credential knows it better than its facts tell.
    told: Option<copilot_keyless::Error>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl CredentialError {
    /// Creates an error with a message.
    ///
    /// ```
    /// use copilot_keyless_tokio::CredentialError;
    ///
    /// let error = CredentialError::new("the vault is sealed");
    /// assert_eq!(error.to_string(), "the vault is sealed");
    /// ```
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: None,
            unavailable: false,
            network: false,
            unreadable: false,
            retry_after: None,
            told: None,
            source: None,
        }
    }

    /// Sets the HTTP status of the identity endpoint.
    ///
    /// ```
    /// use copilot_keyless_tokio::CredentialError;
    ///
    /// let error = CredentialError::new("HTTP 503").with_status(503);
    /// assert_eq!(error.status(), Some(503));
    /// ```
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Marks the credential as one that cannot be used here at all, as when a tool is missing.
    ///
    /// ```
    /// use copilot_keyless_tokio::CredentialError;
    ///
    /// let error = CredentialError::new("the tool is not installed").unavailable();
    /// assert!(error.is_unavailable());
    /// ```
    #[must_use]
    pub fn unavailable(mut self) -> Self {
        self.unavailable = true;
        self
    }

    /// Marks the endpoint as one that could not be reached.
    ///
    /// ```
    /// use copilot_keyless_tokio::CredentialError;
    ///
    /// let error = CredentialError::new("connection refused").unreachable();
    /// assert_eq!(error.status(), None);
    /// ```
    #[must_use]
    pub fn unreachable(mut self) -> Self {
        self.network = true;
        self
    }

    /// Sets the pause that the endpoint asks for. At most 120 s of it count.
    ///
    /// ```
    /// use std::time::Duration;
    /// use copilot_keyless_tokio::CredentialError;
    ///
    /// let error = CredentialError::new("HTTP 429").with_status(429).with_retry_after(Duration::from_secs(5));
    /// assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
    /// ```
    #[must_use]
    pub fn with_retry_after(mut self, pause: Duration) -> Self {
        self.retry_after = Some(pause);
        self
    }

    /// Sets the cause.
    ///
    /// ```
    /// use std::error::Error;
    /// use copilot_keyless_tokio::CredentialError;
    ///
    /// let error = CredentialError::new("no answer").with_source(std::io::Error::other("reset"));
    /// assert!(error.source().is_some());
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Marks the response as one that could not be parsed.
    #[cfg(feature = "azure-core")]
    pub(crate) fn unreadable(mut self) -> Self {
        self.unreadable = true;
        self
    }

    pub(crate) fn telling(mut self, error: copilot_keyless::Error) -> Self {
        self.told = Some(error);
        self
    }

    /// Returns the HTTP status of the identity endpoint.
    ///
    /// ```
    /// use copilot_keyless_tokio::CredentialError;
    ///
    /// assert_eq!(CredentialError::new("HTTP 401").with_status(401).status(), Some(401));
    /// ```
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Whether the credential cannot be used here at all.
    ///
    /// ```
    /// use copilot_keyless_tokio::CredentialError;
    ///
    /// assert!(!CredentialError::new("HTTP 503").with_status(503).is_unavailable());
    /// ```
    pub fn is_unavailable(&self) -> bool {
        self.unavailable
    }

    /// Returns the pause that the endpoint asks for.
    ///
    /// ```
    /// use copilot_keyless_tokio::CredentialError;
    ///
    /// assert_eq!(CredentialError::new("HTTP 503").with_status(503).retry_after(), None);
    /// ```
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
        let told = match &self.told {
            Some(told) => told.clone(),
            None => credential_failure(&self.reported()).error,
        };
        Error::from(told)
            .with_status(self.status)
            .with_source(self.source)
            .with_pause(self.retry_after.unwrap_or_default())
    }

    fn reported(&self) -> ReportedError {
        ReportedError {
            message: self.message.clone(),
            network: self.network,
            unreadable: self.unreadable,
            unavailable: self.unavailable,
            failure: FailedCredential {
                error: Some(Secret::from(self.with_causes())),
                status: self.status,
                env: Vars::default().all(),
                ..FailedCredential::default()
            },
            ..ReportedError::default()
        }
    }

    /// Returns the message and those of the causes, a line or more each.
    fn with_causes(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.ends_with(&said) {
                text.push('\n');
                text.push_str(&said);
            }
            cause = error.source();
        }
        text
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
