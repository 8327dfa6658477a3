//! Checks that the `Debug` of every public type hides tokens, secrets, headers and variables.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use copilot_keyless::answer::model::{Format, Reader};
use copilot_keyless::answer::sse::Parser;
use copilot_keyless::diagnosis::{self, check_token, diagnose};
use copilot_keyless::gateway::{Admission, Gateway, Incoming, Upstream};
use copilot_keyless::provider::{self, ProviderRequest};
use copilot_keyless::request::chat;
use copilot_keyless::request::identity::{self, Verdict};
use copilot_keyless::request::probe;
use copilot_keyless::token::parse_token_response;
use copilot_keyless::{Headers, Secret, Variables};

const SECRET: &str = "pl4nted-S3cret.value";

fn assert_hidden(what: &str, value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!shown.contains("pl4nted"), "{what}: {shown}");
        assert!(!shown.contains("S3cret"), "{what}: {shown}");
        // As a list of bytes.
        assert!(
            !shown.replace([' ', '\n'], "").contains("112,108,52,110"),
            "{what}: {shown}"
        );
    }
}

fn one(name: &str) -> Headers {
    Headers::from([(name, SECRET)])
}

#[test]
fn debug_shows_no_secret_of_any_type() {
    assert_hidden("Secret", &Secret::from(SECRET));

    let body = format!(r#"{{"access_token":"{SECRET}","expires_in":3600}}"#);
    let response = parse_token_response(body.as_bytes(), 1_700_000_000_000, |_| None).unwrap();
    assert_eq!(response.token.expose(), SECRET);
    assert_hidden("TokenResponse", &response);

    let answer = |status| identity::Answer {
        status,
        headers: one("x-anything"),
        body: format!("{body} and {SECRET}").as_str().into(),
        secret: SECRET.into(),
        requested_at: 1_700_000_000_000,
        ..identity::Answer::default()
    };
    assert_hidden("identity::Answer", &answer(200));
    let verdict = identity::judge(&identity::Answer {
        body: body.as_str().into(),
        ..answer(200)
    });
    let Verdict::Token(token) = &verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(token.token.expose(), SECRET);
    assert_hidden("identity::Token", token);
    assert_hidden("Verdict::Token", &verdict);
    assert_hidden("Verdict::Error", &identity::judge(&answer(200)));
    assert_hidden("Verdict::Failure", &identity::judge(&answer(500)));

    let request = identity::Request {
        scopes: vec!["https://ai.azure.com/.default".to_owned()],
        env: Variables::from([
            ("IDENTITY_ENDPOINT", "http://127.0.0.1:1/token"),
            ("IDENTITY_HEADER", SECRET),
            ("X", SECRET),
        ]),
        ..identity::Request::default()
    };
    assert_hidden("identity::Request", &request);
    assert_hidden("identity::Call", &identity::call(&request).unwrap());

    let failure = diagnosis::FailedRequest {
        status: 401,
        endpoint: Some("https://myres.openai.azure.com".to_owned()),
        headers: one("authorization"),
        body: Some(format!("Bearer {SECRET} is not good").as_str().into()),
        token: Some(SECRET.into()),
        ..diagnosis::FailedRequest::default()
    };
    assert_hidden("diagnosis::FailedRequest", &failure);
    assert_hidden("Diagnosis", &diagnose(&failure));
    assert_hidden("check_token", &check_token(&failure));
    assert_hidden("probe::judge", &probe::judge(&failure));

    let request = ProviderRequest {
        endpoint: Some("https://myres.openai.azure.com".to_owned()),
        model: Some("gpt-5.5".to_owned()),
        headers: one("x-gateway-key"),
        env: Variables::from([("AZURE_CLIENT_SECRET", SECRET), ("ANYTHING", SECRET)]),
        ..ProviderRequest::default()
    };
    assert_hidden("provider::ProviderRequest", &request);
    let plan = provider::plan(&request).unwrap();
    let header = |headers: &Headers| headers.get("x-gateway-key").unwrap().expose().to_owned();
    assert_eq!(header(&plan.config.headers), SECRET);
    assert_hidden("ProviderPlan", &plan);
    assert_hidden("Config", &plan.config);
    let call = probe::call(&request, None).unwrap();
    assert_eq!(header(&call.headers), SECRET);
    assert_hidden("probe::Call", &call);
    assert_hidden("chat::call", &chat::call(&request, "Hi", None).unwrap());

    let headers = [("api-key", SECRET), ("x-anything", SECRET), ("host", "localhost")];
    let incoming = Incoming {
        method: "POST",
        target: "/v1/responses",
        headers: &headers,
    };
    assert_hidden("gateway::Incoming", &incoming);
    let gateway = Gateway {
        upstream: Upstream::of("https://myres.openai.azure.com/openai/v1/"),
        key: SECRET.into(),
        hosts: None,
        origins: Vec::new(),
    };
    assert_hidden("Gateway", &gateway);
    let admission = gateway.admit(incoming);
    assert!(matches!(&admission, Admission::Forward(forward) if forward.headers.len() == 1));
    assert_hidden("gateway::Admission", &admission);

    // Text that a response quotes: at its end, and in the middle of an event.
    let event = format!("data: {{\"type\":\"error\",\"message\":\"{SECRET}\"}}\n\n");
    let mut reader = Reader::new(Format::Responses);
    let end = reader.push(event.as_bytes()).end.expect("an end");
    assert_hidden("reply::End", &end);
    let mut reader = Reader::new(Format::Responses);
    reader.push(event.get(..event.len() - 2).unwrap().as_bytes());
    assert_hidden("Reader", &reader);
    let mut parser = Parser::default();
    parser
        .push(event.get(..event.len() - 2).unwrap().as_bytes())
        .unwrap();
    assert_hidden("Parser", &parser);
}

/// Checks that fields with the name of a secret have the type that hides it.
#[test]
fn fields_of_that_kind_are_secrets() {
    let mut looked = 0;
    each_file(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut |path, text| {
            for line in text.lines().map(str::trim) {
                let Some((name, kind)) = line.strip_prefix("pub ").and_then(|field| field.split_once(": "))
                else {
                    continue;
                };
                if ![
                    "token",
                    "secret",
                    "headers",
                    "env",
                    "body",
                    "assertion",
                    "password",
                ]
                .contains(&name)
                {
                    continue;
                }
                looked += 1;
                // A script, types that hide each text, the place of a secret, a prompt, and headers
                // that the struct hides.
                let harmless = ["TokenScript,", "Headers,", "Variables,", "Option<SecretPlace>,"]
                    .contains(&kind)
                    || (path.ends_with("src/request/probe.rs") && name == "body")
                    || path.ends_with("src/gateway/access.rs");
                assert!(harmless || kind.contains("Secret"), "{}: {line}", path.display());
            }
        },
    );
    assert!(looked >= 12, "{looked}");
}

fn each_file(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, look);
        } else {
            look(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
