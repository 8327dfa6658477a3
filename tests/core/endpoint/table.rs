//! Runs `tables/endpoints.json`, and checks the invariants of any text.
//!
//! A row is `{ name?, input, options?, expect | error }`. `expect` lists some fields of the
//! endpoint; null stands for a missing field, and `warnings` lists the codes in order.

use std::collections::{BTreeMap, BTreeSet};

use super::properties::check;
use copilot_keyless::Code;
use copilot_keyless::NoticeCode;
use copilot_keyless::endpoint::{Endpoint, Options, ProviderType, parse};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

fn rows() -> Vec<Value> {
    serde_json::from_str(table!("endpoints.json")).unwrap()
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

fn endpoint_errors() -> impl Iterator<Item = &'static str> {
    Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| code.starts_with("endpoint/"))
}

/// Returns the warnings of endpoints. In the list of all codes they precede those of the
/// environment and the provider.
fn endpoint_warnings() -> impl Iterator<Item = &'static str> {
    NoticeCode::ALL
        .iter()
        .take_while(|code| **code != NoticeCode::EnvConflict)
        .map(|code| code.as_str())
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
    for code in endpoint_warnings() {
        assert!(warnings.contains(code), "no row warns {code}");
    }
    for code in endpoint_errors() {
        assert!(errors.contains(code), "no row fails with {code}");
    }
}

#[test]
fn every_accepted_row_is_idempotent_and_keeps_its_host() {
    for row in rows() {
        check(row["input"].as_str().unwrap(), &options(&row));
    }
}

#[test]
fn a_pasted_line_is_told_which_url_to_keep() {
    let url = "https://myres.services.ai.azure.com/api/projects/p1";
    let lines = [
        format!("\"endpoint\": \"{url}\","),
        format!("{{\n  \"endpoint\": \"{url}\",\n  \"other\": \"{url}/openai/v1\"\n}}"),
        format!("[my project]({url})"),
        format!("({url})"),
        format!("setx FOUNDRY_RESOURCE_URL {url}"),
        format!("curl -X POST '{}/openai/v1/responses'", url.to_uppercase()),
        format!("{url} # ours"),
        format!("{url},{url}"),
        format!("Endpoint={url};Key=f00dfeed"),
        format!("{url};AccountKey=f00dfeed"),
    ];
    for line in lines {
        let error = parse(&line, &Options::default()).unwrap_err();
        let hint = error.next_step().unwrap();
        assert!(
            hint.ends_with("begins with https://myres.services.ai.azure.com."),
            "{line}\n  {hint}"
        );
    }
}

/// Checks the messages of mistakes that share a code, or whose code may have another source.
#[test]
fn the_words_fit_the_mistake() {
    let url = "https://myres.openai.azure.com/";
    let name = "N_1".repeat(21) + "X";
    for (text, words) in [
        (
            format!("FOUNDRY_RESOURCE_URL={url}"),
            "\"FOUNDRY_RESOURCE_URL=...\"",
        ),
        (
            format!("export AZURE_OPENAI_ENDPOINT=\"{url}\""),
            "\"AZURE_OPENAI_ENDPOINT=...\"",
        ),
        (
            "ENDPOINT_2=myres.openai.azure.com".to_owned(),
            "\"ENDPOINT_2=...\"",
        ),
        (format!("{name}={url}"), "_1X=...\""),
        (format!("N{name}={url}"), "more than a URL"),
        (format!("my_url={url}"), "more than a URL"),
        ("nan".to_owned(), "the word \"NaN\""),
        ("None".to_owned(), "the word \"None\""),
        (
            "https://phi-4.eastus2.models.ai.azure.com".to_owned(),
            "a serverless model endpoint",
        ),
        (
            "https://ep.westeurope.inference.ml.azure.com".to_owned(),
            "Machine Learning online endpoint",
        ),
        ("https://ai.azure.com/".to_owned(), "a page of a portal"),
    ] {
        let error = parse(&text, &Options::default()).unwrap_err();
        assert!(error.message().contains(words), "{text}\n  {error}");
    }
}

