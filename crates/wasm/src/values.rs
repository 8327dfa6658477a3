//! Converts values to JavaScript.

use serde::Serialize;
use wasm_bindgen::prelude::JsValue;

use copilot_keyless::Error;

pub(super) type JsResult = Result<JsValue, JsValue>;

pub(super) fn to_js(value: impl Serialize) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_maps_as_objects(true);
    // All types consist of numbers, texts, lists and structs, which always convert.
    value.serialize(&serializer).unwrap_or(JsValue::UNDEFINED)
}

pub(super) fn throw(error: Error) -> JsValue {
    to_js(error)
}
