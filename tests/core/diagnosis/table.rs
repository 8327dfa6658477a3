//! Runs `tables/diagnoses.json`, and checks the invariants of any failure.
//!
//! A row is `{ name, failure, claims?, code, ... }`. `claims` become a token. `cause` and `fixes`
//! list texts that must occur there, `unsaid` one that must not, and `without` one that must occur
//! nowhere. All other fields are those of the diagnosis; null stands for a missing one.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use copilot_keyless::diagnosis::{Diagnosis, DiagnosisCode, FailedRequest, diagnose, status_of_event};
use proptest::prelude::*;
use serde_json::Value;

fn rows() -> Vec<Value> {
    serde_json::from_str(table!("diagnoses.json")).unwrap()
}

fn token(claims: &Value) -> String {
    let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(r#"{"alg":"RS256"}"#),
        part(&claims.to_string())
    )
}

pub(crate) fn run(row: &Value) -> (FailedRequest, Diagnosis) {
    let mut failure: FailedRequest = serde_json::from_value(row["failure"].clone()).unwrap();
    if let Some(claims) = row.get("claims") {
        failure.token = Some(token(claims).into());
    }
    let diagnosis = diagnose(&failure);
    (failure, diagnosis)
}

/// Returns the faults of a diagnosis, by its row.
fn faults(row: &Value, actual: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (field, expected) in row.as_object().unwrap() {
        match field.as_str() {
            "name" | "failure" | "claims" => {}
            "cause" | "fixes" => {
                let said = actual[field].to_string();
                for text in expected.as_array().unwrap() {
                    let quoted = text.to_string();
                    if !said.contains(quoted.trim_matches('"')) {
                        faults.push(format!("no {text} in {field} {said}"));
                    }
                }
            }
            "without" => {
                if actual.to_string().contains(expected.as_str().unwrap()) {
                    faults.push(format!("{expected} appears"));
                }
            }
            "unsaid" => {
                let text = expected.as_str().unwrap();
                if format!("{}{}", actual["cause"], actual["fixes"]).contains(text) {
                    faults.push(format!("{text} is in the cause or the fixes"));
                }
            }
            _ => {
                let found = actual.get(field).cloned().unwrap_or(Value::Null);
                if found != *expected {
                    faults.push(format!("{field} is {found}, not {expected}"));
                }
            }
        }
    }
    faults
}

#[test]
fn every_row_of_the_table() {
    let mut failures = Vec::new();
    for row in rows() {
        let (_, diagnosis) = run(&row);
        let actual = serde_json::to_value(&diagnosis).unwrap();
        for fault in faults(&row, &actual) {
            failures.push(format!("{}: {fault}", row["name"]));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn the_table_reaches_every_code() {
    let reached: BTreeSet<String> = rows()
        .iter()
        .map(|row| row["code"].as_str().unwrap().to_owned())
        .collect();
    let all: BTreeSet<String> = DiagnosisCode::ALL
        .iter()
        .map(|code| code.as_str().to_owned())
        .collect();
    assert_eq!(reached, all);
}

#[test]
fn every_failure_is_explained_and_has_a_next_step() {
    for row in rows() {
        let (_, diagnosis) = run(&row);
        assert_eq!(diagnosis.title, diagnosis.code.title());
        assert!(!diagnosis.cause.is_empty(), "{row}");
        assert_eq!(
            diagnosis.fixes.is_empty(),
            diagnosis.code == DiagnosisCode::Ok,
            "{row}"
        );
        for text in diagnosis.fixes.iter().chain([&diagnosis.cause]) {
            assert!(!text.contains("  "), "{text}");
            assert!(!text.trim().is_empty());
        }
    }
}

/// Response bodies from parts of real ones, and arbitrary text.
fn body() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("\"error\":".to_owned()),
        Just("\"message\":\"The principal `".to_owned()),
        Just("audience is incorrect (".to_owned()),
        Just(") retry after ".to_owned()),
        Just("lacks the required data action `".to_owned()),
        Just("<title>".to_owned()),
        Just("\"401 ".to_owned()),
        "\\PC{0,12}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_failure_is_diagnosed_and_the_token_shown_nowhere(
        status in 0u16..700,
        body in body(),
        endpoint in prop_oneof![Just(None), Just(Some("https://myres.openai.azure.com".to_owned())), any::<String>().prop_map(Some)],
        secret in "[A-Za-z0-9_-]{24,40}",
        retry in any::<String>(),
    ) {
        let diagnosis = diagnose(&FailedRequest {
            status,
            body: Some(format!("{body}{secret}{body}").into()),
            endpoint,
            token: Some(secret.as_str().into()),
            headers: [("Retry-After", retry)].into(),
            deployment: Some(body),
            now: Some(1_800_000_000_000),
            ..FailedRequest::default()
        });
        let shown = serde_json::to_string(&diagnosis).unwrap();
        prop_assert!(!shown.contains(&secret));
        prop_assert!(diagnosis.message.is_none_or(|message| message.len() <= 604));
    }
}

#[test]
fn a_failure_in_a_stream_is_found_to_be_the_same_as_one_in_front_of_it() {
    for (event, code) in [
        (
            r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#,
            DiagnosisCode::ContentFilter,
        ),
        (
            r#"{"error":{"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            DiagnosisCode::ContentFilter,
        ),
        (
            r#"{"type":"error","code":"rate_limit_exceeded"}"#,
            DiagnosisCode::RateLimited,
        ),
        (
            r#"{"type":"error","message":"Out of call volume quota"}"#,
            DiagnosisCode::QuotaExceeded,
        ),
        (
            r#"{"type":"error","error":{"type":"forbidden","message":"Your resource has been temporarily blocked"}}"#,
            DiagnosisCode::ResourceBlocked,
        ),
        (
            r#"{"type":"error","code":"server_error","message":"(PermissionDenied) The principal X lacks the required data action Y"}"#,
            DiagnosisCode::MissingRole,
        ),
        // Text of the prompt is not a finding of the resource.
        (
            r#"{"type":"response.failed","response":{"instructions":"PermissionDenied"}}"#,
            DiagnosisCode::ServerError,
        ),
    ] {
        let failure = FailedRequest {
            status: status_of_event(event),
            body: Some(event.into()),
            ..FailedRequest::default()
        };
        assert_eq!(diagnose(&failure).code, code, "{event}");
    }
}
