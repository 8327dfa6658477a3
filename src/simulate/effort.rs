//! How much work a scenario makes.

use std::cell::Cell;

use super::scenario::refuse;
use crate::Result;
use crate::text::decimal::decimal;

/// So many steps are played at the most, over all instances: some seconds of work. Nobody can tell how many a scenario takes, since
/// tokens that live a moment are refreshed all the time. Without optimisation each takes ten times as long.
const MOST_STEPS: usize = if cfg!(debug_assertions) {
    20_000_000
} else {
    100_000_000
};

/// What is kept until later counts as so many steps: memory is dearer than time.
pub(super) const MEMORY_STEPS: usize = 16;

/// Counts the steps of all instances: a look at the clock, a clock that is set, an outage that is looked at, an event that is put off.
pub(super) struct Effort(Cell<usize>);

impl Effort {
    pub(super) fn new() -> Self {
        Self(Cell::new(0))
    }

    pub(super) fn spend(&self, steps: usize) {
        self.0.set(self.0.get().saturating_add(steps));
    }

    /// Refuses to go on once it is too much.
    pub(super) fn check(&self) -> Result<()> {
        if self.0.get() <= MOST_STEPS {
            return Ok(());
        }
        Err(refuse(format!(
            "the scenario takes more than {} steps to play",
            decimal(MOST_STEPS as f64)
        ))
        .hint("Shorten durationMs, lengthen the lifetimes of the tokens, or lower instances."))
    }
}
