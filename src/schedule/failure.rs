//! How an attempt to acquire a token fails: what it is called, and whether it is tried again.

use crate::Code;
use crate::token::Millis;

/// How an acquisition failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failure {
    /// Which kind it is.
    pub kind: FailureKind,
    /// The pause that the endpoint asked for, in milliseconds.
    pub retry_after_ms: Option<Millis>,
}

/// What kind of failure it is, as far as the next attempt is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailureKind {
    /// The endpoint said so itself (404, 410, 429, 5xx): tried again while callers wait.
    Transient,
    /// A fault of the set-up, which no repetition mends (other 4xx, no credential there).
    Permanent,
    /// Anything else, such as a lost connection: reported at once.
    #[default]
    Unknown,
}

impl FailureKind {
    /// Judges an error by its HTTP status, or else by whether the credential called itself unavailable.
    ///
    /// The statuses are those of the managed identity endpoints: 404, 410, 429 and 5xx pass, other 4xx do not.
    pub fn of(status: Option<u16>, unavailable: bool) -> Self {
        match status {
            Some(404 | 408 | 410 | 429 | 500..=599) => Self::Transient,
            Some(400..=499) => Self::Permanent,
            _ if unavailable => Self::Permanent,
            _ => Self::Unknown,
        }
    }
}

/// What an error of a credential shows of its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence {
    /// The identity endpoint's HTTP status.
    pub status: Option<u16>,
    /// Whether its response could not be parsed.
    pub unreadable: bool,
    /// Whether it could not be reached.
    pub network: bool,
    /// Whether the credential called itself unavailable.
    pub unavailable: bool,
}

impl Evidence {
    /// The code of the error. A status says more than the rest, and an unreadable response more than a lost connection.
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
            Some(400..) => Code::CredentialRefused,
            _ if self.unreadable => Code::CredentialFailed,
            _ if self.network => Code::CredentialNetwork,
            _ if self.unavailable => Code::CredentialUnavailable,
            _ => Code::CredentialFailed,
        }
    }
}
