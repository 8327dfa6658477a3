//! Exports what every start needs and an option can make fail: endpoints, providers, and requests for
//! tokens and to models. In the module plan an error has a code alone; explain has its texts.

use js_sys::Array;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::options::from_js;
use super::values::{JsResult, throw, to_js};
use copilot_keyless::request::{chat, identity, probe};
use copilot_keyless::{Code, endpoint, environment, provider};

/// [`endpoint::parse`].
#[wasm_bindgen(js_name = parseEndpoint)]
pub fn parse_endpoint(input: &str, options: &JsValue) -> JsResult {
    endpoint::parse(input, &from_js(options, Code::ProviderConflict)?)
        .map_err(throw)
        .map(to_js)
}

/// [`provider::plan`].
#[wasm_bindgen(js_name = planProvider)]
pub fn plan_provider(request: &JsValue) -> JsResult {
    provider::plan(&from_js(request, Code::ProviderConflict)?)
        .map_err(throw)
        .map(to_js)
}

/// [`provider::check_headers`].
#[wasm_bindgen(js_name = checkHeaders)]
pub fn check_headers(headers: &JsValue) -> Result<(), JsValue> {
    provider::check_headers(&from_js(headers, Code::ProviderHeader)?).map_err(throw)
}

/// [`provider::models`], for options that include a name and models.
#[wasm_bindgen(js_name = planModels)]
pub fn plan_models(options: &JsValue, taken: &Array) -> JsResult {
    let named = from_js(options, Code::ProviderConflict)?;
    let request = from_js(options, Code::ProviderConflict)?;
    let taken: Vec<String> = taken.iter().filter_map(|name| name.as_string()).collect();
    provider::models(&named, request, &taken)
        .map_err(throw)
        .map(to_js)
}

/// [`probe::call`].
#[wasm_bindgen(js_name = planProbe)]
pub fn plan_probe(request: &JsValue, timeout_ms: Option<f64>) -> JsResult {
    let timeout_ms = timeout_ms.map(copilot_keyless::whole_number);
    probe::call(&from_js(request, Code::ProviderConflict)?, timeout_ms)
        .map_err(throw)
        .map(to_js)
}

/// [`chat::call`].
#[wasm_bindgen(js_name = planChat)]
pub fn plan_chat(request: &JsValue, prompt: &str, timeout_ms: Option<f64>) -> JsResult {
    let timeout_ms = timeout_ms.map(copilot_keyless::whole_number);
    chat::call(&from_js(request, Code::ProviderConflict)?, prompt, timeout_ms)
        .map_err(throw)
        .map(to_js)
}

/// [`identity::call`].
#[wasm_bindgen(js_name = planTokenRequest)]
pub fn plan_token_request(request: &JsValue) -> JsResult {
    identity::call(&from_js(request, Code::CredentialConfiguration)?)
        .map_err(throw)
        .map(to_js)
}

/// [`environment::hosting`].
#[wasm_bindgen]
pub fn hosting(env: &JsValue) -> JsResult {
    Ok(to_js(environment::hosting(&from_js(
        env,
        Code::CredentialConfiguration,
    )?)))
}
