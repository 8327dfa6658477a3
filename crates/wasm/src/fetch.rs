//! Sends requests with the platform's `fetch`. No other file uses the network.

use std::error::Error as _;
use std::mem;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use reqwest::{Client, Method, Response};

use copilot_keyless::answer::model::{End, Format, Part, Reader, read_whole};
use copilot_keyless::diagnosis::status_of_event;
use copilot_keyless::request::identity::ANSWER_MAX_BYTES;
use copilot_keyless::request::probe::network_words;

/// The headers to keep of a response.
const KEPT_HEADERS: [&str; 23] = [
    "date",
    "retry-after",
    "retry-after-ms",
    "x-ms-request-id",
    "apim-request-id",
    "www-authenticate",
    "content-type",
    "location",
    "server",
    "via",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-renewalperiod-requests",
    "x-ratelimit-renewalperiod-tokens",
    "x-ratelimit-abusepenalty-active",
    "x-ms-is-spilled-over",
    "x-ms-spillover-from-deployment",
    "x-ms-spillover-error",
    "x-ms-deployment-name",
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
    format: Format,
    reader: Reader,
    parts: Option<Parts>,
    /// The text of a response that was not streamed.
    whole: String,
    headers: Vec<(&'static str, String)>,
    failure: Option<Answer>,
}

type Parts = Pin<Box<dyn Stream<Item = reqwest::Result<Vec<u8>>>>>;

impl Exchange {
    /// Creates a request, which is sent on the first [`Exchange::next`].
    pub(crate) fn new(request: Request, format: Format) -> Self {
        Self {
            timeout_ms: request.timeout_ms,
            unsent: Some(request),
            format,
            reader: Reader::new(format),
            parts: None,
            whole: String::new(),
            headers: Vec::new(),
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
        if !self.whole.is_empty() {
            return Some(mem::take(&mut self.whole));
        }
        while let Some(parts) = &mut self.parts {
            let part = match parts.next().await {
                Some(Ok(bytes)) => self.reader.push(&bytes),
                Some(Err(error)) => {
                    self.parts = None;
                    self.failure = Some(network_failure(&error, self.timeout_ms));
                    break;
                }
                None => self.reader.finish(),
            };
            if let Some(end) = part.end {
                self.parts = None;
                self.failure = failure(end, mem::take(&mut self.headers));
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
        let is_success = response.status().is_success();
        if is_success && is_of_type(&response, "text/event-stream") {
            self.headers = kept(&response);
            let parts = response.bytes_stream();
            self.parts = Some(Box::pin(parts.map(|part| part.map(|bytes| bytes.to_vec()))));
            return Ok(());
        }
        let is_json = is_of_type(&response, "application/json");
        let answer = read(response).await?;
        let whole = (is_success && is_json).then(|| read_whole(self.format, &answer.body));
        self.failure = match whole {
            Some(Part { text, end: Some(end) }) if end != End::Unreadable => {
                self.whole = text;
                failure(end, answer.headers)
            }
            _ => Some(answer),
        };
        Ok(())
    }
}

/// Whether a response has a content type, whatever its parameters and its case.
fn is_of_type(response: &Response, expected: &str) -> bool {
    let given = response.headers().get("content-type");
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(expected)
}

fn kept(response: &Response) -> Vec<(&'static str, String)> {
    let received = response.headers();
    KEPT_HEADERS
        .iter()
        .filter_map(|name| Some((*name, received.get(*name)?.to_str().ok()?.to_owned())))
        .collect()
}

fn failure(end: End, headers: Vec<(&'static str, String)>) -> Option<Answer> {
    let (status, body) = match end {
        End::Complete | End::Truncated => return None,
        End::Failed { event } => (status_of_event(event.expose()), event.into_exposed()),
        End::Unreadable => {
            return Some(Answer {
                status: 0,
                headers: Vec::new(),
                body: "the answer was terminated before its end".to_owned(),
            });
        }
    };
    Some(Answer {
        status,
        headers,
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
    let headers = kept(&response);
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
