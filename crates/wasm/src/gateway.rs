//! Exports the rules of the gateway. Values that cross the boundary one by one would take most of the
//! time of a request. So headers come as one text, `name: value` on a line each, as neither holds a
//! line break; and of those that pass, a digit for each returns: `1` if it passes, else `0`.

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;

use copilot_keyless::gateway::{
    self as rules, Admission, Answer, Backend, Choice, Dialect, Incoming, Outcome, Pair, Refusal, Upstream,
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

    /// [`rules::Gateway::admit`]. Returns lines: `forward`, dialect, `true` or `false` for a turn,
    /// digits for the headers, target; or `health`; or `empty`; or `refuse`, dialect, code.
    pub fn admit(&self, method: &str, target: &str, headers: &str) -> String {
        let pairs = pairs(headers);
        let request = Incoming {
            method,
            target,
            headers: &pairs,
        };
        match self.0.admit(request) {
            Admission::Forward(forward) => [
                "forward",
                forward.dialect.as_str(),
                if forward.is_turn { "true" } else { "false" },
                &digits(headers, &forward.headers),
                &forward.target,
            ]
            .join("\n"),
            Admission::Health => "health".to_owned(),
            Admission::Empty => "empty".to_owned(),
            Admission::Refuse(refusal, dialect) => ["refuse", dialect.as_str(), refusal.as_str()].join("\n"),
        }
    }
}

