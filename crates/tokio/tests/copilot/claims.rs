//! Claims challenges (continuous access evaluation) within a turn.

use std::time::{Duration, SystemTime};

use copilot_keyless_tokio::{
    CredentialError, FoundryProvider, FoundryProviders, TokenProvider, TokenRequest, TokenResponse,
    credential_fn,
};
use github_copilot_sdk::ClientOptions;
use serde_json::{Value, json};

use crate::emulator::Emulator;
use crate::resource::{Runtime, builder, fault, provider, statuses, within};

const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;

/// A provider whose credential passes claims on, as those of service principals do.
fn accepting(emulator: &Emulator) -> FoundryProvider {
    builder(emulator).tokens(accepted(emulator)).build().unwrap()
}

fn accepted(emulator: &Emulator) -> TokenProvider {
    let vars = emulator.host("appService");
    let client = emulator.client();
    let credential = credential_fn(move |request: TokenRequest| {
        let (vars, client) = (vars.clone(), client.clone());
        async move {
            let query = [
                ("resource", "https://ai.azure.com"),
                ("api-version", "2019-08-01"),
            ];
            let claims = request.claims.iter().map(|claims| ("claims", claims.as_str()));
            let url =
                reqwest::Url::parse_with_params(&vars["IDENTITY_ENDPOINT"], query.into_iter().chain(claims));
            let asked = client
                .get(url.unwrap())
                .header("x-identity-header", &vars["IDENTITY_HEADER"]);
            let lost = |error| CredentialError::new("no answer").with_source(error);
            let text = asked.send().await.map_err(lost)?.text().await.map_err(lost)?;
            let token: Value = serde_json::from_str(&text).unwrap();
            let hour = SystemTime::now() + Duration::from_secs(3_600);
            Ok(TokenResponse::new(token["access_token"].as_str().unwrap(), hour))
        }
    });
    let tokens = TokenProvider::builder()
        .scope("https://ai.azure.com/.default")
        .credential(credential);
    tokens.build().unwrap()
}

async fn runtime(foundry: &FoundryProvider) -> Runtime {
    let options = ClientOptions::default().with_request_handler(foundry.claims_challenge_handler());
    Runtime::with(options).await
}

async fn challenge(emulator: &Emulator) {
    let challenge =
        json!({ "server": "foundry", "kind": "claims-challenge", "claims": CLAIMS, "times": "always" });
    fault(emulator, challenge).await;
}

#[tokio::test]
async fn sessions_that_are_challenged_share_one_acquisition_and_every_turn_is_answered() {
    within(async {
        let emulator = Emulator::start(3_600, false).await;
        let foundry = accepting(&emulator);
        let runtime = runtime(&foundry).await;
        let one = runtime.session(&foundry).await;
        let two = runtime.session(&foundry).await;
        assert!(one.chat("One").await.unwrap().contains("One"));
        challenge(&emulator).await;
        let (first, second) = tokio::join!(one.chat("Two"), two.chat("Three"));
        assert!(first.unwrap().contains("Two") && second.unwrap().contains("Three"));
        assert_eq!(emulator.identity_requests().await, 1 + 1);
        let mut asked = statuses(&emulator).await;
        asked.sort_unstable();
        assert_eq!(asked.iter().filter(|status| **status == 200).count(), 3);
        assert!(asked.ends_with(&[401]), "{asked:?}");
        // From now on the provider returns the token with the claims.
        let before = asked.len();
        one.chat("Four").await.unwrap();
        assert_eq!(statuses(&emulator).await.split_off(before), [200]);
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn of_two_identities_at_one_address_the_one_whose_token_was_sent_answers() {
    within(async {
        let emulator = Emulator::start(3_600, false).await;
        let (one, two) = (accepted(&emulator), accepted(&emulator));
        let foundry = FoundryProviders::new([
            ("one", builder(&emulator).tokens(one.clone()).models(["gpt-5.5"])),
            ("two", builder(&emulator).tokens(two.clone()).models(["gpt-5.5"])),
        ])
        .unwrap();
        let options = ClientOptions::default().with_request_handler(foundry.claims_challenge_handler());
        let runtime = Runtime::with(options).await;
        let session = runtime.client.create_session(foundry.session_config());
        let session = foundry.attach(session.await.unwrap());
        session.set_model("two/gpt-5.5", None).await.unwrap();
        session.chat("One").await.unwrap();
        let before = (one.token().await.unwrap(), two.token().await.unwrap());
        challenge(&emulator).await;
        assert!(session.chat("Two").await.unwrap().contains("Two"));
        assert_eq!(statuses(&emulator).await, [200, 401, 200]);
        let after = (one.token().await.unwrap(), two.token().await.unwrap());
        assert_eq!(before.0.secret(), after.0.secret(), "it was not asked");
        assert_ne!(before.1.secret(), after.1.secret());
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn claims_that_no_token_meets_end_the_turn_with_the_reason() {
    within(async {
        let emulator = Emulator::start(3_600, false).await;
        let foundry = accepting(&emulator);
        let runtime = runtime(&foundry).await;
        let session = runtime.session(&foundry).await;
        session.chat("One").await.unwrap();
        // The same claims in base64, whatever the token has.
        let header = format!(
            r#"Bearer error="insufficient_claims", claims="{}""#,
            "eyJhY2Nlc3NfdG9rZW4iOnt9fQ"
        );
        let refused = json!({
            "server": "foundry", "kind": "status", "status": 401, "times": 2,
            "headers": { "www-authenticate": header },
        });
        fault(&emulator, refused).await;
        let error = session.chat("Two").await.unwrap_err();
        assert_eq!(error.code(), "token/claims-challenge", "{error:?}");
        assert!(error.hint().contains("policy") && !error.is_retryable());
        // After one acquisition and one repetition.
        assert_eq!(statuses(&emulator).await, [200, 401, 401]);
        assert_eq!(emulator.identity_requests().await, 1 + 1);
        assert!(session.chat("Three").await.unwrap().contains("Three"));
        runtime.client.stop().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_identity_without_claims_ends_the_turn_at_once() {
    within(async {
        // The platform returns the same token again.
        let emulator = Emulator::start(3_600, true).await;
        let foundry = provider(&emulator);
        let runtime = runtime(&foundry).await;
        let session = runtime.session(&foundry).await;
        session.chat("One").await.unwrap();
        let refused = json!({
            "server": "foundry", "kind": "status", "status": 401, "times": "always",
            "headers": { "www-authenticate": r#"Bearer claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ""# },
        });
        fault(&emulator, refused).await;
        let error = session.chat("Two").await.unwrap_err();
        assert_eq!(error.code(), "token/claims-challenge", "{error:?}");
        assert!(!format!("{error} {error:?}").contains("eyJ"));
        runtime.client.stop().await.unwrap();
    })
    .await;
}
