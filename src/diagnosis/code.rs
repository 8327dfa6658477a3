//! Lists the codes of a diagnosis, with their strings and titles.

/// Declares an enum of codes, its strings and titles from one list, so that none is missing.
macro_rules! codes {
    ($(#[doc = $about:literal])+ $codes:ident, $($(#[doc = $doc:literal])+ $name:ident => $text:literal, $title:literal,)+) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $codes {
            $($(#[doc = $doc])+ $name,)+
        }

        impl $codes {
            /// All codes.
            pub const ALL: &'static [$codes] = &[$($codes::$name,)+];

            /// Returns the stable string form, in kebab case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($codes::$name => $text,)+
                }
            }

            /// Returns a short title.
            pub const fn title(self) -> &'static str {
                match self {
                    $($codes::$name => $title,)+
                }
            }
        }

        impl serde::Serialize for $codes {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(super) use codes;

codes! {
    /// The cause of a failure. The string form is stable and part of the public API.
    DiagnosisCode,

    /// The request was served.
    Ok => "ok", "The request succeeded",
    /// The token is for another audience.
    WrongAudience => "wrong-audience", "The token is for another audience",
    /// The token is of another cloud than the resource, such as Azure Government.
    WrongCloud => "wrong-cloud", "The token is for another Azure cloud",
    /// The token has expired.
    TokenExpired => "token-expired", "The token has expired",
    /// The token was rejected for another reason, or was missing.
    TokenInvalid => "token-invalid", "The token was rejected",
    /// The resource demands a token with more claims (continuous access evaluation).
    ClaimsChallenge => "claims-challenge", "The resource demands a new token with more claims",
    /// The principal lacks a role.
    MissingRole => "missing-role", "The principal lacks a role",
    /// The token comes from another tenant than the resource.
    WrongTenant => "wrong-tenant", "The token comes from another tenant",
    /// The resource has no custom subdomain, which token authentication requires.
    CustomSubdomainRequired => "custom-subdomain-required", "The resource has no custom subdomain, so it accepts no token",
    /// The resource checked an API key, and the key is wrong.
    BadKey => "bad-key", "The resource rejected an API key",
    /// The request has an API key, and the resource accepts none.
    KeysDisabled => "keys-disabled", "The resource accepts no API keys",
    /// The resource's firewall blocks the network.
    Firewall => "firewall", "The resource's firewall blocks this network",
    /// The resource does not accept public network access.
    PublicAccessDisabled => "public-access-disabled", "The resource accepts private endpoints only",
    /// Azure has blocked the resource or the subscription, or a policy denies the operation.
    ResourceBlocked => "resource-blocked", "Azure has blocked the resource",
    /// There is no deployment of that name.
    DeploymentNotFound => "deployment-not-found", "There is no deployment of that name",
    /// There is no resource, project or subscription of that name.
    ResourceNotFound => "resource-not-found", "There is no resource of that name",
    /// The resource has no such route.
    WrongPath => "wrong-path", "The resource has no such path",
    /// The route does not support the API version.
    ApiVersion => "api-version", "The route does not accept the API version",
    /// The model does not support this API.
    OperationNotSupported => "operation-not-supported", "The model does not support this API",
    /// The model does not support a parameter or its value.
    UnsupportedParameter => "unsupported-parameter", "The model does not support a parameter of the request",
    /// The input is longer than the model accepts.
    ContextLength => "context-length", "The input is too long for the model",
    /// The request contains reasoning of another resource.
    EncryptedContent => "encrypted-content", "The request contains encrypted content of another resource",
    /// The request refers to a response or an item that the resource did not store.
    ItemNotFound => "item-not-found", "The request refers to an item that the resource does not have",
    /// Too many requests or tokens.
    RateLimited => "rate-limited", "The deployment's rate limit is reached",
    /// A quota is used up that waiting does not restore.
    QuotaExceeded => "quota-exceeded", "A quota is used up",
    /// The content filter blocked the request.
    ContentFilter => "content-filter", "Azure's content filter blocked the request",
    /// A gateway in front of the resource requires its own key.
    GatewayKey => "gateway-key", "A gateway requires its own key",
    /// A gateway or a web server responded with a web page.
    GatewayPage => "gateway-page", "A web page came instead of a response of the API",
    /// Another error in the request.
    BadRequest => "bad-request", "The resource does not accept the request",
    /// The resource failed.
    ServerError => "server-error", "The resource failed",
    /// There was no response.
    Network => "network", "The resource cannot be reached",
    /// The resource accepted the request and sent nothing of a response in time.
    FirstByteTimeout => "first-byte-timeout", "The resource sent nothing in time",
    /// None of the above.
    Unknown => "unknown", "The cause is unknown",
}

impl DiagnosisCode {
    /// Whether the same request may succeed later although nobody changes anything.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::ServerError
                | Self::Network
                | Self::FirstByteTimeout
                | Self::TokenExpired
        )
    }
}
