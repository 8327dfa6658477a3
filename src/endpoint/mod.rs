//! Reads a pasted endpoint: its kind, the base URL for the Copilot SDK, and the token scope.
//!
//! [`parse`] accepts the URLs that portals, guides and environment variables contain. It repairs
//! harmless faults with a warning and rejects the rest with a hint. It is strict about the host,
//! because the token goes there: it rebuilds the base URL from validated parts only.
//!
//! | host | kind | base URL |
//! | --- | --- | --- |
//! | `R.openai.azure.com`, `.us`, `.cn` | `azure-openai` | `/openai/v1/` |
//! | `R.services.ai.azure.com`, `.us` | `foundry-account` | `/openai/v1/` |
//! | the same with `/api/projects/P` | `foundry-project` | `/api/projects/P/openai/v1/` |
//! | the same, and `R.openai.azure.com`, with `/anthropic` or `/v1/messages` | `foundry-anthropic` | `/anthropic` |
//! | `R.cognitiveservices.azure.com`, `.us`, `.cn` | `ai-services` | `/openai/v1/` |
//! | `*.azure-api.net`, `.us`, `.cn` | `gateway` | the path, plus `/openai/v1/` unless it ends in `/v1` |
//! | `localhost`, `127.x.x.x`, `[::1]` | `local` | the path as given; `/v1` if there is none |
//! | `api.openai.com` | `openai` | `/v1/` |
//! | any other, with `https` | `custom` | as `gateway` |
//!
//! For the type `azure`, the base URL lacks `/openai/v1/`, because the runtime of the Copilot SDK
//! adds the route itself. A bare loopback address such as `http://localhost:5273` gets `/v1`, which
//! Foundry Local, most local servers and the emulator of this project serve.

mod hosts;
mod notices;
mod pasted;
mod route;
mod scope;
mod text;
mod url;

use serde::{Deserialize, Serialize};

use crate::error::{TEXTS, error_text};
use crate::{Code, Error, Notice, Result};
use hosts::Site;
pub(crate) use route::is_operation;
use url::{Scheme, Url};

/// The kind of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An Azure OpenAI resource, `R.openai.azure.com`.
    AzureOpenai,
    /// A Foundry resource, `R.services.ai.azure.com`.
    FoundryAccount,
    /// A project in a Foundry resource.
    FoundryProject,
    /// The Anthropic route of a Foundry resource.
    FoundryAnthropic,
    /// An Azure AI services resource, `R.cognitiveservices.azure.com`.
    AiServices,
    /// An Azure API Management gateway.
    Gateway,
    /// Any other host with `https`.
    Custom,
    /// A server on this machine.
    Local,
    /// `api.openai.com`.
    Openai,
}

/// The cloud of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// The global Azure.
    Public,
    /// Azure for the US Government.
    Usgov,
    /// Azure operated by 21Vianet in China.
    China,
    /// Unknown: a local, custom or OpenAI host.
    Unknown,
}

/// The provider type of the Copilot SDK, `ProviderConfig.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderType {
    /// The OpenAI v1 routes. The right choice for Foundry.
    Openai,
    /// Azure's routes, which the runtime adds. Needed for a dated API version.
    Azure,
    /// The Anthropic Messages route.
    Anthropic,
}

impl ProviderType {
    /// Returns the string form of the Copilot SDK.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Azure => "azure",
            Self::Anthropic => "anthropic",
        }
    }
}

/// Settings that override the URL. As JSON: `{ type?, apiVersion?, scope? }`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    /// The provider type. Default: from the path.
    #[serde(rename = "type")]
    pub provider_type: Option<ProviderType>,
    /// A dated API version, such as `2024-10-21`. Implies the type `azure`. Default: none.
    pub api_version: Option<String>,
    /// The token scope. Default: from the host.
    pub scope: Option<String>,
}

