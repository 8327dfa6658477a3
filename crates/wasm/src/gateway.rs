//! Exports the rules of the gateway. Passes headers as one text, because a list of them would take
//! most of the time of a request: `name: value` on a line each, as neither holds a line break.

use js_sys::Array;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use copilot_keyless::gateway::{
    self as rules, Admission, Answer, Dialect, Incoming, Pair, Refusal, Upstream,
};

/// [`rules::Gateway`].
#[wasm_bindgen]
pub struct Gateway(rules::Gateway);

#[wasm_bindgen]
impl Gateway {
    /// The gateway to an endpoint's base URL. Without `hosts`, any `Host` is accepted.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::needless_pass_by_value, reason = "texts cross the boundary by value")]
    pub fn new(base_url: &str, key: String, hosts: Option<Vec<String>>, origins: Vec<String>) -> Self {
        Self(rules::Gateway {
            upstream: Upstream::of(base_url),
            key: key.into(),
            hosts,
            origins,
        })
    }

    /// [`rules::Gateway::admit`]. Returns `["forward", dialect, target, isTurn, headers]`,
    /// `["health"]`, `["empty"]`, or `["refuse", dialect, code]`.
    pub fn admit(&self, method: &str, target: &str, headers: &str) -> Array {
        let headers = pairs(headers);
        let request = Incoming {
            method,
            target,
            headers: &headers,
        };
        let texts = |texts: &[&str]| texts.iter().map(|text| JsValue::from_str(text)).collect();
        match self.0.admit(request) {
            Admission::Forward(forward) => {
                let list: Array = texts(&["forward", forward.dialect.as_str(), &forward.target]);
                list.push(&forward.is_turn.into());
                list.push(&lines(&forward.headers).into());
                list
            }
            Admission::Health => texts(&["health"]),
            Admission::Empty => texts(&["empty"]),
            Admission::Refuse(refusal, dialect) => texts(&["refuse", dialect.as_str(), refusal.as_str()]),
        }
    }
}

/// [`rules::response_headers`].
#[wasm_bindgen(js_name = responseHeaders)]
pub fn response_headers(headers: &str) -> String {
    lines(&rules::response_headers(&pairs(headers)))
}

/// The status, message and body of a refusal; those of `gateway/closing` for an unknown code.
#[wasm_bindgen]
pub fn refusal(code: &str, dialect: &str) -> Array {
    let refusal = Refusal::by_code(code).unwrap_or(Refusal::Closing);
    let body = refusal.body(dialect_of(dialect));
    Array::of3(&refusal.status().into(), &refusal.message().into(), &body.into())
}

/// [`rules::error_body`].
#[wasm_bindgen(js_name = errorBody)]
pub fn error_body(dialect: &str, status: u16, code: &str, message: &str) -> String {
    rules::error_body(dialect_of(dialect), status, code, message)
}

/// [`rules::needs_reading`].
#[wasm_bindgen(js_name = needsReading)]
pub fn needs_reading(status: u16) -> bool {
    rules::needs_reading(status)
}

/// [`rules::judge`].
#[wasm_bindgen]
#[allow(
    clippy::fn_params_excessive_bools,
    reason = "values cross the boundary one by one"
)]
pub fn judge(
    status: u16,
    code: &str,
    token_rejected: bool,
    claims: bool,
    is_turn: bool,
    repeatable: bool,
    repeated: bool,
) -> String {
    let answer = Answer {
        status,
        code,
        token_rejected,
        claims,
        is_turn,
        repeatable,
        repeated,
    };
    rules::judge(answer).as_str().to_owned()
}

/// [`rules::repeats_broken_connection`].
#[wasm_bindgen(js_name = repeatsBrokenConnection)]
pub fn repeats_broken_connection(reused: bool, repeatable: bool, repeated: bool) -> bool {
    rules::repeats_broken_connection(reused, repeatable, repeated)
}

/// [`rules::operation`].
#[wasm_bindgen]
pub fn operation(target: &str) -> Option<String> {
    rules::operation(target).map(str::to_owned)
}

/// [`rules::Usage::of`]. Returns `[inputTokens, outputTokens]`.
#[wasm_bindgen(js_name = usageOf)]
#[allow(clippy::cast_precision_loss, reason = "JavaScript has no other numbers")]
pub fn usage_of(tail: &str) -> Option<Vec<f64>> {
    let usage = rules::Usage::of(tail)?;
    Some(vec![usage.input_tokens as f64, usage.output_tokens as f64])
}

fn dialect_of(name: &str) -> Dialect {
    match name {
        "anthropic" => Dialect::Anthropic,
        _ => Dialect::Openai,
    }
}

fn pairs(headers: &str) -> Vec<Pair<'_>> {
    headers
        .split('\n')
        .filter_map(|line| line.split_once(": "))
        .collect()
}

fn lines(headers: &[Pair<'_>]) -> String {
    let mut text = String::new();
    for (name, value) in headers {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
    }
    text
}
