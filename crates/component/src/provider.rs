//! Implements the interface `provider`.

use super::wit::provider::{
    CredentialKind, CredentialPlan, Guest, HostKind, KeylessError, ProviderConfig, ProviderPlan,
    ProviderRequest, Sources,
};
use super::{Component, notices, same_names};
use copilot_keyless::{environment, provider, whole_number};

impl Guest for Component {
    fn plan_provider(request: ProviderRequest) -> Result<ProviderPlan, KeylessError> {
        Ok(provider::plan(&request.into())?.into())
    }
}

same_names!(environment::CredentialKind => CredentialKind {
    Option,
    None,
    Default,
    DeveloperTools,
    DeployedService,
    Environment,
    WorkloadIdentity,
    ManagedIdentity,
    VisualStudioCode,
    AzureCli,
    AzurePowerShell => AzurePowershell,
    AzureDeveloperCli,
    GithubActions,
    AzurePipelines,
});
same_names!(environment::Host => HostKind {
    AppService,
    Functions,
    ContainerApps,
    ServiceFabric,
    Kubernetes,
    MachineLearning,
    AzureArc,
    CloudShell,
    FoundryHostedAgent,
    GithubActions,
    AzurePipelines,
});

impl From<ProviderRequest> for provider::ProviderRequest {
    fn from(request: ProviderRequest) -> Self {
        Self {
            endpoint: request.endpoint,
            model: request.model,
            deployment: request.deployment,
            scope: request.scope,
            provider_type: request.type_.map(Into::into),
            wire_api: request.wire_api.map(Into::into),
            api_version: request.api_version,
            headers: request.headers.into_iter().collect(),
            max_prompt_tokens: request.max_prompt_tokens.map(whole_number),
            max_output_tokens: request.max_output_tokens.map(whole_number),
            own_credential: request.own_credential,
            env: request.env.into_iter().collect(),
            ..Self::default()
        }
    }
}

impl From<provider::ProviderPlan> for ProviderPlan {
    fn from(plan: provider::ProviderPlan) -> Self {
        Self {
            endpoint: plan.endpoint.into(),
            model: plan.model,
            config: plan.config.into(),
            scope: plan.scope,
            credential: plan.credential.into(),
            sources: Sources {
                endpoint: plan.sources.endpoint.as_str().to_owned(),
                model: plan.sources.model.as_str().to_owned(),
                scope: plan.sources.scope.as_str().to_owned(),
            },
            warnings: notices(plan.warnings),
        }
    }
}

impl From<provider::PlannedConfig> for ProviderConfig {
    fn from(config: provider::PlannedConfig) -> Self {
        Self {
            type_: config.provider_type.into(),
            wire_api: config.wire_api.map(Into::into),
            base_url: config.base_url,
            api_version: config.azure.map(|azure| azure.api_version),
            headers: config
                .headers
                .into_iter()
                .map(|(name, value)| (name, value.into_exposed()))
                .collect(),
            model_id: config.model_id,
            wire_model: config.wire_model,
            max_prompt_tokens: config.max_prompt_tokens,
            max_output_tokens: config.max_output_tokens,
        }
    }
}

impl From<environment::CredentialPlan> for CredentialPlan {
    fn from(plan: environment::CredentialPlan) -> Self {
        Self {
            kind: plan.kind.into(),
            source: plan.source.as_str().to_owned(),
            host: plan.host.map(Into::into),
            client_id: plan.client_id,
            client_id_source: plan.client_id_source.map(|source| source.as_str().to_owned()),
            tenant_id: plan.tenant_id,
            tenant_id_source: plan.tenant_id_source.map(|source| source.as_str().to_owned()),
            authority_host: plan.authority_host,
            warnings: notices(plan.warnings),
        }
    }
}
