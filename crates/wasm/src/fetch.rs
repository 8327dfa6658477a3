//! Sends requests with the platform's `fetch`. No other file uses the network.

use std::error::Error as _;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use reqwest::{Client, Method, Response};

use copilot_keyless::answer::model::{End, Format, Part, Reader};
use copilot_keyless::diagnosis::status_of_event;
use copilot_keyless::request::identity::ANSWER_MAX_BYTES;
use copilot_keyless::request::probe::network_words;

/// The headers to keep of a response.
const KEPT_HEADERS: [&str; 8] = [
    "date",
    "retry-after",
    "retry-after-ms",
    "x-ms-request-id",
    "apim-request-id",
    "www-authenticate",
    "content-type",
    "location",
];

/// A request to send: `POST` with a body, else `GET`.
pub(crate) struct Request {
    /// The URL.
    pub(crate) url: String,
    /// The headers, without the one of the token.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Option<String>,
    /// The token, if any.
    pub(crate) token: Option<String>,
    /// The timeout of the whole response, in milliseconds.
    pub(crate) timeout_ms: u32,
}

/// The response, or the lack of one.
pub(crate) struct Answer {
    /// The HTTP status; 0 without a response.
    pub(crate) status: u16,
    /// The headers in [`KEPT_HEADERS`], with names in lower case.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The start of the body; with status 0, the network error.
    pub(crate) body: String,
}

/// Sends a request. Drop the future to abort it.
pub(crate) async fn send(request: Request) -> Answer {
    let timeout_ms = request.timeout_ms;
    let answer = async { read(begin(request).await?).await };
    answer
        .await
        .unwrap_or_else(|error| network_failure(&error, timeout_ms))
}

/// A request with a streamed response of a model. Drop it to abort the request.
pub(crate) struct Exchange {
    unsent: Option<Request>,
    timeout_ms: u32,
    reader: Reader,
    parts: Option<Parts>,
    failure: Option<Answer>,
}

type Parts = Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>>>>;

impl Exchange {
    /// Creates a request, which is sent on the first [`Exchange::next`].
    pub(crate) fn new(request: Request, format: Format) -> Self {
        Self {
            timeout_ms: request.timeout_ms,
            unsent: Some(request),
            reader: Reader::new(format),
            parts: None,
            failure: None,
        }
    }

    /// Returns the next text of the model, or `None` at the end or after a failure.
    pub(crate) async fn next(&mut self) -> Option<String> {
        if let Some(request) = self.unsent.take()
            && let Err(error) = self.open(request).await
        {
            self.failure = Some(network_failure(&error, self.timeout_ms));
        }
        while let Some(parts) = &mut self.parts {
            let part = match parts.next().await {
                Some(Ok(bytes)) => self.reader.push(&bytes),
                Some(Err(error)) => {
                    self.parts = None;
                    self.failure = Some(network_failure(&error, self.timeout_ms));
                    break;
                }
                None => Part {
                    end: Some(End::Unreadable),
                    ..Part::default()
                },
            };
            if let Some(end) = part.end {
                self.parts = None;
                self.failure = failure(end);
            }
            if !part.text.is_empty() {
                return Some(part.text);
            }
        }
        None
    }

    /// Returns the failure, if the response is missing or incomplete.
    pub(crate) fn failure(&self) -> Option<&Answer> {
        self.failure.as_ref()
    }

    async fn open(&mut self, request: Request) -> reqwest::Result<()> {
        let response = begin(request).await?;
        let kind = response.headers().get("content-type");
        let streamed = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if streamed && response.status().is_success() {
            let parts = response.bytes_stream();
            self.parts = Some(Box::pin(parts.map(|part| part.map(|bytes| bytes.to_vec()))));
        } else {
            self.failure = Some(read(response).await?);
        }
        Ok(())
    }
}

fn failure(end: End) -> Option<Answer> {
    let (status, body) = match end {
        End::Complete => return None,
        End::Failed { event } => (status_of_event(event.expose()), event.into_exposed()),
        End::Unreadable => (0, "the answer was terminated before its end".to_owned()),
    };
    Some(Answer {
        status,
        headers: Vec::new(),
        body,
    })
}

async fn begin(given: Request) -> reqwest::Result<Response> {
    let method = if given.body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let mut request = Client::new()
        .request(method, given.url)
        // The timeout includes the body.
        .timeout(Duration::from_millis(given.timeout_ms.into()));
    for (name, value) in given.headers {
        request = request.header(name, value);
    }
    if let Some(token) = given.token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = given.body {
        request = request.body(body);
    }
    request.send().await
}

async fn read(response: Response) -> reqwest::Result<Answer> {
    let status = response.status().as_u16();
    let received = response.headers();
    let headers = KEPT_HEADERS
        .iter()
        .filter_map(|name| Some((*name, received.get(*name)?.to_str().ok()?.to_owned())))
        .collect();

    let mut body = Vec::new();
    let mut parts = response.bytes_stream();
    while body.len() < ANSWER_MAX_BYTES {
        match parts.next().await {
            None => break,
            Some(Ok(part)) => body.extend_from_slice(&part),
            // An error response counts even if it is truncated; any other response fails.
            Some(Err(_)) if status >= 400 => break,
            Some(Err(error)) => return Err(error),
        }
    }
    body.truncate(ANSWER_MAX_BYTES);
    Ok(Answer {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

fn network_failure(error: &reqwest::Error, timeout_ms: u32) -> Answer {
    Answer {
        status: 0,
        headers: Vec::new(),
        body: network_words(&innermost(error), timeout_ms),
    }
}

/// Returns the platform's message. reqwest's own message contains only the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost = error.source();
    while let Some(source) = innermost.and_then(|error| error.source()) {
        innermost = Some(source);
    }
    innermost.map_or_else(|| error.to_string(), ToString::to_string)
}
