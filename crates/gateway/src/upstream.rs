//! Sends requests to a resource, on connections that stay open.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{HeaderMap, Method, Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::connector::{Connector, Uses, tls};
use crate::failure::Failure;
use crate::request_body::Sent;
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
            Ok(Ok(response)) => Ok(response),
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

/// The message of an error and its causes, with the code by which the core knows them.
fn text_of(error: &(dyn Error + 'static)) -> String {
    use std::io::ErrorKind;
    let mut text = String::new();
    let mut next = Some(error);
    let mut code = None;
    while let Some(one) = next {
        let said = one.to_string();
        if !text.contains(&said) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&said);
        }
        code = match one.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(ErrorKind::ConnectionRefused) => Some("ECONNREFUSED"),
            Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => Some("ECONNRESET"),
            Some(ErrorKind::HostUnreachable) => Some("EHOSTUNREACH"),
            Some(ErrorKind::NetworkUnreachable) => Some("ENETUNREACH"),
            _ if said.contains("dns error") => Some("ENOTFOUND"),
            // Closed, or an answer that cannot be read.
            _ if one.is::<hyper::Error>() => Some("ECONNRESET"),
            _ => code,
        };
        next = one.source();
    }
    match code {
        Some(code) if !text.contains(code) => format!("{text} ({code})"),
        _ => text,
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
