//! The clients that the features feed, against the emulator: a token is revoked between two requests.

#![cfg(all(
    feature = "azure-core",
    feature = "object-store",
    feature = "reqwest-middleware",
    feature = "tower"
))]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::http::headers::{AUTHORIZATION, Headers};
use azure_core::http::policies::auth::BearerTokenAuthorizationPolicy;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Method, Request, StatusCode};
use bytes::Bytes;
use copilot_keyless_tokio::{
    AzureCredential, DirectCredential, RejectionPolicy, TokenConnector, TokenLayer, TokenMiddleware,
    TokenPolicy, TokenProvider, TokenProviders,
};
use http::HeaderValue;
use http::header::AUTHORIZATION as AUTH;
use object_store::CredentialProvider as _;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest, HttpRequestBody, HttpResponse,
    HttpService,
};
use serde_json::json;
use support::{Emulator, QUESTION};
use tower_layer::Layer as _;
use tower_service::Service;

const SCOPE: &str = "https://ai.azure.com/.default";

/// Providers over an emulator that gives each request another token.
async fn setup() -> (Arc<Emulator>, TokenProviders, TokenProvider) {
    let emulator = Emulator::start(3_600, false).await;
    let vars = emulator.host("appService");
    let credential = DirectCredential::builder().vars(move |name| vars.get(name).cloned());
    let providers = TokenProviders::new(credential.build().unwrap());
    let tokens = providers.for_scope(SCOPE).unwrap();
    (Arc::new(emulator), providers, tokens)
}

async fn revoke(emulator: &Emulator, tokens: &TokenProvider) {
    let token = tokens.token().await.unwrap();
    emulator
        .control("POST", "/revoke", Some(&json!({ "token": token.secret() })))
        .await;
}

/// A transport of `azure_core` that asks the emulator's model, whatever the address is.
#[derive(Clone)]
struct Transport(Arc<Emulator>);

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Transport")
    }
}

#[async_trait]
impl Policy for Transport {
    async fn send(&self, _: &Context, request: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
        let header = request.headers().get_str(&AUTHORIZATION).unwrap();
        let status = StatusCode::from(self.0.ask_model_with(header).await);
        Ok(AsyncRawResponse::from_bytes(status, Headers::new(), Vec::new()))
    }
}

async fn send(first: &dyn Policy, next: &[Arc<dyn Policy>]) -> u16 {
    let url = "https://myres.openai.azure.com".parse().unwrap();
    let mut request = Request::new(url, Method::Post);
    let sent = first.send(&Context::new(), &mut request, next).await;
    sent.unwrap().status().into()
}

#[tokio::test]
async fn the_policy_repeats_a_request_whose_token_was_revoked() {
    let (emulator, _, tokens) = setup().await;
    let next: Vec<Arc<dyn Policy>> = vec![Arc::new(Transport(Arc::clone(&emulator)))];
    let policy = TokenPolicy::new(tokens.clone());
    assert_eq!(send(&policy, &next).await, 200);
    revoke(&emulator, &tokens).await;
    let both = tokio::join!(send(&policy, &next), send(&policy, &next));
    assert_eq!(both, (200, 200), "the second has the token that the first caused");

    let mut plain = Request::new("http://example.com".parse().unwrap(), Method::Get);
    assert!(
        policy.send(&Context::new(), &mut plain, &next).await.is_err(),
        "no token over http"
    );
}

#[tokio::test]
async fn behind_azure_cores_own_policy_the_request_after_a_401_has_another_token() {
    let (emulator, providers, tokens) = setup().await;
    let rejection: Arc<dyn Policy> = Arc::new(RejectionPolicy::new(providers.clone()));
    let transport: Arc<dyn Policy> = Arc::new(Transport(Arc::clone(&emulator)));
    let policy = BearerTokenAuthorizationPolicy::new(Arc::new(providers), [SCOPE]);
    let next = [rejection, transport];
    assert_eq!(send(&policy, &next).await, 200);
    revoke(&emulator, &tokens).await;
    assert_eq!(send(&policy, &next).await, 401);
    assert_eq!(send(&policy, &next).await, 200);
}

#[derive(Debug)]
struct Theirs;

#[async_trait]
impl TokenCredential for Theirs {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, [SCOPE]);
        let expiry = SystemTime::now() + Duration::from_secs(3_600);
        Ok(AccessToken::new("theirs", expiry.into()))
    }
}

