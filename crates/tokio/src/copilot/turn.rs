//! What a session's tokens and failures say, without I/O: which token a refusal is about, which error
//! ends the turn, and whether it ends at once.

use std::collections::HashMap;
use std::time::Duration;

use copilot_keyless::Code;
use tokio::time::Instant;

use crate::{Error, Token};

/// What a session knows of its turn.
#[derive(Default)]
pub(super) struct Turn {
    members: Vec<Tokens>,
    /// The members that the runtime asked for a token, the last one at the end.
    asked: Vec<usize>,
    /// Why the last request of the main agent failed.
    failure: Option<Error>,
    /// The names of the running sub-agents, by their ids.
    agents: HashMap<String, String>,
}

/// The tokens of one provider in the session.
#[derive(Default)]
struct Tokens {
    /// The last one that the runtime received: a refusal is about it.
    sent: Option<Token>,
    /// Why it received none the last time.
    error: Option<Error>,
    /// The one that the resource rejected, if no request was served since.
    rejected: Option<Token>,
    /// The one that it rejected twice in a row. It is not tried again in this turn.
    rejected_twice: Option<Token>,
    /// When the turn began to wait for a token, if it has received none since.
    waiting_since: Option<Instant>,
}

/// What becomes of a request for a token.
pub(super) type Grant = Result<Token, Error>;

impl Turn {
    pub(super) fn new(members: usize) -> Self {
        let members = (0..members).map(|_| Tokens::default()).collect();
        Self {
            members,
            ..Self::default()
        }
    }

    /// A prompt begins. The resource may accept the token again.
    pub(super) fn begin(&mut self) {
        for tokens in &mut self.members {
            tokens.rejected_twice = None;
            tokens.waiting_since = None;
        }
    }

    /// A caller waits for a turn: forgets the failure of the one before.
    pub(super) fn forget_failure(&mut self) {
        self.failure = None;
    }

    pub(super) fn failure(&self) -> Option<Error> {
        self.failure.clone()
    }

    /// The runtime asks a member for a token. Returns how long that may take: the runtime asks several times
    /// in a turn, and an outage must not hold the turn as often. `None` for the first time, which has the
    /// provider's own deadline.
    pub(super) fn ask(&mut self, member: usize, now: Instant, limit: Duration) -> Option<Duration> {
        self.asked.retain(|asked| *asked != member);
        self.asked.push(member);
        let tokens = self.members.get_mut(member)?;
        let since = tokens.waiting_since.replace(now)?;
        tokens.waiting_since = Some(since);
        Some(limit.saturating_sub(now - since))
    }

    /// Decides what the runtime receives. A token that was rejected twice is not sent again. One that was
    /// rejected once is, if the credential has no other: only a request can tell whether the resource
    /// still rejects it.
    pub(super) fn grant(&mut self, member: usize, acquired: Grant) -> Grant {
        let Some(tokens) = self.members.get_mut(member) else {
            return acquired;
        };
        let again = |token: &Token| {
            let twice = tokens.rejected_twice.as_ref();
            twice.is_some_and(|twice| twice.secret() == token.secret())
        };
        let granted = match acquired {
            Ok(token) if again(&token) => Err(Error::rejected_again()),
            Err(error) if error.code() == Code::TokenRejectedAgain.as_str() => {
                let earlier = tokens.rejected.clone().filter(|token| !again(token));
                earlier.ok_or(error)
            }
            other => other,
        };
        match &granted {
            Ok(token) => {
                tokens.sent = Some(token.clone());
                tokens.error = None;
                tokens.waiting_since = None;
            }
            Err(error) => tokens.error = Some(error.clone()),
        }
        granted
    }

    /// Returns the error with which the turn ends at once, if there is no use in asking for a token
    /// again: nobody but a person can change it, or the turn has waited long enough.
    pub(super) fn end(&self, member: usize, error: &Error, now: Instant, limit: Duration) -> Option<Error> {
        let since = self.members.get(member).and_then(|tokens| tokens.waiting_since);
        let waited = since.is_some_and(|since| now - since >= limit);
        let is_final = error.code().parse::<Code>().is_ok_and(Code::is_final);
        (is_final || waited).then(|| self.reason(error))
    }

    /// The reason for a rejection says more than that the same token came again.
    fn reason(&self, error: &Error) -> Error {
        match &self.failure {
            Some(failure) if error.code() == Code::TokenRejectedAgain.as_str() => failure.clone(),
            _ => error.clone(),
        }
    }

    /// Returns the error that a failure without a status repeats.
    pub(super) fn token_error(&self, member: usize) -> Option<Error> {
        let error = self.members.get(member)?.error.as_ref()?;
        Some(self.reason(error))
    }

    /// The token that a failed request of a member was sent with.
    pub(super) fn sent(&self, member: usize) -> Option<Token> {
        self.members.get(member)?.sent.clone()
    }

