//! The requests to Azure's identity endpoints, the pauses between attempts, and what the answers mean.

#![allow(
    clippy::unwrap_used,
    clippy::unreachable,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeMap;

use copilot_keyless::identity::{Answer, Request, Source, Verdict, advice, call, judge};
use proptest::prelude::*;

const SCOPE: &str = "https://ai.azure.com/.default";

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn request(pairs: &[(&str, &str)]) -> Request {
    Request {
        scopes: vec![SCOPE.to_owned()],
        env: env(pairs),
        ..Request::default()
    }
}

const APP_SERVICE: [(&str, &str); 2] = [
    ("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token"),
    ("IDENTITY_HEADER", "set"),
];
const APPLICATION: [(&str, &str); 2] = [("AZURE_CLIENT_ID", "app"), ("AZURE_TENANT_ID", "contoso.com")];

#[test]
fn every_request_is_the_documented_one() {
    let app_service = call(&request(&APP_SERVICE)).unwrap();
    assert_eq!(app_service.source, Source::AppService);
    assert_eq!(
        app_service.url,
        "http://127.0.0.1:41/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fai.azure.com"
    );
    assert_eq!(app_service.secret.unwrap().name, "x-identity-header");

    let imds = call(&request(&[])).unwrap();
    assert_eq!(imds.source, Source::Imds);
    assert_eq!(imds.headers.get("metadata"), Some(&"true"));
    assert!(imds.secret.is_none() && imds.form.is_none());

    let federated = call(&request(
        &[&APPLICATION[..], &[("AZURE_FEDERATED_TOKEN_FILE", "/var/token")]].concat(),
    ))
    .unwrap();
    assert_eq!(
        federated.url,
        "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"
    );
    assert_eq!(
        federated.form.unwrap(),
        "grant_type=client_credentials&client_id=app&scope=https%3A%2F%2Fai.azure.com%2F.default&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    assert_eq!(
        federated.secret.unwrap().variable,
        Some("AZURE_FEDERATED_TOKEN_FILE")
    );

    let secret = call(&request(
        &[&APPLICATION[..], &[("AZURE_CLIENT_SECRET", "set")]].concat(),
    ))
    .unwrap();
    assert_eq!(secret.secret.unwrap().name, "client_secret");
}

