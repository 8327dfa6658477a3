//! Reads a model's streamed response: the text in the events of the three APIs, the end, and
//! failures in the middle.

use serde::Deserialize;

use crate::Secret;
use crate::answer::sse::Parser;
use crate::text::json::{Members, Value};

/// The API of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The Responses API.
    Responses,
    /// Chat completions.
    Completions,
    /// Anthropic's messages.
    Messages,
}

impl Format {
    /// Returns the API of a `ProviderConfig.wireApi`. Anthropic's has no such name.
    pub fn of(wire_api: Option<&str>) -> Self {
        match wire_api {
            Some("responses") => Self::Responses,
            Some(_) => Self::Completions,
            None => Self::Messages,
        }
    }
}

/// The content of a part of the response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The text to append.
    pub text: String,
    /// How the response ended, if it did.
    pub end: Option<End>,
}

/// How a response ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The model is done.
    Complete,
    /// The resource failed after it had begun to respond with 200.
    Failed {
        /// The event of the failure; [`status_of_event`](crate::diagnosis::status_of_event) returns
        /// its status.
        event: Secret,
    },
    /// The events are not those of a model.
    Unreadable,
}

/// Reads a response part by part.
#[derive(Debug)]
pub struct Reader {
    format: Format,
    events: Parser,
}

impl Reader {
    /// Creates a reader for the events of one API.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            events: Parser::default(),
        }
    }

    /// Reads the next bytes. Call it no more after an end.
    ///
    /// ```
    /// use copilot_keyless::answer::model::{End, Format, Reader};
    ///
    /// let mut reader = Reader::new(Format::Completions);
    /// let part = reader.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\n\ndata: [DONE]\n\n");
    /// assert_eq!(part.text, "Hello");
    /// assert_eq!(part.end, Some(End::Complete));
    /// ```
    pub fn push(&mut self, bytes: &[u8]) -> Part {
        let mut part = Part::default();
        let Ok(events) = self.events.push(bytes) else {
            part.end = Some(End::Unreadable);
            return part;
        };
        for data in events {
            part.end = match self.format {
                Format::Responses => response(&data, &mut part.text),
                Format::Completions => completion(&data, &mut part.text),
                Format::Messages => message(&data, &mut part.text),
            };
            if part.end.is_some() {
                break;
            }
        }
        part
    }
}

fn response(data: &str, text: &mut String) -> Option<End> {
    let wanted = |name: &str| matches!(name, "type" | "delta");
    let Ok(event) = Members::from_slice(data.as_bytes(), wanted) else {
        return Some(End::Unreadable);
    };
    match event.get("type").and_then(Value::as_text).unwrap_or_default() {
        "response.output_text.delta" | "response.refusal.delta" => {
            text.push_str(event.get("delta").and_then(Value::as_text).unwrap_or_default());
            None
        }
        "response.completed" => Some(End::Complete),
        // The output limit is a regular end. The content filter is a failure.
        "response.incomplete" if !is_filtered(data) => Some(End::Complete),
        "response.incomplete" | "response.failed" | "error" => Some(failed(data)),
        _ => None,
    }
}

/// The end of a truncated response.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Incomplete {
    response: IncompleteResponse,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct IncompleteResponse {
    incomplete_details: IncompleteDetails,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct IncompleteDetails {
    reason: String,
}

/// Whether the content filter truncated the response.
fn is_filtered(event: &str) -> bool {
    serde_json::from_str::<Incomplete>(event)
        .is_ok_and(|event| event.response.incomplete_details.reason == "content_filter")
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    error: Option<Flaw>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    #[serde(default)]
    finish_reason: Option<String>,
}

/// The content that a choice or a block adds.
#[derive(Deserialize, Default)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    text: Option<String>,
}

/// An error. Only its presence counts.
#[derive(Deserialize)]
struct Flaw {}

fn completion(data: &str, text: &mut String) -> Option<End> {
    if data == "[DONE]" {
        return Some(End::Complete);
    }
    let Ok(chunk) = serde_json::from_str::<Chunk>(data) else {
        return Some(End::Unreadable);
    };
    if chunk.error.is_some() {
        return Some(failed(data));
    }
    let choice = chunk.choices.into_iter().next()?;
    for piece in [choice.delta.content, choice.delta.refusal].into_iter().flatten() {
        text.push_str(&piece);
    }
    (choice.finish_reason.as_deref() == Some("content_filter")).then(|| failed(data))
}

#[derive(Deserialize)]
struct Event {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    delta: Delta,
}

fn message(data: &str, text: &mut String) -> Option<End> {
    let Ok(event) = serde_json::from_str::<Event>(data) else {
        return Some(End::Unreadable);
    };
    match event.kind.as_str() {
        "content_block_delta" => {
            text.push_str(&event.delta.text.unwrap_or_default());
            None
        }
        "message_stop" => Some(End::Complete),
        "error" => Some(failed(data)),
        _ => None,
    }
}

fn failed(data: &str) -> End {
    End::Failed { event: data.into() }
}
