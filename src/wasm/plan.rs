//! The surface of the planning module: endpoints, providers, requests and what became of them.

use js_sys::{Array, Object, Reflect};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::values::{JsResult, throw, to_js};
use crate::error::{Code, Error};
use crate::{challenge, chat, claims, diagnosis, endpoint, identity, probe, provider, providers, simulate};

/// [`endpoint::parse`].
#[wasm_bindgen(js_name = parseEndpoint)]
pub fn parse_endpoint(input: &str, options: JsValue) -> JsResult {
    endpoint::parse(input, &from_js(options, Code::ProviderConflict)?)
        .map_err(throw)
        .map(to_js)
}

/// [`provider::plan`].
#[wasm_bindgen(js_name = planProvider)]
pub fn plan_provider(request: JsValue) -> JsResult {
    provider::plan(&from_js(request, Code::ProviderConflict)?)
        .map_err(throw)
        .map(to_js)
}

/// [`providers::models`], of options that hold a name and models as well.
#[wasm_bindgen(js_name = planModels)]
pub fn plan_models(options: JsValue, taken: &Array) -> JsResult {
    let named = from_js(options.clone(), Code::ProviderConflict)?;
    let request = from_js(options, Code::ProviderConflict)?;
    let taken: Vec<String> = taken.iter().filter_map(|name| name.as_string()).collect();
    providers::models(&named, request, &taken)
        .map_err(throw)
        .map(to_js)
}

/// [`probe::call`].
#[wasm_bindgen(js_name = planProbe)]
pub fn plan_probe(request: JsValue, timeout_ms: Option<f64>) -> JsResult {
    probe::call(&from_js(request, Code::ProviderConflict)?, timeout_ms)
        .map_err(throw)
        .map(to_js)
}

/// [`chat::call`].
#[wasm_bindgen(js_name = planChat)]
pub fn plan_chat(request: JsValue, prompt: &str, timeout_ms: Option<f64>) -> JsResult {
    chat::call(&from_js(request, Code::ProviderConflict)?, prompt, timeout_ms)
        .map_err(throw)
        .map(to_js)
}

/// [`probe::judge`].
#[wasm_bindgen(js_name = judgeProbe)]
pub fn judge_probe(failure: JsValue) -> JsResult {
    Ok(to_js(probe::judge(&from_js(failure, Code::ProviderConflict)?)))
}

/// [`identity::call`].
#[wasm_bindgen(js_name = planTokenRequest)]
pub fn plan_token_request(request: JsValue) -> JsResult {
    identity::call(&from_js(request, Code::CredentialConfiguration)?)
        .map_err(throw)
        .map(to_js)
}

/// [`identity::judge`], of an answer as one object.
#[wasm_bindgen(js_name = judgeTokenAnswer)]
pub fn judge_token_answer(answer: JsValue) -> JsResult {
    let answer: identity::Answer = from_js(answer, Code::CredentialConfiguration)?;
    Ok(to_js(identity::judge(&answer)))
}

/// [`identity::advice`].
#[wasm_bindgen(js_name = adviceOn)]
pub fn advice_on(message: &str) -> Option<String> {
    identity::advice(message).map(str::to_owned)
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
pub fn diagnose(failure: JsValue) -> JsResult {
    Ok(to_js(diagnosis::diagnose(&from_js(
        failure,
        Code::ProviderConflict,
    )?)))
}

/// [`diagnosis::foresee`].
#[wasm_bindgen(js_name = checkToken)]
pub fn check_token(attempt: JsValue) -> JsResult {
    Ok(to_js(diagnosis::foresee(&from_js(
        attempt,
        Code::ProviderConflict,
    )?)))
}

/// [`diagnosis::role_assignment`].
#[wasm_bindgen(js_name = roleAssignment)]
pub fn role_assignment(attempt: JsValue) -> JsResult {
    Ok(to_js(diagnosis::role_assignment(&from_js(
        attempt,
        Code::ProviderConflict,
    )?)))
}

/// [`simulate::simulate`].
#[wasm_bindgen(js_name = simulateRefresh)]
pub fn simulate_refresh(scenario: JsValue) -> JsResult {
    simulate::simulate(&from_js(scenario, Code::ScenarioInvalid)?)
        .map_err(throw)
        .map(to_js)
}

fn from_js<T: DeserializeOwned + Default>(value: JsValue, code: Code) -> Result<T, JsValue> {
    if value.is_undefined() || value.is_null() {
        return Ok(T::default());
    }
    serde_wasm_bindgen::from_value(value.clone())
        .map_err(|_| misfit(&value.unchecked_into(), code, refusal::<T>))
}

/// serde's message about a value that is no `T`.
fn refusal<T: DeserializeOwned>(value: JsValue) -> Option<String> {
    serde_wasm_bindgen::from_value::<T>(value)
        .err()
        .map(|error| error.to_string())
}

/// Which option is of a wrong type. serde does not tell, so each is read alone. What was given is not repeated: it may be a
/// secret in the wrong place.
fn misfit(given: &Object, code: Code, refusal: fn(JsValue) -> Option<String>) -> JsValue {
    let message = Object::entries(given)
        .iter()
        .find_map(|entry| misfit_of(&entry.unchecked_into(), refusal))
        .unwrap_or_else(|| "The options must be an object.".to_owned());
    throw(Error::new(code, message).hint("Correct it, or leave it out to get the default."))
}

fn misfit_of(entry: &Array, refusal: fn(JsValue) -> Option<String>) -> Option<String> {
    let (name, value) = (entry.get(0), entry.get(1));
    let expected = |value: &JsValue| {
        let alone = Object::new();
        // A new object takes any property.
        let _ = Reflect::set(&alone, &name, value);
        refusal(alone.into()).map(|message| wanted(&message))
    };
    let inner = expected(&value)?;
    // What this one must be: asked with what it cannot be. serde names the type of a choice of words, unless it gets a word.
    let own = [JsValue::TRUE, JsValue::from_str(""), Object::new().into()]
        .iter()
        .filter_map(expected)
        .find(|own| !own.is_empty() && !own.starts_with("enum"))
        .unwrap_or_else(|| "an object".to_owned());
    let name = name.as_string()?;
    let choice = own.contains('"');
    Some(if value.is_object() && own != inner && !choice {
        format!("{name} holds something that must be {inner}.")
    } else if value.is_string() && choice {
        format!("{name} must be {own}; it is another text.")
    } else {
        let found = value.js_typeof().as_string()?;
        format!("{name} must be {own}; it is of the type {found}.")
    })
}

/// What serde expected, in the words of JavaScript.
fn wanted(message: &str) -> String {
    let (_, wanted) = message.rsplit_once("expected ").unwrap_or_default();
    match wanted {
        "f64" => "a number".to_owned(),
        "a map" => "an object".to_owned(),
        "a sequence" => "a list".to_owned(),
        _ if wanted.starts_with("struct") => "an object".to_owned(),
        _ => wanted.replace('`', "\""),
    }
}