#[tokio::test]
async fn a_credential_of_azure_core_feeds_a_provider() {
    let builder = TokenProvider::builder()
        .scope(SCOPE)
        .credential(AzureCredential(Arc::new(Theirs)));
    assert_eq!(builder.build().unwrap().token().await.unwrap().secret(), "theirs");
}

#[tokio::test]
async fn the_middleware_of_reqwest_repeats_a_request_whose_token_was_revoked() {
    let (emulator, _, tokens) = setup().await;
    let middleware = TokenMiddleware::new(tokens.clone(), ["127.0.0.1"]);
    let client = reqwest_middleware::ClientBuilder::new(emulator.client())
        .with(middleware)
        .build();
    let ask = || async {
        let request = client
            .post(emulator.model_url())
            .header("content-type", "application/json");
        request.body(QUESTION).send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask().await, 200);
    revoke(&emulator, &tokens).await;
    assert_eq!(tokio::join!(ask(), ask()), (200, 200));
}

/// A service that asks the emulator's model.
#[derive(Clone)]
struct Asking(Arc<Emulator>);

impl Service<http::Request<String>> for Asking {
    type Response = http::Response<()>;
    type Error = std::io::Error;
    type Future = copilot_keyless_tokio::BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<String>) -> Self::Future {
        let emulator = Arc::clone(&self.0);
        Box::pin(async move {
            let header = request.headers()["authorization"].to_str().unwrap().to_owned();
            let status = emulator.ask_model_with(&header).await;
            Ok(http::Response::builder().status(status).body(()).unwrap())
        })
    }
}

#[tokio::test]
async fn the_layer_of_tower_repeats_a_request_whose_token_was_revoked() {
    let (emulator, _, tokens) = setup().await;
    let layer = TokenLayer::new(tokens.clone(), ["127.0.0.1"]);
    let mut once = layer.layer(Asking(Arc::clone(&emulator)));
    let mut repeating = layer.repeating().layer(Asking(Arc::clone(&emulator)));
    let request = || {
        http::Request::post("http://127.0.0.1/")
            .body(QUESTION.to_owned())
            .unwrap()
    };
    assert_eq!(repeating.call(request()).await.unwrap().status(), 200);
    revoke(&emulator, &tokens).await;
    let (first, other) = tokio::join!(repeating.clone().call(request()), repeating.call(request()));
    assert_eq!(
        (first.unwrap().status().as_u16(), other.unwrap().status().as_u16()),
        (200, 200)
    );
    assert_eq!(once.call(request()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_store_gets_a_bearer_token() {
    let (_emulator, _, tokens) = setup().await;
    let expected = tokens.token().await.unwrap();
    let got = tokens.get_credential().await.unwrap();
    let bearer = object_store::azure::AzureCredential::BearerToken(expected.secret().to_owned());
    assert_eq!(*got, bearer);
}

/// A connector of a store whose requests ask the emulator's model.
#[derive(Debug)]
struct AskingConnector(Transport);

impl HttpConnector for AskingConnector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(AskingConnector(self.0.clone())))
    }
}

#[async_trait]
impl HttpService for AskingConnector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let header = request.headers()["authorization"].to_str().unwrap().to_owned();
        let status = self.0.0.ask_model_with(&header).await;
        let response = http::Response::builder().status(status);
        Ok(response.body(Bytes::new().into()).unwrap())
    }
}

#[tokio::test]
async fn the_connector_of_a_store_repeats_a_request_whose_token_was_revoked() {
    let (emulator, _, tokens) = setup().await;
    let inner = AskingConnector(Transport(Arc::clone(&emulator)));
    let connector = TokenConnector::new(tokens.clone(), inner);
    let client = connector.connect(&ClientOptions::new()).unwrap();
    let first = tokens.token().await.unwrap();
    let ask = |header: HeaderValue| async {
        let request = http::Request::get("https://account.blob.core.windows.net/").header(AUTH, header);
        let request = request.body(HttpRequestBody::empty()).unwrap();
        client.execute(request).await.unwrap().status().as_u16()
    };
    revoke(&emulator, &tokens).await;
    let both = tokio::join!(ask(first.header_value()), ask(first.header_value()));
    assert_eq!(both, (200, 200));
    let key = HeaderValue::from_static("SharedKey account:signature");
    assert_eq!(ask(key).await, 401, "no token of ours");
}
