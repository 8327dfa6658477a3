//! What a model says, from its streamed answer: the text of the three APIs' events, where it ends, and what goes wrong on the way.

use serde::Deserialize;

use crate::Secret;
use crate::answer::sse::Parser;
use crate::text::json::{Members, Value};

/// Which API's events these are.
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
    /// The API of a name as `ProviderConfig.wireApi` has it; Anthropic's has none there.
    pub fn of(wire_api: Option<&str>) -> Self {
        match wire_api {
            Some("responses") => Self::Responses,
            Some(_) => Self::Completions,
            None => Self::Messages,
        }
    }
}

/// What is in a part of the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The text that it adds.
    pub text: String,
    /// How the answer ended, if it did.
    pub end: Option<End>,
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The model has finished.
    Complete,
    /// The resource gave up, after it had begun to answer with 200.
    Failed {
        /// The event that tells of it; [`status_of_event`](crate::diagnosis::status_of_event) says which status it stands for.
        event: Secret,
    },
    /// The events are none of a model's.
    Unreadable,
}

/// Reads an answer part by part.
#[derive(Debug)]
pub struct Reader {
    format: Format,
    events: Parser,
}

impl Reader {
    /// Reads the events of one API.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            events: Parser::default(),
        }
    }

    /// Reads on. Nothing more is to be read after an end.
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
        // Cut short: by the limit on the output, which is an answer all the same, or by the content filter.
        "response.incomplete" if !is_filtered(data) => Some(End::Complete),
        "response.incomplete" | "response.failed" | "error" => Some(failed(data)),
        _ => None,
    }
}

/// The end of an answer that was cut short.
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

/// Whether the content filter cut the answer short.
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

/// What a choice or a block of content adds.
#[derive(Deserialize, Default)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    text: Option<String>,
}

/// An error, of which only matters that it is there.
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
