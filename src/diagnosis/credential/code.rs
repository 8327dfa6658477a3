//! Lists the codes of a credential's failure, with their strings and titles.

use crate::diagnosis::code::codes;

codes! {
    /// The reason why a credential gave no token. The string form is stable and part of the public
    /// API.
    CredentialDiagnosisCode,

    /// Nobody is signed in to the developer tool.
    NotSignedIn => "not-signed-in", "Nobody is signed in",
    /// The sign-in has expired or was revoked.
    SignInExpired => "sign-in-expired", "The sign-in has expired",
    /// The developer tool is not installed, or not on the PATH.
    ToolNotInstalled => "tool-not-installed", "The sign-in tool is not installed",
    /// The developer tool did not answer in time.
    ToolTimeout => "tool-timeout", "The sign-in tool did not answer in time",
    /// The developer tool failed, or its output cannot be read.
    ToolFailed => "tool-failed", "The sign-in tool failed",
    /// Several credentials were tried, and none is set up.
    NoCredential => "no-credential", "No credential is set up here",
    /// The client secret or certificate has expired.
    SecretExpired => "secret-expired", "The client secret has expired",
    /// The client secret is wrong.
    WrongSecret => "wrong-secret", "The client secret is wrong",
    /// The certificate that signed the request is not registered on the application.
    CertificateNotRegistered => "certificate-not-registered", "The certificate is not registered on the application",
    /// No federated credential of the application matches the token.
    FederatedMismatch => "federated-mismatch", "No federated credential matches the token",
    /// No federated credential has the token's subject.
    FederatedSubject => "federated-subject", "No federated credential has the token's subject",
    /// No federated credential has the token's issuer.
    FederatedIssuer => "federated-issuer", "No federated credential has the token's issuer",
    /// No federated credential has the token's audience.
    FederatedAudience => "federated-audience", "No federated credential has the token's audience",
    /// The application has no federated credential.
    FederatedNone => "federated-none", "The application has no federated credential",
    /// The federated token or signed assertion has expired, or is not valid yet.
    AssertionExpired => "assertion-expired", "The federated token has expired",
    /// The federated token or signed assertion is malformed, or its signature is wrong.
    AssertionInvalid => "assertion-invalid", "The federated token is invalid",
    /// The federated token is missing.
    AssertionMissing => "assertion-missing", "The federated token is missing",
    /// This host has no managed identity.
    NoManagedIdentity => "no-managed-identity", "This host has no managed identity",
    /// The metadata service (IMDS) cannot be reached.
    ImdsUnreachable => "imds-unreachable", "The managed identity endpoint cannot be reached",
    /// The requested identity is not assigned to this host.
    IdentityNotAssigned => "identity-not-assigned", "The managed identity is not assigned to this host",
    /// Several identities are assigned, and none was chosen.
    SeveralIdentities => "several-identities", "Several managed identities are assigned, and none is chosen",
    /// The tenant is wrong or missing, or the user or application belongs to another.
    WrongTenant => "wrong-tenant", "The tenant is wrong",
    /// The directory does not have the application.
    ApplicationNotFound => "application-not-found", "The tenant does not have this application",
    /// The application is disabled.
    ApplicationDisabled => "application-disabled", "The application is disabled",
    /// The principal is not assigned to the application of the resource.
    NotAssignedToApplication => "not-assigned-to-application", "The principal is not assigned to the application",
    /// Consent is missing.
    ConsentMissing => "consent-missing", "Consent is missing",
    /// A Conditional Access policy or another rule of the tenant blocks the sign-in.
    ConditionalAccess => "conditional-access", "Conditional Access blocks the sign-in",
    /// The sign-in needs multi-factor authentication.
    MfaRequired => "mfa-required", "Multi-factor authentication is required",
    /// The resource demands claims that the sign-in lacks.
    ClaimsChallenge => "claims-challenge", "The resource demands another sign-in",
    /// The user is disabled, locked or blocked.
    UserDisabled => "user-disabled", "The user is disabled or locked",
    /// The user does not exist.
    UserNotFound => "user-not-found", "The user does not exist",
    /// The user name or password is wrong.
    WrongPassword => "wrong-password", "The user name or password is wrong",
    /// The password has expired.
    PasswordExpired => "password-expired", "The password has expired",
    /// The resource or scope of the token is wrong.
    WrongScope => "wrong-scope", "The resource or scope is wrong",
    /// The service of the resource is disabled in the tenant, or not subscribed to.
    ResourceDisabled => "resource-disabled", "The resource's service is disabled in the tenant",
    /// The authority belongs to another cloud.
    WrongCloud => "wrong-cloud", "The authority belongs to another cloud",
    /// A proxy or gateway answered in place of the identity endpoint.
    Proxy => "proxy", "A proxy answered, or refused the connection",
    /// The certificate of the identity endpoint is not trusted.
    Tls => "tls", "The TLS connection failed",
    /// The name of the identity endpoint cannot be resolved.
    Dns => "dns", "The host name cannot be resolved",
    /// The identity endpoint did not answer in time.
    Timeout => "timeout", "The identity endpoint did not answer in time",
    /// The identity endpoint cannot be reached.
    Network => "network", "The identity endpoint cannot be reached",
    /// The identity endpoint throttles requests.
    Throttled => "throttled", "Too many token requests",
    /// The identity endpoint failed.
    ServerError => "server-error", "The identity endpoint failed",
    /// The clock of this machine is wrong.
    ClockSkew => "clock-skew", "The clock of this machine is wrong",
    /// A variable or option is missing or wrong.
    Configuration => "configuration", "The credential's settings are incomplete or wrong",
    /// The library that asks for the token is at fault.
    LibraryFault => "library-fault", "The credential library failed",
    /// No known cause fits.
    Unknown => "unknown", "The cause is unknown",
}

impl CredentialDiagnosisCode {
    /// Whether the same request may succeed later without a change.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::ToolTimeout
                | Self::Dns
                | Self::Timeout
                | Self::Network
                | Self::Throttled
                | Self::ServerError
        )
    }
}
