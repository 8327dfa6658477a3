//! What the environment holds: identities, and signs of a host.

use super::{CLIENT_ID, CredentialKind, Host, TENANT_ID};
use crate::Variables;
use crate::{Notice, NoticeCode};

const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";
const CLIENT_CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const USERNAME: &str = "AZURE_USERNAME";
const PASSWORD: &str = "AZURE_PASSWORD";
const FEDERATED_TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
pub(super) const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";
const IDENTITY_HEADER: &str = "IDENTITY_HEADER";

/// Where a virtual machine's managed identity answers.
pub(super) const IMDS: &str = "169.254.169.254";

/// The environment, with blank as unset.
pub(super) struct Signs<'a>(pub(super) &'a Variables);

impl<'a> Signs<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.text(name)
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn missing(&self, names: &[&'static str]) -> Vec<&'static str> {
        names.iter().copied().filter(|name| !self.has(name)).collect()
    }

    /// In the order of `DefaultAzureCredential`.
    pub(super) fn identities(&self) -> [Identity; 3] {
        let principal = [CLIENT_SECRET, CLIENT_CERTIFICATE, USERNAME, PASSWORD]
            .into_iter()
            .find(|name| self.has(name));
        let needs: &[&'static str] = match principal {
            Some(USERNAME | PASSWORD) => &[TENANT_ID, CLIENT_ID, USERNAME, PASSWORD],
            _ => &[TENANT_ID, CLIENT_ID],
        };
        let arc = self.has("IMDS_ENDPOINT") && !self.has(IDENTITY_HEADER);
        let managed = [IDENTITY_ENDPOINT, IDENTITY_HEADER]
            .into_iter()
            .find(|name| self.has(name) && !arc);
        [
            Identity {
                kind: CredentialKind::Environment,
                sign: principal,
                missing: self.missing(needs),
                usual: CLIENT_SECRET,
                incomplete: NoticeCode::ServicePrincipalIncomplete,
            },
            Identity {
                kind: CredentialKind::WorkloadIdentity,
                sign: [FEDERATED_TOKEN_FILE].into_iter().find(|name| self.has(name)),
                missing: self.missing(&[TENANT_ID, CLIENT_ID]),
                usual: FEDERATED_TOKEN_FILE,
                incomplete: NoticeCode::WorkloadIdentityIncomplete,
            },
            Identity {
                kind: CredentialKind::ManagedIdentity,
                sign: managed,
                missing: self.missing(&[IDENTITY_ENDPOINT, IDENTITY_HEADER]),
                usual: IDENTITY_ENDPOINT,
                incomplete: NoticeCode::ManagedIdentityIncomplete,
            },
        ]
    }

    /// `FUNCTIONS_WORKER_RUNTIME` alone is a developer's machine: the Functions tools set it there too.
    pub(super) fn host(&self) -> Option<Host> {
        let endpoint = self.has(IDENTITY_ENDPOINT) && self.has(IDENTITY_HEADER);
        let container = self.has("CONTAINER_APP_NAME") || self.has("CONTAINER_APP_JOB_NAME");
        let site = self.has("WEBSITE_SITE_NAME");
        let signs = [
            (
                endpoint && self.has("IDENTITY_SERVER_THUMBPRINT"),
                Host::ServiceFabric,
            ),
            (
                (endpoint || container || site) && self.has("FUNCTIONS_WORKER_RUNTIME"),
                Host::Functions,
            ),
            (container, Host::ContainerApps),
            (endpoint || site, Host::AppService),
            (
                self.has("MSI_ENDPOINT") && self.has("MSI_SECRET"),
                Host::MachineLearning,
            ),
            (self.has("MSI_ENDPOINT"), Host::CloudShell),
            (
                self.has(IDENTITY_ENDPOINT) && self.has("IMDS_ENDPOINT"),
                Host::AzureArc,
            ),
            (self.has("KUBERNETES_SERVICE_HOST"), Host::Kubernetes),
        ];
        signs.into_iter().find(|(there, _)| *there).map(|(_, host)| host)
    }

    /// Whether requests to [`IMDS`] go through a proxy, by the rules of `@azure/core-rest-pipeline`.
    pub(super) fn is_proxied(&self) -> bool {
        let either = |upper: &str, lower: &str| self.get(upper).or_else(|| self.get(lower));
        let proxy = either("HTTPS_PROXY", "https_proxy")
            .or_else(|| either("ALL_PROXY", "all_proxy"))
            .or_else(|| either("HTTP_PROXY", "http_proxy"));
        let exempt = either("NO_PROXY", "no_proxy").unwrap_or_default();
        let pod_identity = self.has("AZURE_POD_IDENTITY_AUTHORITY_HOST");
        proxy.is_some() && !pod_identity && !exempt.split(',').any(|host| host.trim() == IMDS)
    }
}

/// One way to an identity, and how much of it is set.
pub(super) struct Identity {
    pub(super) kind: CredentialKind,
    /// The variable that shows that it is meant.
    pub(super) sign: Option<&'static str>,
    /// What else it needs and is unset.
    pub(super) missing: Vec<&'static str>,
    /// The variable that usually shows it.
    pub(super) usual: &'static str,
    incomplete: NoticeCode,
}

impl Identity {
    pub(super) fn complete(&self) -> Option<&'static str> {
        self.sign.filter(|_| self.missing.is_empty())
    }

    pub(super) fn incomplete(&self, missing: &[&str]) -> Notice {
        let what = match self.kind {
            CredentialKind::Environment => "service principal",
            CredentialKind::WorkloadIdentity => "workload identity",
            _ => "managed identity",
        };
        Notice::new(
            self.incomplete,
            format!(
                "The {what} in the environment cannot be used; still to be set: {}.",
                missing.join(", ")
            ),
        )
    }
}
