//! The token: the schedule of the core says what to do, the host does it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use copilot_keyless::Error;
use copilot_keyless::request::identity::{self, Answer, Call, Request, Verdict};
use copilot_keyless::schedule::{
    self, Decision, Evidence, Failure, FailureKind, Now, Outcome, RefreshPolicy, Schedule,
};

use crate::executor::spawn;

/// The clock, the timer and HTTP.
pub trait Host: 'static {
    /// The wall clock and a monotonic one, in milliseconds.
    fn now(&self) -> Now;
    /// Uniform in 0..1.
    fn random(&self) -> f64;
    /// Waits for so many milliseconds.
    fn sleep(&self, ms: i64) -> impl Future<Output = ()>;
    /// Sends a `GET` with these headers. Returns the status and the body: 0 and the reason without an answer.
    fn get(&self, url: &str, headers: &[(&str, &str)]) -> impl Future<Output = (u16, String)>;
}

/// The token of a managed identity, for one scope. Clones share it.
pub struct Tokens<H>(Rc<Parts<H>>);

struct Parts<H> {
    host: H,
    call: Call,
    secret: String,
    state: RefCell<State>,
}

struct State {
    schedule: Schedule,
    token: Rc<str>,
    failure: Option<Error>,
    waiting: Vec<Waker>,
}

impl<H> Clone for Tokens<H> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<H: Host> Tokens<H> {
    /// Plans the request for the endpoint and the header of App Service. Asks nothing yet.
    pub fn new(host: H, endpoint: &str, header: &str, scope: &str) -> Result<Self, Error> {
        let env = [("IDENTITY_ENDPOINT", endpoint), ("IDENTITY_HEADER", header)];
        let call = identity::call(&Request {
            scopes: vec![scope.to_owned()],
            env: env
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .collect(),
            ..Request::default()
        })?;
        let state = RefCell::new(State {
            schedule: Schedule::new(RefreshPolicy::default())?,
            token: "".into(),
            failure: None,
            waiting: Vec::new(),
        });
        let secret = header.to_owned();
        Ok(Self(Rc::new(Parts {
            host,
            call,
            secret,
            state,
        })))
    }

    /// Returns the token. Waits only if there is none that is good; a refresh runs beside.
    pub async fn token(&self) -> Result<Rc<str>, Error> {
        poll_fn(|context| {
            let mut state = self.0.state.borrow_mut();
            match state.schedule.request(self.0.host.now()) {
                Decision::Use { start, .. } => {
                    if let Some(start) = start {
                        spawn(self.clone().acquire(start.flight, start.timeout_ms));
                    }
                    Poll::Ready(Ok(Rc::clone(&state.token)))
                }
                Decision::Wait {
                    flight,
                    timeout_ms,
                    start,
                } => {
                    state.waiting.push(context.waker().clone());
                    if start {
                        spawn(self.clone().acquire(flight, timeout_ms));
                    }
                    Poll::Pending
                }
                Decision::Refuse { .. } | Decision::Closed => {
                    let none = || Evidence::default().error("no answer in time");
                    Poll::Ready(Err(state.failure.clone().unwrap_or_else(none)))
                }
            }
        })
        .await
    }

    /// Waits until no request is under way: a host may end before that otherwise.
    pub async fn idle(&self) {
        poll_fn(|context| {
            let mut state = self.0.state.borrow_mut();
            if !state.schedule.status(self.0.host.now()).refreshing {
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Carries out an acquisition, then wakes those who wait.
    async fn acquire(self, flight: u32, timeout_ms: i64) {
        let host = &self.0.host;
        let (mut attempts, mut limit) = (pin!(self.attempts(flight)), pin!(host.sleep(timeout_ms)));
        poll_fn(|context| {
            if attempts.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            limit.as_mut().poll(context).map(|()| {
                let mut state = self.0.state.borrow_mut();
                state.schedule.timed_out(flight, host.now(), None, host.random());
            })
        })
        .await;
        let waiting = std::mem::take(&mut self.0.state.borrow_mut().waiting);
        waiting.into_iter().for_each(Waker::wake);
    }

    async fn attempts(&self, flight: u32) {
        let Parts {
            host, call, secret, ..
        } = &*self.0;
        loop {
            let requested = host.now();
            let name = call
                .secret
                .as_ref()
                .map_or("x-identity-header", |place| place.name);
            let (status, body) = host.get(&call.url, &[(name, secret)]).await;
            let verdict = identity::judge(&Answer {
                source: call.source,
                status,
                body: body.into(),
                secret: secret.as_str().into(),
                requested_at: requested.wall,
                ..Answer::default()
            });
            let (now, random) = (host.now(), host.random());
            let mut state = self.0.state.borrow_mut();
            let error = match verdict {
                Verdict::Token(found) => {
                    let expires_on = found.expires_on_timestamp as f64;
                    let answer = schedule::Answer {
                        requested,
                        expires_on,
                        refresh_after: None,
                    };
                    match state.schedule.acquired(flight, answer, now, random) {
                        Outcome::Accepted => state.token = found.token.expose().into(),
                        Outcome::Refused(error) => state.failure = Some(error),
                        _ => {}
                    }
                    return;
                }
                Verdict::Failure(failure) => {
                    let network = failure.status.is_none();
                    Evidence {
                        status: failure.status,
                        network,
                        ..Evidence::default()
                    }
                    .error(&failure.message)
                }
                Verdict::Error(error) => error,
                Verdict::Assertion(_) | Verdict::NotRenewed(_) => return,
            };
            state.failure = Some(error);
            let kind = FailureKind::of(Some(status).filter(|status| *status != 0), false);
            let failure = Failure {
                kind,
                retry_after_ms: None,
            };
            let outcome = state.schedule.failed(flight, now, failure, random);
            drop(state);
            match outcome {
                Outcome::Retry { after_ms } => host.sleep(after_ms).await,
                _ => return,
            }
        }
    }
}
