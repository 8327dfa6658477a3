//! The requests to Azure's identity endpoints, the delays between attempts, and the judgement of
//! responses.

use copilot_keyless::environment::Variable;
use copilot_keyless::request::identity::{Answer, NotRenewed, Request, Source, Verdict, call, judge};
use copilot_keyless::{Headers, Variables};
use proptest::prelude::*;

const SCOPE: &str = "https://ai.azure.com/.default";

fn env(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().copied().collect()
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
    assert_eq!(imds.headers, Headers::from([("metadata", "true")]));
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
        Some(Variable::AzureFederatedTokenFile)
    );

    let secret = call(&request(
        &[&APPLICATION[..], &[("AZURE_CLIENT_SECRET", "set")]].concat(),
    ))
    .unwrap();
    assert_eq!(secret.secret.unwrap().name, "client_secret");
}

/// The SHA-256 of `test_token`: the example of MSAL's `docs/msiv1_token_revocation.md`.
const TEST_TOKEN: &str = "cc0af97287543b65da2c7e1476426021826cab166f1e063ed012b855ff819656";

fn after_rejection(hash: &str, pairs: &[(&str, &str)]) -> Request {
    Request {
        rejected_token_sha256: Some(hash.to_owned()),
        ..request(pairs)
    }
}

#[test]
fn a_rejected_token_is_renewed_where_the_source_can() {
    let renewal = call(&after_rejection(TEST_TOKEN, &APP_SERVICE)).unwrap();
    assert!(renewal.renews);
    assert_eq!(
        renewal.url,
        format!(
            "http://127.0.0.1:41/msi/token?api-version=2025-03-30&resource=https%3A%2F%2Fai.azure.com&token_sha256_to_refresh={TEST_TOKEN}&xms_cc=cp1"
        )
    );
    let ordinary = call(&request(&APP_SERVICE)).unwrap();
    assert!(
        renewal.timeout_ms < ordinary.timeout_ms,
        "a hang leaves time for the ordinary request"
    );
    let refused = Request {
        renewal_refused: true,
        ..after_rejection(TEST_TOKEN, &APP_SERVICE)
    };
    assert_eq!(call(&refused).unwrap(), ordinary);
    assert!(!serde_json::to_string(&ordinary).unwrap().contains("renews"));
    // No hash in lower-case hexadecimal digits: nothing of it gets into the URL.
    for bad in [
        "",
        "x",
        &TEST_TOKEN.to_uppercase(),
        &format!("{}&", &TEST_TOKEN[1..]),
    ] {
        assert_eq!(
            call(&after_rejection(bad, &APP_SERVICE)).unwrap(),
            ordinary,
            "{bad}"
        );
    }
    assert_eq!(
        call(&after_rejection(TEST_TOKEN, &[])).unwrap(),
        call(&request(&[])).unwrap(),
        "IMDS has no renewal"
    );
    let fabric = [
        &[("IDENTITY_ENDPOINT", "https://localhost:2377/token")][..],
        &APP_SERVICE[1..],
        &[(
            "IDENTITY_SERVER_THUMBPRINT",
            "0123456789abcdef0123456789abcdef01234567",
        )],
    ]
    .concat();
    let renewal = call(&after_rejection(TEST_TOKEN, &fabric)).unwrap();
    assert!(renewal.renews);
    assert_eq!(
        renewal.url,
        format!(
            "{}&token_sha256_to_refresh={TEST_TOKEN}&xms_cc=cp1",
            call(&request(&fabric)).unwrap().url
        ),
        "Service Fabric takes them in its ordinary version"
    );
}

#[test]
fn a_renewal_without_a_token_is_followed_by_the_ordinary_request() {
    let judged = |status, body: &str| {
        judge(&Answer {
            source: Source::AppService,
            renews: true,
            status,
            body: body.into(),
            ..Answer::default()
        })
    };
    for (status, known) in [(400, false), (404, false), (405, false), (501, false)]
        .into_iter()
        .chain([0, 200, 401, 403, 408, 429, 500, 503].map(|status| (status, true)))
    {
        let Verdict::NotRenewed(NotRenewed { refused, .. }) = judged(status, "<html>") else {
            panic!("{status}")
        };
        assert_eq!(refused, !known, "{status}");
    }
    let json = serde_json::to_string(&judged(400, "")).unwrap();
    assert_eq!(json, r#"{"notRenewed":{"refused":true}}"#);
    let token = judged(200, r#"{"access_token":"new","expires_in":3600}"#);
    assert!(matches!(token, Verdict::Token(_)));
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
            .map(|value| ("Retry-After", value))
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
            body: body.into(),
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
            headers: Headers::from([("date", date)]),
            // An hour from 2020-04-15T20:05:35Z.
            body: r#"{"access_token":"t","expires_on":"1586984735","refresh_on":1586982935}"#.into(),
            requested_at: (1_586_981_135 + clock_ahead) * 1_000,
            ..Answer::default()
        })
    };
    let Verdict::Token(token) = judged("Wed, 15 Apr 2020 20:05:36 GMT", 7_200) else {
        unreachable!("a token")
    };
    // On this machine's clock, minus the second of the Date's resolution and the second until the
    // response.
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
    // Without a fault there is no correction.
    let Verdict::Token(token) = judged("Wed, 15 Apr 2020 19:00:00 GMT", 0) else {
        unreachable!("a token")
    };
    assert_eq!(token.expires_on_timestamp, 1_586_984_735_000);
}

