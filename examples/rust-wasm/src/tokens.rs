//! The token: the schedule of the core says what to do, the host does it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use copilot_keyless::Error;
use copilot_keyless::request::identity::{self, Call, Request};
use copilot_keyless::schedule::{Decision, Evidence, Now, RefreshPolicy, Schedule};

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
pub struct Tokens<H>(pub(crate) Rc<Parts<H>>);

pub(crate) struct Parts<H> {
    pub(crate) host: H,
    pub(crate) call: Call,
    pub(crate) secret: String,
    pub(crate) state: RefCell<State>,
}

pub(crate) struct State {
    pub(crate) schedule: Schedule,
    pub(crate) token: Rc<str>,
    pub(crate) failure: Option<Error>,
    pub(crate) waiting: Vec<Waker>,
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
}
