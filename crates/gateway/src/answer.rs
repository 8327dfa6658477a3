//! The answers that clients receive: the gateway's own, and those of the resource as they come.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use copilot_keyless::gateway::{Dialect, Refusal, error_body};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, UPGRADE,
    WWW_AUTHENTICATE,
};
use hyper::{HeaderMap, Response, StatusCode};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::access_log::Outcome;
use crate::failure::Failure;
use crate::headers::to_client;
use crate::record::Record;

/// An answer of the gateway's own.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) code: Option<String>,
    pub(crate) retry_after_ms: Option<u32>,
}

impl Own {
    pub(crate) fn ok(body: &str) -> Self {
        Self {
            status: 200,
            body: body.to_owned(),
            code: None,
            retry_after_ms: None,
        }
    }

    pub(crate) fn refusal(refusal: Refusal, dialect: Dialect) -> Self {
        Self {
            status: refusal.status(),
            body: refusal.body(dialect),
            code: Some(refusal.as_str().to_owned()),
            retry_after_ms: None,
        }
    }

    pub(crate) fn explanation(dialect: Dialect, status: u16, failure: Failure) -> Self {
        Self {
            status,
            body: error_body(dialect, status, &failure.code, &failure.text()),
            retry_after_ms: failure.retry_after_ms,
            code: Some(failure.code),
        }
    }

    /// Without a body: for a request that is too slow, or cannot be read.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            body: String::new(),
            code: None,
            retry_after_ms: None,
        }
    }

    /// `closes`: whether the connection ends, because of a body that nobody reads.
    pub(crate) fn into_response(self, mut record: Box<Record>, closes: bool) -> Response<AnswerBody> {
        let (status, code) = (self.status, self.code.clone());
        let headers = self.headers(closes);
        record.entry.status = status;
        record.entry.code = code;
        let bytes = Some(Bytes::from(self.body)).filter(|bytes| !bytes.is_empty());
        let is_sent = record.entry.method == "HEAD" || bytes.is_none();
        record.is_complete |= is_sent;
        let mut response = Response::new(AnswerBody::Own(bytes, record));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = headers;
        response
    }

    fn headers(&self, closes: bool) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        let fixed = HeaderValue::from_static;
        headers.insert(CACHE_CONTROL, fixed("no-store"));
        if !self.body.is_empty() {
            headers.insert(CONTENT_TYPE, fixed("application/json"));
        }
        if matches!(self.status, 429 | 503) {
            let seconds = self.retry_after_ms.map_or(1, |ms| ms.div_ceil(1_000).max(1));
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            if let Some(ms) = self.retry_after_ms.filter(|ms| *ms > 0) {
                headers.insert(HeaderName::from_static("retry-after-ms"), HeaderValue::from(ms));
            }
        }
        if self.status >= 400 {
            let retries = matches!(self.status, 429 | 500..);
            let text = if retries { "true" } else { "false" };
            headers.insert(HeaderName::from_static("x-should-retry"), fixed(text));
        }
        // RFC 9110 requires them for these statuses.
        match self.status {
            401 => headers.insert(WWW_AUTHENTICATE, fixed("Bearer")),
            405 => headers.insert(ALLOW, fixed("GET, HEAD, POST, PUT, PATCH, DELETE")),
            426 => headers.insert(UPGRADE, fixed("HTTP/1.1")),
            _ => None,
        };
        if closes {
            headers.insert(CONNECTION, fixed("close"));
        }
        headers
    }
}

/// The body of an answer.
pub(crate) enum AnswerBody {
    Own(Option<Bytes>, Box<Record>),
    Passing(Box<Passing>),
}

/// An answer of the resource on its way to the client.
pub(crate) struct Passing {
    /// What was read of it already.
    read: VecDeque<Bytes>,
    rest: Incoming,
    record: Box<Record>,
    /// The longest pause of the resource.
    idle: Duration,
    /// Since the resource is waited for. A slow client is not the resource's pause.
    waiting: Option<Pin<Box<Sleep>>>,
}

/// Passes an answer on: what was read of its body, and the rest as it comes.
pub(crate) fn pass(
    answer: Response<Incoming>,
    read: Vec<Bytes>,
    mut record: Box<Record>,
) -> Response<AnswerBody> {
    let (mut parts, rest) = answer.into_parts();
    to_client(&mut parts.headers);
    record.entry.status = parts.status.as_u16();
    record.note_answer(&parts.headers);
    let idle = record.setup.limits.idle();
    let passing = Passing {
        read: read.into(),
        rest,
        record,
        idle,
        waiting: None,
    };
    // Without the resource's reason phrase and its version.
    let mut response = Response::new(AnswerBody::Passing(Box::new(passing)));
    *response.status_mut() = parts.status;
    *response.headers_mut() = parts.headers;
    response
}

impl Passing {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(chunk) = self.read.pop_front() {
            self.record.note_chunk(&chunk);
            return Poll::Ready(Some(Ok(chunk)));
        }
        loop {
            match Pin::new(&mut self.rest).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.waiting = None;
                    // Trailers are not passed on.
                    if let Ok(chunk) = frame.into_data() {
                        self.record.note_chunk(&chunk);
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    self.record.entry.outcome = Outcome::UpstreamBroke;
                    return Poll::Ready(Some(Err(io::Error::other(error))));
                }
                Poll::Ready(None) => {
                    self.record.is_complete = true;
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let idle = self.idle;
                    let waiting = self
                        .waiting
                        .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + idle)));
                    if waiting.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.record.entry.outcome = Outcome::UpstreamBroke;
                    return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.read.is_empty() && self.rest.is_end_stream()
    }
}

/// An answer whose size is known may be dropped without a look for its end.
impl Drop for Passing {
    fn drop(&mut self) {
        self.record.is_complete |= self.is_over();
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Own(bytes, record) => {
                record.is_complete = true;
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Passing(passing) => passing
                .poll(cx)
                .map(|chunk| chunk.map(|chunk| chunk.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes, _) => bytes.is_none(),
            Self::Passing(passing) => passing.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes, _) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Passing(passing) => {
                let read: u64 = passing.read.iter().map(|chunk| chunk.len() as u64).sum();
                match passing.rest.size_hint().exact() {
                    Some(rest) => SizeHint::with_exact(read + rest),
                    None => SizeHint::default(),
                }
            }
        }
    }
}
