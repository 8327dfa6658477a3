//! The surface for JavaScript: converts and forwards, decides nothing. The types on the other side are hand-written, in
//! `js/wasm/core.d.ts`.

use js_sys::{Array, Function, Object, Reflect};
use serde::Serialize;
use serde::de::{DeserializeOwned, Deserializer};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::endpoint;
use crate::error::{Code, Error};
use crate::expiry::{self, Millis, TokenResponse};
use crate::json::ObjectVisitor;
use crate::schedule::{self, Answer, Failure, FailureKind, Now, RefreshPolicy};
use crate::{challenge, chat, claims, diagnosis, identity, probe, provider, providers, simulate};

type JsResult = Result<JsValue, JsValue>;

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

/// [`expiry::parse_token_response`], of JSON text. `zone` gives the offset in minutes east of UTC for a local time.
#[wasm_bindgen(js_name = parseTokenResponseText)]
pub fn parse_token_response_text(json: &str, requested_at: f64, zone: &Function) -> JsResult {
    expiry::parse_token_response(json.as_bytes(), millis(requested_at), offset_by(zone))
        .map_err(throw)
        .map(access_token)
}

/// [`expiry::parse_token_response`], of an object.
#[wasm_bindgen(js_name = parseTokenResponseObject)]
pub fn parse_token_response_object(object: JsValue, requested_at: f64, zone: &Function) -> JsResult {
    let fields = serde_wasm_bindgen::Deserializer::from(object)
        .deserialize_map(ObjectVisitor {
            wanted: expiry::is_field,
        })
        .map_err(|_| {
            throw(Error::new(
                Code::ExpiryNotJson,
                "the token response is neither a text nor an object",
            ))
        })?;
    expiry::read(&fields, millis(requested_at), &offset_by(zone))
        .map_err(throw)
        .map(access_token)
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

/// [`schedule::Schedule`].
#[wasm_bindgen]
pub struct Schedule(schedule::Schedule);

#[wasm_bindgen]
impl Schedule {
    /// [`schedule::Schedule::new`], with a policy that may leave fields out.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: JsValue) -> Result<Schedule, JsValue> {
        let policy: RefreshPolicy = serde_wasm_bindgen::from_value(policy)
            .map_err(|error| throw(Error::new(Code::PolicyInvalid, error.to_string())))?;
        policy
            .validate()
            .map(|policy| Self(schedule::Schedule::new(policy)))
            .map_err(throw)
    }

    /// [`schedule::Schedule::request`].
    pub fn request(&mut self, wall: f64, mono: f64) -> JsValue {
        to_js(self.0.request(now(wall, mono)))
    }

    /// [`schedule::Schedule::wake`].
    pub fn wake(&mut self, wall: f64, mono: f64) -> JsValue {
        to_js(self.0.wake(now(wall, mono)))
    }

    /// [`schedule::Schedule::next_wake`].
    #[wasm_bindgen(js_name = nextWake)]
    pub fn next_wake(&self, wall: f64, mono: f64) -> Option<f64> {
        self.0.next_wake(now(wall, mono)).map(|ms| ms as f64)
    }

    /// [`schedule::Schedule::acquired`].
    #[wasm_bindgen]
    #[allow(
        clippy::too_many_arguments,
        reason = "numbers cross the boundary cheaper than an object"
    )]
    pub fn acquired(
        &mut self,
        flight: u32,
        requested_wall: f64,
        requested_mono: f64,
        expires_on: f64,
        refresh_after: Option<f64>,
        wall: f64,
        mono: f64,
        random: f64,
    ) -> JsValue {
        let answer = Answer {
            requested: now(requested_wall, requested_mono),
            expires_on,
            refresh_after,
        };
        to_js(self.0.acquired(flight, answer, now(wall, mono), random))
    }

    /// [`schedule::Schedule::failed`].
    #[allow(
        clippy::too_many_arguments,
        reason = "numbers cross the boundary cheaper than an object"
    )]
    pub fn failed(
        &mut self,
        flight: u32,
        status: Option<u16>,
        unavailable: bool,
        retry_after_ms: Option<f64>,
        wall: f64,
        mono: f64,
        random: f64,
    ) -> JsValue {
        let failure = Failure {
            kind: FailureKind::of(status, unavailable),
            retry_after_ms: retry_after_ms.map(millis),
        };
        to_js(self.0.failed(flight, now(wall, mono), failure, random))
    }

    /// [`schedule::Schedule::timed_out`].
    #[wasm_bindgen(js_name = timedOut)]
    pub fn timed_out(&mut self, flight: u32, wall: f64, mono: f64, random: f64) -> JsValue {
        to_js(self.0.timed_out(flight, now(wall, mono), random))
    }

    /// [`schedule::Schedule::rejected_again`].
    #[wasm_bindgen(js_name = rejectedAgain)]
    pub fn rejected_again(&mut self, flight: u32, wall: f64, mono: f64, random: f64) -> JsValue {
        to_js(self.0.rejected_again(flight, now(wall, mono), random))
    }

    /// [`schedule::Schedule::invalidate`].
    pub fn invalidate(&mut self, wall: f64, mono: f64) -> bool {
        self.0.invalidate(now(wall, mono))
    }

    /// [`schedule::Schedule::challenged`].
    pub fn challenged(&mut self, wall: f64, mono: f64) -> bool {
        self.0.challenged(now(wall, mono))
    }

    /// [`schedule::Schedule::close`].
    pub fn close(&mut self) {
        self.0.close();
    }

    /// [`schedule::Schedule::status`].
    pub fn status(&self, wall: f64, mono: f64) -> JsValue {
        to_js(self.0.status(now(wall, mono)))
    }
}

/// An `AccessToken` of `@azure/identity`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessToken {
    token: String,
    expires_on_timestamp: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_after_timestamp: Option<Millis>,
}

fn access_token(response: TokenResponse) -> JsValue {
    to_js(AccessToken {
        token: response.token,
        expires_on_timestamp: response.lifetime.expires,
        refresh_after_timestamp: response.lifetime.refresh_after,
    })
}

fn now(wall: f64, mono: f64) -> Now {
    Now {
        wall: millis(wall),
        mono: millis(mono),
    }
}

fn millis(value: f64) -> Millis {
    value as Millis
}

fn offset_by(zone: &Function) -> impl Fn(Millis) -> Option<i32> {
    move |local| {
        let offset = zone
            .call1(&JsValue::NULL, &JsValue::from_f64(local as f64))
            .ok()?
            .as_f64()?;
        offset.is_finite().then_some(offset as i32)
    }
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

fn to_js(value: impl Serialize) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
    // Every type here is made of numbers, texts, lists and structs, which always convert.
    value.serialize(&serializer).unwrap_or(JsValue::UNDEFINED)
}

fn throw(error: Error) -> JsValue {
    to_js(error)
}
