//! What the environment holds: identities, and signs of a host.

use super::{CredentialKind, Host};
use crate::Variables;
use crate::environment::Variable;
use crate::{Notice, NoticeCode};

/// Where a virtual machine's managed identity answers.
pub(super) const IMDS: &str = "169.254.169.254";

/// The environment, with blank as unset.
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

    /// In the order of `DefaultAzureCredential`.
    pub(super) fn identities(&self) -> [Identity; 3] {
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
        let managed = [Variable::IdentityEndpoint, Variable::IdentityHeader]
            .into_iter()
            .find(|variable| self.has(*variable) && !arc);
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
                missing: self.missing(&[Variable::IdentityEndpoint, Variable::IdentityHeader]),
                usual: Variable::IdentityEndpoint,
                incomplete: NoticeCode::ManagedIdentityIncomplete,
            },
        ]
    }

    /// `FUNCTIONS_WORKER_RUNTIME` alone is a developer's machine: the Functions tools set it there too.
    pub(super) fn host(&self) -> Option<Host> {
        let endpoint = self.has(Variable::IdentityEndpoint) && self.has(Variable::IdentityHeader);
        let container = self.has(Variable::ContainerAppName) || self.has(Variable::ContainerAppJobName);
        let site = self.has(Variable::WebsiteSiteName);
        let signs = [
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
            (self.has(Variable::KubernetesServiceHost), Host::Kubernetes),
        ];
        signs.into_iter().find(|(there, _)| *there).map(|(_, host)| host)
    }

    /// Whether requests to [`IMDS`] go through a proxy, by the rules of `@azure/core-rest-pipeline`.
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

/// One way to an identity, and how much of it is set.
pub(super) struct Identity {
    pub(super) kind: CredentialKind,
    /// The variable that shows that it is meant.
    pub(super) sign: Option<Variable>,
    /// What else it needs and is unset.
    pub(super) missing: Vec<Variable>,
    /// The variable that usually shows it.
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

fn names(variables: &[Variable]) -> String {
    let names: Vec<&str> = variables.iter().map(|variable| variable.as_str()).collect();
    names.join(", ")
}
