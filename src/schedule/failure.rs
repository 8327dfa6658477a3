//! Classifies failed attempts to acquire a token: their codes, and whether to retry.

use crate::token::Millis;
use crate::{Code, Error};

/// How an acquisition failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The pause that the endpoint asked for, in milliseconds.
    pub retry_after_ms: Option<Millis>,
}

/// The kind of failure, which decides about the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailureKind {
    /// The endpoint reported a temporary error (404, 408, 410, 429, 5xx). Retried while callers
    /// wait.
    Transient,
    /// A fault of the setup, which a retry cannot fix (other 4xx, or the credential is
    /// unavailable).
    Permanent,
    /// Any other failure, such as a lost connection. Reported at once.
    #[default]
    Unknown,
}

impl FailureKind {
    /// Classifies an error by its HTTP status, or else by whether the credential is unavailable.
    ///
    /// The statuses are those of the managed identity endpoints: 404, 408, 410, 429 and 5xx are
    /// transient, other 4xx are permanent.
    pub fn of(status: Option<u16>, unavailable: bool) -> Self {
        match status {
            Some(404 | 408 | 410 | 429 | 500..=599) => Self::Transient,
            Some(400..=499) => Self::Permanent,
            _ if unavailable => Self::Permanent,
            _ => Self::Unknown,
        }
    }
}

/// The known facts about an error of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence {
    /// The HTTP status of the identity endpoint.
    pub status: Option<u16>,
    /// Whether the response of the endpoint could not be parsed.
    pub unreadable: bool,
    /// Whether the endpoint could not be reached.
    pub network: bool,
    /// Whether the credential reported that it is unavailable.
    pub unavailable: bool,
}

impl Evidence {
    /// Returns the code of the error. The status takes precedence, then an unreadable response,
    /// then a lost connection.
    ///
    /// ```
    /// use copilot_keyless::Code;
    /// use copilot_keyless::schedule::Evidence;
    ///
    /// let evidence = Evidence { status: Some(429), ..Evidence::default() };
    /// assert_eq!(evidence.code(), Code::CredentialThrottled);
    /// ```
    pub const fn code(self) -> Code {
        match self.status {
            Some(429) => Code::CredentialThrottled,
            Some(500..) => Code::CredentialServerError,
            // A redirect, too: no identity endpoint sends one.
            Some(300..) => Code::CredentialRefused,
            _ if self.unreadable => Code::CredentialFailed,
            _ if self.network => Code::CredentialNetwork,
            _ if self.unavailable => Code::CredentialUnavailable,
            _ => Code::CredentialFailed,
        }
    }

    /// Returns the error: its code, what failed, with `details` of the library or endpoint, and the next
    /// step. `details` must hold no secret; empty ones are left out.
    ///
    /// ```
    /// use copilot_keyless::schedule::Evidence;
    ///
    /// let error = Evidence { status: Some(503), ..Evidence::default() }.error("service restarting");
    /// assert_eq!(error.message(), "The identity endpoint failed with HTTP 503: service restarting");
    /// ```
    pub fn error(self, details: &str) -> Error {
        let status = self.status.unwrap_or_default();
        let code = self.code();
        let (message, hint) = match code {
            Code::CredentialThrottled => (
                "The identity endpoint throttles requests".to_owned(),
                "The request is retried later. Share one credential and one provider among all sessions.",
            ),
            Code::CredentialServerError => (
                format!("The identity endpoint failed with HTTP {status}"),
                "The request is retried later. If the failure lasts, check the host's identity service.",
            ),
            Code::CredentialRefused => (
                format!("The identity endpoint rejected the request with HTTP {status}"),
                "Check the tenant, the client id (AZURE_CLIENT_ID for a user-assigned identity), and whether the identity \
                 is assigned to this host.",
            ),
            Code::CredentialNetwork => (
                "The identity endpoint cannot be reached".to_owned(),
                "In Azure, check that a managed identity is assigned. Elsewhere run `az login` and set \
                 AZURE_TOKEN_CREDENTIALS=dev.",
            ),
            Code::CredentialUnavailable => (
                "No credential is available here".to_owned(),
                "On a developer's machine run `az login` and set AZURE_TOKEN_CREDENTIALS=dev. In Azure assign a managed \
                 identity and set AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential.",
            ),
            _ if self.unreadable => (
                "The identity endpoint's response cannot be parsed".to_owned(),
                "Check what answers in place of the identity endpoint: a proxy, or a sign-in page of the network.",
            ),
            _ => (
                "The credential returned no token".to_owned(),
                "See the error's source.",
            ),
        };
        let message = if details.is_empty() {
            message
        } else {
            format!("{message}: {details}")
        };
        Error::new(code, message).hint(hint)
    }
}