/// A parsed endpoint. Serialized in camel case, without the fields that are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Endpoint {
    /// The input, without surrounding white space and without query values, which may be keys.
    pub input: String,
    /// The normalized address: scheme, lower-case host and path; no query.
    pub url: String,
    /// The kind.
    pub kind: Kind,
    /// The cloud.
    pub cloud: Cloud,
    /// The provider type to use.
    #[serde(rename = "type")]
    pub provider_type: ProviderType,
    /// `ProviderConfig.baseUrl`. Parsing it again with the same options returns the same endpoint.
    pub base_url: String,
    /// The scope to acquire tokens for. `None` if unknown: a token never goes to an unknown host by
    /// default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Other scopes that the same host may accept.
    pub alternate_scopes: Vec<String>,
    /// The authority host of the cloud. `None` for hosts outside of Azure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority_host: Option<String>,
    /// The name of the resource or the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The name of the Foundry project.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The deployment in a legacy path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The dated API version from the options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Repairs and assumptions.
    pub warnings: Vec<Notice>,
}

/// How to find the endpoint; the last sentence of many hints.
pub(crate) const FIND: &str = "Find it in the Azure portal under your resource > Keys and Endpoint, or with: az \
    cognitiveservices account show --name <name> --resource-group <group> --query properties.endpoint --output tsv";

/// Parses an endpoint.
///
/// Errors: the codes under `endpoint/`; `provider/conflict` for options that the endpoint does not
/// support; `provider/scope` for a malformed scope. No message repeats user information, a query or
/// a key.
///
/// Hosts, paths and scopes follow Microsoft's documentation for Foundry models (the v1 API, keyless
/// authentication, Azure Government and Azure in China).
///
/// ```
/// use copilot_keyless::endpoint::{Kind, Options, parse};
///
/// let endpoint = parse("myres.openai.azure.com", &Options::default())?;
/// assert_eq!(endpoint.kind, Kind::AzureOpenai);
/// assert_eq!(endpoint.base_url, "https://myres.openai.azure.com/openai/v1/");
/// assert_eq!(endpoint.scope.as_deref(), Some("https://ai.azure.com/.default"));
/// assert_eq!(endpoint.warnings[0].code.as_str(), "scheme-added");
///
/// let error = parse("https://<my-resource>.openai.azure.com", &Options::default()).unwrap_err();
/// assert_eq!(error.code().as_str(), "endpoint/placeholder");
/// # Ok::<(), copilot_keyless::Error>(())
/// ```
pub fn parse(input: &str, options: &Options) -> Result<Endpoint> {
    let (text, unquoted) = pasted::unwrap(input)?;
    pasted::reject_non_urls(text)?;
    let mut url = url::read(text).map_err(|error| with_repair(error, text))?;
    let site = site(&url, text)?;
    check_transport(&url, &site)?;
    let api_version = options
        .api_version
        .as_deref()
        .map(check_api_version)
        .transpose()?;
    let wanted = wanted_type(options.provider_type, api_version.is_some())?;

    let mut warnings = notices::cleaning(&url, unquoted);
    if let Some(host) = &site.rewritten {
        warnings.push(notices::privatelink(host));
        url.host.clone_from(host);
    }
    let route = route::find(&url, &site, wanted, api_version.is_some())?;
    warnings.extend(route.notices);
    warnings.extend(url.query.as_deref().map(notices::query));
    let scopes = scope::choose(route.kind, site.cloud, options.scope.as_deref())?;
    warnings.extend(notices::permanent(route.kind, site.cloud, &scopes));

    let mut address = format!("{}/{}", url.origin(), url.segments.join("/"));
    if url.trailing_slash && !url.segments.is_empty() {
        address.push('/');
    }
    Ok(Endpoint {
        input: text::redact(input),
        url: address,
        kind: route.kind,
        cloud: site.cloud,
        provider_type: route.provider_type,
        base_url: format!("{}{}", url.origin(), route.path),
        scope: scopes.scope,
        alternate_scopes: scopes.alternates,
        authority_host: authority_host(site.cloud).map(str::to_owned),
        resource: site.resource,
        project: route.project,
        deployment: route.deployment,
        api_version: api_version.map(str::to_owned),
        warnings,
    })
}

