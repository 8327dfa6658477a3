//! The life of a conversation, for JavaScript.

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::values::{JsResult, to_js};
use crate::conversation;

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
    pub fn next(&mut self, outcome: JsValue, wants: JsValue) -> JsResult {
        let outcome = serde_wasm_bindgen::from_value(outcome)?;
        let wants = serde_wasm_bindgen::from_value(wants)?;
        Ok(to_js(self.0.next(outcome, wants)))
    }
}
