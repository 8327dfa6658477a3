//! Sends requests to a resource, on connections that stay open.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use copilot_keyless::gateway::is_final_status;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{HeaderMap, Method, Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::connector::{Connector, Uses, tls};
use crate::failure::Failure;
use crate::request_body::Sent;
use crate::server::MAX_HEADERS;
use crate::settings::Limits;

/// Idle connections that are kept, and for how long: shorter than Azure keeps them.
const MAX_IDLE: usize = 64;
const IDLE: Duration = Duration::from_mins(1);

/// Why there is no answer.
pub(crate) struct NoAnswer {
    pub(crate) reason: Reason,
    pub(crate) message: String,
    /// Whether a connection that had been used before broke, so that the request may be repeated.
    pub(crate) reused: bool,
    /// Whether a connection was made, so that the resource may have the request.
    pub(crate) connected: bool,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Network,
    Timeout,
    TooLarge,
    /// The client sent its body too slowly, or left.
    Client,
}

/// Sends requests to a resource.
pub(crate) struct Upstream {
    client: Client<Connector, Sent>,
    scheme: Scheme,
    authority: Authority,
    first_byte: Duration,
}

impl Upstream {
    pub(crate) fn new(base_url: &str, limits: &Limits, first_byte_ms: Option<u64>) -> Result<Self, Failure> {
        let failed = || Failure::new("gateway/invalid-option", "The endpoint cannot be asked.");
        let parts = base_url.parse::<Uri>().map_err(|_| failed())?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(failed());
        };
        let tls = tls(scheme == Scheme::HTTPS).map_err(|_| failed())?;
        let connector = Connector::new(tls, Duration::from_millis(limits.connect_ms));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MAX_IDLE)
            .http1_max_headers(MAX_HEADERS)
            // What may be repeated is decided by the rules.
            .retry_canceled_requests(false)
            .build(connector);
        Ok(Self {
            client,
            scheme,
            authority,
            first_byte: Duration::from_millis(first_byte_ms.unwrap_or(limits.first_byte_ms)),
        })
    }

    /// Its host, with a port that is not the scheme's.
    pub(crate) fn host(&self) -> &str {
        self.authority.as_str()
    }

    /// Sends a request, and returns the head of its answer. `headers` without `Host`.
    pub(crate) async fn send(
        &self,
        method: Method,
        target: &str,
        headers: HeaderMap,
        body: Sent,
    ) -> Result<Response<Incoming>, NoAnswer> {
        let fault = body.fault();
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.headers_mut() = headers;
        *request.uri_mut() = self.uri(target).map_err(|_| NoAnswer {
            reason: Reason::Network,
            message: "the path cannot be sent".to_owned(),
            reused: false,
            connected: false,
        })?;
        let connection = capture_connection(&mut request);
        let uses = || {
            let metadata = connection.connection_metadata();
            let connected = (*metadata).as_ref()?;
            let mut extras = hyper::http::Extensions::new();
            connected.get_extras(&mut extras);
            extras.remove::<Uses>()
        };
        let answer = tokio::time::timeout(self.first_byte, self.client.request(request)).await;
        let uses = uses();
        let connected = uses.is_some();
        let reused = uses.is_some_and(|uses| uses.take());
        let reason = fault.as_ref().and_then(Fault::reason);
        match answer {
            Ok(Ok(response)) => match unreadable(&response) {
                None => Ok(response),
                Some(why) => Err(NoAnswer::broken(why)),
            },
            Ok(Err(error)) => Err(NoAnswer {
                reason: reason.unwrap_or(Reason::Network),
                reused: reused && is_broken(&error),
                message: text_of(&error),
                connected,
            }),
            Err(_) => Err(NoAnswer {
                reason: reason.unwrap_or(Reason::Timeout),
                message: "the resource did not answer in time".to_owned(),
                reused: false,
                connected,
            }),
        }
    }

    fn uri(&self, target: &str) -> Result<Uri, hyper::http::Error> {
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(PathAndQuery::try_from(target)?)
            .build()
    }
}

