//! Which credential of `@azure/identity` the environment asks for.
//!
//! | what is set | credential |
//! | --- | --- |
//! | `AZURE_TOKEN_CREDENTIALS` | what it says, else an error |
//! | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`, `AZURE_CLIENT_CERTIFICATE_PATH`, or `AZURE_USERNAME` and `AZURE_PASSWORD` | the service principal |
//! | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_FEDERATED_TOKEN_FILE` | workload identity |
//! | `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` | the managed identity, directly |
//! | none of these | the whole chain of `DefaultAzureCredential` |
//!
//! The first line that holds wins. The order is that of `DefaultAzureCredential` (4.13), so that leaving its chain out never
//! chooses another identity than the chain would; what it spares is the rest of the chain after a failure. Machines that
//! people work on (Azure Arc, Cloud Shell, Azure Machine Learning) have variables of their own and keep the chain.

mod authority;
mod choice;
mod signs;

use serde::Serialize;

use super::{Origin, Variable};
use crate::endpoint::Cloud;
use crate::text::address::is_tenant;
use crate::text::is_guid;
use crate::{Code, Error, Result, Variables};
use crate::{Notice, NoticeCode};
use choice::Choice;
use signs::Signs;

const TOKEN_CREDENTIALS: &str = Variable::AzureTokenCredentials.as_str();
const TENANT_ID: &str = Variable::AzureTenantId.as_str();
const CLIENT_ID: &str = Variable::AzureClientId.as_str();

/// What gives the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// The program's own credential or token function.
    Option,
    /// Nothing: no token scope is known, so no token is sent.
    None,
    /// The whole chain of `DefaultAzureCredential`.
    Default,
    /// Its part for developers' machines, `dev`.
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
}

/// Where the program runs, as far as variables tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Host {
    /// Azure App Service, or what speaks its identity protocol.
    AppService,
    /// Azure Functions, in Azure.
    Functions,
    /// Azure Container Apps.
    ContainerApps,
    /// Azure Service Fabric.
    ServiceFabric,
    /// A Kubernetes cluster, AKS or another.
    Kubernetes,
    /// Azure Machine Learning.
    MachineLearning,
    /// A server connected by Azure Arc.
    AzureArc,
    /// Azure Cloud Shell.
    CloudShell,
}

/// The credential to use, and why. Serialised in camel case; what is `None` is left out. It holds names of variables and
/// ids, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CredentialPlan {
    /// What gives the tokens.
    pub kind: CredentialKind,
    /// What decided.
    pub source: Origin,
    /// Where the program runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// The client id of the service principal, the workload identity or the user-assigned managed identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The tenant of the service principal or the workload identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Where to sign in, if not at the public cloud's authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority_host: Option<String>,
    /// What is half set, contradicts, or has no effect.
    pub warnings: Vec<Notice>,
}

impl CredentialPlan {
    /// The plan where the environment is not asked.
    pub(crate) fn fixed(kind: CredentialKind, source: Origin) -> Self {
        Self {
            kind,
            source,
            host: None,
            client_id: None,
            tenant_id: None,
            authority_host: None,
            warnings: Vec::new(),
        }
    }
}

/// Decides which credential to use for an endpoint in the given cloud. Of variables that hold secrets it only matters
/// whether they are set; blank counts as unset.
///
/// The one error is `credential/configuration`, for a value of `AZURE_TOKEN_CREDENTIALS` that `@azure/identity` would refuse, a tenant
/// that is neither a GUID nor a domain, and an `AZURE_AUTHORITY_HOST` that is more than the address of a host.
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
    plan.client_id = vars
        .get(Variable::AzureClientId)
        .filter(|_| choice.takes_client_id())
        .map(str::to_owned);
    plan.tenant_id = vars
        .get(Variable::AzureTenantId)
        .filter(|_| choice.takes_tenant_id())
        .map(str::to_owned);
    for identity in &identities {
        plan.warnings.extend(choice.remark(identity, &identities));
    }
    if plan.tenant_id.as_deref().is_some_and(|id| !is_tenant(id)) {
        return Err(Error::new(
            Code::CredentialConfiguration,
            format!("{TENANT_ID} is neither a GUID nor a domain"),
        )
        .hint("Find it with: az account show --query tenantId --output tsv"));
    }
    if plan.client_id.as_deref().is_some_and(|id| !is_guid(id)) {
        plan.warnings.push(Notice::new(
            NoticeCode::ClientIdMalformed,
            format!(
                "{CLIENT_ID} is no GUID; expected the client id of the identity, not its name or object."
            ),
        ));
    }
    plan.authority_host = authority::choose(&vars, cloud, &mut plan.warnings)?;
    plan.warnings.extend(choice.obstacle(&vars, &identities));
    Ok(plan)
}
