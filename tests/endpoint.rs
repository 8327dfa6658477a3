//! Runs `tables/endpoints.json`, and checks what must hold for any text.
//!
//! A row is `{ name?, input, options?, expect | error }`. `expect` holds some fields of the endpoint; null stands for a
//! field that is left out, and `warnings` lists the codes in their order.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::BTreeSet;

use copilot_keyless::Code;
use copilot_keyless::endpoint::{Endpoint, Kind, NoticeCode, Options, ProviderType, parse};
use proptest::prelude::*;
use serde_json::Value;

fn rows() -> Vec<Value> {
    serde_json::from_str(include_str!("tables/endpoints.json")).unwrap()
}

fn options(row: &Value) -> Options {
    row.get("options")
        .map(|options| serde_json::from_value(options.clone()).unwrap())
        .unwrap_or_default()
}

fn codes(endpoint: &Endpoint) -> Vec<&'static str> {
    endpoint
        .warnings
        .iter()
        .map(|notice| notice.code.as_str())
        .collect()
}

#[test]
fn every_row_of_the_table() {
    let mut failures = Vec::new();
    for row in rows() {
        let input = row["input"].as_str().unwrap();
        let outcome = parse(input, &options(&row));
        if let Some(code) = row.get("error") {
            match outcome {
                Err(error) if error.code().as_str() == code => {}
                Err(error) => failures.push(format!("{row}\n  got {error}")),
                Ok(endpoint) => failures.push(format!("{row}\n  got {endpoint:?}")),
            }
            continue;
        }
        let endpoint = match outcome {
            Ok(endpoint) => endpoint,
            Err(error) => {
                failures.push(format!("{row}\n  got {error}"));
                continue;
            }
        };
        let actual = serde_json::to_value(&endpoint).unwrap();
        for (field, expected) in row["expect"].as_object().unwrap() {
            let found = match field.as_str() {
                "warnings" => serde_json::to_value(codes(&endpoint)).unwrap(),
                _ => actual.get(field).cloned().unwrap_or(Value::Null),
            };
            if found != *expected {
                failures.push(format!("{row}\n  {field} is {found}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_table_reaches_every_code() {
    let mut errors = BTreeSet::new();
    let mut warnings = BTreeSet::new();
    for row in rows() {
        match parse(row["input"].as_str().unwrap(), &options(&row)) {
            Ok(endpoint) => warnings.extend(codes(&endpoint)),
            Err(error) => {
                errors.insert(error.code().as_str());
            }
        }
    }
    // Behind them come those of the environment and the provider.
    let of_endpoints = NoticeCode::ALL
        .iter()
        .take_while(|code| **code != NoticeCode::EnvConflict);
    for code in of_endpoints {
        assert!(warnings.contains(code.as_str()), "no row warns {}", code.as_str());
    }
    for code in Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| code.starts_with("endpoint/"))
    {
        assert!(errors.contains(code), "no row fails with {code}");
    }
}

#[test]
fn every_accepted_row_is_idempotent() {
    for row in rows() {
        let options = options(&row);
        if let Ok(endpoint) = parse(row["input"].as_str().unwrap(), &options) {
            check_again(&endpoint, &options);
        }
    }
}

#[test]
fn nothing_repeats_a_secret() {
    let secret = "f00dfeedf00dfeedf00dfeedf00dfeed";
    let texts = [
        format!("https://myres.openai.azure.com/?api-key={secret}"),
        format!("https://myres.openai.azure.com/?api-version={secret}"),
        format!("https://myres.openai.azure.com/#{secret}"),
        format!("https://f.contoso.com/v1?code={secret}&sig={secret}&{secret}"),
        format!("https://user:{secret}@myres.openai.azure.com/"),
        format!("{secret}@myres.openai.azure.com/"),
        format!("https://myres.openai.azure.com@{secret}/"),
        format!("https://myres.openai.azure.com/{secret}"),
        format!("https://myres.openai.azure.com/openai/v1&api-key={secret}"),
        format!("https://myres.openai.azure.com/openai/deployments/{secret}%20x/chat"),
        format!("Endpoint=https://myres.openai.azure.com/;AccountKey={secret}"),
        format!("AccountKey={secret}"),
        format!("Endpoint={secret};x=y"),
        format!("eastus.api.azureml.ms;{secret};rg;project"),
        format!("/subscriptions/{secret}/providers/x/accounts/{secret}"),
        format!("AZURE_OPENAI_API_KEY=http{secret}"),
        secret.to_owned(),
        format!("{secret}:{secret}"),
        format!("{secret}://{secret}"),
        format!("\"{secret}"),
        format!("Bearer eyJ{secret}.{secret}.{secret}"),
        format!("https://ai.azure.com/?key={secret}"),
        format!("https://attacker.example/myres.openai.azure.com?key={secret}"),
    ];
    for text in texts {
        let shown = match parse(&text, &Options::default()) {
            Ok(endpoint) => serde_json::to_string(&endpoint).unwrap(),
            Err(error) => format!("{error:?} {error}"),
        };
        assert!(!shown.contains(secret), "{text}\n  {shown}");
    }
    let options = Options {
        api_version: Some(secret.to_owned() + "!"),
        ..Options::default()
    };
    assert!(!format!("{:?}", parse("https://myres.openai.azure.com", &options)).contains(secret));
    let options = Options {
        scope: Some(secret.to_owned() + " x"),
        ..Options::default()
    };
    assert!(!format!("{:?}", parse("https://myres.openai.azure.com", &options)).contains(secret));
}

#[test]
fn every_error_says_what_to_do() {
    for row in rows() {
        if let Err(error) = parse(row["input"].as_str().unwrap(), &options(&row)) {
            assert!(
                error.message().len() > 20 && error.next_step().is_some(),
                "{row}\n  {error}"
            );
        }
    }
}

#[test]
fn one_typing_error_in_a_domain_never_gets_a_token() {
    let domains = [
        "openai.azure.com",
        "services.ai.azure.com",
        "cognitiveservices.azure.com",
        "openai.azure.us",
    ];
    for domain in domains {
        for at in 0..domain.len() {
            for letter in ('a'..='z').chain(['-', '.', '0']) {
                let mut replaced = domain.to_owned();
                replaced.replace_range(at..=at, &letter.to_string());
                let mut inserted = domain.to_owned();
                inserted.insert(at, letter);
                let mut removed = domain.to_owned();
                removed.remove(at);
                for typed in [replaced, inserted, removed]
                    .iter()
                    .filter(|typed| typed.as_str() != domain)
                {
                    if let Ok(endpoint) = parse(&format!("https://myres.{typed}/"), &Options::default()) {
                        panic!("{endpoint:?}");
                    }
                }
            }
        }
    }
}

/// Parsing the base URL gives the same endpoint, and no warning but those that stand.
fn check_again(endpoint: &Endpoint, options: &Options) {
    // The path of type azure and of an Anthropic root does not tell the type; the caller gives it again.
    let type_is_visible =
        endpoint.provider_type == ProviderType::Openai || endpoint.base_url.ends_with("/anthropic");
    let options = Options {
        provider_type: options
            .provider_type
            .or((!type_is_visible).then_some(endpoint.provider_type)),
        ..options.clone()
    };
    let again = parse(&endpoint.base_url, &options).unwrap_or_else(|error| panic!("{endpoint:?}\n{error}"));
    assert_eq!(again.base_url, endpoint.base_url);
    assert_eq!(
        (
            again.kind,
            again.cloud,
            again.provider_type,
            &again.scope,
            &again.alternate_scopes
        ),
        (
            endpoint.kind,
            endpoint.cloud,
            endpoint.provider_type,
            &endpoint.scope,
            &endpoint.alternate_scopes
        )
    );
    assert_eq!(
        (&again.resource, &again.project),
        (&endpoint.resource, &endpoint.project)
    );
    let standing = [
        NoticeCode::NotAzure,
        NoticeCode::UnverifiedCloud,
        NoticeCode::ScopeRequired,
        NoticeCode::AuthorityHostRequired,
        NoticeCode::ScopeDocConflict,
    ];
    assert!(
        again
            .warnings
            .iter()
            .all(|notice| standing.contains(&notice.code)),
        "{:?}",
        again.warnings
    );
}

/// The scheme and host of a URL that this crate built, by the simplest possible reading.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").unwrap().1;
    let authority = rest.split('/').next().unwrap();
    match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => &authority[..at],
        _ => authority,
    }
}

fn check_invariants(endpoint: &Endpoint) {
    let base = &endpoint.base_url;
    assert!(base.is_ascii());
    assert!(
        !base.contains(['?', '#', '\\', ' ', '<', '>', '"', '\'']),
        "{base}"
    );
    let authority = base.split_once("://").unwrap().1.split('/').next().unwrap();
    assert!(
        authority
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]".contains(&b)),
        "{base}"
    );
    let path = &base[base.find(authority).unwrap() + authority.len()..];
    assert!(!path.contains(['?', '#', '\\']) && !path.contains("//"), "{base}");
    assert!(
        !path.split('/').any(|segment| segment == "." || segment == ".."),
        "{base}"
    );
    let azure = [
        Kind::AzureOpenai,
        Kind::FoundryAccount,
        Kind::FoundryProject,
        Kind::FoundryAnthropic,
        Kind::AiServices,
    ];
    let host = host_of(base);
    let in_azure = [".azure.com", ".azure.us", ".azure.cn"]
        .iter()
        .any(|domain| host.ends_with(domain));
    if azure.contains(&endpoint.kind) {
        assert!(
            in_azure && base.starts_with("https://") && endpoint.scope.is_some(),
            "{endpoint:?}"
        );
    }
    if endpoint.scope.is_some() {
        assert!(
            azure.contains(&endpoint.kind),
            "a scope without being asked: {endpoint:?}"
        );
    }
}

const PIECES: [&str; 62] = [
    "https://",
    "http://",
    "HTTPS:",
    "//",
    "/",
    "\\",
    ":",
    "@",
    "?",
    "#",
    ".",
    "..",
    "-",
    "%2f",
    "%2e",
    "%",
    "[",
    "]",
    "[::1]",
    "localhost",
    "127.0.0.1",
    "myres",
    "a",
    "my-res",
    ".openai.azure.com",
    ".services.ai.azure.com",
    ".cognitiveservices.azure.com",
    ".openai.azure.us",
    ".openai.azure.cn",
    ".azure-api.net",
    ".privatelink",
    ".attacker.example",
    "azure.com",
    "openai",
    "api.openai.com",
    "/openai/v1",
    "/openai/v1/",
    "/openai",
    "/v1",
    "/deployments/gpt-4o",
    "/chat/completions",
    "/responses",
    "/models",
    "/api/projects/p",
    "/anthropic",
    "/v1/messages",
    "/agents",
    "?api-version=2024-10-21",
    "&api-key=k",
    ":443",
    ":8080",
    ":80",
    "<",
    ">",
    "\"",
    "`",
    " ",
    "\n",
    "xn--",
    "é",
    "undefined",
    "%41",
];

fn any_options() -> impl Strategy<Value = Options> {
    let types = prop_oneof![
        3 => Just(None),
        1 => Just(Some(ProviderType::Openai)),
        1 => Just(Some(ProviderType::Azure)),
        1 => Just(Some(ProviderType::Anthropic)),
    ];
    (
        types,
        prop_oneof![4 => Just(None), 1 => Just(Some("2024-10-21".to_owned()))],
    )
        .prop_map(|(provider_type, api_version)| Options {
            provider_type,
            api_version,
            scope: None,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), scope in proptest::option::of(any::<String>())) {
        if let Ok(endpoint) = parse(&text, &Options::default()) {
            check_invariants(&endpoint);
        }
        let _ = parse("https://myres.openai.azure.com", &Options { scope, api_version: Some(text), ..Options::default() });
    }

    #[test]
    fn pieces_of_urls_are_read_or_refused(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..9),
        options in any_options(),
    ) {
        if let Ok(endpoint) = parse(&pieces.concat(), &options) {
            check_invariants(&endpoint);
            check_again(&endpoint, &options);
        }
    }

    #[test]
    fn near_urls_are_read_or_refused(
        scheme in prop::sample::select(&["https://", "", "http://"][..]),
        host in prop_oneof![
            prop::sample::select(&["myres", "r2", "a.b"][..]).prop_map(str::to_owned),
            "[a-zA-Z0-9-]{1,12}(\\.[a-z]{2,5})?"
        ],
        domain in prop::sample::select(&PIECES[24..34]),
        path in prop::collection::vec(prop::sample::select(&PIECES[35..50]), 0..4),
        options in any_options(),
    ) {
        if let Ok(endpoint) = parse(&format!("{scheme}{host}{domain}{}", path.concat()), &options) {
            check_invariants(&endpoint);
            check_again(&endpoint, &options);
        }
    }

    #[test]
    fn the_host_of_the_base_url_is_the_host_that_was_given(
        host in "[a-zA-Z][a-zA-Z0-9-]{0,10}[a-zA-Z0-9](\\.[a-zA-Z0-9]{1,6}){0,2}",
        domain in prop::sample::select(&[
            ".openai.azure.com", ".services.ai.azure.com", ".azure-api.net", ".contoso.com", ".privatelink.openai.azure.com", ".localhost",
        ][..]),
        dot in prop::bool::ANY,
        path in prop::sample::select(&["", "/", "/openai/v1/", "/v1", "/x.openai.example/v1"][..]),
    ) {
        let text = format!("https://{host}{domain}{}{path}", if dot { "." } else { "" });
        if let Ok(endpoint) = parse(&text, &Options::default()) {
            let expected = format!("{host}{domain}").to_lowercase().replace(".privatelink.openai", ".openai");
            prop_assert_eq!(host_of(&endpoint.base_url), expected.as_str());
            prop_assert_eq!(host_of(&endpoint.url), expected.as_str());
        }
    }
}
