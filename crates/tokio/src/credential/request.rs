//! The request that a credential gets, and its answer.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::CredentialError;
use crate::Token;
use crate::clock::{millis_since_epoch, time_of};

/// A request for a token. More fields may come.
///
/// ```
/// use copilot_keyless_tokio::TokenRequest;
///
/// let request = TokenRequest::new(["https://ai.azure.com/.default"]).with_tenant("contoso.com");
/// assert_eq!(request.tenant.as_deref(), Some("contoso.com"));
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The scopes. Managed identities and developer tools take exactly one.
    pub scopes: Vec<String>,
    /// The tenant that issues the token. Default: the credential's.
    pub tenant: Option<String>,
    /// The claims of a claims challenge, as JSON text.
    pub claims: Option<String>,
    /// The token that the resource rejected last.
    rejected: Option<Token>,
    noted: Arc<Mutex<Option<CredentialError>>>,
}

impl TokenRequest {
    /// Creates a request for scopes.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenRequest;
    ///
    /// assert_eq!(TokenRequest::new(["https://ai.azure.com/.default"]).scopes.len(), 1);
    /// ```
    pub fn new(scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            scopes: scopes.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Sets the tenant.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenRequest;
    ///
    /// let request = TokenRequest::new(["https://ai.azure.com/.default"]).with_tenant("contoso.com");
    /// assert_eq!(request.tenant.as_deref(), Some("contoso.com"));
    /// ```
    #[must_use]
    pub fn with_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets the claims of a claims challenge, as JSON text.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenRequest;
    ///
    /// let claims = r#"{"access_token":{"nbf":{"essential":true}}}"#;
    /// let request = TokenRequest::new(["https://ai.azure.com/.default"]).with_claims(claims);
    /// assert_eq!(request.claims.as_deref(), Some(claims));
    /// ```
    #[must_use]
    pub fn with_claims(mut self, claims: impl Into<String>) -> Self {
        self.claims = Some(claims.into());
        self
    }

    pub(crate) fn after(mut self, rejected: Option<Token>) -> Self {
        self.rejected = rejected;
        self
    }

    /// Returns the token that the resource rejected, which a platform's cache may return again.
    ///
    /// ```
    /// use copilot_keyless_tokio::TokenRequest;
    ///
    /// fn may_use_a_cache(request: &TokenRequest) -> bool {
    ///     request.rejected().is_none()
    /// }
    /// ```
    pub fn rejected(&self) -> Option<&Token> {
        self.rejected.as_ref()
    }

    /// Notes the failure of an attempt while the credential goes on to try again: the error of callers
    /// whose wait ends meanwhile then names it.
    ///
    /// ```
    /// use copilot_keyless_tokio::{CredentialError, TokenRequest};
    ///
    /// let request = TokenRequest::new(["https://ai.azure.com/.default"]);
    /// request.note(CredentialError::new("HTTP 503").with_status(503));
    /// ```
    pub fn note(&self, failure: CredentialError) {
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
    }

    pub(crate) fn noted(&self) -> Option<CredentialError> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A token and its times, as a credential returns it. The memory of the token is wiped.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use copilot_keyless_tokio::TokenResponse;
///
/// let response = TokenResponse::new("eyJhbGciOi", SystemTime::now() + Duration::from_secs(3_600));
/// assert!(!format!("{response:?}").contains("eyJhbGciOi"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct TokenResponse {
    pub(crate) secret: Zeroizing<String>,
    pub(crate) expires_on: SystemTime,
    pub(crate) refresh_after: Option<SystemTime>,
}

impl TokenResponse {
    /// Creates a response. The token may begin with `Bearer `.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use copilot_keyless_tokio::TokenResponse;
    ///
    /// let response = TokenResponse::new("secret", SystemTime::now() + Duration::from_secs(3_600));
    /// ```
    pub fn new(secret: impl Into<String>, expires_on: SystemTime) -> Self {
        Self {
            secret: Zeroizing::new(secret.into()),
            expires_on,
            refresh_after: None,
        }
    }

    /// Sets the time from which the issuer advises to refresh the token.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use copilot_keyless_tokio::TokenResponse;
    ///
    /// let now = SystemTime::now();
    /// let response = TokenResponse::new("secret", now + Duration::from_secs(86_400))
    ///     .with_refresh_after(now + Duration::from_secs(43_200));
    /// ```
    #[must_use]
    pub fn with_refresh_after(mut self, at: SystemTime) -> Self {
        self.refresh_after = Some(at);
        self
    }

    /// Reads the JSON of a token endpoint or of a developer tool: Entra, IMDS, App Service, `az`, `azd`.
    /// `requested_at` is when the request was sent: `expires_in` counts from then.
    ///
    /// Errors: says what is missing.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use copilot_keyless_tokio::TokenResponse;
    ///
    /// let body = br#"{ "access_token": "secret", "expires_in": 3600 }"#;
    /// let response = TokenResponse::from_json(body, UNIX_EPOCH)?;
    /// assert_eq!(response.expires_on(), UNIX_EPOCH + Duration::from_secs(3_600));
    /// # Ok::<(), copilot_keyless_tokio::CredentialError>(())
    /// ```
    pub fn from_json(body: &[u8], requested_at: SystemTime) -> Result<Self, CredentialError> {
        let read =
            copilot_keyless::token::parse_token_response(body, millis_since_epoch(requested_at), |_| None)?;
        let response = Self::new(read.token.into_exposed(), time_of(read.lifetime.expires()));
        Ok(match read.lifetime.refresh_after() {
            Some(at) => response.with_refresh_after(time_of(at)),
            None => response,
        })
    }

    /// Returns when the token expires.
    ///
    /// ```
    /// use std::time::UNIX_EPOCH;
    /// use copilot_keyless_tokio::TokenResponse;
    ///
    /// assert_eq!(TokenResponse::new("secret", UNIX_EPOCH).expires_on(), UNIX_EPOCH);
    /// ```
    pub fn expires_on(&self) -> SystemTime {
        self.expires_on
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("secret", &format_args!("[redacted]"))
            .field("expires_on", &self.expires_on)
            .field("refresh_after", &self.refresh_after)
            .finish()
    }
}
