//! The public names as a program from outside uses them: each signature, its traits, and in short what
//! it does. A change here is a breaking change.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use copilot_keyless_tokio::{
    BoxFuture, Clock, Credential, CredentialError, DirectCredential, DirectCredentialBuilder, Error,
    FnCredential, Phase, RefreshPolicy, Result, SystemClock, Token, TokenProvider, TokenProviderBuilder,
    TokenProviders, TokenRequest, TokenResponse, TokenStatus, credential_fn,
};
use http::HeaderValue;
use tokio::sync::watch;

const SCOPE: &str = "https://ai.azure.com/.default";

fn answers(status: Option<u16>) -> impl Credential + 'static {
    credential_fn(move |request: TokenRequest| async move {
        let TokenRequest {
            scopes,
            tenant,
            claims,
            ..
        } = request;
        assert_eq!((scopes, tenant), (vec![SCOPE.to_owned()], None));
        let expires_on = SystemTime::now() + Duration::from_secs(3_600);
        match status {
            None => Ok(TokenResponse::new(claims.unwrap_or("plain".into()), expires_on)),
            Some(status) => Err(CredentialError::new("refused").with_status(status)),
        }
    })
}

fn provider(credential: impl Credential + 'static) -> TokenProvider {
    TokenProvider::builder()
        .scope(SCOPE)
        .credential(credential)
        .build()
        .unwrap()
}

#[test]
fn types_have_their_traits() {
    fn shared<T: Send + Sync + Debug>() {}
    fn cloned<T: Clone>() {}
    fn error<T: StdError + Display + Clone + 'static>() {}
    shared::<(TokenProvider, TokenProviders, TokenProviderBuilder, TokenStatus)>();
    shared::<(DirectCredential, DirectCredentialBuilder, Token, Error)>();
    shared::<(TokenRequest, TokenResponse, CredentialError, RefreshPolicy)>();
    shared::<(SystemClock, Box<dyn Clock>, Arc<dyn Credential>)>();
    cloned::<(TokenProvider, TokenProviders, Token, TokenStatus, TokenRequest)>();
    error::<Error>();
    error::<CredentialError>();
}

#[test]
fn providers_come_from_the_environment_a_scope_or_a_builder() {
    let from_env: fn() -> Result<TokenProvider> = TokenProvider::from_env;
    let vars = |name: &str| (name == "FOUNDRY_TOKEN_SCOPE").then(|| SCOPE.to_owned());
    let _ = from_env;
    assert!(TokenProvider::for_scope(SCOPE).is_ok());
    let all: Result<TokenProvider> = TokenProvider::builder()
        .scope(SCOPE)
        .scopes([SCOPE])
        .tenant("contoso.com")
        .credential(answers(None))
        .keep_fresh(true)
        .vars(vars)
        .clock(SystemClock)
        .policy(RefreshPolicy {
            wait_timeout: Duration::from_secs(5),
            ..RefreshPolicy::default()
        })
        .build();
    assert!(all.is_ok());
    // The scope by the environment.
    assert!(TokenProvider::builder().vars(vars).build().is_ok());
    let error = TokenProvider::builder().vars(|_| None).build().unwrap_err();
    assert_eq!(error.code(), "provider/scope");
}

