//! Decides who may use the gateway: the key, the host and the origin of a request.

use std::fmt::{self, Debug, Formatter};
use std::hint::black_box;

use super::headers::{KEY_HEADERS, is_one_of, request_headers};
use super::route::{self, Upstream};
use super::target;
use super::{Dialect, Pair, Refusal};
use crate::Secret;

/// The settings that requests are checked against.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The paths of the resource.
    pub upstream: Upstream,
    /// The key that clients send.
    pub key: Secret,
    /// The host names, without port, that clients may use besides `localhost`, `127.0.0.1` and
    /// `[::1]`. `None` if any may be used: on a server of the platform's, not on loopback.
    pub hosts: Option<Vec<String>>,
    /// The origins of web pages that may use it.
    pub origins: Vec<String>,
}

/// A request of a client. `Debug` shows the names of its headers alone.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The method.
    pub method: &'a str,
    /// The target, as in the request's first line.
    pub target: &'a str,
    /// All headers in their order, duplicates included.
    pub headers: &'a [Pair<'a>],
}

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission<'a> {
    /// Send it to the resource.
    Forward(Forward<'a>),
    /// Answer 200 with `{"status":"ok"}`: a health probe.
    Health,
    /// Answer 200 without a body: a client looks whether anybody is there.
    Empty,
    /// Answer with an error, in this form.
    Refuse(Refusal, Dialect),
}

/// A request to the resource. `Debug` shows the names of its headers alone.
#[derive(PartialEq, Eq)]
pub struct Forward<'a> {
    /// Path and query, for the origin of the endpoint.
    pub target: String,
    /// The form of errors that the client reads.
    pub dialect: Dialect,
    /// Whether it asks a model, so that a 404 is a mistake in the settings.
    pub is_turn: bool,
    /// The headers to send, without keys. The token is added to them.
    pub headers: Vec<Pair<'a>>,
}

impl Debug for Incoming<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("method", &self.method)
            .field("target", &self.target)
            .field("headers", &names(self.headers))
            .finish()
    }
}

impl Debug for Forward<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward")
            .field("target", &self.target)
            .field("dialect", &self.dialect)
            .field("is_turn", &self.is_turn)
            .field("headers", &names(&self.headers))
            .finish()
    }
}

fn names<'a>(headers: &[Pair<'a>]) -> Vec<&'a str> {
    headers.iter().map(|(name, _)| *name).collect()
}

