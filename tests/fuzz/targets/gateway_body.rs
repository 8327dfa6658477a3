//! Reads any bytes as the body of a request, and as the end of an answer: no panic, and the model is
//! the one that another reader of JSON finds.
#![no_main]

use copilot_keyless::gateway::{Usage, Wanted};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let wanted = Wanted::read("/openai/v1/responses", bytes);
    if let Ok(Value::Object(body)) = serde_json::from_slice(bytes) {
        let model = body.get("model").and_then(Value::as_str);
        // Escapes are left as they are: no name of a deployment has one.
        if model.is_none_or(|model| !String::from_utf8_lossy(bytes).contains('\\') && !model.is_empty()) {
            assert_eq!(wanted.model(), model);
        }
    }
    let tail = String::from_utf8_lossy(bytes);
    if let Some(usage) = Usage::of(&tail) {
        assert!(tail.contains(&usage.input_tokens.to_string()) || tail.contains("cache_"));
    }
});
