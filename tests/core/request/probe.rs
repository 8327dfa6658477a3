//! Runs `tables/probes.json`, and checks the judgement of responses.
//!
//! A row is `{ name, request, timeoutMs?, method, url, headers?, body?, deployment? | error }`.
//! `headers` is complete.

use copilot_keyless::diagnosis::{DiagnosisCode, FailedRequest};
use copilot_keyless::provider::ProviderRequest;
use copilot_keyless::request::probe::{Call, DEFAULT_TIMEOUT_MS, Method, call, judge, network_words};
use copilot_keyless::whole_number;
use serde_json::Value;

fn run(row: &Value) -> copilot_keyless::Result<Call> {
    let request: ProviderRequest = serde_json::from_value(row["request"].clone()).unwrap();
    call(&request, row["timeoutMs"].as_f64().map(whole_number))
}

#[test]
fn every_row_of_the_table() {
    let rows: Vec<Value> = serde_json::from_str(table!("probes.json")).unwrap();
    let mut failures = Vec::new();
    for row in &rows {
        let call = match (run(row), row["error"].as_str()) {
            (Ok(call), None) => call,
            (Err(error), Some(code)) if error.code().as_str() == code && error.next_step().is_some() => {
                continue;
            }
            (other, _) => {
                failures.push(format!("{row}\n  got {other:?}"));
                continue;
            }
        };
        let mut actual = serde_json::to_value(&call).unwrap();
        if let Some(body) = &call.body {
            actual["body"] = serde_json::from_str(body).unwrap();
        }
        assert_eq!(
            call.timeout_ms,
            row["timeoutMs"]
                .as_u64()
                .map_or(DEFAULT_TIMEOUT_MS, |ms| ms as u32)
        );
        assert_eq!(call.method == Method::Post, call.body.is_some(), "{row}");
        assert_eq!(call.body.is_some(), call.deployment.is_some(), "{row}");
        for field in ["method", "url", "headers", "body", "deployment"] {
            if let Some(expected) = row.get(field)
                && actual[field] != *expected
            {
                failures.push(format!("{row}\n  {field}: {}", actual[field]));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn outcome(status: u16, body: &str, token: Option<&str>) -> FailedRequest {
    FailedRequest {
        endpoint: Some("https://myres.openai.azure.com".to_owned()),
        status,
        body: Some(body.into()),
        token: token.map(Into::into),
        ..FailedRequest::default()
    }
}

#[test]
fn an_answer_of_the_api_is_served_and_its_words_are_left_out() {
    let cut = format!(r#"{{"data":[{}"#, r#"{"id":"gpt"},"#.repeat(30_000));
    for body in [
        r#"{"object":"list","data":[]}"#,
        "\n {\"id\":\"resp_1\",\"output\":[],\"error\":null}",
        r#"{"choices":[{}]}"#,
        r#"{"content":[]}"#,
        &cut,
    ] {
        let found = judge(&outcome(200, body, Some("token")));
        assert_eq!(found.code, DiagnosisCode::Ok);
        assert_eq!(found.message, None);
        assert_eq!(found.status, Some(200));
    }
}

#[test]
fn another_answer_is_not_served_whatever_its_status() {
    for body in [
        "",
        "OK",
        "[]",
        "<html><title>Sign in</title></html>",
        "\u{feff}{}",
        r#"{"a":"b"}"#,
        r#"{"a":"bbbb"#,
    ] {
        let found = judge(&outcome(200, body, Some("token")));
        assert_eq!(found.code, DiagnosisCode::WrongPath, "{body}");
        assert_eq!(found.title, DiagnosisCode::WrongPath.title());
        assert_eq!(found.status, Some(200));
        assert!(!found.fixes.is_empty());
    }
}

#[test]
fn an_error_with_a_status_of_success_is_the_error() {
    let body = r#"{"error":{"code":"401","message":"Access denied"}}"#;
    let found = judge(&outcome(200, body, Some("token")));
    assert_eq!(found.code, DiagnosisCode::TokenInvalid);
    assert_eq!(found.status, Some(200));
}

#[test]
fn without_a_token_the_cause_is_that_none_was_sent() {
    let rows: Vec<Value> = serde_json::from_str(table!("diagnoses.json")).unwrap();
    let row = rows.iter().find(|row| row["name"] == "no token").unwrap();
    let body = row["failure"]["body"].as_str().unwrap();
    let without = judge(&outcome(401, body, None));
    assert_eq!(without.code, DiagnosisCode::TokenInvalid);
    assert!(without.cause.contains("the request had none"));
    assert!(
        !judge(&outcome(401, body, Some("opaque-token")))
            .cause
            .contains("the request had none")
    );
}

#[test]
fn a_redirect_says_so() {
    for status in [301, 302, 307, 308] {
        let found = judge(&outcome(status, "", Some("token")));
        assert!(found.cause.contains("redirects"), "{status}: {}", found.cause);
    }
}

#[test]
fn the_networks_words_are_one_line_without_a_stack() {
    for (said, words) in [
        (
            "JsValue(TypeError: Failed to fetch\nTypeError: Failed to fetch\n    at fetch (index.js:1:2))",
            "Failed to fetch",
        ),
        (
            "JsValue(TypeError: NetworkError when attempting to fetch resource.)",
            "NetworkError when attempting to fetch resource.",
        ),
        (
            "JsValue(Error: fetch failed: read ECONNRESET)",
            "fetch failed: read ECONNRESET",
        ),
        ("JsValue(\"a text (thrown)\")", "a text (thrown)"),
        ("operation timed out", "no answer within 15 ms"),
        ("JsValue(\"reqwest::errors::TimedOut\")", "no answer within 15 ms"),
        ("invalid status code", "invalid status code"),
        ("", ""),
    ] {
        assert_eq!(network_words(said, 15), words);
    }
}
