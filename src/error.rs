//! Defines the error type of the crate: a stable [`Code`], a message, and a hint.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, SerializeStruct, Serializer};

/// Declares [`Code`], its strings and [`Code::ALL`] from one list, so that none is missing.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal,)+) => {
        /// The kind of an error. The string form ([`Code::as_str`]) is stable and part of the
        /// public API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes, in the order of the list.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// Returns the stable string form, such as `endpoint/placeholder`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    /// The endpoint is missing or empty.
    EndpointEmpty => "endpoint/empty",
    /// The text is not a URL; often it contains an unset variable.
    EndpointNotAUrl => "endpoint/not-a-url",
    /// The text contains a placeholder from a guide, such as `<my-resource>`.
    EndpointPlaceholder => "endpoint/placeholder",
    /// `http:` to a host other than this machine.
    EndpointInsecureHttp => "endpoint/insecure-http",
    /// A scheme other than `http` and `https`.
    EndpointUnsupportedScheme => "endpoint/unsupported-scheme",
    /// `user@host`: the real host differs from the apparent one.
    EndpointUserinfo => "endpoint/userinfo-not-allowed",
    /// Azure does not serve this port.
    EndpointPort => "endpoint/unexpected-port",
    /// The host resembles an Azure host but is not one.
    EndpointLookalike => "endpoint/host-lookalike",
    /// The host is an Azure domain without a resource name.
    EndpointMissingResource => "endpoint/missing-resource",
    /// `/api/projects` without a project name.
    EndpointMissingProject => "endpoint/missing-project",
    /// The path matches no Foundry route.
    EndpointBadPath => "endpoint/bad-path",
    /// A regional endpoint, which does not accept Entra tokens.
    EndpointRegional => "endpoint/regional-endpoint",
    /// A serverless model endpoint.
    EndpointServerless => "endpoint/serverless-endpoint",
    /// An Azure Machine Learning online endpoint.
    EndpointAmlOnline => "endpoint/aml-online-endpoint",
    /// The endpoint of a Foundry agent, not of a model.
    EndpointAgent => "endpoint/agent-endpoint",
    /// A page of the Azure or Foundry portal.
    EndpointPortal => "endpoint/portal-url",
    /// An Azure Resource Manager id.
    EndpointArmId => "endpoint/arm-resource-id",
    /// A connection string.
    EndpointConnectionString => "endpoint/connection-string",

    /// The token response is not JSON, or not a JSON object.
    ExpiryNotJson => "expiry/not-json",
    /// The token response is longer than any real one.
    ExpiryTooLarge => "expiry/too-large",
    /// The token response contains a field twice.
    ExpiryDuplicateField => "expiry/duplicate-field",
    /// The token response has no token.
    ExpiryNoToken => "expiry/no-token",
    /// The token response has no expiry.
    ExpiryMissing => "expiry/missing",
    /// A date or number in no known format.
    ExpiryUnreadable => "expiry/unreadable",
    /// A local time without an offset, and no time zone to interpret it.
    ExpiryZoneRequired => "expiry/zone-required",
    /// The expiry is at or before the request for the token.
    ExpiryExpired => "expiry/already-expired",
    /// The expiry is later than that of any Entra token.
    ExpiryTooFar => "expiry/too-far-ahead",

    /// A field of the refresh policy is out of range.
    PolicyInvalid => "policy/invalid",

    /// A field of a simulated scenario is out of range.
    ScenarioInvalid => "scenario/invalid",

    /// A provider name is missing, malformed or taken.
    ProviderName => "provider/name",
    /// The name of a model or deployment is missing or malformed.
    ProviderModel => "provider/model",
    /// Options exclude each other, or the endpoint does not support them.
    ProviderConflict => "provider/conflict",
    /// A header is malformed or not allowed.
    ProviderHeader => "provider/header",
    /// A limit is not a positive whole number.
    ProviderLimit => "provider/limit",
    /// The token scope is malformed.
    ProviderScope => "provider/scope",

    /// The environment selects a credential that does not exist or lacks settings.
    CredentialConfiguration => "credential/configuration",
    /// No credential can be used here.
    CredentialUnavailable => "credential/unavailable",
    /// The identity endpoint rejected the request.
    CredentialRefused => "credential/refused",
    /// The identity endpoint throttles requests.
    CredentialThrottled => "credential/throttled",
    /// The identity endpoint failed.
    CredentialServerError => "credential/server-error",
    /// The identity endpoint cannot be reached.
    CredentialNetwork => "credential/network",
    /// The credential failed for another reason.
    CredentialFailed => "credential/failed",
    /// The credential requires a program or package that is not installed.
    CredentialNotInstalled => "credential/not-installed",
    /// The value that was passed as a credential is not one.
    CredentialInvalid => "credential/invalid",

    /// The acquisition timed out.
    TokenTimeout => "token/timeout",
    /// The credential returned no token.
    TokenEmpty => "token/empty",
    /// The credential returned a value that is not a token.
    TokenMalformed => "token/malformed",
    /// The credential returned a token that is expired or about to expire.
    TokenNotRenewed => "token/not-renewed",
    /// The credential returned the token that the resource had just rejected.
    TokenRejectedAgain => "token/rejected-again",
    /// The resource requires claims that the credential cannot acquire.
    TokenClaimsChallenge => "token/claims-challenge",
    /// The token provider is closed.
    TokenClosed => "token/closed",
}

