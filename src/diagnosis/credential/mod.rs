//! Explains why a credential gave no token, and how to fix it.
//!
//! [`diagnose_credential`] reads the error of a credential library or command-line tool, or the
//! response of an identity endpoint: Entra's error numbers first, then known phrases, then the
//! status. The error of a chain is split into one [`CredentialLink`] for each credential.

mod aadsts;
mod chain;
mod code;
mod details;
mod failure;
mod fixes;
mod os_error;
mod phrases;
mod text;
mod tool;

use serde::{Deserialize, Serialize};

pub use code::CredentialDiagnosisCode;
pub use failure::{CredentialFailure, ReportedError, credential_failure};

use crate::endpoint::Cloud;
use crate::environment::{self, CredentialKind, Variable};
use crate::{Secret, Variables};
use chain::Part;
use code::CredentialDiagnosisCode as Code;
use details::Details;
use fixes::{Case, explain};
use tool::Tool;

/// A failure to get a token. As JSON in camel case; every field is optional and may be null.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FailedCredential {
    /// The error's text, with those of its causes on further lines.
    pub error: Option<Secret>,
    /// The texts of the errors of a chain, if the library keeps them apart. Otherwise `error` is
    /// split.
    pub errors: Vec<Secret>,
    /// The HTTP status of the identity endpoint; 0 or `None` if unknown.
    pub status: Option<u16>,
    /// The body of its response.
    pub body: Option<Secret>,
    /// The environment. Of a variable with a secret, only its presence counts.
    pub env: Variables,
}

/// The cause and fixes of a failure to get a token. Serialized in camel case, without the fields
/// that are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CredentialDiagnosis {
    /// The code.
    pub code: CredentialDiagnosisCode,
    /// A short title.
    pub title: &'static str,
    /// The cause, with the ids that the error or the response names.
    pub cause: String,
    /// The fixes, the likeliest first. Each command is on its own line.
    pub fixes: Vec<String>,
    /// Entra's error numbers (`AADSTS...`), in their order.
    pub aadsts: Vec<u32>,
    /// Whether the same request may succeed later without a change.
    pub retryable: bool,
    /// The name of the credential that the diagnosis is about, such as `AzureCliCredential`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<&'static str>,
    /// The HTTP status; `None` if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The credentials that a chain tried, the closest to success first. Empty without a chain.
    pub links: Vec<CredentialLink>,
}

/// A credential of a chain, and what it lacked. Serialized in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CredentialLink {
    /// The name of the credential, such as `AzureCliCredential`.
    pub credential: &'static str,
    /// What it lacked.
    pub code: CredentialDiagnosisCode,
    /// The same in a few words.
    pub text: String,
}

/// Diagnoses a failure to get a token. Never fails: the code of an unrecognized failure is
/// `unknown`.
///
/// Of a chain, the result explains the credential that came closest to a token: one that Entra or an
/// identity endpoint answered, then one that the environment selects, then an installed tool without
/// a sign-in. Errors and responses are not trusted: a cause names only those of their ids that have a
/// strict form, and fixes contain only fixed words and the ids of the environment.
///
/// ```
/// use copilot_keyless::diagnosis::{CredentialDiagnosisCode, FailedCredential, diagnose_credential};
///
/// let found = diagnose_credential(&FailedCredential {
///     status: Some(401),
///     body: Some(r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client
///         secret keys for app '1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55' are expired."}"#.into()),
///     env: [("AZURE_CLIENT_ID", "1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55")].into(),
///     ..FailedCredential::default()
/// });
/// assert_eq!(found.code, CredentialDiagnosisCode::SecretExpired);
/// assert_eq!(found.aadsts, [7_000_222]);
/// assert!(found.fixes[0].ends_with("az ad app credential reset --id 1f1ef2c9-1b4a-4b6e-9f0f-2f8a3f2f9a55 --append"));
/// ```
pub fn diagnose_credential(failure: &FailedCredential) -> CredentialDiagnosis {
    let body = failure.body.as_ref().map_or("", Secret::expose);
    let error = failure.error.as_ref().map_or("", Secret::expose);
    let whole = text::plain(&format!("{error}\n{body}"));
    let status = failure.status.filter(|status| *status != 0);
    let host = Surroundings::of(&failure.env);
    let links = links(failure, &whole, &host);
    let closest = links.first().filter(|link| {
        // A number that belongs to no link is more specific than any of them.
        !link.numbers.is_empty() || aadsts::numbers_in(&whole.to_ascii_lowercase()).is_empty()
    });
    let finding = closest
        .cloned()
        .unwrap_or_else(|| Finding::of(None, &whole, status));
    let mut code = finding.code;
    if closest.is_some() && links.len() > 1 && links.iter().all(|link| link.score < SET_UP) {
        code = Code::NoCredential;
    }
    report(&Finding { code, ..finding }, links, status, &host)
}

