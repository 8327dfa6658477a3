//! Tests the bindings inside WebAssembly, and that the core decides there as it does natively.
#![cfg(all(
    target_arch = "wasm32",
    feature = "core",
    feature = "plan",
    feature = "explain"
))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use copilot_keyless_wasm::{
    Schedule, decode_token, parse_challenge, parse_endpoint, parse_token_response_object,
    parse_token_response_text, plan_models, plan_probe, plan_provider,
};
use js_sys::{Array, Function, JSON, Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

fn rows(table: &str) -> Vec<serde_json::Value> {
    serde_json::from_str(table).unwrap()
}

fn js(value: &serde_json::Value) -> JsValue {
    JSON::parse(&value.to_string()).unwrap()
}

fn rust(value: &JsValue) -> serde_json::Value {
    serde_json::from_str(&String::from(JSON::stringify(value).unwrap())).unwrap()
}

fn get(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &name.into()).unwrap()
}

fn zone(minutes: &serde_json::Value) -> Function {
    Function::new_no_args(&format!(
        "return {}",
        if minutes.is_null() {
            "undefined".into()
        } else {
            minutes.to_string()
        }
    ))
}

#[wasm_bindgen_test]
fn every_expiry_row_as_text_and_as_an_object() {
    for row in rows(include_str!("../../../tests/tables/expiry.json")) {
        let requested_at = row["requestedAt"].as_f64().unwrap();
        let zone = zone(&row["utcOffsetMinutes"]);
        let text = match &row["response"] {
            serde_json::Value::String(text) => text.clone(),
            object => object.to_string(),
        };
        let mut results = vec![parse_token_response_text(&text, requested_at, &zone)];
        if row["response"].is_object() {
            results.push(parse_token_response_object(
                &js(&row["response"]),
                requested_at,
                &zone,
            ));
        }
        for result in results {
            match result {
                Ok(token) => {
                    let token = rust(&token);
                    assert_eq!(
                        token["expiresOnTimestamp"], row["expect"]["expiresOnTimestamp"],
                        "{}",
                        row["name"]
                    );
                    assert_eq!(
                        token["refreshAfterTimestamp"], row["expect"]["refreshAfterTimestamp"],
                        "{}",
                        row["name"]
                    );
                }
                Err(error) => assert_eq!(rust(&error)["code"], row["error"], "{}", row["name"]),
            }
        }
    }
}

#[wasm_bindgen_test]
fn every_endpoint_row() {
    for row in rows(include_str!("../../../tests/tables/endpoints.json")) {
        match parse_endpoint(row["input"].as_str().unwrap(), &js(&row["options"])) {
            Ok(endpoint) => {
                let endpoint = rust(&endpoint);
                assert!(row["error"].is_null(), "{row}: {endpoint}");
                for (field, expected) in row["expect"].as_object().unwrap() {
                    let found = match endpoint[field].as_array() {
                        Some(notices) if field == "warnings" => {
                            notices.iter().map(|notice| notice["code"].clone()).collect()
                        }
                        _ => endpoint[field].clone(),
                    };
                    assert_eq!(found, *expected, "{field} of {row}");
                }
            }
            Err(error) => assert_eq!(rust(&error)["code"], row["error"], "{row}"),
        }
    }
}

#[wasm_bindgen_test]
fn every_probe_row() {
    for row in rows(include_str!("../../../tests/tables/probes.json")) {
        match plan_probe(&js(&row["request"]), row["timeoutMs"].as_f64()) {
            Ok(call) => {
                let call = rust(&call);
                assert_eq!(call["url"], row["url"], "{row}");
                assert_eq!(call["method"], row["method"], "{row}");
                assert!(call["headers"].is_object(), "{row}");
            }
            Err(error) => assert_eq!(rust(&error)["code"], row["error"], "{row}"),
        }
    }
}

#[wasm_bindgen_test]
fn every_challenge_row() {
    for row in rows(include_str!("../../../tests/tables/challenges.json")) {
        let challenge = parse_challenge(row["header"].as_str().unwrap());
        assert_eq!(rust(&challenge), row["expect"], "{row}");
    }
}

