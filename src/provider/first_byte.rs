//! Decides how long a model may be silent before it counts as failed.

use crate::text::contains;

/// The default of models that answer at once, in milliseconds.
const DEFAULT_MS: u32 = 60_000;
/// The default of reasoning models. Less than the default timeout of a turn.
const REASONING_MS: u32 = 90_000;
const HIGH_EFFORT_MS: u32 = 300_000;
/// Of models that work for minutes, and of the highest efforts.
const LONG_MS: u32 = 600_000;

/// Names of reasoning models begin so.
const FAMILIES: [&str; 7] = ["o1", "o3", "o4", "gpt-5", "gpt-6", "deepseek-r", "codex"];
/// Names of other reasoning models contain these words.
const WORDS: [&str; 3] = ["reason", "thinking", "magistral"];

/// Returns how long a model may send nothing of a reply, in milliseconds: 60 s, or longer for a
/// reasoning model, by the effort that the request asks for. A deployment whose name says nothing of
/// its model gets 60 s.
///
/// ```
/// use copilot_keyless::provider::first_byte_timeout_ms;
///
/// assert_eq!(first_byte_timeout_ms("gpt-4.1", None), 60_000);
/// assert_eq!(first_byte_timeout_ms("gpt-5.5", None), 90_000);
/// assert_eq!(first_byte_timeout_ms("o4-mini", Some("high")), 300_000);
/// ```
pub fn first_byte_timeout_ms(model: &str, effort: Option<&str>) -> u32 {
    let name = model.to_ascii_lowercase();
    if contains(&name, "deep-research") || name.ends_with("-pro") {
        return LONG_MS;
    }
    match effort {
        Some("none" | "minimal" | "low") => return DEFAULT_MS,
        Some("high") => return HIGH_EFFORT_MS,
        Some("xhigh" | "max") => return LONG_MS,
        _ => {}
    }
    let chat = contains(&name, "-chat");
    let known = FAMILIES.iter().any(|family| name.starts_with(family));
    if (known && !chat) || WORDS.iter().any(|word| contains(&name, word)) {
        REASONING_MS
    } else {
        DEFAULT_MS
    }
}
