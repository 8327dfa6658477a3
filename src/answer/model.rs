//! Reads a model's streamed response: the text in the events of the three APIs, the end, and
//! failures in the middle.

use std::collections::BTreeSet;

use crate::Secret;
use crate::answer::sse::Parser;
use crate::text::json_walk::walk;

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
    /// The response reached the limit of output tokens. It is a regular end.
    Truncated,
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
    /// How the model ended its text. The end of the stream confirms it.
    finish: Option<End>,
}

impl Reader {
    /// Creates a reader for the events of one API.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            events: Parser::default(),
            finish: None,
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
            part.end = self.event(&data, &mut part.text);
            if part.end.is_some() {
                break;
            }
        }
        part
    }

    /// Reads the end of the stream. Some deployments leave out the last event, such as `[DONE]`, or
    /// the empty line after it; the response is complete if the model had ended its text.
    ///
    /// ```
    /// use copilot_keyless::answer::model::{End, Format, Reader};
    ///
    /// let mut reader = Reader::new(Format::Completions);
    /// reader.push(b"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n");
    /// assert_eq!(reader.finish().end, Some(End::Complete));
    /// assert_eq!(Reader::new(Format::Completions).finish().end, Some(End::Unreadable));
    /// ```
    pub fn finish(&mut self) -> Part {
        let mut part = Part::default();
        if let Some(data) = self.events.finish() {
            part.end = self.event(&data, &mut part.text);
        }
        part.end = part.end.or_else(|| self.finish.take()).or(Some(End::Unreadable));
        part
    }

    fn event(&mut self, data: &str, text: &mut String) -> Option<End> {
        let data = data.trim();
        if data == "[DONE]" && self.format == Format::Completions {
            return Some(self.finish.take().unwrap_or(End::Complete));
        }
        let event = Event::read(self.format, data, text);
        if !event.is_object {
            return Some(End::Unreadable);
        }
        if let Some(end) = event.end(data) {
            // Usage and filter results may follow the finish reason.
            if event.is_last || matches!(end, End::Failed { .. }) {
                return Some(match (end, self.finish.take()) {
                    (End::Complete, Some(finish)) => finish,
                    (end, _) => end,
                });
            }
            self.finish = Some(end);
        }
        None
    }
}

/// Reads a response that came as one JSON body, because it was not streamed or a gateway collected
/// it. The end is [`End::Unreadable`] if it is not a model's.
///
/// ```
/// use copilot_keyless::answer::model::{End, Format, read_whole};
///
/// let body = r#"{"choices":[{"message":{"content":"Hello"},"finish_reason":"stop"}]}"#;
/// let part = read_whole(Format::Completions, body);
/// assert_eq!(part.text, "Hello");
/// assert_eq!(part.end, Some(End::Complete));
/// ```
pub fn read_whole(format: Format, body: &str) -> Part {
    let mut text = String::new();
    let event = Event::read(format, body, &mut text);
    let end = event.end(body).filter(|_| event.is_object);
    Part {
        text,
        end: end.or(Some(End::Unreadable)),
    }
}

/// What an event, or a whole response, says of the end.
#[derive(Default)]
struct Event {
    is_object: bool,
    /// Whether no event of the response follows.
    is_last: bool,
    ending: Ending,
}

/// How the model ended its text. A later one prevails.
#[derive(Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    #[default]
    None,
    Complete,
    Truncated,
    Failed,
}

impl Event {
    /// Reads the fields that mean something, and adds the text of the model to `text`.
    fn read(format: Format, json: &str, text: &mut String) -> Self {
        let mut event = Self::default();
        let mut kind = String::new();
        let mut delta = String::new();
        // The parts of the output, and those of them that are reasoning. Their type may follow.
        let (mut parts, mut thoughts) = (Vec::new(), BTreeSet::new());
        let is_complete = walk(json, &mut |path, value| {
            if (path == "error" || path.starts_with("error.")) && !value.is_empty() {
                event.ends(Ending::Failed);
            }
            match (format, path) {
                (_, "type") => value.clone_into(&mut kind),
                (Format::Responses, "delta") => value.clone_into(&mut delta),
                (Format::Responses, "status") => match value {
                    "completed" | "incomplete" => event.ends(Ending::Complete),
                    "failed" | "cancelled" => event.ends(Ending::Failed),
                    _ => {}
                },
                (Format::Completions, "choices.0.finish_reason")
                | (Format::Messages, "delta.stop_reason" | "stop_reason") => event.ends(Ending::of(value)),
                (
                    Format::Completions,
                    "choices.0.delta.content"
                    | "choices.0.delta.refusal"
                    | "choices.0.message.content"
                    | "choices.0.message.refusal",
                )
                | (Format::Messages, "delta.text") => text.push_str(value),
                (_, _) if path.ends_with("incomplete_details.reason") => event.ends(Ending::of(value)),
                (Format::Responses, _) if path.starts_with("output.") => match path.rsplit_once('.') {
                    Some((part, "text" | "refusal")) if part.contains(".content.") => {
                        parts.push((part.to_owned(), value.to_owned()));
                    }
                    Some((part, "type")) if value.starts_with("reasoning") => {
                        thoughts.insert(part.to_owned());
                    }
                    _ => {}
                },
                (Format::Messages, _)
                    if path.starts_with("content.") && path.rsplit('.').next() == Some("text") =>
                {
                    text.push_str(value);
                }
                _ => {}
            }
        });
        for (part, said) in parts {
            if !thoughts.contains(&part) {
                text.push_str(&said);
            }
        }
        event.is_object = is_complete && json.trim_start().starts_with('{');
        match (format, kind.as_str()) {
            (Format::Responses, "response.output_text.delta" | "response.refusal.delta") => {
                text.push_str(&delta);
            }
            (Format::Responses, "response.completed" | "response.incomplete")
            | (Format::Messages, "message_stop") => {
                event.ends(Ending::Complete);
                event.is_last = true;
            }
            (_, "response.failed" | "error") => event.ends(Ending::Failed),
            _ => {}
        }
        event
    }

    fn ends(&mut self, ending: Ending) {
        self.ending = self.ending.max(ending);
    }

    fn end(&self, json: &str) -> Option<End> {
        match self.ending {
            Ending::None => None,
            Ending::Complete => Some(End::Complete),
            Ending::Truncated => Some(End::Truncated),
            Ending::Failed => Some(End::Failed { event: json.into() }),
        }
    }
}

impl Ending {
    fn of(reason: &str) -> Self {
        match reason {
            "content_filter" => Self::Failed,
            "length" | "max_tokens" | "max_output_tokens" => Self::Truncated,
            _ => Self::Complete,
        }
    }
}
