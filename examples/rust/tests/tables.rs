//! Runs the tables of `tests/tables` through wasmtime. `tests/core/schedule/table.rs` of the crate
//! describes a step.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use copilot_keyless_host::Core;
use copilot_keyless_host::bindings::exports::copilot_keyless::core::diagnosis::FailedRequest;
use copilot_keyless_host::bindings::exports::copilot_keyless::core::endpoint::{
    EndpointOptions, ProviderType,
};
use copilot_keyless_host::bindings::exports::copilot_keyless::core::schedule::{
    Answer, Decision, Failure, Now, Outcome, Phase, RefreshPolicy, Status,
};
use serde_json::{Value, json};
use wasmtime::component::ResourceAny;

/// Loads the component once, because wasmtime without optimizations compiles it slowly.
fn core() -> MutexGuard<'static, Core> {
    static CORE: LazyLock<Mutex<Core>> = LazyLock::new(|| {
        let path = std::env::var("COPILOT_KEYLESS_COMPONENT").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/component.wasm").to_owned()
        });
        let bytes = std::fs::read(&path);
        let bytes = bytes.unwrap_or_else(|error| panic!("{path}: {error}; npm run tool component builds it"));
        Mutex::new(Core::load(&bytes).unwrap())
    });
    CORE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn rows(name: &str) -> Vec<Value> {
    let path = format!("{}/../../tests/tables/{name}", env!("CARGO_MANIFEST_DIR"));
    let rows: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(rows.len() > 40, "{name}");
    rows
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn options(given: &Value) -> EndpointOptions {
    EndpointOptions {
        type_: given["type"].as_str().map(|name| match name {
            "openai" => ProviderType::Openai,
            "azure" => ProviderType::Azure,
            _ => ProviderType::Anthropic,
        }),
        api_version: text(&given["apiVersion"]),
        scope: text(&given["scope"]),
    }
}

#[test]
fn expiry() {
    let core = &mut *core();
    for row in rows("expiry.json") {
        let response = text(&row["response"]).unwrap_or_else(|| row["response"].to_string());
        let offset = row["utcOffsetMinutes"].as_i64().map(|minutes| minutes as i32);
        let at = row["requestedAt"].as_i64().unwrap();
        let expiry = core.api.copilot_keyless_core_expiry();
        match expiry
            .call_parse_token_response(&mut core.store, &response, at, offset)
            .unwrap()
        {
            Ok(token) => {
                let expected = &row["expect"];
                assert_eq!(
                    Some(token.expires_on_timestamp),
                    expected["expiresOnTimestamp"].as_i64(),
                    "{row}"
                );
                assert_eq!(
                    token.refresh_after_timestamp,
                    expected["refreshAfterTimestamp"].as_i64(),
                    "{row}"
                );
            }
            Err(error) => assert_eq!(error.code, row["error"], "{row}"),
        }
    }
}

#[test]
fn endpoints() {
    let core = &mut *core();
    for row in rows("endpoints.json") {
        let endpoints = core.api.copilot_keyless_core_endpoint();
        let given = options(row.get("options").unwrap_or(&Value::Null));
        let input = row["input"].as_str().unwrap();
        match endpoints
            .call_parse_endpoint(&mut core.store, input, &given)
            .unwrap()
        {
            Ok(found) => {
                let codes: Vec<_> = found.warnings.iter().map(|notice| &notice.code).collect();
                let actual = json!({
                    "input": found.input,
                    "url": found.url,
                    "kind": kebab(&found.kind),
                    "cloud": kebab(&found.cloud),
                    "type": kebab(&found.type_),
                    "baseUrl": found.base_url,
                    "scope": found.scope,
                    "alternateScopes": found.alternate_scopes,
                    "authorityHost": found.authority_host,
                    "resource": found.resource,
                    "project": found.project,
                    "deployment": found.deployment,
                    "apiVersion": found.api_version,
                    "warnings": codes,
                });
                for (name, expected) in row["expect"].as_object().unwrap() {
                    assert_eq!(&actual[name], expected, "{name} of {row}");
                }
            }
            Err(error) => assert_eq!(error.code, row["error"], "{row}"),
        }
    }
}

/// Returns the name of an enum's case as in WIT: its `Debug` form is `Kind::AzureOpenai`.
fn kebab(case: &impl std::fmt::Debug) -> String {
    let shown = format!("{case:?}");
    let name = shown.rsplit(':').next().unwrap_or_default();
    let mut kebab = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

#[test]
fn diagnoses() {
    let core = &mut *core();
    for row in rows("diagnoses.json")
        .iter()
        // The component takes no environment to diagnose a response.
        .filter(|row| row.get("claims").is_none() && row["failure"].get("env").is_none())
    {
        let given = &row["failure"];
        let headers = given["headers"].as_object().into_iter().flatten();
        let failure = FailedRequest {
            endpoint: text(&given["endpoint"]),
            options: options(given.get("options").unwrap_or(&Value::Null)),
            status: given["status"].as_u64().unwrap() as u16,
            headers: headers
                .map(|(name, value)| (name.clone(), text(value).unwrap()))
                .collect(),
            body: text(&given["body"]),
            token: text(&given["token"]),
            now: given["now"].as_i64(),
            deployment: text(&given["deployment"]),
            wire_api: text(&given["wireApi"]),
            agent: text(&given["agent"]),
        };
        let found = core
            .api
            .copilot_keyless_core_diagnosis()
            .call_diagnose(&mut core.store, &failure)
            .unwrap();
        assert_eq!(found.code, row["code"], "{row}");
        let fixes = found.fixes.join("\n");
        for (field, said) in [("cause", &found.cause), ("fixes", &fixes)] {
            for expected in row[field].as_array().into_iter().flatten() {
                assert!(
                    said.contains(expected.as_str().unwrap()),
                    "no {expected} in {said}"
                );
            }
        }
    }
}

const WALL: i64 = 1_700_000_000_000;
const MONO: i64 = 5_000;

fn since(wall: i64, mono: i64) -> Now {
    Now {
        wall: WALL + wall,
        mono: MONO + mono,
    }
}

#[test]
fn schedule() {
    let core = &mut *core();
    let mut compared = 0;
    for row in rows("schedule.json") {
        let policy = &row["policy"];
        let field = |name: &str| policy[name].as_i64();
        let policy = RefreshPolicy {
            refresh_before_expiry_ms: field("refreshBeforeExpiryMs"),
            long_lived_ms: field("longLivedMs"),
            jitter_ms: field("jitterMs"),
            min_remaining_ms: field("minRemainingMs"),
            retry_min_ms: field("retryMinMs"),
            retry_max_ms: field("retryMaxMs"),
            wait_timeout_ms: field("waitTimeoutMs"),
            background_timeout_ms: field("backgroundTimeoutMs"),
            invalidate_interval_ms: field("invalidateIntervalMs"),
            max_lifetime_ms: field("maxLifetimeMs"),
        };
        let schedules = core.api.copilot_keyless_core_schedule().schedule();
        let machine = match schedules.call_create(&mut core.store, policy).unwrap() {
            Ok(machine) => machine,
            Err(error) => {
                assert_eq!(error.code, row["error"]);
                continue;
            }
        };
        for step in row["steps"].as_array().unwrap() {
            let actual = play(core, machine, step);
            if let Some(expected) = step.get("expect") {
                compared += 1;
                assert!(
                    matches(expected, &actual),
                    "{}: {step} gave {actual}",
                    row["name"]
                );
            }
        }
        machine.resource_drop(&mut core.store).unwrap();
    }
    assert!(compared > 200);
}

fn play(core: &mut Core, machine: ResourceAny, step: &Value) -> Value {
    let schedules = core.api.copilot_keyless_core_schedule().schedule();
    let store = &mut core.store;
    let number = |name: &str| step[name].as_i64();
    let at = number("at").unwrap();
    let now = since(at, number("mono").unwrap_or(at));
    let flight = number("flight").unwrap_or_default() as u32;
    let random = step["random"].as_f64().unwrap_or_default();
    match step["do"].as_str().unwrap() {
        "request" => decision(schedules.call_request(store, machine, now).unwrap()),
        "refresh" => decision(schedules.call_refresh(store, machine, now).unwrap()),
        "wake" => match schedules.call_wake(store, machine, now).unwrap() {
            Some(start) => json!({ "flight": start.flight, "timeoutMs": start.timeout_ms }),
            None => Value::Null,
        },
        "nextWake" => json!(schedules.call_next_wake(store, machine, now).unwrap()),
        "acquired" => {
            let requested = number("requestedAt").unwrap();
            let answer = Answer {
                requested: since(requested, requested),
                expires_on: number("expiresOn")
                    .or(number("expiresAt").map(|ms| WALL + ms))
                    .unwrap(),
                refresh_after: number("refreshAt").map(|ms| WALL + ms),
            };
            outcome(
                schedules
                    .call_acquired(store, machine, flight, answer, now, random)
                    .unwrap(),
            )
        }
        "failed" => {
            let failure = Failure {
                status: number("status").map(|status| status as u16),
                unavailable: step["unavailable"] == true,
                retry_after_ms: number("retryAfterMs"),
            };
            outcome(
                schedules
                    .call_failed(store, machine, flight, failure, now, random)
                    .unwrap(),
            )
        }
        "timedOut" => outcome(
            schedules
                .call_timed_out(store, machine, flight, now, random)
                .unwrap(),
        ),
        "rejectedAgain" => outcome(
            schedules
                .call_rejected_again(store, machine, flight, now, random)
                .unwrap(),
        ),
        "invalidate" => json!(schedules.call_invalidate(store, machine, now).unwrap()),
        "challenged" => json!(schedules.call_challenged(store, machine, now).unwrap()),
        "close" => json!(schedules.call_close(store, machine).unwrap()),
        "status" => status(schedules.call_status(store, machine, now).unwrap()),
        other => panic!("no such step: {other}"),
    }
}

fn decision(decision: Decision) -> Value {
    match decision {
        Decision::Use(token) => json!({
            "do": "use",
            "phase": phase(token.phase),
            "untilWall": token.until_wall,
            "untilMono": token.until_mono,
            "start": token.start.map(|start| json!({ "flight": start.flight, "timeoutMs": start.timeout_ms })),
        }),
        Decision::Wait(wait) => {
            json!({ "do": "wait", "flight": wait.flight, "timeoutMs": wait.timeout_ms, "start": wait.start })
        }
        Decision::Refuse(ms) => json!({ "do": "refuse", "retryAfterMs": ms }),
        Decision::Closed => json!({ "do": "closed" }),
    }
}

fn outcome(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Accepted => json!({ "result": "accepted" }),
        Outcome::Unchanged => json!({ "result": "unchanged" }),
        Outcome::Retry(ms) => json!({ "result": "retry", "detail": { "afterMs": ms } }),
        Outcome::Failed => json!({ "result": "failed" }),
        Outcome::Refused(error) => json!({ "result": "refused", "detail": { "code": error.code } }),
        Outcome::Ignored => json!({ "result": "ignored" }),
    }
}

fn status(status: Status) -> Value {
    json!({
        "state": phase(status.state),
        "expiresOn": status.expires_on,
        "refreshOn": status.refresh_on,
        "nextAttemptOn": status.next_attempt_on,
        "refreshing": status.refreshing,
        "consecutiveFailures": status.consecutive_failures,
    })
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Empty => "empty",
        Phase::Fresh => "fresh",
        Phase::Due => "due",
        Phase::Expired => "expired",
        Phase::Closed => "closed",
    }
}

/// Whether a result has the expected fields. Times count from the start.
fn matches(expected: &Value, actual: &Value) -> bool {
    let Some(fields) = expected.as_object() else {
        return expected == actual;
    };
    fields.iter().all(|(name, expected)| {
        let start = match name.as_str() {
            "untilWall" | "expiresOn" | "refreshOn" | "nextAttemptOn" => WALL,
            "untilMono" => MONO,
            _ => 0,
        };
        match actual[name].as_i64() {
            Some(at) => expected.as_i64() == Some(at - start),
            None => matches(expected, &actual[name]),
        }
    })
}
