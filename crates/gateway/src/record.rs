//! What is known of a request until its answer is complete: its entry of the log, and the places and
//! the memory that it takes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use copilot_keyless::gateway::Usage as Tokens;
use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use tokio::time::Instant;

use crate::access_log::{Entry, Outcome, Usage};
use crate::attempts::Attempts;
use crate::gateway::{Gateway, Setup};
use crate::headers::text;
use crate::settings::Log;
use crate::socket::BusyGuard;

/// The last event of every API fits in.
const TAIL_BYTES: usize = 32 * 1024;
/// The first event of Anthropic's streams fits in, which may alone count the input.
const HEAD_BYTES: usize = 2 * 1024;

/// A request, until its answer is complete or its client has left.
pub(crate) struct Record {
    pub(crate) entry: Entry,
    pub(crate) started: Instant,
    pub(crate) request_bytes: Arc<AtomicU64>,
    /// The backends that are asked, where there are several.
    pub(crate) attempts: Option<Attempts>,
    /// Whether the answer is complete.
    pub(crate) is_complete: bool,
    pub(crate) setup: Arc<Setup>,
    /// Taken while the request is forwarded.
    pub(crate) place: Option<Place>,
    tail: Option<Tail>,
    gateway: Arc<Gateway>,
    _busy: BusyGuard,
}

impl Record {
    pub(crate) fn new(gateway: Arc<Gateway>, setup: Arc<Setup>, entry: Entry, busy: BusyGuard) -> Self {
        Self {
            entry,
            started: Instant::now(),
            request_bytes: Arc::default(),
            attempts: None,
            is_complete: false,
            setup,
            place: None,
            tail: None,
            gateway,
            _busy: busy,
        }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes of a model's answer whether it is a stream, and begins to read its end, unless it is
    /// compressed.
    pub(crate) fn note_answer(&mut self, headers: &HeaderMap) {
        if self.entry.operation.is_none() {
            return;
        }
        let kind = text(headers, CONTENT_TYPE)
            .unwrap_or_default()
            .to_ascii_lowercase();
        self.entry.streamed = Some(kind.split(';').next().map(str::trim) == Some("text/event-stream"));
        if !headers.contains_key(CONTENT_ENCODING) {
            self.tail = Some(Tail::default());
        }
    }

    /// Notes a piece of the answer.
    pub(crate) fn note_chunk(&mut self, chunk: &Bytes) {
        if self.entry.first_byte_ms.is_none() {
            self.entry.first_byte_ms = Some(self.elapsed_ms());
        }
        self.entry.response_bytes += chunk.len() as u64;
        if let Some(tail) = &mut self.tail {
            tail.add(chunk);
        }
        if let Some(attempts) = &mut self.attempts
            && attempts.makes_ids()
        {
            attempts.read(chunk);
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.is_complete && self.entry.outcome == Outcome::Answered {
            self.entry.outcome = Outcome::ClientLeft;
        }
        if let Some(attempts) = &mut self.attempts {
            self.entry.failed = std::mem::take(&mut attempts.failed);
        }
        let form = self.setup.log;
        if form == Log::None {
            return;
        }
        self.entry.duration_ms = self.elapsed_ms();
        self.entry.request_bytes = self.request_bytes.load(Ordering::Relaxed);
        self.entry.usage = self.tail.as_ref().and_then(Tail::usage);
        self.gateway.log.log(&self.entry, form);
    }
}

/// The beginning and the end of an answer, which say how many tokens it used.
#[derive(Default)]
struct Tail {
    /// The first bytes, once they are not among the chunks any more.
    head: Vec<u8>,
    chunks: VecDeque<Bytes>,
    bytes: usize,
}

impl Tail {
    fn add(&mut self, chunk: &Bytes) {
        self.bytes += chunk.len();
        self.chunks.push_back(chunk.clone());
        while let Some(first) = self.chunks.front()
            && self.bytes - first.len() >= TAIL_BYTES
        {
            self.bytes -= first.len();
            if self.head.is_empty() {
                self.head.extend(first.iter().take(HEAD_BYTES));
            }
            self.chunks.pop_front();
        }
    }

    fn usage(&self) -> Option<Usage> {
        let all: Vec<u8> = self.chunks.iter().flatten().copied().collect();
        let end_at = all.len().saturating_sub(TAIL_BYTES);
        let head = if self.head.is_empty() {
            all.get(..end_at.min(HEAD_BYTES))?
        } else {
            &self.head
        };
        let text = [head, all.get(end_at..)?].concat();
        let Tokens {
            input_tokens,
            output_tokens,
        } = Tokens::of(&String::from_utf8_lossy(&text))?;
        Some(Usage {
            input_tokens,
            output_tokens,
        })
    }
}

/// A place among the requests that are forwarded at once.
pub(crate) struct Place(Arc<AtomicUsize>);

impl Place {
    /// Takes a place, if one of so many is free.
    pub(crate) fn take(taken: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let free = |taken| (taken < most).then_some(taken + 1);
        taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, free)
            .ok()?;
        Some(Self(Arc::clone(taken)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