#[test]
fn what_cannot_be_repaired_is_told_the_address_to_give() {
    for (text, repair) in [
        (
            "https://myres.openai.azure.com/tts",
            "https://myres.openai.azure.com is enough",
        ),
        (
            "https://myres.openai.azure.com/api/projects/p1",
            "https://myres.services.ai.azure.com/api/projects/<project>",
        ),
        (
            "https://myres.services.ai.azure.com/api/projects/p1/connections",
            "https://myres.services.ai.azure.com is enough",
        ),
        (
            "https://myres.services.ai.azure.com/anthropic/v2",
            "Give https://myres.services.ai.azure.com/anthropic.",
        ),
        (
            "https://myres.services.ai.azure.com/api/projects/p1/anthropic",
            "https://myres.services.ai.azure.com/anthropic.",
        ),
        (
            "AZURE_OPENAI_ENDPOINT=https://myres.openai.azure.com/openai/v1",
            "begins with https://myres.openai.azure.com.",
        ),
        (
            "https://https://myres.openai.azure.com/",
            "begins with https://myres.openai.azure.com.",
        ),
        (
            "https:/myres.openai.azure.com/",
            "begins with https://myres.openai.azure.com.",
        ),
        (
            "http://myres.openai.azure.com/",
            "Write https://myres.openai.azure.com.",
        ),
        (
            "wss://myres.openai.azure.com/openai/v1/realtime?model=gpt-realtime",
            "begins with https://myres.openai.azure.com.",
        ),
        (
            "https://myres.openai.azure.com/openai/deployments/<deployment>/chat/completions",
            "begins with https://myres.openai.azure.com.",
        ),
        (
            "https://myres.openai.azure.com/openai/deployments/YOUR_DEPLOYMENT_NAME",
            "https://myres.openai.azure.com is enough",
        ),
        (
            "https://myres.services.ai.azure.com/api/projects/P1/agents/a1",
            "https://myres.services.ai.azure.com/api/projects/P1.",
        ),
        (
            "https://myres.openai.azure.com/openai/deployments//responses?api-version=2025-04-01-preview",
            "https://myres.openai.azure.com is enough",
        ),
        (
            "https://myres.services.ai.azure.com/api/projects/p1;subscription;group;p1",
            "https://myres.services.ai.azure.com is enough",
        ),
        (
            "https://myres.openai.azure.com/openai/threads",
            "https://myres.openai.azure.com is enough",
        ),
    ] {
        let error = parse(text, &Options::default()).unwrap_err();
        let hint = error.next_step().unwrap();
        assert!(hint.contains(repair), "{text}\n  {hint}");
    }
    let anthropic = Options {
        provider_type: Some(ProviderType::Anthropic),
        ..Options::default()
    };
    let error = parse("https://myres.openai.azure.com", &anthropic).unwrap_err();
    let hint = error.next_step().unwrap();
    assert!(
        hint.contains("https://myres.services.ai.azure.com/anthropic"),
        "{hint}"
    );
}

#[test]
fn a_dropped_api_version_is_named() {
    let warning = |query: &str| {
        let url = format!("https://myres.openai.azure.com/openai/v1{query}");
        parse(&url, &Options::default()).unwrap().warnings[0]
            .message
            .clone()
    };
    assert!(warning("?api-version=2024-10-21").contains("apiVersion \"2024-10-21\""));
    assert!(warning("?x=1&API-Version=preview#top").contains("apiVersion \"preview\""));
    for query in [
        "?api-key=f00d",
        "#api-version=2024-10-21",
        "?api-version=a%20b",
        "?api-version=",
    ] {
        assert!(warning(query).contains("give apiVersion as an option"), "{query}");
    }
}

#[test]
fn no_hint_recommends_a_host_that_is_no_resource() {
    for host in [
        "attacker.example",
        "myres.openai.azure.com.attacker.example",
        "notopenai.azure.com",
        "x.servicebus.windows.net",
    ] {
        let mut texts = vec![
            format!("see https://{host}/ now"),
            format!("https://myres.openai.azure.com/ https://{host}/"),
            format!("Endpoint=https://{host}/;Key=f00dfeed"),
            format!("https://{host}\\@myres.openai.azure.com/ x"),
        ];
        texts.extend(rows().iter().map(|row| {
            let input = row["input"].as_str().unwrap();
            input.replace("myres.openai.azure.com", host)
        }));
        for text in texts {
            if let Err(error) = parse(&text, &Options::default()) {
                let hint = error.next_step().unwrap_or_default();
                assert!(!hint.contains(host), "{text}\n  {hint}");
            }
        }
    }
}

