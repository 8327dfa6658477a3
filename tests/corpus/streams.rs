//! Judges the rows of `streams.json`: `{ id, file, api, stream, status, headers, expectedText?,
//! expectedOutcome }`. The outcome is `complete`, `incomplete-max-tokens`, `content-filter` or
//! `error`.

use std::fs;
use std::path::Path;

use copilot_keyless::answer::model::{End, Format, Reader};
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
    let format = match text(row, "api") {
        "responses" => Format::Responses,
        "messages" => Format::Messages,
        _ => Format::Completions,
    };
    // The library treats a reached output limit as a regular end.
    let expected_outcome = match text(row, "expectedOutcome") {
        "incomplete-max-tokens" => "complete",
        outcome => outcome,
    };
    for size in PIECES {
        let (answer, outcome) = replay(format, &bytes, size);
        if outcome != expected_outcome {
            return Judgement::wrong(expected_outcome, outcome);
        }
        if let Some(expected) = row.get("expectedText").and_then(Value::as_str)
            && answer != expected
        {
            return Judgement::wrong(format!("{expected:?}"), format!("{answer:?}"));
        }
    }
    Judgement::Right
}

fn replay(format: Format, bytes: &[u8], size: usize) -> (String, &'static str) {
    let mut reader = Reader::new(format);
    let mut answer = String::new();
    for piece in bytes.chunks(size.min(bytes.len().max(1))) {
        let part = reader.push(piece);
        answer.push_str(&part.text);
        let outcome = match part.end {
            None => continue,
            Some(End::Complete) => "complete",
            Some(End::Unreadable) => "unreadable",
            Some(End::Failed { event }) => {
                let event = event.expose();
                outcome_of(status_of_event(event), event)
            }
        };
        return (answer, outcome);
    }
    (answer, "no end")
}

/// Judges an answer that came as a whole, as a refusal does and the answer to a probe.
pub(crate) fn whole(folder: &Path, row: &Value) -> Judgement {
    if row.get("stream") == Some(&Value::Bool(true)) && status(row) == 200 {
        return Judgement::NotJudged;
    }
    let Ok(body) = fs::read_to_string(folder.join(text(row, "file"))) else {
        return Judgement::wrong("a file", "none");
    };
    let expected = match text(row, "expectedOutcome") {
        "incomplete-max-tokens" => "complete",
        outcome => outcome,
    };
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
