//! Exports the refresh schedule and the lifetime of tokens, which every program needs.

use js_sys::{Array, Date, Function, Object};
use serde::de::IntoDeserializer as _;
use serde::de::value::{self, StrDeserializer};
use serde::{Deserialize as _, Serialize};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::values::{JsResult, throw, to_js};
use copilot_keyless::request::identity::{self, Source};
use copilot_keyless::schedule::{self, Answer, Failure, FailureKind, Now, RefreshPolicy};
use copilot_keyless::token::{self, FieldValue, Millis, TokenResponse};
use copilot_keyless::{Code, Error, Secret};

/// [`token::parse_token_response`] for JSON text. `zone` returns the offset in minutes east of UTC
/// at a local time.
#[wasm_bindgen(js_name = parseTokenResponseText)]
pub fn parse_token_response_text(json: &str, requested_at: f64, zone: &Function) -> JsResult {
    token::parse_token_response(json.as_bytes(), millis(requested_at), offset_by(zone))
        .map_err(throw)
        .map(access_token)
}

/// [`token::parse_token_fields`] for an object.
#[wasm_bindgen(js_name = parseTokenResponseObject)]
pub fn parse_token_response_object(object: &JsValue, requested_at: f64, zone: &Function) -> JsResult {
    let fields = fields(object).ok_or_else(|| {
        throw(Error::new(
            Code::ExpiryNotJson,
            "the token response is neither a text nor an object",
        ))
    })?;
    token::parse_token_fields(fields, millis(requested_at), offset_by(zone))
        .map_err(throw)
        .map(access_token)
}

/// [`identity::accept`]. An unknown source counts as `imds`.
#[wasm_bindgen(js_name = acceptTokenAnswer)]
pub fn accept_token_answer(
    source: &str,
    of_assertion: bool,
    status: u16,
    body: &str,
    requested_at: f64,
) -> Option<JsValue> {
    let name: StrDeserializer<'_, value::Error> = source.into_deserializer();
    let source = Source::deserialize(name).unwrap_or_default();
    identity::accept(source, of_assertion, status, body, millis(requested_at)).map(to_js)
}

/// [`token::seems_expired`].
#[wasm_bindgen(js_name = seemsExpired)]
pub fn seems_expired(expires_on: f64, now: f64) -> bool {
    token::seems_expired(expires_on, millis(now))
}

/// [`token::corrected_expiry`], with the [`token::clock_ahead`] of a response's `Date`. An empty
/// `date` means that the clock is not ahead.
#[wasm_bindgen(js_name = correctedExpiry)]
pub fn corrected_expiry(token: &str, expires_on: f64, now: f64, date: &str, asked_at: f64) -> Option<f64> {
    let clock_ahead = token::clock_ahead(date, millis(asked_at));
    token::corrected_expiry(token, expires_on, millis(now), clock_ahead).map(|at| at as f64)
}

/// [`schedule::RETRY_AFTER_MAX_MS`].
#[wasm_bindgen(js_name = maxRetryAfterMs)]
pub fn max_retry_after_ms() -> f64 {
    schedule::RETRY_AFTER_MAX_MS as f64
}

/// [`schedule::Schedule`].
#[wasm_bindgen]
pub struct Schedule(schedule::Schedule);

#[wasm_bindgen]
impl Schedule {
    /// [`schedule::Schedule::new`], with a policy that may omit fields.
    #[wasm_bindgen(constructor)]
    pub fn new(policy: &JsValue) -> Result<Schedule, JsValue> {
        changed(policy)
            .and_then(schedule::Schedule::new)
            .map(Self)
            .map_err(throw)
    }

    /// [`schedule::Schedule::request`].
    pub fn request(&mut self, wall: f64, mono: f64) -> JsValue {
        to_js(self.0.request(now(wall, mono)))
    }

