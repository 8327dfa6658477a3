//! Keeps the token of a managed identity fresh by carrying out the decisions of the schedule.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use copilot_keyless::schedule::{
    Answer, Decision, Failure as Failed, FailureKind, Now, Outcome, RefreshPolicy, Schedule,
};
use copilot_keyless::token::{TokenResponse, parse_token_response};
use copilot_keyless::{Secret, Variables};
use http_body::Body as _;
use hyper::header::HeaderValue;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;

use crate::clock;
use crate::connector::{Connector, tls};
use crate::failure::Failure;
use crate::request_body::Sent;

/// A token, and which one it is.
#[derive(Clone)]
pub(crate) struct Token {
    header: HeaderValue,
    secret: Secret,
}

impl Token {
    pub(crate) fn header_value(&self) -> HeaderValue {
        self.header.clone()
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// Returns a valid token to any number of callers, at any time.
#[derive(Clone)]
pub(crate) struct Tokens(Arc<Inner>);

struct Inner {
    scope: String,
    endpoint: Option<String>,
    header: Option<Secret>,
    client: Client<Connector, Sent>,
    state: Mutex<State>,
    /// The number of flights that have ended.
    landings: watch::Sender<u32>,
}

struct State {
    schedule: Schedule,
    token: Option<Token>,
    error: Failure,
    /// The last flight that ended, and whether it returned a token.
    last: (u32, bool),
}

impl Tokens {
    pub(crate) fn new(scope: &str, env: &Variables) -> Result<Self, Failure> {
        let text = |name: &str| env.get(name).map(|value| value.expose().to_owned());
        let tls =
            tls(false).map_err(|_| Failure::new("credential/configuration", "TLS cannot be set up."))?;
        Ok(Self(Arc::new(Inner {
            scope: scope.to_owned(),
            endpoint: text("IDENTITY_ENDPOINT"),
            header: env.get("IDENTITY_HEADER").cloned(),
            client: Client::builder(TokioExecutor::new())
                .pool_max_idle_per_host(0)
                .build(Connector::new(tls, Duration::from_secs(10))),
            state: Mutex::new(State {
                schedule: Schedule::new(RefreshPolicy::default())?,
                token: None,
                error: Failure::new("credential/unavailable", "There is no token."),
                last: (0, false),
            }),
            landings: watch::Sender::new(0),
        })))
    }

    /// Returns the token, at once or when the flight in progress ends.
    pub(crate) async fn token(&self) -> Result<Token, Failure> {
        loop {
            let mut landings = self.0.landings.subscribe();
            let decision = self.state().schedule.request(now());
            let awaited = match decision {
                Decision::Use { start, .. } => {
                    if let Some(start) = start {
                        self.launch(start.flight, start.timeout_ms);
                    }
                    let state = self.state();
                    return state.token.clone().ok_or_else(|| state.error.clone());
                }
                Decision::Wait {
                    flight,
                    timeout_ms,
                    start,
                } => {
                    if start {
                        self.launch(flight, timeout_ms);
                    }
                    flight
                }
                Decision::Refuse { .. } => return Err(self.state().error.clone()),
                Decision::Closed => return Err(Failure::new("token/closed", "The tokens are closed.")),
            };
            // Never fails: `self` owns the sender.
            let _ = landings.changed().await;
            let state = self.state();
            if state.last == (awaited, false) {
                return Err(state.error.clone());
            }
        }
    }

    /// Notes that the resource refused a token.
    pub(crate) fn reject(&self, token: &Token) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|own| own.secret == token.secret) {
            state.schedule.invalidate(now());
        }
    }

