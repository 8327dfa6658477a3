//! The provider over a credential in this process, on the paused clock of tokio: what no real endpoint
//! shows in time.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use copilot_keyless_tokio::{
    BoxFuture, Clock, Credential, CredentialError, Phase, TokenProvider, TokenProviders, TokenRequest,
    TokenResponse,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

const SCOPE: &str = "https://ai.azure.com/.default";
const HOUR: Duration = Duration::from_secs(3_600);

/// The clocks of tokio, which stand still while nobody waits.
#[derive(Debug, Clone)]
struct TestClock(Instant);

impl TestClock {
    fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for TestClock {
    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000) + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// What the endpoint does now.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Tokens,
    Hang,
    Status(u16),
    Panic,
    /// The same token each time.
    Same,
}

#[derive(Debug)]
struct Endpoint {
    clock: TestClock,
    mode: watch::Sender<Mode>,
    requests: AtomicUsize,
    lifetime: Duration,
    latency: Duration,
}

impl Endpoint {
    fn new(clock: &TestClock, lifetime: Duration) -> Arc<Self> {
        Arc::new(Self {
            clock: clock.clone(),
            mode: watch::Sender::new(Mode::Tokens),
            requests: AtomicUsize::new(0),
            lifetime,
            latency: Duration::from_millis(50),
        })
    }

    fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Credential for Endpoint {
    fn acquire<'a>(
        &'a self,
        request: &'a TokenRequest,
    ) -> BoxFuture<'a, Result<TokenResponse, CredentialError>> {
        Box::pin(async move {
            let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
            sleep(self.latency).await;
            let mode = *self.mode.borrow();
            let name = match mode {
                Mode::Hang => std::future::pending().await,
                Mode::Status(status) => return Err(CredentialError::new("failed").with_status(status)),
                Mode::Panic => panic!("the credential is broken"),
                Mode::Same => "same".to_owned(),
                Mode::Tokens => format!(
                    "token-{number}{}",
                    request.claims.as_deref().map_or("", |_| "-claims")
                ),
            };
            Ok(TokenResponse::new(name, self.clock.wall() + self.lifetime))
        })
    }
}

struct Setup {
    tokens: TokenProvider,
    endpoint: Arc<Endpoint>,
}

