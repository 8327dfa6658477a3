//! Detects identities and the host platform in the environment.

use super::{CredentialKind, Host};
use crate::Variables;
use crate::environment::Variable;
use crate::{Notice, NoticeCode};

/// The address of the metadata service of virtual machines.
pub(super) const IMDS: &str = "169.254.169.254";

/// The environment. A blank variable counts as unset.
pub(super) struct Signs<'a>(pub(super) &'a Variables);

impl<'a> Signs<'a> {
    pub(super) fn get(&self, variable: Variable) -> Option<&'a str> {
        self.0.text(variable.as_str())
    }

    fn has(&self, variable: Variable) -> bool {
        self.get(variable).is_some()
    }

    fn missing(&self, variables: &[Variable]) -> Vec<Variable> {
        variables
            .iter()
            .copied()
            .filter(|variable| !self.has(*variable))
            .collect()
    }

    /// Returns the identities in the order of `DefaultAzureCredential`, then those that its chain
    /// does not have.
    pub(super) fn identities(&self) -> [Identity; 5] {
        let principal = [
            Variable::AzureClientSecret,
            Variable::AzureClientCertificatePath,
            Variable::AzureUsername,
            Variable::AzurePassword,
        ]
        .into_iter()
        .find(|variable| self.has(*variable));
        let needs: &[Variable] = match principal {
            Some(Variable::AzureUsername | Variable::AzurePassword) => &[
                Variable::AzureTenantId,
                Variable::AzureClientId,
                Variable::AzureUsername,
                Variable::AzurePassword,
            ],
            _ => &[Variable::AzureTenantId, Variable::AzureClientId],
        };
        let arc = self.has(Variable::ImdsEndpoint) && !self.has(Variable::IdentityHeader);
        let mut managed = [Variable::IdentityEndpoint, Variable::IdentityHeader]
            .into_iter()
            .find(|variable| self.has(*variable) && !arc);
        let mut managed_missing = self.missing(&[Variable::IdentityEndpoint, Variable::IdentityHeader]);
        if self.is_hosted_agent() && !managed_missing.is_empty() {
            // It always has an identity, whatever its endpoint is.
            managed = Some(Variable::FoundryHostingEnvironment);
            managed_missing.clear();
        }
        [
            Identity {
                kind: CredentialKind::Environment,
                sign: principal,
                missing: self.missing(needs),
                usual: Variable::AzureClientSecret,
                incomplete: NoticeCode::ServicePrincipalIncomplete,
            },
            Identity {
                kind: CredentialKind::WorkloadIdentity,
                sign: [Variable::AzureFederatedTokenFile]
                    .into_iter()
                    .find(|variable| self.has(*variable)),
                missing: self.missing(&[Variable::AzureTenantId, Variable::AzureClientId]),
                usual: Variable::AzureFederatedTokenFile,
                incomplete: NoticeCode::WorkloadIdentityIncomplete,
            },
            Identity {
                kind: CredentialKind::ManagedIdentity,
                sign: managed,
                missing: managed_missing,
                usual: Variable::IdentityEndpoint,
                incomplete: NoticeCode::ManagedIdentityIncomplete,
            },
            self.job(
                CredentialKind::GithubActions,
                Variable::ActionsIdTokenRequestToken,
                &[Variable::ActionsIdTokenRequestUrl],
            ),
            self.job(
                CredentialKind::AzurePipelines,
                Variable::AzuresubscriptionServiceConnectionId,
                &[Variable::SystemOidcrequesturi, Variable::SystemAccesstoken],
            ),
        ]
    }

    /// Returns the identity of a job, which exchanges the OIDC token of its platform.
    fn job(&self, kind: CredentialKind, sign: Variable, needs: &[Variable]) -> Identity {
        let mut missing = self.missing(needs);
        let ids = [client_ids(kind), tenant_ids(kind)];
        missing.extend(ids.iter().filter_map(|names| {
            let unset = names.iter().all(|name| !self.has(*name));
            names.last().filter(|_| unset)
        }));
        Identity {
            kind,
            sign: Some(sign).filter(|sign| self.has(*sign)),
            missing,
            usual: sign,
            incomplete: NoticeCode::OidcIncomplete,
        }
    }

    /// Returns the first variable that is set, and its value. `last` comes after `names`.
    pub(super) fn of(
        &self,
        names: &[Variable],
        last: Option<Variable>,
    ) -> (Option<Variable>, Option<String>) {
        names
            .iter()
            .copied()
            .chain(last)
            .find_map(|name| Some((name, self.get(name)?.to_owned())))
            .unzip()
    }

    /// Whether this is a container of a Foundry hosted agent. Its client id and tenant count only
    /// then.
    pub(super) fn is_hosted_agent(&self) -> bool {
        self.has(Variable::FoundryHostingEnvironment)
    }

    /// Detects the host platform. `FUNCTIONS_WORKER_RUNTIME` alone does not count: the Functions
    /// tools also set it on developer machines.
    pub(super) fn host(&self) -> Option<Host> {
        let endpoint = self.has(Variable::IdentityEndpoint) && self.has(Variable::IdentityHeader);
        let container = self.has(Variable::ContainerAppName) || self.has(Variable::ContainerAppJobName);
        let site = self.has(Variable::WebsiteSiteName);
        let signs = [
            (self.is_hosted_agent(), Host::FoundryHostedAgent),
            (
                endpoint && self.has(Variable::IdentityServerThumbprint),
                Host::ServiceFabric,
            ),
            (
                (endpoint || container || site) && self.has(Variable::FunctionsWorkerRuntime),
                Host::Functions,
            ),
            (container, Host::ContainerApps),
            (endpoint || site, Host::AppService),
            (
                self.has(Variable::MsiEndpoint) && self.has(Variable::MsiSecret),
                Host::MachineLearning,
            ),
            (self.has(Variable::MsiEndpoint), Host::CloudShell),
            (
                self.has(Variable::IdentityEndpoint) && self.has(Variable::ImdsEndpoint),
                Host::AzureArc,
            ),
            (self.has(Variable::GithubActions), Host::GithubActions),
            (self.has(Variable::TfBuild), Host::AzurePipelines),
            (self.has(Variable::KubernetesServiceHost), Host::Kubernetes),
        ];
        signs.into_iter().find(|(there, _)| *there).map(|(_, host)| host)
    }

    /// Whether MSAL uses an endpoint of the environment without looking for the agent of Azure Arc.
    pub(super) fn comes_before_arc(&self) -> bool {
        [
            [Variable::IdentityEndpoint, Variable::IdentityHeader],
            [Variable::MsiEndpoint, Variable::MsiSecret],
        ]
        .iter()
        .any(|pair| pair.iter().all(|variable| self.has(*variable)))
    }

    /// Whether requests to [`IMDS`] go through a proxy, by the rules of
    /// `@azure/core-rest-pipeline`.
    pub(super) fn is_proxied(&self) -> bool {
        let either = |upper, lower| self.get(upper).or_else(|| self.get(lower));
        let proxy = either(Variable::HttpsProxy, Variable::HttpsProxyLower)
            .or_else(|| either(Variable::AllProxy, Variable::AllProxyLower))
            .or_else(|| either(Variable::HttpProxy, Variable::HttpProxyLower));
        let exempt = either(Variable::NoProxy, Variable::NoProxyLower).unwrap_or_default();
        let pod_identity = self.has(Variable::AzurePodIdentityAuthorityHost);
        proxy.is_some() && !pod_identity && !exempt.split(',').any(|host| host.trim() == IMDS)
    }
}

