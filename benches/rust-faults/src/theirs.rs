//! Tokens of `azure_identity`, plain and behind the token policy of `azure_core`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_core::http::headers::{AUTHORIZATION, Headers};
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Method, Request, StatusCode};
use azure_identity::ManagedIdentityCredential;

use crate::program::{BoxError, Program, address, served};

pub fn credential() -> Arc<ManagedIdentityCredential> {
    ManagedIdentityCredential::new(None).expect("the environment names one")
}

/// A client that takes a token for each request. Returns the status.
#[async_trait]
pub trait Client: Send + Sync + 'static {
    async fn send(&self, token: &str) -> Result<u16, BoxError>;
}

/// Asks the credential before each request.
pub struct Plain<C> {
    pub credential: Arc<ManagedIdentityCredential>,
    pub scope: &'static str,
    pub client: C,
}

#[async_trait]
impl<C: Client> Program for Plain<C> {
    async fn call(&self) -> Result<(), BoxError> {
        let token = self.credential.get_token(&[self.scope], None).await?;
        served(self.client.send(token.token.secret()).await?)
    }
}

/// Sends each request through the policy, so that it sees the answers.
pub struct Piped {
    policy: BearerTokenAuthorizationPolicy,
    next: Vec<Arc<dyn Policy>>,
}

impl Piped {
    pub fn new(scope: &str, client: impl Client) -> Self {
        Self {
            policy: BearerTokenAuthorizationPolicy::new(credential(), [scope]),
            next: vec![Arc::new(Last(client))],
        }
    }
}

#[async_trait]
impl Program for Piped {
    async fn call(&self) -> Result<(), BoxError> {
        let mut request = Request::new(address().parse()?, Method::Post);
        let context = Context::new();
        let sent = self.policy.send(&context, &mut request, &self.next).await?;
        served(sent.status().into())
    }
}

/// A client at the end of a pipeline.
struct Last<C>(C);

impl<C> std::fmt::Debug for Last<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Last")
    }
}

#[async_trait]
impl<C: Client> Policy for Last<C> {
    async fn send(&self, _: &Context, request: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
        let header = request.headers().get_str(&AUTHORIZATION)?;
        let token = header.strip_prefix("Bearer ").unwrap_or_default();
        match self.0.send(token).await {
            Ok(status) => Ok(answer(status)),
            Err(error) => Err(azure_core::Error::new(azure_core::error::ErrorKind::Io, error)),
        }
    }
}

fn answer(status: u16) -> AsyncRawResponse {
    AsyncRawResponse::from_bytes(StatusCode::from(status), Headers::new(), Vec::new())
}

/// Takes the policy as a cache, for clients that want a token and tell nothing of the answers.
#[derive(Debug)]
pub struct Cache(BearerTokenAuthorizationPolicy);

impl Cache {
    pub fn new(scope: &str) -> Self {
        Self(BearerTokenAuthorizationPolicy::new(credential(), [scope]))
    }

    pub async fn token(&self) -> azure_core::Result<String> {
        let taken = Arc::new(Taken::default());
        let next: Vec<Arc<dyn Policy>> = vec![taken.clone()];
        let mut request = Request::new(address().parse().expect("it is a URL"), Method::Get);
        self.0.send(&Context::new(), &mut request, &next).await?;
        let token = taken.0.lock().expect("nobody panics").clone();
        Ok(token)
    }
}

#[derive(Debug, Default)]
struct Taken(Mutex<String>);

#[async_trait]
impl Policy for Taken {
    async fn send(&self, _: &Context, request: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
        let header = request.headers().get_str(&AUTHORIZATION)?;
        let token = header.strip_prefix("Bearer ").unwrap_or_default();
        token.clone_into(&mut self.0.lock().expect("nobody panics"));
        Ok(answer(200))
    }
}
