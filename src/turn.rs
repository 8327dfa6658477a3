//! Decides what a turn of a Copilot session does about tokens and failed requests: a state machine
//! without clock, tokens and errors.
//!
//! The runtime asks for a token before each request to the model, several times in a turn, and
//! reports what it sends and what failed. Pass that to a [`Turn`]: it says whether the runtime
//! receives a token, when the turn ends, and which error says why. The caller keeps the tokens and
//! the errors. A member is one of the session's providers, by a number of the caller's; a token is a
//! number that is the same for the same text.
//!
//! ```
//! use copilot_keyless::schedule::Now;
//! use copilot_keyless::turn::{Reason, Turn};
//!
//! let mut turn = Turn::default();
//! assert_eq!(turn.ask(0, Now { wall: 0, mono: 0 }), None);
//! assert!(turn.grant(0, 1));
//! // The resource rejects the token twice in a row: it is not sent a third time.
//! assert_eq!(turn.failed(0, false, true), Some(1));
//! assert!(turn.grant(0, 1));
//! turn.failed(0, false, true);
//! assert!(!turn.grant(0, 1));
//! // The turn ends, with the reason for the rejection.
//! assert_eq!(turn.refuse(0, "token/rejected-again", None), Some(Reason::Failure));
//! ```

use crate::Code;
use crate::schedule::Now;
use crate::token::Millis;

/// What the tokens and failures of a session's turn lead to.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    members: Vec<Member>,
    /// The members that the runtime asked for a token, the last one at the end.
    asked: Vec<usize>,
    /// Whether the last request of the main agent failed.
    failed: bool,
}

/// The tokens of one provider.
#[derive(Debug, Clone, Default)]
struct Member {
    number: usize,
    /// The last one that the runtime received: a refusal is about it.
    sent: Option<u32>,
    /// Why it received none the last time.
    error: Option<TokenError>,
    /// The one that the resource rejected, if no request was served since.
    rejected: Option<u32>,
    /// The one that it rejected twice in a row. It is not tried again in this turn.
    rejected_twice: Option<u32>,
    /// When the turn began to wait for a token, if it has received none since.
    waiting_since: Option<Now>,
}

#[derive(Debug, Clone, Copy)]
struct TokenError {
    /// The same token came again.
    rejected_again: bool,
    /// It was answered in the resource's place, so that the status is not the resource's.
    answered: bool,
}

impl Member {
    /// An error that was answered in the resource's place is about one request.
    fn forget_answer(&mut self) {
        self.error = self.error.filter(|error| !error.answered);
    }
}

/// Which error says why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The response: nothing is known before it is examined.
    Request,
    /// The one for which there was no token.
    Token,
    /// That of the last failed request: it says more than that the same token came again.
    Failure,
}

impl Turn {
    /// Notes an event of the session by its type, of a sub-agent or of the main agent. Others than
    /// `user.message` and `assistant.message` change nothing.
    pub fn note(&mut self, event: &str, by_agent: bool) {
        for member in &mut self.members {
            match event {
                "user.message" if !by_agent => {
                    // In a new turn the resource may accept the token again.
                    member.rejected_twice = None;
                    member.waiting_since = None;
                    member.forget_answer();
                }
                "assistant.message" => {
                    member.rejected = None;
                    member.forget_answer();
                }
                _ => {}
            }
        }
        self.failed &= by_agent || event != "assistant.message";
    }

    /// The runtime asks a member for a token. Returns how long the turn has waited for it, in
    /// milliseconds: the requests of a turn share one wait, so that an outage does not hold it as
    /// often as the runtime asks. `None` for the first request.
    pub fn ask(&mut self, member: usize, now: Now) -> Option<Millis> {
        self.asked.retain(|asked| *asked != member);
        self.asked.push(member);
        let since = &mut self.of(member).waiting_since;
        let waited = since.map(|since| since.elapsed(now));
        since.get_or_insert(now);
        waited
    }

    /// Returns how long the turn has waited for a member's token, in milliseconds.
    pub fn waited(&self, member: usize, now: Now) -> Millis {
        let since = self.known(member).and_then(|member| member.waiting_since);
        since.map_or(0, |since| since.elapsed(now))
    }

