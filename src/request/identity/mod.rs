//! Describes the requests to Azure's identity endpoints and judges their responses. The credential
//! of `copilot-keyless/direct` uses it.
//!
//! | source | request | settings |
//! | --- | --- | --- |
//! | App Service, Functions, Container Apps | `GET {IDENTITY_ENDPOINT}?resource=&api-version=2019-08-01`, header `X-IDENTITY-HEADER` | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER` |
//! | IMDS: virtual machines, scale sets, nodes | `GET {host}/metadata/identity/oauth2/token?resource=&api-version=2018-02-01`, header `Metadata: true` | `AZURE_POD_IDENTITY_AUTHORITY_HOST` |
//! | workload identity, any OIDC federation | `POST {authority}/{tenant}/oauth2/v2.0/token` with `client_assertion` | `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`, `AZURE_AUTHORITY_HOST` |
//! | service principal | the same with `client_secret` | `AZURE_CLIENT_SECRET`, and those |
//!
//! Never receives secrets to send: a [`Call`] says where the secret goes, and the caller inserts
//! it.

mod answer;
mod renewal;
mod retry;

use serde::{Deserialize, Serialize};

pub use answer::{ANSWER_MAX_BYTES, Answer, Failure, Token, Verdict, judge};
pub use renewal::NotRenewed;

use crate::endpoint::Cloud;
use crate::environment::{self, CredentialKind, Host, Origin, Variable};
use crate::text::address::{self, Address};
use crate::{Code, Error, Headers, Result, Variables};
use renewal::Renewal;

const IMDS_HOST: &str = "http://169.254.169.254";
const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The source of a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The managed identity endpoint of App Service, Functions and Container Apps.
    AppService,
    /// The managed identity endpoint of virtual machines.
    #[default]
    Imds,
    /// A federated token, exchanged for a token of Entra.
    WorkloadIdentity,
    /// A service principal with a secret.
    ClientSecret,
}

/// The options of a token request. As JSON in camel case; every field except `scopes` is optional
/// and may be null.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Request {
    /// The source. Default: from the environment.
    pub source: Option<Source>,
    /// The scopes. A managed identity takes exactly one.
    pub scopes: Vec<String>,
    /// The client id of the application or the user-assigned identity. Default: `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// The object id of a user-assigned identity.
    pub object_id: Option<String>,
    /// The Azure resource id of a user-assigned identity.
    pub resource_id: Option<String>,
    /// The tenant. Default: `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,
    /// The Entra authority. Default: `AZURE_AUTHORITY_HOST`.
    pub authority_host: Option<String>,
    /// The claims of a claims challenge, as JSON.
    pub claims: Option<String>,
    /// Whether the caller supplies the assertion, so that no file is needed.
    pub own_assertion: bool,
    /// Whether the caller supplies the client secret.
    pub own_secret: bool,
    /// The SHA-256 of a token that the resource rejected, in lower-case hexadecimal digits. A
    /// source that can renew the token gets a request for that ([`Call::renews`]). Default: none.
    pub rejected_token_sha256: Option<String>,
    /// Whether the endpoint refused a renewal before ([`NotRenewed::refused`]), so that none is
    /// planned any more.
    pub renewal_refused: bool,
    /// The environment. Of a variable with a secret, only its presence counts.
    pub env: Variables,
}

/// A token request to send, without its secret. Serialized in camel case, without the fields that
/// are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Call {
    /// The source of the token.
    pub source: Source,
    /// The URL.
    pub url: String,
    /// The headers, with names in lower case.
    pub headers: Headers,
    /// The form to post, without the secret. `None` for a GET request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The header or form field of the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretPlace>,
    /// Whether it renews the rejected token of [`Request::rejected_token_sha256`]. Not tested on
    /// live Azure.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renews: bool,
    /// The timeout of each attempt, in milliseconds.
    pub timeout_ms: u32,
}

/// Where the secret of a [`Call`] goes, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SecretPlace {
    /// `x-identity-header`, `client_secret` or `client_assertion`.
    pub name: &'static str,
    /// The variable with the secret, or the path of its file. `None` if the caller supplies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<Variable>,
}

/// The timeout of IMDS, in milliseconds. Outside of Azure its address does not respond; in Azure it
/// responds at once.
const IMDS_TIMEOUT_MS: u32 = 3_000;
const TIMEOUT_MS: u32 = 10_000;

