//! Accepts connections, serves them, and lets them end.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::exchange::answer;
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::record::Place;
use crate::socket::{Busy, Socket};

/// The longest head of a request.
const MAX_HEAD: usize = 32 * 1024;

/// The most headers that fit into a head: the shortest line is `a:`.
pub(crate) const MAX_HEADERS: usize = MAX_HEAD / 4;

/// How long a client that is too slow may take to read that.
const LATE: Duration = Duration::from_secs(1);

/// After an error that passes, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Listens.
pub(crate) async fn listen(host: &str, port: u16) -> Result<(TcpListener, SocketAddr), Failure> {
    let bound = async {
        let listener = TcpListener::bind((host, port)).await?;
        let address = listener.local_addr()?;
        Ok::<_, io::Error>((listener, address))
    };
    bound.await.map_err(|error| {
        let is_used = error.kind() == io::ErrorKind::AddrInUse;
        let (code, reason) = if is_used {
            ("gateway/port-in-use", "the port is in use".to_owned())
        } else {
            ("gateway/listen-failed", error.to_string())
        };
        Failure::new(
            code,
            format!("The gateway cannot listen on {host}:{port}: {reason}"),
        )
        .hint("Choose another port, or leave it out for a free one.")
    })
}

/// Serves until `ended` resolves; then lets requests in progress end, for `limits.closeMs`.
pub(crate) async fn serve(gateway: Arc<Gateway>, listener: TcpListener, ended: impl Future<Output = ()>) {
    let (closing, closed) = watch::channel(false);
    let connections = Arc::new(AtomicUsize::new(0));
    let mut ended = pin!(ended);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut ended => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let most = 4 * gateway.setup().limits.max_requests;
        if let Some(place) = Place::take(&connections, most) {
            tokio::spawn(connection(Arc::clone(&gateway), stream, closed.clone(), place));
        }
    }
    drop(listener);
    gateway.close();
    let _ = closing.send(true);
    drop(closed);
    let close = Duration::from_millis(gateway.setup().limits.close_ms);
    // Every connection holds a receiver.
    let _ = tokio::time::timeout(close, closing.closed()).await;
}

async fn connection(
    gateway: Arc<Gateway>,
    stream: TcpStream,
    mut closed: watch::Receiver<bool>,
    _place: Place,
) {
    let _ = stream.set_nodelay(true);
    let busy = Busy::default();
    let headers = Duration::from_millis(gateway.setup().limits.headers_ms);
    let socket = Socket::new(stream, busy.clone(), headers);
    let service = service_fn(move |request| {
        // Boxed, because it is large, and hyper moves it.
        let answer = Box::pin(answer(Arc::clone(&gateway), busy.clone(), request));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_header_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .max_buf_size(2 * MAX_HEAD)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(socket), service);
    let is_closed = async { closed.wait_for(|closed| *closed).await.is_ok() };
    let result = tokio::select! {
        result = &mut connection => result,
        _ = is_closed => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    let mut socket = connection.into_parts().io.into_inner();
    if result.is_err() && socket.has_late_headers() {
        let text = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let told = async {
            socket.write_all(text).await?;
            socket.shutdown().await
        };
        let _ = tokio::time::timeout(LATE, told).await;
    }
}