    /// There is a token. Returns whether the runtime receives it: one that was rejected twice is not
    /// sent again. One that was rejected once is: only a request can tell whether the resource still
    /// rejects it.
    pub fn grant(&mut self, member: usize, token: u32) -> bool {
        let member = self.of(member);
        let good = member.rejected_twice != Some(token);
        if good {
            member.sent = Some(token);
            member.error = None;
            member.waiting_since = None;
        }
        good
    }

    /// The session was given a token as text.
    pub fn give(&mut self, member: usize, token: u32) {
        let member = self.of(member);
        member.sent = Some(token);
        member.error = None;
    }

    /// There is no token, for an error with this code. `left_ms` is what is left of the wait, `None`
    /// if no wait cures the error. Returns the error with which the turn ends at once, if there is no
    /// use in asking again: nobody but a person can change it, or the turn has waited long enough.
    pub fn refuse(&mut self, member: usize, code: &str, left_ms: Option<Millis>) -> Option<Reason> {
        let reason = self.note_error(member, code, false);
        if left_ms.is_none() {
            self.of(member).waiting_since = None;
        }
        let is_final = code.parse().is_ok_and(Code::is_final);
        (is_final || left_ms.is_some_and(|left| left <= 0)).then_some(reason)
    }

    /// A request got no token, and was answered with an error of this code in the resource's place.
    pub fn answer(&mut self, member: usize, code: &str) {
        self.note_error(member, code, true);
    }

    fn note_error(&mut self, member: usize, code: &str, answered: bool) -> Reason {
        let error = TokenError {
            rejected_again: code == Code::TokenRejectedAgain.as_str(),
            answered,
        };
        self.of(member).error = Some(error);
        self.reason_of(error)
    }

    fn reason_of(&self, error: TokenError) -> Reason {
        if error.rejected_again && self.failed {
            Reason::Failure
        } else {
            Reason::Token
        }
    }

    /// Returns which error says why a request of a member failed. Without a status, 0, nothing was
    /// sent: if there was no token, the runtime only repeats that.
    pub fn reason(&self, member: usize, status: u16) -> Reason {
        let error = self.known(member).and_then(|member| member.error);
        let repeated = error.filter(|error| status == 0 || error.answered);
        repeated.map_or(Reason::Request, |error| self.reason_of(error))
    }

    /// A request of a member failed, the main agent's or a sub-agent's. Sub-agents report to their
    /// parent: their failures do not decide the turn. Returns the token that the resource rejected.
    pub fn failed(&mut self, member: usize, by_agent: bool, token_rejected: bool) -> Option<u32> {
        self.failed |= !by_agent;
        let member = self.of(member);
        let token = member.sent.filter(|_| token_rejected)?;
        if member.rejected.replace(token) == Some(token) {
            member.rejected_twice = Some(token);
        }
        Some(token)
    }

    /// Whether the last request of the main agent failed.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// A caller waits for a turn: forgets the failure and the wait of the one before.
    pub fn forget(&mut self) {
        self.failed = false;
        for member in &mut self.members {
            member.waiting_since = None;
        }
    }

    /// Returns the token that a failed request of a member was sent with.
    pub fn sent(&self, member: usize) -> Option<u32> {
        self.known(member)?.sent
    }

    /// Returns which of the members was asked for a token last: a failed request is its own, if
    /// several serve the model. `None` if none was asked.
    pub fn last_asked(&self, members: &[usize]) -> Option<usize> {
        self.asked.iter().rfind(|asked| members.contains(asked)).copied()
    }

    fn known(&self, number: usize) -> Option<&Member> {
        self.members.iter().find(|member| member.number == number)
    }

    #[allow(clippy::indexing_slicing, reason = "the index is of a member that is there")]
    fn of(&mut self, number: usize) -> &mut Member {
        let found = self.members.iter().position(|member| member.number == number);
        let index = found.unwrap_or_else(|| {
            self.members.push(Member {
                number,
                ..Member::default()
            });
            self.members.len() - 1
        });
        &mut self.members[index]
    }
}
