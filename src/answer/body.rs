//! Reads an error response in any form: Azure's flat and nested errors, those of OpenAI and
//! Anthropic, an event of a stream, a web page, or the text that a client library makes of them.

use super::error_json::{Found, read as json, status};
use super::redact::{head, redact};
use crate::answer::sse::Parser;
use crate::text::json::Value;

/// The longest message to show, in bytes.
const MAX_MESSAGE: usize = 600;

/// The longest part of a body to search, in bytes. Real error responses are shorter.
const MAX_BODY: usize = 65_536;

/// Words that say nothing: OpenAI's library calls every 403 a `PermissionDeniedError`, and the name
/// of a query parameter is a part of every Azure URL.
const MISLEADING: [&str; 2] = ["permissiondeniederror", "api-version="];

/// Words in front of a status in a text.
const BEFORE_STATUS: [&str; 8] = [
    "status", "code", "http", "http/1.1", "http/2", "error", "failed", "returned",
];

/// The form of a body.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A text, in which JSON may be quoted.
    #[default]
    Text,
    /// A web page.
    Page,
    /// JSON without an error.
    Json,
    /// JSON with an error.
    Error,
}

/// The text of a response.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The message on one line, at most [`MAX_MESSAGE`] bytes long, without the token that was
    /// sent.
    pub(crate) message: String,
    /// The codes, types and finish reasons of the error, in lower case. Empty if the body is not
    /// JSON.
    codes: Vec<String>,
    /// The parameter that the error is about, in lower case.
    pub(crate) parameter: Option<String>,
    /// The text that identifies the failure, in lower case: of JSON the codes and messages of the
    /// error, else the whole body.
    said: String,
    form: Form,
    /// The status that the text names, such as `Error code: 404`.
    pub(crate) named_status: Option<u16>,
    /// Whether the code of a JSON error is that status.
    pub(crate) is_code_status: bool,
}

impl Answer {
    /// Whether the text contains another one, given in lower case.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.said.contains(text)
    }

    /// Whether the error has a code or type, given in lower case.
    pub(crate) fn has_code(&self, code: &str) -> bool {
        self.codes.iter().any(|known| known == code)
    }

    /// Whether a body that came with a status of success reports an error: JSON with an error, or
    /// the report of a client in words.
    pub(crate) fn reports_error(&self) -> bool {
        self.form == Form::Error || (self.form == Form::Text && !self.said.is_empty())
    }

    /// Whether the error is that of JSON, rather than of a text in which it may be quoted.
    pub(crate) fn is_structured(&self) -> bool {
        self.form == Form::Error
    }

    /// Whether the body is a web page.
    pub(crate) fn is_page(&self) -> bool {
        self.form == Form::Page
    }

    /// Returns the part of the message between two texts.
    pub(crate) fn between(&self, before: &str, after: &str) -> Option<&str> {
        let (_, rest) = self.message.split_once(before)?;
        rest.split_once(after).map(|(found, _)| found)
    }

    /// Returns the message after a text.
    pub(crate) fn after(&self, before: &str) -> Option<&str> {
        self.message.split_once(before).map(|(_, rest)| rest)
    }

    /// Returns the first word of the message after a text.
    pub(crate) fn word_after(&self, before: &str) -> Option<&str> {
        let rest = self.after(before)?;
        rest.split([' ', '`', '\'', '"']).find(|word| !word.is_empty())
    }

    /// Returns the number after the first occurrence of a text, given in lower case.
    pub(crate) fn number_after(&self, before: &str) -> Option<u64> {
        let (_, rest) = self.said.split_once(before)?;
        let digits = rest.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '.' && c != '\n');
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits.get(..end)?.parse().ok()
    }
}

