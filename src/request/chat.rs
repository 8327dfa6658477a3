//! Describes a prompt without the runtime of the Copilot SDK: one request with a streamed response,
//! on the route that the runtime uses.

use super::probe::{Call, deployment_of, outline, timeout};
use crate::Result;
use crate::provider::{self, ProviderRequest, WireApi};
use crate::text::json::quoted;

/// The default timeout of a whole response, in milliseconds.
pub const DEFAULT_TIMEOUT_MS: u32 = 120_000;

/// The most tokens in a response. Anthropic's API requires a value.
const ANTHROPIC_TOKENS: u32 = 4_096;

/// Describes the request of a prompt to the provider of [`provider::plan`]: streamed, not stored.
///
/// Errors: those of `plan`; `provider/model` if the route needs a model and none is set;
/// `provider/limit` for a timeout of 0 or more than 2,147,483,647 ms.
///
/// ```
/// use copilot_keyless::request::chat::call;
/// use copilot_keyless::provider::ProviderRequest;
///
/// let request = ProviderRequest {
///     endpoint: Some("https://myres.openai.azure.com".to_owned()),
///     ..ProviderRequest::default()
/// };
/// let call = call(&request, "Hello \"there\"", None)?;
/// assert_eq!(call.url, "https://myres.openai.azure.com/openai/v1/responses");
/// assert_eq!(
///     call.body.unwrap(),
///     r#"{"model":"gpt-5.5","stream":true,"input":"Hello \"there\"","store":false}"#
/// );
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn call(request: &ProviderRequest, prompt: &str, timeout_ms: Option<u32>) -> Result<Call> {
    let timeout_ms = timeout(timeout_ms, DEFAULT_TIMEOUT_MS)?;
    let plan = provider::plan(request)?;
    let model = deployment_of(&plan)?.unwrap_or_else(|| plan.model.clone());
    let body = body(
        &model,
        prompt,
        plan.config.wire_api,
        plan.config.max_output_tokens,
    );
    Ok(outline(plan, Some(model), Some(body), timeout_ms))
}

fn body(model: &str, prompt: &str, wire_api: Option<WireApi>, most: Option<u32>) -> String {
    let prompt = quoted(prompt);
    let messages = format!(r#""messages":[{{"role":"user","content":{prompt}}}]"#);
    let (question, limit) = match wire_api {
        Some(WireApi::Responses) => (
            format!(r#""input":{prompt},"store":false"#),
            most.map(|most| format!(r#","max_output_tokens":{most}"#)),
        ),
        Some(WireApi::Completions) => (
            messages,
            most.map(|most| format!(r#","max_completion_tokens":{most}"#)),
        ),
        None => (
            messages,
            Some(format!(r#","max_tokens":{}"#, most.unwrap_or(ANTHROPIC_TOKENS))),
        ),
    };
    // Names need no escaping: the plan rejects quotation marks, backslashes and control characters.
    format!(
        r#"{{"model":"{model}","stream":true,{question}{}}}"#,
        limit.unwrap_or_default()
    )
}
