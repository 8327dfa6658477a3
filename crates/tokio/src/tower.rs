//! Authorizes the requests of a service of tower.

use std::error::Error as StdError;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::TokenProvider;
use crate::credential::BoxFuture;
use crate::hosts::Hosts;
use crate::repeat::{another, challenge_of};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Puts the token into requests to listed hosts, unless they have an `Authorization` already. After a 401
/// the token is replaced; [`repeating`](TokenLayer::repeating) also sends the request once more.
///
/// Tokens go over `https` only, or to this machine.
///
/// ```
/// use copilot_keyless_tokio::{TokenLayer, TokenProvider};
///
/// let tokens = TokenProvider::for_scope("https://ai.azure.com/.default")?;
/// let layer = TokenLayer::new(tokens, ["myres.openai.azure.com"]).repeating();
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Debug)]
pub struct TokenLayer<R = Once> {
    tokens: TokenProvider,
    hosts: Hosts,
    repetition: PhantomData<fn() -> R>,
}

/// Sends each request once.
///
/// ```
/// use copilot_keyless_tokio::{Once, TokenLayer, TokenProvider};
///
/// let tokens = TokenProvider::for_scope("https://ai.azure.com/.default")?;
/// let layer: TokenLayer<Once> = TokenLayer::new(tokens, ["myres.openai.azure.com"]);
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Once;

/// Sends a request once more after a 401. Its body is cloned before.
///
/// ```
/// use copilot_keyless_tokio::{Repeating, TokenLayer, TokenProvider};
///
/// let tokens = TokenProvider::for_scope("https://ai.azure.com/.default")?;
/// let layer: TokenLayer<Repeating> = TokenLayer::new(tokens, ["myres.openai.azure.com"]).repeating();
/// # Ok::<(), copilot_keyless_tokio::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Repeating;

/// Whether bodies are cloned for a repetition.
///
/// ```
/// use copilot_keyless_tokio::{Once, Repeating, Repetition};
///
/// assert_eq!(Once::body(&"text"), None);
/// assert_eq!(Repeating::body(&"text"), Some("text"));
/// ```
pub trait Repetition<B> {
    /// Returns the body for a repetition, if there shall be one.
    fn body(body: &B) -> Option<B>;
}

impl<B> Repetition<B> for Once {
    fn body(_body: &B) -> Option<B> {
        None
    }
}

impl<B: Clone> Repetition<B> for Repeating {
    fn body(body: &B) -> Option<B> {
        Some(body.clone())
    }
}

impl TokenLayer {
    /// Creates the layer. A name such as `.openai.azure.com` stands for all hosts below it.
    ///
    /// ```
    /// use copilot_keyless_tokio::{TokenLayer, TokenProvider};
    ///
    /// let tokens = TokenProvider::for_scope("https://ai.azure.com/.default")?;
    /// let layer = TokenLayer::new(tokens, [".openai.azure.com"]);
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    pub fn new(tokens: TokenProvider, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            tokens,
            hosts: Hosts::new(hosts),
            repetition: PhantomData,
        }
    }

    /// Sends a request once more after a 401, for bodies that can be cloned.
    ///
    /// ```
    /// use copilot_keyless_tokio::{TokenLayer, TokenProvider};
    ///
    /// let tokens = TokenProvider::for_scope("https://ai.azure.com/.default")?;
    /// let layer = TokenLayer::new(tokens, ["myres.openai.azure.com"]).repeating();
    /// # Ok::<(), copilot_keyless_tokio::Error>(())
    /// ```
    #[must_use]
    pub fn repeating(self) -> TokenLayer<Repeating> {
        TokenLayer {
            tokens: self.tokens,
            hosts: self.hosts,
            repetition: PhantomData,
        }
    }
}

impl<R> Clone for TokenLayer<R> {
    fn clone(&self) -> Self {
        Self {
            tokens: self.tokens.clone(),
            hosts: self.hosts.clone(),
            repetition: PhantomData,
        }
    }
}

impl<S, R> Layer<S> for TokenLayer<R> {
    type Service = TokenService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        TokenService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service of a [`TokenLayer`].
///
/// ```
/// use copilot_keyless_tokio::{TokenLayer, TokenProvider, TokenService};
/// use tower_layer::Layer;
///
/// fn authorized<S>(inner: S, tokens: TokenProvider) -> TokenService<S> {
///     TokenLayer::new(tokens, ["myres.openai.azure.com"]).layer(inner)
/// }
/// ```
#[derive(Debug)]
pub struct TokenService<S, R = Once> {
    inner: S,
    layer: TokenLayer<R>,
}

impl<S: Clone, R> Clone for TokenService<S, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S, R, B, A> Service<Request<B>> for TokenService<S, R>
where
    S: Service<Request<B>, Response = Response<A>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    R: Repetition<B> + 'static,
    B: Send + 'static,
    A: Send + 'static,
{
    type Response = Response<A>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<A>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone is not ready; the one that is must be called.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let TokenLayer { tokens, hosts, .. } = self.layer.clone();
        Box::pin(exchange::<S, R, B, A>(inner, tokens, hosts, request))
    }
}

async fn exchange<S, R, B, A>(
    mut inner: S,
    tokens: TokenProvider,
    hosts: Hosts,
    request: Request<B>,
) -> Result<Response<A>, BoxError>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Error: Into<BoxError>,
    R: Repetition<B>,
{
    let uri = request.uri();
    let listed = hosts.allow(
        uri.scheme_str().unwrap_or_default(),
        uri.host().unwrap_or_default(),
    );
    if !listed || request.headers().contains_key(AUTHORIZATION) {
        return inner.call(request).await.map_err(Into::into);
    }
    let (mut parts, body) = request.into_parts();
    let again = R::body(&body).map(|body| Request::from_parts(parts.clone(), body));
    let token = tokens.token().await?;
    parts.headers.insert(AUTHORIZATION, token.header_value());
    let response = inner
        .call(Request::from_parts(parts, body))
        .await
        .map_err(Into::into)?;
    if response.status() != StatusCode::UNAUTHORIZED {
        return Ok(response);
    }
    let challenge = challenge_of(response.headers());
    let Some(mut again) = again else {
        tokens.challenge(&token, challenge);
        return Ok(response);
    };
    let Some(token) = another(&tokens, &token.header_value(), challenge).await else {
        return Ok(response);
    };
    again.headers_mut().insert(AUTHORIZATION, token.header_value());
    std::future::poll_fn(|context| inner.poll_ready(context))
        .await
        .map_err(Into::into)?;
    inner.call(again).await.map_err(Into::into)
}
