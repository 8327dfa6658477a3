//! Helpers that the routes share.

use crate::endpoint::text::{is_placeholder_name, is_plain_name, placeholder};
use crate::endpoint::url::bad_path;
use crate::endpoint::{Kind, ProviderType};
use crate::error::error_text;
use crate::text::is_made_of;
use crate::{Code, Error, Notice, NoticeCode, Result};

/// The route of an endpoint.
pub(in crate::endpoint) struct Route {
    pub(in crate::endpoint) kind: Kind,
    pub(in crate::endpoint) provider_type: ProviderType,
    /// The path of the base URL, with its leading slash.
    pub(in crate::endpoint) path: String,
    pub(in crate::endpoint) project: Option<String>,
    pub(in crate::endpoint) deployment: Option<String>,
    pub(in crate::endpoint) notices: Vec<Notice>,
}

/// Whether a path begins with an operation of the API.
pub(crate) fn is_operation(path: &[&str]) -> bool {
    matches!(
        path.first(),
        Some(
            &("responses"
                | "chat"
                | "completions"
                | "embeddings"
                | "models"
                | "files"
                | "images"
                | "audio"
                | "realtime"
                | "batches"
                | "fine_tuning"
                | "vector_stores"
                | "evals"
                | "conversations"
                | "uploads"
                | "videos"
                | "containers"
                | "extensions")
        )
    )
}

pub(in crate::endpoint) fn is_agent(name: &str) -> bool {
    matches!(name, "agents" | "assistants" | "threads" | "applications")
}

/// Checks the name of a project or deployment, which becomes a part of a URL or the name of a
/// model.
pub(in crate::endpoint) fn check_name(name: &str, what: &str) -> Result<String> {
    if is_placeholder_name(name) {
        return Err(placeholder(&error_text!(
            "The endpoint's {what} is still the placeholder \"{name}\""
        )));
    }
    let valid = name.len() <= 64 && is_made_of(name, b"-._");
    if valid && !name.is_empty() {
        return Ok(name.to_owned());
    }
    let shown = if is_plain_name(name) { name } else { "***" };
    Err(bad_path(error_text!(
        "The endpoint's {what} is \"{shown}\"; expected up to 64 letters, digits, hyphens, dots and underscores."
    )))
}

pub(in crate::endpoint) fn lower_case(segments: &[String]) -> Vec<String> {
    segments
        .iter()
        .map(|segment| segment.to_ascii_lowercase())
        .collect()
}

/// Borrows the segments, for pattern matching.
pub(in crate::endpoint) fn names(segments: &[String]) -> Vec<&str> {
    segments.iter().map(String::as_str).collect()
}

pub(in crate::endpoint) fn conflict(message: &str, hint: &str) -> Error {
    Error::new(Code::ProviderConflict, message).hint(hint)
}

pub(in crate::endpoint) fn anthropic_conflict(wanted: Option<ProviderType>) -> Error {
    let wanted = wanted.map_or("openai", ProviderType::as_str);
    conflict(
        &error_text!("The type is \"{wanted}\", but the path of the endpoint is the Anthropic route."),
        "Leave the type (and apiVersion) out, or leave /anthropic out of the endpoint.",
    )
}

/// `resource` is the origin of the resource, such as `https://myres.services.ai.azure.com`.
pub(in crate::endpoint) fn anthropic_project(resource: &str) -> Error {
    conflict(
        "The Anthropic route belongs to the Foundry resource, not to a project in it.",
        &error_text!("Give the resource's address, {resource}/anthropic."),
    )
}

pub(in crate::endpoint) fn dated_project() -> Error {
    conflict(
        "apiVersion was given for a project; the dated API belongs to the resource, not to a project in it.",
        "Leave apiVersion out, or leave /api/projects/... out of the endpoint.",
    )
}

pub(in crate::endpoint) fn agent() -> Error {
    Error::new(
        Code::EndpointAgent,
        "The endpoint is that of an agent, an assistant or an application; expected that of a model.",
    )
    .hint("Keep the part up to the project's name, https://<your-resource>.services.ai.azure.com/api/projects/<project>.")
}

pub(in crate::endpoint) fn completed(path: &str) -> Notice {
    Notice::new(
        NoticeCode::PathCompleted,
        format!("The path was completed to end in {path}."),
    )
}

/// The warning for a path such as `/v1/v1`.
pub(in crate::endpoint) fn repeated() -> Notice {
    Notice::new(
        NoticeCode::PathCompleted,
        "A part of the path that was there twice, or in the wrong order, was dropped.",
    )
}

pub(in crate::endpoint) fn operation_stripped() -> Notice {
    Notice::new(
        NoticeCode::OperationPathStripped,
        "The operation at the end of the path was dropped; the Copilot runtime adds its own.",
    )
}

pub(in crate::endpoint) fn legacy(name: &str) -> Notice {
    Notice::new(
        NoticeCode::LegacyDeploymentPath,
        format!(
            "The path of the dated API was replaced by that of the v1 API; the deployment is \"{name}\"."
        ),
    )
}
