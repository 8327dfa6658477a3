//! The life of a conversation: which step follows which between its first prompt and its end.
//!
//! A conversation is a session on a runtime that may be replaced or die at any time, for callers who may abort or close at any time.
//! One action is under way at a time. When it has ended, [`Lifecycle::next`] takes what came of it and what is wanted now, and gives the
//! next one. Aborts and closes therefore never cut an action in two: they count as soon as it has ended. Each action needs an end
//! of its own, by a deadline.
//!
//! ```
//! use copilot_keyless::conversation::{Action, Close, Lifecycle, Outcome, Wants};
//!
//! let mut life = Lifecycle::default();
//! let turn = Wants { turn: Some(1), close: Close::No };
//! assert_eq!(life.next(Outcome::Woken, turn), Action::Lease);
//! assert_eq!(life.next(Outcome::Leased, turn), Action::Open);
//! assert_eq!(life.next(Outcome::Opened, turn), Action::Send);
//! assert_eq!(life.next(Outcome::Finished, Wants::default()), Action::Rest);
//! ```

/// How often one turn may find its runtime or its session gone before it fails.
pub const MAX_RECOVERIES: u8 = 3;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Nothing, until a turn or a close is wanted.
    Rest,
    /// Get a runtime: [`Outcome::Leased`], [`Outcome::Refused`], or [`Outcome::Dead`] where it died as it started.
    Lease,
    /// Ask whether the runtime lives and may serve on: [`Outcome::Alive`], [`Outcome::Worn`] or [`Outcome::Dead`].
    Check,
    /// Create the session, or resume it: [`Outcome::Opened`], [`Outcome::Refused`], or [`Outcome::Dead`].
    Open,
    /// Send the prompt and follow the turn to its end: [`Outcome::Finished`], [`Outcome::Unsettled`], [`Outcome::Gone`] or
    /// [`Outcome::Dead`].
    Send,
    /// Abort what the session still does for a turn that is over: [`Outcome::Finished`], [`Outcome::Restless`] or [`Outcome::Dead`].
    Settle,
    /// Detach from the session, whether that succeeds or not: [`Outcome::Detached`].
    Detach,
    /// Delete the session's files, whether that succeeds or not: [`Outcome::Deleted`].
    Delete,
    /// Give the runtime back: [`Outcome::Released`].
    Release,
    /// End the runtime, which is dead: [`Outcome::Released`].
    Discard,
    /// Fail the turn: its runtime was lost too often. [`Outcome::Woken`].
    Fail,
    /// Nothing, ever again.
    End,
}

/// What came of the last action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// None was under way, and something is wanted.
    Woken,
    /// There is a runtime.
    Leased,
    /// The runtime lives.
    Alive,
    /// The runtime lives, but has served so much that this conversation had better move.
    Worn,
    /// There is a session.
    Opened,
    /// There is no runtime, or it refused the session. The turn has been told.
    Refused,
    /// The turn is over, and so is the session's work for it.
    Finished,
    /// The turn is over, but the session may still work for it.
    Unsettled,
    /// The session goes on working.
    Restless,
    /// The runtime has no such session (any more), and did not take the prompt.
    Gone,
    /// The runtime is dead. A turn that can be saved is still wanted.
    Dead,
    /// No session is attached any more.
    Detached,
    /// The session's files are deleted, or cannot be.
    Deleted,
    /// There is no runtime any more.
    Released,
}

/// Whether the conversation shall end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Close {
    /// It goes on.
    #[default]
    No,
    /// It ends, and its history stays.
    Keep,
    /// It ends, and its history is deleted.
    Delete,
}

/// What is wanted at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Wants {
    /// The turn that waits for its reply, by a number of its own.
    pub turn: Option<u32>,
    /// Whether the conversation shall end.
    pub close: Close,
}

/// Where the conversation stands. A session is there in the states from [`State::Attached`] to [`State::Detaching`] alone, a runtime in all
/// but [`State::Absent`], [`State::Leasing`] and [`State::Closed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum State {
    /// Rests.
    #[default]
    Absent,
    Leasing,
    Opening,
    /// Rests.
    Attached,
    Checking,
    Sending,
    Settling,
    Detaching,
    Deleting,
    Releasing,
    Closed,
}

/// The state machine of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Lifecycle {
    state: State,
    /// The turn that lost its runtime or session last, and how often.
    lost: (Option<u32>, u8),
    /// Whether there may be files to delete.
    files: bool,
}

