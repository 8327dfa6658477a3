//! Feeds the stores of `object_store` on Azure.

use std::sync::Arc;

use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{HeaderValue, StatusCode};
use object_store::azure::AzureCredential;
use object_store::client::{
    ClientOptions, CredentialProvider, HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse,
    HttpService,
};

use crate::TokenProvider;
use crate::repeat::{another, challenge_of};

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

/// Sends a request of the store once more after a 401, with another token: the store itself would go on
/// with the token that was refused. For `MicrosoftAzureBuilder::with_http_connector`, around a connector
/// such as `object_store::client::ReqwestConnector`.
///
/// ```
/// use std::sync::Arc;
/// use copilot_keyless_tokio::{TokenConnector, TokenProvider};
/// use object_store::azure::MicrosoftAzureBuilder;
/// use object_store::client::HttpConnector;
///
/// fn store(inner: impl HttpConnector) -> Result<MicrosoftAzureBuilder, copilot_keyless_tokio::Error> {
///     let tokens = TokenProvider::for_scope("https://storage.azure.com/.default")?;
///     Ok(MicrosoftAzureBuilder::new()
///         .with_http_connector(TokenConnector::new(tokens.clone(), inner))
///         .with_credentials(Arc::new(tokens)))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct TokenConnector<C> {
    tokens: TokenProvider,
    inner: C,
}

impl<C> TokenConnector<C> {
    /// Creates the connector, with the tokens of the store.
    ///
    /// ```
    /// use copilot_keyless_tokio::{TokenConnector, TokenProvider};
    /// use object_store::client::HttpConnector;
    ///
    /// fn connector<C: HttpConnector>(tokens: &TokenProvider, inner: C) -> TokenConnector<C> {
    ///     TokenConnector::new(tokens.clone(), inner)
    /// }
    /// ```
    pub fn new(tokens: TokenProvider, inner: C) -> Self {
        Self { tokens, inner }
    }
}

impl<C: HttpConnector> HttpConnector for TokenConnector<C> {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Recovering {
            tokens: self.tokens.clone(),
            inner: self.inner.connect(options)?,
        }))
    }
}

#[derive(Debug)]
struct Recovering {
    tokens: TokenProvider,
    inner: HttpClient,
}

#[async_trait]
impl HttpService for Recovering {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let sent = request
            .headers()
            .get(AUTHORIZATION)
            .filter(|value| is_bearer(value));
        let Some(sent) = sent.cloned() else {
            return self.inner.execute(request).await;
        };
        let mut again = request.clone();
        let response = self.inner.execute(request).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match another(&self.tokens, &sent, challenge_of(response.headers())).await {
            Some(token) => {
                again.headers_mut().insert(AUTHORIZATION, token.header_value());
                self.inner.execute(again).await
            }
            None => Ok(response),
        }
    }
}

fn is_bearer(value: &HeaderValue) -> bool {
    value.as_bytes().starts_with(b"Bearer ")
}
