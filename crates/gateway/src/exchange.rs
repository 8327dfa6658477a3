//! One request of a client, and its answer.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use copilot_keyless::Secret;
use copilot_keyless::gateway::{
    Admission, Answer, Dialect, Incoming as Asked, Outcome, Refusal, Verdict, Wanted, judge, needs_reading,
    operation, repeats_broken_connection,
};
use copilot_keyless::token::challenge;
use copilot_keyless_tokio::Token;
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HOST, HeaderValue, WWW_AUTHENTICATE,
};
use hyper::{HeaderMap, Method, Request, Response, Uri, Version};
use tokio::time::Instant;

use crate::access_log::Entry;
use crate::answer::{AnswerBody, Own, pass};
use crate::attempts::Attempts;
use crate::backend::Backend;
use crate::decompress::decompressed;
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::headers::{dropped, for_diagnosis, pairs, text};
use crate::record::Record;
use crate::request_body::{Received, Unread, receive};
use crate::settings::Log;
use crate::socket::Busy;
use crate::upstream::{NoAnswer, Reason};

/// How much of the body of an error is read. Azure's are smaller than 4 KiB.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The largest body that is decompressed to be read.
const MAX_READ: u64 = 32 * 1024 * 1024;

/// Clients name the model first, or at least early.
const MODEL_WITHIN_BYTES: usize = 16 * 1024;

