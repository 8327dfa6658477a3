/// The time for which a worker holds a lease, by the worker's monotonic clock.
///
/// It counts from the moment in which the request was sent: the storage has granted the lease later,
/// so it ends there no earlier than here.
///
/// ```
/// use copilot_keyless::lease::Term;
///
/// let term = Term::new(30_000, 1_000);
/// assert_eq!(term.next_renewal(), 11_000);
/// assert!(term.may_write(27_000));
/// assert!(!term.may_write(28_000)); // 3 s before its end
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Term {
    duration: u64,
    asked: u64,
    next_renewal: u64,
}

impl Term {
    /// A lease of this many milliseconds, requested at this time.
    pub fn new(duration: u64, asked: u64) -> Self {
        Self {
            duration,
            asked,
            next_renewal: asked.saturating_add(duration / 3),
        }
    }

    /// Notes that a renewal, sent at this time, succeeded.
    pub fn renewed(&mut self, asked: u64) {
        if asked >= self.asked {
            *self = Self::new(self.duration, asked);
        }
    }

    /// Notes that a renewal failed at this time, and may succeed later.
    pub fn renewal_failed(&mut self, now: u64) {
        self.next_renewal = now.saturating_add(self.duration / 30);
    }

    /// When to send the next renewal: after a third of the time, so that two may fail.
    pub fn next_renewal(&self) -> u64 {
        self.next_renewal
    }

    /// Whether a write that is sent now arrives in time. Later, the lease has to be renewed first:
    /// the storage does that if nobody has taken the conversation over.
    pub fn may_write(&self, now: u64) -> bool {
        let left = self.duration.saturating_sub(self.duration / 10);
        now < self.asked.saturating_add(left)
    }
}

/// How long a caller shall wait whose conversation is held by another worker, in milliseconds.
///
/// `held_ms` is how long ago the holder last wrote, by the storage's clock. A turn that has just
/// begun may end soon; the longer it takes, the longer the wait, up to a third of the lease. The
/// lease of a worker that died is over after its duration, so a caller that waits as it is told gets
/// through within that time and a third.
pub fn busy_wait_ms(held_ms: u64, duration: u64) -> u64 {
    (held_ms / 2).clamp(1_000, (duration / 3).max(1_000))
}
