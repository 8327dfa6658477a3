//! Drives a conversation: the order of steps from its first prompt to its end.
//!
//! A conversation is a session on a runtime that may be replaced or die at any time. Its callers
//! may abort or close at any time. Only one action is in progress at a time. When it ends, pass its
//! outcome and the current wishes to [`Lifecycle::next`], which returns the next action. Aborts and
//! closes therefore never interrupt an action: they take effect when it ends. Each action needs a
//! deadline of its own.
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

/// How often a turn may lose its runtime or session before it fails.
pub const MAX_RECOVERIES: u8 = 3;

/// The next action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Do nothing until there is a turn or a close.
    Rest,
    /// Lease a runtime: [`Outcome::Leased`], [`Outcome::Refused`], or [`Outcome::Dead`] if it died
    /// on start.
    Lease,
    /// Check whether the runtime is alive and may continue: [`Outcome::Alive`], [`Outcome::Worn`]
    /// or [`Outcome::Dead`].
    Check,
    /// Create or resume the session: [`Outcome::Opened`], [`Outcome::Refused`], or
    /// [`Outcome::Dead`].
    Open,
    /// Send the prompt and follow the turn to its end: [`Outcome::Finished`],
    /// [`Outcome::Unsettled`], [`Outcome::Gone`] or [`Outcome::Dead`].
    Send,
    /// Abort the session's remaining work for a turn that is over: [`Outcome::Finished`],
    /// [`Outcome::Restless`] or [`Outcome::Dead`].
    Settle,
    /// Detach from the session, whether or not that succeeds: [`Outcome::Detached`].
    Detach,
    /// Delete the session's files, whether or not that succeeds: [`Outcome::Deleted`].
    Delete,
    /// Return the runtime: [`Outcome::Released`].
    Release,
    /// Discard the dead runtime: [`Outcome::Released`].
    Discard,
    /// Fail the turn, which lost its runtime too often: [`Outcome::Woken`].
    Fail,
    /// The conversation has ended.
    End,
}

/// The outcome of the last action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// There was no action, and there is a turn or a close.
    Woken,
    /// The runtime is leased.
    Leased,
    /// The runtime is alive.
    Alive,
    /// The runtime is alive, but old enough that this conversation should move.
    Worn,
    /// The session is open.
    Opened,
    /// There is no runtime, or it rejected the session. The turn received the error.
    Refused,
    /// The turn is over, and the session's work for it is done.
    Finished,
    /// The turn is over, but the session may still be working for it.
    Unsettled,
    /// The session keeps working.
    Restless,
    /// The runtime has no such session, and did not accept the prompt.
    Gone,
    /// The runtime is dead. The turn stays in [`Wants`] if it can be recovered.
    Dead,
    /// No session is attached.
    Detached,
    /// The session's files are deleted, or deletion failed.
    Deleted,
    /// The runtime was returned or discarded.
    Released,
}

/// Whether to end the conversation, for good or until the next turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Close {
    /// Continue.
    #[default]
    No,
    /// Leave session and runtime until the next turn, which resumes the session. A turn that waits
    /// goes first.
    Idle,
    /// End, and keep the history.
    Keep,
    /// End, and delete the history.
    Delete,
}

impl Close {
    /// Whether the conversation ends for good.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Keep | Self::Delete)
    }
}

/// The current wishes of the callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Wants {
    /// The id of the turn that waits for a reply.
    pub turn: Option<u32>,
    /// Whether to end the conversation.
    pub close: Close,
}

/// The state of a conversation. A session is attached only from [`State::Attached`] to
/// [`State::Detaching`]. A runtime is leased in all states except [`State::Absent`],
/// [`State::Leasing`] and [`State::Closed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum State {
    /// No action is in progress.
    #[default]
    Absent,
    Leasing,
    Opening,
    /// No action is in progress.
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
    /// The last turn that lost its runtime or session, and how often it did.
    lost: (Option<u32>, u8),
    /// Whether the session may have files to delete.
    files: bool,
}

impl Lifecycle {
    /// Creates the state machine. `resumed` is true if the conversation continues an earlier
    /// session.
    pub fn new(resumed: bool) -> Self {
        Self {
            files: resumed,
            ..Self::default()
        }
    }

    /// Returns the next action. An outcome that does not match the action in progress changes
    /// nothing and returns [`Action::Rest`].
    pub fn next(&mut self, outcome: Outcome, wants: Wants) -> Action {
        use Outcome as O;
        use State as S;
        let wants = match wants.close {
            Close::Idle if wants.turn.is_some() => Wants {
                close: Close::No,
                ..wants
            },
            _ => wants,
        };
        match (self.state, outcome) {
            (S::Absent, O::Woken) | (S::Releasing, O::Released) => self.absent(wants),
            (S::Leasing, O::Refused) => {
                self.files &= !wants.close.is_final();
                self.absent(wants)
            }
            (S::Leasing, O::Leased) => self.leased(wants),
            (S::Leasing, O::Dead) => {
                self.count_loss(wants);
                self.files &= !wants.close.is_final();
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

    /// Continues without a runtime.
    fn absent(&mut self, wants: Wants) -> Action {
        match wants.close {
            Close::Delete if self.files => self.go(State::Leasing, Action::Lease),
            Close::Keep | Close::Delete => self.go(State::Closed, Action::End),
            Close::No if self.is_lost(wants) => self.go(State::Absent, Action::Fail),
            Close::No if wants.turn.is_some() => self.go(State::Leasing, Action::Lease),
            Close::No | Close::Idle => self.go(State::Absent, Action::Rest),
        }
    }

    /// Continues with a runtime, but without a session.
    fn leased(&mut self, wants: Wants) -> Action {
        if wants.close == Close::No && wants.turn.is_some() && !self.is_lost(wants) {
            self.go(State::Opening, Action::Open)
        } else {
            self.leave(wants)
        }
    }

    /// Continues with a runtime whose session is over.
    fn leave(&mut self, wants: Wants) -> Action {
        if wants.close == Close::Delete && self.files {
            self.go(State::Deleting, Action::Delete)
        } else {
            self.go(State::Releasing, Action::Release)
        }
    }

    /// Continues with a session that was not checked for a while.
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

    /// Continues with a live session.
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

    /// Whether the current turn lost its runtime too often.
    fn is_lost(&self, Wants { turn, .. }: Wants) -> bool {
        let (last, times) = self.lost;
        turn.is_some() && last == turn && times > MAX_RECOVERIES
    }
}
