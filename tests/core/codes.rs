//! `tests/tables/codes.json` lists every code of the core, for what is written in other languages: the types of TypeScript are
//! checked against it. `WRITE_CODES=1 cargo test --test codes` writes it.
use std::fs;

use copilot_keyless::Code;
use copilot_keyless::NoticeCode;
use copilot_keyless::diagnosis::DiagnosisCode;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/codes.json");

#[test]
fn the_table_lists_every_code() {
    let codes = serde_json::json!({
        "errors": Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        "diagnoses": DiagnosisCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
        "notices": NoticeCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(),
    });
    if std::env::var_os("WRITE_CODES").is_some() {
        let text = serde_json::to_string_pretty(&codes).unwrap();
        fs::write(TABLE, format!("{text}\n")).unwrap();
    }
    let written: serde_json::Value = serde_json::from_str(&fs::read_to_string(TABLE).unwrap()).unwrap();
    assert_eq!(
        written, codes,
        "update it with: WRITE_CODES=1 cargo test --test codes"
    );
}
