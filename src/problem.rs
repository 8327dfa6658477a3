//! Decides what a caller of an app learns about a failure of the app.

use serde::Serialize;

use crate::Code;
use crate::diagnosis::DiagnosisCode;

/// Declares [`Problem`], its names, statuses and messages from one list.
macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal, $status:literal, $message:literal,)+) => {
        /// What a caller of an app, such as a browser, learns about a failure: an HTTP status and a
        /// message that does not disclose the app's resources and roles. A status that was meant
        /// for the app, such as a 401 of the resource, is not passed on.
        ///
        /// ```
        /// use copilot_keyless::{Code, Problem};
        ///
        /// let problem = Problem::of(Code::CredentialThrottled);
        /// assert_eq!(problem.status(), 503);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Problem {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Problem {
            /// All problems.
            pub const ALL: &'static [Problem] = &[$(Problem::$name,)+];

            /// Returns the name, such as `misconfigured`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Problem::$name => $text,)+
                }
            }

            /// Returns the HTTP status.
            pub const fn status(self) -> u16 {
                match self {
                    $(Problem::$name => $status,)+
                }
            }

            /// Returns the message.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Problem::$name => $message,)+
                }
            }
        }
    };
}

problems! {
    /// The model failed, or the app's request to it was rejected.
    Upstream => "upstream", 502, "The model rejected the request, or failed.",
    /// The model or the identity endpoint took too long.
    Late => "late", 504, "The reply took too long.",
    /// The model is over capacity.
    Overloaded => "overloaded", 503, "The model is over capacity. Try again later.",
    /// A service is unavailable for now.
    Unavailable => "unavailable", 503, "A service that this app needs is unavailable. Try again later.",
    /// Somebody has to change a setting of the app.
    Misconfigured => "misconfigured", 500, "This app is misconfigured.",
    /// The content filter blocked the prompt or the reply.
    Filtered => "filtered", 422, "The content filter blocked the prompt or the reply. Rephrase the prompt.",
    /// The app failed to identify its caller.
    UnknownCaller => "unknown-caller", 500, "This app could not identify the caller.",
    /// The app took too long to identify its caller.
    UnknownCallerInTime => "unknown-caller-in-time", 504, "This app could not identify the caller.",
    /// Anything else.
    Unexpected => "unexpected", 500, "An unexpected error occurred.",
}

impl Problem {
    /// Returns the problem of an error. The match has no wildcard, so that each new code needs a
    /// decision.
    pub const fn of(code: Code) -> Self {
        match code {
            Code::EndpointEmpty
            | Code::EndpointNotAUrl
            | Code::EndpointPlaceholder
            | Code::EndpointInsecureHttp
            | Code::EndpointUnsupportedScheme
            | Code::EndpointUserinfo
            | Code::EndpointPort
            | Code::EndpointLookalike
            | Code::EndpointMissingResource
            | Code::EndpointMissingProject
            | Code::EndpointBadPath
            | Code::EndpointRegional
            | Code::EndpointServerless
            | Code::EndpointAmlOnline
            | Code::EndpointAgent
            | Code::EndpointPortal
            | Code::EndpointArmId
            | Code::EndpointConnectionString
            | Code::ExpiryNotJson
            | Code::ExpiryTooLarge
            | Code::ExpiryDuplicateField
            | Code::ExpiryNoToken
            | Code::ExpiryMissing
            | Code::ExpiryUnreadable
            | Code::ExpiryZoneRequired
            | Code::ExpiryExpired
            | Code::ExpiryTooFar
            | Code::PolicyInvalid
            | Code::ProviderName
            | Code::ProviderModel
            | Code::ProviderConflict
            | Code::ProviderHeader
            | Code::ProviderLimit
            | Code::ProviderScope
            | Code::CredentialConfiguration
            | Code::CredentialUnavailable
            | Code::CredentialRefused
            | Code::CredentialFailed
            | Code::CredentialNotInstalled
            | Code::CredentialInvalid
            | Code::TokenEmpty
            | Code::TokenMalformed
            | Code::TokenNotRenewed
            | Code::TokenClaimsChallenge => Self::Misconfigured,
            Code::CredentialThrottled
            | Code::CredentialServerError
            | Code::CredentialNetwork
            | Code::TokenClosed => Self::Unavailable,
            Code::TokenTimeout => Self::Late,
            Code::TokenRejectedAgain => Self::Upstream,
            Code::ScenarioInvalid => Self::Unexpected,
        }
    }

    /// Returns the problem of a diagnosis. The match has no wildcard, so that each new code needs a
    /// decision.
    pub const fn of_diagnosis(code: DiagnosisCode) -> Self {
        match code {
            DiagnosisCode::RateLimited => Self::Overloaded,
            DiagnosisCode::ContentFilter => Self::Filtered,
            DiagnosisCode::FirstByteTimeout => Self::Late,
            DiagnosisCode::Ok
            | DiagnosisCode::WrongAudience
            | DiagnosisCode::WrongCloud
            | DiagnosisCode::QuotaExceeded
            | DiagnosisCode::ClaimsChallenge
            | DiagnosisCode::ResourceBlocked
            | DiagnosisCode::ResourceNotFound
            | DiagnosisCode::UnsupportedParameter
            | DiagnosisCode::ContextLength
            | DiagnosisCode::EncryptedContent
            | DiagnosisCode::ItemNotFound
            | DiagnosisCode::GatewayPage
            | DiagnosisCode::TokenExpired
            | DiagnosisCode::TokenInvalid
            | DiagnosisCode::MissingRole
            | DiagnosisCode::WrongTenant
            | DiagnosisCode::CustomSubdomainRequired
            | DiagnosisCode::BadKey
            | DiagnosisCode::KeysDisabled
            | DiagnosisCode::Firewall
            | DiagnosisCode::PublicAccessDisabled
            | DiagnosisCode::DeploymentNotFound
            | DiagnosisCode::WrongPath
            | DiagnosisCode::ApiVersion
            | DiagnosisCode::OperationNotSupported
            | DiagnosisCode::GatewayKey
            | DiagnosisCode::BadRequest
            | DiagnosisCode::ServerError
            | DiagnosisCode::Network
            | DiagnosisCode::Unknown => Self::Upstream,
        }
    }

    /// Returns the problem by the text of a [`Code`], by that of a [`DiagnosisCode`] after `model/`,
    /// or by its own name. Any other text is [`Problem::Unexpected`].
    pub fn by_text(text: &str) -> Self {
        if let Ok(code) = text.parse() {
            return Self::of(code);
        }
        if let Some(diagnosis) = text.strip_prefix("model/") {
            let found = DiagnosisCode::ALL.iter().find(|code| code.as_str() == diagnosis);
            return found.map_or(Self::Unexpected, |code| Self::of_diagnosis(*code));
        }
        let found = Self::ALL.iter().find(|problem| problem.as_str() == text);
        found.copied().unwrap_or(Self::Unexpected)
    }
}

/// Serializes as `{ status, message }` for the bindings.
impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("Problem", 2)?;
        fields.serialize_field("status", &self.status())?;
        fields.serialize_field("message", self.message())?;
        fields.end()
    }
}
