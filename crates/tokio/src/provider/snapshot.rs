//! What callers read without a lock.

use copilot_keyless::schedule::Now;

use crate::Token;

/// The token, and until when it may be used.
pub(super) struct Snapshot {
    pub(super) token: Token,
    /// When it was published, on the wall clock. An earlier time means that the clock was set back.
    pub(super) since: i64,
    /// Until when the token may be used without asking the schedule.
    pub(super) use_until: Now,
    /// Until when the token is good at all.
    pub(super) good_until: Now,
}

/// What a snapshot says at a time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Use the token.
    Use,
    /// Ask the schedule if nobody else does; the token is good.
    Good,
    /// Ask the schedule.
    Over,
}

impl Snapshot {
    pub(super) fn read(&self, now: Now) -> Reading {
        let before = |limit: Now| now.wall < limit.wall && now.mono < limit.mono;
        if now.wall < self.since || !before(self.good_until) {
            Reading::Over
        } else if before(self.use_until) {
            Reading::Use
        } else {
            Reading::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::{Now, Reading, Snapshot};
    use crate::Token;

    #[test]
    fn either_clock_ends_it() {
        let at = |wall, mono| Now { wall, mono };
        let snapshot = Snapshot {
            token: Token::new("t", UNIX_EPOCH).unwrap(),
            since: 1_000,
            use_until: at(2_000, 20),
            good_until: at(3_000, 30),
        };
        assert_eq!(snapshot.read(at(1_000, 10)), Reading::Use);
        assert_eq!(snapshot.read(at(1_000, 20)), Reading::Good);
        assert_eq!(snapshot.read(at(2_000, 10)), Reading::Good);
        assert_eq!(snapshot.read(at(2_999, 30)), Reading::Over);
        assert_eq!(snapshot.read(at(3_000, 10)), Reading::Over);
        assert_eq!(
            snapshot.read(at(999, 10)),
            Reading::Over,
            "the clock was set back"
        );
    }
}
