//! The error type: stable, unique codes, and its JSON form.
use std::collections::HashSet;

use copilot_keyless::{Code, Error};

#[test]
fn codes_are_one_of_a_kind_and_well_formed() {
    let codes: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes.len(), Code::ALL.len());
    for code in codes {
        let (area, name) = code.split_once('/').unwrap();
        for part in [area, name] {
            assert!(
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{code}"
            );
        }
    }
}

#[test]
fn an_error_tells_and_serialises_what_it_holds() {
    let bare = Error::new(Code::EndpointEmpty, "No endpoint.");
    assert_eq!(bare.to_string(), "No endpoint. (endpoint/empty)");
    assert_eq!(bare.next_step(), None);
    let error = bare.hint("Give one.");
    assert_eq!(
        (error.message(), error.next_step()),
        ("No endpoint.", Some("Give one."))
    );
    assert_eq!(
        serde_json::to_value(&error).unwrap(),
        serde_json::json!({ "code": "endpoint/empty", "message": "No endpoint.", "hint": "Give one." })
    );
}

#[test]
fn every_code_is_read_back_from_its_text() {
    for code in Code::ALL {
        assert_eq!(code.as_str().parse(), Ok(*code));
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
    assert!("token/none".parse::<Code>().is_err());
}
