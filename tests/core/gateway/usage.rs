//! Reads the usage of real answers' ends.

use copilot_keyless::gateway::{Usage, operation};

const ANSWERS: [(&str, Option<(u64, u64)>); 13] = [
    // Chat completions, whole and streamed: `usage` is null in all chunks but the last.
    (
        r#""finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,"prompt_tokens_details":{"cached_tokens":0}},"system_fingerprint":null}"#,
        Some((19, 10)),
    ),
    (
        "data: {\"choices\":[{\"delta\":{}}],\"usage\":null}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}\n\ndata: [DONE]\n\n",
        Some((7, 3)),
    ),
    (
        "data: {\"choices\":[{\"delta\":{}}],\"usage\":null}\n\ndata: [DONE]\n\n",
        None,
    ),
    // Responses: its object is followed by further members.
    (
        r#"event: response.completed
data: {"type":"response.completed","response":{"id":"resp_1","usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":0},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":64},"total_tokens":123},"user":null,"metadata":{}}}

"#,
        Some((36, 87)),
    ),
    // Messages: the count of its input leaves out what came from the cache.
    (
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":5,\"cache_read_input_tokens\":2048,\"output_tokens\":25}}\n\n",
        Some((2_063, 25)),
    ),
    // A stream of Messages may count the input in its first event alone, and then the output so far.
    (
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":20,\"cache_read_input_tokens\":5,\"output_tokens\":1}}}\n\n...event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15}}\n\n",
        Some((25, 15)),
    ),
    (
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":15}}\n\n",
        None,
    ),
    // Embeddings, pretty-printed.
    (
        "\"usage\" : {\n  \"prompt_tokens\": 8,\n  \"total_tokens\": 8\n}}",
        Some((8, 0)),
    ),
    // A text of the model that looks like usage.
    (
        r#"{"usage":{"prompt_tokens":1,"completion_tokens":2},"text":"{\"usage\":{\"prompt_tokens\":9000,\"completion_tokens\":9000}}"}"#,
        Some((1, 2)),
    ),
    (r#"usage":{"prompt_tokens":1,"completion_tokens":2}"#, None),
    (r#"{"usage":{"prompt_tokens":1,"completion_tok"#, None),
    (r#"{"usage":{"prompt_tokens":-1,"completion_tokens":"2"}}"#, None),
    ("", None),
];

#[test]
fn the_end_of_an_answer_tells_its_usage() {
    for (tail, expected) in ANSWERS {
        let expected = expected.map(|(input_tokens, output_tokens)| Usage {
            input_tokens,
            output_tokens,
        });
        assert_eq!(Usage::of(tail), expected, "{tail}");
    }
}

#[test]
fn only_a_few_false_starts_are_read() {
    let usage = r#"{"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    let null = r#"{"usage":null}"#;
    assert!(Usage::of(&format!("{usage}{}", null.repeat(7))).is_some());
    assert_eq!(Usage::of(&format!("{usage}{}", null.repeat(8))), None);
}

#[test]
fn operations_have_the_names_of_open_telemetry() {
    for (target, expected) in [
        (
            "/openai/deployments/d/chat/completions?api-version=1",
            Some("chat"),
        ),
        ("/anthropic/v1/messages?beta=true", Some("chat")),
        ("/anthropic/v1/messages/count_tokens", None),
        ("/openai/v1/completions", Some("text_completion")),
        ("/openai/v1/embeddings", Some("embeddings")),
        ("/openai/v1/models", None),
        ("/healthz", None),
    ] {
        assert_eq!(operation(target), expected, "{target}");
    }
}
