//! `tests/tables/codes.json`, `variables.json` and `policy.json` list every code, environment
//! variable and policy field of the core. Tests compare the lists of other languages and of the
//! documentation with them. `WRITE_TABLES=1 cargo test --test core codes` writes all three.

use std::fs;

use copilot_keyless::diagnosis::{CredentialDiagnosisCode, DiagnosisCode};
use copilot_keyless::environment::Variable;
use copilot_keyless::gateway::Refusal;
use copilot_keyless::schedule::RefreshPolicy;
use copilot_keyless::{Code, NoticeCode, retryable_codes};
use serde_json::{Value, json};

fn check(name: &str, expected: &Value) {
    let path = format!("{}/tests/tables/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("WRITE_TABLES").is_some() {
        let text = serde_json::to_string_pretty(expected).unwrap();
        fs::write(&path, format!("{text}\n")).unwrap();
    }
    let written: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(
        written, *expected,
        "update {name} with: WRITE_TABLES=1 cargo test --test core codes"
    );
}

#[test]
fn the_table_lists_every_code() {
    let codes = json!({
        "errors": Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        "diagnoses": DiagnosisCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        "credentials": CredentialDiagnosisCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        "gateway": Refusal::ALL.iter().map(|refusal| refusal.as_str()).collect::<Vec<_>>(),
        "notices": NoticeCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
    });
    check("codes.json", &codes);
}

#[test]
fn the_library_has_the_retryable_codes() {
    let codes = retryable_codes().join("\",\n  \"");
    let expected = format!(
        "// Written by `WRITE_TABLES=1 cargo test --test core codes` from src/retryable.rs.\n\n\
         import type {{ ErrorCode }} from \"./codes.js\";\n\n\
         /** The codes of errors after which the same call may succeed later. */\n\
         export const RETRYABLE: readonly ErrorCode[] = [\n  \"{codes}\",\n];\n"
    );
    let path = format!("{}/js/errors/retryable.ts", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("WRITE_TABLES").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        expected,
        "update retryable.ts with: WRITE_TABLES=1 cargo test --test core codes"
    );
}

#[test]
fn the_table_lists_every_variable() {
    let variables = Variable::ALL.iter().map(|variable| {
        json!({ "name": variable, "holds": variable.holds(), "visibility": variable.visibility() })
    });
    check("variables.json", &variables.collect());
}

/// The least value of a policy field: what the error of a lower one says.
fn least(name: &str) -> i64 {
    let mut policy = RefreshPolicy::default();
    policy.change(name, Some(-1)).unwrap();
    let error = policy.validate().unwrap_err().to_string();
    let (_, range) = error.split_once("milliseconds from ").unwrap();
    range.split_once(" to ").unwrap().0.parse().unwrap()
}

#[test]
fn the_table_lists_every_policy_field() {
    let defaults = serde_json::to_value(RefreshPolicy::default()).unwrap();
    let fields = defaults
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, default)| json!({ "name": name, "default": default, "least": least(name) }));
    check("policy.json", &fields.collect());
}
