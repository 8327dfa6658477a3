//! Runs `tests/tables/schedule.json` natively. The same rows run through wasm-bindgen, jco, Python
//! and Rust.
//!
//! A row is `{ name, policy?, steps }`, or `{ name, policy, error }` for an invalid policy. In a
//! step, `do` is a method of the schedule and `at` the time in milliseconds from the start; `mono`
//! is the time on the monotonic clock if it differs. `requestedAt`, `expiresAt`, `refreshAt` and
//! the times in `expect` also count from the start; `expiresOn` is absolute. `expect` lists the
//! fields to compare; null stands for a missing one.

use copilot_keyless::schedule::{Answer, Failure, FailureKind, Now, RefreshPolicy, Schedule};
use serde_json::{Value, json};

const WALL: i64 = 1_700_000_000_000;
const MONO: i64 = 5_000;

/// Runs a step and returns its result.
fn play(schedule: &mut Schedule, step: &Value) -> Value {
    let number = |name: &str| step[name].as_i64();
    let since = |wall: i64, mono: i64| Now {
        wall: WALL + wall,
        mono: MONO + mono,
    };
    let at = number("at").unwrap();
    let now = since(at, number("mono").unwrap_or(at));
    let flight = number("flight").unwrap_or_default() as u32;
    let random = step["random"].as_f64().unwrap_or_default();
    match step["do"].as_str().unwrap() {
        "request" => json!(schedule.request(now)),
        "refresh" => json!(schedule.refresh(now)),
        "wake" => json!(schedule.wake(now)),
        "nextWake" => json!(schedule.next_wake(now)),
        "acquired" => {
            let requested = number("requestedAt").unwrap();
            let given = number("expiresOn").or(number("expiresAt").map(|ms| WALL + ms));
            let answer = Answer {
                requested: since(requested, requested),
                expires_on: given.unwrap() as f64,
                refresh_after: number("refreshAt").map(|ms| (WALL + ms) as f64),
            };
            json!(schedule.acquired(flight, answer, now, random))
        }
        "failed" => {
            let status = number("status").map(|status| status as u16);
            let failure = Failure {
                kind: FailureKind::of(status, step["unavailable"] == true),
                retry_after_ms: number("retryAfterMs"),
            };
            json!(schedule.failed(flight, now, failure, random))
        }
        "timedOut" => json!(schedule.timed_out(flight, now, None, random)),
        "rejectedAgain" => json!(schedule.rejected_again(flight, now, random)),
        "invalidate" => json!(schedule.invalidate(now)),
        "challenged" => json!(schedule.challenged(now)),
        "close" => {
            schedule.close();
            Value::Null
        }
        "status" => json!(schedule.status(now)),
        other => panic!("no such step: {other}"),
    }
}

/// Whether a result lacks an expected field.
fn differs(expected: &Value, actual: &Value) -> bool {
    let Some(fields) = expected.as_object() else {
        return expected != actual;
    };
    fields.iter().any(|(name, expected)| {
        let start = match name.as_str() {
            "untilWall" | "expiresOn" | "refreshOn" | "nextAttemptOn" => WALL,
            "untilMono" => MONO,
            _ => 0,
        };
        match actual[name].as_i64() {
            Some(at) => expected.as_i64() != Some(at - start),
            None => differs(expected, &actual[name]),
        }
    })
}

#[test]
fn every_row_of_the_table() {
    let rows: Vec<Value> = serde_json::from_str(table!("schedule.json")).unwrap();
    let mut compared = 0;
    let mut faults = Vec::new();
    for row in rows {
        let policy = serde_json::from_value::<RefreshPolicy>(row.get("policy").cloned().unwrap_or(json!({})));
        let schedule = Schedule::new(policy.unwrap());
        if let Some(code) = row.get("error") {
            assert_eq!(schedule.unwrap_err().code().as_str(), code, "{}", row["name"]);
            continue;
        }
        let mut schedule = schedule.unwrap();
        for step in row["steps"].as_array().unwrap() {
            let actual = play(&mut schedule, step);
            if let Some(expected) = step.get("expect") {
                compared += 1;
                if differs(expected, &actual) {
                    faults.push(format!("{}: {step} gave {actual}", row["name"]));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(compared > 200, "{compared}");
}
