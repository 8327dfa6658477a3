//! The backends that one request asks, one after another, where there are several.

use std::sync::Arc;

use bytes::Bytes;
use copilot_keyless::gateway::{
    AnswerReader, Choice, Incoming, Outcome, Refusal, Wanted, asks_next, pause_asked,
};
use hyper::HeaderMap;

use crate::access_log::FailedAttempt;
use crate::backend::{Backend, Backends};
use crate::clock;
use crate::headers::pairs;

/// Why no backend can be asked.
pub(crate) struct NoBackend {
    pub(crate) refusal: Refusal,
    pub(crate) retry_after_ms: Option<u32>,
}

/// The backends that one request asks.
pub(crate) struct Attempts {
    backends: Arc<Backends>,
    /// Where the request goes in each.
    routes: Vec<Option<String>>,
    wanted: Wanted,
    repeatable: bool,
    is_safe: bool,
    /// The positions of backends that lack the path or were asked.
    excluded: Vec<usize>,
    current: Option<usize>,
    sent: i64,
    is_reported: bool,
    reader: AnswerReader,
    pub(crate) failed: Vec<FailedAttempt>,
}

impl Attempts {
    /// `body`: as far as it is there, decompressed; `is_whole`: whether that is all.
    pub(crate) fn new(
        backends: Arc<Backends>,
        request: Incoming<'_>,
        body: &Bytes,
        is_whole: bool,
        is_turn: bool,
    ) -> Self {
        let routes = backends.routes(request);
        let excluded = routes.iter().enumerate().filter(|(_, route)| route.is_none());
        Self {
            excluded: excluded.map(|(at, _)| at).collect(),
            wanted: Wanted::read(request.target, body),
            routes,
            repeatable: is_whole,
            is_safe: is_turn || matches!(request.method, "GET" | "HEAD"),
            current: None,
            sent: 0,
            is_reported: false,
            reader: AnswerReader::default(),
            failed: Vec::new(),
            backends,
        }
    }

    /// The backend to ask, and where the request goes there.
    pub(crate) fn current(&self) -> Option<(Arc<Backend>, String)> {
        let at = self.current?;
        let backend = self.backends.all.get(at)?;
        Some((Arc::clone(backend), self.routes.get(at)?.clone()?))
    }

    /// Whether the answer has ids to remember: it must not be compressed.
    pub(crate) fn makes_ids(&self) -> bool {
        self.wanted.makes_ids()
    }

    /// Chooses the first backend.
    pub(crate) fn start(&mut self) -> Result<(), NoBackend> {
        let refused = |refusal| NoBackend {
            refusal,
            retry_after_ms: None,
        };
        match self.choose(true) {
            Choice::Ask(_) => Ok(()),
            Choice::Wait(ms) => Err(NoBackend {
                retry_after_ms: Some(ms),
                ..refused(Refusal::Quota)
            }),
            Choice::UnknownModel => Err(refused(Refusal::UnknownModel)),
            Choice::Exhausted => Err(refused(Refusal::UnknownPath)),
        }
    }

    /// Notes an answer. Returns true if another backend is to be asked, which is the current one then.
    /// Otherwise the answer is the client's.
    pub(crate) fn answered(&mut self, status: u16, headers: &HeaderMap) -> bool {
        let outcome = Outcome::Answered {
            status,
            retry_after_ms: pause_asked(&pairs(headers), clock::wall()),
        };
        self.report(outcome)
    }

    /// The same for any outcome.
    pub(crate) fn report(&mut self, outcome: Outcome) -> bool {
        let Some(at) = self.current else { return false };
        self.is_reported = true;
        let asks_next = {
            let Some(mut pool) = self.backends.pool() else {
                return false;
            };
            let is_lost = pool.is_lost(&self.wanted);
            pool.report(
                at,
                &self.wanted,
                outcome,
                self.sent,
                clock::monotonic(),
                fastrand::f64(),
            );
            asks_next(outcome, self.repeatable, self.is_safe, is_lost)
        };
        if !asks_next {
            return false;
        }
        self.excluded.push(at);
        if !matches!(self.choose(false), Choice::Ask(_)) {
            return false;
        }
        if let Some(mut pool) = self.backends.pool() {
            pool.finish(at);
        }
        let status = match outcome {
            Outcome::Answered { status, .. } => status,
            _ => 0,
        };
        self.failed
            .extend(self.backends.all.get(at).map(|backend| FailedAttempt {
                backend: backend.name.clone(),
                status,
            }));
        true
    }

    /// Remembers the ids in a piece of the answer.
    pub(crate) fn read(&mut self, chunk: &[u8]) {
        if let (Some(at), Some(mut pool)) = (self.current, self.backends.pool()) {
            pool.read_answer(at, &mut self.reader, chunk);
        }
    }

    fn choose(&mut self, is_first: bool) -> Choice {
        let now = clock::monotonic();
        let Some(mut pool) = self.backends.pool() else {
            return Choice::Exhausted;
        };
        let choice = pool.choose(&self.wanted, &self.excluded, is_first, now, fastrand::f64());
        drop(pool);
        if let Choice::Ask(at) = choice {
            self.current = Some(at);
            self.sent = now;
            self.is_reported = false;
        }
        choice
    }
}

/// The request is over. Nothing is known of a backend whose answer was not waited for.
impl Drop for Attempts {
    fn drop(&mut self) {
        let Some(at) = self.current else { return };
        if !self.is_reported {
            self.report(Outcome::Left);
        }
        if let Some(mut pool) = self.backends.pool() {
            pool.finish(at);
        }
    }
}
