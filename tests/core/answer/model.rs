//! Streamed responses of the three APIs, however their bytes are split.
#![cfg(not(target_arch = "wasm32"))]

use copilot_keyless::answer::model::{End, Format, Reader};
use copilot_keyless::answer::sse::{Parser, TooLong};
use copilot_keyless::diagnosis::status_of_event;
use proptest::prelude::*;

fn events(text: &str) -> Vec<String> {
    Parser::default().push(text.as_bytes()).unwrap()
}

fn read(format: Format, data: &[&str]) -> (String, Option<End>) {
    let mut reader = Reader::new(format);
    let mut text = String::new();
    for event in data {
        let part = reader.push(format!("data: {event}\n\n").as_bytes());
        text.push_str(&part.text);
        if part.end.is_some() {
            return (text, part.end);
        }
    }
    (text, None)
}

fn status((_, end): &(String, Option<End>)) -> Option<u16> {
    match end {
        Some(End::Failed { event }) => Some(status_of_event(event.expose())),
        _ => None,
    }
}

#[test]
fn data_of_events() {
    assert_eq!(events("data: a\n\ndata:b\r\n\r\ndata: c\r\r"), ["a", "b", "c"]);
    assert_eq!(
        events("event: x\nid: 1\ndata: a\ndata:  b\nretry: 3\n\n"),
        ["a\n b"]
    );
    assert_eq!(events("\u{feff}data: a\n\n"), ["a"]);
    assert_eq!(events("data\n\n"), [""]);
    // A comment, a field whose name only begins with "data", an event without data, and an
    // incomplete event.
    assert_eq!(
        events(": data: a\n\ndatas: a\n\nevent: x\n\n\n\ndata: a\n"),
        [""; 0]
    );
}

#[test]
fn an_endless_event_is_given_up() {
    let mut parser = Parser::default();
    let line = format!("data: {}\n", "x".repeat(1024 * 1024));
    let results: Vec<_> = (0..5).map(|_| parser.push(line.as_bytes())).collect();
    assert_eq!(results[0], Ok(vec![]));
    assert_eq!(results[4], Err(TooLong));
    let part = Reader::new(Format::Responses).push(line.repeat(5).as_bytes());
    assert_eq!(part.end, Some(End::Unreadable));
}

proptest! {
    #[test]
    fn however_the_bytes_are_cut(cuts in prop::collection::vec(0_usize..70, 0..8)) {
        let whole = "data: {\"type\":\"é\"}\r\n\r\nevent: 漢\ndata: a\rdata: b\n\n\u{feff}data: no\n\n".as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(whole.len())).collect();
        cuts.sort_unstable();
        let mut parser = Parser::default();
        let mut found = Vec::new();
        let mut from = 0;
        for cut in cuts {
            found.extend(parser.push(&whole[from..cut]).unwrap());
            from = cut;
        }
        found.extend(parser.push(&whole[from..]).unwrap());
        prop_assert_eq!(found, ["{\"type\":\"é\"}", "a\nb"]);
    }

    #[test]
    fn bytes_of_any_kind_are_read(bytes: Vec<u8>, format in 0..3) {
        let format = [Format::Responses, Format::Completions, Format::Messages][format as usize];
        let mut reader = Reader::new(format);
        reader.push(b"data: ");
        reader.push(&bytes);
        reader.push(b"\n\n");
    }
}

#[test]
fn responses() {
    let delta = r#"{"type":"response.output_text.delta","delta":"Hel"}"#;
    let refusal = r#"{"type":"response.refusal.delta","delta":"no"}"#;
    let call = r#"{"type":"response.function_call_arguments.delta","delta":"{}"}"#;
    let done = r#"{"type":"response.completed","response":{"output":[[[]]]}}"#;
    assert_eq!(
        read(Format::Responses, &[delta, call, refusal, done, delta]),
        ("Helno".to_owned(), Some(End::Complete))
    );
    let incomplete = |why: &str| {
        let event = format!(
            r#"{{"type":"response.incomplete","response":{{"incomplete_details":{{"reason":"{why}"}}}}}}"#
        );
        read(Format::Responses, &[&event])
    };
    assert_eq!(incomplete("max_output_tokens").1, Some(End::Truncated));
    assert_eq!(status(&incomplete("content_filter")), Some(400));
    let failed = r#"{"type":"response.failed","response":{"error":{"code":"server_error","message":"x"}}}"#;
    assert_eq!(status(&read(Format::Responses, &[delta, failed])), Some(500));
    let error = r#"{"type":"error","code":"rate_limit_exceeded","message":"slow down"}"#;
    assert_eq!(
        read(Format::Responses, &[error]).1,
        Some(End::Failed { event: error.into() })
    );
    assert_eq!(read(Format::Responses, &["<html>"]).1, Some(End::Unreadable));
    assert_eq!(read(Format::Responses, &[delta]), ("Hel".to_owned(), None));
}

#[test]
fn chat_completions() {
    let first = r#"{"choices":[],"prompt_filter_results":[]}"#;
    let delta = r#"{"choices":[{"delta":{"role":"assistant","content":"Hel"},"finish_reason":null}]}"#;
    let tools = r#"{"choices":[{"delta":{"content":null,"tool_calls":[{}]}}],"usage":null}"#;
    let refusal = r#"{"choices":[{"delta":{"refusal":"no"}}]}"#;
    assert_eq!(
        read(Format::Completions, &[first, delta, tools, refusal, "[DONE]"]),
        ("Helno".to_owned(), Some(End::Complete))
    );
    let filtered = r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#;
    assert_eq!(status(&read(Format::Completions, &[filtered])), Some(400));
    let error = r#"{"error":{"code":"429","message":"Please retry"}}"#;
    assert_eq!(status(&read(Format::Completions, &[delta, error])), Some(429));
    assert_eq!(read(Format::Completions, &["[]x"]).1, Some(End::Unreadable));
}

#[test]
fn anthropic_messages() {
    let start = r#"{"type":"message_start","message":{"content":[]}}"#;
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}"#;
    let thinking = r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}"#;
    let ending = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}}"#;
    let stop = r#"{"type":"message_stop"}"#;
    assert_eq!(
        read(Format::Messages, &[start, thinking, delta, ending, stop]),
        ("Hello".to_owned(), Some(End::Complete))
    );
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert_eq!(status(&read(Format::Messages, &[error])), Some(500));
    assert_eq!(read(Format::Messages, &["5"]).1, Some(End::Unreadable));
}
