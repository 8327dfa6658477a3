//! What callers read without a lock.
//!
//! The token and its limits are published in one piece. Each thread keeps the limits and a weak pointer
//! to a replica of the token, whose clones it counts without the other threads. The version says whether
//! that is still what is published.

use std::cell::RefCell;
use std::sync::atomic::{self, Ordering};
use std::sync::{Arc, TryLockError};

use copilot_keyless::schedule::Now;

use crate::Token;
use crate::sync::{ArcSwapOption, AtomicU64, Mutex, thread_local};
use crate::token::WeakToken;

/// The providers whose tokens a thread keeps at hand.
const PLACES: usize = 8;

/// The most replicas of a token. More threads share them.
const MAX_REPLICAS: usize = 64;

/// A number that no other place or version of the process has.
fn unique() -> u64 {
    static NEXT: atomic::AtomicU64 = atomic::AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

thread_local! {
    static RECENT: [RefCell<Option<Recent>>; PLACES] = std::array::from_fn(|_| RefCell::new(None));
}

/// What a thread read last of a provider. Keeps no token.
struct Recent {
    version: u64,
    limits: Limits,
    token: WeakToken,
}

/// Until when a token may be used.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// When it was published, on the wall clock. An earlier time means that the clock was set back.
    pub(super) since: i64,
    /// Until when the token may be used without asking the schedule.
    pub(super) use_until: Now,
    /// Until when the token is good at all.
    pub(super) good_until: Now,
}

/// What limits say at a time.
#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Use,
    Good,
    Over,
}

impl Limits {
    fn phase(&self, now: Now) -> Phase {
        let before = |limit: Now| now.wall < limit.wall && now.mono < limit.mono;
        if now.wall < self.since || !before(self.good_until) {
            Phase::Over
        } else if before(self.use_until) {
            Phase::Use
        } else {
            Phase::Good
        }
    }
}

/// What a caller does.
pub(super) enum Reading {
    /// Use the token.
    Use(Token),
    /// Ask the schedule if nobody else does; the token is good.
    Good(Token),
    /// Ask the schedule.
    Over,
}

struct Snapshot {
    version: u64,
    token: Token,
    limits: Limits,
    replicas: Mutex<Replicas>,
}

#[derive(Default)]
struct Replicas {
    all: Vec<Token>,
    next: usize,
}

impl Snapshot {
    /// Returns a replica of the token, one for each thread that asks.
    fn replica(&self) -> Token {
        let mut replicas = match self.replicas.try_lock() {
            Ok(replicas) => replicas,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Nobody waits here.
            Err(TryLockError::WouldBlock) => return self.token.clone(),
        };
        let Replicas { all, next } = &mut *replicas;
        if all.len() < MAX_REPLICAS {
            all.push(self.token.replica());
        }
        *next = next.wrapping_add(1);
        let found = all.get(next.wrapping_sub(1) % all.len().max(1));
        found.unwrap_or(&self.token).clone()
    }
}

/// What a provider publishes.
pub(super) struct Published {
    place: usize,
    version: AtomicU64,
    snapshot: ArcSwapOption<Snapshot>,
}

impl Published {
    pub(super) fn new() -> Self {
        Self {
            place: usize::try_from(unique()).unwrap_or_default() % PLACES,
            version: AtomicU64::new(0),
            snapshot: ArcSwapOption::empty(),
        }
    }

    /// Publishes a token, or that there is none. Only one thread at a time calls it.
    pub(super) fn publish(&self, token: Option<(Token, Limits)>) {
        let version = unique();
        let snapshot = token.map(|(token, limits)| {
            Arc::new(Snapshot {
                version,
                token,
                limits,
                replicas: Mutex::new(Replicas::default()),
            })
        });
        // First: what threads keep of the one before is void from the moment on that one of them can
        // see this one.
        self.version.store(version, Ordering::Release);
        self.snapshot.store(snapshot);
    }

    /// Reads what is published. Never waits.
    pub(super) fn read(&self, now: Now) -> Reading {
        // An error: the thread ends.
        let recent = RECENT.try_with(|places| self.recent(places.get(self.place)?, now));
        match recent {
            Ok(Some(token)) => Reading::Use(token),
            _ => self.load(now),
        }
    }

    fn recent(&self, place: &RefCell<Option<Recent>>, now: Now) -> Option<Token> {
        let recent = place.borrow();
        let recent = recent.as_ref()?;
        let current = recent.version == self.version.load(Ordering::Acquire);
        if !current || recent.limits.phase(now) != Phase::Use {
            return None;
        }
        recent.token.upgrade()
    }

    fn load(&self, now: Now) -> Reading {
        let snapshot = self.snapshot.load();
        let Some(snapshot) = snapshot.as_ref() else {
            return Reading::Over;
        };
        match snapshot.limits.phase(now) {
            Phase::Use => Reading::Use(self.remember(snapshot)),
            Phase::Good => Reading::Good(snapshot.token.clone()),
            Phase::Over => Reading::Over,
        }
    }

    fn remember(&self, snapshot: &Snapshot) -> Token {
        let token = snapshot.replica();
        let recent = Recent {
            version: snapshot.version,
            limits: snapshot.limits,
            token: token.downgrade(),
        };
        // An error: the thread ends.
        let _ = RECENT.try_with(|places| Some(places.get(self.place)?.replace(Some(recent))));
        token
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Now, Phase};

    #[test]
    fn either_clock_ends_it() {
        let at = |wall, mono| Now { wall, mono };
        let limits = Limits {
            since: 1_000,
            use_until: at(2_000, 20),
            good_until: at(3_000, 30),
        };
        assert_eq!(limits.phase(at(1_000, 10)), Phase::Use);
        assert_eq!(limits.phase(at(1_000, 20)), Phase::Good);
        assert_eq!(limits.phase(at(2_000, 10)), Phase::Good);
        assert_eq!(limits.phase(at(2_999, 30)), Phase::Over);
        assert_eq!(limits.phase(at(3_000, 10)), Phase::Over);
        assert_eq!(limits.phase(at(999, 10)), Phase::Over, "the clock was set back");
    }
}
