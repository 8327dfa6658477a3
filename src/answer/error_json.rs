//! Reads the error in a JSON value of any form: its message, codes, parameter and status.

use super::redact::redact;
use crate::text::json_walk::walk;

/// Objects that hold an error. Everything else, such as the instructions of a failed response, may
/// quote a prompt.
const ENVELOPES: [&str; 8] = [
    "error",
    "errors",
    "innererror",
    "inner_error",
    "response",
    "details",
    "detail",
    "fault",
];

/// The most objects and lists around the fields of an error. Real errors have fewer than ten.
const MAX_DEPTH: usize = 16;

/// The most codes to keep. Real errors have fewer than ten.
const MAX_CODES: usize = 32;

/// The fields of a message.
const MESSAGES: [&str; 5] = ["message", "Message", "error_description", "detail", "msg"];

/// The other fields of an error.
const FIELDS: [&str; 11] = [
    "code",
    "Code",
    "type",
    "errorCode",
    "error_code",
    "statusCode",
    "status",
    "param",
    "error",
    "finish_reason",
    "reason",
];

/// The error in a JSON value.
#[derive(Default)]
pub(super) struct Found {
    /// The first message of the error, else the first message anywhere.
    pub(super) message: Option<String>,
    /// An `error` that is a text: often only a code, such as Entra's `invalid_client`.
    pub(super) error: Option<String>,
    pub(super) codes: Vec<String>,
    pub(super) parameter: Option<String>,
    /// The codes and messages.
    pub(super) said: String,
    /// The status that a code or status field holds.
    pub(super) status: Option<u16>,
    /// Whether it holds an error, and not only names that errors use, too.
    pub(super) is_error: bool,
    /// Whether the body is JSON, rather than a text with JSON in it.
    pub(super) is_whole: bool,
}

impl Found {
    pub(super) fn has_error(&self) -> bool {
        !self.said.is_empty()
    }

    fn code(&mut self, text: &str) {
        if self.codes.len() < MAX_CODES && !self.has_code(text) {
            self.codes.push(text.to_ascii_lowercase());
        }
        self.say(text);
    }

    fn has_code(&self, text: &str) -> bool {
        self.codes.iter().any(|known| known.eq_ignore_ascii_case(text))
    }

    fn say(&mut self, text: &str) {
        self.said.push_str(text);
        self.said.push('\n');
    }
}

/// Reads the JSON value that starts at `start`, and replaces the token in its texts. Truncated JSON
/// counts up to its end.
pub(super) fn read(body: &str, start: usize, token: &str) -> Found {
    let mut found = Found::default();
    let mut elsewhere = None;
    let json = body.get(start..).unwrap_or_default();
    let complete = walk(json, &mut |path, text| {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        if text.trim().is_empty() {
            return;
        }
        let is_message = MESSAGES.contains(&name);
        if !is_message && !FIELDS.contains(&name) {
            found.is_error = found.is_error || (path.contains("error") && is_envelope(parent));
            return;
        }
        // Decoded, the text may hold a token that was escaped in the body.
        let text = redact(text, token, usize::MAX);
        let text = text.as_str();
        if !is_envelope(parent) {
            match name {
                "finish_reason" if text == "content_filter" && parent.starts_with("choices.") => {
                    found.is_error = true;
                    found.code(text);
                }
                "reason" if text == "content_filter" && parent.ends_with("incomplete_details") => {
                    found.is_error = true;
                    found.code(text);
                }
                _ if is_message && elsewhere.is_none() => elsewhere = Some(text.to_owned()),
                _ => {}
            }
            return;
        }
        let in_error = path.contains("error") || (name == "type" && text.ends_with("failed"));
        found.is_error |= in_error || (path == "type" && text == "error");
        match name {
            _ if is_message => {
                found.message.get_or_insert_with(|| text.to_owned());
                found.say(text);
            }
            "code" | "Code" | "type" | "errorCode" | "error_code" => {
                found.code(text);
                found.status = found.status.or_else(|| status(text));
            }
            "statusCode" | "status" => found.status = found.status.or_else(|| status(text)),
            "param" => found.parameter = Some(text.to_ascii_lowercase()),
            "error" => {
                found.error.get_or_insert_with(|| text.to_owned());
                found.code(text);
            }
            _ => {}
        }
    });
    found.message = found.message.or(elsewhere);
    found.is_whole = complete && matches!(body.get(..start), Some("" | "["));
    found
}

/// Whether a path leads through nothing but objects and lists that hold an error.
fn is_envelope(path: &str) -> bool {
    let mut names = path.split('.');
    let are_envelopes = names
        .by_ref()
        .take(MAX_DEPTH)
        .all(|name| name.bytes().all(|byte| byte.is_ascii_digit()) || ENVELOPES.contains(&name));
    are_envelopes && names.next().is_none()
}

/// Reads a status of failure.
pub(super) fn status(text: &str) -> Option<u16> {
    text.parse().ok().filter(|status| (400..600).contains(status))
}
