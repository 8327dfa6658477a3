//! Tries the interleavings of threads with loom, over the real schedule: `npm run tool crates -- model`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::UNIX_EPOCH;

use copilot_keyless::schedule::{Answer, Now, Outcome};
use loom::sync::Mutex;
use loom::thread;

use super::RefreshPolicy;
use super::cache::{self, Cache, Choice};
use crate::Token;

/// The first token, good for an hour.
const START: Now = Now {
    wall: 1_700_000_000_000,
    mono: 1_000,
};

/// Past the refresh time of the first token, before its end.
const DUE: Now = at(3_590_000 - 200_000);

const fn at(millis: i64) -> Now {
    Now {
        wall: START.wall + millis,
        mono: START.mono + millis,
    }
}

struct Flight(u32);

impl cache::Flight for Flight {
    fn id(&self) -> u32 {
        self.0
    }
}

/// A provider without a runtime: whoever opens a flight must land it.
struct Provider {
    cache: Cache<Flight>,
    opened: AtomicUsize,
}

impl Provider {
    fn new() -> Arc<Self> {
        let cache = Cache::new(RefreshPolicy::default()).unwrap();
        let opened = AtomicUsize::new(0);
        Arc::new(Self { cache, opened })
    }

    /// A provider with the token `1`.
    fn with_token() -> Arc<Self> {
        let provider = Self::new();
        let (_, flight) = provider.ask(START);
        provider.land(flight.unwrap(), "1", START);
        provider.ask(START);
        provider
    }

    /// Returns a token if there is one, and the flight that this caller has to land.
    fn ask(&self, now: Now) -> (Option<Token>, Option<u32>) {
        let mut flight = None;
        let ready = self.cache.ready(now, |mut state| {
            let choice = self.decide(&mut state, now, &mut flight);
            choice.ok()
        });
        let token = ready.or_else(|| self.decide(&mut self.cache.lock(), now, &mut flight).ok());
        (token, flight)
    }

    fn decide(
        &self,
        state: &mut super::state::State<Flight>,
        now: Now,
        flight: &mut Option<u32>,
    ) -> Result<Token, Choice> {
        let choice = self.cache.decide(state, now, |state, start, _| {
            self.opened.fetch_add(1, Ordering::Relaxed);
            *flight = Some(start.flight);
            state.flight = Some(Flight(start.flight));
        });
        match choice {
            Choice::Use(token) => Ok(token),
            other => Err(other),
        }
    }

    fn land(&self, flight: u32, secret: &str, now: Now) -> Outcome {
        let mut state = self.cache.lock();
        let answer = Answer {
            requested: now,
            expires_on: (now.wall + 3_600_000) as f64,
            refresh_after: None,
        };
        let token = |_: &_| Token::new(secret, UNIX_EPOCH);
        let outcome = Cache::take(&mut state, flight, token, answer, now, 0.0);
        if outcome != Outcome::Ignored {
            self.cache.end(&mut state, flight, now);
        }
        outcome
    }
}

fn number(token: &Token) -> u32 {
    token.secret().parse().unwrap()
}

/// The highest number that a thread has seen. What one has seen, none may fall behind.
struct Seen(Mutex<u32>);

impl Seen {
    fn read(&self, provider: &Provider, now: Now) -> Option<u32> {
        let floor = *self.0.lock().unwrap();
        let (token, flight) = provider.ask(now);
        if let Some(flight) = flight {
            provider.land(flight, "2", now);
        }
        let number = number(&token?);
        assert!(number >= floor, "token {number} after token {floor}");
        let mut seen = self.0.lock().unwrap();
        *seen = number.max(*seen);
        Some(number)
    }
}

/// Threads read on both sides of the refresh time. Each read gets a token, none an older one than was
/// seen before, and one of them refreshes it.
#[test]
fn readers_while_a_refresh_lands() {
    explore(|| {
        let provider = Provider::with_token();
        let seen = Arc::new(Seen(Mutex::new(1)));
        let reader = {
            let (provider, seen) = (Arc::clone(&provider), Arc::clone(&seen));
            thread::spawn(move || [at(1), DUE, DUE].map(|now| seen.read(&provider, now).unwrap()))
        };
        let here = [DUE, DUE].map(|now| seen.read(&provider, now).unwrap());
        let there = reader.join().unwrap();
        assert!(here.is_sorted() && there.is_sorted());
        assert_eq!(provider.opened.load(Ordering::Relaxed), 2, "one refresh");
        assert_eq!(seen.read(&provider, DUE), Some(2));
    });
}

