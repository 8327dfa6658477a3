//! `tests/tables/codes.json` and `variables.json` list every code and environment variable of the
//! core. Tests compare the TypeScript types and lists with them. `WRITE_TABLES=1 cargo test --test
//! core codes` writes both.

use std::fs;

use copilot_keyless::diagnosis::DiagnosisCode;
use copilot_keyless::environment::Variable;
use copilot_keyless::{Code, NoticeCode};
use serde_json::{Value, json};

fn check(name: &str, expected: &Value) {
    let path = format!("{}/tests/tables/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("WRITE_TABLES").is_some() {
        let text = serde_json::to_string_pretty(expected).unwrap();
        fs::write(&path, format!("{text}\n")).unwrap();
    }
    let written: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(
        written, *expected,
        "update {name} with: WRITE_TABLES=1 cargo test --test core codes"
    );
}

#[test]
fn the_table_lists_every_code() {
    let codes = json!({
        "errors": Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        "diagnoses": DiagnosisCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        "notices": NoticeCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
    });
    check("codes.json", &codes);
}

#[test]
fn the_table_lists_every_variable() {
    let variables = Variable::ALL.iter().map(|variable| {
        json!({ "name": variable, "holds": variable.holds(), "visibility": variable.visibility() })
    });
    check("variables.json", &variables.collect());
}
