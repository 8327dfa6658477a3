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

pub(super) fn rows() -> Vec<Value> {
    serde_json::from_str(table!("endpoints.json")).unwrap()
}

pub(super) fn options(row: &Value) -> Options {
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
