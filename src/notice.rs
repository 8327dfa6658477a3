//! Defines warnings: repairs and assumptions, each with a stable code.

use serde::Serialize;

/// Declares [`NoticeCode`], its strings and [`NoticeCode::ALL`] from one list.
macro_rules! notices {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal,)+) => {
        /// The kind of a warning. The string form ([`NoticeCode::as_str`]) is stable and part of
        /// the public API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum NoticeCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl NoticeCode {
            /// All codes, in the order of the list.
            pub const ALL: &'static [NoticeCode] = &[$(NoticeCode::$name,)+];

            /// Returns the stable string form, such as `scheme-added`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(NoticeCode::$name => $text,)+
                }
            }
        }
    };
}

notices! {
    /// `https://` (on loopback `http://`) was added.
    SchemeAdded => "scheme-added",
    /// Quotes, backticks, angle brackets, or commas or semicolons at the end, were removed.
    QuotesStripped => "quotes-stripped",
    /// The dot at the end of the host was removed.
    TrailingDotStripped => "trailing-dot-stripped",
    /// An incomplete path, such as `/openai`, was completed, or a repeated part such as `/v1/v1`
    /// dropped.
    PathCompleted => "path-completed",
    /// The operation at the end of the path, such as `/responses`, was removed.
    OperationPathStripped => "operation-path-stripped",
    /// The query string or fragment was removed.
    QueryStripped => "query-stripped",
    /// `/openai/deployments/NAME` became `/openai/v1/`; the name was kept.
    LegacyDeploymentPath => "legacy-deployment-path",
    /// The `privatelink` label was removed from the host.
    PrivatelinkHostRewritten => "privatelink-host-rewritten",
    /// The `/models` inference route became `/openai/v1/`.
    ModelInferenceRouteRewritten => "model-inference-route-rewritten",
    /// `/openai/v1/` was appended to the path of a gateway or an unknown host.
    GatewayPathAssumed => "gateway-path-assumed",
    /// The documentation names two scopes for this route.
    ScopeDocConflict => "scope-doc-conflict",
    /// This was not tested in the cloud of the host.
    UnverifiedCloud => "unverified-cloud",
    /// The scope of this host is unknown and was not set.
    ScopeRequired => "scope-required",
    /// The host does not accept Microsoft Entra tokens.
    NotAzure => "not-azure",
    /// The caller's own credential needs the authority host of the sovereign cloud.
    AuthorityHostRequired => "authority-host-required",
    /// Two environment variables contradict each other.
    EnvConflict => "env-conflict",
    /// The deployment comes from the endpoint's path.
    DeploymentFromPath => "deployment-from-path",
    /// This kind of endpoint does not usually serve the default model.
    ModelAssumed => "model-assumed",

    /// No setting selects a credential, so the whole chain is tried.
    CredentialChain => "credential-chain",
    /// Variables of an identity are set but have no effect.
    CredentialUnused => "credential-unused",
    /// Variables of a service principal are missing.
    ServicePrincipalIncomplete => "service-principal-incomplete",
    /// Variables of a workload identity are missing.
    WorkloadIdentityIncomplete => "workload-identity-incomplete",
    /// One of the two variables of a managed identity's endpoint is missing.
    ManagedIdentityIncomplete => "managed-identity-incomplete",
    /// Variables for the OIDC token of a job are missing.
    OidcIncomplete => "oidc-incomplete",
    /// The host has no managed identity assigned.
    ManagedIdentityMissing => "managed-identity-missing",
    /// Requests to the metadata service go through a proxy.
    ImdsProxied => "imds-proxied",
    /// The client id is not a GUID.
    ClientIdMalformed => "client-id-malformed",
    /// The authority host in the environment belongs to another cloud than the endpoint.
    AuthorityHostConflict => "authority-host-conflict",
    /// The authority host in the environment is not an https URL.
    AuthorityHostMalformed => "authority-host-malformed",
}

impl Serialize for NoticeCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A warning: a stable code and a message. It never contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Notice {
    /// The code.
    pub code: NoticeCode,
    /// The repair or assumption, and the next step.
    pub message: String,
}

impl Notice {
    pub(crate) fn new(code: NoticeCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}
