//! Providers for several scopes.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::credential::Credential;
use crate::{DirectCredential, Result, TokenProvider};

/// One [`TokenProvider`] for each scope and tenant, over one credential: a request that hangs for one
/// scope blocks none of the others. Clones share them.
///
/// ```
/// use copilot_keyless_tokio::TokenProviders;
///
/// let providers = TokenProviders::from_env()?;
/// let storage = providers.for_scope("https://storage.azure.com/.default")?;
/// let foundry = providers.for_scope("https://ai.azure.com/.default")?;
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Clone)]
pub struct TokenProviders(Arc<Parts>);

struct Parts {
    credential: Arc<dyn Credential>,
    known: Mutex<HashMap<Key, TokenProvider>>,
}

/// The scopes and the tenant.
type Key = (Vec<String>, Option<String>);

impl TokenProviders {
    /// Creates providers for the identity that the environment names.
    ///
    /// Errors: `credential/configuration` for variables that contradict themselves.
    ///
    /// ```
    /// let providers = copilot_keyless_tokio::TokenProviders::from_env()?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn from_env() -> Result<Self> {
        Ok(Self::new(DirectCredential::from_env()?))
    }

    /// Creates providers over a credential.
    ///
    /// ```
    /// use copilot_keyless_tokio::{DirectCredential, TokenProviders};
    ///
    /// let credential = DirectCredential::builder().tenant("contoso.com").build()?;
    /// let providers = TokenProviders::new(credential);
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn new(credential: impl Credential + 'static) -> Self {
        Self(Arc::new(Parts {
            credential: Arc::new(credential),
            known: Mutex::default(),
        }))
    }

    /// Returns the provider of a scope.
    ///
    /// Errors: `provider/scope` for a blank one.
    ///
    /// ```
    /// let providers = copilot_keyless_tokio::TokenProviders::from_env()?;
    /// let tokens = providers.for_scope("https://ai.azure.com/.default")?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn for_scope(&self, scope: impl Into<String>) -> Result<TokenProvider> {
        self.provider(vec![scope.into()], None)
    }

    /// Returns the provider of a scope in a tenant.
    ///
    /// Errors: `provider/scope` for a blank scope.
    ///
    /// ```
    /// let providers = copilot_keyless_tokio::TokenProviders::from_env()?;
    /// let tokens = providers.for_tenant("https://ai.azure.com/.default", "contoso.com")?;
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn for_tenant(&self, scope: impl Into<String>, tenant: impl Into<String>) -> Result<TokenProvider> {
        self.provider(vec![scope.into()], Some(tenant.into()))
    }

    pub(crate) fn provider(&self, scopes: Vec<String>, tenant: Option<String>) -> Result<TokenProvider> {
        let key = (scopes, tenant);
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = known.get(&key) {
            return Ok(provider.clone());
        }
        let mut builder = TokenProvider::builder()
            .scopes(key.0.iter().cloned())
            .credential(Arc::clone(&self.0.credential));
        if let Some(tenant) = &key.1 {
            builder = builder.tenant(tenant);
        }
        let provider = builder.build()?;
        known.insert(key, provider.clone());
        Ok(provider)
    }

    /// Ends all providers: see [`TokenProvider::close`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), copilot_keyless_tokio::Error> {
    /// copilot_keyless_tokio::TokenProviders::from_env()?.close().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn close(&self) {
        for provider in self.all() {
            provider.close().await;
        }
    }

    pub(crate) fn all(&self) -> Vec<TokenProvider> {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().cloned().collect()
    }
}

impl fmt::Debug for TokenProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all()).finish()
    }
}
