//! Lists the codes of a diagnosis, with their strings and titles.

use serde::{Serialize, Serializer};

/// Declares [`DiagnosisCode`], its strings and titles from one list, so that none is missing.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal, $title:literal,)+) => {
        /// The cause of a failure. The string form is stable and part of the public API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum DiagnosisCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl DiagnosisCode {
            /// All codes.
            pub const ALL: &'static [DiagnosisCode] = &[$(DiagnosisCode::$name,)+];

            /// Returns the stable string form, such as `missing-role`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(DiagnosisCode::$name => $text,)+
                }
            }

            /// Returns a short title.
            pub const fn title(self) -> &'static str {
                match self {
                    $(DiagnosisCode::$name => $title,)+
                }
            }
        }
    };
}

codes! {
    /// The request was served.
    Ok => "ok", "The request was served",
    /// The token is for another audience.
    WrongAudience => "wrong-audience", "The token is for another audience",
    /// The token has expired.
    TokenExpired => "token-expired", "The token has expired",
    /// The token was rejected for another reason, or was missing.
    TokenInvalid => "token-invalid", "The token was rejected",
    /// The principal lacks a role.
    MissingRole => "missing-role", "The principal has no role that allows this",
    /// The token comes from another tenant than the resource.
    WrongTenant => "wrong-tenant", "The token comes from another tenant",
    /// The resource has no custom subdomain, which token authentication requires.
    CustomSubdomainRequired => "custom-subdomain-required", "The resource has no custom subdomain, so it takes no token",
    /// The resource checked an API key, and the key is wrong.
    BadKey => "bad-key", "The resource looked for an API key",
    /// The request has an API key, and the resource accepts none.
    KeysDisabled => "keys-disabled", "An API key was sent, and the resource takes none",
    /// The resource's firewall blocks the network.
    Firewall => "firewall", "The resource's firewall blocks this network",
    /// The resource does not accept public network access.
    PublicAccessDisabled => "public-access-disabled", "The resource can be reached through a private endpoint only",
    /// There is no deployment of that name.
    DeploymentNotFound => "deployment-not-found", "There is no deployment of that name",
    /// The resource has no such route.
    WrongPath => "wrong-path", "The resource does not know this path",
    /// The route does not support the API version.
    ApiVersion => "api-version", "The API version does not fit the route",
    /// The model does not support this API.
    OperationNotSupported => "operation-not-supported", "The model does not serve this API",
    /// Too many requests or tokens.
    RateLimited => "rate-limited", "The deployment's quota is used up for now",
    /// The content filter blocked the request.
    ContentFilter => "content-filter", "Azure's content filter stopped the request",
    /// A gateway in front of the resource requires its own key.
    GatewayKey => "gateway-key", "A gateway in front of the resource wants its own key",
    /// Another error in the request.
    BadRequest => "bad-request", "The resource does not accept the request",
    /// The resource failed.
    ServerError => "server-error", "The resource failed",
    /// There was no response.
    Network => "network", "The resource cannot be reached",
    /// None of the above.
    Unknown => "unknown", "The request failed for a reason that is not known here",
}

impl Serialize for DiagnosisCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