/// A failure with its code.
#[derive(Clone)]
struct Finding {
    credential: Option<&'static str>,
    code: Code,
    /// The text as it is, without escapes.
    text: String,
    /// The text on one line, in lower case.
    line: String,
    numbers: Vec<u32>,
    /// How close the credential came to a token.
    score: u8,
}

impl Finding {
    fn of(credential: Option<&'static str>, text: &str, status: Option<u16>) -> Self {
        let line = text::searchable(text);
        let numbers = aadsts::numbers_in(&line);
        Self {
            credential: credential.or_else(|| chain::credential_in(&line)),
            code: classify(&line, &numbers, status),
            text: text.to_owned(),
            line,
            numbers,
            score: 0,
        }
    }
}

/// Returns the code: by number, else by phrase, else by status.
fn classify(line: &str, numbers: &[u32], status: Option<u16>) -> Code {
    let status = status.or_else(|| text::status_in(line));
    let by_phrase = match phrases::code_of(line) {
        None | Some(Code::Network) if os_error::is_tls(line) => Some(Code::Tls),
        code => code,
    };
    match numbers.iter().find_map(|number| aadsts::code_of(*number)) {
        // An empty assertion is malformed because there was none.
        Some(Code::AssertionInvalid) if by_phrase == Some(Code::AssertionMissing) => {
            return Code::AssertionMissing;
        }
        Some(code) => return code,
        None if status == Some(429) => return Code::Throttled,
        None => {}
    }
    let imds = ["169.254.169.254", "from imds", "url: /metadata/identity"]
        .iter()
        .any(|words| line.contains(words));
    // App Service and Functions have an endpoint of this name, too.
    let endpoint = imds || line.contains("from msi");
    let by_status = match status {
        Some(407) => Some(Code::Proxy),
        Some(400) if endpoint || line.contains(" msi.") => Some(Code::IdentityNotAssigned),
        Some(403 | 404) if endpoint => Some(Code::NoManagedIdentity),
        // IMDS answers 410 while it is updated.
        Some(410 | 500..) => Some(Code::ServerError),
        None if imds => Some(Code::ImdsUnreachable),
        _ => None,
    };
    match (by_phrase, by_status) {
        // These words are weaker than a status.
        (
            None | Some(Code::Network | Code::Timeout | Code::WrongSecret | Code::NoManagedIdentity),
            Some(code),
        )
        | (Some(code), _) => code,
        (None, None) => Code::Unknown,
    }
}

/// What the environment says about this host.
struct Surroundings<'a> {
    env: &'a Variables,
    /// The credential that the environment selects.
    selected: Option<&'static str>,
    platform: Option<environment::Host>,
}

impl<'a> Surroundings<'a> {
    fn of(env: &'a Variables) -> Self {
        let plan = environment::credential(env, Cloud::Public).ok();
        let selected = plan.as_ref().and_then(|plan| match plan.kind {
            CredentialKind::Environment => Some("EnvironmentCredential"),
            CredentialKind::WorkloadIdentity => Some("WorkloadIdentityCredential"),
            CredentialKind::ManagedIdentity => Some("ManagedIdentityCredential"),
            CredentialKind::VisualStudioCode => Some("VisualStudioCodeCredential"),
            CredentialKind::AzureCli => Some("AzureCliCredential"),
            CredentialKind::AzurePowerShell => Some("AzurePowerShellCredential"),
            CredentialKind::AzureDeveloperCli => Some("AzureDeveloperCliCredential"),
            // The host has an identity endpoint, or runs in Azure.
            _ => plan.host.map(|_| "ManagedIdentityCredential"),
        });
        Self {
            env,
            selected,
            platform: plan.and_then(|plan| plan.host),
        }
    }

    fn get(&self, variable: Variable) -> Option<&str> {
        self.env.text(variable.as_str())
    }
}

/// From this score on, a credential is set up here at least in part.
const SET_UP: u8 = 30;

/// The score of a credential that Entra answered with an error number.
const ANSWERED: u8 = 90;

/// The most errors of a chain to read.
const MAX_ERRORS: usize = 100;

/// Returns the links of a chain, the closest to a token first. Empty without a chain.
fn links(failure: &FailedCredential, whole: &str, host: &Surroundings<'_>) -> Vec<Finding> {
    let parts: Vec<Part> = if failure.errors.len() > 1 {
        let read = |error: &Secret| {
            let text = text::plain(text::head(error.expose(), chain::MAX_LINK));
            let credential = chain::parts(&text)
                .first()
                .map(|part| part.credential)
                .or_else(|| chain::credential_in(&text.to_ascii_lowercase()))?;
            Some(Part { credential, text })
        };
        failure.errors.iter().take(MAX_ERRORS).filter_map(read).collect()
    } else {
        chain::parts(whole)
    };
    let mut links: Vec<Finding> = Vec::new();
    for part in parts {
        let mut link = Finding::of(Some(part.credential), &part.text, None);
        link.score = score(&link, host);
        // Logs and stack traces repeat an error.
        match links.iter_mut().find(|known| known.credential == link.credential) {
            Some(known) if known.score < link.score => *known = link,
            Some(_) => {}
            None => links.push(link),
        }
    }
    let is_chain = links.len() > 1 && chain::is_chain(&whole.to_ascii_lowercase());
    if !(is_chain || links.len() > 2 || failure.errors.len() > 1) {
        return Vec::new();
    }
    links.sort_by_key(|link| std::cmp::Reverse(link.score));
    links
}

