//! The tokens and the errors of a session's turn. What becomes of them is decided by the core.

use std::collections::{HashMap, VecDeque};

use copilot_keyless::Code;
use copilot_keyless::turn::{self as core, Reason};

use crate::{Error, Result, Token};

/// How many tokens of a member have a number: the last one, those that the resource rejected once and
/// twice, and the next one.
const NUMBERED: usize = 4;

/// What a session knows of its turn.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) rules: core::Turn,
    members: HashMap<usize, Member>,
    /// Why the last request of the main agent failed.
    failure: Option<Error>,
    /// The names of the running sub-agents, by their ids.
    agents: HashMap<String, String>,
}

#[derive(Default)]
struct Member {
    /// Why the runtime received no token the last time.
    error: Option<Error>,
    /// The last ones with their numbers, the newest first.
    tokens: VecDeque<(u32, Token)>,
    last: u32,
}

impl Turn {
    /// Notes an event of the session, of a sub-agent or of the main agent.
    pub(super) fn note(&mut self, event: &str, agent: Option<&str>, name: Option<&str>) {
        self.rules.note(event, agent.is_some());
        match (event, agent, name) {
            ("subagent.started", Some(id), Some(name)) => {
                self.agents.insert(id.to_owned(), name.to_owned());
            }
            ("subagent.completed" | "subagent.failed", Some(id), _) => {
                self.agents.remove(id);
            }
            _ => {}
        }
    }

    /// The name of a sub-agent, else its id.
    pub(super) fn agent(&self, id: &str) -> String {
        self.agents.get(id).map_or(id, String::as_str).to_owned()
    }

    /// Passes a token on, or the reason why there is none. `rejected` is the last one that the resource
    /// rejected: a credential that has no other may try it once more.
    pub(super) fn grant(
        &mut self,
        member: usize,
        acquired: Result<Token>,
        rejected: impl FnOnce() -> Option<Token>,
    ) -> Result<Token> {
        let token = match &acquired {
            Ok(token) => Some(token.clone()),
            Err(error) if error.code() == Code::TokenRejectedAgain.as_str() => rejected(),
            Err(_) => None,
        };
        if let Some(token) = token {
            let number = self.member(member).number(&token);
            if self.rules.grant(member, number) {
                self.member(member).error = None;
                return Ok(token);
            }
        }
        acquired.and_then(|_| Err(Error::rejected_again()))
    }

    /// Notes why there is no token. Returns the error with which the turn ends at once, if it does.
    pub(super) fn refuse(&mut self, member: usize, error: &Error, left_ms: Option<i64>) -> Option<Error> {
        self.member(member).error = Some(error.clone());
        let reason = self.rules.refuse(member, error.code(), left_ms)?;
        self.error(member, reason)
    }

    /// A request got no token, and was answered with the error in the resource's place.
    pub(super) fn answer(&mut self, member: usize, error: &Error) {
        self.member(member).error = Some(error.clone());
        self.rules.answer(member, error.code());
    }

    /// Returns the error that a failed request repeats, if it does.
    pub(super) fn repeated(&self, member: usize, status: u16) -> Option<Error> {
        self.error(member, self.rules.reason(member, status))
    }

    fn error(&self, member: usize, reason: Reason) -> Option<Error> {
        match reason {
            Reason::Request => None,
            Reason::Token => self.token_error(member),
            Reason::Failure => self.failure.clone(),
        }
    }

    pub(super) fn token_error(&self, member: usize) -> Option<Error> {
        self.members.get(&member)?.error.clone()
    }

    /// Notes a failed request. Returns the token that the resource rejected.
    pub(super) fn failed(
        &mut self,
        member: usize,
        by_agent: bool,
        error: &Error,
        rejected: bool,
    ) -> Option<Token> {
        if !by_agent {
            self.failure = Some(error.clone());
        }
        let number = self.rules.failed(member, by_agent, rejected);
        self.token(member, number)
    }

    /// Why the last request of the main agent failed, unless one was served since.
    pub(super) fn failure(&self) -> Option<Error> {
        self.failure.clone().filter(|_| self.rules.has_failed())
    }

    /// The token that a failed request of a member was sent with.
    pub(super) fn sent(&self, member: usize) -> Option<Token> {
        self.token(member, self.rules.sent(member))
    }

    /// The session was given a token as text.
    pub(super) fn give(&mut self, member: usize, token: &Token) {
        let number = self.member(member).number(token);
        self.rules.give(member, number);
    }

    fn token(&self, member: usize, number: Option<u32>) -> Option<Token> {
        let mut known = self.members.get(&member)?.tokens.iter();
        let (_, token) = known.find(|(known, _)| Some(*known) == number)?;
        Some(token.clone())
    }

    fn member(&mut self, member: usize) -> &mut Member {
        self.members.entry(member).or_default()
    }
}

impl Member {
    /// Returns the number of a token, the same for the same text.
    fn number(&mut self, token: &Token) -> u32 {
        let same = |(_, known): &(u32, Token)| known.secret() == token.secret();
        if let Some((number, known)) = self.tokens.iter_mut().find(|one| same(one)) {
            *known = token.clone();
            return *number;
        }
        self.last += 1;
        self.tokens.truncate(NUMBERED - 1);
        self.tokens.push_front((self.last, token.clone()));
        self.last
    }
}
