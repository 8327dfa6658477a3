//! Implements the interface `endpoint`.

use super::wit::endpoint::{Cloud, Endpoint, EndpointOptions, Guest, KeylessError, Kind};
use super::{Component, notices, same_names};
use copilot_keyless::endpoint;

impl Guest for Component {
    fn parse_endpoint(url: String, options: EndpointOptions) -> Result<Endpoint, KeylessError> {
        Ok(endpoint::parse(&url, &options.into())?.into())
    }
}

same_names!(endpoint::Kind => Kind {
    AzureOpenai,
    FoundryAccount,
    FoundryProject,
    FoundryAnthropic,
    AiServices,
    Gateway,
    Custom,
    Local,
    Openai,
});
same_names!(endpoint::Cloud => Cloud { Public, Usgov, China, Unknown });

impl From<EndpointOptions> for endpoint::Options {
    fn from(options: EndpointOptions) -> Self {
        Self {
            provider_type: options.type_.map(Into::into),
            api_version: options.api_version,
            scope: options.scope,
        }
    }
}

impl From<endpoint::Endpoint> for Endpoint {
    fn from(endpoint: endpoint::Endpoint) -> Self {
        Self {
            input: endpoint.input,
            url: endpoint.url,
            kind: endpoint.kind.into(),
            cloud: endpoint.cloud.into(),
            type_: endpoint.provider_type.into(),
            base_url: endpoint.base_url,
            scope: endpoint.scope,
            alternate_scopes: endpoint.alternate_scopes,
            authority_host: endpoint.authority_host,
            resource: endpoint.resource,
            project: endpoint.project,
            deployment: endpoint.deployment,
            api_version: endpoint.api_version,
            warnings: notices(endpoint.warnings),
        }
    }
}
