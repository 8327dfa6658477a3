//! The surface of the planning module: endpoints, providers, requests and what became of them.

use js_sys::{Array, Map, Object, Reflect};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::values::{JsResult, throw, to_js};
use crate::error::{Code, Error};
use crate::shape::{self, Shape};
use crate::{
    challenge, chat, claims, diagnosis, endpoint, expiry, identity, probe, provider, providers, simulate,
};

/// [`endpoint::parse`].
#[wasm_bindgen(js_name = parseEndpoint)]
pub fn parse_endpoint(input: &str, options: &JsValue) -> JsResult {
    endpoint::parse(
        input,
        &from_js(
            options,
            &Shape::Record(shape::ENDPOINT_OPTIONS),
            Code::ProviderConflict,
        )?,
    )
    .map_err(throw)
    .map(to_js)
}

/// [`provider::plan`].
#[wasm_bindgen(js_name = planProvider)]
pub fn plan_provider(request: &JsValue) -> JsResult {
    provider::plan(&from_js(
        request,
        &Shape::Record(shape::PROVIDER),
        Code::ProviderConflict,
    )?)
    .map_err(throw)
    .map(to_js)
}

/// [`providers::models`], of options that hold a name and models as well.
#[wasm_bindgen(js_name = planModels)]
pub fn plan_models(options: &JsValue, taken: &Array) -> JsResult {
    let named = from_js(options, &Shape::Record(shape::NAMED), Code::ProviderConflict)?;
    let request = from_js(options, &Shape::Record(shape::PROVIDER), Code::ProviderConflict)?;
    let taken: Vec<String> = taken.iter().filter_map(|name| name.as_string()).collect();
    providers::models(&named, request, &taken)
        .map_err(throw)
        .map(to_js)
}

/// [`probe::call`].
#[wasm_bindgen(js_name = planProbe)]
pub fn plan_probe(request: &JsValue, timeout_ms: Option<f64>) -> JsResult {
    probe::call(
        &from_js(request, &Shape::Record(shape::PROVIDER), Code::ProviderConflict)?,
        timeout_ms,
    )
    .map_err(throw)
    .map(to_js)
}

/// [`chat::call`].
#[wasm_bindgen(js_name = planChat)]
pub fn plan_chat(request: &JsValue, prompt: &str, timeout_ms: Option<f64>) -> JsResult {
    chat::call(
        &from_js(request, &Shape::Record(shape::PROVIDER), Code::ProviderConflict)?,
        prompt,
        timeout_ms,
    )
    .map_err(throw)
    .map(to_js)
}

/// [`probe::judge`].
#[wasm_bindgen(js_name = judgeProbe)]
pub fn judge_probe(failure: &JsValue) -> JsResult {
    Ok(to_js(probe::judge(&from_js(
        failure,
        &Shape::Record(shape::FAILURE),
        Code::ProviderConflict,
    )?)))
}

/// [`identity::call`].
#[wasm_bindgen(js_name = planTokenRequest)]
pub fn plan_token_request(request: &JsValue) -> JsResult {
    identity::call(&from_js(
        request,
        &Shape::Record(shape::TOKEN_REQUEST),
        Code::CredentialConfiguration,
    )?)
    .map_err(throw)
    .map(to_js)
}

/// [`identity::judge`], of an answer as one object.
#[wasm_bindgen(js_name = judgeTokenAnswer)]
pub fn judge_token_answer(answer: &JsValue) -> JsResult {
    let answer: identity::Answer = from_js(
        answer,
        &Shape::Record(shape::TOKEN_ANSWER),
        Code::CredentialConfiguration,
    )?;
    Ok(to_js(identity::judge(&answer)))
}

/// [`identity::advice`].
#[wasm_bindgen(js_name = adviceOn)]
pub fn advice_on(message: &str) -> Option<String> {
    identity::advice(message).map(str::to_owned)
}

/// [`expiry::retry_after_ms`]; an empty `date` tells nothing.
#[wasm_bindgen(js_name = retryAfterMs)]
pub fn retry_after_ms(value: &str, date: &str, now: f64) -> Option<f64> {
    expiry::retry_after_ms(value, date, Some(now as expiry::Millis)).map(f64::from)
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
        &Shape::Record(shape::FAILURE),
        Code::ProviderConflict,
    )?)))
}

/// [`diagnosis::foresee`].
#[wasm_bindgen(js_name = checkToken)]
pub fn check_token(attempt: &JsValue) -> JsResult {
    Ok(to_js(diagnosis::foresee(&from_js(
        attempt,
        &Shape::Record(shape::FAILURE),
        Code::ProviderConflict,
    )?)))
}

/// [`diagnosis::role_assignment`].
#[wasm_bindgen(js_name = roleAssignment)]
pub fn role_assignment(attempt: &JsValue) -> JsResult {
    Ok(to_js(diagnosis::role_assignment(&from_js(
        attempt,
        &Shape::Record(shape::FAILURE),
        Code::ProviderConflict,
    )?)))
}

/// [`simulate::simulate`].
#[wasm_bindgen(js_name = simulateRefresh)]
pub fn simulate_refresh(scenario: &JsValue) -> JsResult {
    simulate::simulate(&from_js(
        scenario,
        &Shape::Strict(shape::SCENARIO),
        Code::ScenarioInvalid,
    )?)
    .map_err(throw)
    .map(to_js)
}