/// Describes the request for a token.
///
/// Errors: `credential/configuration`, which names the missing or malformed variable or option.
///
/// ```
/// use copilot_keyless::request::identity::{Request, Source, call};
///
/// let call = call(&Request {
///     source: Some(Source::Imds),
///     scopes: vec!["https://ai.azure.com/.default".to_owned()],
///     ..Request::default()
/// })?;
/// assert_eq!(
///     call.url,
///     "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fai.azure.com",
/// );
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn call(request: &Request) -> Result<Call> {
    let settings = Settings { request };
    match settings.source()? {
        Source::AppService => settings.app_service(),
        Source::Imds => settings.imds(),
        Source::WorkloadIdentity => {
            let own = request.own_assertion;
            settings.entra(
                Source::WorkloadIdentity,
                "client_assertion",
                Variable::AzureFederatedTokenFile,
                own,
            )
        }
        Source::ClientSecret => {
            let own = request.own_secret;
            settings.entra(
                Source::ClientSecret,
                "client_secret",
                Variable::AzureClientSecret,
                own,
            )
        }
    }
}

struct Settings<'a> {
    request: &'a Request,
}

impl<'a> Settings<'a> {
    fn get(&self, variable: Variable) -> Option<&'a str> {
        self.request.env.text(variable.as_str())
    }

    fn need(&self, variable: Variable, option: &str) -> Result<&'a str> {
        self.get(variable).ok_or_else(|| {
            configuration(format!("{} is not set", variable.as_str())).hint(format!(
                "Set it, or give {option}. Azure sets it where the identity is enabled."
            ))
        })
    }

    /// Returns the requested source, else that of the environment, in the order of
    /// `DefaultAzureCredential`.
    fn source(&self) -> Result<Source> {
        if let Some(source) = self.request.source {
            return Ok(source);
        }
        if self.request.own_assertion {
            return Ok(Source::WorkloadIdentity);
        }
        if self.request.own_secret {
            return Ok(Source::ClientSecret);
        }
        let plan = environment::credential(&self.request.env, Cloud::Public)?;
        let managed = || match plan.host {
            Some(Host::ServiceFabric | Host::MachineLearning | Host::AzureArc | Host::CloudShell) => None,
            _ if self.get(Variable::IdentityEndpoint).is_some() => Some(Source::AppService),
            _ => Some(Source::Imds),
        };
        let source = match plan.kind {
            CredentialKind::Environment => self
                .get(Variable::AzureClientSecret)
                .map(|_| Source::ClientSecret),
            CredentialKind::WorkloadIdentity => Some(Source::WorkloadIdentity),
            CredentialKind::ManagedIdentity | CredentialKind::Default | CredentialKind::DeployedService => {
                managed()
            }
            _ => None,
        };
        source.ok_or_else(|| {
            configuration(format!(
                "The direct credential cannot do what {} asks for",
                if plan.source == Origin::Default { "this host" } else { plan.source.as_str() }
            ))
            .hint(
                "It speaks to App Service, Functions, Container Apps and IMDS, exchanges federated tokens, and takes a client \
                 secret. For developer tools, certificates and other hosts use a credential of @azure/identity.",
            )
        })
    }

    fn app_service(&self) -> Result<Call> {
        let endpoint = self.need(Variable::IdentityEndpoint, "source: \"imds\"")?;
        self.need(Variable::IdentityHeader, "source: \"imds\"")?;
        check_address(Variable::IdentityEndpoint.as_str(), endpoint)?;
        let identity = self.identity(["client_id", "object_id", "mi_res_id"])?;
        let renewal = Renewal::of(self.request, Source::AppService);
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        Ok(Call {
            source: Source::AppService,
            url: format!(
                "{endpoint}{separator}api-version={}&resource={}{identity}{}",
                renewal.app_service_version(),
                encoded(self.resource()?),
                renewal.parameters()
            ),
            headers: Headers::new(),
            form: None,
            secret: Some(SecretPlace {
                name: "x-identity-header",
                variable: Some(Variable::IdentityHeader),
            }),
            renews: renewal.renews(),
            timeout_ms: renewal.timeout_ms(TIMEOUT_MS),
        })
    }

    fn imds(&self) -> Result<Call> {
        let host = self
            .get(Variable::AzurePodIdentityAuthorityHost)
            .unwrap_or(IMDS_HOST);
        check_address(Variable::AzurePodIdentityAuthorityHost.as_str(), host)?;
        if host.contains('?') {
            return Err(no_address(
                Variable::AzurePodIdentityAuthorityHost.as_str(),
                "an http or https URL without a query",
            ));
        }
        let identity = self.identity(["client_id", "object_id", "msi_res_id"])?;
        Ok(Call {
            source: Source::Imds,
            url: format!(
                "{}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}{identity}",
                host.trim_end_matches('/'),
                encoded(self.resource()?)
            ),
            headers: Headers::from([("metadata", "true")]),
            form: None,
            secret: None,
            renews: false,
            timeout_ms: IMDS_TIMEOUT_MS,
        })
    }

    fn entra(&self, source: Source, field: &'static str, variable: Variable, own: bool) -> Result<Call> {
        let client = self.request.client_id.as_deref().map_or_else(
            || self.need(Variable::AzureClientId, "the clientId option"),
            |id| Ok(id.trim()),
        )?;
        let tenant = self.request.tenant_id.as_deref().map_or_else(
            || self.need(Variable::AzureTenantId, "the tenantId option"),
            |id| Ok(id.trim()),
        )?;
        if !address::is_client_id(client) {
            return Err(configuration(if client.is_empty() {
                "The client id is blank"
            } else {
                "The client id holds white space or characters beyond ASCII"
            })
            .hint("Give the application's client id, a GUID (AZURE_CLIENT_ID or the clientId option)."));
        }
        if !address::is_tenant(tenant) {
            return Err(configuration("The tenant is neither a GUID nor a domain")
                .hint("Find it with: az account show --query tenantId --output tsv"));
        }
        if !own {
            self.need(
                variable,
                if field == "client_secret" {
                    "the clientSecret option"
                } else {
                    "the assertion option"
                },
            )?;
        }
        let authority = self
            .request
            .authority_host
            .as_deref()
            .or_else(|| self.get(Variable::AzureAuthorityHost))
            .unwrap_or(PUBLIC_AUTHORITY)
            .trim();
        check_authority(authority)?;
        let scope = self.request.scopes.join(" ");
        if scope.trim().is_empty() {
            return Err(no_scope());
        }
        let mut form = format!(
            "grant_type=client_credentials&client_id={}&scope={}",
            encoded(client),
            encoded(scope.trim())
        );
        if field == "client_assertion" {
            form.push_str("&client_assertion_type=");
            form.push_str(&encoded(JWT_BEARER));
        }
        if let Some(claims) = &self.request.claims {
            form.push_str("&claims=");
            form.push_str(&encoded(claims));
        }
        Ok(Call {
            source,
            url: format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/')),
            headers: Headers::from([("content-type", "application/x-www-form-urlencoded")]),
            form: Some(form),
            secret: Some(SecretPlace {
                name: field,
                variable: (!own).then_some(variable),
            }),
            renews: false,
            timeout_ms: TIMEOUT_MS,
        })
    }

    /// Returns the resource for a managed identity: the scope without `/.default`.
    fn resource(&self) -> Result<&'a str> {
        match self.request.scopes.as_slice() {
            [scope] if !scope.trim().is_empty() => {
                let scope = scope.trim();
                Ok(scope.strip_suffix("/.default").unwrap_or(scope))
            }
            [_, _, ..] => Err(
                configuration("A managed identity gives a token for one scope at a time")
                    .hint("Ask for each scope by itself."),
            ),
            _ => Err(no_scope()),
        }
    }

    /// Returns the parameter that selects a user-assigned identity. `names` are the endpoint's
    /// parameter names for the three kinds of id.
    fn identity(&self, names: [&str; 3]) -> Result<String> {
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
            [] => self.get(Variable::AzureClientId).map(|id| ("client_id", id)),
            [one] => Some(*one),
            _ => {
                return Err(configuration("Several ids of a user-assigned identity are given")
                    .hint("Give one of clientId, objectId and resourceId."));
            }
        };
        match chosen {
            Some((_, "")) => Err(configuration("The id of the user-assigned identity is blank")
                .hint("Leave it out for the system-assigned identity.")),
            Some((name, id)) => Ok(format!("&{name}={}", encoded(id))),
            None => Ok(String::new()),
        }
    }
}

