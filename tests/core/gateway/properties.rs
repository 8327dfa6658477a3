//! What holds for any request.

use copilot_keyless::gateway::{Admission, Incoming, Pair, response_headers};
use proptest::prelude::*;

use super::table::{KEY, gateway};

const PIECES: [&str; 44] = [
    "/",
    "/",
    "/",
    "//",
    "/openai",
    "/v1",
    "/openai/v1",
    "/anthropic",
    "/messages",
    "/responses",
    "/chat/completions",
    "/models",
    "/deployments",
    "/d",
    "/api/projects",
    "/p",
    "/healthz",
    "?",
    "&",
    "=",
    "api-version=2024-10-21",
    "api-version",
    "x=1",
    "..",
    ".",
    "%2e",
    "%2f",
    "%5c",
    "%25",
    "%00",
    "%zz",
    "%",
    "\\",
    ";",
    "#",
    "\r\n",
    " ",
    "é",
    "@",
    ":",
    "http://",
    "127.0.0.1",
    "evil.example",
    "[",
];

const BASES: [&str; 4] = [
    "https://myres.openai.azure.com/openai/v1/",
    "https://myres.services.ai.azure.com/api/projects/p/openai/v1/",
    "https://apim.azure-api.net/team/openai/v1/",
    "http://localhost:5273/v1",
];

const NAMES: [&str; 16] = [
    "Host",
    "Authorization",
    "api-key",
    "x-api-key",
    "X-API-Key",
    "Connection",
    "Keep-Alive",
    "TE",
    "transfer-encoding",
    "Content-Length",
    "Proxy-Authorization",
    "Upgrade",
    "x-a",
    "Accept",
    "expect",
    "Origin",
];

const VALUES: [&str; 9] = [
    "127.0.0.1",
    "Bearer key-of-the-tests-1",
    KEY,
    "x-a, accept",
    "close",
    "5",
    "evil.example",
    "",
    "a\nb",
];

/// Checks what is forwarded: below a route of the resource, in one reading, without keys.
fn check(base: &str, request: Incoming<'_>) {
    let Admission::Forward(forward) = gateway(base).admit(request) else {
        return;
    };
    let path = forward.target.split('?').next().unwrap();
    let allowed = [
        "/openai/",
        "/anthropic/v1/",
        "/api/projects/",
        "/team/openai/",
        "/team/anthropic/v1/",
        "/team/api/projects/",
        "/v1/",
    ];
    assert!(allowed.iter().any(|start| path.starts_with(start)), "{forward:?}");
    for segment in path.split('/').skip(1) {
        assert!(
            !segment.is_empty() && segment != "." && segment != "..",
            "{forward:?}"
        );
    }
    let lower = path.to_ascii_lowercase();
    for trick in ["%2e", "%2f", "%5c", "%25", "%00", "\\", "#", " "] {
        assert!(!lower.contains(trick), "{forward:?}");
    }
    assert!(
        forward.target.bytes().all(|byte| byte.is_ascii_graphic()),
        "{forward:?}"
    );
    for (name, value) in &forward.headers {
        assert!(
            ![
                "authorization",
                "api-key",
                "x-api-key",
                "host",
                "connection",
                "transfer-encoding",
                "content-length",
                "te",
                "upgrade",
                "proxy-authorization",
                "keep-alive",
                "expect",
            ]
            .contains(&name.to_ascii_lowercase().as_str()),
            "{name}"
        );
        assert!(!value.contains(['\r', '\n', '\0']));
    }
    // It was admitted, so one of the keys is right.
    assert!(
        request
            .headers
            .iter()
            .any(|(_, value)| value.trim().ends_with(KEY))
    );
    // A repaired path needs no further repair.
    if base == BASES[0] {
        let headers = [("host", "127.0.0.1"), ("api-key", KEY)];
        let again = gateway(base).admit(Incoming {
            target: &forward.target,
            headers: &headers,
            ..request
        });
        let Admission::Forward(again) = again else {
            panic!("{forward:?}\n{again:?}")
        };
        assert_eq!(again.target, forward.target);
        assert_eq!(again.dialect, forward.dialect);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_target_is_forwarded_in_one_reading_or_refused(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..9),
        base in prop::sample::select(&BASES[..]),
        method in prop::sample::select(&["GET", "POST", "HEAD"][..]),
    ) {
        let target = pieces.concat();
        let headers = [("host", "127.0.0.1"), ("api-key", KEY)];
        check(base, Incoming { method, target: &target, headers: &headers });
    }

    #[test]
    fn any_text_is_forwarded_in_one_reading_or_refused(method in any::<String>(), target in any::<String>()) {
        let headers = [("host", "127.0.0.1"), ("api-key", KEY)];
        check(BASES[0], Incoming { method: &method, target: &target, headers: &headers });
        check(BASES[0], Incoming { method: "POST", target: &format!("/openai/v1/{target}"), headers: &headers });
    }

    #[test]
    fn any_headers_are_forwarded_without_keys_or_refused(
        headers in prop::collection::vec((prop::sample::select(&NAMES[..]), prop::sample::select(&VALUES[..])), 0..8),
    ) {
        let headers: Vec<Pair<'_>> = headers;
        check(BASES[0], Incoming { method: "POST", target: "/v1/responses", headers: &headers });
        let passed = response_headers(&headers);
        prop_assert_eq!(response_headers(&passed), passed);
    }

    #[test]
    fn no_other_key_is_accepted(key in "[ -~]{0,40}") {
        prop_assume!(key.trim() != KEY);
        let headers = [("host", "127.0.0.1"), ("api-key", key.as_str())];
        let found = gateway(BASES[0]).admit(Incoming { method: "POST", target: "/v1/responses", headers: &headers });
        prop_assert!(matches!(found, Admission::Refuse(..)));
    }
}

#[test]
fn an_empty_key_admits_nobody() {
    let mut gateway = gateway(BASES[0]);
    gateway.key = "".into();
    for value in ["", "Bearer ", "Bearer"] {
        for name in ["authorization", "api-key"] {
            let headers = [("host", "127.0.0.1"), (name, value)];
            let found = gateway.admit(Incoming {
                method: "POST",
                target: "/v1/responses",
                headers: &headers,
            });
            assert!(matches!(found, Admission::Refuse(..)), "{found:?}");
        }
    }
}
