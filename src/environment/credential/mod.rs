//! Chooses a credential of `@azure/identity` by the environment.
//!
//! | variables that are set | credential |
//! | --- | --- |
//! | `AZURE_TOKEN_CREDENTIALS` | the one it names, else an error |
//! | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`, `AZURE_CLIENT_CERTIFICATE_PATH`, or `AZURE_USERNAME` and `AZURE_PASSWORD` | the service principal |
//! | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_FEDERATED_TOKEN_FILE` | workload identity |
//! | `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, or `FOUNDRY_HOSTING_ENVIRONMENT` | the managed identity, directly |
//! | `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, `ACTIONS_ID_TOKEN_REQUEST_URL`, `AZURE_CLIENT_ID` and `AZURE_TENANT_ID` | the OIDC token of the GitHub Actions job |
//! | `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`, its client id and tenant, `SYSTEM_OIDCREQUESTURI` and `SYSTEM_ACCESSTOKEN` | the OIDC token of the Azure Pipelines job |
//! | none of these | the whole chain of `DefaultAzureCredential` |
//!
//! The first match wins. The order is that of `DefaultAzureCredential` (4.13), so the result is the
//! identity that its chain would use, without the rest of the chain after a failure. Jobs with an
//! OIDC token are not in that chain: they come after it and before the developer tools. Azure Arc,
//! Cloud Shell and Azure Machine Learning, where people also work, set other variables and keep the
//! chain.

mod authority;
mod chain;
mod choice;
mod detect;
mod fallback;

use serde::Serialize;

use super::{Origin, Variable};
use crate::endpoint::Cloud;
use crate::error::error_text;
use crate::text::address::is_tenant;
use crate::text::is_guid;
use crate::{Code, Error, Result, Variables};
use crate::{Notice, NoticeCode};
pub(crate) use authority::{check_job_authority, cloud_of_authority};
pub use chain::credential_chain;
use choice::Choice;
use detect::Signs;
pub(crate) use detect::{client_ids, tenant_ids};
pub use fallback::has_direct_fallback;

const TOKEN_CREDENTIALS: &str = Variable::AzureTokenCredentials.as_str();

/// The source of the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// The caller's own credential or token function.
    Option,
    /// None: the token scope is unknown, so no token is sent.
    None,
    /// The whole chain of `DefaultAzureCredential`.
    Default,
    /// Its part for developer machines, `dev`.
    DeveloperTools,
    /// Its part for deployed services, `prod`.
    DeployedService,
    /// `EnvironmentCredential`: a service principal.
    Environment,
    /// `WorkloadIdentityCredential`: a federated token, as on Kubernetes.
    WorkloadIdentity,
    /// `ManagedIdentityCredential`.
    ManagedIdentity,
    /// `VisualStudioCodeCredential`.
    VisualStudioCode,
    /// `AzureCliCredential`.
    AzureCli,
    /// `AzurePowerShellCredential`.
    #[serde(rename = "azure-powershell")]
    AzurePowerShell,
    /// `AzureDeveloperCliCredential`.
    AzureDeveloperCli,
    /// The OIDC token of a GitHub Actions job, exchanged for one of Entra.
    GithubActions,
    /// The OIDC token of an Azure Pipelines job, exchanged for one of Entra.
    AzurePipelines,
}

/// The host platform, detected by environment variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Host {
    /// Azure App Service, or a host with the same identity protocol.
    AppService,
    /// Azure Functions, in Azure.
    Functions,
    /// Azure Container Apps.
    ContainerApps,
    /// Azure Service Fabric.
    ServiceFabric,
    /// A Kubernetes cluster, on AKS or elsewhere.
    Kubernetes,
    /// Azure Machine Learning.
    MachineLearning,
    /// A server connected by Azure Arc.
    AzureArc,
    /// Azure Cloud Shell.
    CloudShell,
    /// A hosted agent of Microsoft Foundry.
    FoundryHostedAgent,
    /// A job of GitHub Actions.
    GithubActions,
    /// A job of Azure Pipelines.
    AzurePipelines,
}

/// The credential to use, and the reason. Serialized in camel case, without the fields that are
/// `None`. Contains names of variables and ids, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CredentialPlan {
    /// The credential.
    pub kind: CredentialKind,
    /// The setting that decided.
    pub source: Origin,
    /// The host platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// The client id of the application or the user-assigned managed identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The variable with the client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id_source: Option<Variable>,
    /// The tenant of the application or the hosted agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The variable with the tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id_source: Option<Variable>,
    /// The authority host, if not that of the public cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority_host: Option<String>,
    /// Settings that are incomplete, contradict each other, or have no effect.
    pub warnings: Vec<Notice>,
}

