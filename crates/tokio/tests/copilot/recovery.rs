//! Tokens that the resource rejects.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use copilot_keyless_tokio::{CredentialError, TokenProvider, TokenResponse, credential_fn};
use github_copilot_sdk::tool::ToolHandler;
use github_copilot_sdk::types::{Tool, ToolInvocation, ToolResult};
use serde_json::json;

use crate::emulator::Emulator;
use crate::resource::{Runtime, builder, fault, provider, revoke, statuses, within};

#[tokio::test]
async fn a_revoked_token_is_replaced_in_the_same_turn() {
    within(async {
        let emulator = Emulator::start(3_600, false).await;
        let foundry = provider(&emulator);
        let runtime = Runtime::start().await;
        let failures = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&failures);
        let session = runtime.session(&foundry).await.on_failure(move |error| {
            seen.lock().unwrap().push(error.code());
        });
        assert!(session.chat("One").await.unwrap().contains("One"));
        revoke(&emulator).await;
        assert!(session.chat("Two").await.unwrap().contains("Two"));
        assert_eq!(statuses(&emulator).await, [200, 401, 200]);
        assert_eq!(*failures.lock().unwrap(), ["model/token-invalid"]);
        // The first for the token that takes the place of a revoked one, which this host does not know.
        assert_eq!(emulator.identity_requests().await, 1 + 2);
        let events = session.get_events().await.unwrap();
        let prompts = events.iter().filter(|event| event.event_type == "user.message");
        assert_eq!(prompts.count(), 2, "no prompt was sent again");
        runtime.client.stop().await.unwrap();
    })
    .await;
}

/// A tool that revokes the tokens of the emulator.
struct Revoking(Arc<Emulator>);

#[async_trait]
impl ToolHandler for Revoking {
    async fn call(&self, _: ToolInvocation) -> Result<ToolResult, github_copilot_sdk::Error> {
        revoke(&self.0).await;
        Ok(ToolResult::Text("Revoked.".to_owned()))
    }
}