/// [`rules::response_headers`], as digits.
#[wasm_bindgen(js_name = responseHeaders)]
pub fn response_headers(headers: &str) -> String {
    digits(headers, &rules::response_headers(&pairs(headers)))
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

/// [`rules::is_final_status`].
#[wasm_bindgen(js_name = isFinalStatus)]
pub fn is_final_status(status: u16) -> bool {
    rules::is_final_status(status)
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

/// [`rules::Wanted::model`] of a path and the beginning of a body.
#[wasm_bindgen(js_name = modelOf)]
pub fn model_of(target: &str, body: &[u8]) -> Option<String> {
    rules::Wanted::read(target, body).model().map(str::to_owned)
}

/// [`rules::Usage::of`]. Returns `[inputTokens, outputTokens]`.
#[wasm_bindgen(js_name = usageOf)]
#[allow(clippy::cast_precision_loss, reason = "JavaScript has no other numbers")]
pub fn usage_of(tail: &str) -> Option<Vec<f64>> {
    let usage = rules::Usage::of(tail)?;
    Some(vec![usage.input_tokens as f64, usage.output_tokens as f64])
}

/// [`rules::Wanted`].
#[wasm_bindgen]
pub struct Wanted(rules::Wanted);

#[wasm_bindgen]
impl Wanted {
    /// [`rules::Wanted::read`].
    #[wasm_bindgen(constructor)]
    pub fn new(target: &str, body: &[u8]) -> Self {
        Self(rules::Wanted::read(target, body))
    }

    /// [`rules::Wanted::model`].
    pub fn model(&self) -> Option<String> {
        self.0.model().map(str::to_owned)
    }

    /// [`rules::Wanted::makes_ids`].
    #[wasm_bindgen(js_name = makesIds)]
    pub fn makes_ids(&self) -> bool {
        self.0.makes_ids()
    }
}

/// [`rules::AnswerReader`].
#[wasm_bindgen]
#[derive(Default)]
pub struct AnswerReader(rules::AnswerReader);

#[wasm_bindgen]
impl AnswerReader {
    /// A reader at the start of an answer.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }
}

/// [`rules::Pool`]. Times are monotonic milliseconds.
#[wasm_bindgen]
pub struct Pool(rules::Pool);

#[wasm_bindgen]
impl Pool {
    /// [`rules::Pool::new`], of lists with an item for each backend; its models are joined by line
    /// feeds.
    #[wasm_bindgen(constructor)]
    #[allow(clippy::needless_pass_by_value, reason = "lists cross the boundary by value")]
    pub fn new(resources: Vec<String>, models: Vec<String>, priorities: Vec<u32>, weights: Vec<u32>) -> Self {
        let rest = models.iter().zip(priorities).zip(weights);
        let backends = resources.into_iter().zip(rest);
        Self(rules::Pool::new(
            backends
                .map(|(resource, ((models, priority), weight))| Backend {
                    resource,
                    models: models
                        .split('\n')
                        .filter(|model| !model.is_empty())
                        .map(str::to_owned)
                        .collect(),
                    priority,
                    weight,
                })
                .collect(),
        ))
    }

    /// [`rules::Pool::adopt`].
    pub fn adopt(&mut self, other: &Self) {
        self.0.adopt(&other.0);
    }

    /// [`rules::Pool::choose`]. Returns `["ask", backend]`, `["wait", ms]`,
    /// `["unknown-model", 0]` or `["exhausted", 0]`.
    #[allow(clippy::needless_pass_by_value, reason = "lists cross the boundary by value")]
    pub fn choose(
        &mut self,
        wanted: &Wanted,
        excluded: Vec<usize>,
        is_first: bool,
        now: f64,
        chance: f64,
    ) -> Array {
        let (kind, number) = match self.0.choose(&wanted.0, &excluded, is_first, now as i64, chance) {
            Choice::Ask(backend) => ("ask", backend as f64),
            Choice::Wait(ms) => ("wait", ms.into()),
            Choice::UnknownModel => ("unknown-model", 0.0),
            Choice::Exhausted => ("exhausted", 0.0),
        };
        Array::of2(&kind.into(), &number.into())
    }

    /// [`rules::Pool::report`], and whether [`rules::asks_next`]. `status`: of an answer; 0 if the
    /// connection broke, -1 if none could be made, -2 if the client left. `headers`: of the answer,
    /// as a text. `wall`: epoch milliseconds.
    #[allow(clippy::too_many_arguments, reason = "values cross the boundary one by one")]
    #[allow(
        clippy::fn_params_excessive_bools,
        reason = "values cross the boundary one by one"
    )]
    pub fn report(
        &mut self,
        backend: usize,
        wanted: &Wanted,
        status: i32,
        headers: &str,
        repeatable: bool,
        is_safe: bool,
        sent: f64,
        now: f64,
        wall: f64,
        chance: f64,
    ) -> bool {
        let outcome = match status {
            -2 => Outcome::Left,
            -1 => Outcome::Unreachable,
            0 => Outcome::Broke,
            status => Outcome::Answered {
                status: u16::try_from(status).unwrap_or_default(),
                retry_after_ms: rules::pause_asked(&pairs(headers), wall as i64),
            },
        };
        let is_lost = self.0.is_lost(&wanted.0);
        self.0
            .report(backend, &wanted.0, outcome, sent as i64, now as i64, chance);
        rules::asks_next(outcome, repeatable, is_safe, is_lost)
    }

    /// [`rules::Pool::finish`].
    pub fn finish(&mut self, backend: usize) {
        self.0.finish(backend);
    }

    /// [`rules::Pool::read_answer`].
    #[wasm_bindgen(js_name = readAnswer)]
    pub fn read_answer(&mut self, backend: usize, reader: &mut AnswerReader, bytes: &[u8]) {
        self.0.read_answer(backend, &mut reader.0, bytes);
    }

    /// [`rules::Pool::paused_ms`] of the whole backend.
    #[wasm_bindgen(js_name = pausedMs)]
    pub fn paused_ms(&self, backend: usize, now: f64) -> u32 {
        self.0.paused_ms(backend, None, now as i64)
    }
}

fn dialect_of(name: &str) -> Dialect {
    match name {
        "anthropic" => Dialect::Anthropic,
        _ => Dialect::Openai,
    }
}

/// The headers of a text. A line without a name is none.
fn pairs(headers: &str) -> Vec<Pair<'_>> {
    let mut pairs = Vec::with_capacity(32);
    pairs.extend(headers.split('\n').filter_map(pair));
    pairs
}

fn pair(line: &str) -> Option<Pair<'_>> {
    // A character is found much faster than a text.
    let (name, value) = line.split_once(':')?;
    Some((name, value.strip_prefix(' ')?))
}

/// A digit for each line: whether it is one of the headers that pass, which are in the same order.
fn digits(lines: &str, passing: &[Pair<'_>]) -> String {
    let mut rest = passing.iter().peekable();
    let passes = |line: &str| rest.next_if(|next| is_line(line, next)).is_some();
    lines
        .split('\n')
        .map(passes)
        .map(|passes| if passes { '1' } else { '0' })
        .collect()
}

/// Whether a header, which is a part of a text, is that line of it.
fn is_line(line: &str, (name, value): &Pair<'_>) -> bool {
    let rest = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(": "));
    rest == Some(value)
}