impl CredentialPlan {
    /// Creates a plan that does not depend on the environment.
    pub(crate) fn fixed(kind: CredentialKind, source: Origin) -> Self {
        Self {
            kind,
            source,
            host: None,
            client_id: None,
            client_id_source: None,
            tenant_id: None,
            tenant_id_source: None,
            authority_host: None,
            warnings: Vec::new(),
        }
    }
}

/// Chooses the credential for an endpoint in the given cloud. Of a variable with a secret, only its
/// presence counts; a blank one counts as unset.
///
/// Errors: `credential/configuration` for an `AZURE_TOKEN_CREDENTIALS` that `@azure/identity` would
/// reject, a tenant that is neither a GUID nor a domain, and an `AZURE_AUTHORITY_HOST` that is not
/// the address of a host alone, or for the OIDC token of a job not one of Microsoft Entra.
///
/// ```
/// use copilot_keyless::Variables;
/// use copilot_keyless::endpoint::Cloud;
/// use copilot_keyless::environment::{CredentialKind, Origin, Variable, credential};
///
/// let env = Variables::from([("IDENTITY_ENDPOINT", "set"), ("IDENTITY_HEADER", "set")]);
/// let plan = credential(&env, Cloud::Public)?;
/// assert_eq!(plan.kind, CredentialKind::ManagedIdentity);
/// assert_eq!(plan.source, Origin::Variable(Variable::IdentityEndpoint));
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn credential(env: &Variables, cloud: Cloud) -> Result<CredentialPlan> {
    let vars = Signs(env);
    let identities = vars.identities();
    let choice = match vars.get(Variable::AzureTokenCredentials) {
        Some(value) => Choice::named(value)?,
        None => Choice::found(&identities),
    };
    let mut plan = CredentialPlan::fixed(choice.kind, choice.source);
    plan.host = vars.host();
    let hosted = vars.is_hosted_agent() && choice.used(&identities) == CredentialKind::ManagedIdentity;
    if choice.takes_client_id() {
        let agent = hosted.then_some(Variable::FoundryAgentInstanceClientId);
        (plan.client_id_source, plan.client_id) = vars.of(client_ids(choice.kind), agent);
        let unused = agent.filter(|&agent| {
            let id = vars.get(agent);
            id.is_some() && id != plan.client_id.as_deref()
        });
        plan.warnings.extend(unused.map(|agent| {
            let (agent, winner) = (agent.as_str(), Variable::AzureClientId.as_str());
            Notice::new(
                NoticeCode::CredentialUnused,
                format!("{agent} is set and has no effect: {winner} comes first."),
            )
        }));
    }
    if choice.takes_tenant_id() {
        (plan.tenant_id_source, plan.tenant_id) = vars.of(tenant_ids(choice.kind), None);
    } else if hosted {
        (plan.tenant_id_source, plan.tenant_id) = vars.of(&[Variable::FoundryAgentTenantId], None);
    }
    for identity in &identities {
        plan.warnings.extend(choice.remark(identity, &identities));
    }
    if let (Some(source), Some(id)) = (plan.tenant_id_source, plan.tenant_id.as_deref())
        && choice.takes_tenant_id()
        && !is_tenant(id)
    {
        return Err(Error::new(
            Code::CredentialConfiguration,
            error_text!("{} is neither a GUID nor a domain", source.as_str()),
        )
        .hint("Find it with: az account show --query tenantId --output tsv"));
    }
    if let (Some(source), Some(id)) = (plan.client_id_source, plan.client_id.as_deref())
        && !is_guid(id)
    {
        plan.warnings.push(Notice::new(
            NoticeCode::ClientIdMalformed,
            format!(
                "{} is no GUID; expected the client id of the identity, not its name or object.",
                source.as_str()
            ),
        ));
    }
    plan.authority_host = authority::choose(&vars, cloud, &mut plan.warnings)?;
    if let Some(host) = plan.authority_host.as_deref()
        && choice::is_job(plan.kind)
    {
        check_job_authority(host)?;
    }
    plan.warnings.extend(choice.obstacle(&vars, &identities));
    Ok(plan)
}

/// Detects the host platform.
pub(crate) fn host(env: &Variables) -> Option<Host> {
    Signs(env).host()
}