    /// [`schedule::Schedule::refresh`].
    pub fn refresh(&mut self, wall: f64, mono: f64) -> JsValue {
        to_js(self.0.refresh(now(wall, mono)))
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
    pub fn timed_out(
        &mut self,
        flight: u32,
        retry_after_ms: Option<f64>,
        wall: f64,
        mono: f64,
        random: f64,
    ) -> JsValue {
        let retry_after_ms = retry_after_ms.map(millis);
        to_js(self.0.timed_out(flight, now(wall, mono), retry_after_ms, random))
    }

    /// [`schedule::Schedule::wait_left`].
    #[wasm_bindgen(js_name = waitLeft)]
    pub fn wait_left(&self, since_wall: f64, since_mono: f64, wall: f64, mono: f64) -> f64 {
        self.0.wait_left(now(since_wall, since_mono), now(wall, mono)) as f64
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

    /// [`schedule::Schedule::renewal_left`].
    #[wasm_bindgen(js_name = renewalLeft)]
    pub fn renewal_left(&self, claims: bool, wall: f64, mono: f64) -> f64 {
        self.0.renewal_left(claims, now(wall, mono)) as f64
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

/// [`schedule::CacheFallback`].
#[wasm_bindgen]
#[derive(Default)]
pub struct CacheFallback(schedule::CacheFallback);

#[wasm_bindgen]
impl CacheFallback {
    /// [`schedule::CacheFallback::default`].
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// [`schedule::CacheFallback::mark_rejected`].
    #[wasm_bindgen(js_name = markRejected)]
    pub fn mark_rejected(&mut self, token: &str) {
        self.0.mark_rejected(token);
    }

    /// [`schedule::CacheFallback::mark_refused`].
    #[wasm_bindgen(js_name = markRefused)]
    pub fn mark_refused(&mut self, token: &str, expires_on: f64) {
        self.0.mark_refused(token, expires_on);
    }

    /// [`schedule::CacheFallback::is_unusable`].
    #[wasm_bindgen(js_name = isUnusable)]
    pub fn is_unusable(&self, token: &str, expires_on: f64) -> bool {
        self.0.is_unusable(token, expires_on)
    }

    /// [`schedule::CacheFallback::is_rejected`].
    #[wasm_bindgen(js_name = isRejected)]
    pub fn is_rejected(&self, token: &str) -> bool {
        self.0.is_rejected(token)
    }

    /// [`schedule::CacheFallback::may_ask`].
    #[wasm_bindgen(js_name = mayAsk)]
    pub fn may_ask(&self, mono: f64) -> bool {
        self.0.may_ask(millis(mono))
    }

    /// [`schedule::CacheFallback::may_ask_after_failure`].
    #[wasm_bindgen(js_name = mayAskAfterFailure)]
    pub fn may_ask_after_failure(&self, status: Option<u16>, mono: f64) -> bool {
        self.0.may_ask_after_failure(status, millis(mono))
    }

    /// [`schedule::CacheFallback::answered`]. A failure is passed as an empty token, because an
    /// optional text would be copied.
    pub fn answered(
        &mut self,
        unusable: &str,
        answer: &str,
        expires_on: f64,
        aborted: bool,
        mono: f64,
    ) -> bool {
        let answer = (!answer.is_empty()).then_some((answer, expires_on));
        self.0.answered(unusable, answer, aborted, millis(mono))
    }

    /// [`schedule::CacheFallback::clear`].
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Returns the default policy with the overrides of an object. Without serde, like [`fields`].
fn changed(given: &JsValue) -> Result<RefreshPolicy, Error> {
    if !given.is_object() || Array::is_array(given) {
        return Err(Error::new(Code::PolicyInvalid, "the policy must be an object"));
    }
    let mut policy = RefreshPolicy::default();
    for entry in Object::entries(given.unchecked_ref()) {
        let entry: Array = entry.unchecked_into();
        let name = entry.get(0).as_string().unwrap_or_default();
        if !entry.get(1).is_undefined() {
            let number = entry.get(1).as_f64().filter(|number| number.fract() == 0.0);
            policy.change(&name, number.map(millis))?;
        }
    }
    Ok(policy)
}

/// Returns the fields of an object. Without serde, whose code for JavaScript objects is as large as
/// the schedule.
fn fields(object: &JsValue) -> Option<Vec<(String, FieldValue)>> {
    if !object.is_object() || Array::is_array(object) {
        return None;
    }
    let fields = Object::entries(object.unchecked_ref())
        .iter()
        .filter_map(|entry| {
            let entry: Array = entry.unchecked_into();
            Some((entry.get(0).as_string()?, field_value(&entry.get(1))))
        })
        .collect();
    Some(fields)
}

fn field_value(given: &JsValue) -> FieldValue {
    if given.is_undefined() || given.is_null() {
        FieldValue::Null
    } else if let Some(number) = given.as_f64() {
        FieldValue::Number(number)
    } else if let Ok(number) = i64::try_from(given.clone()) {
        // A BigInt.
        FieldValue::Number(number as f64)
    } else if let Some(date) = given.dyn_ref::<Date>() {
        // The expiry of a result of MSAL or ADAL.
        FieldValue::Number(date.get_time())
    } else {
        given.as_string().map_or(FieldValue::Other, FieldValue::Text)
    }
}

/// An `AccessToken` of `@azure/identity`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessToken {
    token: Secret,
    expires_on_timestamp: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_after_timestamp: Option<Millis>,
}

fn access_token(response: TokenResponse) -> JsValue {
    to_js(AccessToken {
        token: response.token,
        expires_on_timestamp: response.lifetime.expires(),
        refresh_after_timestamp: response.lifetime.refresh_after(),
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