fn configuration(message: impl Into<String>) -> Error {
    Error::new(Code::CredentialConfiguration, message)
}

fn no_scope() -> Error {
    Error::new(Code::ProviderScope, "No token scope was given")
        .hint("For Foundry it is https://ai.azure.com/.default.")
}

/// Checks the address of an endpoint: a host with an optional path, and nothing that could send the
/// secret to another host.
fn check_address(what: &str, text: &str) -> Result<()> {
    match Address::read(text) {
        Some(_) => Ok(()),
        None => Err(no_address(what, "an http or https URL")),
    }
}

/// Checks an authority: a host alone, over `https` unless it is this machine. The tenant becomes
/// its path.
fn check_authority(text: &str) -> Result<()> {
    let authority = Address::read(text)
        .filter(|address| address.is_host_alone() && (address.secure || address.is_loopback()));
    match authority {
        Some(_) => Ok(()),
        None => Err(no_address("The authority host", "an https URL of a host alone")),
    }
}

fn no_address(what: &str, form: &str) -> Error {
    configuration(format!("{what} is not {form}"))
        .hint("Look for white space, a user name, a path or a query in it, or leave it to Azure to set it.")
}

/// Percent-encodes a value for a query or form: all except the unreserved characters of RFC 3986.
fn encoded(text: &str) -> String {
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
