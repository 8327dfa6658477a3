//! Judges the rows of `streams.json`: `{ id, file, api, stream, status, headers, expectedText?,
//! expectedOutcome }`. The outcome is `complete`, `incomplete-max-tokens`, `content-filter` or
//! `error`.

use std::fs;
use std::path::Path;

use copilot_keyless::answer::model::{End, Format, Part, Reader, read_whole};
use copilot_keyless::diagnosis::{DiagnosisCode, FailedRequest, diagnose, status_of_event};
use serde_json::Value;

use crate::{Judgement, text};

/// Sizes of the pieces that a stream arrives in, in bytes. The last is a whole one.
const PIECES: [usize; 6] = [1, 2, 3, 7, 61, usize::MAX];

/// Judges a stream: its text and outcome, in pieces of several sizes.
pub(crate) fn stream(folder: &Path, row: &Value) -> Judgement {
    if row.get("stream") != Some(&Value::Bool(true)) || status(row) != 200 {
        return Judgement::NotJudged;
    }
    let Ok(bytes) = fs::read(folder.join(text(row, "file"))) else {
        return Judgement::wrong("a file", "none");
    };
    for size in PIECES {
        let judgement = judge(row, &replay(format(row), &bytes, size));
        if judgement != Judgement::Right {
            return judgement;
        }
    }
    Judgement::Right
}

fn format(row: &Value) -> Format {
    match text(row, "api") {
        "responses" => Format::Responses,
        "messages" => Format::Messages,
        _ => Format::Completions,
    }
}

/// Judges what was read: the outcome and the text.
fn judge(row: &Value, read: &Part) -> Judgement {
    let outcome = match &read.end {
        Some(End::Complete) => "complete",
        Some(End::Truncated) => "incomplete-max-tokens",
        Some(End::Failed { event }) => outcome_of(status_of_event(event.expose()), event.expose()),
        Some(End::Unreadable) => "unreadable",
        None => "no end",
    };
    let expected = text(row, "expectedOutcome");
    if outcome != expected {
        return Judgement::wrong(expected, outcome);
    }
    match row.get("expectedText").and_then(Value::as_str) {
        Some(expected) if read.text != expected => {
            Judgement::wrong(format!("{expected:?}"), format!("{:?}", read.text))
        }
        _ => Judgement::Right,
    }
}

fn replay(format: Format, bytes: &[u8], size: usize) -> Part {
    let mut reader = Reader::new(format);
    let mut read = Part::default();
    for piece in bytes.chunks(size.min(bytes.len().max(1))) {
        let part = reader.push(piece);
        read.text.push_str(&part.text);
        read.end = part.end;
        if read.end.is_some() {
            return read;
        }
    }
    let last = reader.finish();
    read.text.push_str(&last.text);
    read.end = last.end;
    read
}

/// Judges an answer that came as a whole: a refusal, or a model's answer.
pub(crate) fn whole(folder: &Path, row: &Value) -> Judgement {
    if row.get("stream") == Some(&Value::Bool(true)) && status(row) == 200 {
        return Judgement::NotJudged;
    }
    let Ok(body) = fs::read_to_string(folder.join(text(row, "file"))) else {
        return Judgement::wrong("a file", "none");
    };
    if status(row) == 200 {
        return judge(row, &read_whole(format(row), &body));
    }
    let expected = text(row, "expectedOutcome");
    let found = outcome_of(status(row), &body);
    if found == expected {
        Judgement::Right
    } else {
        Judgement::wrong(expected, found)
    }
}

fn outcome_of(status: u16, body: &str) -> &'static str {
    let found = diagnose(&FailedRequest {
        status,
        body: Some(body.into()),
        ..FailedRequest::default()
    });
    match found.code {
        DiagnosisCode::Ok => "complete",
        DiagnosisCode::ContentFilter => "content-filter",
        _ => "error",
    }
}

fn status(row: &Value) -> u16 {
    let status = row.get("status").and_then(Value::as_u64).unwrap_or_default();
    u16::try_from(status).unwrap_or_default()
}