/// Returns how close a credential came to a token.
fn score(link: &Finding, host: &Surroundings<'_>) -> u8 {
    let base = match link.code {
        _ if !link.numbers.is_empty() => ANSWERED,
        Code::SeveralIdentities | Code::WrongScope | Code::SecretExpired | Code::WrongSecret => 85,
        Code::ClaimsChallenge | Code::MfaRequired | Code::ConditionalAccess | Code::SignInExpired => 80,
        Code::IdentityNotAssigned => 70,
        Code::Proxy | Code::Tls | Code::Dns | Code::Throttled | Code::ServerError => 65,
        Code::ToolFailed | Code::ToolTimeout => 60,
        Code::NotSignedIn => match link.credential {
            Some("AzureCliCredential") => 56,
            Some("AzureDeveloperCliCredential") => 54,
            Some("AzurePowerShellCredential") => 52,
            // These say so wherever they are not used at all.
            _ => 12,
        },
        Code::Timeout | Code::Network | Code::LibraryFault | Code::WrongTenant => 50,
        Code::AssertionMissing => 24,
        Code::Configuration if is_partly_set(link, host) => 45,
        Code::Configuration => 8,
        Code::ToolNotInstalled => match link.credential {
            Some("AzureCliCredential") => 22,
            _ => 14,
        },
        Code::ImdsUnreachable | Code::NoManagedIdentity => 20,
        Code::Unknown => 28,
        _ => 75,
    };
    let selected = link.credential.is_some() && link.credential == host.selected;
    if selected && base < ANSWERED {
        (base + 50).min(ANSWERED - 1)
    } else {
        base
    }
}

/// Whether some variables of a service principal are set.
fn is_partly_set(link: &Finding, host: &Surroundings<'_>) -> bool {
    link.credential == Some("EnvironmentCredential")
        && [
            Variable::AzureClientSecret,
            Variable::AzureClientCertificatePath,
            Variable::AzureTenantId,
        ]
        .into_iter()
        .any(|variable| host.get(variable).is_some())
}

fn report(
    finding: &Finding,
    links: Vec<Finding>,
    status: Option<u16>,
    host: &Surroundings<'_>,
) -> CredentialDiagnosis {
    let details = Details::of(&finding.text);
    let tool = finding
        .credential
        .and_then(Tool::of)
        .or_else(|| Tool::named_in(&finding.line));
    let client_id = host
        .get(Variable::AzureClientId)
        .filter(|id| crate::text::is_guid(id));
    let tenant = host
        .get(Variable::AzureTenantId)
        .filter(|tenant| details::is_tenant(tenant));
    let (mut cause, fixes) = explain(&Case {
        code: finding.code,
        text: &finding.line,
        numbers: &finding.numbers,
        details: &details,
        links: &links,
        tool,
        client_id,
        tenant,
        managed: host.selected == Some("ManagedIdentityCredential"),
        host: host.platform,
        env: host.env,
    });
    if !links.is_empty()
        && finding.code != Code::NoCredential
        && let Some(credential) = finding.credential
    {
        cause = format!(
            "Of {} credentials that were tried, {credential} came closest. {cause}",
            links.len()
        );
    }
    let mut aadsts = finding.numbers.clone();
    for number in links.iter().flat_map(|link| &link.numbers) {
        if !aadsts.contains(number) {
            aadsts.push(*number);
        }
    }
    CredentialDiagnosis {
        code: finding.code,
        title: finding.code.title(),
        cause,
        fixes,
        aadsts,
        retryable: finding.code.is_retryable(),
        credential: finding.credential.filter(|_| finding.code != Code::NoCredential),
        status,
        links: links.into_iter().map(Finding::into_link).collect(),
    }
}

impl Finding {
    fn into_link(self) -> CredentialLink {
        let title = match (self.code, self.credential) {
            (Code::Configuration, Some("EnvironmentCredential")) => {
                "The variables of a service principal are not all set"
            }
            (Code::Configuration, Some("WorkloadIdentityCredential")) => {
                "The variables of workload identity are not all set"
            }
            (Code::ToolNotInstalled, _) => "The tool is not installed, or not on the PATH",
            (code, _) => code.title(),
        };
        let numbers: Vec<String> = self
            .numbers
            .iter()
            .map(|number| format!(" (AADSTS{number})"))
            .collect();
        CredentialLink {
            credential: self.credential.unwrap_or("unknown"),
            code: self.code,
            text: format!("{title}{}", numbers.concat()),
        }
    }
}
