//! Diagnoses any response, at any host, with any token: no panic, no token in the result, and no
//! word of an attacker in a command.
#![no_main]

#[path = "../../core/diagnosis/properties.rs"]
mod properties;

use copilot_keyless::diagnosis::{FailedRequest, check_token, diagnose, role_assignment};
use copilot_keyless::request::probe;
use libfuzzer_sys::fuzz_target;
use properties::{Own, check, faults};

/// The user's hosts, and the user's own words in them.
const PLACES: [(&str, Own); 3] = [
    (
        "https://myres.openai.azure.com",
        Own {
            resource: Some("myres"),
            scopes: &["https://ai.azure.com", "https://cognitiveservices.azure.com"],
            object_id: false,
        },
    ),
    (
        "https://gw.azure-api.net",
        Own {
            resource: None,
            scopes: &[],
            object_id: false,
        },
    ),
    (
        "https://models.example/v1",
        Own {
            resource: None,
            scopes: &[],
            object_id: false,
        },
    ),
];

fuzz_target!(|given: (u16, u8, String, String, String, String, i64)| {
    let (status, place, body, header, token, deployment, now) = given;
    let (endpoint, own) = &PLACES[usize::from(place) % PLACES.len()];
    let headers = [
        "www-authenticate",
        "location",
        "retry-after",
        "retry-after-ms",
        "date",
        "x-ms-request-id",
    ];
    let failure = FailedRequest {
        endpoint: Some((*endpoint).to_owned()),
        status,
        headers: headers.map(|name| (name, header.as_str())).into(),
        body: Some(format!("{body}{token}").into()),
        token: Some(token.as_str().into()),
        now: Some(now),
        deployment: Some(deployment.clone()),
        wire_api: Some(deployment),
        ..FailedRequest::default()
    };
    // Every word is checked. The fuzzer itself finds bodies with a part of one.
    for found in [
        Some(diagnose(&failure)),
        Some(probe::judge(&failure)),
        check_token(&failure),
    ]
    .into_iter()
    .flatten()
    {
        assert_eq!(faults(&found, own, ""), Ok(()));
        assert!(found.message.as_ref().is_none_or(|message| message.len() <= 604));
    }
    assert_eq!(check(&role_assignment(&failure).command, own, ""), Ok(()));
    // A deployment is shown, even one that has the token's own text.
    let shown = token.len() < 40
        || failure
            .deployment
            .as_ref()
            .is_some_and(|name| name.contains(&token));
    assert!(shown || !format!("{failure:?}").contains(&token));
});
