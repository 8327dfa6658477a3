//! Runs `tables/refusals.json`: refusals of Azure resources as people reported them. Each row names
//! its source; names and ids are replaced. `body` is the response, `message` what a client made of
//! it. A null status was not reported. `alsoAccept` lists the codes that the text alone leaves open.

use std::collections::BTreeSet;

use copilot_keyless::diagnosis::{Diagnosis, DiagnosisCode, FailedRequest, diagnose};
use serde_json::{Value, json};

use super::properties::{Own, faults};

pub(crate) fn rows() -> Vec<Value> {
    serde_json::from_str(table!("refusals.json")).unwrap()
}

/// Returns the reported text of a row.
pub(crate) fn text(row: &Value) -> &str {
    let given = row["body"].as_str().or(row["message"].as_str());
    given.unwrap_or_default()
}

fn run(row: &Value, with_status: bool) -> Diagnosis {
    let status = row["status"].as_u64().filter(|_| with_status);
    let failure: FailedRequest = serde_json::from_value(json!({
        "status": status.unwrap_or(0),
        "headers": row.get("headers"),
        "body": text(row),
        "endpoint": row["endpoint"],
    }))
    .unwrap();
    diagnose(&failure)
}

fn is_right(row: &Value, found: &Diagnosis) -> bool {
    let also = row["alsoAccept"].as_array().into_iter().flatten();
    std::iter::once(&row["code"])
        .chain(also)
        .any(|code| code == found.code.as_str())
}

#[test]
fn every_real_refusal_gets_its_code() {
    let wrong: Vec<String> = rows()
        .iter()
        .map(|row| (row, run(row, true)))
        .filter(|(row, found)| !is_right(row, found))
        .map(|(row, found)| format!("{}: {}, not {}", row["id"], found.code.as_str(), row["code"]))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A client may pass on the text alone.
#[test]
fn most_real_refusals_get_their_code_without_their_status() {
    let rows = rows();
    let right = rows.iter().filter(|row| is_right(row, &run(row, false))).count();
    assert!(right * 100 >= rows.len() * 97, "{right} of {}", rows.len());
}

#[test]
fn no_real_refusal_puts_a_word_into_a_command() {
    for row in rows() {
        let found = run(&row, true);
        // The user's own host may be in a command.
        if row["endpoint"].is_null() {
            assert_eq!(faults(&found, &Own::default(), ""), Ok(()), "{}", row["id"]);
        }
    }
}

#[test]
fn the_rows_have_ids_and_sources_and_known_codes() {
    let known: BTreeSet<&str> = DiagnosisCode::ALL.iter().map(|code| code.as_str()).collect();
    let mut ids = BTreeSet::new();
    for row in rows() {
        assert!(
            ids.insert(row["id"].as_str().unwrap().to_owned()),
            "{}",
            row["id"]
        );
        assert!(row["source"].as_str().is_some_and(|source| source.len() > 5));
        let also = row["alsoAccept"].as_array().into_iter().flatten();
        for code in also.chain([&row["code"]]) {
            assert!(
                known.contains(code.as_str().unwrap()),
                "{} in {}",
                code,
                row["id"]
            );
        }
    }
    assert!(ids.len() > 150, "{}", ids.len());
}
