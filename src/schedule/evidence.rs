//! Says how an attempt to acquire a token failed: the code, and texts for callers.

use crate::{Code, Error};

/// The known facts about an error of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence {
    /// The HTTP status of the identity endpoint.
    pub status: Option<u16>,
    /// Whether the response of the endpoint could not be parsed. With `network` too, the library does
    /// not tell the two apart.
    pub unreadable: bool,
    /// Whether the endpoint could not be reached.
    pub network: bool,
    /// Whether the credential reported that it is unavailable.
    pub unavailable: bool,
}

/// The failures that callers can tell apart.
#[derive(Clone, Copy)]
enum Cause {
    Throttled,
    ServerError(u16),
    Refused(u16),
    Network,
    Unreadable,
    NetworkOrUnreadable,
    Unavailable,
    Other,
}

impl Evidence {
    /// Returns the code of the error. The status takes precedence, then a lost connection, then an
    /// unreadable response.
    ///
    /// ```
    /// use copilot_keyless::Code;
    /// use copilot_keyless::schedule::Evidence;
    ///
    /// let evidence = Evidence { status: Some(429), ..Evidence::default() };
    /// assert_eq!(evidence.code(), Code::CredentialThrottled);
    /// ```
    pub const fn code(self) -> Code {
        match self.cause() {
            Cause::Throttled => Code::CredentialThrottled,
            Cause::ServerError(_) => Code::CredentialServerError,
            Cause::Refused(_) => Code::CredentialRefused,
            Cause::Network | Cause::NetworkOrUnreadable => Code::CredentialNetwork,
            Cause::Unavailable => Code::CredentialUnavailable,
            Cause::Unreadable | Cause::Other => Code::CredentialFailed,
        }
    }

    const fn cause(self) -> Cause {
        match self.status {
            Some(429) => Cause::Throttled,
            Some(status @ 500..) => Cause::ServerError(status),
            // A redirect, too: no identity endpoint sends one.
            Some(status @ 300..) => Cause::Refused(status),
            _ if self.network && self.unreadable => Cause::NetworkOrUnreadable,
            _ if self.network => Cause::Network,
            _ if self.unreadable => Cause::Unreadable,
            _ if self.unavailable => Cause::Unavailable,
            _ => Cause::Other,
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
        let (message, hint) = self.cause().texts();
        let separator = if details.is_empty() { "" } else { ": " };
        Error::new(self.code(), format!("{message}{separator}{details}")).hint(hint)
    }
}

impl Cause {
    /// Returns what failed, and the next step.
    fn texts(self) -> (String, &'static str) {
        match self {
            Self::Throttled => (
                "The identity endpoint throttles requests".to_owned(),
                "The request is retried later. Share one credential and one provider among all sessions.",
            ),
            Self::ServerError(status) => (
                format!("The identity endpoint failed with HTTP {status}"),
                "The request is retried later. If the failure lasts, check the host's identity service.",
            ),
            Self::Refused(status) => (
                format!("The identity endpoint rejected the request with HTTP {status}"),
                "Check the tenant, the client id (AZURE_CLIENT_ID for a user-assigned identity), and whether the identity \
                 is assigned to this host.",
            ),
            Self::Network => (
                "The identity endpoint cannot be reached".to_owned(),
                "In Azure, check that a managed identity is assigned. Elsewhere run `az login` and set \
                 AZURE_TOKEN_CREDENTIALS=dev.",
            ),
            Self::Unreadable => (
                "The identity endpoint's response cannot be parsed".to_owned(),
                "Check what answers in place of the identity endpoint: a proxy, or a sign-in page of the network.",
            ),
            Self::NetworkOrUnreadable => (
                "The identity endpoint cannot be reached, or its response cannot be parsed".to_owned(),
                "In Azure, check that a managed identity is assigned. Elsewhere run `az login` and set \
                 AZURE_TOKEN_CREDENTIALS=dev. Check what answers in place of the identity endpoint: a proxy, or a \
                 sign-in page of the network.",
            ),
            Self::Unavailable => (
                "No credential is available here".to_owned(),
                "On a developer's machine run `az login` and set AZURE_TOKEN_CREDENTIALS=dev. In Azure assign a managed \
                 identity and set AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential.",
            ),
            Self::Other => (
                "The credential returned no token".to_owned(),
                "See the error's cause.",
            ),
        }
    }
}
