//! Exports the planning functions: endpoints, providers, requests and diagnoses.

use js_sys::Array;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::options::from_js;
use super::values::{JsResult, throw, to_js};
use copilot_keyless::request::{chat, identity, probe};
use copilot_keyless::token::{self, challenge, claims};
use copilot_keyless::{
    Code, Problem, answer, diagnosis, endpoint, environment, provider, schedule, simulate,
};

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

/// [`probe::judge`].
#[wasm_bindgen(js_name = judgeProbe)]
pub fn judge_probe(failure: &JsValue) -> JsResult {
    Ok(to_js(probe::judge(&from_js(failure, Code::ProviderConflict)?)))
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

/// [`identity::judge`], for a response as one object.
#[wasm_bindgen(js_name = judgeTokenAnswer)]
pub fn judge_token_answer(answer: &JsValue) -> JsResult {
    let answer: identity::Answer = from_js(answer, Code::CredentialConfiguration)?;
    Ok(to_js(identity::judge(&answer)))
}

/// [`environment::has_direct_fallback`].
#[wasm_bindgen(js_name = hasDirectFallback)]
pub fn has_direct_fallback(env: &JsValue, arc_agent: bool) -> Result<bool, JsValue> {
    let env = from_js(env, Code::CredentialConfiguration)?;
    Ok(environment::has_direct_fallback(&env, arc_agent))
}

/// [`schedule::Evidence::code`].
#[wasm_bindgen(js_name = credentialCode)]
pub fn credential_code(status: Option<u16>, unreadable: bool, network: bool, unavailable: bool) -> String {
    let evidence = schedule::Evidence {
        status,
        unreadable,
        network,
        unavailable,
    };
    evidence.code().as_str().to_owned()
}

/// [`Code::is_final`]; false for a code that the core does not know.
#[wasm_bindgen(js_name = isFinal)]
pub fn is_final(code: &str) -> bool {
    code.parse().is_ok_and(Code::is_final)
}

/// [`Problem::by_text`].
#[wasm_bindgen(js_name = problemOf)]
pub fn problem_of(code: &str) -> JsValue {
    to_js(Problem::by_text(code))
}

/// [`schedule::RETRY_AFTER_MAX_MS`].
#[wasm_bindgen(js_name = maxRetryAfterMs)]
pub fn max_retry_after_ms() -> f64 {
    schedule::RETRY_AFTER_MAX_MS as f64
}

/// [`answer::retry_after_ms`]. An empty `date` counts as missing.
#[wasm_bindgen(js_name = retryAfterMs)]
pub fn retry_after_ms(value: &str, date: &str, now: f64) -> Option<f64> {
    answer::retry_after_ms(value, date, Some(now as token::Millis)).map(f64::from)
}

/// [`claims::describe`].
#[wasm_bindgen(js_name = decodeToken)]
pub fn decode_token(token: &str) -> JsValue {
    to_js(claims::describe(token))
}

/// [`challenge::parse`].
#[wasm_bindgen(js_name = parseChallenge)]
pub fn parse_challenge(www_authenticate: &str) -> JsValue {
    to_js(challenge::parse(www_authenticate))
}

/// [`diagnosis::diagnose`].
#[wasm_bindgen]
pub fn diagnose(failure: &JsValue) -> JsResult {
    Ok(to_js(diagnosis::diagnose(&from_js(
        failure,
        Code::ProviderConflict,
    )?)))
}

/// [`diagnosis::diagnose_credential`].
#[wasm_bindgen(js_name = diagnoseCredential)]
pub fn diagnose_credential(failure: &JsValue) -> JsResult {
    Ok(to_js(diagnosis::diagnose_credential(&from_js(
        failure,
        Code::CredentialConfiguration,
    )?)))
}

/// [`diagnosis::check_token`].
#[wasm_bindgen(js_name = checkToken)]
pub fn check_token(attempt: &JsValue) -> JsResult {
    Ok(to_js(diagnosis::check_token(&from_js(
        attempt,
        Code::ProviderConflict,
    )?)))
}

/// [`diagnosis::role_assignment`].
#[wasm_bindgen(js_name = roleAssignment)]
pub fn role_assignment(attempt: &JsValue) -> JsResult {
    Ok(to_js(diagnosis::role_assignment(&from_js(
        attempt,
        Code::ProviderConflict,
    )?)))
}

/// [`simulate::simulate`].
#[wasm_bindgen(js_name = simulateRefresh)]
pub fn simulate_refresh(scenario: &JsValue) -> JsResult {
    simulate::simulate(&from_js(scenario, Code::ScenarioInvalid)?)
        .map_err(throw)
        .map(to_js)
}