/// Names the address to give in the place of one whose path cannot be read.
fn with_repair(error: Error, text: &str) -> Error {
    if !TEXTS || error.code() != Code::EndpointBadPath {
        return error;
    }
    match pasted::resource_url(&text.to_ascii_lowercase()) {
        Some(url) => error.hint(error_text!(
            "Leave the path out: {url} is enough. For a Foundry project, keep only /api/projects/<project>."
        )),
        None => error,
    }
}

fn site(url: &Url, text: &str) -> Result<Site> {
    if url.loopback {
        return Ok(Site {
            kind: Kind::Local,
            cloud: Cloud::Unknown,
            resource: None,
            rewritten: None,
        });
    }
    let site = hosts::classify(&url.host, text)?;
    if site.kind == Kind::Custom {
        let elsewhere = format!(
            "{}{}",
            url.segments.join("/"),
            url.query.as_deref().unwrap_or_default()
        );
        if hosts::names_azure_domain(&elsewhere) {
            return Err(hosts::azure_elsewhere(&url.host));
        }
    }
    Ok(site)
}

fn check_transport(url: &Url, site: &Site) -> Result<()> {
    if url.scheme == Scheme::Http && !url.loopback {
        return Err(Error::new(
            Code::EndpointInsecureHttp,
            error_text!(
                "The endpoint is http://{}; a token must not travel unencrypted. Expected https://.",
                url.host
            ),
        )
        .hint(match site.kind {
            Kind::Custom => {
                error_text!(
                    "Write https://. Plain http is for this machine only: localhost, 127.0.0.1 or [::1]."
                )
            }
            _ => error_text!("Write https://{}.", url.host),
        }));
    }
    match url.port {
        Some(port) if !matches!(site.kind, Kind::Custom | Kind::Local) => Err(Error::new(
            Code::EndpointPort,
            error_text!(
                "The endpoint's port is {port}; {} serves port 443 only.",
                url.host
            ),
        )
        .hint("Leave the port out.")),
        _ => Ok(()),
    }
}

fn check_api_version(version: &str) -> Result<&str> {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    let dated = date.len() == 10
        && date.bytes().enumerate().all(|(i, b)| {
            if i == 4 || i == 7 {
                b == b'-'
            } else {
                b.is_ascii_digit()
            }
        });
    let (month, day) = (
        date.get(5..7).unwrap_or_default(),
        date.get(8..).unwrap_or_default(),
    );
    if dated && ("01"..="12").contains(&month) && ("01"..="31").contains(&day) {
        return Ok(version);
    }
    let shown = if text::is_plain_name(version) {
        version
    } else {
        "***"
    };
    Err(Error::new(
        Code::ProviderConflict,
        error_text!("apiVersion is \"{shown}\"; expected a date such as 2024-10-21 or 2025-04-01-preview."),
    )
    .hint("Leave apiVersion out: the v1 API of Foundry needs none."))
}

/// Returns the requested type. An API version implies `azure`, the only type with one in its
/// requests.
fn wanted_type(given: Option<ProviderType>, dated: bool) -> Result<Option<ProviderType>> {
    match given {
        Some(given) if dated && given != ProviderType::Azure => Err(Error::new(
            Code::ProviderConflict,
            error_text!(
                "apiVersion was given together with the type \"{}\", whose requests carry none.",
                given.as_str()
            ),
        )
        .hint("Leave apiVersion out, or ask for the type \"azure\".")),
        None if dated => Ok(Some(ProviderType::Azure)),
        given => Ok(given),
    }
}

/// Returns the authority host of a cloud.
pub(crate) fn authority_host(cloud: Cloud) -> Option<&'static str> {
    match cloud {
        Cloud::Public => Some("https://login.microsoftonline.com"),
        Cloud::Usgov => Some("https://login.microsoftonline.us"),
        Cloud::China => Some("https://login.chinacloudapi.cn"),
        Cloud::Unknown => None,
    }
}
