//! An acquisition: one attempt after another, until the schedule ends it.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Poll, Waker};

use copilot_keyless::request::identity::{self, Answer, Verdict};
use copilot_keyless::schedule::{self, Evidence, Failure, FailureKind, Now, Outcome};

use crate::tokens::{Host, Parts, Tokens};

impl<H: Host> Tokens<H> {
    /// Carries out an acquisition, then wakes those who wait.
    pub(crate) async fn acquire(self, flight: u32, timeout_ms: i64) {
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
        let name = call
            .secret
            .as_ref()
            .map_or("x-identity-header", |place| place.name);
        loop {
            let requested = host.now();
            let (status, body) = host.get(&call.url, &[(name, secret)]).await;
            match self.answered(flight, requested, status, body) {
                Some(pause) => host.sleep(pause).await,
                None => return,
            }
        }
    }

    /// Reports an answer to the schedule. Returns the pause before another attempt, if there shall be one.
    fn answered(&self, flight: u32, requested: Now, status: u16, body: String) -> Option<i64> {
        let Parts {
            host,
            call,
            secret,
            state,
        } = &*self.0;
        let verdict = identity::judge(&Answer {
            source: call.source,
            status,
            body: body.into(),
            secret: secret.as_str().into(),
            requested_at: requested.wall,
            ..Answer::default()
        });
        let (now, random) = (host.now(), host.random());
        let mut state = state.borrow_mut();
        let status = Some(status).filter(|status| *status != 0);
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
                return None;
            }
            Verdict::Failure(failure) => {
                let network = status.is_none();
                Evidence {
                    status,
                    network,
                    ..Evidence::default()
                }
                .error(&failure.message)
            }
            Verdict::Error(error) => error,
            Verdict::Assertion(_) | Verdict::NotRenewed(_) => return None,
        };
        state.failure = Some(error);
        let failure = Failure {
            kind: FailureKind::of(status, false),
            retry_after_ms: None,
        };
        match state.schedule.failed(flight, now, failure, random) {
            Outcome::Retry { after_ms } => Some(after_ms),
            _ => None,
        }
    }
}