/// A thread that holds the old token and what it read with it does not get it again once another thread
/// has seen the new one.
#[test]
fn no_reader_falls_behind_another() {
    explore(|| {
        let provider = Provider::with_token();
        let seen = Arc::new(Seen(Mutex::new(1)));
        let flight = provider.ask(DUE).1.unwrap();
        let readers = [true, false].map(|before| {
            let (provider, seen) = (Arc::clone(&provider), Arc::clone(&seen));
            thread::spawn(move || {
                let held = before.then(|| provider.ask(DUE));
                seen.read(&provider, DUE);
                drop(held);
            })
        });
        assert_eq!(provider.land(flight, "2", DUE), Outcome::Accepted);
        for reader in readers {
            reader.join().unwrap();
        }
        assert_eq!(seen.read(&provider, DUE), Some(2));
    });
}

/// While another caller holds the lock, a reader gets the good token: waiting would be a deadlock.
#[test]
fn no_reader_waits_for_the_lock() {
    explore(|| {
        let provider = Provider::with_token();
        let state = provider.cache.lock();
        let reader = Arc::clone(&provider);
        let read = thread::spawn(move || [at(1), DUE].map(|now| number(&reader.ask(now).0.unwrap())));
        assert_eq!(read.join().unwrap(), [1, 1]);
        drop(state);
    });
}

/// Two threads reject the same token, a minute apart. It is rejected once, the token after it is not, and
/// nobody gets it once a rejection has returned.
#[test]
fn a_token_is_rejected_once() {
    explore(|| {
        let provider = Provider::with_token();
        let token = provider.ask(at(1)).0.unwrap();
        let reject = |provider: Arc<Provider>, token: Token, now: Now| {
            let rejected = provider.cache.reject(&token, now).is_some();
            let (next, flight) = provider.ask(now);
            assert!(next.is_none_or(|next| number(&next) == 2), "a rejected token");
            if let Some(flight) = flight {
                // Ignored, if the other thread finds it overdue and starts another.
                provider.land(flight, "2", now);
            }
            rejected
        };
        let other = {
            let (provider, token) = (Arc::clone(&provider), token.clone());
            thread::spawn(move || reject(provider, token, at(60_000)))
        };
        let here = reject(Arc::clone(&provider), token, at(2));
        assert!(here ^ other.join().unwrap(), "both, or none");
        assert_eq!(number(&provider.ask(at(60_001)).0.unwrap()), 2);
    });
}

/// Callers without a token start one acquisition together.
#[test]
fn cold_callers_start_one_flight() {
    explore(|| {
        let provider = Provider::new();
        let ask = |provider: &Provider| {
            let (token, flight) = provider.ask(START);
            if let Some(flight) = flight {
                assert_eq!(provider.land(flight, "1", START), Outcome::Accepted);
            }
            token.is_some() || flight.is_some()
        };
        let others: Vec<_> = (0..2)
            .map(|_| {
                let provider = Arc::clone(&provider);
                thread::spawn(move || ask(&provider))
            })
            .collect();
        ask(&provider);
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(provider.opened.load(Ordering::Relaxed), 1);
        assert_eq!(number(&provider.ask(START).0.unwrap()), 1);
    });
}

/// Once it is closed, no thread gets a token, and a flight that lands brings none back.
#[test]
fn closed_is_closed() {
    explore(|| {
        let provider = Provider::with_token();
        let reader = {
            let provider = Arc::clone(&provider);
            thread::spawn(move || {
                assert!(provider.ask(at(1)).0.is_none_or(|token| number(&token) == 1));
                let (_, flight) = provider.ask(DUE);
                if let Some(flight) = flight {
                    provider.land(flight, "2", DUE);
                }
            })
        };
        // What this thread keeps is void, too.
        provider.ask(at(1));
        drop(provider.cache.close(at(2)));
        assert!(provider.ask(at(3)).0.is_none());
        reader.join().unwrap();
        assert!(provider.ask(DUE).0.is_none());
    });
}

/// All interleavings with at most three switches of a thread that could go on.
fn explore(case: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(case);
}
