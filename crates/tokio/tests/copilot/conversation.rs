//! Turns, resumed sessions and static tokens.

use github_copilot_sdk::types::MessageOptions;
use std::time::Duration;

use crate::emulator::Emulator;
use crate::resource::{Runtime, provider, revoke, statuses, within};

#[tokio::test]
async fn a_turn_and_a_resumed_session() {
    within(async {
        let emulator = Emulator::start(3_600, false).await;
        let foundry = provider(&emulator);
        let runtime = Runtime::start().await;
        let session = runtime.session(&foundry).await;
        assert!(
            session
                .chat("My name is Ann")
                .await
                .unwrap()
                .contains("My name is Ann")
        );
        let id = session.id().clone();
        session.disconnect().await.unwrap();
        drop(session);

        // A token that is revoked while nobody talks is recovered by the resumed session.
        revoke(&emulator).await;
        let later = runtime
            .client
            .resume_session(foundry.resume_config(id.clone()))
            .await
            .unwrap();
        let later = foundry.attach(later);
        assert_eq!(later.id(), &id);
        assert!(later.chat("And now?").await.unwrap().contains("And now?"));
        let events = later.get_events().await.unwrap();
        let prompts = events.iter().filter(|event| event.event_type == "user.message");
        assert_eq!(prompts.count(), 2, "the history stays");
        assert_eq!(statuses(&emulator).await, [200, 401, 200]);
        later.disconnect().await.unwrap();
        runtime.client.stop().await.unwrap();
        foundry.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_static_token_is_rotated() {
    within(async {
        let emulator = Emulator::start(3_600, false).await;
        let foundry = provider(&emulator);
        let runtime = Runtime::start().await;
        let config = foundry.session_config();
        let config = config.with_provider(foundry.static_config().await.unwrap());
        let session = foundry.attach(runtime.client.create_session(config).await.unwrap());
        assert!(session.chat("One").await.unwrap().contains("One"));
        assert_eq!(emulator.identity_requests().await, 1);

        revoke(&emulator).await;
        let error = session.chat("Two").await.unwrap_err();
        assert_eq!((error.code(), error.status()), ("model/token-invalid", Some(401)));
        // The resource rejected the token, so the provider acquires another one.
        session.rotate().await.unwrap();
        assert!(session.chat("Three").await.unwrap().contains("Three"));
        assert!(emulator.identity_requests().await > 1);
        runtime.client.stop().await.unwrap();

        let error = session.rotate().await.unwrap_err();
        assert_eq!(error.code(), "sdk/rotate-failed");
        let error = session.chat("Four").await.unwrap_err();
        assert_eq!(error.code(), "sdk/runtime-ended");
    })
    .await;
}

#[tokio::test]
async fn rotation_leaves_a_session_with_the_callback_as_it_is() {
    within(async {
        let emulator = Emulator::start(3_600, false).await;
        let foundry = provider(&emulator);
        let runtime = Runtime::start().await;
        let session = runtime.session(&foundry).await;
        session.rotate().await.unwrap();
        session.chat("One").await.unwrap();
        foundry.static_config().await.unwrap();
        session.rotate().await.unwrap();
        revoke(&emulator).await;
        assert!(session.chat("Two").await.unwrap().contains("Two"));
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_turn_that_takes_too_long_says_so() {
    within(async {
        let emulator = Emulator::start(3_600, false).await;
        let foundry = provider(&emulator);
        let runtime = Runtime::start().await;
        let hang = serde_json::json!({ "server": "foundry", "kind": "hang", "times": "always" });
        crate::resource::fault(&emulator, hang).await;
        let session = runtime.session(&foundry).await;
        let prompt = MessageOptions::new("Hello").with_wait_timeout(Duration::from_secs(2));
        let error = session.chat(prompt).await.unwrap_err();
        assert_eq!(error.code(), "agent/timeout");
        assert!(error.is_retryable());
        runtime.client.stop().await.unwrap();
    })
    .await;
}
