//! Exports what only failures need: diagnoses, and what callers learn about a failure.

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::options::from_js;
use super::values::{JsResult, to_js};
use copilot_keyless::request::{identity, probe};
use copilot_keyless::token::{self, challenge, claims};
use copilot_keyless::{Code, Problem, answer, diagnosis};

/// [`probe::judge`].
#[wasm_bindgen(js_name = judgeProbe)]
pub fn judge_probe(failure: &JsValue) -> JsResult {
    Ok(to_js(probe::judge(&from_js(failure, Code::ProviderConflict)?)))
}

/// [`identity::judge`], for a response as one object.
#[wasm_bindgen(js_name = judgeTokenAnswer)]
pub fn judge_token_answer(answer: &JsValue) -> JsResult {
    let answer: identity::Answer = from_js(answer, Code::CredentialConfiguration)?;
    Ok(to_js(identity::judge(&answer)))
}

/// [`diagnosis::credential_failure`].
#[wasm_bindgen(js_name = credentialFailure)]
pub fn credential_failure(reported: &JsValue) -> JsResult {
    Ok(to_js(diagnosis::credential_failure(&from_js(
        reported,
        Code::CredentialConfiguration,
    )?)))
}

/// [`Problem::by_text`].
#[wasm_bindgen(js_name = problemOf)]
pub fn problem_of(code: &str) -> JsValue {
    to_js(Problem::by_text(code))
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
