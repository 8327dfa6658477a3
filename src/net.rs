//! The only file that touches the network: sends a request by way of the platform's `fetch`.

use std::error::Error as _;
use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::{Client, Method};

use crate::probe::network_words;

/// As much of an answer as is read, in bytes. A refusal of Azure has less than one thousand.
const BODY_LIMIT: usize = 256 * 1024;

/// The headers that say something about a refusal.
const TELLING_HEADERS: [&str; 7] = [
    "retry-after",
    "retry-after-ms",
    "x-ms-request-id",
    "apim-request-id",
    "www-authenticate",
    "content-type",
    "location",
];

/// A request to be sent: `POST` with a body, else `GET`.
pub struct Request {
    /// Where to.
    pub url: String,
    /// The headers but the one with the token.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
    /// The token, if one is to be sent.
    pub token: Option<String>,
    /// How long the whole answer may take.
    pub timeout_ms: u32,
}

/// What came of a request.
pub struct Answer {
    /// The HTTP status; 0 if no answer came.
    pub status: u16,
    /// The headers that say something about a refusal, their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The beginning of the body; with status 0, what the network said.
    pub body: String,
}

/// Sends a request. Dropping the future aborts it.
pub async fn send(request: Request) -> Answer {
    let timeout_ms = request.timeout_ms;
    answer(request).await.unwrap_or_else(|error| Answer {
        status: 0,
        headers: Vec::new(),
        body: network_words(&innermost(&error), timeout_ms),
    })
}

async fn answer(given: Request) -> reqwest::Result<Answer> {
    let method = if given.body.is_some() {
        Method::POST
    } else {
        Method::GET
    };
    let mut request = Client::new()
        .request(method, given.url)
        // It covers the body too.
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
    let response = request.send().await?;
    let status = response.status().as_u16();
    let told = response.headers();
    let headers = TELLING_HEADERS
        .iter()
        .filter_map(|name| Some((*name, told.get(*name)?.to_str().ok()?.to_owned())))
        .collect();

    let mut body = Vec::new();
    let mut parts = response.bytes_stream();
    while body.len() < BODY_LIMIT {
        match parts.next().await {
            None => break,
            Some(Ok(part)) => body.extend_from_slice(&part),
            // A refusal stands by itself; an answer that broke off is none.
            Some(Err(_)) if status >= 400 => break,
            Some(Err(error)) => return Err(error),
        }
    }
    body.truncate(BODY_LIMIT);
    Ok(Answer {
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// What the platform said: reqwest's own text names the address only.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost = error.source();
    while let Some(source) = innermost.and_then(|error| error.source()) {
        innermost = Some(source);
    }
    innermost.map_or_else(|| error.to_string(), ToString::to_string)
}
