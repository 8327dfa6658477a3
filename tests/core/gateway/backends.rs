//! Runs `tables/gateway.json`: what a request wants, and which backend it goes to.

use std::collections::HashMap;

use copilot_keyless::gateway::{
    AnswerReader, Backend, Choice, Outcome, Pool, Wanted, asks_next, pause_asked,
};
use proptest::prelude::*;
use serde_json::Value;

use super::table::rows;

#[test]
fn every_wanted() {
    for row in rows("wanted") {
        let body = row["body"].as_str().unwrap();
        let wanted = Wanted::read(row["target"].as_str().unwrap(), body.as_bytes());
        assert_eq!(wanted.model(), row["model"].as_str(), "{row}");
    }
}

fn backend(position: usize, row: &Value) -> Backend {
    let number = |name: &str, default| u32::try_from(row[name].as_u64().unwrap_or(default)).unwrap();
    Backend {
        resource: row["resource"]
            .as_str()
            .map_or_else(|| position.to_string(), str::to_owned),
        models: serde_json::from_value(row["models"].clone()).unwrap_or_default(),
        priority: number("priority", 0),
        weight: number("weight", 1),
    }
}

fn outcome(step: &Value) -> Option<Outcome> {
    let retry_after_ms = step["retryAfterMs"].as_u64().map(|ms| u32::try_from(ms).unwrap());
    Some(match step["result"].as_str() {
        Some("unreachable") => Outcome::Unreachable,
        Some("broke") => Outcome::Broke,
        Some("left") => Outcome::Left,
        _ => Outcome::Answered {
            status: u16::try_from(step["result"].as_u64()?).unwrap(),
            retry_after_ms,
        },
    })
}

/// Runs a step at its time. Without jitter; a result takes a millisecond.
fn run(pool: &mut Pool, step: &Value, named: &mut HashMap<String, usize>) {
    let body = match (&step["text"], &step["body"], &step["model"]) {
        (Value::String(text), ..) => text.clone(),
        (_, Value::Null, Value::Null) => String::new(),
        (_, Value::Null, model) => serde_json::json!({ "model": model }).to_string(),
        (_, body, _) => body.to_string(),
    };
    if let Some(answer) = step["answer"].as_str() {
        let mut reader = AnswerReader::default();
        let position = usize::try_from(step["answerOf"].as_u64().unwrap()).unwrap();
        // In pieces, as a network delivers them.
        for piece in answer.as_bytes().chunks(7) {
            pool.read_answer(position, &mut reader, piece);
        }
        return;
    }
    let target = step["target"].as_str().unwrap_or("/openai/v1/responses");
    let wanted = Wanted::read(target, body.as_bytes());
    let tried: Vec<usize> = serde_json::from_value(step["tried"].clone()).unwrap_or_default();
    let at = step["at"].as_i64().unwrap_or_default();
    let choice = pool.choose(
        &wanted,
        &tried,
        tried.is_empty(),
        at,
        step["chance"].as_f64().unwrap_or(0.0),
    );
    let number = |name: &str| step[name].as_u64();
    let expected = match &step["ask"] {
        Value::String(name) => {
            let Choice::Ask(found) = choice else {
                panic!("{choice:?}")
            };
            Choice::Ask(*named.entry(name.clone()).or_insert(found))
        }
        Value::Number(at) => Choice::Ask(usize::try_from(at.as_u64().unwrap()).unwrap()),
        _ if step["unknownModel"] == true => Choice::UnknownModel,
        _ if step["exhausted"] == true => Choice::Exhausted,
        _ => Choice::Wait(u32::try_from(number("wait").unwrap()).unwrap()),
    };
    assert_eq!(choice, expected, "{step}");
    let Choice::Ask(chosen) = choice else { return };
    if let Some(outcome) = outcome(step) {
        let flag = |name: &str| step[name].as_bool().unwrap_or(true);
        let is_lost = pool.is_lost(&wanted);
        pool.report(chosen, &wanted, outcome, at, at + 1, 0.0);
        let next = asks_next(outcome, flag("repeatable"), flag("isSafe"), is_lost);
        assert_eq!(next, step["next"].as_bool().unwrap_or(next), "{step}");
    }
    if step["isOpen"] != true {
        pool.finish(chosen);
    }
}