/// Answers a request.
pub(crate) async fn answer(
    gateway: Arc<Gateway>,
    busy: Busy,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    let setup = gateway.setup();
    let (mut parts, body) = request.into_parts();
    let target = target_of(&parts.uri);
    let mut record = Box::new(Record::new(
        Arc::clone(&gateway),
        Arc::clone(&setup),
        entry(&parts.method, &target, &parts.headers, setup.key.expose()),
        busy.enter(),
    ));
    // RFC 9112, section 3.2: hyper does not check it.
    if parts.version == Version::HTTP_11 && !parts.headers.contains_key(HOST) {
        return Own::empty(400).into_response(record, true);
    }
    let all = pairs(&parts.headers);
    let asked = Asked {
        method: parts.method.as_str(),
        target: &target,
        headers: &all,
    };
    let closes = !body.is_end_stream();
    let (at, admission) = setup.backends.admit(asked);
    let forward = match admission {
        Admission::Health => return Own::ok(r#"{"status":"ok"}"#).into_response(record, closes),
        Admission::Empty => return Own::ok("").into_response(record, closes),
        Admission::Refuse(refusal, dialect) => {
            return Own::refusal(refusal, dialect).into_response(record, closes);
        }
        Admission::Forward(forward) => forward,
    };
    let dialect = forward.dialect;
    let place = match gateway.place(&setup) {
        Ok(place) => place,
        Err(refusal) => return Own::refusal(refusal, dialect).into_response(record, closes),
    };
    record.place = Some(place);
    let limits = setup.limits;
    let until = record.started + Duration::from_millis(limits.request_ms);
    let size = Arc::clone(&record.request_bytes);
    let received = match receive(body, &gateway.budget, limits.max_body_bytes, size, until).await {
        Ok(received) => received,
        Err(Unread::TooLarge) => {
            return Own::refusal(Refusal::BodyTooLarge, dialect).into_response(record, true);
        }
        Err(Unread::Late) => return Own::empty(408).into_response(record, true),
        // Its client has left, or sends no body that can be read.
        Err(Unread::Broken) => return Own::empty(400).into_response(record, true),
    };
    if setup.log != Log::None {
        note_request(&mut record.entry, &target, received.chunks.first());
    }
    if setup.backends.all.len() > 1 {
        let encoding = text(&parts.headers, CONTENT_ENCODING);
        let bytes = decompressed(&received.joined(), encoding, MAX_READ);
        let backends = Arc::clone(&setup.backends);
        let mut attempts = Attempts::new(backends, asked, &bytes, received.is_whole, forward.is_turn);
        if let Err(none) = attempts.start() {
            let own = Own {
                retry_after_ms: none.retry_after_ms,
                ..Own::refusal(none.refusal, dialect)
            };
            return own.into_response(record, !received.is_whole);
        }
        record.attempts = Some(attempts);
    }
    let left_out = dropped(&all, &forward.headers);
    let (target, is_turn) = (forward.target, forward.is_turn);
    for name in left_out {
        parts.headers.remove(name);
    }
    let exchange = Exchange {
        record,
        method: parts.method,
        headers: parts.headers,
        dialect,
        is_turn,
        body: received,
        until,
    };
    let first = setup.backends.all.get(at).map(Arc::clone);
    exchange.run(first, target).await
}

/// A request that is forwarded.
struct Exchange {
    record: Box<Record>,
    method: Method,
    /// Those that the resource gets.
    headers: HeaderMap,
    dialect: Dialect,
    is_turn: bool,
    body: Received,
    until: Instant,
}

/// What a backend leads to.
enum Step {
    /// Pass its answer on: what was read of the body, and the rest.
    Pass(Response<Incoming>, Vec<Bytes>),
    Own(Own),
    /// Ask the next backend.
    Next,
}

impl Exchange {
    async fn run(mut self, first: Option<Arc<Backend>>, target: String) -> Response<AnswerBody> {
        let mut next = first.map(|backend| (backend, target));
        loop {
            if let Some(attempts) = &self.record.attempts {
                next = attempts.current();
                self.record.entry.backend = next.as_ref().map(|(backend, _)| backend.name.clone());
            }
            let step = match &next {
                Some((backend, target)) => self.ask(backend, target).await,
                None => Step::Own(Own::refusal(Refusal::UnknownPath, self.dialect)),
            };
            match step {
                Step::Pass(answer, read) => return pass(answer, read, self.record),
                Step::Own(own) => return own.into_response(self.record, !self.body.is_whole),
                Step::Next => {}
            }
        }
    }

    /// Sends the request to a backend, at most twice.
    async fn ask(&mut self, backend: &Backend, target: &str) -> Step {
        let mut token = None;
        if let Some(tokens) = &backend.tokens {
            match tokens.token().await {
                Ok(acquired) => token = Some(acquired),
                Err(failure) => return self.has_no_token(failure),
            }
        }
        let mut is_renewed = false;
        let mut is_reconnected = false;
        loop {
            self.record.entry.repeated |= is_renewed || is_reconnected;
            let headers = self.headers_for(backend, token.as_ref());
            let body = self
                .body
                .sent(self.record.setup.limits.max_body_bytes, self.until);
            let sent = backend
                .upstream
                .send(self.method.clone(), target, headers, body)
                .await;
            let answer = match sent {
                Ok(answer) => answer,
                Err(none) => {
                    if repeats_broken_connection(none.reused, self.body.is_whole, is_reconnected) {
                        is_reconnected = true;
                        continue;
                    }
                    return self.has_no_answer(backend, &none);
                }
            };
            let status = answer.status().as_u16();
            if let (Some(tokens), Some(token), true) = (&backend.tokens, &token, status < 300) {
                tokens.accept(token);
            }
            if !answer.status().is_redirection() && !needs_reading(status) {
                if self.fails(status, answer.headers()) {
                    return Step::Next;
                }
                return Step::Pass(answer, Vec::new());
            }
            let (answer, read) = match self.peek(answer, needs_reading(status)).await {
                Ok(read) => read,
                Err(message) => return self.has_no_answer(backend, &NoAnswer::broken(message)),
            };
            let (verdict, failure) = self.judge(backend, &answer, &read, token.as_ref(), is_renewed);
            let renews = matches!(
                verdict,
                Verdict::Renew | Verdict::Challenge | Verdict::RetryByClient
            );
            if !renews && self.fails(status, answer.headers()) {
                return Step::Next;
            }
            match verdict {
                Verdict::Pass => return Step::Pass(answer, read),
                Verdict::Redirect => return Step::Own(Own::refusal(Refusal::Redirect, self.dialect)),
                Verdict::Explain => return Step::Own(Own::explanation(self.dialect, 400, failure)),
                Verdict::Renew | Verdict::Challenge | Verdict::RetryByClient => {}
            }
            let asked = text(answer.headers(), WWW_AUTHENTICATE);
            if let (Some(tokens), Some(rejected)) = (&backend.tokens, &token) {
                match tokens.renew(rejected, verdict, asked).await {
                    Ok(renewed) => token = Some(renewed),
                    Err(failure) => return self.has_no_token(failure),
                }
            }
            if verdict == Verdict::RetryByClient {
                return Step::Own(Own::explanation(self.dialect, 503, failure));
            }
            is_renewed = true;
        }
    }

    /// The headers for a backend.
    fn headers_for(&self, backend: &Backend, token: Option<&Token>) -> HeaderMap {
        let mut headers = self.headers.clone();
        for (name, value) in &backend.headers {
            headers.append(name, value.clone());
        }
        // The ids of a compressed answer could not be read.
        if self.record.attempts.as_ref().is_some_and(Attempts::makes_ids) {
            headers.remove(ACCEPT_ENCODING);
        }
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, token.header_value());
        }
        let is_empty = self.body.is_whole && self.body.chunks.is_empty();
        if is_empty && matches!(self.method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
        }
        headers
    }

    /// Notes an answer. Returns true if another backend is to be asked.
    fn fails(&mut self, status: u16, headers: &HeaderMap) -> bool {
        let attempts = self.record.attempts.as_mut();
        attempts.is_some_and(|attempts| attempts.answered(status, headers))
    }

    fn reports(&mut self, outcome: Outcome) -> bool {
        let attempts = self.record.attempts.as_mut();
        attempts.is_some_and(|attempts| attempts.report(outcome))
    }

    /// 400 if the client should not ask again, because it would hide the message of a 401 and repeat a
    /// 503.
    fn has_no_token(&mut self, failure: Failure) -> Step {
        let (outcome, status) = if failure.retryable {
            (Outcome::Unreachable, 503)
        } else {
            (Outcome::Left, 400)
        };
        if self.reports(outcome) {
            return Step::Next;
        }
        Step::Own(Own::explanation(self.dialect, status, failure))
    }

    fn has_no_answer(&mut self, backend: &Backend, none: &NoAnswer) -> Step {
        let outcome = match (none.reason, none.connected) {
            // It is not the backend's fault.
            (Reason::Client | Reason::TooLarge, _) => Outcome::Left,
            (_, true) => Outcome::Broke,
            (_, false) => Outcome::Unreachable,
        };
        if self.reports(outcome) {
            return Step::Next;
        }
        Step::Own(match none.reason {
            Reason::Timeout => Own::refusal(Refusal::Timeout, self.dialect),
            Reason::TooLarge => Own::refusal(Refusal::BodyTooLarge, self.dialect),
            Reason::Client => Own::empty(408),
            Reason::Network => {
                let diagnosis =
                    backend.diagnose(0, copilot_keyless::Headers::new(), none.message.clone(), None);
                Own::explanation(self.dialect, 502, Failure::of_diagnosis(&diagnosis))
            }
        })
    }

    /// Reads the start of a body, and leaves the rest in the answer.
    async fn peek(
        &self,
        mut answer: Response<Incoming>,
        is_read: bool,
    ) -> Result<(Response<Incoming>, Vec<Bytes>), &'static str> {
        let mut read = Vec::new();
        let mut size = 0;
        let idle = self.record.setup.limits.idle();
        while is_read && size <= MAX_ERROR_BYTES && !answer.body().is_end_stream() {
            let frame = std::future::poll_fn(|cx| Pin::new(answer.body_mut()).poll_frame(cx));
            let frame = tokio::time::timeout(idle, frame)
                .await
                .map_err(|_| "the resource fell silent within its answer (ETIMEDOUT)")?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|_| "the answer broke off (ECONNRESET)")?;
            if let Ok(bytes) = frame.into_data() {
                size += bytes.len();
                read.push(bytes);
            }
        }
        Ok((answer, read))
    }

    /// Decides what to do with an answer that is no success, and explains it.
    fn judge(
        &self,
        backend: &Backend,
        answer: &Response<Incoming>,
        read: &[Bytes],
        token: Option<&Token>,
        repeated: bool,
    ) -> (Verdict, Failure) {
        let headers = answer.headers();
        let status = answer.status().as_u16();
        let bytes = Bytes::from(read.concat());
        let most = 16 * MAX_ERROR_BYTES as u64;
        let body = decompressed(&bytes, text(headers, CONTENT_ENCODING), most);
        let secret = token.map(|token| Secret::from(token.secret()));
        let body = String::from_utf8_lossy(&body).into_owned();
        let diagnosis = backend.diagnose(status, for_diagnosis(headers), body, secret);
        let claims = || challenge::parse(text(headers, WWW_AUTHENTICATE)?).claims;
        let verdict = judge(Answer {
            status,
            code: diagnosis.code.as_str(),
            token_rejected: diagnosis.token_rejected,
            claims: status == 401 && claims().is_some(),
            is_turn: self.is_turn,
            repeatable: self.body.is_whole,
            repeated,
        });
        (verdict, Failure::of_diagnosis(&diagnosis))
    }
}

/// The target as the client sent it.
fn target_of(uri: &Uri) -> String {
    match (uri.scheme(), uri.authority(), uri.path_and_query()) {
        (None, None, Some(path)) => path.as_str().to_owned(),
        _ => uri.to_string(),
    }
}

/// Begins the log's entry: the path alone, without a host, a user's name and password, and a query.
fn entry(method: &Method, target: &str, headers: &HeaderMap, key: &str) -> Entry {
    let path = target.split('?').next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let path = path.find('/').and_then(|at| path.get(at..)).unwrap_or_default();
    let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
    Entry::begin(method.as_str(), path, traceparent, key)
}

/// Notes what a request asks of a model, if it asks one.
fn note_request(entry: &mut Entry, target: &str, body: Option<&Bytes>) {
    entry.operation = operation(target);
    if entry.operation.is_none() {
        return;
    }
    let beginning = body.map_or(&[][..], |body| body.get(..MODEL_WITHIN_BYTES).unwrap_or(body));
    entry.model = Wanted::read(target, beginning).model().map(str::to_owned);
}
