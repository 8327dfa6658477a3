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

use std::collections::BTreeMap;

use serde::Serialize;

use super::Env;
use crate::endpoint::{Cloud, Notice, NoticeCode, authority_host, is_made_of};
use crate::{Code, Error, Result};

const TOKEN_CREDENTIALS: &str = "AZURE_TOKEN_CREDENTIALS";
const TENANT_ID: &str = "AZURE_TENANT_ID";
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const CLIENT_SECRET: &str = "AZURE_CLIENT_SECRET";
const CLIENT_CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const USERNAME: &str = "AZURE_USERNAME";
const PASSWORD: &str = "AZURE_PASSWORD";
const FEDERATED_TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
const AUTHORITY_HOST: &str = "AZURE_AUTHORITY_HOST";
const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";
const IDENTITY_HEADER: &str = "IDENTITY_HEADER";

/// Where a virtual machine's managed identity answers.
const IMDS: &str = "169.254.169.254";

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

/// The values that `AZURE_TOKEN_CREDENTIALS` can have, in `@azure/identity` 4.13.
const NAMES: [(&str, CredentialKind); 9] = [
    ("dev", CredentialKind::DeveloperTools),
    ("prod", CredentialKind::DeployedService),
    ("EnvironmentCredential", CredentialKind::Environment),
    ("WorkloadIdentityCredential", CredentialKind::WorkloadIdentity),
    ("ManagedIdentityCredential", CredentialKind::ManagedIdentity),
    ("VisualStudioCodeCredential", CredentialKind::VisualStudioCode),
    ("AzureCliCredential", CredentialKind::AzureCli),
    ("AzurePowerShellCredential", CredentialKind::AzurePowerShell),
    ("AzureDeveloperCliCredential", CredentialKind::AzureDeveloperCli),
];

/// The hosts at which Microsoft Entra signs in, by cloud.
const AUTHORITIES: [(&str, Cloud); 8] = [
    ("login.microsoftonline.com", Cloud::Public),
    ("login.windows.net", Cloud::Public),
    ("login.microsoft.com", Cloud::Public),
    ("sts.windows.net", Cloud::Public),
    ("login.microsoftonline.us", Cloud::Usgov),
    ("login.usgovcloudapi.net", Cloud::Usgov),
    ("login.chinacloudapi.cn", Cloud::China),
    ("login.partner.microsoftonline.cn", Cloud::China),
];

/// The credential to use, and why. Serialised in camel case; what is `None` is left out. It holds names of variables and
/// ids, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialPlan {
    /// What gives the tokens.
    pub kind: CredentialKind,
    /// What decided: `option`, the name of a variable, or `default`.
    pub source: &'static str,
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
    pub(crate) fn fixed(kind: CredentialKind, source: &'static str) -> Self {
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
/// The one error is `credential/configuration`, for a value of `AZURE_TOKEN_CREDENTIALS` that `@azure/identity` would refuse.
///
/// ```
/// use std::collections::BTreeMap;
/// use copilot_keyless::endpoint::Cloud;
/// use copilot_keyless::environment::{CredentialKind, credential};
///
/// let env = ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"].map(|name| (name.to_owned(), "set".to_owned()));
/// let plan = credential(&BTreeMap::from(env), Cloud::Public)?;
/// assert_eq!(plan.kind, CredentialKind::ManagedIdentity);
/// assert_eq!(plan.source, "IDENTITY_ENDPOINT");
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn credential(env: &BTreeMap<String, String>, cloud: Cloud) -> Result<CredentialPlan> {
    plan(&|name| env.get(name).map(String::as_str), cloud)
}

pub(crate) fn plan(env: Env<'_>, cloud: Cloud) -> Result<CredentialPlan> {
    let vars = Variables(env);
    let identities = vars.identities();
    let choice = match vars.get(TOKEN_CREDENTIALS) {
        Some(value) => Choice::named(value)?,
        None => Choice::found(&identities),
    };
    let mut plan = CredentialPlan::fixed(choice.kind, choice.source);
    plan.host = vars.host();
    plan.client_id = vars
        .get(CLIENT_ID)
        .filter(|_| choice.takes_client_id())
        .map(str::to_owned);
    plan.tenant_id = vars
        .get(TENANT_ID)
        .filter(|_| choice.takes_tenant_id())
        .map(str::to_owned);
    for identity in &identities {
        plan.warnings.extend(choice.remark(identity, &identities));
    }
    let malformed = ids(&plan);
    plan.warnings.extend(malformed.into_iter().flatten());
    plan.authority_host = authority(vars.get(AUTHORITY_HOST), cloud, &mut plan.warnings);
    plan.warnings
        .extend(vars.managed_identity(&choice, &identities, plan.host));
    Ok(plan)
}

/// The environment, with blank as unset.
struct Variables<'a>(Env<'a>);

