//! What is known about the request that failed, in the forms that sentences and commands need.

use super::FailedRequest;
use crate::endpoint::{Cloud, Endpoint, Kind};
use crate::text::is_made_of;

/// Roles by GUID: their names changed in 2026.
const OPENAI_USER: (&str, &str) = (
    "Cognitive Services OpenAI User",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
);
const SERVICES_USER: (&str, &str) = ("Cognitive Services User", "a97b65f3-24c7-4388-baec-2e87135dc908");
const FOUNDRY_USER: (&str, &str) = ("Foundry User", "53ca6127-db72-4b80-b1b0-d745d6d5456d");

/// What is known about the request.
pub(super) struct Setup<'a> {
    pub(super) endpoint: Option<&'a Endpoint>,
    pub(super) failure: &'a FailedRequest,
}

impl Setup<'_> {
    /// The host, for a sentence.
    pub(super) fn host(&self) -> &str {
        self.endpoint
            .and_then(|endpoint| endpoint.url.split('/').nth(2))
            .unwrap_or("The host")
    }

    /// The authority that a credential must be told of, because it is not the public one.
    pub(super) fn foreign_authority(&self) -> Option<&str> {
        self.endpoint
            .filter(|endpoint| matches!(endpoint.cloud, Cloud::Usgov | Cloud::China))?
            .authority_host
            .as_deref()
    }

    /// Whether an answer that names one of the models' audiences is worth telling: not of a host that is no gateway of Azure's.
    pub(super) fn may_name_audience(&self) -> bool {
        self.endpoint
            .is_none_or(|endpoint| !matches!(endpoint.kind, Kind::Custom | Kind::Openai))
    }

    /// The resource's name for a command, or a place for it.
    pub(super) fn resource(&self) -> &str {
        self.endpoint
            .filter(|endpoint| endpoint.kind != Kind::Gateway)
            .and_then(|endpoint| endpoint.resource.as_deref())
            .filter(|name| !name.starts_with('-') && is_made_of(name, b"-"))
            .unwrap_or("<resource>")
    }

    /// The resource's id for a command.
    pub(super) fn resource_id(&self) -> String {
        match self.resource() {
            "<resource>" => "<resource-id>".to_owned(),
            name => format!(
                "\"$(az cognitiveservices account list --query \"[?properties.customSubDomainName=='{name}'].id\" --output tsv)\""
            ),
        }
    }

    /// The account's name and group for a command.
    pub(super) fn account(&self) -> String {
        format!("--name {} --resource-group <group>", self.resource())
    }

    pub(super) fn deployment(&self) -> Option<&str> {
        self.failure
            .deployment
            .as_deref()
            .filter(|name| name.len() <= 128 && is_made_of(name, b"-._"))
    }

    /// The role that allows an action here.
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
