//! Explains failures that the content of the request causes.

use super::fixed;
use super::request_details::Setup;
use crate::answer::body::Answer;
use crate::text::is_made_of;

type Explanation = (String, Vec<String>);

pub(super) fn api_version(answer: &Answer) -> Explanation {
    if answer.says("not allowed") {
        return fixed(
            "The v1 route accepts no api-version, and the request has one.",
            &["Leave apiVersion out, and remove ?api-version= from the endpoint."],
        );
    }
    fixed(
        "The route does not support the API version of the request, or needs a later one.",
        &[
            "Leave apiVersion out: the v1 route needs none.",
            "Or use a later one; the Responses API needs at least 2025-03-01-preview.",
        ],
    )
}

pub(super) fn operation_not_supported(setup: &Setup<'_>) -> Explanation {
    let fix = match setup.failure.wire_api.as_deref() {
        Some("responses") => {
            "Use the chat completions API (in code: wireApi: \"completions\"), or a deployment of another model."
        }
        Some("completions") => {
            "Use the Responses API (in code: wireApi: \"responses\"), or a deployment of another model."
        }
        _ => {
            "Use the other API (in code: wireApi: \"responses\" or \"completions\"), or a deployment of another model."
        }
    };
    (
        "The deployment exists, but its model does not support this API. Some models support only the Responses API, some only \
         chat completions, Anthropic's only their own route, and embedding models none of them."
            .to_owned(),
        vec![fix.to_owned()],
    )
}

pub(super) fn unsupported_parameter(answer: &Answer) -> Explanation {
    let quoted = answer.between("'", "'");
    let named = answer
        .parameter
        .as_deref()
        .or(quoted)
        .filter(|name| name.len() <= 64 && is_made_of(name, b"._-[]"))
        .map(|name| format!(" {name}"))
        .unwrap_or_default();
    (
        format!("The model does not support the parameter{named}, or its value."),
        vec![
            "Leave the parameter out, or use the one that the message names (max_completion_tokens instead of max_tokens)."
                .to_owned(),
            "Or use a deployment of another model or of a newer version; see the request's settings:\ncopilot-keyless config"
                .to_owned(),
        ],
    )
}

pub(super) fn context_length(answer: &Answer) -> Explanation {
    let most = ["maximum context length is ", "configured limit of ", "maximum: "]
        .iter()
        .find_map(|text| answer.number_after(text))
        .map(|tokens| format!(", {tokens} tokens"))
        .unwrap_or_default();
    (
        format!("The input is longer than the model accepts{most}. Waiting does not help."),
        vec![
            "Shorten the input: start a new conversation, or remove files and tool results. The Copilot runtime compacts a \
             conversation only when it knows the limit (in code: the model's maxPromptTokens)."
                .to_owned(),
            "Or use a deployment of a model with a larger context window.".to_owned(),
        ],
    )
}

pub(super) fn encrypted_content() -> Explanation {
    fixed(
        "The request contains encrypted reasoning that this resource cannot read. Only the resource that made it can: another \
         resource or region behind a gateway or in a list of providers cannot.",
        &[
            "Pin the session to one resource: no load balancing over several, and no change of the endpoint within a session.",
            "Start a new conversation, or remove the reasoning items from the input.",
        ],
    )
}

pub(super) fn item_not_found() -> Explanation {
    fixed(
        "The request refers to a response or an item that this resource does not have: it was not stored (store: false), has \
         expired, or belongs to another resource.",
        &[
            "Send the whole input again, without previous_response_id and without the ids of items; or set store: true.",
            "Pin the session to one resource: another one does not have its items.",
        ],
    )
}

pub(super) fn content_filter() -> Explanation {
    fixed(
        "The deployment's content filter blocked the prompt, or the model's answer.",
        &[
            "Rephrase the prompt; innererror.content_filter_result in the response names the category.",
            "Or assign another content filter to the deployment (Foundry portal, Guardrails).",
        ],
    )
}