#[tokio::test]
async fn a_turn_goes_on_when_its_token_is_revoked_between_two_requests() {
    within(async {
        let emulator = Arc::new(Emulator::start(3_600, false).await);
        let call = json!({ "toolCalls": [{ "name": "revoke", "arguments": {} }] });
        emulator.control("POST", "/replies", Some(&call)).await;
        let foundry = provider(&emulator);
        let runtime = Runtime::start().await;
        let tool = Tool::new("revoke")
            .with_skip_permission(true)
            .with_handler(Arc::new(Revoking(Arc::clone(&emulator))));
        let config = foundry.session_config().with_tools([tool]);
        let session = foundry.attach(runtime.client.create_session(config).await.unwrap());
        session.chat("Revoke it").await.unwrap();
        assert_eq!(statuses(&emulator).await, [200, 401, 200]);
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_token_that_stays_rejected_ends_the_turn_with_the_reason() {
    within(async {
        // The platform returns the revoked token again.
        let emulator = Emulator::start(3_600, true).await;
        let foundry = provider(&emulator);
        let runtime = Runtime::start().await;
        let session = runtime.session(&foundry).await;
        session.chat("One").await.unwrap();
        revoke(&emulator).await;
        let began = Instant::now();
        let error = session.chat("Two").await.unwrap_err();
        assert_eq!((error.code(), error.status()), ("model/token-invalid", Some(401)));
        assert!(!error.hint().is_empty() && !error.is_retryable(), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("eyJ"));
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
        // Sent once more, in case that the role was assigned meanwhile, and no third time.
        assert_eq!(statuses(&emulator).await, [200, 401, 401]);

        // So do the turns of other sessions, to which the provider gives no token now.
        let other = runtime.session(&foundry).await;
        let error = other.chat("Hello").await.unwrap_err();
        assert_eq!(error.code(), "model/token-invalid");
        assert_eq!(statuses(&emulator).await.split_off(3), [401, 401]);

        // The session can be used again: its next turn fails as well, without being lost.
        let error = session.chat("Three").await.unwrap_err();
        assert_eq!(error.code(), "model/token-invalid");
        assert!(statuses(&emulator).await.len() <= 8);
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_credential_that_fails_ends_the_turn_at_once_and_the_next_one_goes_on() {
    within(async {
        let emulator = Emulator::start(3_600, true).await;
        let inner = provider(&emulator).tokens().unwrap().clone();
        let works = Arc::new(AtomicBool::new(false));
        let (now_works, scope) = (Arc::clone(&works), "https://ai.azure.com/.default");
        let credential = credential_fn(move |_| {
            let (inner, works) = (inner.clone(), works.load(Ordering::Relaxed));
            async move {
                if !works {
                    return Err(CredentialError::new("no identity today"));
                }
                let token = inner.token().await.unwrap();
                Ok(TokenResponse::new(token.secret(), token.expires_on()))
            }
        });
        let tokens = TokenProvider::builder().scope(scope).credential(credential);
        let foundry = builder(&emulator)
            .tokens(tokens.build().unwrap())
            .build()
            .unwrap();
        let runtime = Runtime::start().await;
        let session = runtime.session(&foundry).await;
        let began = Instant::now();
        let error = session.chat("One").await.unwrap_err();
        assert_eq!(error.code(), "credential/failed", "{error:?}");
        assert!(error.to_string().contains("no identity today"));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert!(statuses(&emulator).await.is_empty());

        now_works.store(true, Ordering::Relaxed);
        // The pause after a failure.
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        assert!(session.chat("Two").await.unwrap().contains("Two"));
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_outage_of_the_identity_holds_a_turn_no_longer_than_one_wait() {
    within(async {
        let emulator = Emulator::start(3_600, true).await;
        let down = json!({ "server": "identity", "kind": "status", "status": 503, "times": "always" });
        fault(&emulator, down).await;
        let foundry = provider(&emulator);
        let runtime = Runtime::start().await;
        let session = runtime.session(&foundry).await;
        let began = Instant::now();
        let error = session.chat("One").await.unwrap_err();
        assert_eq!(error.code(), "credential/server-error", "{error:?}");
        assert!(error.is_retryable());
        assert!(began.elapsed() < Duration::from_secs(22), "{:?}", began.elapsed());
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_turn_ends_at_once_if_no_attempt_begins_within_its_wait() {
    within(async {
        let emulator = Emulator::start(3_600, true).await;
        let throttled = json!({
            "server": "identity", "kind": "status", "status": 429, "times": "always",
            "headers": { "retry-after": "60" },
        });
        fault(&emulator, throttled).await;
        let foundry = provider(&emulator);
        let runtime = Runtime::start().await;
        let session = runtime.session(&foundry).await;
        let began = Instant::now();
        let error = session.chat("One").await.unwrap_err();
        assert_eq!(error.code(), "credential/throttled", "{error:?}");
        assert!(error.retry_after() > Some(Duration::from_secs(30)));
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_the_resource_refuses_is_explained() {
    within(async {
        let emulator = Emulator::start(3_600, true).await;
        let foundry = provider(&emulator);
        let runtime = Runtime::start().await;
        let session = runtime.session(&foundry).await;
        emulator
            .control("POST", "/roles", Some(&json!({ "roles": [] })))
            .await;
        let error = session.chat("One").await.unwrap_err();
        assert_eq!(error.code(), "model/missing-role");
        assert!(
            error.hint().contains("az role assignment create"),
            "{}",
            error.hint()
        );
        assert!(std::error::Error::source(&error).is_some());

        let roles = json!({ "roles": ["Cognitive Services OpenAI User"] });
        emulator.control("POST", "/roles", Some(&roles)).await;
        emulator
            .control("POST", "/deployments", Some(&json!({ "deployments": [] })))
            .await;
        let error = session.chat("Two").await.unwrap_err();
        assert_eq!(error.code(), "model/deployment-not-found");
        runtime.client.stop().await.unwrap();
    })
    .await;
}
