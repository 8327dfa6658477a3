//! Keeps the token of a managed identity fresh by carrying out the decisions of the schedule.

use std::env;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use copilot_keyless::schedule::{
    Answer, Decision, Failure, FailureKind, Now, Outcome, RefreshPolicy, Schedule,
};
use copilot_keyless::token::{TokenResponse, parse_token_response};
use tokio::sync::watch;

/// Returns a valid token to any number of callers, at any time.
pub struct Tokens {
    scope: String,
    started: Instant,
    state: Mutex<State>,
    /// The number of flights that have ended.
    landings: watch::Sender<u32>,
}

struct State {
    schedule: Schedule,
    token: Option<String>,
    error: String,
    /// The last flight that ended, and whether it returned a token.
    last: (u32, bool),
}

impl Tokens {
    /// Creates the source. It requests no token before the first call of [`Tokens::get`].
    pub fn new(scope: &str) -> Arc<Self> {
        Arc::new(Self {
            scope: scope.to_owned(),
            started: Instant::now(),
            state: Mutex::new(State {
                schedule: Schedule::new(RefreshPolicy::default()).expect("the default policy is valid"),
                token: None,
                error: "There is no token".to_owned(),
                last: (0, false),
            }),
            landings: watch::Sender::new(0),
        })
    }

    /// Returns the token, at once or when the flight in progress ends.
    pub async fn get(self: &Arc<Self>) -> Result<String, String> {
        loop {
            let mut landings = self.landings.subscribe();
            let decision = self.with(|state, now| state.schedule.request(now));
            let awaited = match decision {
                Decision::Use { start, .. } => {
                    if let Some(start) = start {
                        self.launch(start.flight, start.timeout_ms);
                    }
                    return self.with(|state, _| state.token.clone().ok_or_else(|| state.error.clone()));
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
                Decision::Refuse { .. } => return Err(self.with(|state, _| state.error.clone())),
                Decision::Closed => return Err("The token provider is closed".to_owned()),
            };
            // Never fails: `self` owns the sender.
            let _ = landings.changed().await;
            if self.with(|state, _| state.last == (awaited, false)) {
                return Err(self.with(|state, _| state.error.clone()));
            }
        }
    }

    fn launch(self: &Arc<Self>, flight: u32, timeout_ms: i64) {
        let tokens = Arc::clone(self);
        tokio::spawn(async move {
            let timeout = Duration::from_millis(timeout_ms.unsigned_abs());
            if tokio::time::timeout(timeout, tokens.fly(flight)).await.is_err() {
                let error = format!("The identity endpoint gave no token in {timeout:?}");
                tokens.with(|state, now| {
                    state.schedule.timed_out(flight, now, None, chance());
                    state.error = error;
                    state.last = (flight, false);
                });
            }
            tokens.landings.send_modify(|count| *count += 1);
        });
    }

    /// Runs a flight: attempts until the schedule ends it.
    async fn fly(&self, flight: u32) {
        loop {
            let requested = self.now();
            let pause = match self.ask(requested.wall).await {
                Ok(response) => {
                    self.landed(flight, response, requested);
                    None
                }
                Err((failure, error)) => {
                    self.with(
                        |state, now| match state.schedule.failed(flight, now, failure, chance()) {
                            Outcome::Retry { after_ms } => Some(after_ms),
                            _ => {
                                state.error = error;
                                state.last = (flight, false);
                                None
                            }
                        },
                    )
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
        self.with(|state, now| {
            let outcome = state.schedule.acquired(flight, answer, now, chance());
            state.last = (flight, matches!(outcome, Outcome::Accepted | Outcome::Unchanged));
            match outcome {
                Outcome::Accepted => state.token = Some(response.token.into_exposed()),
                Outcome::Refused(error) => state.error = error.to_string(),
                _ => {}
            }
        });
    }

    /// Sends one request to the identity endpoint of App Service, Functions or Container Apps.
    async fn ask(&self, requested_at: i64) -> Result<TokenResponse, (Failure, String)> {
        let unavailable = |_| (failure(None, true), "IDENTITY_ENDPOINT is not set".to_owned());
        let endpoint = env::var("IDENTITY_ENDPOINT").map_err(unavailable)?;
        let header = env::var("IDENTITY_HEADER").map_err(unavailable)?;
        let resource = self.scope.trim_end_matches("/.default");
        let url = format!("{endpoint}?api-version=2019-08-01&resource={resource}");
        // The message of the error contains the address, so do not repeat it.
        let lost = |_| {
            (
                failure(None, false),
                "The identity endpoint cannot be reached".to_owned(),
            )
        };
        let request = reqwest::Client::new()
            .get(url)
            .header("x-identity-header", header);
        let response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(lost)?;
        if status != 200 {
            return Err((
                failure(Some(status), false),
                format!("The identity endpoint answered {status}"),
            ));
        }
        parse_token_response(&body, requested_at, |_| None)
            .map_err(|error| (failure(None, false), error.to_string()))
    }

    fn with<T>(&self, act: impl FnOnce(&mut State, Now) -> T) -> T {
        let now = self.now();
        act(
            &mut self.state.lock().unwrap_or_else(PoisonError::into_inner),
            now,
        )
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            wall: wall.as_millis() as i64,
            mono: self.started.elapsed().as_millis() as i64,
        }
    }
}

fn failure(status: Option<u16>, unavailable: bool) -> Failure {
    Failure {
        kind: FailureKind::of(status, unavailable),
        retry_after_ms: None,
    }
}

/// Returns a number from 0 to 1 for jitter. The clock is random enough to keep a fleet out of step.
fn chance() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    f64::from(now.subsec_nanos() % 1_000_000) / 1e6
}
