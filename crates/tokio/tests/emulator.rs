//! The provider and its credential against the npm package's emulator, over HTTP and TLS. Needs Node, and
//! `npm run build` before.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

mod support;

use std::collections::HashMap;
use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime};

use copilot_keyless_tokio::{DirectCredential, RefreshPolicy, TokenProvider, TokenProviders};
use serde_json::json;
use support::Emulator;

const SCOPE: &str = "https://ai.azure.com/.default";
const OTHER: &str = "https://cognitiveservices.azure.com/.default";

fn provider(vars: HashMap<String, String>) -> TokenProvider {
    let builder = TokenProvider::builder().scope(SCOPE);
    builder.vars(move |name| vars.get(name).cloned()).build().unwrap()
}

#[tokio::test]
async fn each_host_gives_a_token() {
    let emulator = Emulator::start(3_600, true).await;
    let hosts = [
        "appService",
        "imds",
        "serviceFabric",
        "machineLearning",
        "githubActions",
        "azurePipelines",
        "foundryHostedAgent",
    ];
    for host in hosts {
        let token = provider(emulator.host(host)).token().await;
        let token = token.unwrap_or_else(|error| panic!("{host}: {error:?}"));
        assert!(token.secret().starts_with("eyJ"), "{host}");
        let left = token.expires_on().duration_since(SystemTime::now()).unwrap();
        assert!((3_500..=3_602).contains(&left.as_secs()), "{host}: {left:?}");
    }
}

#[tokio::test]
async fn service_principals_and_workload_identities_give_a_token() {
    let emulator = Emulator::start(3_600, true).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{}", emulator.secret("federatedToken")).unwrap();
    let secret = ("AZURE_CLIENT_SECRET", emulator.secret("clientSecret"));
    let token_file = ("AZURE_FEDERATED_TOKEN_FILE", file.path().display().to_string());
    for (name, value) in [secret, token_file.clone()] {
        let mut vars = emulator.principal();
        vars.insert(name.to_owned(), value);
        let error = |error| panic!("{name}: {error:?}");
        provider(vars).token().await.unwrap_or_else(error);
    }

    let mut bound = emulator.host("identityBinding");
    bound.insert(token_file.0.to_owned(), token_file.1);
    let bound = DirectCredential::builder()
        .vars(move |name| bound.get(name).cloned())
        .build()
        .unwrap();
    let tokens = TokenProvider::builder()
        .scope(SCOPE)
        .credential(bound)
        .build()
        .unwrap();
    tokens.token().await.unwrap();

    let vars = emulator.principal();
    let token = emulator.secret("federatedToken");
    let callback = DirectCredential::builder()
        .vars(move |name| vars.get(name).cloned())
        .assertion(move || {
            let token = token.clone();
            async move { Ok(token) }
        })
        .build()
        .unwrap();
    let tokens = TokenProvider::builder()
        .scope(SCOPE)
        .credential(callback)
        .build()
        .unwrap();
    tokens.token().await.unwrap();
}

