//! Checks that the commands of a diagnosis contain no word of an attacker who controls the response
//! or the token.

use super::properties::{OBJECT_ID, Own, check, faults, words};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use copilot_keyless::Secret;
use copilot_keyless::diagnosis::{FailedRequest, check_token, diagnose, role_assignment};
use copilot_keyless::endpoint::Options;
use copilot_keyless::request::probe;
use proptest::prelude::*;
use serde_json::{Value, json};

/// An endpoint with its scope, and the user's own words in both.
#[derive(Debug, Clone)]
struct Place {
    endpoint: Option<&'static str>,
    given_scope: Option<&'static str>,
    own: Own,
}

fn place() -> impl Strategy<Value = Place> {
    const AI: &[&str] = &["https://ai.azure.com", "https://cognitiveservices.azure.com"];
    let place = |endpoint, resource, scopes, given_scope| Place {
        endpoint,
        given_scope,
        own: Own {
            resource,
            scopes,
            object_id: false,
        },
    };
    let places = vec![
        place(None, None, &[][..], None),
        place(Some("https://myres.openai.azure.com"), Some("myres"), AI, None),
        place(
            Some("https://my-res2.services.ai.azure.com/api/projects/p1"),
            Some("my-res2"),
            AI,
            None,
        ),
        place(
            Some("https://myres.openai.azure.us"),
            Some("myres"),
            &["https://cognitiveservices.azure.us", "https://ai.azure.us"],
            None,
        ),
        place(
            Some("https://myres.openai.azure.cn"),
            Some("myres"),
            &["https://cognitiveservices.azure.cn"],
            None,
        ),
        place(Some("https://gw.azure-api.net/openai"), None, &[], None),
        place(
            Some("https://gw.azure-api.net"),
            None,
            &["api://own-gateway"],
            Some("api://own-gateway/.default"),
        ),
        place(Some("https://models.example/v1"), None, &[], None),
        place(
            Some("https://models.example/v1"),
            None,
            &["api://own"],
            Some("api://own/.default"),
        ),
        place(Some("http://localhost:8080/v1"), None, &[], None),
    ];
    (prop::sample::select(places), any::<bool>()).prop_map(|(mut place, object_id)| {
        place.own.object_id = object_id;
        place
    })
}

/// A text that an attacker would plant in a command.
fn planted() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "@[a-z]{8}\\.txt",
        "--[a-z]{8}@[a-z]{8}",
        "[a-z]{9}@[a-z]{9}\\.com",
        "\\$\\([a-z]{9}\\)",
        "[a-z]{9};[a-z]{9}",
        "https://[a-z]{9}\\.azure\\.com",
        "https://(ai|cognitiveservices)\\.azure\\.(com|us|cn)",
        "[a-z]{9}\naz [a-z]{9}",
        "[A-Za-z0-9]{12}",
        "\\PC{10,20}",
    ]
}

/// Response bodies for every code, with the planted text in each place that messages quote.
fn body() -> impl Strategy<Value = String> {
    let texts = [
        r"The principal `X` lacks the required data action `X` to perform `X` operation.",
        r"The principal X lacks the required data action Microsoft.CognitiveServices/accounts/AIServices/X",
        "Access token is missing, invalid, audience is incorrect (X), or have expired. X",
        "Tenant provided in token does not match resource tenant X",
        "PermissionDenied X",
        "Please provide a custom subdomain X",
        "missing subscription key X",
        "invalid subscription key or wrong api endpoint X",
        "AuthenticationTypeDisabled X",
        "Public access is disabled X",
        "Virtual network/firewall rules X",
        "DeploymentNotFound X",
        "does not work with the specified model X",
        "content_filter X",
        "api-version query parameter X not allowed",
        "insufficient_quota X",
        "retry after X",
        "getaddrinfo ENOTFOUND X",
        "unable to verify certificate X",
        "Error code: 429 - {'error': {'code': 'insufficient_quota', 'message': 'X'}}",
        "The specified capacity X is bigger than available capacity",
        "Unsupported parameter: 'X' is not supported with this model",
        "maximum context length is X tokens",
        "The encrypted content X could not be verified",
        "Item with id 'X' not found",
        "Your resource has been temporarily blocked X",
        "RequestDisallowedByPolicy: X",
        "SubscriptionNotFound: X",
        "Subdomain does not map to a resource X",
        "insufficient_claims X",
        "audience is incorrect (https://X.azure.us)",
        "<html><title>X</title>nginx X",
        "Requests have exceeded token rate limit. Limit X, Requested X",
        "X",
    ];
    (prop::sample::select(texts.to_vec()), any::<bool>()).prop_map(|(text, nested)| {
        if nested {
            json!({"error": {"code": text, "message": text, "X": text}}).to_string()
        } else {
            text.to_owned()
        }
    })
}

