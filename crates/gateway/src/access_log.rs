//! The access log: an entry a request, without query, body, key or token.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use serde::Serialize;

use crate::clock;
use crate::failure::one_line;
use crate::settings::Log;

/// How many lines may wait for standard error.
const WAITING: usize = 8_192;

/// An entry, as `--json` prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// When the request arrived, in epoch milliseconds.
    pub(crate) at: i64,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The status that the client received; 0 if it left before.
    pub(crate) status: u16,
    pub(crate) repeated: bool,
    pub(crate) outcome: Outcome,
    pub(crate) duration_ms: u64,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) traceparent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backend: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) failed: Vec<FailedAttempt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) streamed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_byte_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage: Option<Usage>,
}

/// A request to a backend that failed, and was sent to another one.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FailedAttempt {
    pub(crate) backend: String,
    /// The status of its answer; 0 if there was none.
    pub(crate) status: u16,
}

/// The tokens that an answer says it used.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Answered,
    ClientLeft,
    UpstreamBroke,
}

impl Entry {
    /// Begins the entry of a request that has just arrived.
    pub(crate) fn begin(method: &str, path: &str, traceparent: Option<&str>, key: &str) -> Self {
        Self {
            at: clock::wall(),
            method: method.to_owned(),
            path: path.replace(key, "[redacted]"),
            status: 0,
            repeated: false,
            outcome: Outcome::Answered,
            duration_ms: 0,
            request_bytes: 0,
            response_bytes: 0,
            // A header that is none could be anything, also a key.
            traceparent: traceparent
                .filter(|value| is_traceparent(value))
                .map(str::to_owned),
            code: None,
            backend: None,
            failed: Vec::new(),
            operation: None,
            model: None,
            streamed: None,
            first_byte_ms: None,
            usage: None,
        }
    }

    fn text(&self) -> String {
        let status = self.status;
        let mut notes = vec![
            self.method.clone(),
            self.path.clone(),
            status.to_string(),
            format!("{} ms", self.duration_ms),
        ];
        notes.extend(self.code.clone());
        notes.extend(self.backend.clone());
        notes.extend(self.failed.iter().map(|one| match one.status {
            0 => format!("not {} (no answer)", one.backend),
            status => format!("not {} ({status})", one.backend),
        }));
        notes.extend(self.repeated.then(|| "repeated".to_owned()));
        notes.extend(match self.outcome {
            Outcome::Answered => None,
            Outcome::ClientLeft => Some("client-left".to_owned()),
            Outcome::UpstreamBroke => Some("upstream-broke".to_owned()),
        });
        one_line(&notes.join(" "))
    }
}

/// W3C Trace Context, version 00; later versions begin alike.
fn is_traceparent(value: &str) -> bool {
    let is_hex = |part: &str, length: usize| {
        part.len() == length
            && part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let is_zero = |part: &str| part.bytes().all(|byte| byte == b'0');
    match value.split('-').collect::<Vec<_>>().as_slice() {
        [version, trace, span, flags] => {
            is_hex(version, 2)
                && *version != "ff"
                && is_hex(trace, 32)
                && !is_zero(trace)
                && is_hex(span, 16)
                && !is_zero(span)
                && is_hex(flags, 2)
        }
        _ => false,
    }
}

/// Writes entries to standard error, in a thread of its own: a reader that stalls must not stop
/// requests before many lines wait.
pub(crate) struct AccessLog {
    lines: Option<SyncSender<String>>,
    writer: Option<JoinHandle<()>>,
}

impl AccessLog {
    pub(crate) fn start() -> Self {
        let (lines, waiting) = sync_channel(WAITING);
        Self {
            lines: Some(lines),
            writer: std::thread::Builder::new()
                .name("log".to_owned())
                .spawn(move || write_lines(&waiting))
                .ok(),
        }
    }

    /// Logs an entry in a form.
    pub(crate) fn log(&self, entry: &Entry, form: Log) {
        let line = match form {
            Log::None => return,
            Log::Text => entry.text(),
            Log::Json => serde_json::to_string(entry).unwrap_or_default(),
        };
        self.line(line);
    }

    /// Writes a line.
    pub(crate) fn line(&self, line: String) {
        if let Some(lines) = &self.lines {
            // Fails only if the thread has ended.
            let _ = lines.send(line);
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn write_lines(waiting: &Receiver<String>) {
    let mut stderr = std::io::stderr();
    while let Ok(mut text) = waiting.recv() {
        text.push('\n');
        while text.len() < 64 * 1024
            && let Ok(line) = waiting.try_recv()
        {
            text.push_str(&line);
            text.push('\n');
        }
        let _ = stderr.write_all(text.as_bytes());
    }
}
