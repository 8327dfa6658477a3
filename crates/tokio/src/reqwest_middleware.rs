//! Authorizes the requests of a client of reqwest.

use async_trait::async_trait;
use http::Extensions;
use http::header::AUTHORIZATION;
use reqwest::{Request, Response, StatusCode};
use reqwest_middleware::{Error, Middleware, Next, Result};

use crate::TokenProvider;
use crate::hosts::Hosts;
use crate::repeat::{another, challenge_of};

/// Puts the token into requests to listed hosts, unless they have an `Authorization` already. After a 401
/// it sends the request once more with another token, if its body can be cloned: a stream cannot.
///
/// Tokens go over `https` only, or to this machine. A redirect to another host is not authorized by it:
/// reqwest follows redirects below, and removes the header there.
///
/// ```
/// use copilot_keyless_tokio::{TokenMiddleware, TokenProvider};
///
/// fn client(inner: reqwest::Client) -> Result<reqwest_middleware::ClientWithMiddleware, copilot_keyless_tokio::Error> {
///     let tokens = TokenProvider::for_scope("https://ai.azure.com/.default")?;
///     let middleware = TokenMiddleware::new(tokens, ["myres.openai.azure.com"]);
///     Ok(reqwest_middleware::ClientBuilder::new(inner).with(middleware).build())
/// }
/// ```
#[derive(Debug, Clone)]
pub struct TokenMiddleware {
    tokens: TokenProvider,
    hosts: Hosts,
}

impl TokenMiddleware {
    /// Creates the middleware. A name such as `.openai.azure.com` stands for all hosts below it.
    ///
    /// ```
    /// use copilot_keyless_tokio::{TokenMiddleware, TokenProvider};
    ///
    /// let tokens = TokenProvider::for_scope("https://storage.azure.com/.default")?;
    /// let middleware = TokenMiddleware::new(tokens, [".blob.core.windows.net"]);
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn new(tokens: TokenProvider, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            tokens,
            hosts: Hosts::new(hosts),
        }
    }
}

#[async_trait]
impl Middleware for TokenMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let url = request.url();
        let listed = self.hosts.allow(url.scheme(), url.host_str().unwrap_or_default());
        if !listed || request.headers().contains_key(AUTHORIZATION) {
            return next.run(request, extensions).await;
        }
        let again = request.try_clone();
        let token = self.tokens.token().await.map_err(Error::middleware)?;
        request.headers_mut().insert(AUTHORIZATION, token.header_value());
        let response = next.clone().run(request, extensions).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let challenge = challenge_of(response.headers());
        let Some(mut again) = again else {
            self.tokens.challenge(&token, challenge);
            return Ok(response);
        };
        let Some(other) = another(&self.tokens, &token.header_value(), challenge).await else {
            return Ok(response);
        };
        again.headers_mut().insert(AUTHORIZATION, other.header_value());
        next.run(again, extensions).await
    }
}
