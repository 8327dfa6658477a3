//! Exports the rules of a session's turn. Members and tokens are numbers, reasons are passed by name.

use wasm_bindgen::prelude::wasm_bindgen;

use copilot_keyless::schedule::Now;
use copilot_keyless::turn::{self, Reason};

/// [`turn::Turn`].
#[wasm_bindgen]
#[derive(Default)]
pub struct Turn(turn::Turn);

#[wasm_bindgen]
impl Turn {
    /// [`turn::Turn::default`].
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// [`turn::Turn::note`].
    pub fn note(&mut self, event: &str, by_agent: bool) {
        self.0.note(event, by_agent);
    }

    /// [`turn::Turn::ask`].
    pub fn ask(&mut self, member: usize, wall: f64, mono: f64) -> Option<f64> {
        self.0.ask(member, now(wall, mono)).map(|ms| ms as f64)
    }

    /// [`turn::Turn::waited`].
    pub fn waited(&self, member: usize, wall: f64, mono: f64) -> f64 {
        self.0.waited(member, now(wall, mono)) as f64
    }

    /// [`turn::Turn::grant`].
    pub fn grant(&mut self, member: usize, token: u32) -> bool {
        self.0.grant(member, token)
    }

    /// [`turn::Turn::give`].
    pub fn give(&mut self, member: usize, token: u32) {
        self.0.give(member, token);
    }

    /// Whether [`turn::Turn::refuse`] ends the turn.
    pub fn refuse(&mut self, member: usize, code: &str, left_ms: Option<f64>) -> bool {
        let left = left_ms.map(|ms| ms as i64);
        self.0.refuse(member, code, left).is_some()
    }

    /// [`turn::Turn::answer`].
    pub fn answer(&mut self, member: usize, code: &str) {
        self.0.answer(member, code);
    }

    /// [`turn::Turn::reason`].
    pub fn reason(&self, member: usize, status: u16) -> String {
        match self.0.reason(member, status) {
            Reason::Request => "request",
            Reason::Token => "token",
            Reason::Failure => "failure",
        }
        .to_owned()
    }

    /// [`turn::Turn::failed`].
    pub fn failed(&mut self, member: usize, by_agent: bool, token_rejected: bool) -> Option<u32> {
        self.0.failed(member, by_agent, token_rejected)
    }

    /// [`turn::Turn::has_failed`].
    #[wasm_bindgen(js_name = hasFailed)]
    pub fn has_failed(&self) -> bool {
        self.0.has_failed()
    }

    /// [`turn::Turn::forget`].
    pub fn forget(&mut self) {
        self.0.forget();
    }

    /// [`turn::Turn::sent`].
    pub fn sent(&self, member: usize) -> Option<u32> {
        self.0.sent(member)
    }

    /// [`turn::Turn::last_asked`].
    #[wasm_bindgen(js_name = lastAsked)]
    pub fn last_asked(&self, members: &[usize]) -> Option<usize> {
        self.0.last_asked(members)
    }
}

fn now(wall: f64, mono: f64) -> Now {
    Now {
        wall: wall as i64,
        mono: mono as i64,
    }
}
