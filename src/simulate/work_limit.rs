//! Limits the work of a scenario.

use std::cell::Cell;

use super::scenario::refuse;
use crate::Result;

/// The most steps to simulate over all instances: a few seconds of work. The number of steps is not
/// predictable, because short-lived tokens are refreshed all the time. A step takes ten times as
/// long without optimization.
const MOST_STEPS: usize = if cfg!(debug_assertions) {
    20_000_000
} else {
    100_000_000
};

/// The number of steps that a stored entry counts as, because memory is more expensive than time.
pub(super) const MEMORY_STEPS: usize = 16;

/// Counts the steps of all instances: reading the clock, each clock change, each outage check, each
/// scheduled event.
pub(super) struct Effort(Cell<usize>);

impl Effort {
    pub(super) fn new() -> Self {
        Self(Cell::new(0))
    }

    pub(super) fn spend(&self, steps: usize) {
        self.0.set(self.0.get().saturating_add(steps));
    }

    /// Errors: `scenario/invalid` if the steps exceed the limit.
    pub(super) fn check(&self) -> Result<()> {
        if self.0.get() <= MOST_STEPS {
            return Ok(());
        }
        Err(
            refuse(format!("the scenario takes more than {MOST_STEPS} steps to play"))
                .hint("Shorten durationMs, lengthen the lifetimes of the tokens, or lower instances."),
        )
    }
}
