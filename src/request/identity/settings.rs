//! Chooses the source of a token, and reads and checks the settings of a request.

use super::{Request, Source};
use crate::endpoint::Cloud;
use crate::environment::{self, CredentialKind, Host, Origin, Variable};
use crate::error::error_text;
use crate::text::address::Address;
use crate::{Code, Error, Result};

/// The settings of a token request.
pub(super) struct Settings<'a> {
    pub(super) request: &'a Request,
}

impl<'a> Settings<'a> {
    pub(super) fn get(&self, variable: Variable) -> Option<&'a str> {
        self.request.env.text(variable.as_str())
    }

    fn has(&self, variables: &[Variable]) -> bool {
        variables.iter().all(|variable| self.get(*variable).is_some())
    }

    pub(super) fn need(&self, variable: Variable, option: &str) -> Result<&'a str> {
        self.get(variable).ok_or_else(|| {
            not_set(
                variable,
                &error_text!("Set it, or give {option}. Azure sets it where the identity is enabled."),
            )
        })
    }

    /// Returns a variable, or an error with a hint.
    pub(super) fn require(&self, variable: Variable, hint: &str) -> Result<&'a str> {
        self.get(variable).ok_or_else(|| not_set(variable, hint))
    }

    /// Returns the requested source, else that of the options, else that of the environment, in the
    /// order of `DefaultAzureCredential`.
    pub(super) fn source(&self) -> Result<Source> {
        if let Some(source) = self.request.source {
            return Ok(source);
        }
        if self.request.sidecar.is_some() {
            return Ok(Source::Sidecar);
        }
        if self.request.own_assertion {
            return Ok(Source::WorkloadIdentity);
        }
        if self.request.own_secret {
            return Ok(Source::ClientSecret);
        }
        // The option takes the place of this variable, which is then not checked.
        let replaced = |name: &str| {
            self.request.authority_host.is_some() && name == Variable::AzureAuthorityHost.as_str()
        };
        let env = self.request.env.iter().filter(|(name, _)| !replaced(name));
        let env = env.map(|(name, text)| (name, text.clone())).collect();
        let plan = environment::credential(&env, Cloud::Public)?;
        self.source_of(plan.kind, plan.host).ok_or_else(|| {
            configuration(&error_text!(
                "The direct credential cannot do what {} asks for",
                if plan.source == Origin::Default { "this host" } else { plan.source.as_str() }
            ), "It speaks to App Service, Functions, Container Apps, Service Fabric, Azure Machine Learning and IMDS, exchanges \
                 federated tokens, and takes a client secret. For developer tools, certificates and other hosts use a \
                 credential of @azure/identity.")
        })
    }

    /// Returns the source of a kind of credential.
    pub(super) fn source_of(&self, kind: CredentialKind, host: Option<Host>) -> Option<Source> {
        match kind {
            CredentialKind::Environment => self
                .get(Variable::AzureClientSecret)
                .map(|_| Source::ClientSecret),
            CredentialKind::WorkloadIdentity => Some(Source::WorkloadIdentity),
            CredentialKind::GithubActions => Some(Source::GithubActions),
            CredentialKind::AzurePipelines => Some(Source::AzurePipelines),
            CredentialKind::ManagedIdentity | CredentialKind::Default | CredentialKind::DeployedService => {
                self.managed_identity(host)
            }
            _ => None,
        }
    }

    /// Returns the managed identity endpoint of the host, in the order of MSAL.
    fn managed_identity(&self, host: Option<Host>) -> Option<Source> {
        let endpoint = [Variable::IdentityEndpoint, Variable::IdentityHeader];
        if self.has(&endpoint) && self.has(&[Variable::IdentityServerThumbprint]) {
            Some(Source::ServiceFabric)
        } else if self.has(&endpoint) {
            Some(Source::AppService)
        } else if self.has(&[Variable::MsiEndpoint, Variable::MsiSecret]) {
            Some(Source::MachineLearning)
        } else if self.request.azure_arc && host == Some(Host::AzureArc) {
            Some(Source::AzureArc)
        } else if matches!(host, Some(Host::AzureArc | Host::CloudShell)) {
            None
        } else if self.has(&[Variable::IdentityEndpoint]) {
            Some(Source::AppService)
        } else {
            Some(Source::Imds)
        }
    }

    /// Returns the resource for a managed identity: the scope without `/.default`.
    pub(super) fn resource(&self) -> Result<&'a str> {
        match self.request.scopes.as_slice() {
            [scope] if !scope.trim().is_empty() => {
                let scope = scope.trim();
                Ok(scope.strip_suffix("/.default").unwrap_or(scope))
            }
            [_, _, ..] => Err(configuration(
                "A managed identity gives a token for one scope at a time",
                "Ask for each scope by itself.",
            )),
            _ => Err(no_scope()),
        }
    }

    /// Returns the client id of the managed identity that the environment names.
    fn environment_client_id(&self) -> Option<&'a str> {
        self.get(Variable::AzureClientId).or_else(|| {
            self.get(Variable::FoundryHostingEnvironment)?;
            self.get(Variable::FoundryAgentInstanceClientId)
        })
    }

    /// Returns the parameter that selects a user-assigned identity. `names` are the endpoint's
    /// parameter names for the three kinds of id.
    pub(super) fn identity(&self, names: [&str; 3]) -> Result<String> {
        let Request {
            client_id,
            object_id,
            resource_id,
            ..
        } = self.request;
        let given: Vec<(&str, &str)> = names
            .into_iter()
            .zip([client_id, object_id, resource_id])
            .filter_map(|(name, id)| Some((name, id.as_deref()?.trim())))
            .collect();
        let chosen = match given.as_slice() {
            [] => self.environment_client_id().map(|id| (names[0], id)),
            [one] => Some(*one),
            _ => {
                return Err(configuration(
                    "Several ids of a user-assigned identity are given",
                    "Give one of clientId, objectId and resourceId.",
                ));
            }
        };
        match chosen {
            Some((_, "")) => Err(configuration(
                "The id of the user-assigned identity is blank",
                "Leave it out for the system-assigned identity.",
            )),
            Some((name, id)) => Ok(format!("&{name}={}", encoded(id))),
            None => Ok(String::new()),
        }
    }
}