/// Reads options, or says which one is of a wrong type. What was given is not repeated: it may be a secret in the wrong place.
fn from_js<T: DeserializeOwned + Default>(value: &JsValue, shape: &Shape, code: Code) -> Result<T, JsValue> {
    if value.is_undefined() || value.is_null() {
        return Ok(T::default());
    }
    let refused = |message: String| {
        throw(Error::new(code, message).hint("Correct it, or leave it out to get the default."))
    };
    let read = options(value, shape).map_err(refused)?;
    serde_wasm_bindgen::from_value(read)
        .map_err(|_| refused("An option holds something that cannot be read.".to_owned()))
}

/// The options that are given, without what is undefined or null.
fn options(value: &JsValue, shape: &Shape) -> Result<JsValue, String> {
    let (Shape::Record(fields) | Shape::Strict(fields)) = shape else {
        return fit(value, shape).map_err(|wanted| format!("The options must be {wanted}."));
    };
    if !value.is_object() || Array::is_array(value) {
        return Err("The options must be an object.".to_owned());
    }
    known(value, shape).map_err(|wanted| format!("The options must be {wanted}."))?;
    let read = Object::new();
    for (name, shape) in *fields {
        let Some(given) = field(value, name)? else {
            continue;
        };
        let fitted = fit(&given, shape).map_err(|wanted| misfit(name, &given, shape, &wanted))?;
        set(&read, &(*name).into(), &fitted);
    }
    Ok(read.into())
}

/// Says what an option must be, and what it is.
fn misfit(name: &str, given: &JsValue, shape: &Shape, wanted: &str) -> String {
    let own = shape.named();
    if wanted != own {
        return format!("{name} holds something that must be {wanted}.");
    }
    let found = given.js_typeof().as_string().unwrap_or_default();
    match shape {
        Shape::Choice(_) if given.is_string() => format!("{name} must be {own}; it is another text."),
        Shape::Whole(..) if found == "number" => format!("{name} must be {own}; it is another number."),
        _ => format!("{name} must be {own}; it is of the type {found}."),
    }
}

/// A copy of what fits; what the misfit, or the part of it, must be.
fn fit(value: &JsValue, shape: &Shape) -> Result<JsValue, String> {
    let own = |fits: bool| {
        if fits {
            Ok(value.clone())
        } else {
            Err(shape.named())
        }
    };
    match shape {
        Shape::Text => own(value.is_string()),
        Shape::Number => own(value.as_f64().is_some()),
        Shape::Flag => own(value.as_bool().is_some()),
        Shape::Whole(least, most) => {
            let between =
                |number: f64| number.fract() == 0.0 && *least as f64 <= number && number <= *most as f64;
            own(value.as_f64().is_some_and(between))
        }
        Shape::Choice(words) => own(value
            .as_string()
            .is_some_and(|word| words.contains(&word.as_str()))),
        Shape::List(item) => {
            own(Array::is_array(value))?;
            let read: Result<Array, String> = Array::from(value).iter().map(|one| fit(&one, item)).collect();
            read.map(Into::into)
        }
        Shape::Map(item) | Shape::Sparse(item) => {
            own(value.is_object() && !Array::is_array(value))?;
            let read = Object::new();
            for entry in entries(value) {
                let entry: Array = entry.unchecked_into();
                let (name, given) = (entry.get(0), entry.get(1));
                if matches!(shape, Shape::Sparse(_)) && (given.is_undefined() || given.is_null()) {
                    continue;
                }
                set(&read, &name, &fit(&given, item)?);
            }
            Ok(read.into())
        }
        Shape::Record(fields) | Shape::Strict(fields) => {
            own(value.is_object() && !Array::is_array(value))?;
            known(value, shape)?;
            let read = Object::new();
            for (name, shape) in *fields {
                if let Some(given) = field(value, name)? {
                    set(&read, &(*name).into(), &fit(&given, shape)?);
                }
            }
            Ok(read.into())
        }
    }
}

/// Refuses names that an object must not have.
fn known(value: &JsValue, shape: &Shape) -> Result<(), String> {
    let Shape::Strict(fields) = shape else {
        return Ok(());
    };
    let names = Object::keys(value.unchecked_ref::<Object>());
    let known = |name: JsValue| {
        fields
            .iter()
            .any(|(known, _)| name.as_string().as_deref() == Some(known))
    };
    if names.iter().all(known) {
        return Ok(());
    }
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    Err(format!("an object of {} and nothing else", names.join(", ")))
}

/// A field that is given.
fn field(object: &JsValue, name: &str) -> Result<Option<JsValue>, String> {
    let value =
        Reflect::get(object, &name.into()).map_err(|_| "an object whose fields can be read".to_owned())?;
    Ok((!value.is_undefined() && !value.is_null()).then_some(value))
}

/// The names and values of an object, or of a `Map`.
fn entries(value: &JsValue) -> Array {
    match value.dyn_ref::<Map>() {
        Some(map) => Array::from(map.entries().as_ref()),
        None => Object::entries(value.unchecked_ref::<Object>()),
    }
}

/// A new object takes any property.
fn set(object: &Object, name: &JsValue, value: &JsValue) {
    let _ = Reflect::set(object, name, value);
}
