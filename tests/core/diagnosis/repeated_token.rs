//! Servers that repeat the token: no part of it appears in a diagnosis, however it is escaped and
//! wherever the body is cut.

use copilot_keyless::diagnosis::{FailedRequest, diagnose};

/// It has characters that JSON and percent-encoding escape, and letters of both cases.
const TOKEN: &str = "Opaque/Secret+Token==/0123456789~%41bc";

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn json_escaped(text: &str) -> String {
    let escape = |byte: u8| format!("\\u{byte:04x}");
    text.bytes().map(escape).collect::<Vec<_>>().concat()
}

/// Every form in which a server may write the token within a JSON string.
fn forms() -> Vec<String> {
    let percent = percent_encoded(TOKEN);
    vec![
        TOKEN.to_owned(),
        TOKEN.replace('/', r"\/"),
        json_escaped(TOKEN),
        TOKEN.replace('S', r"\u0053").replace('/', r"\u002F"),
        percent
            .to_lowercase()
            .replace("opaque", "Opaque")
            .replace("secret", "Secret")
            .replace("token", "Token"),
        percent.replace('%', r"\u0025"),
        json_escaped(&percent),
        percent,
        // JSON in a string of JSON.
        TOKEN.replace('/', r"\\/"),
        TOKEN.replace('S', r"\\u0053"),
    ]
}

/// Returns the diagnosis as JSON, and checks that no part of the token is in it.
fn diagnosed(body: &str, token: &str) -> String {
    let failure = FailedRequest {
        endpoint: Some("https://myres.openai.azure.com".to_owned()),
        status: 400,
        body: Some(body.into()),
        token: Some(token.into()),
        ..FailedRequest::default()
    };
    let diagnosis = serde_json::to_string(&diagnose(&failure)).unwrap();
    for part in [
        "opaque", "secret", "token==", "token%3d", "0123", "u0053", "u0065", "u0025",
    ] {
        assert!(
            !diagnosis.to_lowercase().contains(part),
            "{part} of {body:.200} in {diagnosis}"
        );
    }
    diagnosis
}

#[test]
fn an_escaped_token() {
    for form in forms() {
        for body in [
            format!(r#"{{"error":{{"message":"We got {form}."}}}}"#),
            format!(r#"{{"error":{{"code":"{form}"}}}}"#),
            format!(r#"{{"error":"{form}"}}"#),
            format!(r#"{{"elsewhere":{{"message":"We got {form}."}}}}"#),
            format!("data: {{\"error\":{{\"message\":\"We got {form}.\"}}}}\n\n"),
            format!(
                r#"{{"error":{{"message":"Unknown parameter: '{form}'.","param":"{form}","code":"unknown_parameter"}}}}"#
            ),
            format!(r#"Error code: 400 - {{"error":{{"message":"We got {form}."}}}}"#),
            serde_json::to_string(&format!(r#"400 {{"error":{{"message":"We got {form}."}}}}"#)).unwrap(),
        ] {
            let diagnosis = diagnosed(&body, TOKEN);
            assert!(diagnosis.contains("[token]"), "{body}: {diagnosis}");
        }
    }
    let percent = percent_encoded(TOKEN);
    for form in [TOKEN, &percent] {
        for body in [
            format!("We got {form}."),
            format!("<html><title>We got {form}.</title>"),
            format!("Error code: 400 - {{'error': {{'message': 'We got {form}.'}}}}"),
        ] {
            assert!(diagnosed(&body, TOKEN).contains("We got [token]."));
        }
    }
}

#[test]
fn a_token_that_ends_an_escape() {
    let token = "00a0a0a000a000aaa000";
    for before in ["4%", r"\\u", r"\\u00", r"\\"] {
        for body in [
            format!("We got {before}{token}."),
            format!(r#"{{"error":{{"message":"We got {before}{token}."}}}}"#),
        ] {
            let diagnosis = diagnosed(&body, token);
            assert!(!diagnosis.contains("a0a0a0"), "{body}: {diagnosis}");
        }
    }
}

#[test]
fn a_token_across_the_cut() {
    // Whitespace becomes one space, so the end of a long body can appear in the message.
    for form in [TOKEN.to_owned(), percent_encoded(TOKEN), json_escaped(TOKEN)] {
        for before in (65_536 - form.len() - 2..65_540).step_by(17) {
            for shown in ["We got", &format!("We got {TOKEN} {TOKEN} {TOKEN}")] {
                let body = format!("{shown}{}{form} and more", " ".repeat(before - shown.len()));
                diagnosed(&body, TOKEN);
            }
        }
    }
}

#[test]
fn other_texts_stay() {
    let body = r#"{"error":{"message":"100% of caf\u00e9s \"use\" C:\\temp %41 %zz \ud83d\ude00 %"}}"#;
    let diagnosis = diagnosed(body, TOKEN);
    let message: serde_json::Value = serde_json::from_str(&diagnosis).unwrap();
    assert_eq!(message["message"], "100% of cafés \"use\" C:\\temp %41 %zz 😀 %");
}
