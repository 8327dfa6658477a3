//! Chooses a credential of `@azure/identity` by the environment.
//!
//! | variables that are set | credential |
//! | --- | --- |
//! | `AZURE_TOKEN_CREDENTIALS` | the one it names, else an error |
//! | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`, `AZURE_CLIENT_CERTIFICATE_PATH`, or `AZURE_USERNAME` and `AZURE_PASSWORD` | the service principal |
//! | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_FEDERATED_TOKEN_FILE` | workload identity |
//! | `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` | the managed identity, directly |
//! | none of these | the whole chain of `DefaultAzureCredential` |
//!
//! The first match wins. The order is that of `DefaultAzureCredential` (4.13), so the result is the
//! identity that its chain would use, without the rest of the chain after a failure. Azure Arc,
//! Cloud Shell and Azure Machine Learning, where people also work, set other variables and keep the
//! chain.

mod authority;
mod choice;
mod detect;
mod fallback;

use serde::Serialize;

use super::{Origin, Variable};
use crate::endpoint::Cloud;
use crate::text::address::is_tenant;
use crate::text::is_guid;
use crate::{Code, Error, Result, Variables};
use crate::{Notice, NoticeCode};
use choice::Choice;
use detect::Signs;
pub use fallback::has_direct_fallback;

const TOKEN_CREDENTIALS: &str = Variable::AzureTokenCredentials.as_str();
const TENANT_ID: &str = Variable::AzureTenantId.as_str();
const CLIENT_ID: &str = Variable::AzureClientId.as_str();

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
    /// The client id of the service principal, the workload identity or the user-assigned managed
    /// identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The tenant of the service principal or the workload identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
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
            tenant_id: None,
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
/// the address of a host alone.
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
