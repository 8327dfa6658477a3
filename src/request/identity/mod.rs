//! Describes the requests to Azure's identity endpoints and judges their responses. The credential
//! of `copilot-keyless/direct` uses it.
//!
//! | source | request | settings |
//! | --- | --- | --- |
//! | App Service, Functions, Container Apps | `GET {IDENTITY_ENDPOINT}?resource=&api-version=2019-08-01`, header `X-IDENTITY-HEADER` | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER` |
//! | IMDS: virtual machines, scale sets, nodes | `GET {host}/metadata/identity/oauth2/token?resource=&api-version=2018-02-01`, header `Metadata: true` | `AZURE_POD_IDENTITY_AUTHORITY_HOST` |
//! | Service Fabric | `GET {IDENTITY_ENDPOINT}?resource=&api-version=2019-07-01-preview`, header `secret`; the certificate is checked by its thumbprint | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`, `IDENTITY_SERVER_THUMBPRINT` |
//! | Azure Machine Learning | `GET {MSI_ENDPOINT}?resource=&api-version=2017-09-01&clientid=`, header `secret` | `MSI_ENDPOINT`, `MSI_SECRET`, `DEFAULT_IDENTITY_CLIENT_ID` |
//! | workload identity, any OIDC federation | `POST {authority}/{tenant}/oauth2/v2.0/token` with `client_assertion` | `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`, `AZURE_AUTHORITY_HOST` |
//! | the same with an AKS identity binding | the same, to the token proxy | `AZURE_KUBERNETES_TOKEN_PROXY`, `AZURE_KUBERNETES_SNI_NAME`, `AZURE_KUBERNETES_CA_FILE` or `AZURE_KUBERNETES_CA_DATA` |
//! | GitHub Actions | `GET {ACTIONS_ID_TOKEN_REQUEST_URL}&audience=` for the `client_assertion` | `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, `AZURE_CLIENT_ID`, `AZURE_TENANT_ID` |
//! | Azure Pipelines | `POST {SYSTEM_OIDCREQUESTURI}?api-version=7.1&serviceConnectionId=` for the `client_assertion` | `SYSTEM_ACCESSTOKEN`, `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`, its client id and tenant |
//! | service principal | as workload identity, with `client_secret` | `AZURE_CLIENT_SECRET`, and those |
//! | Microsoft Entra ID auth sidecar | `GET {SIDECAR_URL}/AuthorizationHeaderUnauthenticated/{service}` | `SIDECAR_URL` |
//!
//! Never receives secrets to send: a [`Call`] says where the secret goes, and the caller inserts
//! it.

mod answer;
mod arc;
mod assertion;
mod entra;
mod managed_identity;
mod renewal;
mod retry;
mod settings;
mod sidecar;

use serde::{Deserialize, Serialize};

pub use answer::{ANSWER_MAX_BYTES, Answer, Failure, Token, Verdict, accept, judge};
pub use arc::arc_key_file;

pub use renewal::NotRenewed;
pub use sidecar::Sidecar;

use crate::environment::{self, CredentialKind, Variable};
use crate::{Headers, Result, Variables};
use settings::Settings;

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
    /// The managed identity endpoint of Service Fabric.
    ServiceFabric,
    /// The managed identity endpoint of Azure Machine Learning.
    MachineLearning,
    /// The OIDC token of a GitHub Actions job, exchanged for a token of Entra.
    GithubActions,
    /// The OIDC token of an Azure Pipelines job, exchanged for a token of Entra.
    AzurePipelines,
    /// The Microsoft Entra ID auth sidecar.
    Sidecar,
    /// The managed identity endpoint of the Azure Arc agent. Not read from JSON: only a program with
    /// the files of the host can answer its challenge ([`Request::azure_arc`]).
    #[serde(skip_deserializing)]
    AzureArc,
}

impl Source {
    /// Whether the endpoint is on this machine or in its network: no proxy may be between, because it
    /// would receive the secret of the host, or answer in its place.
    pub const fn is_local(self) -> bool {
        match self {
            Self::AppService
            | Self::Imds
            | Self::ServiceFabric
            | Self::MachineLearning
            | Self::Sidecar
            | Self::AzureArc => true,
            Self::WorkloadIdentity | Self::ClientSecret | Self::GithubActions | Self::AzurePipelines => false,
        }
    }
}

