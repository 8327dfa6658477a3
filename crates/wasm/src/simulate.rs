//! Exports the simulation of the refresh schedule.

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::options::from_js;
use super::values::{JsResult, throw, to_js};
use copilot_keyless::{Code, simulate};

/// [`simulate::simulate`].
#[wasm_bindgen(js_name = simulateRefresh)]
pub fn simulate_refresh(scenario: &JsValue) -> JsResult {
    simulate::simulate(&from_js(scenario, Code::ScenarioInvalid)?)
        .map_err(throw)
        .map(to_js)
}