impl Lifecycle {
    /// That of a conversation that takes up an earlier session, if `resumed`.
    pub fn new(resumed: bool) -> Self {
        Self {
            files: resumed,
            ..Self::default()
        }
    }

    /// The next action. An outcome that does not belong to the action under way changes nothing and gives [`Action::Rest`].
    pub fn next(&mut self, outcome: Outcome, wants: Wants) -> Action {
        use Outcome as O;
        use State as S;
        match (self.state, outcome) {
            (S::Absent, O::Woken) | (S::Releasing, O::Released) => self.absent(wants),
            (S::Leasing, O::Refused) => {
                self.files &= wants.close == Close::No;
                self.absent(wants)
            }
            (S::Leasing, O::Leased) => self.leased(wants),
            (S::Leasing, O::Dead) => {
                self.count_loss(wants);
                self.files &= wants.close == Close::No;
                self.absent(wants)
            }
            (S::Opening, O::Opened) => {
                self.files = true;
                self.ready(wants)
            }
            (S::Attached, O::Woken) | (S::Sending | S::Settling, O::Finished) => self.attached(wants),
            (S::Checking, O::Alive) => self.ready(wants),
            (S::Sending, O::Unsettled) => self.go(S::Settling, Action::Settle),
            (S::Sending, O::Gone) => {
                self.count_loss(wants);
                self.leased(wants)
            }
            (S::Checking, O::Worn) | (S::Settling, O::Restless) => self.go(S::Detaching, Action::Detach),
            (S::Opening, O::Refused) | (S::Detaching, O::Detached) => self.leave(wants),
            (S::Deleting, O::Deleted) => {
                self.files = false;
                self.leave(wants)
            }
            (S::Opening | S::Checking | S::Sending | S::Settling, O::Dead) => {
                self.count_loss(wants);
                self.go(S::Releasing, Action::Discard)
            }
            (S::Closed, _) => Action::End,
            _ => Action::Rest,
        }
    }

    fn go(&mut self, state: State, action: Action) -> Action {
        self.state = state;
        action
    }

    /// There is no runtime.
    fn absent(&mut self, wants: Wants) -> Action {
        match wants.close {
            Close::Delete if self.files => self.go(State::Leasing, Action::Lease),
            Close::Keep | Close::Delete => self.go(State::Closed, Action::End),
            Close::No if self.is_lost(wants) => self.go(State::Absent, Action::Fail),
            Close::No if wants.turn.is_some() => self.go(State::Leasing, Action::Lease),
            Close::No => self.go(State::Absent, Action::Rest),
        }
    }

    /// There is a runtime and no session.
    fn leased(&mut self, wants: Wants) -> Action {
        if wants.close == Close::No && wants.turn.is_some() && !self.is_lost(wants) {
            self.go(State::Opening, Action::Open)
        } else {
            self.leave(wants)
        }
    }

    /// There is a runtime, whose session is over.
    fn leave(&mut self, wants: Wants) -> Action {
        if wants.close == Close::Delete && self.files {
            self.go(State::Deleting, Action::Delete)
        } else {
            self.go(State::Releasing, Action::Release)
        }
    }

    /// There is a session, which nobody has looked at for a while.
    fn attached(&mut self, wants: Wants) -> Action {
        match wants {
            Wants {
                close: Close::No,
                turn: None,
            } => self.go(State::Attached, Action::Rest),
            Wants { close: Close::No, .. } => self.go(State::Checking, Action::Check),
            _ => self.go(State::Detaching, Action::Detach),
        }
    }

    /// There is a session that lives.
    fn ready(&mut self, wants: Wants) -> Action {
        if wants.close == Close::No && wants.turn.is_some() {
            self.go(State::Sending, Action::Send)
        } else {
            self.attached(wants)
        }
    }

    fn count_loss(&mut self, Wants { turn, .. }: Wants) {
        let (last, times) = self.lost;
        let times = if last == turn { times.saturating_add(1) } else { 1 };
        self.lost = (turn, times);
    }

    /// Whether the turn that is wanted has lost its runtime too often.
    fn is_lost(&self, Wants { turn, .. }: Wants) -> bool {
        let (last, times) = self.lost;
        turn.is_some() && last == turn && times > MAX_RECOVERIES
    }
}