fn token(claims: &Value) -> Secret {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    format!("{}.{}.x", part(r#"{"alg":"RS256"}"#), part(&claims.to_string())).into()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_command_holds_a_word_of_an_answer_or_of_a_claim(
        place in place(),
        planted in planted(),
        body in body(),
        status in prop::sample::select(vec![0u16, 200, 302, 400, 401, 401, 401, 403, 403, 404, 408, 429, 500]),
        with_token in any::<bool>(),
        principal in prop::sample::select(vec!["app", "user", "X"]),
    ) {
        let body = body.replace('X', &planted);
        let challenge = format!("Bearer error=\"{planted}\", claims=\"{planted}\", authorization_uri=\"https://{planted}\", resource_id=\"{planted}\"");
        let claims = json!({
            "aud": planted, "iss": planted, "tid": planted, "appid": planted, "upn": planted, "scp": planted, "roles": [planted],
            "unique_name": planted, "xms_mirid": if principal == "X" { json!(planted) } else { Value::Null }, "idtyp": principal,
            "oid": if place.own.object_id { OBJECT_ID.to_owned() } else { format!("{planted}!") },
        });
        let failure = FailedRequest {
            endpoint: place.endpoint.map(str::to_owned),
            options: Options { scope: place.given_scope.map(str::to_owned), ..Options::default() },
            status,
            headers: [
                ("www-authenticate", challenge),
                ("location", format!("https://{planted}/")),
                ("retry-after", planted.clone()),
                ("x-ms-request-id", planted.clone()),
                ("server", planted.clone()),
                ("via", planted.clone()),
                ("x-ratelimit-limit-tokens", planted.clone()),
                ("x-ratelimit-reset-tokens", planted.clone()),
            ].into(),
            body: Some(body.into()),
            token: with_token.then(|| token(&claims)),
            now: Some(1_800_000_000_000),
            deployment: Some(planted.clone()),
            wire_api: Some(planted.clone()),
            agent: Some(planted.clone()),
            env: [("HTTPS_PROXY", "set"), ("NO_PROXY", "internal.example")].into(),
        };
        let own = Own { object_id: place.own.object_id && with_token, ..place.own };
        for diagnosis in [Some(diagnose(&failure)), Some(probe::judge(&failure)), check_token(&failure)].into_iter().flatten() {
            prop_assert_eq!(faults(&diagnosis, &own, &planted), Ok(()), "{:?}", diagnosis);
        }
        prop_assert_eq!(check(&role_assignment(&failure).command, &own, &planted), Ok(()));
    }

    /// An attacker's own host, such as from a link.
    #[test]
    fn no_command_holds_a_word_of_a_strange_host(planted in planted(), body in body(), status in prop::sample::select(vec![0u16, 401, 403, 404])) {
        for endpoint in [format!("https://{planted}.example"), format!("https://{planted}.azure-api.net/{planted}"), format!("https://models.example/{planted}/v1"), planted.clone()] {
            let failure = FailedRequest { endpoint: Some(endpoint), status, body: Some(body.clone().into()), ..FailedRequest::default() };
            prop_assert_eq!(faults(&diagnose(&failure), &Own::default(), &planted), Ok(()));
            prop_assert_eq!(check(&role_assignment(&failure).command, &Own::default(), &planted), Ok(()));
        }
    }
}

#[test]
fn the_oracle_splits_as_a_shell_does_and_notices() {
    let split = |command: &str| words(command).unwrap();
    assert_eq!(split("az login --tenant <x>"), ["az", "login", "--tenant", "<x>"]);
    assert_eq!(
        split("az x --scope \"$(az y --query \"[?a=='b c'].id\" --output tsv)\""),
        [
            "az",
            "x",
            "--scope",
            "az",
            "y",
            "--query",
            "[?a=='b c'].id",
            "--output",
            "tsv"
        ]
    );
    for bad in [
        "az x; rm y",
        "az $(x) `y`",
        "az \"$X\"",
        "az \"open",
        "az a|b",
        "az ü",
    ] {
        assert!(words(bad).is_err(), "{bad}");
    }
    let own = Own::default();
    assert!(check("az login", &own, "").is_ok());
    assert!(check("az login --tenant evil.example", &own, "").is_err());
    assert!(
        check(
            &format!("az role assignment create --assignee {OBJECT_ID}"),
            &own,
            ""
        )
        .is_err()
    );
}
