//! Exports the rules of a lease. Steps, outcomes and endings are passed by name, times as numbers
//! of milliseconds.

use wasm_bindgen::prelude::wasm_bindgen;

use copilot_keyless::lease::{self, Came, Ending, Reply, Step};

/// [`lease::TurnLease`].
#[wasm_bindgen]
#[derive(Default)]
pub struct TurnLease(lease::TurnLease);

#[wasm_bindgen]
impl TurnLease {
    /// The turn before its first step.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// [`lease::TurnLease::next`].
    pub fn next(&mut self, came: &str) -> String {
        let came = match came {
            "done" => Came::Done,
            "dangling" => Came::Dangling,
            "held" => Came::Held,
            "missing" => Came::Missing,
            "fenced" => Came::Fenced,
            "moved" => Came::Moved,
            "again" => Came::Again,
            _ => Came::Failed,
        };
        name(self.0.next(came)).to_owned()
    }
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Acquire => "acquire",
        Step::Begin => "begin",
        Step::Tell => "tell",
        Step::Run => "run",
        Step::Commit => "commit",
        Step::Verify => "verify",
        Step::Release => "release",
        Step::Done(Ending::Kept) => "kept",
        Step::Done(Ending::Busy) => "busy",
        Step::Done(Ending::NotFound) => "not-found",
        Step::Done(Ending::TurnLost) => "turn-lost",
        Step::Done(Ending::LeaseLost) => "lease-lost",
        Step::Done(Ending::Unavailable) => "unavailable",
    }
}

/// [`lease::Term`].
#[wasm_bindgen]
pub struct Term(lease::Term);

#[wasm_bindgen]
impl Term {
    /// [`lease::Term::new`].
    #[wasm_bindgen(constructor)]
    pub fn new(duration: f64, asked: f64) -> Self {
        Self(lease::Term::new(duration as u64, asked as u64))
    }

    /// [`lease::Term::renewed`].
    pub fn renewed(&mut self, asked: f64) {
        self.0.renewed(asked as u64);
    }

    /// [`lease::Term::renewal_failed`].
    #[wasm_bindgen(js_name = renewalFailed)]
    pub fn renewal_failed(&mut self, now: f64) {
        self.0.renewal_failed(now as u64);
    }

    /// [`lease::Term::next_renewal`].
    #[wasm_bindgen(js_name = nextRenewal)]
    pub fn next_renewal(&self) -> f64 {
        self.0.next_renewal() as f64
    }

    /// [`lease::Term::may_write`].
    #[wasm_bindgen(js_name = mayWrite)]
    pub fn may_write(&self, now: f64) -> bool {
        self.0.may_write(now as u64)
    }
}

/// [`Reply::of`].
#[wasm_bindgen(js_name = replyOf)]
pub fn reply_of(status: u16, code: &str) -> String {
    match Reply::of(status, code) {
        Reply::Done => "done",
        Reply::Held => "held",
        Reply::Missing => "missing",
        Reply::NoContainer => "no-container",
        Reply::Fenced => "fenced",
        Reply::Moved => "moved",
        Reply::Exists => "exists",
        Reply::Refused => "refused",
        Reply::Again => "again",
        Reply::Failed => "failed",
    }
    .to_owned()
}

/// [`lease::retry_wait_ms`].
#[wasm_bindgen(js_name = retryWaitMs)]
pub fn retry_wait_ms(attempt: u32, chance: f64, asked_ms: Option<f64>, left_ms: f64) -> Option<f64> {
    let asked = asked_ms.map(|ms| ms as u64);
    lease::retry_wait_ms(attempt, chance, asked, left_ms as u64).map(|ms| ms as f64)
}

/// [`lease::busy_wait_ms`].
#[wasm_bindgen(js_name = busyWaitMs)]
pub fn busy_wait_ms(held_ms: f64, duration: f64) -> f64 {
    lease::busy_wait_ms(held_ms as u64, duration as u64) as f64
}
