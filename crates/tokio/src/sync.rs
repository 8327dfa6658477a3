//! What threads share, of the standard library; in the test of all interleavings, of loom.

#[cfg(not(all(test, keyless_model)))]
mod real {
    pub(crate) use std::sync::atomic::AtomicU64;
    pub(crate) use std::sync::{Mutex, MutexGuard};
    pub(crate) use std::thread_local;

    pub(crate) use arc_swap::ArcSwapOption;
}

#[cfg(all(test, keyless_model))]
mod modelled {
    use std::sync::{Arc, PoisonError};

    pub(crate) use loom::sync::atomic::AtomicU64;
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    pub(crate) use loom::thread_local;

    /// In the place of arc-swap, which loom does not see into: each access is one step.
    pub(crate) struct ArcSwapOption<T>(Mutex<Option<Arc<T>>>);

    impl<T> ArcSwapOption<T> {
        pub(crate) fn empty() -> Self {
            Self(Mutex::new(None))
        }

        pub(crate) fn load(&self) -> Option<Arc<T>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }

        pub(crate) fn store(&self, value: Option<Arc<T>>) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
        }
    }
}

#[cfg(all(test, keyless_model))]
pub(crate) use modelled::*;
#[cfg(not(all(test, keyless_model)))]
pub(crate) use real::*;