impl Gateway {
    /// Checks a request and finds its route.
    ///
    /// ```
    /// use copilot_keyless::gateway::{Admission, Gateway, Incoming, Upstream};
    ///
    /// let gateway = Gateway {
    ///     upstream: Upstream::of("https://myres.openai.azure.com/openai/v1/"),
    ///     key: "local-key-of-this-run".into(),
    ///     hosts: Some(Vec::new()),
    ///     origins: Vec::new(),
    /// };
    /// let headers = [("Host", "127.0.0.1:8080"), ("api-key", "local-key-of-this-run"), ("accept", "*/*")];
    /// let request = Incoming { method: "POST", target: "/v1/responses", headers: &headers };
    /// let Admission::Forward(forward) = gateway.admit(request) else { panic!() };
    /// assert_eq!(forward.target, "/openai/v1/responses");
    /// assert_eq!(forward.headers, [("accept", "*/*")]);
    /// ```
    pub fn admit<'a>(&self, request: Incoming<'a>) -> Admission<'a> {
        self.checked(request).unwrap_or_else(|refusal| {
            // A guess: the route may not be known.
            let is_anthropic = request.target.contains("/anthropic") || request.target.contains("/messages");
            let dialect = if is_anthropic {
                Dialect::Anthropic
            } else {
                Dialect::Openai
            };
            Admission::Refuse(refusal, dialect)
        })
    }

    fn checked<'a>(&self, request: Incoming<'a>) -> Result<Admission<'a>, Refusal> {
        let Incoming {
            method,
            target,
            headers,
        } = request;
        if !matches!(method, "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE") {
            return Err(Refusal::Method);
        }
        check_form(headers)?;
        let target = target::read(target)?;
        if let Some(authority) = target.authority
            && !self.is_own_host(authority)
        {
            return Err(Refusal::OtherHost);
        }
        match (method, target.segments.as_slice()) {
            ("GET" | "HEAD", ["healthz"]) => return Ok(Admission::Health),
            ("HEAD", [] | ["openai" | "anthropic" | "v1"] | ["openai" | "anthropic", "v1"]) => {
                return Ok(Admission::Empty);
            }
            _ => {}
        }
        if self.hosts.is_some() && !values(headers, "host").all(|host| self.is_own_host(host)) {
            return Err(Refusal::Host);
        }
        if !values(headers, "origin").all(|origin| self.origins.iter().any(|own| own == origin)) {
            return Err(Refusal::Origin);
        }
        if values(headers, "upgrade").any(|value| value.to_ascii_lowercase().contains("websocket")) {
            return Err(Refusal::Upgrade);
        }
        self.check_key(headers)?;
        let route = route::find(&self.upstream, &target).ok_or(Refusal::UnknownPath)?;
        Ok(Admission::Forward(Forward {
            target: route.target,
            dialect: route.dialect,
            is_turn: route.is_turn,
            headers: request_headers(headers),
        }))
    }

    /// Whether an authority, `host:port` with the port optional, is one of this gateway's. Any port:
    /// it may be mapped to another one.
    fn is_own_host(&self, authority: &str) -> bool {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (authority, "0"),
        };
        if port.is_empty() || port.len() > 5 || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        is_one_of(host, &["localhost", "127.0.0.1", "[::1]"])
            || self
                .hosts
                .iter()
                .flatten()
                .any(|own| own.eq_ignore_ascii_case(host))
    }

    fn check_key(&self, headers: &[Pair<'_>]) -> Result<(), Refusal> {
        let mut found = false;
        let mut matches = false;
        for name in KEY_HEADERS {
            for value in values(headers, name) {
                found = true;
                let key = if name == "authorization" {
                    bearer(value)
                } else {
                    value
                };
                // All keys are compared, without a short cut.
                matches |= is_equal(key, self.key.expose());
            }
        }
        match (matches, found) {
            (true, _) => Ok(()),
            (false, true) => Err(Refusal::WrongKey),
            (false, false) => Err(Refusal::MissingKey),
        }
    }
}

/// Refuses headers that two readers might read differently.
fn check_form(headers: &[Pair<'_>]) -> Result<(), Refusal> {
    let is_clean = |text: &str| {
        text.bytes()
            .all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
    };
    if !headers
        .iter()
        .all(|(name, value)| is_clean(name) && is_clean(value))
    {
        return Err(Refusal::BadHeader);
    }
    let once = ["host", "origin", "content-length", "transfer-encoding"];
    for name in once.iter().chain(&KEY_HEADERS) {
        if values(headers, name).nth(1).is_some() {
            return Err(Refusal::DuplicateHeader);
        }
    }
    // Another coding below the chunks would be lost: it is not passed on.
    if values(headers, "transfer-encoding").any(|coding| !coding.eq_ignore_ascii_case("chunked")) {
        return Err(Refusal::BadHeader);
    }
    let framed_twice = values(headers, "content-length").next().is_some()
        && values(headers, "transfer-encoding").next().is_some();
    if framed_twice {
        return Err(Refusal::DuplicateHeader);
    }
    Ok(())
}

/// Returns all values of a header.
fn values<'a>(headers: &[Pair<'a>], name: &str) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |(one, _)| one.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// Returns what follows `Bearer`; nothing for another scheme.
fn bearer(value: &str) -> &str {
    match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim(),
        _ => "",
    }
}

/// Compares two texts in a time that depends on their lengths alone.
fn is_equal(given: &str, expected: &str) -> bool {
    if expected.is_empty() || given.len() != expected.len() {
        return false;
    }
    let difference = given
        .bytes()
        .zip(expected.bytes())
        .fold(0, |difference, (one, other)| {
            black_box(difference | (one ^ other))
        });
    difference == 0
}