fn setup(lifetime: Duration) -> Setup {
    let clock = TestClock::new();
    let endpoint = Endpoint::new(&clock, lifetime);
    let builder = TokenProvider::builder()
        .scope(SCOPE)
        .credential(Arc::clone(&endpoint));
    let tokens = builder.clock(clock).build().unwrap();
    Setup { tokens, endpoint }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_cold_callers_share_one_request() {
    let Setup { tokens, endpoint } = setup(HOUR);
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let tokens = tokens.clone();
            tokio::spawn(async move { tokens.token().await.unwrap().secret().to_owned() })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "token-1");
    }
    assert_eq!(endpoint.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_or_failing_endpoint_stops_nobody_while_the_token_is_good() {
    for mode in [Mode::Hang, Mode::Status(500), Mode::Status(400)] {
        let Setup { tokens, endpoint } = setup(HOUR);
        assert_eq!(tokens.token().await.unwrap().secret(), "token-1");
        endpoint.set(mode);
        // 298 s are left.
        sleep(Duration::from_secs(3_302)).await;
        let began = Instant::now();
        for _ in 0..100 {
            assert_eq!(tokens.token().await.unwrap().secret(), "token-1");
        }
        assert_eq!(began.elapsed(), Duration::ZERO, "{mode:?}");
        sleep(Duration::from_secs(60)).await;
        assert_eq!(tokens.token().await.unwrap().secret(), "token-1");
        // The longest background refresh.
        sleep(Duration::from_secs(31)).await;
        assert_eq!(tokens.token().await.unwrap().secret(), "token-1");
        assert!(endpoint.requests() >= 2, "it refreshes in the background");
        assert!(tokens.status().last_failure.is_some(), "{mode:?}");
        endpoint.set(Mode::Tokens);
        sleep(Duration::from_secs(100)).await;
        tokens.token().await.unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_ne!(tokens.token().await.unwrap().secret(), "token-1", "it recovers");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_token_callers_learn_the_endpoints_error_in_time() {
    let Setup { tokens, endpoint } = setup(HOUR);
    endpoint.set(Mode::Hang);
    let began = Instant::now();
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.code(), "token/timeout");
    assert_eq!(began.elapsed().as_secs(), 15);
    assert!(error.retry_after().is_some() && !error.hint().is_empty());

    endpoint.set(Mode::Status(503));
    let error = tokens.token().await.unwrap_err();
    assert_eq!(
        (error.code(), error.status()),
        ("credential/server-error", Some(503))
    );

    sleep(Duration::from_secs(300)).await;
    endpoint.set(Mode::Status(400));
    let before = endpoint.requests();
    assert_eq!(tokens.token().await.unwrap_err().code(), "credential/refused");
    assert_eq!(tokens.token().await.unwrap_err().code(), "credential/refused");
    assert_eq!(endpoint.requests(), before + 1, "a permanent error is remembered");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_ends_nobodys_acquisition() {
    let Setup { tokens, endpoint } = setup(HOUR);
    let impatient = tokio::time::timeout(Duration::from_millis(10), tokens.token());
    assert!(impatient.await.is_err());
    assert_eq!(tokens.token().await.unwrap().secret(), "token-1");
    assert_eq!(endpoint.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn another_scope_that_hangs_blocks_nobody() {
    let clock = TestClock::new();
    let endpoint = Endpoint::new(&clock, Duration::from_secs(20));
    let providers = TokenProviders::new(Arc::clone(&endpoint));
    let ours = providers.for_scope(SCOPE).unwrap();
    ours.token().await.unwrap_err(); // The clock of the endpoint is not that of the system.
    endpoint.set(Mode::Hang);
    let other = providers.for_scope("https://storage.azure.com/.default").unwrap();
    let waiting = tokio::spawn(async move { other.token().await });
    sleep(Duration::from_millis(100)).await;
    endpoint.set(Mode::Status(400));
    assert_eq!(ours.token().await.unwrap_err().code(), "expiry/already-expired");
    assert!(!waiting.is_finished());
    assert_eq!(
        providers.for_scope(SCOPE).unwrap().status().phase,
        ours.status().phase
    );
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_once_in_thirty_seconds() {
    let Setup { tokens, endpoint } = setup(HOUR);
    let first = tokens.token().await.unwrap();
    assert!(tokens.reject(&first));
    assert!(!tokens.reject(&first), "it is no longer the current one");
    assert!(tokens.try_token().is_none());
    let second = tokens.token().await.unwrap();
    assert_eq!(second.secret(), "token-2");
    assert!(!tokens.reject(&first), "an old one");
    assert!(!tokens.reject(&second), "too soon");
    sleep(Duration::from_secs(30)).await;
    assert!(tokens.reject(&second));
    assert_eq!(endpoint.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_that_comes_again_is_told() {
    let Setup { tokens, endpoint } = setup(HOUR);
    endpoint.set(Mode::Same);
    let first = tokens.token().await.unwrap();
    assert!(tokens.reject(&first));
    assert_eq!(tokens.token().await.unwrap_err().code(), "token/rejected-again");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        tokens.token().await.unwrap().secret(),
        "same",
        "the role may have been assigned"
    );
}

#[tokio::test(start_paused = true)]
async fn a_challenge_leads_to_a_token_with_its_claims() {
    let Setup { tokens, endpoint } = setup(HOUR);
    let header = r#"Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ""#;
    let first = tokens.token().await.unwrap();
    assert!(tokens.challenge(&first, header));
    let second = tokens.token().await.unwrap();
    assert_eq!(second.secret(), "token-2-claims");
    assert!(
        tokens.challenge(&first, header),
        "another caller: the token is there already"
    );
    assert!(!tokens.challenge(&second, header), "too soon");
    assert_eq!(endpoint.requests(), 2);
    sleep(HOUR).await;
    assert_eq!(tokens.token().await.unwrap().secret(), "token-3");
}

#[tokio::test(start_paused = true)]
async fn keep_fresh_refreshes_while_nobody_asks() {
    let clock = TestClock::new();
    let endpoint = Endpoint::new(&clock, HOUR);
    let builder = TokenProvider::builder()
        .scope(SCOPE)
        .credential(Arc::clone(&endpoint));
    let tokens = builder.clock(clock).keep_fresh(true).build().unwrap();
    sleep(HOUR).await;
    assert_eq!(endpoint.requests(), 0, "nothing runs before it is asked");
    tokens.token().await.unwrap();
    sleep(10 * HOUR).await;
    let requests = endpoint.requests();
    assert!((11..=12).contains(&requests), "{requests}");
    assert_eq!(tokens.status().phase, Phase::Fresh);
    drop(tokens);
    sleep(10 * HOUR).await;
    assert_eq!(endpoint.requests(), requests, "the last drop ends the task");
    assert_eq!(
        Arc::strong_count(&endpoint),
        1,
        "and nothing holds the credential"
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_drop_ends_an_acquisition() {
    let Setup { tokens, endpoint } = setup(HOUR);
    endpoint.set(Mode::Hang);
    let impatient = tokio::time::timeout(Duration::from_secs(1), tokens.token());
    assert!(impatient.await.is_err());
    drop(tokens);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(Arc::strong_count(&endpoint), 1);
}

#[tokio::test(start_paused = true)]
async fn close_ends_everything_and_can_be_repeated() {
    let Setup { tokens, endpoint } = setup(HOUR);
    endpoint.set(Mode::Hang);
    let mut changes = tokens.watch();
    let waiting = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.token().await }
    });
    changes.wait_for(|status| status.refreshing).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    tokens.close().await;
    tokens.close().await;
    assert_eq!(waiting.await.unwrap().unwrap_err().code(), "token/closed");
    assert_eq!(tokens.token().await.unwrap_err().code(), "token/closed");
    assert!(tokens.try_token().is_none());
    assert_eq!(changes.borrow().phase, Phase::Closed);
    assert_eq!(Arc::strong_count(&endpoint), 2, "the provider's, and the test's");
}

#[tokio::test(start_paused = true)]
async fn the_cause_of_a_failure_is_told_with_its_next_step() {
    let refused = |_| async {
        let cause = std::io::Error::other("AADSTS7000222: The provided client secret keys are expired.");
        Err(CredentialError::new("no token")
            .with_status(401)
            .with_source(cause))
    };
    let credential = copilot_keyless_tokio::credential_fn(refused);
    let tokens = TokenProvider::builder().scope(SCOPE).credential(credential);
    let error = tokens.build().unwrap().token().await.unwrap_err();
    assert_eq!((error.code(), error.status()), ("credential/refused", Some(401)));
    assert!(
        error.hint().contains("az ad app credential reset"),
        "{}",
        error.hint()
    );
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_panics_is_told() {
    let Setup { tokens, endpoint } = setup(HOUR);
    endpoint.set(Mode::Panic);
    assert_eq!(tokens.token().await.unwrap_err().code(), "credential/failed");
    endpoint.set(Mode::Tokens);
    assert_eq!(tokens.token().await.unwrap().secret(), "token-2");
}

#[test]
fn outside_of_a_runtime_there_is_an_error_or_the_token() {
    let soon = |_| async { Ok(TokenResponse::new("secret", SystemTime::now() + HOUR)) };
    let credential = copilot_keyless_tokio::credential_fn(soon);
    let tokens = TokenProvider::builder()
        .scope(SCOPE)
        .credential(credential)
        .build()
        .unwrap();
    assert_eq!(block_on(tokens.token()).unwrap_err().code(), "token/no-runtime");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(tokens.token()).unwrap();
    drop(runtime);
    assert_eq!(block_on(tokens.token()).unwrap().secret(), "secret");
    assert_eq!(tokens.try_token().unwrap().secret(), "secret");
}

#[test]
fn a_runtime_that_ends_wakes_those_who_wait_in_another() {
    let hang = |_| std::future::pending::<Result<TokenResponse, CredentialError>>();
    let credential = copilot_keyless_tokio::credential_fn(hang);
    let tokens = TokenProvider::builder()
        .scope(SCOPE)
        .credential(credential)
        .build()
        .unwrap();
    let first = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let started =
        first.block_on(async { tokio::time::timeout(Duration::from_millis(20), tokens.token()).await });
    assert!(started.is_err());
    let waiting = std::thread::spawn({
        let tokens = tokens.clone();
        move || {
            let second = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            second.block_on(tokens.token())
        }
    });
    std::thread::sleep(Duration::from_millis(100));
    first.shutdown_background();
    let error = waiting.join().unwrap().unwrap_err();
    assert_eq!(error.code(), "token/no-runtime");
    assert!(error.is_retryable());
    assert!(!tokens.status().refreshing);
}

/// Runs a future without tokio.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::yield_now();
    }
}