    /// A static token was given to the session.
    pub(super) fn note_sent(&mut self, member: usize, token: Token) {
        if let Some(tokens) = self.members.get_mut(member) {
            tokens.sent = Some(token);
        }
    }

    /// Whether the runtime asks for this member's tokens.
    pub(super) fn has_asked(&self, member: usize) -> bool {
        self.asked.contains(&member)
    }

    /// A request failed. Sub-agents report to their parent: their failures do not decide the turn.
    pub(super) fn failed(&mut self, error: Error, by_agent: bool) {
        if !by_agent {
            self.failure = Some(error);
        }
    }

    /// The resource rejected the token of a member.
    pub(super) fn rejected(&mut self, member: usize, token: Token) {
        let Some(tokens) = self.members.get_mut(member) else {
            return;
        };
        let earlier = tokens.rejected.replace(token.clone());
        if earlier.is_some_and(|earlier| earlier.secret() == token.secret()) {
            tokens.rejected_twice = Some(token);
        }
    }

    /// A request was served.
    pub(super) fn served(&mut self, by_agent: bool) {
        for tokens in &mut self.members {
            tokens.rejected = None;
        }
        if !by_agent {
            self.failure = None;
        }
    }

    /// The member of a failed request: of those that serve its model, the one that was asked last.
    pub(super) fn owner(&self, serving: &[usize]) -> usize {
        if let [one] = serving {
            return *one;
        }
        let mut asked = self.asked.iter().rev();
        let last = asked.find(|member| serving.is_empty() || serving.contains(member));
        last.or(serving.first()).copied().unwrap_or_default()
    }

    pub(super) fn agent_started(&mut self, id: &str, name: &str) {
        self.agents.insert(id.to_owned(), name.to_owned());
    }

    pub(super) fn agent_ended(&mut self, id: &str) {
        self.agents.remove(id);
    }

    /// The name of a sub-agent, else its id.
    pub(super) fn agent(&self, id: &str) -> String {
        self.agents.get(id).map_or(id, String::as_str).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use tokio::time::Instant;

    use super::Turn;
    use crate::{Error, Token};

    const LIMIT: Duration = Duration::from_secs(15);

    fn token(secret: &str) -> Token {
        Token::new(secret, UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_rejected_token_is_sent_once_more_and_no_third_time() {
        let mut turn = Turn::new(1);
        let first = token("one");
        assert!(turn.grant(0, Ok(first.clone())).is_ok());
        turn.failed(Error::closed(), false);
        turn.rejected(0, first.clone());
        let again = turn.grant(0, Err(Error::rejected_again())).unwrap();
        assert_eq!(again.secret(), "one");
        turn.rejected(0, again);
        let error = turn.grant(0, Ok(token("one"))).unwrap_err();
        assert_eq!(error.code(), "token/rejected-again");
        // The turn ends with the reason for the rejection.
        let end = turn.end(0, &error, Instant::now(), LIMIT).unwrap();
        assert_eq!(end.code(), Error::closed().code());
        // The next turn tries it again, since the role may have been assigned.
        turn.begin();
        assert!(turn.grant(0, Ok(first)).is_ok());
    }

    #[test]
    fn the_requests_of_a_turn_share_one_wait() {
        let mut turn = Turn::new(1);
        let now = Instant::now();
        let failed = Error::no_runtime();
        assert_eq!(turn.ask(0, now, LIMIT), None);
        assert!(turn.end(0, &failed, now + LIMIT / 3, LIMIT).is_none());
        assert_eq!(turn.ask(0, now + LIMIT / 3, LIMIT), Some(LIMIT / 3 * 2));
        assert!(turn.end(0, &failed, now + LIMIT, LIMIT).is_some());
        assert!(turn.grant(0, Ok(token("one"))).is_ok());
        assert_eq!(turn.ask(0, now + LIMIT, LIMIT), None);
    }

    #[test]
    fn a_failure_is_that_of_the_provider_that_was_asked_last() {
        let mut turn = Turn::new(3);
        assert_eq!(turn.owner(&[]), 0);
        for member in [1, 2, 1] {
            turn.ask(member, Instant::now(), LIMIT);
        }
        assert_eq!(
            (turn.owner(&[]), turn.owner(&[0, 2]), turn.owner(&[0])),
            (1, 2, 0)
        );
    }

    #[test]
    fn a_sub_agent_does_not_decide_the_turn() {
        let mut turn = Turn::new(1);
        turn.agent_started("1", "reviewer");
        assert_eq!(turn.agent("1"), "reviewer");
        turn.failed(Error::closed(), true);
        assert!(turn.failure().is_none());
        turn.failed(Error::closed(), false);
        turn.served(true);
        assert!(turn.failure().is_some());
        turn.served(false);
        assert!(turn.failure().is_none());
        turn.agent_ended("1");
        assert_eq!(turn.agent("1"), "1");
    }
}
