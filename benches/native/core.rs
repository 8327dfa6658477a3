//! Measures the core natively: the time of a decision without the calls into WebAssembly.

use std::hint::black_box;

use copilot_keyless::diagnosis::{FailedRequest, diagnose};
use copilot_keyless::endpoint::{self, Options};
use copilot_keyless::schedule::{Answer, Decision, Now, RefreshPolicy, Schedule};
use copilot_keyless::simulate::{RefreshScenario, TokenScript, simulate};
use copilot_keyless::token::{parse_instant, parse_token_response};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::Value;

const WALL: i64 = 1_700_000_000_000;
const HOUR: i64 = 3_600_000;

/// Returns the resource's response to a missing role.
fn missing_role() -> String {
    let table = include_str!("../../tests/tables/diagnoses.json");
    let rows: Vec<Value> = serde_json::from_str(table).unwrap();
    let row = rows.iter().find(|row| row["code"] == "missing-role").unwrap();
    row["failure"]["body"].as_str().unwrap().to_owned()
}

fn at(ms: i64) -> Now {
    Now {
        wall: WALL + ms,
        mono: ms,
    }
}

/// Returns a schedule that waits for its first token, and the flight in progress.
fn waiting() -> (Schedule, u32) {
    let mut schedule = Schedule::new(RefreshPolicy::default()).unwrap();
    match schedule.request(at(0)) {
        Decision::Wait { flight, .. } => (schedule, flight),
        other => panic!("a machine without a token said {other:?}"),
    }
}

fn answer() -> Answer {
    Answer {
        requested: at(0),
        expires_on: (WALL + HOUR) as f64,
        refresh_after: None,
    }
}

fn expiry(c: &mut Criterion) {
    let managed = format!(
        r#"{{"access_token":"{}","expires_on":"1700086400","resource":"https://ai.azure.com","token_type":"Bearer"}}"#,
        "a".repeat(1_600)
    );
    c.bench_function("expiry: answer of App Service", |b| {
        b.iter(|| parse_token_response(black_box(managed.as_bytes()), WALL, |_| None));
    });
    c.bench_function("expiry: 1/16/2020 5:24:12 AM +00:00", |b| {
        b.iter(|| parse_instant(black_box("1/16/2020 5:24:12 AM +00:00"), |_| None));
    });
}

fn schedule(c: &mut Criterion) {
    let (mut held, flight) = waiting();
    held.acquired(flight, answer(), at(50), 0.5);
    c.bench_function("schedule: request, token fresh", |b| {
        b.iter(|| held.request(black_box(at(60_000))))
    });
    c.bench_function("schedule: acquired", |b| {
        b.iter_batched_ref(
            waiting,
            |(schedule, flight)| schedule.acquired(*flight, black_box(answer()), at(50), 0.5),
            BatchSize::SmallInput,
        );
    });
}

fn endpoints(c: &mut Criterion) {
    // As the portal shows it, and as an old program used it.
    for url in [
        "https://myres.openai.azure.com/openai/v1/",
        "https://myres.services.ai.azure.com/api/projects/team/openai/v1/responses",
    ] {
        c.bench_function(&format!("endpoint: {} characters", url.len()), |b| {
            b.iter(|| endpoint::parse(black_box(url), &Options::default()));
        });
    }
}

fn diagnoses(c: &mut Criterion) {
    let failure = FailedRequest {
        endpoint: Some("https://myres.openai.azure.com".to_owned()),
        status: 403,
        body: Some(missing_role().into()),
        now: Some(WALL),
        ..FailedRequest::default()
    };
    c.bench_function("diagnose: 403, role missing", |b| {
        b.iter(|| diagnose(black_box(&failure)))
    });
}

fn simulation(c: &mut Criterion) {
    let day = RefreshScenario {
        duration_ms: 24 * HOUR,
        token: TokenScript {
            lifetimes_ms: vec![HOUR],
            ..TokenScript::default()
        },
        ..RefreshScenario::default()
    };
    c.bench_function("simulate: 24 h, a call a minute", |b| {
        b.iter(|| simulate(black_box(&day)))
    });
}

criterion_group!(core, expiry, schedule, endpoints, diagnoses, simulation);
criterion_main!(core);
