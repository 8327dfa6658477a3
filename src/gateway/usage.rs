//! Reads for telemetry what a request asked for, and the tokens that its answer used.

use serde_json::Value;

/// The tokens that an answer says it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt, with those that were read from a cache.
    pub input_tokens: u64,
    /// Tokens of the answer, with those of reasoning. 0 for embeddings.
    pub output_tokens: u64,
}

impl Usage {
    /// Reads the usage near the end of an answer, which is JSON or server-sent events. `tail` may
    /// begin anywhere: 32 KiB hold the last event of every API. Put the answer's first event before
    /// it: Anthropic's streams may count the input there alone. Returns `None` if there is none, such
    /// as in a compressed answer.
    ///
    /// ```
    /// use copilot_keyless::gateway::Usage;
    ///
    /// let tail = r#"ata: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;
    /// assert_eq!(Usage::of(tail), Some(Usage { input_tokens: 7, output_tokens: 3 }));
    /// ```
    pub fn of(tail: &str) -> Option<Self> {
        let mut output = None;
        // From the end, since `"usage":null` may stand in all chunks of a stream but the last. A few,
        // so that a hostile answer costs no more than its length, a few times.
        for (at, _) in tail.rmatch_indices("\"usage\"").take(8) {
            let value = tail.get(at..)?.strip_prefix("\"usage\"")?.trim_start();
            let value = value.strip_prefix(':').unwrap_or_default();
            // Within a text of the model, the quotes of a key are escaped.
            let escaped = tail.get(..at)?.ends_with('\\');
            if let (false, Some(counts)) = (escaped, first_object(value)) {
                output = output.or(counts.output);
                if let Some(input_tokens) = counts.input {
                    let output_tokens = output.unwrap_or_default();
                    return Some(Self {
                        input_tokens,
                        output_tokens,
                    });
                }
            }
        }
        None
    }
}

/// The counts of one object.
struct Counts {
    input: Option<u64>,
    output: Option<u64>,
}

/// Reads the object at the start of a text that goes on behind it.
fn first_object(text: &str) -> Option<Counts> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let Some(Ok(Value::Object(usage))) = values.next() else {
        return None;
    };
    let count = |names: [&str; 2]| names.iter().find_map(|name| usage.get(*name)?.as_u64());
    let cached = ["cache_read_input_tokens", "cache_creation_input_tokens"]
        .iter()
        .filter_map(|name| usage.get(*name)?.as_u64())
        .fold(0, u64::saturating_add);
    let input = count(["input_tokens", "prompt_tokens"]).map(|input| input.saturating_add(cached));
    let output = count(["output_tokens", "completion_tokens"]);
    Some(Counts { input, output })
}

/// Returns the `gen_ai.operation.name` of OpenTelemetry for a path of the API, with or without a
/// query. `None` for lists, files and other objects.
///
/// ```
/// use copilot_keyless::gateway::operation;
///
/// assert_eq!(operation("/openai/v1/responses?stream=true"), Some("chat"));
/// assert_eq!(operation("/openai/v1/responses/resp_1"), None);
/// ```
pub fn operation(target: &str) -> Option<&'static str> {
    let path = target.split('?').next().unwrap_or_default();
    if path.ends_with("/chat/completions") || path.ends_with("/responses") || path.ends_with("/messages") {
        Some("chat")
    } else if path.ends_with("/completions") {
        Some("text_completion")
    } else if path.ends_with("/embeddings") {
        Some("embeddings")
    } else {
        None
    }
}
