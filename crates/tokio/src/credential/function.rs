//! A credential from a closure.

use std::fmt;
use std::future::Future;

use super::{BoxFuture, Credential, CredentialError, TokenRequest, TokenResponse};

/// The credential of [`credential_fn`].
///
/// ```
/// use copilot_keyless_tokio::{Credential, CredentialError, credential_fn};
///
/// fn closed() -> impl Credential {
///     credential_fn(|_request| async { Err(CredentialError::new("not on Sundays").unavailable()) })
/// }
/// ```
pub struct FnCredential<F>(F);

/// Makes a credential of a closure, which gets a copy of each request.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use copilot_keyless_tokio::{TokenProvider, TokenResponse, credential_fn};
///
/// # fn main() -> Result<(), copilot_keyless_tokio::Error> {
/// let credential = credential_fn(|_request| async {
///     Ok(TokenResponse::new("secret", SystemTime::now() + Duration::from_secs(3_600)))
/// });
/// let tokens = TokenProvider::builder().scope("https://ai.azure.com/.default").credential(credential).build()?;
/// # Ok(())
/// # }
/// ```
pub fn credential_fn<F, A>(acquire: F) -> FnCredential<F>
where
    F: Fn(TokenRequest) -> A + Send + Sync,
    A: Future<Output = Result<TokenResponse, CredentialError>> + Send + 'static,
{
    FnCredential(acquire)
}

impl<F, A> Credential for FnCredential<F>
where
    F: Fn(TokenRequest) -> A + Send + Sync,
    A: Future<Output = Result<TokenResponse, CredentialError>> + Send + 'static,
{
    fn acquire<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<TokenResponse, CredentialError>> {
        Box::pin((self.0)(request.clone()))
    }
}

impl<F> fmt::Debug for FnCredential<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnCredential")
    }
}
