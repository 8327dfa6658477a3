//! Warnings: what was repaired or assumed, each with a stable code.

use serde::Serialize;

/// Declares [`NoticeCode`], its strings and [`NoticeCode::ALL`] from one list.
macro_rules! notices {
    ($($(#[doc = $doc:literal])+ $name:ident => $text:literal,)+) => {
        /// What a warning is about. The string form ([`NoticeCode::as_str`]) is stable and part of the public API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum NoticeCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl NoticeCode {
            /// Every code there is, in the order of the list above.
            pub const ALL: &'static [NoticeCode] = &[$(NoticeCode::$name,)+];

            /// The stable string form, such as `scheme-added`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(NoticeCode::$name => $text,)+
                }
            }
        }
    };
}

notices! {
    /// `https://` (on loopback `http://`) was put in front.
    SchemeAdded => "scheme-added",
    /// Quotes, backticks, angle brackets, or commas or semicolons at the end, were dropped.
    QuotesStripped => "quotes-stripped",
    /// A dot at the end of the host was dropped.
    TrailingDotStripped => "trailing-dot-stripped",
    /// A path that was begun, such as `/openai`, was completed.
    PathCompleted => "path-completed",
    /// The operation at the end of the path, such as `/responses`, was dropped.
    OperationPathStripped => "operation-path-stripped",
    /// The query string or fragment was dropped.
    QueryStripped => "query-stripped",
    /// `/openai/deployments/NAME` became `/openai/v1/`; the name was kept.
    LegacyDeploymentPath => "legacy-deployment-path",
    /// The `privatelink` label was dropped from the host.
    PrivatelinkHostRewritten => "privatelink-host-rewritten",
    /// The `/models` inference route became `/openai/v1/`.
    ModelInferenceRouteRewritten => "model-inference-route-rewritten",
    /// `/openai/v1/` was appended to the path of a gateway or an unknown host.
    GatewayPathAssumed => "gateway-path-assumed",
    /// The documentation names two scopes for this route.
    ScopeDocConflict => "scope-doc-conflict",
    /// Nobody has tried this in the cloud the host belongs to.
    UnverifiedCloud => "unverified-cloud",
    /// No scope is known for this host and none was given.
    ScopeRequired => "scope-required",
    /// The host takes no Microsoft Entra token.
    NotAzure => "not-azure",
    /// A credential of the program's own must be told the sovereign cloud's sign-in host.
    AuthorityHostRequired => "authority-host-required",
    /// Two environment variables contradict each other.
    EnvConflict => "env-conflict",
    /// The deployment's name was taken from the endpoint's path.
    DeploymentFromPath => "deployment-from-path",
    /// The default model is not one that this kind of endpoint usually serves.
    ModelAssumed => "model-assumed",

    /// Nothing chooses a credential, so the whole chain is tried.
    CredentialChain => "credential-chain",
    /// Variables of an identity are set and have no effect.
    CredentialUnused => "credential-unused",
    /// Variables of a service principal are missing.
    ServicePrincipalIncomplete => "service-principal-incomplete",
    /// Variables of a workload identity are missing.
    WorkloadIdentityIncomplete => "workload-identity-incomplete",
    /// One of the two variables of a managed identity's endpoint is missing.
    ManagedIdentityIncomplete => "managed-identity-incomplete",
    /// The host has no managed identity assigned.
    ManagedIdentityMissing => "managed-identity-missing",
    /// The metadata service is asked through a proxy.
    ImdsProxied => "imds-proxied",
    /// The client id is no GUID.
    ClientIdMalformed => "client-id-malformed",
    /// The authority in the environment is not of the endpoint's cloud.
    AuthorityHostConflict => "authority-host-conflict",
    /// The authority in the environment is no https URL.
    AuthorityHostMalformed => "authority-host-malformed",
}

impl Serialize for NoticeCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A warning: a stable code and a sentence for people. It never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Notice {
    /// What it is about.
    pub code: NoticeCode,
    /// What was done or assumed, and what to do about it.
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