#[test]
fn claims_authority_and_ids_are_passed_on() {
    let given = call(&Request {
        source: Some(Source::ClientSecret),
        own_secret: true,
        claims: Some(r#"{"access_token":{}}"#.to_owned()),
        authority_host: Some("https://login.microsoftonline.us/".to_owned()),
        ..request(&APPLICATION)
    })
    .unwrap();
    assert!(
        given
            .url
            .starts_with("https://login.microsoftonline.us/contoso.com/")
    );
    assert!(
        given
            .form
            .unwrap()
            .ends_with("&claims=%7B%22access_token%22%3A%7B%7D%7D")
    );
    assert_eq!(given.secret.unwrap().variable, None);
}

#[test]
fn the_scope_of_a_managed_identity_becomes_its_resource() {
    for (scope, resource) in [
        ("https://ai.azure.com/.default", "https%3A%2F%2Fai.azure.com"),
        (
            "https://management.azure.com//.default",
            "https%3A%2F%2Fmanagement.azure.com%2F",
        ),
        ("api://app", "api%3A%2F%2Fapp"),
    ] {
        let url = call(&Request {
            scopes: vec![scope.to_owned()],
            ..request(&[])
        })
        .unwrap()
        .url;
        assert!(url.ends_with(&format!("resource={resource}")), "{url}");
    }
}

fn pause(source: Source, status: u16, attempt: u32, retry_after: Option<&str>) -> Option<u32> {
    let verdict = judge(&Answer {
        source,
        status,
        attempt,
        headers: retry_after
            .map(|value| ("Retry-After".to_owned(), value.to_owned()))
            .into_iter()
            .collect(),
        ..Answer::default()
    });
    let Verdict::Failure(failure) = verdict else {
        unreachable!("a failure")
    };
    failure.retry_in_ms
}

#[test]
fn imds_is_asked_again_by_its_own_rule() {
    for status in [404, 429, 500, 503] {
        let pauses: Vec<_> = (0..6)
            .map(|attempt| pause(Source::Imds, status, attempt, None))
            .collect();
        assert_eq!(
            pauses,
            [
                Some(0),
                Some(2_000),
                Some(6_000),
                Some(14_000),
                Some(30_000),
                None
            ],
            "{status}"
        );
    }
    let update: u32 = (0..5)
        .filter_map(|attempt| pause(Source::Imds, 410, attempt, None))
        .sum();
    assert_eq!(update, 70_000);
    assert_eq!(pause(Source::Imds, 429, 1, Some("9")), Some(9_000));
    assert_eq!(pause(Source::Imds, 429, 2, Some("1")), Some(6_000));
    assert_eq!(
        pause(Source::Imds, 429, 0, Some("30")),
        None,
        "longer than callers wait: they hear of it at once"
    );
    for status in [400, 401, 403] {
        assert_eq!(pause(Source::Imds, status, 0, None), None, "{status}");
    }
}

#[test]
fn others_are_asked_again_when_it_may_pass() {
    for source in [Source::AppService, Source::WorkloadIdentity, Source::ClientSecret] {
        for status in [408, 429, 500, 502, 503] {
            let pauses: Vec<_> = (0..4)
                .map(|attempt| pause(source, status, attempt, None))
                .collect();
            assert_eq!(pauses, [Some(1_000), Some(2_000), Some(4_000), None]);
        }
        for status in [400, 401, 403, 404, 410] {
            assert_eq!(pause(source, status, 0, None), None, "{status}");
        }
        assert_eq!(pause(source, 0, 1, None), Some(2_000));
        assert_eq!(pause(source, 0, 2, None), None);
    }
}

#[test]
fn an_answer_that_is_no_tokens_says_whose_it_is_and_where_to_look() {
    let refused = |body: String| {
        let verdict = judge(&Answer {
            status: 200,
            body,
            requested_at: 1_586_981_135_000,
            ..Answer::default()
        });
        let Verdict::Error(error) = verdict else {
            unreachable!("an error")
        };
        assert!(
            error.message().starts_with("the identity endpoint's answer: "),
            "{error}"
        );
        error
    };
    let look = |body: &str| {
        let error = refused(body.to_owned());
        assert!(error.next_step().unwrap().contains("a proxy"), "{error}");
        error.code().as_str()
    };
    assert_eq!(look("<html>"), "expiry/not-json");
    assert_eq!(
        look(r#"{"access_token":"t","expires_on":{}}"#),
        "expiry/unreadable"
    );
    assert_eq!(
        look(&format!(r#"{{"x":"{}"}}"#, "y".repeat(256 * 1024))),
        "expiry/too-large"
    );
    let expired = refused(r#"{"access_token":"t","expires_on":"1586981130"}"#.to_owned());
    assert_eq!(expired.code().as_str(), "expiry/already-expired");
    assert!(expired.next_step().unwrap().contains("clock"));
}

#[test]
fn a_clock_that_is_ahead_by_more_than_the_token_lives_is_corrected_by_the_answers_date() {
    let judged = |date: &str, clock_ahead: i64| {
        judge(&Answer {
            status: 200,
            headers: BTreeMap::from([("date".to_owned(), date.to_owned())]),
            // An hour from 2020-04-15T20:05:35Z on.
            body: r#"{"access_token":"t","expires_on":"1586984735","refresh_on":1586982935}"#.to_owned(),
            requested_at: (1_586_981_135 + clock_ahead) * 1_000,
            ..Answer::default()
        })
    };
    let Verdict::Token(token) = judged("Wed, 15 Apr 2020 20:05:36 GMT", 7_200) else {
        unreachable!("a token")
    };
    // On this machine's clock, less the second that a Date may be off by, and the one that passed until the answer.
    assert_eq!(token.expires_on_timestamp, (1_586_984_735 + 7_200 - 2) * 1_000);
    assert_eq!(
        token.refresh_after_timestamp,
        Some((1_586_982_935 + 7_200 - 2) * 1_000)
    );
    for date in [
        "",
        "yesterday",
        "Wed, 15 Apr 2020 22:05:36 GMT",
        "Wed, 15 Apr 2020 21:30:00 GMT",
    ] {
        let Verdict::Error(error) = judged(date, 7_200) else {
            unreachable!("{date}: an error")
        };
        assert_eq!(error.code().as_str(), "expiry/already-expired", "{date}");
    }
    // Nothing is corrected where nothing is wrong.
    let Verdict::Token(token) = judged("Wed, 15 Apr 2020 19:00:00 GMT", 0) else {
        unreachable!("a token")
    };
    assert_eq!(token.expires_on_timestamp, 1_586_984_735_000);
}

#[test]
fn advice_goes_by_the_whole_number() {
    assert!(
        advice("AADSTS70021: No matching federated identity record")
            .unwrap()
            .contains("issuer")
    );
    assert!(advice("AADSTS700212: audience").unwrap().contains("audience"));
    assert_eq!(advice("AADSTS7002199: unheard of"), None);
}

proptest! {
    #[test]
    fn no_settings_and_no_answer_panics_or_repeats_a_secret(
        texts in proptest::collection::vec(any::<String>(), 8),
        endpoint in "(https?://)?[ -~]{0,30}",
        status in 0u16..1000,
        secret in "[a-z0-9]{20}",
        source in prop_oneof![Just(None), Just(Some(Source::AppService)), Just(Some(Source::WorkloadIdentity)), Just(Some(Source::ClientSecret))],
    ) {
        let given = Request {
            source,
            scopes: vec![texts[0].clone()],
            client_id: Some(texts[1].clone()),
            tenant_id: Some(texts[2].clone()),
            authority_host: Some(endpoint.clone()),
            env: env(&[("IDENTITY_ENDPOINT", &endpoint), ("IDENTITY_HEADER", "set"), ("AZURE_FEDERATED_TOKEN_FILE", "/f"), ("AZURE_CLIENT_SECRET", "set")]),
            ..Request::default()
        };
        if let Ok(call) = call(&given) {
            prop_assert!(call.url.starts_with("http"));
            prop_assert!(!call.url.contains([' ', '\n', '@', '#', '\\']), "{}", call.url);
        }
        let verdict = judge(&Answer {
            status,
            body: format!("{}{secret}{}", texts[3], texts[4]),
            secret: secret.clone(),
            ..Answer::default()
        });
        prop_assert!(!serde_json::to_string(&verdict).unwrap().contains(&secret));
    }
}
