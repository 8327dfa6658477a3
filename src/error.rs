//! One error type for the whole crate: a stable [`Code`], a sentence for people, and the next step.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// Declares [`Code`], its strings and [`Code::ALL`] from one list, so that none can be forgotten.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal,)+) => {
        /// What went wrong. The string form ([`Code::as_str`]) is stable and part of the public API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code there is, in the order of the list above.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The stable string form, such as `endpoint/placeholder`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text,)+
                }
            }
        }
    };
}

codes! {
    /// No endpoint was given.
    EndpointEmpty => "endpoint/empty",
    /// The text is no URL; often an unset variable pasted into one.
    EndpointNotAUrl => "endpoint/not-a-url",
    /// A `<my-resource>` of a guide was left in.
    EndpointPlaceholder => "endpoint/placeholder",
    /// `http:` to a host other than this machine.
    EndpointInsecureHttp => "endpoint/insecure-http",
    /// A scheme other than `http` and `https`.
    EndpointUnsupportedScheme => "endpoint/unsupported-scheme",
    /// `user@host`: the host is not what it seems to be.
    EndpointUserinfo => "endpoint/userinfo-not-allowed",
    /// A port that Azure does not serve.
    EndpointPort => "endpoint/unexpected-port",
    /// A host that resembles an Azure host and is none.
    EndpointLookalike => "endpoint/host-lookalike",
    /// An Azure domain without the resource's name in front.
    EndpointMissingResource => "endpoint/missing-resource",
    /// `/api/projects` without a project's name.
    EndpointMissingProject => "endpoint/missing-project",
    /// A path that no Foundry route has.
    EndpointBadPath => "endpoint/bad-path",
    /// A regional endpoint, which takes no Entra token.
    EndpointRegional => "endpoint/regional-endpoint",
    /// A serverless model endpoint.
    EndpointServerless => "endpoint/serverless-endpoint",
    /// An Azure Machine Learning online endpoint.
    EndpointAmlOnline => "endpoint/aml-online-endpoint",
    /// A Foundry agent's endpoint, not a model's.
    EndpointAgent => "endpoint/agent-endpoint",
    /// A page of the Azure or Foundry portal.
    EndpointPortal => "endpoint/portal-url",
    /// An Azure Resource Manager id.
    EndpointArmId => "endpoint/arm-resource-id",
    /// A connection string.
    EndpointConnectionString => "endpoint/connection-string",

    /// The token response is not JSON, or not a JSON object.
    ExpiryNotJson => "expiry/not-json",
    /// The token response is larger than any real one.
    ExpiryTooLarge => "expiry/too-large",
    /// The token response names one field twice.
    ExpiryDuplicateField => "expiry/duplicate-field",
    /// The token response carries no token.
    ExpiryNoToken => "expiry/no-token",
    /// Nothing tells when the token expires.
    ExpiryMissing => "expiry/missing",
    /// A date or number in no known format.
    ExpiryUnreadable => "expiry/unreadable",
    /// A local time without an offset, and no time zone to read it in.
    ExpiryZoneRequired => "expiry/zone-required",
    /// An expiry that lies at or before the request for the token.
    ExpiryExpired => "expiry/already-expired",
    /// An expiry further ahead than any Entra token's.
    ExpiryTooFar => "expiry/too-far-ahead",

    /// A field of the refresh policy is out of range.
    PolicyInvalid => "policy/invalid",

    /// A field of a simulated scenario is out of range.
    ScenarioInvalid => "scenario/invalid",

    /// A provider's name that is missing, malformed or taken.
    ProviderName => "provider/name",
    /// No model or deployment name, or a bad one.
    ProviderModel => "provider/model",
    /// Options that exclude each other, or that the endpoint cannot serve.
    ProviderConflict => "provider/conflict",
    /// A header that must not be set, or is malformed.
    ProviderHeader => "provider/header",
    /// A limit that is no positive whole number.
    ProviderLimit => "provider/limit",
    /// A token scope in no known form.
    ProviderScope => "provider/scope",

    /// The environment asks for a credential that there is not.
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
    /// What the credential needs is not installed.
    CredentialNotInstalled => "credential/not-installed",
    /// What was passed as a credential is none.
    CredentialInvalid => "credential/invalid",

    /// No token came in time.
    TokenTimeout => "token/timeout",
    /// The credential returned no token.
    TokenEmpty => "token/empty",
    /// What the credential returned is no token.
    TokenMalformed => "token/malformed",
    /// The credential gave out the same token again although it is about to expire.
    TokenNotRenewed => "token/not-renewed",
    /// The credential returned the token that the resource had just rejected.
    TokenRejectedAgain => "token/rejected-again",
    /// The resource asks for claims that the token does not get.
    TokenClaimsChallenge => "token/claims-challenge",
    /// The token provider is closed.
    TokenClosed => "token/closed",
}

impl Code {
    /// Whether a caller that gets no token with this code should give up instead of asking again: the cause stays until somebody
    /// changes a setting or a role, or callers have waited long enough. The match names each code, so that a new one must decide.
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
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    /// Reads the stable string form.
    fn from_str(text: &str) -> std::result::Result<Self, UnknownCode> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or(UnknownCode)
    }
}

/// A text that is no [`Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCode;

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such code")
    }
}

impl std::error::Error for UnknownCode {}

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// An error with a stable code. Neither the message nor the hint ever holds a token or a secret.
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

/// Boxed, because every `?` on the way out moves the error, which is a good part of the code of a parser otherwise.
#[derive(Clone, PartialEq, Eq)]
struct Parts {
    code: Code,
    message: String,
    hint: Option<String>,
}

impl Error {
    /// An error that says what was wrong.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            code,
            message: message.into(),
            hint: None,
        }))
    }

    /// Adds the next step: what to do, in one or two sentences.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says in front of the message where in a list it was wrong.
    #[must_use]
    pub(crate) fn within(mut self, place: &str) -> Self {
        self.0.message = format!("{place}: {}", self.0.message);
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What was wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
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

/// `{ code, message, hint }`, as the bindings hand it over.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Error", 3)?;
        fields.serialize_field("code", self.code().as_str())?;
        fields.serialize_field("message", self.message())?;
        fields.serialize_field("hint", &self.next_step())?;
        fields.end()
    }
}