impl Code {
    /// Whether callers should give up on this code instead of asking again: the cause remains until
    /// somebody changes a setting or a role, or callers have already waited long enough. The match
    /// has no wildcard, so that each new code needs a decision.
    ///
    /// ```
    /// use copilot_keyless::Code;
    ///
    /// assert!(Code::CredentialRefused.is_final());
    /// assert!(!Code::CredentialThrottled.is_final());
    /// ```
    pub const fn is_final(self) -> bool {
        match self {
            Self::EndpointEmpty
            | Self::EndpointNotAUrl
            | Self::EndpointPlaceholder
            | Self::EndpointInsecureHttp
            | Self::EndpointUnsupportedScheme
            | Self::EndpointUserinfo
            | Self::EndpointPort
            | Self::EndpointLookalike
            | Self::EndpointMissingResource
            | Self::EndpointMissingProject
            | Self::EndpointBadPath
            | Self::EndpointRegional
            | Self::EndpointServerless
            | Self::EndpointAmlOnline
            | Self::EndpointAgent
            | Self::EndpointPortal
            | Self::EndpointArmId
            | Self::EndpointConnectionString
            | Self::PolicyInvalid
            | Self::ScenarioInvalid
            | Self::ProviderName
            | Self::ProviderModel
            | Self::ProviderConflict
            | Self::ProviderHeader
            | Self::ProviderLimit
            | Self::ProviderScope
            | Self::CredentialConfiguration
            | Self::CredentialUnavailable
            | Self::CredentialRefused
            | Self::CredentialFailed
            | Self::CredentialNotInstalled
            | Self::CredentialInvalid
            | Self::TokenTimeout
            | Self::TokenEmpty
            | Self::TokenMalformed
            | Self::TokenRejectedAgain
            | Self::TokenClaimsChallenge
            | Self::TokenClosed => true,
            Self::ExpiryNotJson
            | Self::ExpiryTooLarge
            | Self::ExpiryDuplicateField
            | Self::ExpiryNoToken
            | Self::ExpiryMissing
            | Self::ExpiryUnreadable
            | Self::ExpiryZoneRequired
            | Self::ExpiryExpired
            | Self::ExpiryTooFar
            | Self::CredentialThrottled
            | Self::CredentialServerError
            | Self::CredentialNetwork
            | Self::TokenNotRenewed => false,
        }
    }

    /// Whether the same call may succeed later although nobody changes anything: an outage, a lost
    /// connection, a limit.
    ///
    /// ```
    /// use copilot_keyless::Code;
    ///
    /// assert!(Code::CredentialServerError.is_retryable());
    /// assert!(!Code::CredentialRefused.is_retryable());
    /// ```
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::CredentialThrottled
                | Self::CredentialServerError
                | Self::CredentialNetwork
                | Self::TokenTimeout
                | Self::TokenNotRenewed
        )
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    /// Parses the stable string form.
    fn from_str(text: &str) -> std::result::Result<Self, UnknownCode> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or(UnknownCode)
    }
}

/// The error for a text that is not a [`Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCode;

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such code")
    }
}

impl std::error::Error for UnknownCode {}

/// The result of a fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error with a stable code. Neither the message nor the hint ever contains a token or a secret.
///
/// ```
/// use copilot_keyless::{Code, Error};
///
/// let error = Error::new(Code::PolicyInvalid, "retryMinMs must be a positive number of milliseconds; it is -1")
///     .hint("Leave it out to get the default of 30,000 ms.");
/// assert_eq!(error.code().as_str(), "policy/invalid");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Parts>);

/// Boxed, because every `?` moves the error, which would otherwise be a large part of a parser's
/// code.
#[derive(Clone, PartialEq, Eq)]
struct Parts {
    code: Code,
    message: String,
    hint: Option<String>,
}

/// Whether errors have messages and hints.
pub(crate) const TEXTS: bool = cfg!(feature = "texts");

/// Formats a message or a hint, as `format!` does. Empty if errors have none.
macro_rules! error_text {
    ($($part:tt)+) => {
        if $crate::error::TEXTS { format!($($part)+) } else { String::new() }
    };
}
pub(crate) use error_text;

impl Error {
    /// Creates an error with a message. Without the feature `texts` it has none.
    #[inline]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            message: if TEXTS { message.into() } else { String::new() },
            hint: None,
        }))
    }

    /// Adds a hint: the next step, in one or two sentences. Without the feature `texts` there is none.
    #[inline]
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if TEXTS {
            self.0.hint = Some(hint.into());
        }
        self
    }

    /// Prefixes the message with the place of the error.
    #[must_use]
    pub(crate) fn within(mut self, place: &str) -> Self {
        self.0.message = error_text!("{place}: {}", self.0.message);
        self
    }

    /// Returns the stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Returns the message, which is one sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the hint.
    pub fn next_step(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("hint", &self.0.hint)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message(), self.code().as_str())
    }
}

impl std::error::Error for Error {}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// Serializes as `{ code, message, hint }` for the bindings.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Error", 3)?;
        fields.serialize_field("code", self.code().as_str())?;
        fields.serialize_field("message", self.message())?;
        fields.serialize_field("hint", &self.next_step())?;
        fields.end()
    }
}
