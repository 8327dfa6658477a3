//! Clients of a model, which ask it something.

use std::sync::Arc;

use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::types::responses::CreateResponseArgs;
use async_trait::async_trait;
use copilot_keyless_tokio::{Repeating, TokenLayer, TokenMiddleware, TokenProvider, TokenService};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use tower::{Layer as _, Service, ServiceExt as _};

use crate::program::{BoxError, FOUNDRY, Program, QUESTION, address, served};
use crate::theirs::{Client, Piped, Plain, credential};

const HOST: &str = "localhost";

fn provider() -> TokenProvider {
    TokenProvider::for_scope(FOUNDRY).expect("it is a scope")
}

fn base() -> String {
    format!("{}/openai/v1", address())
}

fn url() -> String {
    format!("{}/responses", base())
}

/// The program for tokens: ours, or a client that is given a token for each request.
fn with<C: Client>(tokens: &str, ours: impl FnOnce() -> Arc<dyn Program>, client: C) -> Arc<dyn Program> {
    match tokens {
        "copilot-keyless" => ours(),
        "azure_identity" => Arc::new(Plain {
            credential: credential(),
            scope: FOUNDRY,
            client,
        }),
        "azure_identity behind azure_core" => Arc::new(Piped::new(FOUNDRY, client)),
        _ => panic!("there are no tokens {tokens}"),
    }
}

fn authorized() -> ClientWithMiddleware {
    let middleware = TokenMiddleware::new(provider(), [HOST]);
    ClientBuilder::new(reqwest::Client::new())
        .with(middleware)
        .build()
}

pub fn reqwest(tokens: &str) -> Arc<dyn Program> {
    with(
        tokens,
        || Arc::new(Authorized(authorized())),
        reqwest::Client::new(),
    )
}

struct Authorized(ClientWithMiddleware);

#[async_trait]
impl Program for Authorized {
    async fn call(&self) -> Result<(), BoxError> {
        let request = self.0.post(url()).header(CONTENT_TYPE, "application/json");
        served(request.body(QUESTION).send().await?.status().as_u16())
    }
}

#[async_trait]
impl Client for reqwest::Client {
    async fn send(&self, token: &str) -> Result<u16, BoxError> {
        let request = self
            .post(url())
            .bearer_auth(token)
            .header(CONTENT_TYPE, "application/json");
        Ok(request.body(QUESTION).send().await?.status().as_u16())
    }
}

pub fn tower(tokens: &str) -> Arc<dyn Program> {
    let service = Sending(reqwest::Client::new());
    let layer = TokenLayer::new(provider(), [HOST]).repeating();
    with(
        tokens,
        || Arc::new(Layered(layer.layer(service.clone()))),
        service.clone(),
    )
}

type Answer = http::Response<reqwest::Body>;

/// The service at the bottom of the stack.
#[derive(Clone)]
struct Sending(reqwest::Client);

impl Service<http::Request<String>> for Sending {
    type Response = Answer;
    type Error = reqwest::Error;
    type Future = copilot_keyless_tokio::BoxFuture<'static, Result<Answer, reqwest::Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), reqwest::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<String>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move { Ok(client.execute(request.try_into()?).await?.into()) })
    }
}

fn question() -> http::request::Builder {
    http::Request::post(url()).header(CONTENT_TYPE, "application/json")
}

struct Layered(TokenService<Sending, Repeating>);

#[async_trait]
impl Program for Layered {
    async fn call(&self) -> Result<(), BoxError> {
        let request = question().body(QUESTION.to_owned())?;
        served(self.0.clone().oneshot(request).await?.status().as_u16())
    }
}

#[async_trait]
impl Client for Sending {
    async fn send(&self, token: &str) -> Result<u16, BoxError> {
        let request = question().header(AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(QUESTION.to_owned())?;
        Ok(self.clone().oneshot(request).await?.status().as_u16())
    }
}

pub fn async_openai(tokens: &str) -> Arc<dyn Program> {
    let ours = || -> Arc<dyn Program> {
        let http = authorized();
        let service = tower::service_fn(move |request: HttpRequestFactory| {
            let http = http.clone();
            async move {
                let mut request = request.build().await?;
                // The key of the client, which is none.
                request.headers_mut().remove(AUTHORIZATION);
                let sent = http.execute(request).await;
                sent.map_err(|error| OpenAIError::Boxed(error.into()))
            }
        });
        let config = OpenAIConfig::new().with_api_base(base());
        Arc::new(Asking(
            async_openai::Client::with_config(config).with_http_service(service),
        ))
    };
    with(tokens, ours, Keyed(reqwest::Client::new()))
}

struct Asking(async_openai::Client<OpenAIConfig>);

#[async_trait]
impl Program for Asking {
    async fn call(&self) -> Result<(), BoxError> {
        Ok(ask(&self.0).await?)
    }
}

async fn ask(client: &async_openai::Client<OpenAIConfig>) -> Result<(), OpenAIError> {
    let question = CreateResponseArgs::default()
        .model("gpt-5.5")
        .input("Hello")
        .build()?;
    client.responses().create(question).await.map(drop)
}

/// Makes a client for each request, with the token as its key.
struct Keyed(reqwest::Client);

#[async_trait]
impl Client for Keyed {
    async fn send(&self, token: &str) -> Result<u16, BoxError> {
        let config = OpenAIConfig::new().with_api_base(base()).with_api_key(token);
        match ask(&async_openai::Client::build(self.0.clone(), config)).await {
            Ok(()) => Ok(200),
            Err(OpenAIError::ApiError(error)) => Ok(error.status_code.as_u16()),
            Err(error) => Err(error.into()),
        }
    }
}
