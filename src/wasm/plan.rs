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
    if is_nothing(value) {
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
    if !is_record(value) {
        return Err("The options must be an object.".to_owned());
    }
    let mut misfit = None;
    record(value, shape, &mut misfit).map_err(|wanted| match misfit {
        Some((name, given, shape)) => describe(name, &given, shape, &wanted),
        None => format!("The options must be {wanted}."),
    })
}

/// Says what an option must be, and what it is.
fn describe(name: &str, given: &JsValue, shape: &Shape, wanted: &str) -> String {
    if wanted != shape.named() {
        return format!("{name} holds something that must be {wanted}.");
    }
    let found = given.js_typeof().as_string().unwrap_or_default();
    let found = match shape {
        Shape::Choice(_) if found == "string" => "another text".to_owned(),
        Shape::Whole(..) if found == "number" => "another number".to_owned(),
        _ => format!("of the type {found}"),
    };
    format!("{name} must be {wanted}; it is {found}.")
}

/// An option that does not fit.
type Misfit = Option<(&'static str, JsValue, &'static Shape)>;

/// A copy of what fits; what the misfit, or the part of it, must be.
fn fit(value: &JsValue, shape: &Shape) -> Result<JsValue, String> {
    let fits = match shape {
        Shape::Text => value.is_string(),
        Shape::Number => value.as_f64().is_some(),
        Shape::Flag => value.as_bool().is_some(),
        Shape::Whole(least, most) => value
            .as_f64()
            .is_some_and(|number| number.fract() == 0.0 && *least as f64 <= number && number <= *most as f64),
        Shape::Choice(words) => value
            .as_string()
            .is_some_and(|word| words.contains(&word.as_str())),
        Shape::List(_) => Array::is_array(value),
        Shape::Map(_) | Shape::Sparse(_) | Shape::Record(_) | Shape::Strict(_) => is_record(value),
    };
    if !fits {
        return Err(shape.named());
    }
    match shape {
        Shape::List(item) => {
            let read = Array::new();
            for one in Array::from(value).iter() {
                read.push(&fit(&one, item)?);
            }
            Ok(read.into())
        }
        Shape::Map(item) | Shape::Sparse(item) => {
            let read = Object::new();
            for entry in entries(value) {
                let entry: Array = entry.unchecked_into();
                let given = entry.get(1);
                if !(matches!(shape, Shape::Sparse(_)) && is_nothing(&given)) {
                    set(&read, &entry.get(0), &fit(&given, item)?);
                }
            }
            Ok(read.into())
        }
        Shape::Record(_) | Shape::Strict(_) => record(value, shape, &mut None),
        _ => Ok(value.clone()),
    }
}

/// The fields of an object that are given. What one that does not fit must be, and in `misfit` which one it is.
fn record(value: &JsValue, shape: &Shape, misfit: &mut Misfit) -> Result<JsValue, String> {
    let (Shape::Record(fields) | Shape::Strict(fields)) = *shape else {
        return Err(shape.named());
    };
    if matches!(shape, Shape::Strict(_)) {
        let names = Object::keys(value.unchecked_ref::<Object>());
        let known = |name: JsValue| fields.iter().any(|(known, _)| name == *known);
        if !names.iter().all(known) {
            let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            return Err(format!("an object of {} and nothing else", names.join(", ")));
        }
    }
    let read = Object::new();
    for (name, shape) in fields {
        let name = *name;
        let given =
            Reflect::get(value, &name.into()).map_err(|_| "an object whose fields can be read".to_owned())?;
        if !is_nothing(&given) {
            let fitted = fit(&given, shape).inspect_err(|_| *misfit = Some((name, given, shape)))?;
            set(&read, &name.into(), &fitted);
        }
    }
    Ok(read.into())
}

fn is_record(value: &JsValue) -> bool {
    value.is_object() && !Array::is_array(value)
}

fn is_nothing(value: &JsValue) -> bool {
    value.is_undefined() || value.is_null()
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