#[tokio::test]
async fn a_wrong_secret_is_told_with_the_next_step_and_without_the_secret() {
    let emulator = Emulator::start(3_600, true).await;
    let mut vars = emulator.principal();
    vars.insert("AZURE_CLIENT_SECRET".to_owned(), "wrong-secret-8Q".to_owned());
    let error = provider(vars).token().await.unwrap_err();
    assert_eq!((error.code(), error.status()), ("credential/refused", Some(401)));
    assert!(error.to_string().contains("AADSTS7000215"), "{error}");
    assert!(!error.hint().is_empty() && !format!("{error:?} {error}").contains("8Q"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_cold_callers_send_one_request() {
    let emulator = Emulator::start(3_600, true).await;
    let tokens = provider(emulator.host("appService"));
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let tokens = tokens.clone();
            tokio::spawn(async move { tokens.token().await.map(drop) })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(emulator.identity_requests().await, 1);
}

/// A token of 12 s, refreshed from its sixth second on: what callers get while the endpoint fails.
#[tokio::test]
async fn the_token_serves_while_the_endpoint_hangs_fails_or_answers_nonsense() {
    let faults = [
        json!({ "kind": "hang" }),
        json!({ "kind": "status", "status": 500 }),
        json!({ "kind": "status", "status": 429, "headers": { "retry-after": "60" } }),
        json!({ "kind": "reset" }),
        json!({ "kind": "body", "body": "<html>Sign in</html>" }),
    ];
    let mut running = Vec::new();
    for mut fault in faults {
        running.push(tokio::spawn(async move {
            let emulator = Emulator::start(12, false).await;
            let tokens = provider(emulator.host("appService"));
            let first = tokens.token().await.unwrap();
            fault["server"] = "identity".into();
            fault["times"] = "always".into();
            emulator.control("POST", "/faults", Some(&fault)).await;
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(8_500) {
                let asked = Instant::now();
                let token = tokens
                    .token()
                    .await
                    .unwrap_or_else(|error| panic!("{fault}: {error:?}"));
                assert_eq!(token.secret(), first.secret(), "{fault}");
                assert!(
                    asked.elapsed() < Duration::from_millis(100),
                    "{fault}: {:?}",
                    asked.elapsed()
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(emulator.identity_requests().await >= 2, "{fault}: it was asked");
            emulator.control("DELETE", "/faults", None).await;
        }));
    }
    for one in running {
        one.await.unwrap();
    }
}

#[tokio::test]
async fn another_scope_that_hangs_blocks_nobody() {
    let emulator = Emulator::start(3_600, true).await;
    let vars = emulator.host("appService");
    let credential = DirectCredential::builder()
        .vars(move |name| vars.get(name).cloned())
        .build()
        .unwrap();
    let providers = TokenProviders::new(credential);
    let ours = providers.for_scope(SCOPE).unwrap();
    ours.token().await.unwrap();
    let hang =
        json!({ "server": "identity", "kind": "hang", "match": "cognitiveservices", "times": "always" });
    emulator.control("POST", "/faults", Some(&hang)).await;
    let other = providers.for_scope(OTHER).unwrap();
    let waiting = tokio::spawn(async move { other.token().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    for _ in 0..100 {
        ours.token().await.unwrap();
    }
    assert!(
        began.elapsed() < Duration::from_millis(50),
        "{:?}",
        began.elapsed()
    );
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn short_tokens_are_renewed_before_they_end() {
    let emulator = Emulator::start(4, false).await;
    let tokens = provider(emulator.host("appService"));
    let began = Instant::now();
    let mut seen = std::collections::HashSet::new();
    while began.elapsed() < Duration::from_secs(9) {
        let token = tokens.token().await.unwrap();
        assert!(token.expires_on() > SystemTime::now());
        seen.insert(token.secret().to_owned());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!((3..=6).contains(&seen.len()), "{}", seen.len());
}

#[tokio::test]
async fn a_revoked_token_is_replaced_or_told() {
    // Without the platform's cache there is another token.
    let emulator = Emulator::start(3_600, false).await;
    let tokens = provider(emulator.host("appService"));
    let first = tokens.token().await.unwrap();
    assert_eq!(emulator.ask_model(&first).await, 200);
    emulator
        .control("POST", "/revoke", Some(&json!({ "token": first.secret() })))
        .await;
    assert_eq!(emulator.ask_model(&first).await, 401);
    assert!(tokens.reject(&first));
    let second = tokens.token().await.unwrap();
    assert_eq!(emulator.ask_model(&second).await, 200);

    let emulator = Emulator::start(3_600, true).await;
    let tokens = provider(emulator.host("appService"));
    let first = tokens.token().await.unwrap();
    emulator
        .control("POST", "/revoke", Some(&json!({ "token": first.secret() })))
        .await;
    assert!(tokens.reject(&first));
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.code(), "token/rejected-again");
}

/// A connection is lost: another request is answered, long before the limit of the first.
#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_asked_again_after_three_seconds() {
    let emulator = Emulator::start(3_600, true).await;
    let hang = json!({ "server": "identity", "kind": "hang", "times": 1 });
    emulator.control("POST", "/faults", Some(&hang)).await;
    let began = Instant::now();
    provider(emulator.host("appService")).token().await.unwrap();
    let waited = began.elapsed();
    assert!((2_900..6_000).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!(emulator.identity_requests().await, 2);
}

#[tokio::test]
async fn an_outage_is_told_within_the_wait() {
    let emulator = Emulator::start(3_600, true).await;
    let vars = emulator.host("appService");
    let policy = RefreshPolicy {
        wait_timeout: Duration::from_secs(3),
        ..RefreshPolicy::default()
    };
    let builder = TokenProvider::builder().scope(SCOPE).policy(policy);
    let tokens = builder.vars(move |name| vars.get(name).cloned()).build().unwrap();
    let fault = json!({ "server": "identity", "kind": "status", "status": 503, "times": "always" });
    emulator.control("POST", "/faults", Some(&fault)).await;
    let began = Instant::now();
    let error = tokens.token().await.unwrap_err();
    assert_eq!(
        (error.code(), error.status()),
        ("credential/server-error", Some(503))
    );
    assert!(began.elapsed() < Duration::from_millis(3_500) && error.retry_after().is_some());
}
