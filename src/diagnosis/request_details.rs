//! Provides the details of the failed request, formatted for messages and commands.

use super::FailedRequest;
use crate::endpoint::{Cloud, Endpoint, Kind};
use crate::environment::proxy_variable;
use crate::text::is_made_of;

/// Roles and their ids. The names changed in 2026.
const OPENAI_USER: (&str, &str) = (
    "Cognitive Services OpenAI User",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
);
const SERVICES_USER: (&str, &str) = ("Cognitive Services User", "a97b65f3-24c7-4388-baec-2e87135dc908");
const FOUNDRY_USER: (&str, &str) = ("Foundry User", "53ca6127-db72-4b80-b1b0-d745d6d5456d");

/// The failed request and its endpoint.
pub(super) struct Setup<'a> {
    pub(super) endpoint: Option<&'a Endpoint>,
    pub(super) failure: &'a FailedRequest,
    /// The status of the response, or the one that a client's message names; else 0.
    pub(super) status: u16,
}

impl Setup<'_> {
    /// Returns the host, for the start of a sentence.
    pub(super) fn host(&self) -> &str {
        self.named_host().unwrap_or("The host")
    }

    /// Returns the host, for the middle of a sentence.
    pub(super) fn the_host(&self) -> &str {
        self.named_host().unwrap_or("the host")
    }

    pub(super) fn named_host(&self) -> Option<&str> {
        self.endpoint.and_then(|endpoint| endpoint.url.split('/').nth(2))
    }

    /// Returns the variable with the proxy for the host.
    pub(super) fn proxy(&self) -> Option<&'static str> {
        let variable = proxy_variable(self.named_host()?, &self.failure.env)?;
        Some(variable.as_str())
    }

    /// Returns the authority host, if it is not that of the public cloud, so the credential needs
    /// it.
    pub(super) fn foreign_authority(&self) -> Option<&str> {
        self.endpoint
            .filter(|endpoint| matches!(endpoint.cloud, Cloud::Usgov | Cloud::China))?
            .authority_host
            .as_deref()
    }

    /// Whether an audience in the response may be shown: not for a host outside of Azure that is
    /// not a gateway.
    pub(super) fn may_name_audience(&self) -> bool {
        self.endpoint
            .is_none_or(|endpoint| !matches!(endpoint.kind, Kind::Custom | Kind::Openai))
    }

    /// Returns the resource's name for a command, or a placeholder.
    pub(super) fn resource(&self) -> &str {
        self.endpoint
            .filter(|endpoint| endpoint.kind != Kind::Gateway)
            .and_then(|endpoint| endpoint.resource.as_deref())
            .filter(|name| !name.starts_with('-') && is_made_of(name, b"-"))
            .unwrap_or("<resource>")
    }

    /// Returns the resource's id for a command.
    pub(super) fn resource_id(&self) -> String {
        match self.resource() {
            "<resource>" => "<resource-id>".to_owned(),
            name => format!(
                "\"$(az cognitiveservices account list --query \"[?properties.customSubDomainName=='{name}'].id\" --output tsv)\""
            ),
        }
    }

    /// Returns the account's name and group for a command.
    pub(super) fn account(&self) -> String {
        format!("--name {} --resource-group <group>", self.resource())
    }

    pub(super) fn deployment(&self) -> Option<&str> {
        self.failure
            .deployment
            .as_deref()
            .filter(|name| name.len() <= 128 && is_made_of(name, b"-._"))
    }

    /// Returns the name of the sub-agent.
    pub(super) fn agent(&self) -> Option<&str> {
        self.failure
            .agent
            .as_deref()
            .filter(|name| (1..=128).contains(&name.len()) && is_made_of(name, b"-._ "))
    }

    /// Returns the role that allows an action on this endpoint.
    pub(super) fn role(&self, action: &str) -> (&'static str, &'static str) {
        let foundry = self.endpoint.is_some_and(|endpoint| {
            matches!(
                endpoint.kind,
                Kind::FoundryAccount | Kind::FoundryProject | Kind::FoundryAnthropic
            )
        });
        let azure_openai = self
            .endpoint
            .is_some_and(|endpoint| endpoint.kind == Kind::AzureOpenai);
        if foundry || action.contains("/AIServices/") {
            FOUNDRY_USER
        } else if azure_openai || action.contains("/OpenAI/") {
            OPENAI_USER
        } else {
            SERVICES_USER
        }
    }
}
