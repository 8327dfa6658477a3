//! Exports what every start needs: endpoints, providers, and requests for tokens and to models.

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

/// [`provider::first_byte_timeout_ms`].
#[allow(
    clippy::needless_pass_by_value,
    reason = "texts that may be missing cross the boundary by value"
)]
#[wasm_bindgen(js_name = firstByteTimeoutMs)]
pub fn first_byte_timeout_ms(model: &str, effort: Option<String>) -> u32 {
    provider::first_byte_timeout_ms(model, effort.as_deref())
}

/// [`identity::call`].
#[wasm_bindgen(js_name = planTokenRequest)]
pub fn plan_token_request(request: &JsValue) -> JsResult {
    identity::call(&from_js(request, Code::CredentialConfiguration)?)
        .map_err(throw)
        .map(to_js)
}

/// [`environment::has_direct_fallback`].
#[wasm_bindgen(js_name = hasDirectFallback)]
pub fn has_direct_fallback(env: &JsValue, arc_agent: bool) -> Result<bool, JsValue> {
    let env = from_js(env, Code::CredentialConfiguration)?;
    Ok(environment::has_direct_fallback(&env, arc_agent))
}

/// [`environment::hosting`].
#[wasm_bindgen]
pub fn hosting(env: &JsValue) -> JsResult {
    Ok(to_js(environment::hosting(&from_js(
        env,
        Code::CredentialConfiguration,
    )?)))
}

/// [`environment::is_session_id`].
#[wasm_bindgen(js_name = isSessionId)]
pub fn is_session_id(text: &str) -> bool {
    environment::is_session_id(text)
}

/// [`Code::is_final`]; false for a code that the core does not know.
#[wasm_bindgen(js_name = isFinal)]
pub fn is_final(code: &str) -> bool {
    code.parse().is_ok_and(Code::is_final)
}
