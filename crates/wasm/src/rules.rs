//! Exports small rules for providers, credentials and conversations.

use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::options::from_js;
use copilot_keyless::{Code, environment, provider};

/// [`provider::first_byte_timeout_ms`].
#[allow(
    clippy::needless_pass_by_value,
    reason = "texts that may be missing cross the boundary by value"
)]
#[wasm_bindgen(js_name = firstByteTimeoutMs)]
pub fn first_byte_timeout_ms(model: &str, effort: Option<String>) -> u32 {
    provider::first_byte_timeout_ms(model, effort.as_deref())
}

/// [`environment::has_direct_fallback`].
#[wasm_bindgen(js_name = hasDirectFallback)]
pub fn has_direct_fallback(env: &JsValue, arc_agent: bool) -> Result<bool, JsValue> {
    let env = from_js(env, Code::CredentialConfiguration)?;
    Ok(environment::has_direct_fallback(&env, arc_agent))
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