/// Why a body was not sent to its end.
#[derive(Clone, Default)]
pub(crate) struct Fault {
    pub(crate) too_large: Arc<AtomicBool>,
    pub(crate) client: Arc<AtomicBool>,
}

impl Fault {
    fn reason(&self) -> Option<Reason> {
        if self.too_large.load(Ordering::Relaxed) {
            Some(Reason::TooLarge)
        } else if self.client.load(Ordering::Relaxed) {
            Some(Reason::Client)
        } else {
            None
        }
    }
}

/// Why an answer that hyper takes cannot be passed on.
fn unreadable(answer: &Response<Incoming>) -> Option<&'static str> {
    if !is_final_status(answer.status().as_u16()) {
        return Some("the answer cannot be read: its status is no final one");
    }
    // Hyper takes a list of equal lengths, and reads on until the connection ends.
    let is_length = |value: &HeaderValue| value.as_bytes().iter().all(u8::is_ascii_digit);
    let mut lengths = answer.headers().get_all(CONTENT_LENGTH).iter();
    (!lengths.all(is_length)).then_some("the answer cannot be read: its length is no number")
}

/// Whether the connection was closed before an answer came, and not for an answer that cannot be read.
fn is_broken(error: &(dyn Error + 'static)) -> bool {
    let mut error = Some(error);
    while let Some(one) = error {
        if let Some(one) = one.downcast_ref::<hyper::Error>()
            && (one.is_incomplete_message() || one.is_canceled() || one.is_closed())
        {
            return true;
        }
        if let Some(one) = one.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
            return matches!(
                one.kind(),
                BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
            );
        }
        error = one.source();
    }
    false
}

/// Says why there is no answer: in our words, which the core knows, with those of the libraries behind.
fn text_of(error: &(dyn Error + 'static)) -> String {
    let mut ours = None;
    let mut said: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(one) = next {
        ours = words_for(one).or(ours);
        // That one says no more than that the client failed.
        if !one.is::<hyper_util::client::legacy::Error>() {
            let text = one.to_string();
            // Most repeat their cause.
            if !said.iter().any(|before| before.contains(&text)) {
                said.push(text);
            }
        }
        // The source of an I/O error is that of the error it wraps.
        let wrapped = one
            .downcast_ref::<std::io::Error>()
            .and_then(|error| error.get_ref());
        next = wrapped.map(|error| error as _).or_else(|| one.source());
    }
    let said = said.join(": ");
    match ours {
        Some(ours) if !said.contains(ours) => format!("{ours}: {said}"),
        _ => said,
    }
}

/// What an error of a library means, if that is known.
fn words_for(error: &(dyn Error + 'static)) -> Option<&'static str> {
    use std::io::ErrorKind;
    if let Some(error) = error.downcast_ref::<hyper::Error>() {
        let is_unreadable = error.is_parse() || error.is_parse_status() || error.is_parse_too_large();
        return match () {
            () if is_unreadable => Some("the answer cannot be read"),
            () if error.is_incomplete_message() || error.is_closed() || error.is_canceled() => {
                Some("the connection was closed before the answer (ECONNRESET)")
            }
            () => None,
        };
    }
    if error.is::<rustls::Error>() {
        return Some("TLS failed");
    }
    match error.downcast_ref::<std::io::Error>()?.kind() {
        ErrorKind::ConnectionRefused => Some("the connection was refused (ECONNREFUSED)"),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
            Some("the connection was cut (ECONNRESET)")
        }
        ErrorKind::HostUnreachable => Some("the host is unreachable (EHOSTUNREACH)"),
        ErrorKind::NetworkUnreachable => Some("the network is unreachable (ENETUNREACH)"),
        _ => None,
    }
}

impl NoAnswer {
    /// The answer broke off before anything of it was passed on.
    pub(crate) fn broken(message: &str) -> Self {
        Self {
            reason: Reason::Network,
            message: message.to_owned(),
            reused: false,
            connected: true,
        }
    }
}
