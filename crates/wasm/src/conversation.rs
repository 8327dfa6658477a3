//! Exports the state machine of a conversation. Outcomes, actions and wishes are passed by name.

use wasm_bindgen::prelude::wasm_bindgen;

use copilot_keyless::conversation::{self, Action, Close, Outcome, Wants};

/// [`conversation::Lifecycle`].
#[wasm_bindgen]
pub struct Lifecycle(conversation::Lifecycle);

#[wasm_bindgen]
impl Lifecycle {
    /// [`conversation::Lifecycle::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(resumed: bool) -> Self {
        Self(conversation::Lifecycle::new(resumed))
    }

    /// [`conversation::Lifecycle::next`].
    pub fn next(&mut self, came: &str, turn: Option<u32>, close: &str) -> String {
        let close = match close {
            "idle" => Close::Idle,
            "keep" => Close::Keep,
            "delete" => Close::Delete,
            _ => Close::No,
        };
        name(self.0.next(outcome(came), Wants { turn, close })).to_owned()
    }
}

fn outcome(name: &str) -> Outcome {
    match name {
        "leased" => Outcome::Leased,
        "alive" => Outcome::Alive,
        "worn" => Outcome::Worn,
        "opened" => Outcome::Opened,
        "refused" => Outcome::Refused,
        "finished" => Outcome::Finished,
        "unsettled" => Outcome::Unsettled,
        "restless" => Outcome::Restless,
        "gone" => Outcome::Gone,
        "dead" => Outcome::Dead,
        "detached" => Outcome::Detached,
        "deleted" => Outcome::Deleted,
        "released" => Outcome::Released,
        _ => Outcome::Woken,
    }
}

fn name(action: Action) -> &'static str {
    match action {
        Action::Rest => "rest",
        Action::Lease => "lease",
        Action::Check => "check",
        Action::Open => "open",
        Action::Send => "send",
        Action::Settle => "settle",
        Action::Detach => "detach",
        Action::Delete => "delete",
        Action::Release => "release",
        Action::Discard => "discard",
        Action::Fail => "fail",
        Action::End => "end",
    }
}