/// Returns the error, or the address that the request would go to.
fn refused(request: &Request) -> Option<String> {
    match call(request) {
        Ok(call) => Some(call.url),
        Err(error) => {
            assert_eq!(error.code().as_str(), "credential/configuration");
            assert!(error.next_step().is_some());
            None
        }
    }
}

#[test]
fn no_setting_leads_elsewhere_than_it_seems() {
    let application = |authority: &str, tenant: &str, client: &str| Request {
        source: Some(Source::ClientSecret),
        own_secret: true,
        authority_host: Some(authority.to_owned()),
        tenant_id: Some(tenant.to_owned()),
        client_id: Some(client.to_owned()),
        ..request(&[])
    };
    let entra = "https://login.microsoftonline.com";
    assert!(call(&application(entra, "contoso.com", "app")).is_ok());
    assert!(
        call(&application(
            "https://login.microsoftonline.com:443/",
            "contoso.com",
            "app"
        ))
        .is_ok()
    );
    assert!(call(&application("http://[::1]:8080", "contoso.com", "app")).is_ok());
    for authority in [
        "https://login.microsoftonline.com:443@evil.example",
        "https://login.microsoftonline.com@evil.example",
        "https://login.microsoftonline.com/x",
        "https://login.microsoftonline.com//evil.example",
        "https://login.microsoftonline.com?x",
        "https://login.microsoftonline.com#x",
        "https://login.microsoftonline.com\\@evil.example",
        "https://login.microsoftonline.com%2eevil.example",
        "https://login.microsoftonline.com:",
        "https://login.microsoftonline.com:99999",
        "https://login.microsoftonline.com:443:443",
        "https:///login.microsoftonline.com",
        "https://.evil.example",
        "https://",
        "http://login.microsoftonline.com",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://[::1].evil.example",
        "http://[::1]@evil.example",
        "https://[::1",
        "https://login.microsoftonline.com\u{2044}x",
        "//login.microsoftonline.com",
        "login.microsoftonline.com",
        "",
    ] {
        assert_eq!(
            refused(&application(authority, "contoso.com", "app")),
            None,
            "{authority}"
        );
    }
    for tenant in [
        "",
        " ",
        ".",
        "..",
        "a/b",
        "a/../b",
        "%2e%2e",
        "contoso.com?x",
        "contoso.com#x",
        "con toso.com",
        "contoso\\x",
        "contoso..com",
        ".contoso.com",
        "contoso.com.",
        "contoso.com@x",
        "cont\u{f6}so.com",
    ] {
        assert_eq!(refused(&application(entra, tenant, "app")), None, "{tenant}");
    }
    for client in ["", " ", "\t\n", "a b", "\u{a0}", "\u{fffd}", "app\nx"] {
        assert_eq!(
            refused(&application(entra, "contoso.com", client)),
            None,
            "{client:?}"
        );
    }
    for (name, other) in [
        ("IDENTITY_ENDPOINT", ("IDENTITY_HEADER", "set")),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", ("UNUSED", "")),
    ] {
        for host in [
            "http://127.0.0.1:41@evil.example/x",
            "http://a@b/",
            "http://a b/",
            "http://a\\b/",
            "http://a/#b",
            "ftp://a",
            "http://",
            "http://a%2fb/",
            "127.0.0.1:41",
        ] {
            assert_eq!(refused(&request(&[(name, host), other])), None, "{name}={host}");
        }
    }
}

#[test]
fn a_pause_that_is_asked_for_counts_as_seconds_and_as_a_date_and_has_its_jitter_on_top() {
    let pause = |retry_after: &str, date: &str, random: f64| {
        let verdict = judge(&Answer {
            source: Source::AppService,
            status: 503,
            headers: [("retry-after", retry_after), ("date", date)].into(),
            requested_at: 784_111_000_000,
            answered_at: Some(784_111_770_000),
            random,
            ..Answer::default()
        });
        let Verdict::Failure(failure) = verdict else {
            unreachable!("a failure")
        };
        (failure.retry_after_ms, failure.retry_in_ms)
    };
    assert_eq!(pause("7", "", 0.0), (Some(7_000), Some(7_000)));
    assert_eq!(pause("7", "", 0.5), (Some(7_000), Some(7_700)));
    let at = "Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(
        pause(at, "", 0.0),
        (Some(7_000), Some(7_000)),
        "since the answer came"
    );
    assert_eq!(
        pause(at, "Sun, 06 Nov 1994 08:49:33 GMT", 0.5),
        (Some(4_000), Some(4_400)),
        "by the clock that wrote both"
    );
    assert_eq!(
        pause("Sun, 06 Nov 1994 08:00:00 GMT", "", 0.0),
        (Some(0), Some(1_000)),
        "passed"
    );
    assert_eq!(pause("3600", "", 0.0), (Some(3_600_000), None));
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
            body: format!("{}{secret}{}", texts[3], texts[4]).into(),
            secret: secret.as_str().into(),
            ..Answer::default()
        });
        prop_assert!(!serde_json::to_string(&verdict).unwrap().contains(&secret));
    }
}
