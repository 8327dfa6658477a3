//! Credentials and pipelines of the Azure SDK for Rust.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::http::headers::{AUTHORIZATION, WWW_AUTHENTICATE};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request, StatusCode};
use copilot_keyless::{Code, Error as CoreError};

use crate::credential::{BoxFuture, Credential, CredentialError, TokenRequest, TokenResponse};
use crate::repeat::another;
use crate::{Error, Token, TokenProvider, TokenProviders};

const SCHEME: &str = "Bearer ";

/// A credential of `azure_identity`, or another `TokenCredential`, as the source of a
/// [`TokenProvider`]. It takes no tenant and no claims.
///
/// ```
/// use std::sync::Arc;
/// use azure_core::credentials::TokenCredential;
/// use copilot_keyless_tokio::{AzureCredential, Error, TokenProvider};
///
/// fn provider(credential: Arc<dyn TokenCredential>) -> Result<TokenProvider, Error> {
///     TokenProvider::builder()
///         .scope("https://ai.azure.com/.default")
///         .credential(AzureCredential(credential))
///         .build()
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AzureCredential(pub Arc<dyn TokenCredential>);

impl Credential for AzureCredential {
    fn acquire<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<TokenResponse, CredentialError>> {
        Box::pin(async move {
            if request.tenant.is_some() {
                let error = CoreError::new(
                    Code::CredentialConfiguration,
                    "A credential of azure_core takes no tenant per request",
                );
                return Err(error.hint("Create the credential for the tenant.").into());
            }
            let scopes: Vec<&str> = request.scopes.iter().map(String::as_str).collect();
            match self.0.get_token(&scopes, None).await {
                Ok(token) => Ok(TokenResponse::new(
                    token.token.secret(),
                    SystemTime::from(token.expires_on),
                )),
                Err(error) => Err(failure(error)),
            }
        })
    }
}

/// Reads an error, which has the status in itself or in its causes.
fn failure(error: azure_core::Error) -> CredentialError {
    let mut status = None;
    let mut lost = false;
    let mut unreadable = false;
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    while let Some(current) = cause {
        if let Some(known) = current.downcast_ref::<azure_core::Error>() {
            status = status.or(known.http_status());
            lost |= matches!(known.kind(), ErrorKind::Connection | ErrorKind::Io);
            unreadable |= matches!(known.kind(), ErrorKind::DataConversion);
        }
        cause = current.source();
    }
    let failure = CredentialError::new(error.to_string()).with_source(error);
    match status {
        Some(status) => failure.with_status(status.into()),
        None if lost => failure.unreachable(),
        None if unreadable => failure.unreadable(),
        None => failure,
    }
}

/// Hands out tokens to clients of the Azure SDK.
///
/// ```no_run
/// use std::sync::Arc;
/// use azure_core::credentials::TokenCredential;
/// use copilot_keyless_tokio::TokenProviders;
///
/// # fn main() -> Result<(), copilot_keyless_tokio::Error> {
/// let credential: Arc<dyn TokenCredential> = Arc::new(TokenProviders::from_env()?);
/// # Ok(())
/// # }
/// ```
#[async_trait]
impl TokenCredential for TokenProviders {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let provider = self.provider(scopes, None).map_err(outward)?;
        let token = provider.token().await.map_err(outward)?;
        Ok(AccessToken::new(
            token.secret().to_owned(),
            token.expires_on().into(),
        ))
    }
}

fn outward(error: Error) -> azure_core::Error {
    let message = error.to_string();
    azure_core::Error::with_error(ErrorKind::Credential, error, message)
}

/// A policy for pipelines of `azure_core` that puts the token into each request, and after a 401 sends
/// the request once more with another token, with the claims that the resource asks for. Sends a token
/// over `https` only, or to this machine.
///
/// ```
/// use copilot_keyless_tokio::{TokenPolicy, TokenProvider};
///
/// let policy = TokenPolicy::new(TokenProvider::for_scope("https://ai.azure.com/.default")?);
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenPolicy(TokenProvider);

impl TokenPolicy {
    /// Creates the policy.
    ///
    /// ```
    /// use copilot_keyless_tokio::{TokenPolicy, TokenProvider};
    ///
    /// let policy = TokenPolicy::new(TokenProvider::for_scope("https://ai.azure.com/.default")?);
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn new(tokens: TokenProvider) -> Self {
        Self(tokens)
    }
}

#[async_trait]
impl Policy for TokenPolicy {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if !is_safe(request) {
            let message = "a token is sent over https only, or to this machine";
            return Err(azure_core::Error::with_message(ErrorKind::Credential, message));
        }
        let token = self.0.token().await.map_err(outward)?;
        authorize(request, &token);
        let response = forward(ctx, request, next).await?;
        if response.status() != StatusCode::Unauthorized {
            return Ok(response);
        }
        let challenge = response.headers().get_optional_str(&WWW_AUTHENTICATE);
        let other = another(&self.0, &token.header_value(), challenge.unwrap_or_default()).await;
        let Some(other) = other else {
            return Ok(response);
        };
        if request.body_mut().reset().await.is_err() {
            return Ok(response);
        }
        authorize(request, &other);
        forward(ctx, request, next).await
    }
}

fn authorize(request: &mut Request, token: &Token) {
    request.insert_header(AUTHORIZATION, format!("{SCHEME}{}", token.secret()));
}

fn is_safe(request: &Request) -> bool {
    let url = request.url();
    url.scheme() == "https" || matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// A policy for pipelines that already have the token policy of `azure_core`, over [`TokenProviders`]:
/// that policy asks for another token after a 401, and this one makes sure that it gets another. To be
/// added as a policy for each try.
///
/// ```
/// use copilot_keyless_tokio::{RejectionPolicy, TokenProviders};
///
/// let providers = TokenProviders::from_env()?;
/// let policy = RejectionPolicy::new(providers.clone());
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RejectionPolicy(TokenProviders);

impl RejectionPolicy {
    /// Creates the policy.
    ///
    /// ```
    /// use copilot_keyless_tokio::{RejectionPolicy, TokenProviders};
    ///
    /// let policy = RejectionPolicy::new(TokenProviders::from_env()?);
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn new(providers: TokenProviders) -> Self {
        Self(providers)
    }
}

#[async_trait]
impl Policy for RejectionPolicy {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let response = forward(ctx, request, next).await?;
        if response.status() == StatusCode::Unauthorized
            && let Some(header) = request.headers().get_optional_str(&AUTHORIZATION)
            && let Some(secret) = header.strip_prefix(SCHEME)
        {
            let _ = self.0.all().iter().any(|provider| provider.reject_secret(secret));
        }
        Ok(response)
    }
}

async fn forward(ctx: &Context<'_>, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
    match next.split_first() {
        Some((first, rest)) => first.send(ctx, request, rest).await,
        None => Err(azure_core::Error::with_message(
            ErrorKind::Other,
            "the pipeline has no transport",
        )),
    }
}