/// One kind of identity, and which of its variables are set.
pub(super) struct Identity {
    pub(super) kind: CredentialKind,
    /// The variable that shows the intent to use it.
    pub(super) sign: Option<Variable>,
    /// The other variables that it needs and that are unset.
    pub(super) missing: Vec<Variable>,
    /// The variable to name if `sign` is `None`.
    pub(super) usual: Variable,
    incomplete: NoticeCode,
}

impl Identity {
    pub(super) fn complete(&self) -> Option<Variable> {
        self.sign.filter(|_| self.missing.is_empty())
    }

    pub(super) fn incomplete(&self, missing: &[Variable]) -> Notice {
        let what = match self.kind {
            CredentialKind::Environment => "service principal",
            CredentialKind::WorkloadIdentity => "workload identity",
            CredentialKind::GithubActions => "OIDC token of GitHub Actions",
            CredentialKind::AzurePipelines => "service connection of Azure Pipelines",
            _ => "managed identity",
        };
        Notice::new(
            self.incomplete,
            format!(
                "The {what} in the environment cannot be used; still to be set: {}.",
                names(missing)
            ),
        )
    }
}

/// The variables with the client id of a kind, in order of precedence.
pub(crate) fn client_ids(kind: CredentialKind) -> &'static [Variable] {
    match kind {
        CredentialKind::AzurePipelines => &[Variable::AzuresubscriptionClientId, Variable::AzureClientId],
        _ => &[Variable::AzureClientId],
    }
}

/// The variables with the tenant of a kind, in order of precedence.
pub(crate) fn tenant_ids(kind: CredentialKind) -> &'static [Variable] {
    match kind {
        CredentialKind::AzurePipelines => &[Variable::AzuresubscriptionTenantId, Variable::AzureTenantId],
        _ => &[Variable::AzureTenantId],
    }
}

fn names(variables: &[Variable]) -> String {
    let names: Vec<&str> = variables.iter().map(|variable| variable.as_str()).collect();
    names.join(", ")
}
