//! Chooses the token scope by kind and cloud, and checks the scope of the caller.

use super::{Cloud, Kind};
use crate::text::{contains, is_guid, is_made_of};
use crate::{Code, Error, Result};

const AI: &str = "https://ai.azure.com/.default";
const COGNITIVE: &str = "https://cognitiveservices.azure.com/.default";
const AI_US: &str = "https://ai.azure.us/.default";
const COGNITIVE_US: &str = "https://cognitiveservices.azure.us/.default";
const COGNITIVE_CN: &str = "https://cognitiveservices.azure.cn/.default";

/// The scope to acquire tokens for, and its alternatives.
pub(super) struct Scopes {
    pub(super) scope: Option<String>,
    pub(super) alternates: Vec<String>,
    /// Whether the caller chose the scope.
    pub(super) overridden: bool,
}

/// Returns the caller's scope, else the default.
pub(super) fn choose(kind: Kind, cloud: Cloud, given: Option<&str>) -> Result<Scopes> {
    let known = known(kind, cloud);
    let given = given.map(complete).transpose()?;
    let overridden = given.is_some();
    let scope = given.or_else(|| known.first().map(|scope| (*scope).to_owned()));
    let alternates = known
        .iter()
        .filter(|known| scope.as_deref() != Some(**known))
        .map(|known| (*known).to_owned())
        .collect();
    Ok(Scopes {
        scope,
        alternates,
        overridden,
    })
}

/// Returns the default scope, then its alternatives.
fn known(kind: Kind, cloud: Cloud) -> &'static [&'static str] {
    match (cloud, kind) {
        (_, Kind::Gateway | Kind::Custom | Kind::Local | Kind::Openai) | (Cloud::Unknown, _) => &[],
        (Cloud::Public, Kind::FoundryProject) => &[AI],
        (Cloud::Public, _) => &[AI, COGNITIVE],
        (Cloud::Usgov, Kind::AzureOpenai | Kind::AiServices) => &[COGNITIVE_US, AI_US],
        (Cloud::Usgov, _) => &[AI_US],
        (Cloud::China, _) => &[COGNITIVE_CN],
    }
}

/// Checks a scope and adds `/.default` to a bare resource (`https://ai.azure.com`, `api://app-id`,
/// a GUID).
fn complete(given: &str) -> Result<String> {
    let scope = given.trim();
    let resource = scope.strip_suffix("/.default").unwrap_or(scope);
    let resource = resource.strip_suffix('/').unwrap_or(resource);
    let name = resource
        .strip_prefix("https://")
        .or_else(|| resource.strip_prefix("api://"));
    let well_formed = match name {
        Some(name) => {
            name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && !contains(name, "//")
                && name.len() <= 256
                && is_made_of(name, b"-._~/")
        }
        None => is_guid(resource),
    };
    let last = resource.rsplit('/').next().unwrap_or_default();
    if !well_formed || matches!(last, "default" | ".default" | "user_impersonation") {
        return Err(Error::new(
            Code::ProviderScope,
            "The token scope has no known form; expected one resource and \"/.default\", such as \
             https://ai.azure.com/.default or api://<application-id>/.default.",
        )
        .hint("Leave the scope out for a Foundry or Azure OpenAI resource. For a gateway, ask its operator for the application id URI."));
    }
    Ok(format!("{resource}/.default"))
}
