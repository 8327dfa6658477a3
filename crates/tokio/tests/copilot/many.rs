//! Several providers in one session.

use copilot_keyless_tokio::FoundryProviders;

use crate::emulator::Emulator;
use crate::resource::{Runtime, builder, revoke, statuses, within};

#[tokio::test]
async fn two_providers_recover_each_by_itself() {
    within(async {
        let west = Emulator::start(3_600, false).await;
        let east = Emulator::start(3_600, false).await;
        let foundry = FoundryProviders::new([
            ("west", builder(&west).models(["gpt-5.5"])),
            ("east", builder(&east).models(["gpt-5.5"])),
        ])
        .unwrap();
        let runtime = Runtime::start().await;
        let session = runtime
            .client
            .create_session(foundry.session_config())
            .await
            .unwrap();
        let session = foundry.attach(session);
        assert!(session.chat("One").await.unwrap().contains("One"));
        session.set_model("east/gpt-5.5", None).await.unwrap();
        assert!(session.chat("Two").await.unwrap().contains("Two"));
        assert_eq!(
            (statuses(&west).await, statuses(&east).await),
            (vec![200], vec![200])
        );

        // Both serve a model of that name: the failure is that of the one that was asked.
        revoke(&east).await;
        assert!(session.chat("Three").await.unwrap().contains("Three"));
        assert_eq!(statuses(&east).await, [200, 401, 200]);
        assert_eq!(west.identity_requests().await, 1, "the other one keeps its token");
        session.set_model("west/gpt-5.5", None).await.unwrap();
        assert!(session.chat("Four").await.unwrap().contains("Four"));
        assert_eq!(west.identity_requests().await, 1);

        // A turn of the resumed session, with static tokens.
        let id = session.id().clone();
        session.disconnect().await.unwrap();
        let config = foundry.resume_config(id);
        let config = config.with_providers(foundry.static_config().await.unwrap());
        let session = foundry.attach(runtime.client.resume_session(config).await.unwrap());
        assert!(session.chat("Five").await.unwrap().contains("Five"));
        assert_eq!(session.rotate().await.unwrap_err().code(), "sdk/rotate-failed");
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn providers_of_one_identity_share_their_token() {
    let emulator = Emulator::start(3_600, false).await;
    let same = builder(&emulator);
    let foundry = FoundryProviders::new([
        ("one", same.clone().models(["gpt-5.5"])),
        ("two", same.models(["gpt-5.5-mini"])),
    ])
    .unwrap();
    for name in ["one", "two"] {
        foundry.tokens(name).unwrap().token().await.unwrap();
    }
    assert_eq!(emulator.identity_requests().await, 1);
    assert!(foundry.tokens("three").is_none() && foundry.plan("one").is_some());
    foundry.close().await;

    let error = FoundryProviders::new([("a b", builder(&emulator))]).unwrap_err();
    assert_eq!(error.code(), "provider/name");
}