/// Reads a body. The Copilot runtime passes some on as a JSON string that begins with the status.
pub(crate) fn read(body: &str, status: u16, token: &str) -> Answer {
    // The server is not trusted, so its response may repeat the token.
    let body = redact(body, token, MAX_BODY);
    let body = body.trim();
    let event = failed_event(body, token);
    let body = event.as_deref().unwrap_or(body);
    let quoted = body.starts_with('"').then(|| serde_json::from_str(body));
    let body = match quoted {
        Some(Ok(Value::Text(text))) => redact(&text, token, MAX_BODY),
        _ => body.to_owned(),
    };
    let body = match body.split_once(' ') {
        Some((number, rest)) if number.parse() == Ok(status) => rest,
        _ => &body,
    };
    let found = match body.find('{') {
        Some(start) => json(body, start, token),
        None => Found::default(),
    };
    let lower = body.to_ascii_lowercase();
    let is_markup = body.starts_with('<');
    let marks = [
        "<html",
        "<!doctype html",
        "<head",
        "<body",
        "<title",
        "<h1",
        "<h2",
    ];
    let structured = found.is_whole && found.has_error();
    let mut said = if structured {
        found.said.to_ascii_lowercase()
    } else {
        lower.clone()
    };
    for word in MISLEADING {
        said = said.replace(word, "");
    }
    let message = found
        .message
        .or(found.error)
        .or_else(|| is_markup.then(|| title(body).to_owned()))
        .or_else(|| python_message(body).map(str::to_owned))
        .or_else(|| (structured && !found.codes.is_empty()).then(|| found.codes.join(", ")));
    Answer {
        message: on_one_line(message.as_deref().unwrap_or(body)),
        form: match found.is_whole {
            true if found.is_error && structured => Form::Error,
            true => Form::Json,
            false if is_markup && marks.iter().any(|mark| lower.contains(mark)) => Form::Page,
            false => Form::Text,
        },
        is_code_status: found.status.is_some(),
        named_status: found.status.or_else(|| named_status(&lower)),
        parameter: found.parameter,
        codes: if found.is_whole { found.codes } else { Vec::new() },
        said,
    }
}

/// Returns the event of a stream that says why it failed: the first failure with a message, else
/// the first failure. `None` if the body is no stream, or none of its events is a failure.
fn failed_event(body: &str, token: &str) -> Option<String> {
    if !body.starts_with("data:") && !body.starts_with("event:") {
        return None;
    }
    let mut parser = Parser::default();
    let mut events = parser.push(body.as_bytes()).ok()?;
    events.extend(parser.finish());
    let mut first = None;
    for event in events {
        let found = json(&event, 0, token);
        if found.is_error && (found.message.is_some() || found.error.is_some()) {
            return Some(event);
        }
        if found.is_error && first.is_none() {
            first = Some(event);
        }
    }
    first
}

/// Returns the first status in a text in lower case: a number behind a word such as `status`, in
/// parentheses, or at the start.
fn named_status(text: &str) -> Option<u16> {
    let bytes = text.as_bytes();
    let joins = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/'))
    };
    (0..bytes.len().saturating_sub(2)).find_map(|at| {
        let status = status(text.get(at..at + 3)?)?;
        if joins(at.checked_sub(1)) || (joins(Some(at + 3)) && bytes.get(at + 3) != Some(&b'.')) {
            return None;
        }
        let before = text.get(..at)?;
        let word = before.trim_end_matches([' ', ':', '=', '"', '\'', '(', '[', '`', '\\']);
        let behind_word = BEFORE_STATUS.iter().any(|known| word.ends_with(known));
        let in_front = text.get(at + 3..).is_some_and(|rest| rest.starts_with(" status"));
        let in_parentheses = before.ends_with('(') && bytes.get(at + 3) == Some(&b')');
        (word.is_empty() || behind_word || in_front || in_parentheses).then_some(status)
    })
}

/// Returns the message of an error that Python printed as a dictionary.
fn python_message(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("'message': ")?;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let rest = rest.get(1..)?;
    let end = rest
        .find(&format!("{quote}, '"))
        .or_else(|| rest.find(&format!("{quote}}}")));
    rest.get(..end?)
}

/// Returns the title of a web page, or the message of an XML error.
fn title(page: &str) -> &str {
    let lower = page.to_ascii_lowercase();
    let found = |tag: &str| {
        let start = lower.find(tag)? + tag.len();
        let end = start + lower.get(start..)?.find('<')?;
        page.get(start..end)
    };
    ["<title>", "<message>", "<h1>", "<h2>"]
        .into_iter()
        .find_map(found)
        .unwrap_or("a web page, not an answer of the API")
}

fn on_one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_ascii_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > MAX_MESSAGE {
            line.truncate(head(&line, MAX_MESSAGE).len());
            line.push('…');
            break;
        }
    }
    line
}
