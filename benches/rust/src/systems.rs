//! The systems that are compared.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_core::http::headers::Headers;
use azure_core::http::policies::{Policy, PolicyResult, auth::BearerTokenAuthorizationPolicy};
use azure_core::http::{AsyncRawResponse, Context, Method, Request, StatusCode};
use azure_identity::ManagedIdentityCredential;
use copilot_keyless_tokio::{Clock, DirectCredential, SystemClock, TokenProvider, TokenProviders};
use tokio::sync::OnceCell;

use crate::half_life::HalfLife;

#[async_trait]
pub trait System: Send + Sync {
    /// Gets a token, and drops it.
    async fn token(&self, scope: &'static str) -> Result<(), String>;

    /// Gets a token so often.
    async fn calls(&self, scope: &'static str, count: u32);

    /// Moves the clock so far that the refresh is due. `azure_identity` takes a token of 298 s for an
    /// ended one.
    fn near_its_end(&self) {}
}

pub fn create(name: &str) -> Arc<dyn System> {
    match name {
        "copilot-keyless" => Arc::new(Ours::new()),
        "azure_identity" => Arc::new(Identity(credential())),
        "azure_identity behind azure_core" => Arc::new(Piped::new()),
        "azure_identity behind a half-life cache" => Arc::new(HalfLife::new(&credential())),
        _ => panic!("no such system"),
    }
}

fn credential() -> Arc<ManagedIdentityCredential> {
    ManagedIdentityCredential::new(None).expect("the environment names one")
}

/// The clocks of the system, put forward.
#[derive(Debug, Clone, Default)]
pub struct Ahead(Arc<AtomicU64>);

impl Ahead {
    pub fn offset(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    /// Of 298 s, 83 s are left: a refresh from half on is due whatever its jitter.
    pub fn near_its_end(&self) {
        self.0.store(215, Ordering::Relaxed);
    }
}

impl Clock for Ahead {
    fn wall(&self) -> SystemTime {
        SystemClock.wall() + self.offset()
    }

    fn monotonic(&self) -> Duration {
        SystemClock.monotonic() + self.offset()
    }
}

struct Ours {
    providers: TokenProviders,
    tokens: OnceCell<TokenProvider>,
    ahead: Ahead,
}

impl Ours {
    fn new() -> Self {
        Self {
            providers: TokenProviders::new(DirectCredential::from_env().expect("the environment is whole")),
            tokens: OnceCell::new(),
            ahead: Ahead::default(),
        }
    }

    async fn provider(&self, scope: &'static str) -> TokenProvider {
        if scope != super::SCOPE {
            return self.providers.for_scope(scope).expect("it is a scope");
        }
        let create = || async {
            let builder = TokenProvider::builder().scope(scope).clock(self.ahead.clone());
            let credential = DirectCredential::from_env().expect("the environment is whole");
            builder.credential(credential).build().expect("it is a scope")
        };
        self.tokens.get_or_init(create).await.clone()
    }
}

#[async_trait]
impl System for Ours {
    async fn token(&self, scope: &'static str) -> Result<(), String> {
        let token = self.provider(scope).await.token().await;
        token.map(drop).map_err(|error| error.to_string())
    }

    async fn calls(&self, scope: &'static str, count: u32) {
        let tokens = self.providers.for_scope(scope).expect("it is a scope");
        for _ in 0..count {
            std::hint::black_box(tokens.token().await.expect("it has one"));
        }
    }

    fn near_its_end(&self) {
        self.ahead.near_its_end();
    }
}

struct Identity(Arc<ManagedIdentityCredential>);

#[async_trait]
impl System for Identity {
    async fn token(&self, scope: &'static str) -> Result<(), String> {
        let token = self.0.get_token(&[scope], None).await;
        token.map(drop).map_err(|error| error.to_string())
    }

    async fn calls(&self, scope: &'static str, count: u32) {
        for _ in 0..count {
            let token = self.0.get_token(&[scope], None).await;
            std::hint::black_box(token.expect("it has one"));
        }
    }
}

/// The token policy of `azure_core`, with a cache of its own, in front of a transport that answers.
struct Piped {
    ours: BearerTokenAuthorizationPolicy,
    other: BearerTokenAuthorizationPolicy,
    next: Vec<Arc<dyn Policy>>,
}

#[derive(Debug)]
struct Answer;

#[async_trait]
impl Policy for Answer {
    async fn send(&self, _: &Context, _: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
        Ok(AsyncRawResponse::from_bytes(
            StatusCode::Ok,
            Headers::new(),
            Vec::new(),
        ))
    }
}

impl Piped {
    fn new() -> Self {
        let credential = credential();
        let policy = |scope: &str| {
            let credential: Arc<dyn TokenCredential> = credential.clone();
            BearerTokenAuthorizationPolicy::new(credential, [scope])
        };
        Self {
            ours: policy(super::SCOPE),
            other: policy(super::OTHER),
            next: vec![Arc::new(Answer)],
        }
    }
}

#[async_trait]
impl System for Piped {
    async fn token(&self, scope: &'static str) -> Result<(), String> {
        let policy = if scope == super::SCOPE {
            &self.ours
        } else {
            &self.other
        };
        let url = "https://myres.openai.azure.com".parse().expect("it is a URL");
        let mut request = Request::new(url, Method::Get);
        let sent = policy.send(&Context::new(), &mut request, &self.next).await;
        sent.map(drop).map_err(|error| error.to_string())
    }

    // The request and its context are made once: they are not the policy's work.
    async fn calls(&self, _: &'static str, count: u32) {
        let url = "https://myres.openai.azure.com".parse().expect("it is a URL");
        let (context, mut request) = (Context::new(), Request::new(url, Method::Get));
        for _ in 0..count {
            let sent = self.ours.send(&context, &mut request, &self.next).await;
            std::hint::black_box(sent.expect("it has one"));
        }
    }
}
