//! Runs `tables/challenges.json`, and checks the invariants of any header.
//!
//! A row is `{ name, header, expect }`; `expect` is the whole challenge, and an empty one means
//! that there is none.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use copilot_keyless::token::challenge::{Challenge, parse};
use proptest::prelude::*;
use serde_json::Value;

#[test]
fn every_row_of_the_table() {
    let rows: Vec<Value> = serde_json::from_str(table!("challenges.json")).unwrap();
    for row in &rows {
        let challenge = serde_json::to_value(parse(row["header"].as_str().unwrap())).unwrap();
        assert_eq!(challenge, row["expect"], "{row}");
    }
    assert!(rows.len() > 35);
}

#[test]
fn a_header_of_more_than_any_server_sends_is_not_read() {
    let long = format!("Bearer error=\"{}\"", "x".repeat(70_000));
    assert_eq!(parse(&long), Challenge::default());
    let most = format!("Bearer error=\"{}\"", "x".repeat(16_384));
    assert_eq!(parse(&most).error.map(|error| error.len()), Some(16_384));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_a_panic(header in any::<String>()) {
        parse(&header);
    }

    #[test]
    fn anything_of_a_headers_characters_gives_claims_that_are_an_object(
        header in r#"(Bearer|Basic|claims|error|=|"|\\|,| |e30|eyJhIjoxfQ==|\{\}|x){0,20}"#,
    ) {
        if let Some(claims) = parse(&header).claims {
            prop_assert!(serde_json::from_str::<Value>(&claims).unwrap().is_object());
        }
    }

    #[test]
    fn claims_come_back_from_any_base64_between_any_neighbours(
        value in any::<String>(), before in r#"[ -~&&[^"\\]]{0,30}"#, engine in 0..4,
    ) {
        let claims = serde_json::json!({ "access_token": { "x": value } }).to_string();
        let coded = match engine {
            0 => BASE64_STANDARD.encode(&claims),
            1 => BASE64_STANDARD_NO_PAD.encode(&claims),
            2 => BASE64_URL_SAFE.encode(&claims),
            _ => BASE64_URL_SAFE_NO_PAD.encode(&claims),
        };
        let header = format!(r#"Basic realm="{before}", Bearer realm="{before}", claims="{coded}", x="{before}""#);
        prop_assert_eq!(parse(&header).claims, Some(claims));
    }
}
