//! Chooses the credential, and warns about variables that have no effect.

use super::detect::{IMDS, Identity, Signs};
use super::{CredentialKind, Host, TOKEN_CREDENTIALS};
use crate::environment::{Origin, Variable};
use crate::error::TEXTS;
use crate::{Code, Error, Result};
use crate::{Notice, NoticeCode};

/// The valid values of `AZURE_TOKEN_CREDENTIALS` in `@azure/identity` 4.13.
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

/// The chosen credential and the setting that chose it.
pub(super) struct Choice {
    pub(super) kind: CredentialKind,
    pub(super) source: Origin,
}

impl Choice {
    pub(super) fn named(value: &str) -> Result<Self> {
        let found = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(value));
        let (_, kind) = found.ok_or_else(|| unknown_name(value))?;
        Ok(Self {
            kind: *kind,
            source: Origin::Variable(Variable::AzureTokenCredentials),
        })
    }

    pub(super) fn found(identities: &[Identity; 5]) -> Self {
        let complete = identities
            .iter()
            .find_map(|identity| Some((identity.kind, Origin::Variable(identity.complete()?))));
        let (kind, source) = complete.unwrap_or((CredentialKind::Default, Origin::Default));
        Self { kind, source }
    }

    fn is_named(&self) -> bool {
        self.source == Origin::Variable(Variable::AzureTokenCredentials)
    }

    /// Returns the kind that is used in the end: for the chain of deployed services, the first
    /// complete one.
    pub(super) fn used(&self, identities: &[Identity; 5]) -> CredentialKind {
        let first = Self::found(identities).kind;
        let deployed = first != CredentialKind::Default && !is_job(first);
        if self.kind == CredentialKind::DeployedService && deployed {
            first
        } else {
            self.kind
        }
    }

    pub(super) fn takes_client_id(&self) -> bool {
        self.takes_tenant_id()
            || matches!(
                self.kind,
                CredentialKind::ManagedIdentity | CredentialKind::Default
            )
    }

    pub(super) fn takes_tenant_id(&self) -> bool {
        matches!(
            self.kind,
            CredentialKind::Environment
                | CredentialKind::WorkloadIdentity
                | CredentialKind::DeployedService
                | CredentialKind::GithubActions
                | CredentialKind::AzurePipelines
        )
    }

    /// Whether the choice allows this identity. On Kubernetes, `ManagedIdentityCredential`
    /// exchanges the federated token.
    fn allows(&self, identity: &Identity) -> bool {
        !self.is_named()
            || self.kind == identity.kind
            || (self.kind == CredentialKind::DeployedService && !is_job(identity.kind))
            || self.exchanges(identity)
    }

    pub(super) fn exchanges(&self, identity: &Identity) -> bool {
        self.is_named()
            && self.kind == CredentialKind::ManagedIdentity
            && identity.kind == CredentialKind::WorkloadIdentity
    }

    /// Returns the warning for an identity that is incomplete or has no effect.
    pub(super) fn remark(&self, identity: &Identity, all: &[Identity; 5]) -> Option<Notice> {
        let sign = match identity.sign {
            Some(sign) => sign,
            // The credential was chosen by name, but none of its variables is set. A managed
            // identity may still be that of a virtual machine.
            None if self.kind == identity.kind && self.kind != CredentialKind::ManagedIdentity => {
                let missing = [&[identity.usual], identity.missing.as_slice()].concat();
                return Some(identity.incomplete(&missing));
            }
            None => return None,
        };
        let reason = if !self.allows(identity) {
            format!("{TOKEN_CREDENTIALS} excludes it")
        } else if !identity.missing.is_empty() {
            return Some(identity.incomplete(&identity.missing));
        } else if identity.kind == self.used(all) || self.exchanges(identity) {
            return None;
        } else {
            let winner = Self::found(all).source.as_str();
            format!("{winner} comes first, as in DefaultAzureCredential; choose with {TOKEN_CREDENTIALS}")
        };
        Some(Notice::new(
            NoticeCode::CredentialUnused,
            format!("{} is set and has no effect: {reason}.", sign.as_str()),
        ))
    }

    /// Returns the warning about an obstacle to a managed identity, if the credential tries one.
    pub(super) fn obstacle(&self, vars: &Signs<'_>, identities: &[Identity; 5]) -> Option<Notice> {
        let tried = matches!(
            self.used(identities),
            CredentialKind::ManagedIdentity | CredentialKind::Default | CredentialKind::DeployedService
        );
        let found = identities
            .iter()
            .any(|identity| identity.sign.is_some() && self.allows(identity));
        if !tried || found {
            return None;
        }
        let host = vars.host();
        if matches!(
            host,
            Some(Host::AppService | Host::Functions | Host::ContainerApps)
        ) {
            return Some(Notice::new(
                NoticeCode::ManagedIdentityMissing,
                format!(
                    "This host has no managed identity: {} is unset. Assign one to the app and restart it.",
                    Variable::IdentityEndpoint.as_str()
                ),
            ));
        }
        if matches!(host, None | Some(Host::Kubernetes)) && vars.is_proxied() {
            return Some(Notice::new(
                NoticeCode::ImdsProxied,
                format!(
                    "A proxy is set, and @azure/identity sends its requests for a managed identity through it, where they \
                     fail or seem to succeed. Add {IMDS} to NO_PROXY."
                ),
            ));
        }
        (self.kind == CredentialKind::Default).then(|| {
            Notice::new(
                NoticeCode::CredentialChain,
                format!(
                    "{TOKEN_CREDENTIALS} is unset, so the whole chain is tried: a managed identity ({IMDS} is probed) before \
                     the developer tools. Set it to dev on your machine, to ManagedIdentityCredential in Azure."
                ),
            )
        })
    }
}

/// Whether a kind exchanges the OIDC token of a job. No value of `AZURE_TOKEN_CREDENTIALS` names it.
pub(super) fn is_job(kind: CredentialKind) -> bool {
    matches!(
        kind,
        CredentialKind::GithubActions | CredentialKind::AzurePipelines
    )
}

fn unknown_name(value: &str) -> Error {
    let (message, hint) = if TEXTS {
        unknown_name_texts(value)
    } else {
        Default::default()
    };
    Error::new(Code::CredentialConfiguration, message).hint(hint)
}

/// Returns the message and the hint for an unknown name.
fn unknown_name_texts(value: &str) -> (String, String) {
    let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    // Names contain letters only; any other text may be a secret.
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
    let similar = NAMES
        .iter()
        .find(|(name, _)| !stem.is_empty() && self::stem(name).ends_with(&stem));
    let hint = match similar {
        Some((name, _)) => format!("Did you mean {name}?"),
        None => "Set it to dev on your machine, to ManagedIdentityCredential in Azure.".to_owned(),
    };
    let message = format!(
        "{TOKEN_CREDENTIALS} is {shown}; expected one of {}.",
        known.join(", ")
    );
    (message, hint)
}

/// Returns the distinctive part of a name.
fn stem(name: &str) -> String {
    let letters: String = name
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    letters.strip_suffix("credential").unwrap_or(&letters).to_owned()
}