/// Returns the error of a setting, with the next step.
pub(super) fn configuration(message: &str, hint: &str) -> Error {
    Error::new(Code::CredentialConfiguration, message).hint(hint)
}

fn not_set(variable: Variable, hint: &str) -> Error {
    configuration(&error_text!("{} is not set", variable.as_str()), hint)
}

pub(super) fn no_scope() -> Error {
    Error::new(Code::ProviderScope, "No token scope was given")
        .hint("For Foundry it is https://ai.azure.com/.default.")
}

/// Checks the address of an endpoint: a host with an optional path, and nothing that could send the
/// secret to another host.
pub(super) fn check_address<'a>(what: &str, text: &'a str) -> Result<Address<'a>> {
    Address::read(text).ok_or_else(|| no_address(what, "an http or https URL"))
}

/// Checks an authority: a host alone, over `https` unless it is this machine. The tenant becomes
/// its path.
pub(super) fn check_authority(text: &str) -> Result<()> {
    let authority = Address::read(text)
        .filter(|address| address.is_host_alone() && (address.secure || address.is_loopback()));
    match authority {
        Some(_) => Ok(()),
        None => Err(no_address("The authority host", "an https URL of a host alone")),
    }
}

pub(super) fn no_address(what: &str, form: &str) -> Error {
    configuration(
        &error_text!("{what} is not {form}"),
        "Look for white space, a user name, a path or a query in it, or leave it to Azure to set it.",
    )
}

/// Returns what stands between an address and a further part of its query.
pub(super) fn query_separator(url: &str) -> char {
    if url.as_bytes().contains(&b'?') { '&' } else { '?' }
}

/// Percent-encodes a value for a query or form: all except the unreserved characters of RFC 3986.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let digit = |value: u8| {
                char::from_digit(value.into(), 16)
                    .unwrap_or_default()
                    .to_ascii_uppercase()
            };
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}
