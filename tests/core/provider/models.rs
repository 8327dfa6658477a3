//! Runs `tables/models.json`: several providers and their models.
//!
//! A row is `{ name, list, expect | error, says? }`. `list` contains the options of each provider,
//! with name and models; `expect` contains the models of all of them, and `says` a part of the
//! message.

use std::collections::BTreeSet;

use copilot_keyless::provider::{NamedProvider, PlannedModel, models};
use serde_json::Value;

fn run(list: &Value) -> copilot_keyless::Result<Vec<PlannedModel>> {
    let mut all = Vec::new();
    let mut taken = Vec::new();
    for options in list.as_array().unwrap() {
        let named: NamedProvider = serde_json::from_value(options.clone()).unwrap();
        all.extend(models(
            &named,
            serde_json::from_value(options.clone()).unwrap(),
            &taken,
        )?);
        taken.push(named.name.unwrap_or_default());
    }
    Ok(all)
}

#[test]
fn every_row_of_the_table() {
    let rows: Vec<Value> = serde_json::from_str(table!("models.json")).unwrap();
    let mut codes = BTreeSet::new();
    for row in rows {
        match run(&row["list"]) {
            Ok(found) => assert_eq!(serde_json::to_value(&found).unwrap(), row["expect"], "{row}"),
            Err(error) => {
                assert_eq!(row["error"], error.code().as_str(), "{row}\n{error}");
                let says = row["says"].as_str().unwrap();
                assert!(error.message().contains(says), "{row}\n{error}");
                assert!(error.next_step().is_some(), "{row}");
                codes.insert(error.code().as_str());
            }
        }
    }
    for code in [
        "provider/name",
        "provider/model",
        "provider/conflict",
        "provider/limit",
    ] {
        assert!(codes.contains(code), "no row fails with {code}");
    }
}