impl<'a> Variables<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        (self.0)(name).map(str::trim).filter(|value| !value.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn missing(&self, names: &[&'static str]) -> Vec<&'static str> {
        names.iter().copied().filter(|name| !self.has(name)).collect()
    }

    /// In the order of `DefaultAzureCredential`.
    fn identities(&self) -> [Identity; 3] {
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
    fn host(&self) -> Option<Host> {
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

    /// What stands in the way of a managed identity, where one is tried.
    fn managed_identity(
        &self,
        choice: &Choice,
        identities: &[Identity; 3],
        host: Option<Host>,
    ) -> Option<Notice> {
        let tried = matches!(
            choice.used(identities),
            CredentialKind::ManagedIdentity | CredentialKind::Default | CredentialKind::DeployedService
        );
        let found = identities
            .iter()
            .any(|identity| identity.sign.is_some() && choice.admits(identity));
        if !tried || found {
            return None;
        }
        if matches!(
            host,
            Some(Host::AppService | Host::Functions | Host::ContainerApps)
        ) {
            return Some(Notice::new(
                NoticeCode::ManagedIdentityMissing,
                format!(
                    "This host has no managed identity: {IDENTITY_ENDPOINT} is unset. Assign one to the app and restart it."
                ),
            ));
        }
        if host.is_none() && self.is_proxied() {
            return Some(Notice::new(
                NoticeCode::ImdsProxied,
                format!(
                    "A proxy is set, and @azure/identity sends its requests for a managed identity through it, where they \
                     fail or seem to succeed. Add {IMDS} to NO_PROXY."
                ),
            ));
        }
        (choice.kind == CredentialKind::Default).then(|| {
            Notice::new(
                NoticeCode::CredentialChain,
                format!(
                    "{TOKEN_CREDENTIALS} is unset, so the whole chain is tried: a managed identity ({IMDS} is probed) before \
                     the developer tools. Set it to dev on your machine, to ManagedIdentityCredential in Azure."
                ),
            )
        })
    }

    /// Whether requests to [`IMDS`] go through a proxy, by the rules of `@azure/core-rest-pipeline`.
    fn is_proxied(&self) -> bool {
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
struct Identity {
    kind: CredentialKind,
    /// The variable that shows that it is meant.
    sign: Option<&'static str>,
    /// What else it needs and is unset.
    missing: Vec<&'static str>,
    /// The variable that usually shows it.
    usual: &'static str,
    incomplete: NoticeCode,
}

impl Identity {
    fn complete(&self) -> Option<&'static str> {
        self.sign.filter(|_| self.missing.is_empty())
    }

    fn incomplete(&self, missing: &[&str]) -> Notice {
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

struct Choice {
    kind: CredentialKind,
    source: &'static str,
}

impl Choice {
    fn named(value: &str) -> Result<Self> {
        let found = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
        let (_, kind) = found.ok_or_else(|| unknown_name(value))?;
        Ok(Self {
            kind: *kind,
            source: TOKEN_CREDENTIALS,
        })
    }

    fn found(identities: &[Identity; 3]) -> Self {
        let complete = identities
            .iter()
            .find_map(|identity| Some((identity.kind, identity.complete()?)));
        let (kind, source) = complete.unwrap_or((CredentialKind::Default, "default"));
        Self { kind, source }
    }

    fn is_named(&self) -> bool {
        self.source == TOKEN_CREDENTIALS
    }

    /// The kind that is used in the end: of the chain for deployed services, the first that is there.
    fn used(&self, identities: &[Identity; 3]) -> CredentialKind {
        let first = Self::found(identities).kind;
        if self.kind == CredentialKind::DeployedService && first != CredentialKind::Default {
            first
        } else {
            self.kind
        }
    }

    fn takes_client_id(&self) -> bool {
        self.takes_tenant_id()
            || matches!(
                self.kind,
                CredentialKind::ManagedIdentity | CredentialKind::Default
            )
    }

    fn takes_tenant_id(&self) -> bool {
        matches!(
            self.kind,
            CredentialKind::Environment | CredentialKind::WorkloadIdentity | CredentialKind::DeployedService
        )
    }

    /// Whether this identity may be used at all. On Kubernetes the managed identity's class exchanges the federated token.
    fn admits(&self, identity: &Identity) -> bool {
        !self.is_named()
            || self.kind == identity.kind
            || self.kind == CredentialKind::DeployedService
            || self.exchanges(identity)
    }

    fn exchanges(&self, identity: &Identity) -> bool {
        self.is_named()
            && self.kind == CredentialKind::ManagedIdentity
            && identity.kind == CredentialKind::WorkloadIdentity
    }

    /// What is to be said of an identity: that it is incomplete, or has no effect.
    fn remark(&self, identity: &Identity, all: &[Identity; 3]) -> Option<Notice> {
        let sign = match identity.sign {
            Some(sign) => sign,
            // Asked for by name, and nothing of it is there. A managed identity may still be that of a virtual machine.
            None if self.kind == identity.kind && self.kind != CredentialKind::ManagedIdentity => {
                let missing = [&[identity.usual], identity.missing.as_slice()].concat();
                return Some(identity.incomplete(&missing));
            }
            None => return None,
        };
        let reason = if !self.admits(identity) {
            format!("{TOKEN_CREDENTIALS} excludes it")
        } else if !identity.missing.is_empty() {
            return Some(identity.incomplete(&identity.missing));
        } else if identity.kind == self.used(all) || self.exchanges(identity) {
            return None;
        } else {
            let winner = Self::found(all).source;
            format!("{winner} comes first, as in DefaultAzureCredential; choose with {TOKEN_CREDENTIALS}")
        };
        Some(Notice::new(
            NoticeCode::CredentialUnused,
            format!("{sign} is set and has no effect: {reason}."),
        ))
    }
}

fn unknown_name(value: &str) -> Error {
    let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    // Names are letters; whatever else was pasted may be a secret.
    let shown = if value.len() <= 64
        && value
            .bytes()
            .all(|b| b.is_ascii_alphabetic() || b" ,;|+-_.".contains(&b))
    {
        format!("\"{value}\"")
    } else {
        "no such name; it is not repeated here".to_owned()
    };
    let stem = stem(value);
    let near = NAMES
        .iter()
        .find(|(name, _)| !stem.is_empty() && self::stem(name).ends_with(&stem));
    let hint = match near {
        Some((name, _)) => format!("Did you mean {name}?"),
        None => "Set it to dev on your machine, to ManagedIdentityCredential in Azure.".to_owned(),
    };
    Error::new(
        Code::CredentialConfiguration,
        format!(
            "{TOKEN_CREDENTIALS} is {shown}; expected one of {}.",
            known.join(", ")
        ),
    )
    .hint(hint)
}

/// What tells one name from another.
fn stem(name: &str) -> String {
    let letters: String = name
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    letters.strip_suffix("credential").unwrap_or(&letters).to_owned()
}

/// Ids that cannot be right.
fn ids(plan: &CredentialPlan) -> [Option<Notice>; 2] {
    let client = plan.client_id.as_deref().filter(|id| !is_guid(id)).map(|_| {
        Notice::new(
            NoticeCode::ClientIdMalformed,
            format!(
                "{CLIENT_ID} is no GUID; expected the client id of the identity, not its name or object."
            ),
        )
    });
    let tenant = plan
        .tenant_id
        .as_deref()
        .filter(|id| !is_made_of(id, b"-."))
        .map(|_| {
            Notice::new(
                NoticeCode::TenantIdMalformed,
                format!("{TENANT_ID} is neither a GUID nor a domain; @azure/identity refuses it."),
            )
        });
    [client, tenant]
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Where to sign in: the endpoint's cloud decides. What the variable says holds where it is of the same cloud, or where the
/// endpoint's is not known; beside the public cloud also if it is of none, such as a private one.
fn authority(given: Option<&str>, cloud: Cloud, warnings: &mut Vec<Notice>) -> Option<String> {
    let of_cloud = match cloud {
        Cloud::Usgov | Cloud::China => authority_host(cloud),
        Cloud::Public | Cloud::Unknown => None,
    };
    let Some(given) = given else {
        return of_cloud.map(str::to_owned);
    };
    let (secure, rest) = match given.split_once("://") {
        Some((scheme, rest)) => (scheme.eq_ignore_ascii_case("https"), rest),
        None => (false, given),
    };
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let named = AUTHORITIES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(host));
    let agrees = match named {
        Some((_, named)) => cloud == Cloud::Unknown || *named == cloud,
        None => of_cloud.is_none(),
    };
    if !agrees {
        let instead = authority_host(cloud).unwrap_or_default();
        warnings.push(Notice::new(
            NoticeCode::AuthorityHostConflict,
            format!("{AUTHORITY_HOST} is not of the endpoint's cloud; {instead} is used."),
        ));
        return Some(instead.to_owned());
    }
    if !secure {
        warnings.push(Notice::new(
            NoticeCode::AuthorityHostMalformed,
            format!("{AUTHORITY_HOST} must begin with https://; @azure/identity refuses it."),
        ));
    }
    Some(given.to_owned())
}