#[test]
fn very_long_input_is_refused_in_a_few_words() {
    for length in [2_049, 10_240, 1_000_000] {
        for piece in [
            "a", "\"", "é", "https://", "/..", "%41", "<", " ", "a.", ",", "[::1]",
        ] {
            let end = piece.repeat(length / piece.chars().count() + 1);
            for text in [end.clone(), format!("https://myres.openai.azure.com/{end}")] {
                let error = parse(&text, &Options::default()).unwrap_err();
                assert_eq!(error.code(), Code::EndpointNotAUrl);
                assert!(error.message().len() < 200);
            }
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
        format!("\"key1\": \"{secret}\", \"endpoint\": \"https://myres.openai.azure.com/\""),
        format!("https://myres.openai.azure.com/ {secret}"),
        format!("see https://{secret}@myres.openai.azure.com/"),
        format!("see https://user:{secret}@myres.openai.azure.com/ and https://{secret}/"),
        format!("Endpoint=https://{secret}@myres.openai.azure.com/;Key={secret}"),
        format!("curl -H 'api-key: {secret}' https://myres.openai.azure.com/openai/v1/responses"),
        format!("https://myres.openai.azure.com/,https://{secret}/"),
        format!("api-key:{secret}"),
        format!("AZURE_OPENAI_API_KEY={secret}"),
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
        check(&text, &Options::default());
        let _ = parse("https://myres.openai.azure.com", &Options { scope, api_version: Some(text), ..Options::default() });
    }

    #[test]
    fn pieces_of_urls_are_read_or_refused(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..9),
        options in any_options(),
    ) {
        check(&pieces.concat(), &options);
    }

    #[test]
    fn near_rows_are_read_or_refused(text in near_row(), options in any_options()) {
        check(&text, &options);
    }
}

/// A row's input with up to three edits, which are enough to turn any endpoint into any mistake.
fn near_row() -> impl Strategy<Value = String> {
    let inputs: Vec<String> = rows()
        .iter()
        .map(|row| row["input"].as_str().unwrap().to_owned())
        .collect();
    let edit = (
        any::<prop::sample::Index>(),
        prop_oneof![
            4 => prop::sample::select(&PIECES[..]).prop_map(Edit::Insert),
            2 => (1..8_usize).prop_map(Edit::Remove),
            1 => Just(Edit::Upper),
            1 => any::<char>().prop_map(Edit::InsertChar),
            1 => prop::sample::select(inputs.clone()).prop_map(Edit::EndAs),
        ],
    );
    (prop::sample::select(inputs), prop::collection::vec(edit, 0..4)).prop_map(|(mut text, edits)| {
        for (index, edit) in edits {
            let mut at = index.index(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            match edit {
                Edit::Insert(piece) => text.insert_str(at, piece),
                Edit::InsertChar(c) => text.insert(at, c),
                Edit::Remove(count) => {
                    let end = text[at..]
                        .char_indices()
                        .nth(count)
                        .map_or(text.len(), |(i, _)| at + i);
                    text.replace_range(at..end, "");
                }
                Edit::Upper => text = text[..at].to_uppercase() + &text[at..],
                Edit::EndAs(other) => {
                    let from = other.len().min(at);
                    let from = (0..=from).rev().find(|i| other.is_char_boundary(*i)).unwrap_or(0);
                    text.truncate(at);
                    text.push_str(&other[from..]);
                }
            }
        }
        text
    })
}

#[derive(Debug, Clone)]
enum Edit {
    Insert(&'static str),
    InsertChar(char),
    Remove(usize),
    Upper,
    /// From here on as in another row.
    EndAs(String),
}

/// Otherwise the properties above might hold only because no input is accepted.
#[test]
fn the_edited_rows_reach_every_kind_and_every_code() {
    let mut runner = TestRunner::deterministic();
    let strategy = near_row();
    let mut reached: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..16_000 {
        let text = strategy.new_tree(&mut runner).unwrap().current();
        let mut names = Vec::new();
        match parse(&text, &Options::default()) {
            Ok(endpoint) => {
                names.push(format!("{:?}", endpoint.kind));
                names.push(format!("{:?}", endpoint.cloud));
                names.extend(codes(&endpoint).into_iter().map(str::to_owned));
            }
            Err(error) => names.push(error.code().as_str().to_owned()),
        }
        for name in names {
            *reached.entry(name).or_default() += 1;
        }
    }
    let kinds = [
        "AzureOpenai",
        "FoundryAccount",
        "FoundryProject",
        "FoundryAnthropic",
        "AiServices",
        "Gateway",
        "Custom",
        "Local",
        "Openai",
        "Public",
        "Usgov",
        "China",
        "Unknown",
    ];
    let all: Vec<&str> = kinds
        .into_iter()
        .chain(endpoint_warnings())
        .chain(endpoint_errors())
        .collect();
    let rare: Vec<&str> = all
        .into_iter()
        .filter(|name| reached.get(*name).copied().unwrap_or(0) < 10)
        .collect();
    assert!(rare.is_empty(), "hardly ever reached: {rare:?}\n{reached:#?}");
}