#[test]
fn every_backend() {
    for row in rows("backends") {
        let settings = row["backends"].as_array().unwrap().iter().enumerate();
        let mut pool = Pool::new(settings.map(|(at, row)| backend(at, row)).collect());
        let mut named = HashMap::new();
        for step in row["steps"].as_array().unwrap() {
            run(&mut pool, step, &mut named);
        }
    }
}

#[test]
fn the_pause_that_an_answer_asks_for() {
    let now = 1_700_000_000_000;
    for (headers, expected) in [
        (vec![("Retry-After", "7")], Some(7_000)),
        (vec![("retry-after-ms", "250"), ("retry-after", "1")], Some(250)),
        (vec![("retry-after-ms", "0"), ("retry-after", "60")], Some(60_000)),
        (
            vec![("retry-after", "Tue, 14 Nov 2023 22:13:30 GMT")],
            Some(10_000),
        ),
        (vec![("retry-after", "soon")], None),
        (vec![("x-other", "1")], None),
    ] {
        assert_eq!(pause_asked(&headers, now), expected, "{headers:?}");
    }
}

fn conversation(id: &str) -> Wanted {
    let body = format!(r#"{{"model":"m","previous_response_id":"{id}"}}"#);
    Wanted::read("/openai/v1/responses", body.as_bytes())
}

fn two() -> Vec<Backend> {
    let row = Value::Null;
    vec![backend(0, &row), backend(1, &row)]
}

#[test]
fn a_reload_keeps_conversations_and_pauses() {
    let mut old = Pool::new(two());
    old.read_answer(
        1,
        &mut AnswerReader::default(),
        br#"{"id":"resp_0123456789abcdef"}"#,
    );
    let wanted = Wanted::read("/openai/v1/responses", br#"{"model":"m"}"#);
    old.report(0, &wanted, Outcome::Unreachable, 0, 1, 0.0);
    let mut settings = two();
    settings.reverse();
    settings.push(backend(2, &Value::Null));
    let mut new = Pool::new(settings);
    new.adopt(&old);
    assert_eq!(
        new.choose(&conversation("resp_0123456789abcdef"), &[], true, 2, 0.99),
        Choice::Ask(0)
    );
    assert_eq!(new.paused_ms(1, Some("m"), 2), 999);
    // The resource is gone, and its conversations with it.
    let mut other = Pool::new(vec![backend(5, &Value::Null)]);
    other.adopt(&old);
    assert!(other.is_lost(&conversation("resp_0123456789abcdef")));
}

#[test]
fn a_conversation_that_goes_on_is_not_forgotten_and_an_old_one_is() {
    let mut pool = Pool::new(two());
    let mut reader = AnswerReader::default();
    let id = |number: usize| format!("resp_{number:016}");
    pool.read_answer(0, &mut reader, format!(r#"{{"id":"{}"}}"#, id(0)).as_bytes());
    pool.read_answer(0, &mut reader, format!(r#"{{"id":"{}"}}"#, id(1)).as_bytes());
    for number in 2..100_000 {
        pool.read_answer(1, &mut reader, format!(r#"{{"id":"{}"}}"#, id(number)).as_bytes());
        if number % 1_000 == 0 {
            assert!(!pool.is_lost(&conversation(&id(0))));
        }
    }
    assert!(!pool.is_lost(&conversation(&id(0))));
    assert!(pool.is_lost(&conversation(&id(1))));
}

#[test]
fn a_fleet_does_not_return_at_the_same_time() {
    let wanted = Wanted::read("/openai/v1/responses", br#"{"model":"m"}"#);
    let ends: Vec<u32> = (0..10)
        .map(|chance| {
            let mut pool = Pool::new(two());
            let full = Outcome::Answered {
                status: 429,
                retry_after_ms: Some(10_000),
            };
            pool.report(0, &wanted, full, 0, 1, f64::from(chance) / 10.0);
            pool.paused_ms(0, Some("m"), 1)
        })
        .collect();
    assert!(ends.windows(2).all(|pair| pair[0] < pair[1]), "{ends:?}");
    assert!(ends.iter().all(|end| (10_000..12_000).contains(end)), "{ends:?}");
}

/// Texts, members and structure, for JSON and for what is not.
fn anything() -> impl Strategy<Value = String> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\u00",
        "\n",
        "é",
        "\"id\":",
        "\"model\":\"m\"",
        "\"resp_0123456789abcdef\"",
        "\"encrypted_content\":",
        "data: ",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..30).prop_map(|all| all.concat())
}

fn results() -> impl Strategy<Value = (Outcome, i64)> {
    let answered = |status| {
        prop::option::of(0_u32..20_000).prop_map(move |retry_after_ms| Outcome::Answered {
            status,
            retry_after_ms,
        })
    };
    let outcome = prop_oneof![
        answered(200),
        answered(429),
        answered(500),
        answered(503),
        Just(Outcome::Unreachable),
        Just(Outcome::Broke),
        Just(Outcome::Left)
    ];
    (outcome, 0_i64..5_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_is_read_alike_in_any_pieces(text in anything(), size in 1_usize..9) {
        let read = |size: usize| {
            let mut pool = Pool::new(two());
            let mut reader = AnswerReader::default();
            for piece in text.as_bytes().chunks(size) {
                pool.read_answer(1, &mut reader, piece);
            }
            pool.is_lost(&conversation("resp_0123456789abcdef"))
        };
        prop_assert_eq!(read(size), read(1_000));
    }

    #[test]
    fn any_body_is_read(target in any::<String>(), body in anything(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        Wanted::read(&target, body.as_bytes());
        Wanted::read(&target, &bytes);
    }

    /// Whatever happens: each request asks a backend once at most, none that serves another model,
    /// and a paused one only if all are; and after the longest pause all are asked again.
    #[test]
    fn any_results(steps in prop::collection::vec((results(), 0.0..1.0_f64, 0_i64..3_000), 1..60)) {
        let models = ["m".to_owned()];
        let mut settings = two();
        settings.push(Backend { models: vec!["n".to_owned()], ..backend(2, &Value::Null) });
        settings.push(Backend { models: models.to_vec(), priority: 1, ..backend(3, &Value::Null) });
        let mut pool = Pool::new(settings);
        let wanted = Wanted::read("/openai/v1/responses", br#"{"model":"m"}"#);
        let mut now = 0;
        for ((outcome, latency), chance, pause) in steps {
            now += pause;
            let mut tried = Vec::new();
            loop {
                let paused: Vec<u32> = (0..4).map(|at| pool.paused_ms(at, Some("m"), now)).collect();
                match pool.choose(&wanted, &tried, tried.is_empty(), now, chance) {
                    Choice::Ask(at) => {
                        prop_assert!(!tried.contains(&at) && at != 2);
                        let others: Vec<usize> = [0, 1, 3].into_iter().filter(|one| !tried.contains(one)).collect();
                        let is_last_resort = tried.is_empty() && others.iter().all(|one| paused[*one] > 0);
                        prop_assert!(paused[at] == 0 || is_last_resort, "{:?} {}", paused, at);
                        let first = others.iter().any(|one| *one != 3 && paused[*one] == 0);
                        prop_assert!(at != 3 || !first || paused[3] > 0);
                        pool.report(at, &wanted, outcome, now, now + latency, chance);
                        pool.finish(at);
                        now += latency;
                        tried.push(at);
                        if !asks_next(outcome, true, true, false) { break; }
                    }
                    Choice::Wait(ms) => {
                        prop_assert!(tried.is_empty());
                        prop_assert_eq!(ms, [0, 1, 3].into_iter().map(|one| paused[one]).min().unwrap());
                        break;
                    }
                    Choice::Exhausted => { prop_assert!(!tried.is_empty()); break; }
                    Choice::UnknownModel => prop_assert!(false, "it is served"),
                }
            }
        }
        // The longest pause with its jitter.
        now += 360_000;
        for at in [0, 1, 3] {
            prop_assert_eq!(pool.paused_ms(at, Some("m"), now), 0);
        }
    }
}
