//! Feeds the stores of `object_store` on Azure.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::azure::AzureCredential;
use object_store::client::CredentialProvider;

use crate::TokenProvider;

/// Hands out tokens of the scope `https://storage.azure.com/.default` to
/// `MicrosoftAzureBuilder::with_credentials`.
///
/// ```
/// use std::sync::Arc;
/// use copilot_keyless_tokio::TokenProvider;
/// use object_store::azure::MicrosoftAzureBuilder;
///
/// let tokens = TokenProvider::for_scope("https://storage.azure.com/.default")?;
/// let store = MicrosoftAzureBuilder::new()
///     .with_account("account")
///     .with_container_name("container")
///     .with_credentials(Arc::new(tokens));
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[async_trait]
impl CredentialProvider for TokenProvider {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        match self.token().await {
            Ok(token) => Ok(Arc::new(AzureCredential::BearerToken(token.secret().to_owned()))),
            Err(error) => Err(object_store::Error::Generic {
                store: "MicrosoftAzure",
                source: Box::new(error),
            }),
        }
    }
}
