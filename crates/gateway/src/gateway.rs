//! What all requests have in common.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use copilot_keyless::Secret;
use copilot_keyless::gateway::Refusal;

use crate::access_log::AccessLog;
use crate::backend::Backends;
use crate::failure::Failure;
use crate::record::Place;
use crate::request_body::Budget;
use crate::settings::{Given, Limits, Log};

/// A running gateway.
pub(crate) struct Gateway {
    setup: RwLock<Arc<Setup>>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) log: AccessLog,
    active: Arc<AtomicUsize>,
    closing: AtomicBool,
}

/// What new requests use, and a reload replaces.
pub(crate) struct Setup {
    pub(crate) backends: Arc<Backends>,
    pub(crate) limits: Limits,
    /// The key of the clients, which no log shows.
    pub(crate) key: Secret,
    pub(crate) log: Log,
}

impl Setup {
    pub(crate) fn new(given: &Given, key: Secret, log: Log) -> Result<Self, Failure> {
        Ok(Self {
            backends: Arc::new(Backends::new(given, &key)?),
            limits: given.limits,
            key,
            log,
        })
    }
}

impl Gateway {
    pub(crate) fn new(setup: Setup) -> Self {
        Self {
            budget: Arc::new(Budget::new(setup.limits.buffer_bytes)),
            setup: RwLock::new(Arc::new(setup)),
            log: AccessLog::start(),
            active: Arc::default(),
            closing: AtomicBool::new(false),
        }
    }

    pub(crate) fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.setup.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the settings. Requests in progress end with the old ones; conversations stay with
    /// their resources.
    pub(crate) fn reload(&self, setup: Setup) {
        setup.backends.adopt(&self.setup().backends);
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(setup);
    }

    /// Lets a request in, or says why not.
    pub(crate) fn place(&self, setup: &Setup) -> Result<Place, Refusal> {
        if self.closing.load(Ordering::Relaxed) {
            return Err(Refusal::Closing);
        }
        Place::take(&self.active, setup.limits.max_requests).ok_or(Refusal::Busy)
    }

    /// The number of requests that are being forwarded.
    pub(crate) fn active(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    /// Lets no further request in.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}
