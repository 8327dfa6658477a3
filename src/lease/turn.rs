/// The next request of a worker for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Take the lease, under an id of the worker's own, so that the request can be repeated.
    Acquire,
    /// Append that the turn begins, and read the log. Both may be sent at once: under the lease
    /// nobody else writes. [`Came::Dangling`] if an earlier turn began and neither ended nor was
    /// told lost; [`Came::Fenced`] also if this one was told lost.
    Begin,
    /// Append that the turns that did not end are lost, and this one void.
    Tell,
    /// Run the turn. What it writes waits in memory.
    Run,
    /// Append what the turn has written, with its end, in one write at the known end of the log.
    Commit,
    /// Read the log: [`Came::Done`] if the turn's end is in it; [`Came::Fenced`] if others have
    /// written since it began, so that no attempt to commit can succeed; else [`Came::Missing`].
    Verify,
    /// Return the lease. A failure changes nothing: the lease ends by itself.
    Release,
    /// Nothing more.
    Done(Ending),
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Came {
    /// It was done.
    Done,
    /// There is a turn that began and did not end.
    Dangling,
    /// Another worker holds the conversation.
    Held,
    /// There is no such conversation, or no such end.
    Missing,
    /// The lease is over: nothing was written by this attempt.
    Fenced,
    /// The end of the log is elsewhere: nothing was written by this attempt.
    Moved,
    /// It failed, and there is time to try again. It may have been done, or may be done later.
    Again,
    /// It failed, as often as there was time for. It may have been done, or may be done later.
    Failed,
}

/// How the turn has ended for its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The turn is in the log.
    Kept,
    /// Another worker answers a prompt of this conversation.
    Busy,
    /// There is no such conversation.
    NotFound,
    /// An earlier turn was lost with its worker. This one did not run.
    TurnLost,
    /// This worker has lost the lease: the turn is not in the log and never will be.
    LeaseLost,
    /// The storage could not be reached: whether the turn is in the log shows at the next one, or it
    /// did not begin.
    Unavailable,
}

/// The requests of one turn of a conversation, one after another. Pass what came of each to
/// [`TurnLease::next`].
///
/// A turn is in the log if its end is, and its end is written once: each attempt names the place,
/// so that a repeated or a late one is refused.
///
/// ```
/// use copilot_keyless::lease::{Came, Ending, Step, TurnLease};
///
/// let mut turn = TurnLease::default();
/// assert_eq!(turn.next(Came::Done), Step::Acquire);
/// assert_eq!(turn.next(Came::Done), Step::Begin);
/// assert_eq!(turn.next(Came::Done), Step::Run);
/// assert_eq!(turn.next(Came::Done), Step::Commit);
/// assert_eq!(turn.next(Came::Done), Step::Release);
/// assert_eq!(turn.next(Came::Done), Step::Done(Ending::Kept));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TurnLease {
    step: Step,
    ending: Ending,
    /// Whether an attempt to commit may have been done, or may be done later.
    unsure: bool,
    fenced: bool,
}

impl Default for TurnLease {
    fn default() -> Self {
        Self {
            step: Step::Done(Ending::NotFound),
            ending: Ending::NotFound,
            unsure: false,
            fenced: false,
        }
    }
}

impl TurnLease {
    /// Returns the next step. The first call begins, whatever it is passed.
    pub fn next(&mut self, came: Came) -> Step {
        use {Came as C, Ending as E, Step as S};
        self.step = match (self.step, came) {
            (S::Done(_), _) | (S::Acquire, C::Again) => S::Acquire,
            (S::Acquire, C::Done) | (S::Begin, C::Again) => S::Begin,
            (S::Acquire, C::Held) => S::Done(E::Busy),
            (S::Acquire | S::Begin, C::Missing) => S::Done(E::NotFound),
            (S::Begin, C::Done) => S::Run,
            (S::Begin, C::Dangling) | (S::Tell, C::Again) => S::Tell,
            (S::Tell, C::Done) => self.release(E::TurnLost),
            (S::Begin | S::Tell | S::Run | S::Verify, C::Fenced) => S::Done(E::LeaseLost),
            (S::Commit, C::Again) => {
                self.unsure = true;
                S::Commit
            }
            (S::Commit, C::Moved) | (S::Verify, C::Again) => S::Verify,
            // No attempt was done, and none will be.
            (S::Commit, C::Fenced) if !self.unsure => S::Done(E::LeaseLost),
            (S::Commit, C::Fenced) => {
                self.fenced = true;
                S::Verify
            }
            (S::Verify, C::Done) if self.fenced => S::Done(E::Kept),
            (S::Commit | S::Verify, C::Done) => self.release(E::Kept),
            // A renewal on its way could still let a commit on its way through.
            (S::Verify, C::Missing) if self.fenced => S::Done(E::Unavailable),
            (S::Run, _) | (S::Verify, C::Missing) => S::Commit,
            (S::Release, _) => S::Done(self.ending),
            // What failed may have been done: the lease may be there.
            _ => self.release(E::Unavailable),
        };
        self.step
    }

    fn release(&mut self, ending: Ending) -> Step {
        self.ending = ending;
        Step::Release
    }
}