#[tokio::test]
async fn tokens_are_handed_out_rejected_and_challenged() {
    let tokens = provider(answers(None));
    assert!(tokens.try_token().is_none());
    let token: Token = tokens.token().await.unwrap();
    assert_eq!(token.secret(), "plain");
    assert!(token.expires_on() > SystemTime::now());
    let header: HeaderValue = token.header_value();
    assert!(header.is_sensitive() && header == "Bearer plain");
    // Cloned by pointer.
    assert_eq!(token.clone().secret().as_ptr(), token.secret().as_ptr());
    assert!(!format!("{token:?} {tokens:?}").contains("plain"));
    assert_eq!(tokens.try_token().unwrap().secret(), "plain");
    let claims = r#"Bearer error="insufficient_claims", claims="eyJhIjp7fX0=""#;
    assert!(tokens.challenge(&token, claims));
    let another = tokens.token().await.unwrap();
    assert_eq!(another.secret(), r#"{"a":{}}"#);
    assert!(!tokens.reject(&token), "it is not the current one");
    assert!(tokens.reject(&another));
}

#[tokio::test]
async fn the_status_is_told_and_the_end_is_the_end() {
    let tokens = provider(answers(None));
    let mut changes: watch::Receiver<TokenStatus> = tokens.watch();
    tokens.token().await.unwrap();
    changes
        .wait_for(|status| status.phase == Phase::Fresh)
        .await
        .unwrap();
    let status: TokenStatus = tokens.status();
    assert!(status.age.is_some() && status.refresh_on < status.expires_on);
    assert!(status.next_attempt_on.is_none() && !status.refreshing);
    assert!(status.consecutive_failures == 0 && status.last_failure.is_none());
    tokens.close().await;
    tokens.clone().close().await;
    assert_eq!(tokens.token().await.unwrap_err().code(), "token/closed");
    assert!(tokens.try_token().is_none());
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let tokens = provider(answers(Some(400)));
    let error: Error = tokens.token().await.unwrap_err();
    let code: &'static str = error.code();
    assert_eq!((code, error.status()), ("credential/refused", Some(400)));
    assert!(!error.hint().is_empty() && !error.is_retryable());
    assert_eq!(error.retry_after(), None);
    assert!(error.clone().source().is_none());
    let status = tokens.status();
    assert_eq!(status.last_failure.unwrap().code(), code);
}

#[test]
fn credentials_are_objects_and_closures() {
    fn is_credential<T: Credential + ?Sized>() {}
    is_credential::<dyn Credential>();
    is_credential::<Arc<dyn Credential>>();
    is_credential::<Box<dyn Credential>>();
    is_credential::<DirectCredential>();
    is_credential::<
        FnCredential<
            fn(TokenRequest) -> BoxFuture<'static, std::result::Result<TokenResponse, CredentialError>>,
        >,
    >();
    let direct = DirectCredential::builder()
        .vars(|_| None)
        .client_id("client")
        .tenant("contoso.com")
        .authority_host("https://login.microsoftonline.us")
        .client_secret("secret")
        .timeout(Duration::from_secs(5))
        .build();
    assert!(!format!("{:?}", direct.unwrap()).contains("secret"));
    let error = CredentialError::new("busy")
        .with_status(429)
        .with_retry_after(Duration::from_secs(2))
        .with_source(std::io::Error::other("socket"));
    assert_eq!(
        (error.status(), error.retry_after()),
        (Some(429), Some(Duration::from_secs(2)))
    );
    assert!(!error.is_unavailable() && error.clone().unavailable().is_unavailable());
    assert!(error.unreachable().source().is_some());
}

#[test]
fn a_provider_per_scope_and_tenant() {
    let providers = TokenProviders::new(answers(None));
    let of_scope: Result<TokenProvider> = providers.for_scope(SCOPE);
    let of_tenant: Result<TokenProvider> = providers.for_tenant(SCOPE, "contoso.com");
    assert!(of_scope.is_ok() && of_tenant.is_ok());
    assert!(TokenProviders::from_env().is_ok());
}

#[cfg(feature = "azure-core")]
#[test]
fn azure_core_in_both_directions() {
    use azure_core::credentials::TokenCredential;
    use azure_core::http::policies::Policy;
    use copilot_keyless_tokio::{AzureCredential, RejectionPolicy, TokenPolicy};

    let providers = TokenProviders::new(answers(None));
    let outwards: Arc<dyn TokenCredential> = Arc::new(providers.clone());
    let tokens = provider(AzureCredential(outwards));
    let policies: [Arc<dyn Policy>; 2] = [
        Arc::new(TokenPolicy::new(tokens)),
        Arc::new(RejectionPolicy::new(providers)),
    ];
    assert_eq!(policies.len(), 2);
}

#[cfg(feature = "reqwest-middleware")]
#[test]
fn a_middleware_for_reqwest() {
    use copilot_keyless_tokio::TokenMiddleware;

    fn is_middleware(_: &impl reqwest_middleware::Middleware) {}
    is_middleware(&TokenMiddleware::new(
        provider(answers(None)),
        ["myres.openai.azure.com"],
    ));
}

#[cfg(feature = "tower")]
#[test]
fn a_layer_for_tower() {
    use copilot_keyless_tokio::TokenLayer;

    fn is_layer<S>(_: &impl tower_layer::Layer<S>) {}
    let layer = TokenLayer::new(provider(answers(None)), ["myres.openai.azure.com"]);
    is_layer::<()>(&layer);
    is_layer::<()>(&layer.repeating());
}

#[cfg(feature = "object-store")]
#[test]
fn a_provider_of_credentials_for_object_store() {
    use object_store::azure::AzureCredential;
    use object_store::client::CredentialProvider;

    let tokens = provider(answers(None));
    let _: Arc<dyn CredentialProvider<Credential = AzureCredential>> = Arc::new(tokens);
}
