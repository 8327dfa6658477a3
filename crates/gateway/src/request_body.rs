//! The body of a client's request: kept while it fits, so that the request can be sent again; else
//! streamed.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::upstream::Fault;

/// The largest body that is kept for a repetition.
const MAX_KEPT: u64 = 16 * 1024 * 1024;

/// The memory that bodies of all requests may take.
pub(crate) struct Budget(AtomicU64);

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        Self(AtomicU64::new(bytes))
    }

    fn take(&self, bytes: u64) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| {
                free.checked_sub(bytes)
            })
            .is_ok()
    }
}

/// Memory that is given back when it is dropped.
pub(crate) struct Taken {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// A body as far as it was read.
pub(crate) struct Received {
    pub(crate) chunks: Vec<Bytes>,
    /// Whether that is all of it, so that the request can be sent again.
    pub(crate) is_whole: bool,
    rest: Option<Incoming>,
    /// The size that the client declared.
    declared: Option<u64>,
    /// Held until the request has ended.
    _memory: Taken,
    /// All that has arrived.
    size: Arc<AtomicU64>,
}

/// Why a body was not read.
pub(crate) enum Unread {
    TooLarge,
    /// The client did not send it in time.
    Late,
    /// It left, or sent no body that can be read.
    Broken,
}

/// Reads a body as long as it fits into memory. A larger one is left, from there on.
pub(crate) async fn receive(
    mut body: Incoming,
    budget: &Arc<Budget>,
    most: u64,
    size: Arc<AtomicU64>,
    until: Instant,
) -> Result<Received, Unread> {
    let declared = body.size_hint().exact();
    if declared.is_some_and(|declared| declared > most) {
        return Err(Unread::TooLarge);
    }
    let mut memory = Taken {
        budget: Arc::clone(budget),
        bytes: 0,
    };
    let mut chunks = Vec::new();
    let mut is_whole = body.is_end_stream();
    let mut fits = declared.is_none_or(|declared| declared <= MAX_KEPT);
    while !is_whole && fits {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let frame = tokio::time::timeout_at(until, frame)
            .await
            .map_err(|_| Unread::Late)?;
        let Some(frame) = frame else {
            is_whole = true;
            break;
        };
        let Ok(bytes) = frame.map_err(|_| Unread::Broken)?.into_data() else {
            continue;
        };
        let count = bytes.len() as u64;
        let total = size.fetch_add(count, Ordering::Relaxed) + count;
        chunks.push(bytes);
        if total > most {
            return Err(Unread::TooLarge);
        }
        is_whole = body.is_end_stream();
        fits = total <= MAX_KEPT && budget.take(count);
        if fits {
            memory.bytes += count;
        }
    }
    Ok(Received {
        chunks,
        // One that ended with the piece that does not fit is not kept either.
        is_whole: is_whole && fits,
        rest: (!is_whole || !fits).then_some(body),
        declared,
        _memory: memory,
        size,
    })
}

impl Received {
    /// The bytes that have arrived.
    pub(crate) fn joined(&self) -> Bytes {
        match self.chunks.as_slice() {
            [] => Bytes::new(),
            [one] => one.clone(),
            many => {
                let mut all = BytesMut::with_capacity(many.iter().map(Bytes::len).sum());
                for chunk in many {
                    all.extend_from_slice(chunk);
                }
                all.freeze()
            }
        }
    }

    /// The body for a request to the resource. One that is not whole can be sent once.
    pub(crate) fn sent(&mut self, most: u64, until: Instant) -> Sent {
        match self.rest.take() {
            None => Sent::Whole(Some(self.joined()).filter(|bytes| !bytes.is_empty())),
            Some(rest) => Sent::Streamed(Box::new(Streamed {
                chunks: std::mem::take(&mut self.chunks).into(),
                rest,
                left: self.declared,
                size: Arc::clone(&self.size),
                most,
                late: Box::pin(sleep_until(until)),
                fault: Fault::default(),
            })),
        }
    }
}

/// The body of a request to the resource.
pub(crate) enum Sent {
    Whole(Option<Bytes>),
    Streamed(Box<Streamed>),
}

/// A body that passes piece by piece.
pub(crate) struct Streamed {
    chunks: VecDeque<Bytes>,
    rest: Incoming,
    /// What is left of the declared size.
    left: Option<u64>,
    size: Arc<AtomicU64>,
    most: u64,
    late: Pin<Box<Sleep>>,
    fault: Fault,
}

impl Sent {
    pub(crate) fn fault(&self) -> Option<Fault> {
        match self {
            Self::Whole(_) => None,
            Self::Streamed(streamed) => Some(streamed.fault.clone()),
        }
    }
}

impl Streamed {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(chunk) = self.chunks.pop_front() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        loop {
            let frame = match Pin::new(&mut self.rest).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    ready!(self.late.as_mut().poll(cx));
                    self.fault.client.store(true, Ordering::Relaxed);
                    return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
                }
            };
            let Some(frame) = frame else {
                return Poll::Ready(None);
            };
            let Ok(frame) = frame else {
                self.fault.client.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
            };
            let Ok(bytes) = frame.into_data() else { continue };
            let count = bytes.len() as u64;
            if self.size.fetch_add(count, Ordering::Relaxed) + count > self.most {
                self.fault.too_large.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err(io::ErrorKind::FileTooLarge.into())));
            }
            return Poll::Ready(Some(Ok(bytes)));
        }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streamed(streamed) => {
                let chunk = ready!(streamed.poll(cx));
                if let (Some(Ok(bytes)), Some(left)) = (&chunk, &mut streamed.left) {
                    *left = left.saturating_sub(bytes.len() as u64);
                }
                Poll::Ready(chunk.map(|chunk| chunk.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Streamed(streamed) => streamed.left == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Streamed(streamed) => streamed.left.map_or_else(SizeHint::default, SizeHint::with_exact),
        }
    }
}
