//! Bodies of 64 KB, the part that a diagnosis reads, that aim at its time. Work that grows with
//! the square of a body would run for minutes.

use copilot_keyless::diagnosis::{DiagnosisCode, FailedRequest, diagnose, status_of_event};

const LENGTH: usize = 65_536;

fn code(body: &str) -> DiagnosisCode {
    let failure = FailedRequest {
        endpoint: Some("https://myres.openai.azure.com".to_owned()),
        status: 418,
        body: Some(body.into()),
        token: Some("opaque-secret-token-0123456789".into()),
        ..FailedRequest::default()
    };
    diagnose(&failure).code
}

/// Repeats a text up to half of a body.
fn half(text: &str) -> String {
    text.repeat(LENGTH / 2 / text.len())
}

#[test]
fn bodies_of_every_form() {
    let names = ["1.", "error.", "details.", "A", "."].map(half);
    let values = ["1,", "[1],", r#"{"code":1},"#, r#"{"msg":"a"},"#].map(half);
    let mut bodies = Vec::new();
    for name in &names {
        for value in &values {
            bodies.push(format!(r#"{{"{name}":[{value}0]}}"#));
        }
    }
    // Short enough names to be reported, and different codes.
    let codes: Vec<String> = (0..3_900).map(|n| format!(r#""code":"c{n}""#)).collect();
    bodies.push(format!(r#"{{"error":{{{}}}}}"#, codes.join(",")));
    let name = "details.".repeat(30);
    bodies.push(format!(
        r#"{{"{name}":{{{}"msg":1}}}}"#,
        r#""msg":1,"#.repeat(8_000)
    ));
    bodies.push(format!(r#"{{"error{name}":[{}0]}}"#, "1,".repeat(30_000)));
    bodies.push("400 ".repeat(LENGTH / 4));
    bodies.push(r"\u0041".repeat(LENGTH / 6));
    for body in bodies {
        assert!(body.len() <= LENGTH + 100);
        for body in [format!("data: {body}\n\n"), format!("Error: {body}"), body] {
            code(&body);
        }
    }
}

#[test]
fn a_stream_of_many_events() {
    let event = r#"data: {"error":{"code":"x"}}"#.to_owned() + "\n\n";
    let filtered = r#"data: {"error":{"code":"content_filter","message":"filtered"}}"#;
    let many = event.repeat((LENGTH - 200) / event.len());
    for _ in 0..10 {
        assert_eq!(
            code(&format!("{many}{filtered}\n\n")),
            DiagnosisCode::ContentFilter
        );
    }
}

#[test]
fn the_error_among_long_names_is_read() {
    let name = "A".repeat(60_000);
    let body = format!(r#"{{"{name}":["a"],"error":{{"code":"429","message":"Please retry"}}}}"#);
    assert_eq!(status_of_event(&body), 429);
    let deep = r#"{"error":{"innererror":{"details":[{"innererror":{"code":"content_filter"}}]}}}"#;
    assert_eq!(status_of_event(deep), 400);
}