/// The options of a token request. As JSON in camel case; every field except `scopes` is optional
/// and may be null.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[allow(clippy::struct_excessive_bools, reason = "options, independent of each other")]
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
    /// The Entra authority. Default: `AZURE_AUTHORITY_HOST`, which for the OIDC token of a job must
    /// be an authority of Microsoft Entra or this machine.
    pub authority_host: Option<String>,
    /// The claims of a claims challenge, as JSON.
    pub claims: Option<String>,
    /// Whether the caller supplies the assertion, so that no file is needed.
    pub own_assertion: bool,
    /// Whether the caller supplies the client secret.
    pub own_secret: bool,
    /// Whether the caller can answer the challenge of Azure Arc's agent ([`arc_key_file`]), which
    /// needs the files of the host.
    pub azure_arc: bool,
    /// The service connection of Azure Pipelines. Default:
    /// `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`.
    pub service_connection_id: Option<String>,
    /// The request to an auth sidecar. Selects that source.
    pub sidecar: Option<Sidecar>,
    /// Whether a workload identity uses the AKS identity binding of the environment, if there is
    /// one.
    pub identity_binding: bool,
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
    /// The form to post, without the secret; it may be empty. `None` for a GET request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The header or form field of the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretPlace>,
    /// The request to send first, for the federated token of a job. Its answer, a
    /// [`Verdict::Assertion`], is the secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion_call: Option<Box<Call>>,
    /// The rules of the TLS connection, where they differ from the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Whether it renews the rejected token of [`Request::rejected_token_sha256`]. Not tested on
    /// live Azure.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renews: bool,
    /// The timeout of each attempt, in milliseconds.
    pub timeout_ms: u32,
}

impl Call {
    fn get(source: Source, url: String) -> Self {
        Self {
            source,
            url,
            headers: Headers::new(),
            form: None,
            secret: None,
            assertion_call: None,
            tls: None,
            renews: false,
            timeout_ms: TIMEOUT_MS,
        }
    }
}

/// Where the secret of a request goes, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SecretPlace {
    /// `client_secret` or `client_assertion` in the form, else a header.
    pub name: &'static str,
    /// The text before the secret, such as `Bearer ` in a header.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub prefix: &'static str,
    /// The variable with the secret, or the path of its file. `None` if the caller or the
    /// `assertion_call` supplies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variable: Option<Variable>,
}

impl SecretPlace {
    fn new(name: &'static str, variable: Option<Variable>) -> Self {
        Self {
            name,
            prefix: "",
            variable,
        }
    }

    fn header(name: &'static str, variable: Variable) -> Self {
        Self::new(name, Some(variable))
    }
}

/// Rules of a TLS connection that `fetch` cannot follow. The name and certificate of the server are
/// checked as usual, unless there is a `thumbprint`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Tls {
    /// The name to ask for and to check, instead of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The file with the certificate authority, to read for every attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// The certificate authority as PEM text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The SHA-1 digest of the server's certificate, in lower-case hexadecimal digits. The only
    /// check of the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<String>,
}

const TIMEOUT_MS: u32 = 10_000;

/// Describes the request for a token.
///
/// Errors: `credential/configuration`, which names the missing or malformed variable or option;
/// `credential/unavailable` for an incomplete identity binding.
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
        Source::WorkloadIdentity => settings.workload_identity(),
        Source::ClientSecret => settings.client_secret(),
        Source::ServiceFabric => settings.service_fabric(),
        Source::MachineLearning => settings.machine_learning(),
        Source::GithubActions => settings.github_actions(),
        Source::AzurePipelines => settings.azure_pipelines(),
        Source::Sidecar => settings.sidecar(),
        Source::AzureArc => settings.azure_arc(),
    }
}

/// Percent-encodes a secret for the form of a [`Call`].
pub fn form_encoded(secret: &str) -> String {
    settings::encoded(secret)
}

/// Returns the source that carries out a credential of
/// [`environment::credential_chain`]; `None` for a developer
/// tool and for a service principal without a client secret. Reads `env` and `azure_arc` of the
/// request.
pub fn source_of(kind: CredentialKind, request: &Request) -> Option<Source> {
    let settings = Settings { request };
    settings.source_of(kind, environment::host(&request.env))
}
