//! Where tokens come from.

mod arc;
mod certificate;
mod chain;
mod direct;
mod error;
mod exchange;
mod function;
mod http;
mod request;
mod secret;
mod tls;
mod tool;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use direct::{DirectCredential, DirectCredentialBuilder};
pub use error::CredentialError;
pub use function::{FnCredential, credential_fn};
#[cfg(feature = "copilot")]
pub(crate) use http::model_client;
pub use request::{TokenRequest, TokenResponse};

/// A boxed future, the same type as that of the crate `futures`.
///
/// ```
/// use copilot_keyless_tokio::BoxFuture;
///
/// fn later(number: u8) -> BoxFuture<'static, u8> {
///     Box::pin(async move { number })
/// }
/// ```
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Acquires tokens. It needs no cache, no retry and no deadline: the provider has them, and drops the
/// future at the end of its time.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use copilot_keyless_tokio::{BoxFuture, Credential, CredentialError, TokenProvider, TokenRequest, TokenResponse};
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl Credential for Vault {
///     fn acquire<'a>(
///         &'a self,
///         request: &'a TokenRequest,
///     ) -> BoxFuture<'a, Result<TokenResponse, CredentialError>> {
///         Box::pin(async move {
///             assert_eq!(request.scopes, ["https://ai.azure.com/.default"]);
///             Ok(TokenResponse::new("secret", SystemTime::now() + Duration::from_secs(3_600)))
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), copilot_keyless_tokio::Error> {
/// let tokens = TokenProvider::builder().scope("https://ai.azure.com/.default").credential(Vault).build()?;
/// assert_eq!(tokens.token().await?.secret(), "secret");
/// # Ok(())
/// # }
/// ```
pub trait Credential: Send + Sync + fmt::Debug {
    /// Acquires a token.
    ///
    /// Errors: [`CredentialError`], which says whether a retry can help.
    fn acquire<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<TokenResponse, CredentialError>>;
}

impl<T: Credential + ?Sized> Credential for Arc<T> {
    fn acquire<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<TokenResponse, CredentialError>> {
        (**self).acquire(request)
    }
}

impl<T: Credential + ?Sized> Credential for Box<T> {
    fn acquire<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<TokenResponse, CredentialError>> {
        (**self).acquire(request)
    }
}
