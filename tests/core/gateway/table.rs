//! Runs `tables/gateway.json`: routes, access, headers and answers.

use copilot_keyless::diagnosis::DiagnosisCode;
use copilot_keyless::gateway::{
    Admission, Answer, Dialect, Gateway, Incoming, Pair, Refusal, Upstream, is_final_status, judge,
    needs_reading, response_headers,
};
use serde_json::Value;

pub(super) const KEY: &str = "key-of-the-tests-1";
const BASE: &str = "https://myres.openai.azure.com/openai/v1/";
const HEADERS: [Pair<'static>; 2] = [("host", "127.0.0.1"), ("api-key", KEY)];

pub(super) fn rows(section: &str) -> Vec<Value> {
    let table: Value = serde_json::from_str(table!("gateway.json")).unwrap();
    table[section].as_array().unwrap().clone()
}

pub(super) fn gateway(base: &str) -> Gateway {
    Gateway {
        upstream: Upstream::of(base),
        key: KEY.into(),
        hosts: Some(Vec::new()),
        origins: Vec::new(),
    }
}

fn pairs(list: &Value) -> Vec<Pair<'_>> {
    let rows = list.as_array().unwrap().iter();
    rows.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .collect()
}

#[test]
fn every_route() {
    let mut failures = Vec::new();
    for row in rows("routes") {
        let gateway = gateway(row["base"].as_str().unwrap_or(BASE));
        let found = gateway.admit(Incoming {
            method: row["method"].as_str().unwrap_or("POST"),
            target: row["target"].as_str().unwrap(),
            headers: &HEADERS,
        });
        let fits = match &found {
            Admission::Forward(forward) => {
                row["to"] == *forward.target
                    && row["dialect"].as_str().unwrap_or("openai") == forward.dialect.as_str()
                    && row["isTurn"]
                        .as_bool()
                        .is_none_or(|is_turn| is_turn == forward.is_turn)
            }
            Admission::Refuse(refusal, _) => row["refuse"] == refusal.as_str(),
            _ => false,
        };
        if !fits {
            failures.push(format!("{row}\n  got {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_access() {
    let mut failures = Vec::new();
    for row in rows("access") {
        let texts =
            |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).unwrap_or_default() };
        let mut gateway = gateway(BASE);
        gateway.origins = texts(&row["origins"]);
        gateway.hosts = match row.get("hosts") {
            Some(Value::Null) => None,
            hosts => Some(hosts.map(texts).unwrap_or_default()),
        };
        let headers = pairs(&row["headers"]);
        let found = gateway.admit(Incoming {
            method: row["method"].as_str().unwrap_or("POST"),
            target: row["target"].as_str().unwrap_or("/openai/v1/responses"),
            headers: &headers,
        });
        let name = match &found {
            Admission::Forward(_) => "forward",
            Admission::Health => "health",
            Admission::Empty => "empty",
            Admission::Refuse(refusal, _) => refusal.as_str(),
        };
        if row["expect"] != name {
            failures.push(format!("{row}\n  got {found:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_header() {
    for row in rows("headers") {
        if let Some(received) = row.get("response") {
            assert_eq!(response_headers(&pairs(received)), pairs(&row["passed"]));
            continue;
        }
        let headers = pairs(&row["request"]);
        let Admission::Forward(forward) = gateway(BASE).admit(Incoming {
            method: "POST",
            target: "/openai/v1/responses",
            headers: &headers,
        }) else {
            panic!("{row}")
        };
        assert_eq!(forward.headers, pairs(&row["forwarded"]));
    }
}

#[test]
fn every_answer() {
    for row in rows("answers") {
        let flag = |name: &str| row[name].as_bool().unwrap_or_default();
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        let code = row["code"].as_str().unwrap_or_default();
        let verdict = judge(Answer {
            status,
            code,
            token_rejected: flag("tokenRejected"),
            claims: flag("claims"),
            is_turn: flag("isTurn"),
            repeatable: flag("repeatable"),
            repeated: flag("repeated"),
        });
        assert_eq!(row["verdict"], verdict.as_str(), "{row}");
        assert!(
            code.is_empty() || DiagnosisCode::ALL.iter().any(|one| one.as_str() == code),
            "{row}"
        );
        // Otherwise there is no code to judge by.
        assert_eq!(needs_reading(status), !code.is_empty(), "{row}");
    }
}

#[test]
fn statuses_that_are_no_answer() {
    for status in [0, 99, 100, 101, 103, 199, 600, 999] {
        assert!(!is_final_status(status), "{status}");
    }
    for row in rows("answers") {
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        assert!(is_final_status(status), "{row}");
    }
}

#[test]
fn the_table_reaches_every_refusal_that_admit_returns() {
    let reached: Vec<Value> = rows("routes")
        .iter()
        .map(|row| row["refuse"].clone())
        .chain(rows("access").iter().map(|row| row["expect"].clone()))
        .collect();
    let later = [
        Refusal::UnknownModel,
        Refusal::Quota,
        Refusal::Busy,
        Refusal::BodyTooLarge,
        Refusal::Redirect,
        Refusal::Timeout,
        Refusal::Closing,
    ];
    for refusal in Refusal::ALL.iter().filter(|refusal| !later.contains(refusal)) {
        assert!(
            reached.iter().any(|code| code == refusal.as_str()),
            "no row is refused with {}",
            refusal.as_str()
        );
    }
}

#[test]
fn every_refusal_is_json_of_both_apis() {
    for refusal in Refusal::ALL {
        assert_eq!(Refusal::by_code(refusal.as_str()), Some(*refusal));
        let read = |dialect| -> Value { serde_json::from_str(&refusal.body(dialect)).unwrap() };
        let (openai, anthropic) = (read(Dialect::Openai), read(Dialect::Anthropic));
        for body in [&openai, &anthropic] {
            assert_eq!(body["error"]["message"], refusal.message());
            assert_eq!(body["error"]["code"], refusal.as_str());
            assert!(body["error"]["type"].is_string());
        }
        assert_eq!(anthropic["type"], "error");
        assert!((400..600).contains(&refusal.status()));
    }
}