    /// Notes that the resource asks for claims.
    pub(crate) fn challenge(&self, token: &Token, _www_authenticate: &str) {
        self.reject(token);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launch(&self, flight: u32, timeout_ms: i64) {
        let tokens = self.clone();
        tokio::spawn(async move {
            let timeout = Duration::from_millis(timeout_ms.unsigned_abs());
            if tokio::time::timeout(timeout, tokens.fly(flight)).await.is_err() {
                let mut state = tokens.state();
                state.schedule.timed_out(flight, now(), None, fastrand::f64());
                state.error = Failure {
                    retryable: true,
                    ..Failure::new(
                        "token/timeout",
                        format!("The identity endpoint gave no token in {timeout:?}"),
                    )
                };
                state.last = (flight, false);
            }
            tokens.0.landings.send_modify(|count| *count += 1);
        });
    }

    /// Runs a flight: attempts until the schedule ends it.
    async fn fly(&self, flight: u32) {
        loop {
            let requested = now();
            let pause = match self.ask(requested.wall).await {
                Ok(response) => {
                    self.landed(flight, response, requested);
                    None
                }
                Err((failed, error)) => {
                    let mut state = self.state();
                    let next = state.schedule.failed(flight, now(), failed, fastrand::f64());
                    if let Outcome::Retry { after_ms } = next {
                        Some(after_ms)
                    } else {
                        state.error = error;
                        state.last = (flight, false);
                        None
                    }
                }
            };
            let Some(ms) = pause else { return };
            tokio::time::sleep(Duration::from_millis(ms.unsigned_abs())).await;
        }
    }

    fn landed(&self, flight: u32, response: TokenResponse, requested: Now) {
        let lifetime = response.lifetime;
        let answer = Answer {
            requested,
            expires_on: lifetime.expires() as f64,
            refresh_after: lifetime.refresh_after().map(|at| at as f64),
        };
        let mut state = self.state();
        let outcome = state.schedule.acquired(flight, answer, now(), fastrand::f64());
        state.last = (flight, matches!(outcome, Outcome::Accepted | Outcome::Unchanged));
        match outcome {
            Outcome::Accepted => {
                let secret = response.token;
                if let Ok(mut header) = HeaderValue::try_from(format!("Bearer {}", secret.expose())) {
                    header.set_sensitive(true);
                    state.token = Some(Token { header, secret });
                }
            }
            Outcome::Refused(error) => state.error = error.into(),
            _ => {}
        }
    }

    /// Sends one request to the identity endpoint of App Service, Functions or Container Apps.
    async fn ask(&self, requested_at: i64) -> Result<TokenResponse, (Failed, Failure)> {
        let inner = &self.0;
        let missing = || {
            let error = Failure::new("credential/unavailable", "No credential is available here");
            (failed(None, true), error.hint("Set IDENTITY_ENDPOINT."))
        };
        let lost = || {
            let error = Failure::new("credential/network", "The identity endpoint cannot be reached");
            (
                failed(None, false),
                Failure {
                    retryable: true,
                    ..error
                },
            )
        };
        let (Some(endpoint), Some(header)) = (&inner.endpoint, &inner.header) else {
            return Err(missing());
        };
        let resource = inner.scope.trim_end_matches("/.default");
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("{endpoint}?api-version=2019-08-01&resource={resource}"))
            .header("x-identity-header", header.expose())
            .body(Sent::Whole(None))
            .map_err(|_| missing())?;
        let mut response = inner.client.request(request).await.map_err(|_| lost())?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(response.body_mut()).poll_frame(cx)).await
        {
            let frame = frame.map_err(|_| lost())?;
            if let (Ok(bytes), true) = (frame.into_data(), body.len() < 65_536) {
                body.extend_from_slice(&bytes);
            }
        }
        if status != 200 {
            let kind = failed(Some(status), false);
            let (code, retryable) = match status {
                429 => ("credential/throttled", true),
                500.. => ("credential/server-error", true),
                _ => ("credential/refused", false),
            };
            let error = Failure::new(code, format!("The identity endpoint answered HTTP {status}"));
            return Err((kind, Failure { retryable, ..error }));
        }
        parse_token_response(&body, requested_at, |_| None)
            .map_err(|error| (failed(None, false), error.into()))
    }
}

fn now() -> Now {
    Now {
        wall: clock::wall(),
        mono: clock::monotonic(),
    }
}

fn failed(status: Option<u16>, unavailable: bool) -> Failed {
    Failed {
        kind: FailureKind::of(status, unavailable),
        retry_after_ms: None,
    }
}
