//! Sends requests to identity endpoints.

use std::error::Error as _;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::Duration;

use copilot_keyless::request::identity::{ANSWER_MAX_BYTES, Call, Tls, form_encoded};
use copilot_keyless::request::probe::network_words;
use copilot_keyless::{Headers, Secret};
use http::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, Url};
use tokio::net::lookup_host;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{BoxFuture, CredentialError, tls};

/// After so long without an answer an endpoint of this host is asked again.
const AGAIN: Duration = Duration::from_secs(3);

/// How long a connection to a model's resource may take.
#[cfg(feature = "copilot")]
const CONNECT: Duration = Duration::from_secs(30);

/// A response, or the lack of one: status 0, and the network's words as the body.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Secret,
}

/// The clients, each built when it is first needed.
pub(super) struct Http {
    given: Option<Client>,
    /// For endpoints of this host: no proxy, no TLS.
    plain: OnceLock<Client>,
    /// For Entra.
    secure: OnceLock<Client>,
}

impl Http {
    pub(super) fn new(given: Option<Client>) -> Self {
        Self {
            given,
            plain: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// Sends a request with its secret, `POST` with a form, else `GET`.
    pub(super) async fn send(
        &self,
        call: &Call,
        secret: &str,
        limit: Duration,
    ) -> Result<Reply, CredentialError> {
        if call.source.is_local() {
            self.send_again(call, secret, limit).await
        } else {
            self.send_once(call, secret, limit).await
        }
    }

    /// Sends it, and while there is no answer once more each [`AGAIN`]: the first answer counts. One
    /// connection that hangs does not make callers wait for its limit.
    fn send_again<'a>(
        &'a self,
        call: &'a Call,
        secret: &'a str,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Reply, CredentialError>> {
        let answered = |reply: &Result<Reply, CredentialError>| reply.as_ref().is_ok_and(|it| it.status != 0);
        Box::pin(async move {
            let mut sent = pin!(self.send_once(call, secret, limit));
            let rest = limit.saturating_sub(AGAIN);
            if rest.is_zero() {
                return sent.await;
            }
            if let Ok(reply) = timeout(AGAIN, &mut sent).await {
                return reply;
            }
            let mut later = self.send_again(call, secret, rest);
            tokio::select! {
                biased;
                first = &mut sent => {
                    if answered(&first) {
                        return first;
                    }
                    Some(later.await).filter(answered).unwrap_or(first)
                }
                second = &mut later => if answered(&second) { second } else { sent.await },
            }
        })
    }

    async fn send_once(&self, call: &Call, secret: &str, limit: Duration) -> Result<Reply, CredentialError> {
        let request = match &call.tls {
            Some(rules) => ruled(call, rules, secret).await?,
            None => request(&self.client(call)?, call, secret)?,
        };
        let request = request.timeout(limit);
        let millis = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
        let exchange = async { read(request.send().await?).await };
        Ok(exchange.await.unwrap_or_else(|error| Reply {
            status: 0,
            headers: Headers::new(),
            body: Secret::from(network_words(&innermost(&error), millis)),
        }))
    }

    fn client(&self, call: &Call) -> Result<Client, CredentialError> {
        let plain = call.url.starts_with("http:");
        if plain || call.source.is_local() {
            let config = if plain { tls::none()? } else { tls::usual()? };
            return once(
                &self.plain,
                plain,
                base().no_proxy().tls_backend_preconfigured(config),
            );
        }
        match &self.given {
            Some(client) => Ok(client.clone()),
            None => match self.secure.get() {
                Some(client) => Ok(client.clone()),
                None => once(
                    &self.secure,
                    true,
                    base().tls_backend_preconfigured(tls::usual()?),
                ),
            },
        }
    }
}

/// Returns the client of a cell, or builds it. `keep`: whether to keep it there.
fn once(cell: &OnceLock<Client>, keep: bool, builder: ClientBuilder) -> Result<Client, CredentialError> {
    if !keep {
        return build(builder);
    }
    if let Some(client) = cell.get() {
        return Ok(client.clone());
    }
    let client = build(builder)?;
    Ok(cell.get_or_init(|| client).clone())
}

/// Keeps no connection: the next request is an hour away, and may be in another runtime.
fn base() -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
}

/// Returns a request by the rules of its connection. A server with a name of its own is asked for by that
/// name, at the address of the host.
async fn ruled(call: &Call, rules: &Tls, secret: &str) -> Result<RequestBuilder, CredentialError> {
    let mut builder = base().no_proxy().tls_backend_preconfigured(tls::by_rules(rules)?);
    let Some(name) = &rules.server_name else {
        return request(&build(builder)?, call, secret);
    };
    let lost = || CredentialError::new("the host of the token proxy has no address").unreachable();
    let mut url = Url::parse(&call.url).map_err(|_| lost())?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let bare = host.trim_matches(['[', ']']);
    let address = lookup_host((bare, port))
        .await
        .ok()
        .and_then(|mut found| found.next());
    builder = builder.resolve(name, address.ok_or_else(lost)?);
    url.set_host(Some(name)).map_err(|_| lost())?;
    let mut named = call.clone();
    named.url = url.into();
    Ok(request(&build(builder)?, &named, secret)?.header("host", host))
}

/// Builds a client for models. `plain`: for this host, without TLS and without a proxy, which would see
/// the token. The longest silence is that of a model that thinks.
#[cfg(feature = "copilot")]
pub(crate) fn model_client(plain: bool) -> Result<Client, CredentialError> {
    const SILENCE: Duration = Duration::from_secs(600);

    let builder = Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .tls_backend_preconfigured(if plain { tls::none()? } else { tls::usual()? });
    build(if plain { builder.no_proxy() } else { builder })
}

fn build(builder: ClientBuilder) -> Result<Client, CredentialError> {
    builder
        .build()
        .map_err(|error| CredentialError::new("the HTTP client cannot be built").with_source(error))
}

fn request(client: &Client, call: &Call, secret: &str) -> Result<RequestBuilder, CredentialError> {
    let mut request = match call.form {
        Some(_) => client.post(&call.url),
        None => client.get(&call.url),
    };
    for (name, value) in call.headers.iter() {
        request = request.header(name, value.expose());
    }
    let mut form = call.form.clone().map(Zeroizing::new);
    if let Some(place) = &call.secret {
        if let (Some(form), true) = (&mut form, place.name.starts_with("client_")) {
            for part in ["&", place.name, "=", &form_encoded(secret)] {
                form.push_str(part);
            }
        } else {
            let text = Zeroizing::new(format!("{}{secret}", place.prefix));
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| CredentialError::new("the secret of the host is no header").unavailable())?;
            value.set_sensitive(true);
            request = request.header(place.name, value);
        }
    }
    Ok(match form {
        Some(form) => request.body(form.to_string()),
        None => request,
    })
}

async fn read(mut response: Response) -> reqwest::Result<Reply> {
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let mut body = Vec::new();
    while body.len() < ANSWER_MAX_BYTES {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(part)) => body.extend_from_slice(&part),
            // An error response counts even if it is truncated; any other response fails.
            Err(_) if status >= 400 => break,
            Err(error) => return Err(error),
        }
    }
    body.truncate(ANSWER_MAX_BYTES);
    Ok(Reply {
        status,
        headers,
        body: Secret::from(String::from_utf8_lossy(&body).into_owned()),
    })
}

/// Returns the system's message. reqwest's own message contains only the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost = error.source();
    while let Some(source) = innermost.and_then(|error| error.source()) {
        innermost = Some(source);
    }
    innermost.map_or_else(|| error.to_string(), ToString::to_string)
}