#[wasm_bindgen_test]
fn a_plan_is_a_plain_object_without_undefined_texts() {
    let request =
        serde_json::json!({ "endpoint": "myres.openai.azure.com", "headers": { "x-team": "a" }, "env": {} });
    let plan = plan_provider(&js(&request)).unwrap();
    let config = get(&plan, "config");
    assert!(config.is_instance_of::<Object>());
    assert_eq!(rust(&config)["headers"]["x-team"], "a");
    assert!(
        !Reflect::has(&config, &"wireModel".into()).unwrap(),
        "what is not set is not there"
    );
}

#[wasm_bindgen_test]
fn models_of_a_provider_cross_the_boundary() {
    let options = serde_json::json!({
        "name": "west", "endpoint": "myres.openai.azure.com", "env": {},
        "models": [{ "model": "gpt-5.5", "deployment": "team" }, { "id": "m", "maxOutputTokens": 5 }],
    });
    let models = rust(&plan_models(&js(&options), &Array::new()).unwrap());
    assert_eq!(
        models,
        serde_json::json!([
            { "id": "gpt-5.5", "provider": "west", "wireModel": "team" },
            { "id": "m", "provider": "west", "maxOutputTokens": 5 },
        ])
    );
    let taken = Array::of1(&"west".into());
    let error = rust(&plan_models(&js(&options), &taken).unwrap_err());
    assert_eq!(error["code"], "provider/name");
}

#[wasm_bindgen_test]
fn an_option_of_a_wrong_type_is_named_and_not_repeated() {
    for (options, says) in [
        (
            r#"{ "wireApi": 5 }"#,
            "wireApi must be \"responses\" or \"completions\"; it is of the type number.",
        ),
        (
            r#"{ "type": "s3cret" }"#,
            "type must be one of \"openai\", \"azure\", \"anthropic\"; it is another text.",
        ),
        (
            r#"{ "headers": "s3cret" }"#,
            "headers must be an object; it is of the type string.",
        ),
        (
            r#"{ "model": "m", "headers": { "x": ["s3cret"] } }"#,
            "headers holds something that must be a string.",
        ),
        (
            r#"{ "maxPromptTokens": "s3cret" }"#,
            "maxPromptTokens must be a number; it is of the type string.",
        ),
        (r#""s3cret""#, "The options must be an object."),
    ] {
        let error = rust(&plan_provider(&JSON::parse(options).unwrap()).unwrap_err());
        assert_eq!(error["code"], "provider/conflict");
        assert_eq!(error["message"], says);
    }
}

#[wasm_bindgen_test]
fn a_schedule_walks_through_a_life() {
    let start = 1_700_000_000_000.0;
    let mut schedule = Schedule::new(&js(&serde_json::json!({ "jitterMs": 0 }))).unwrap();
    let wait = rust(&schedule.request(start, 0.0));
    assert_eq!(
        wait,
        serde_json::json!({ "do": "wait", "flight": 1, "timeoutMs": 15_000, "start": true })
    );
    let accepted = schedule.acquired(1, start, 0.0, start + 3_600_000.0, None, start + 50.0, 50.0, 0.5);
    assert_eq!(rust(&accepted), serde_json::json!({ "result": "accepted" }));
    let fresh = rust(&schedule.request(start + 100.0, 100.0));
    assert_eq!(fresh["do"], "use");
    assert_eq!(fresh["untilWall"], start + 3_300_000.0);
    let due = rust(&schedule.request(start + 3_400_000.0, 3_400_000.0));
    assert_eq!(due["start"]["flight"], 2);
    let failed = schedule.failed(2, Some(500), false, None, start + 3_400_100.0, 3_400_100.0, 0.0);
    assert_eq!(rust(&failed), serde_json::json!({ "result": "failed" }));
    assert_eq!(
        rust(&schedule.status(start + 3_400_200.0, 3_400_200.0))["consecutiveFailures"],
        1
    );
    schedule.close();
    assert_eq!(
        rust(&schedule.request(start, 0.0)),
        serde_json::json!({ "do": "closed" })
    );
}

#[wasm_bindgen_test]
fn errors_are_plain_objects_with_a_code() {
    let error = Schedule::new(&js(&serde_json::json!({ "retryMinMs": -1 })))
        .map(|_| ())
        .unwrap_err();
    assert_eq!(rust(&error)["code"], "policy/invalid");
    assert_eq!(rust(&decode_token("no-jwt"))["format"], "opaque");
}
