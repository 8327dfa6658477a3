//! A connection of a client: its bytes pass the guard, and it has deadlines.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::guard::Scan;

/// How long a connection may be idle between two requests.
const IDLE: Duration = Duration::from_mins(2);

/// The requests of a connection that are being answered.
#[derive(Clone, Default)]
pub(crate) struct Busy(Arc<AtomicUsize>);

impl Busy {
    /// Notes that a request is being answered, as long as the returned value lives.
    pub(crate) fn enter(&self) -> BusyGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        BusyGuard(self.clone())
    }

    fn is_busy(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// A request that is being answered.
pub(crate) struct BusyGuard(Busy);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The socket of a client.
pub(crate) struct Socket {
    stream: TcpStream,
    scan: Scan,
    busy: Busy,
    headers: Duration,
    /// Whether headers did not come in time.
    late: bool,
    /// When the wait that is going on ends.
    deadline: Option<Instant>,
    /// Wakes at the deadline, or before one that was moved.
    timer: Pin<Box<Sleep>>,
}

impl Socket {
    /// `headers`: how long the headers of a request may take.
    pub(crate) fn new(stream: TcpStream, busy: Busy, headers: Duration) -> Self {
        let deadline = Instant::now() + headers;
        Self {
            stream,
            scan: Scan::default(),
            busy,
            headers,
            late: false,
            // The first request must come at once.
            deadline: Some(deadline),
            timer: Box::pin(sleep_until(deadline)),
        }
    }

    /// Whether headers did not come in time, so that the connection ended.
    pub(crate) fn has_late_headers(&self) -> bool {
        self.late
    }

    /// Whether the wait for bytes took too long.
    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline else {
            return false;
        };
        loop {
            // The timer is moved when it fires, not at every request.
            if self.timer.deadline() > deadline {
                self.timer.as_mut().reset(deadline);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return false;
            }
            if Instant::now() >= deadline {
                return true;
            }
            self.timer.as_mut().reset(deadline);
        }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_in_head = self.scan.is_in_head();
        if !is_in_head && (self.busy.is_busy() || !self.scan.is_between()) {
            self.deadline = None;
            return Poll::Pending;
        }
        let allowed = if is_in_head { self.headers } else { IDLE };
        self.deadline.get_or_insert_with(|| Instant::now() + allowed);
        if !self.is_late(cx) {
            return Poll::Pending;
        }
        // Without a byte it is the end of an idle connection.
        if is_in_head {
            self.late = true;
            Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
        } else {
            Poll::Ready(Ok(()))
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let socket = self.get_mut();
        if socket.scan.is_refused() {
            let ending = socket.scan.ending();
            if buf.remaining() >= ending.len() {
                buf.put_slice(ending);
            }
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let was_in_head = socket.scan.is_in_head();
        match Pin::new(&mut socket.stream).poll_read(cx, buf) {
            Poll::Pending => return socket.wait(cx),
            Poll::Ready(result) => result?,
        }
        let kept = socket
            .scan
            .feed(buf.filled_mut().get_mut(before..).unwrap_or_default());
        // What follows a refused line is dropped.
        buf.set_filled(before + kept);
        // The time for headers runs on from their first byte.
        if !(was_in_head && socket.scan.is_in_head()) {
            socket.deadline = None;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = &mut self.get_mut().stream;
        ready!(Pin::new(stream).poll_shutdown(cx))?;
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }
}
